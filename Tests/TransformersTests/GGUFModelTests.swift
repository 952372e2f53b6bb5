import Foundation
import GGUF
import LongWork
import NumberTypes
import Tensors
import TestSupport
import Testing

@testable import Transformers

/// Models in GGUF files (Tests/Fixtures/README.md): numbers of blocks against the package gguf,
/// logits against transformers.
@Suite struct GGUFModelTests {
    private struct Expected: Decodable {
        var tokens: [Int32]
        var logits: [Double]
    }

    private static let names = [
        "gpt2", "llama", "llama3", "mistral", "mixtral", "mixtral-2023", "qwen2", "qwen3",
    ]

    private func file(_ name: String) throws -> GGUFFile {
        try GGUFFile(path: Fixture.path("gguf/\(name).gguf"), shownAs: name)
    }

    private func sentence(of body: () throws -> Void) -> String {
        do {
            try body()
            return "none"
        } catch {
            return "\(error)"
        }
    }

    @Test(arguments: BlockFormat.allCases)
    func `every block is widened to the bits of gguf`(format: BlockFormat) throws {
        let file = try file("blocks")
        let tensors = Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, $0) })
        let stored = try #require(tensors[format.rawValue])
        let wanted = try #require(tensors[format.rawValue + ".expected"])
        #expect(stored.format == .blocks(format) && stored.shape == wanted.shape)
        let numbers = Tensor(
            borrowing: file.address(wanted), .float32, shape: wanted.shape, of: file.owner)
        func read(_ kept: StoredFormat, order: (Int) -> Int = { $0 }) -> Tensor {
            Tensor(
                reading: file.address(stored), .blocks(format), shape: stored.shape, as: kept,
                order: order)
        }
        #expect(read(.float32).values.map(\.bitPattern) == numbers.values.map(\.bitPattern))
        for kept in [StoredFormat.bfloat16, .float16] {
            #expect(read(kept).values == numbers.converted(to: kept).values)
        }
        let last = stored.shape[0] - 1
        let turned = read(.float32) { last - $0 }
        #expect(
            Array(turned.values.prefix(turned.columns))
                == Array(numbers.values.suffix(turned.columns)))
    }

    @Test func `numbers are quantized to the bits of gguf`() throws {
        let file = try file("blocks")
        let tensors = Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, $0) })
        let (source, wanted) = (
            try #require(tensors["plain"]), try #require(tensors["plain.Q8_0"])
        )
        let plain = Tensor(
            borrowing: file.address(source), .float32, shape: source.shape, of: file.owner)
        let found = plain.converted(to: .q80)
        #expect(found.format == .q80 && wanted.format == .q80)
        let bytes = UnsafeRawBufferPointer(
            start: file.address(wanted), count: wanted.bytes.count)
        #expect(found.withUnsafeBytes { $0.elementsEqual(bytes) })
    }

    @Test(arguments: names)
    func `logits are those of transformers`(name: String) throws {
        let wanted = try #require(
            Fixture.json("gguf/expected.json", as: [String: Expected].self)[name])
        let model = try GGUFModel(file(name)).load(as: .float32)
        let logits = try model.logits(wanted.tokens, rows: [wanted.tokens.count - 1])
        expectClose(
            logits.values.prefix(wanted.logits.count).map(Double.init), wanted.logits,
            within: 1e-4)
    }

    @Test func `plain floats and Q8_0 stay, and other blocks become bfloat16`() throws {
        let source = try GGUFModel(file("llama"))
        #expect(source.quantizedTypes == ["Q8_0", "Q4_0", "Q4_1", "Q5_1", "Q5_0"])
        let model = try source.load()
        let types = Dictionary(
            uniqueKeysWithValues: zip(
                model.parameters.names, model.parameters.tensors.map(\.format)))
        let block = "model.layers.1."
        #expect(types["model.embed_tokens.weight"] == .bfloat16)
        #expect(types["lm_head.weight"] == .q80)
        #expect(types[block + "mlp.up_proj.weight"] == .q80)
        #expect(types[block + "self_attn.q_proj.weight"] == .bfloat16)
        #expect(types[block + "self_attn.o_proj.weight"] == .float16)
        #expect(types[block + "mlp.gate_proj.weight"] == .bfloat16)
        #expect(types[block + "mlp.down_proj.weight"] == .float32)
        #expect(types[block + "input_layernorm.weight"] == .float32)
        let exact = try source.load(as: .float32)
        for (found, wanted) in zip(model.parameters.tensors, exact.parameters.tensors) {
            #expect(found == wanted.converted(to: found.format))
        }
        #expect(throws: Canceled.self) { try source.load(watch: { _ in .stop }) }
    }

    @Test func `the shape is that of the original configuration`() throws {
        let llama3 = try GGUFModel(file("llama3")).configuration
        #expect(
            llama3.ropeScaling
                == .llama3(factor: 8, lowFrequency: 1, highFrequency: 4, original: 8192))
        #expect(llama3.attentionBias && llama3.ropeTheta == 500_000 && llama3.normEpsilon == 1e-5)
        let mistral = try GGUFModel(file("mistral")).configuration
        #expect(mistral.modelType == "mistral" && mistral.slidingWindow == 5)
        #expect(mistral.headSize == 16 && !mistral.tiedHead)
        let mixtral = try GGUFModel(file("mixtral")).configuration
        #expect(mixtral.experts == 4 && mixtral.expertsPerToken == 2)
        #expect(try GGUFModel(file("qwen2")).configuration.tiedHead)
    }

    // MARK: - Files that no model is in

    /// A model of one block without its tokenizer, whose parts a test changes.
    private func small() -> GGUFBuilder {
        let shapes: [(String, [Int])] = [
            ("token_embd.weight", [6, 4]), ("output_norm.weight", [4]), ("output.weight", [6, 4]),
            ("blk.0.attn_norm.weight", [4]), ("blk.0.ffn_norm.weight", [4]),
            ("blk.0.attn_q.weight", [4, 4]), ("blk.0.attn_k.weight", [4, 4]),
            ("blk.0.attn_v.weight", [4, 4]), ("blk.0.attn_output.weight", [4, 4]),
            ("blk.0.ffn_gate.weight", [8, 4]), ("blk.0.ffn_up.weight", [8, 4]),
            ("blk.0.ffn_down.weight", [4, 8]),
        ]
        return GGUFBuilder(
            keys: [
                ("general.architecture", .text("llama")), ("llama.block_count", .uint32(1)),
                ("llama.context_length", .uint32(16)), ("llama.embedding_length", .uint32(4)),
                ("llama.feed_forward_length", .uint32(8)),
                ("llama.attention.head_count", .uint32(2)),
            ],
            tensors: shapes.map { name, shape in
                .init(name, shape, (0..<shape.reduce(1, *)).map { Float($0 % 5) * 0.1 })
            })
    }

    private func complaint(_ change: (inout GGUFBuilder) -> Void) -> String {
        var builder = small()
        change(&builder)
        return sentence {
            _ = try GGUFModel(GGUFFile(data: builder.data, file: "m.gguf")).load()
        }
    }

    private func set(_ key: String, _ value: GGUFBuilder.Value) -> (inout GGUFBuilder) -> Void {
        { builder in
            builder.keys.removeAll { $0.0 == key }
            builder.keys.append((key, value))
        }
    }

    @Test func `keys that are missing, wrong or unknown`() {
        #expect(complaint { _ in } == "none")
        #expect(
            complaint { $0.keys.removeFirst() }
                == "m.gguf: its metadata has no text general.architecture.")
        #expect(
            complaint(set("general.architecture", .text("mamba")))
                == "m.gguf: models of architecture \"mamba\" are not supported; supported are "
                + "gpt2, llama, qwen2, qwen3 (and Mistral and Mixtral, which call themselves "
                + "llama).")
        #expect(
            complaint { $0.keys.removeAll { $0.0 == "llama.block_count" } }
                == "m.gguf: its metadata has no llama.block_count.")
        #expect(
            complaint(set("llama.block_count", .text("1")))
                == "m.gguf: llama.block_count is a text, where a whole number was expected.")
        #expect(
            complaint(set("llama.attention.head_count", .uint32(0)))
                == "m.gguf: llama.attention.head_count is 0.")
        #expect(
            complaint(set("llama.attention.head_count_kv", .int32s([1, 2])))
                == "m.gguf: llama.attention.head_count_kv differs from layer to layer, which is "
                + "not supported.")
        #expect(
            complaint(set("llama.logit_scale", .float32(2)))
                == "m.gguf: its metadata has llama.logit_scale, which is not known here and could "
                + "change the model's numbers.")
        #expect(
            complaint(set("llama.rope.dimension_count", .uint32(1)))
                == "m.gguf: llama.rope.dimension_count is 1, and a head has 2 elements: the two "
                + "must be equal here.")
        #expect(
            complaint(set("general.type", .text("adapter")))
                == "m.gguf: it holds an adapter in llama.cpp's form, not a model; adapters load in "
                + "PEFT's form, a folder with adapter_config.json.")
        for (key, value) in [("block_count", 1 << 30), ("feed_forward_length", UInt32.max)] {
            #expect(complaint(set("llama.\(key)", .uint32(value))).contains("outside 1..."))
        }
    }

    @Test func `tensors that are missing, wrong or unknown`() {
        #expect(
            complaint { $0.tensors.removeAll { $0.name == "blk.0.attn_q.weight" } }
                == "m.gguf: it has no tensor \"blk.0.attn_q.weight\", which the model needs.")
        #expect(
            complaint { $0.tensors[5].shape = [2, 8] }
                == "m.gguf: tensor \"blk.0.attn_q.weight\" has shape [2, 8]; its metadata ask for "
                + "[4, 4].")
        #expect(
            complaint { $0.tensors.append(.init("blk.0.ssm_a", [1], [1])) }
                == "m.gguf: it holds a tensor \"blk.0.ssm_a\" that this kind of model does not "
                + "have.")
        #expect(
            complaint { $0.tensors[5].type = 39 }
                == "m.gguf: tensor \"blk.0.attn_q.weight\" is of type MXFP4, which is not "
                + "supported; supported are F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, "
                + "Q3_K, Q4_K, Q5_K, Q6_K.")
        #expect(
            complaint { $0.tensors.append(.init("rope_freqs.weight", [1], [3])) }
                .contains("scales the rotary embedding in another way"))
        // Without a head the embedding is the head.
        #expect(complaint { $0.tensors.removeAll { $0.name == "output.weight" } } == "none")
    }

    @Test func `any changed byte of a header gives a sentence or a model`() throws {
        let (builder, data) = (small(), small().data)
        for place in 0..<builder.header.count {
            for value: UInt8 in [1, 2, 0x10, 0x40, 0x80, 0xFF] {
                var changed = data
                changed[place] ^= value
                let found = sentence {
                    _ = try GGUFModel(GGUFFile(data: changed, file: "m.gguf")).load()
                }
                #expect(
                    found == "none" || found.hasPrefix("m.gguf"),
                    "byte \(place) ^ \(value): \(found)")
            }
        }
    }
}
