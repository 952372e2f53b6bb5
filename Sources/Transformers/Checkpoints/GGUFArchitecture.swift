import Foundation
import GGUF
import JSON

/// An architecture of llama.cpp as one of the families here: its keys of a GGUF file, read into a
/// `config.json`, which the family then checks as it checks any other.
struct GGUFArchitecture {
    /// The architectures that are read, with the families that they are.
    static let known = ["gpt2", "llama", "qwen2", "qwen3"]

    let configuration: ModelConfiguration
    /// Whether the rows of queries and keys are ordered for a rotary embedding that turns
    /// neighbors: rows i and i + size / 2 of a head here are rows 2i and 2i + 1 in the file.
    let pairsNeighbors: Bool

    init(_ file: GGUFFile) throws {
        try Self.checkKind(file)
        let keys = try GGUFKeys(file)
        guard Self.known.contains(keys.architecture) else {
            throw file.refusal(
                "models of architecture \"\(keys.architecture)\" are not supported; supported are "
                    + Self.known.joined(separator: ", ") + " (and Mistral and Mixtral, which call "
                    + "themselves llama)")
        }
        pairsNeighbors = keys.architecture == "llama"
        let members =
            keys.architecture == "gpt2" ? try Self.gpt2(keys) : try Self.rotary(keys)
        configuration = try ModelConfiguration(
            json: Data(JSON.object(members).pretty.utf8), name: file.file)
    }

    /// A file may hold something else than a model.
    private static func checkKind(_ file: GGUFFile) throws {
        guard case .text(let kind) = file.metadata["general.type"], kind != "model" else { return }
        throw file.refusal(
            kind == "adapter"
                ? "it holds an adapter in llama.cpp's form, not a model; adapters load in PEFT's "
                    + "form, a folder with adapter_config.json"
                : "it holds \"\(kind)\", not a model")
    }

    // MARK: - Keys

    private static let common: Set<String> = [
        "attention.head_count", "attention.head_count_kv", "block_count", "context_length",
        "embedding_length", "feed_forward_length", "vocab_size",
        // The order of rows in the file, which all writers share.
        "tensor_data_layout",
    ]

    private static func gpt2(_ keys: GGUFKeys) throws -> [JSON.Member] {
        try keys.allow(common.union(["attention.layer_norm_epsilon"]))
        let epsilon = try keys.number("attention.layer_norm_epsilon") ?? 1e-5
        return try shared(keys, modelType: "gpt2") + [
            .init("n_embd", .integer(try keys.requiredInteger("embedding_length"))),
            .init("n_head", .integer(try keys.requiredInteger("attention.head_count"))),
            .init("n_inner", .integer(try keys.requiredInteger("feed_forward_length"))),
            .init("n_layer", .integer(try keys.requiredInteger("block_count"))),
            .init("n_positions", .integer(try keys.requiredInteger("context_length"))),
            .init("layer_norm_epsilon", short(epsilon)),
        ]
    }

    private static func rotary(_ keys: GGUFKeys) throws -> [JSON.Member] {
        try keys.allow(
            common.union([
                "attention.key_length", "attention.layer_norm_rms_epsilon",
                "attention.sliding_window", "attention.value_length", "expert_count",
                "expert_used_count", "rope.dimension_count", "rope.freq_base", "rope.scale_linear",
                "rope.scaling.factor", "rope.scaling.finetuned",
                "rope.scaling.original_context_length", "rope.scaling.type",
            ]))
        let width = try keys.requiredInteger("embedding_length")
        let heads = try keys.requiredInteger("attention.head_count")
        let size = try headSize(keys, width: width, heads: heads)
        let experts = try keys.integer("expert_count") ?? 0
        let window = try keys.integer("attention.sliding_window")
        var modelType = keys.architecture
        if modelType == "llama" {
            modelType = experts > 0 ? "mixtral" : window != nil ? "mistral" : "llama"
        } else if let unread = experts > 0
            ? "expert_count" : window.map({ _ in "attention.sliding_window" })
        {
            throw keys.file.refusal("\(keys.name(unread)) is not supported")
        }
        var members: [JSON.Member] = [
            .init("hidden_size", .integer(width)),
            .init("intermediate_size", .integer(try keys.requiredInteger("feed_forward_length"))),
            .init("num_hidden_layers", .integer(try keys.requiredInteger("block_count"))),
            .init("num_attention_heads", .integer(heads)),
            .init(
                "num_key_value_heads",
                .integer(try keys.integer("attention.head_count_kv") ?? heads)),
            .init("head_dim", .integer(size)),
            .init("max_position_embeddings", .integer(try keys.requiredInteger("context_length"))),
            .init(
                "rms_norm_eps", short(try keys.number("attention.layer_norm_rms_epsilon") ?? 1e-5)),
            .init("rope_theta", short(try keys.number("rope.freq_base") ?? 10_000)),
            .init("rope_scaling", try scaling(keys, headSize: size)),
        ]
        if modelType == "llama" || modelType == "qwen3" {
            members.append(
                .init("attention_bias", .bool(has(keys.file, "blk.0.attn_output.bias"))))
        }
        if modelType == "llama" {
            members.append(.init("mlp_bias", .bool(has(keys.file, "blk.0.ffn_up.bias"))))
        }
        if modelType == "mistral" || modelType == "mixtral" {
            members.append(.init("sliding_window", window.map { .integer($0) } ?? .null))
        }
        if experts > 0 {
            members += [
                .init("num_local_experts", .integer(experts)),
                .init(
                    "num_experts_per_tok", .integer(try keys.requiredInteger("expert_used_count"))),
            ]
        }
        return try shared(keys, modelType: modelType) + members
    }

    private static func shared(_ keys: GGUFKeys, modelType: String) throws -> [JSON.Member] {
        guard let table = keys.file.tensors.first(where: { $0.name == "token_embd.weight" }),
            table.shape.count == 2
        else { throw keys.file.refusal("it has no matrix \"token_embd.weight\"") }
        var ends: [Int] = []
        for key in ["eos_token_id", "eot_token_id", "eom_token_id"] {
            if let token = try keys.token("tokenizer.ggml.\(key)"), !ends.contains(token) {
                ends.append(token)
            }
        }
        let begin = try keys.token("tokenizer.ggml.bos_token_id")
        return [
            .init("model_type", .string(modelType)),
            .init("vocab_size", .integer(table.shape[0])),
            .init("tie_word_embeddings", .bool(!has(keys.file, "output.weight"))),
            .init("bos_token_id", begin.map { .integer($0) } ?? .null),
            .init(
                "eos_token_id",
                ends.isEmpty
                    ? .null
                    : ends.count == 1 ? .integer(ends[0]) : .array(ends.map { .integer($0) })
            ),
        ]
    }

    private static func headSize(_ keys: GGUFKeys, width: Int, heads: Int) throws -> Int {
        guard heads > 0 else {
            throw keys.file.refusal("\(keys.name("attention.head_count")) is 0")
        }
        let size = try keys.integer("attention.key_length") ?? width / heads
        for key in ["attention.value_length", "rope.dimension_count"] {
            if let other = try keys.integer(key), other != size {
                throw keys.file.refusal(
                    "\(keys.name(key)) is \(other), and a head has \(size) elements: the two must "
                        + "be equal here")
            }
        }
        return size
    }

    private static func has(_ file: GGUFFile, _ tensor: String) -> Bool {
        file.tensors.contains { $0.name == tensor }
    }

    /// A float32 number of the file in the digits of the original configuration: 1e-05.
    private static func short(_ value: Double) -> JSON {
        let single = Float(value)
        return Double(single) == value ? .number(single.description) : .double(value)
    }
}
