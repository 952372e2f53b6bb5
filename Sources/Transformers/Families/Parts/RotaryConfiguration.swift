import JSON

/// The keys that all families with rotary embedding and SwiGLU share.
enum RotaryConfiguration {
    /// The defaults of a family's reference code, for keys that a file leaves out.
    struct Defaults {
        var normEpsilon = 1e-6
        var ropeTheta = 10_000.0
        var keyValueHeads: Int?
        var headSize: Int?
        var context = 2048
    }

    static func read(_ keys: ConfigurationKeys, _ defaults: Defaults) throws -> ModelConfiguration {
        try keys.require("hidden_act", oneOf: ["silu"])
        let width = try keys.count("hidden_size")
        let heads = try keys.count("num_attention_heads", atMost: 1 << 16)
        // Newer files keep base frequency and scaling in one section.
        let rotary = try keys.section("rope_parameters")
        let theta = rotary?.value("rope_theta") == nil ? keys : rotary ?? keys
        var configuration = ModelConfiguration(
            hiddenSize: width, layers: try keys.count("num_hidden_layers", atMost: 4096),
            heads: heads,
            keyValueHeads: try keys.count(
                "num_key_value_heads", default: defaults.keyValueHeads ?? heads, atMost: 1 << 16),
            headSize: try keys.count(
                "head_dim", default: defaults.headSize ?? width / heads, atMost: 1 << 16),
            feedForwardSize: try keys.count("intermediate_size"),
            vocabularySize: try keys.count("vocab_size"),
            contextLength: try keys.count(
                "max_position_embeddings", default: defaults.context),
            normEpsilon: try keys.positive("rms_norm_eps", default: defaults.normEpsilon),
            ropeTheta: try theta.positive("rope_theta", default: defaults.ropeTheta),
            tiedHead: try keys.bool("tie_word_embeddings", default: false),
            initializerRange: try keys.number("initializer_range", default: 0.02),
            beginToken: try keys.tokens("bos_token_id").first,
            endTokens: try keys.tokens("eos_token_id"))
        if configuration.headSize % 2 != 0 {
            throw keys.refusal(
                "a head of \(configuration.headSize) elements cannot be rotated in pairs")
        }
        if try keys.number("partial_rotary_factor", default: 1) != 1 {
            throw keys.refusal(
                "\"partial_rotary_factor\" is not 1; heads that turn in part are not supported")
        }
        let type = try keys.text("rotary_dtype") ?? "float32"
        guard ["float32", "bfloat16"].contains(type) else {
            throw keys.refusal("\"rotary_dtype\" is \"\(type)\"; float32 and bfloat16 work")
        }
        configuration.roundsRotary = type == "bfloat16"
        if let scaling = try keys.section("rope_scaling") ?? rotary {
            configuration.ropeScaling = try readScaling(scaling, configuration.contextLength)
        }
        return configuration
    }

    private static func readScaling(
        _ keys: ConfigurationKeys, _ context: Int
    ) throws -> RopeScaling? {
        func factor() throws -> Double {
            let factor = try keys.positive("factor", default: nil)
            guard factor >= 1 else { throw keys.refusal("\"factor\" is \(factor), below 1") }
            return factor
        }
        let type = try keys.text("rope_type") ?? keys.text("type") ?? "default"
        switch type {
        case "default": return nil
        case "linear": return .linear(factor: try factor())
        case "dynamic": return .dynamic(factor: try factor())
        case "llama3":
            let (low, high) = (
                try keys.positive("low_freq_factor", default: nil),
                try keys.positive("high_freq_factor", default: nil)
            )
            guard low < high else {
                throw keys.refusal(
                    "\"low_freq_factor\" is \(low), not below \"high_freq_factor\", \(high)")
            }
            return .llama3(
                factor: try factor(), lowFrequency: low, highFrequency: high,
                original: try keys.count("original_max_position_embeddings", default: context))
        default:
            let known = RopeScaling.known.joined(separator: ", ")
            throw keys.refusal(
                "scaling the rotary embedding by type \"\(type)\" is not supported; "
                    + "\(known) are")
        }
    }

    /// The keys of a configuration, in the order of the hub's files.
    static func write(
        _ c: ModelConfiguration, architecture: String, more: [(String, JSON)] = []
    ) -> [(String, JSON)] {
        [
            ("architectures", .array([.string(architecture)])),
            ("bos_token_id", c.beginToken.map { .integer(Int($0)) } ?? .null),
            ("eos_token_id", tokens(c.endTokens)),
            ("head_dim", .integer(c.headSize)),
            ("hidden_act", .string("silu")),
            ("hidden_size", .integer(c.hiddenSize)),
            ("initializer_range", .double(c.initializerRange)),
            ("intermediate_size", .integer(c.feedForwardSize)),
            ("max_position_embeddings", .integer(c.contextLength)),
            ("model_type", .string(c.modelType)),
            ("num_attention_heads", .integer(c.heads)),
            ("num_hidden_layers", .integer(c.layers)),
            ("num_key_value_heads", .integer(c.keyValueHeads)),
            ("rms_norm_eps", .double(c.normEpsilon)),
            ("rope_scaling", scaling(c.ropeScaling)),
            ("rope_theta", .double(c.ropeTheta)),
            ("tie_word_embeddings", .bool(c.tiedHead)),
            ("vocab_size", .integer(c.vocabularySize)),
        ] + (c.roundsRotary ? [("rotary_dtype", .string("bfloat16"))] : []) + more
    }

    static func tokens(_ tokens: [Int32]) -> JSON {
        let items = tokens.map { JSON.integer(Int($0)) }
        return items.isEmpty ? .null : items.count == 1 ? items[0] : .array(items)
    }

    private static func scaling(_ scaling: RopeScaling?) -> JSON {
        func object(_ type: String, _ members: [(String, JSON)]) -> JSON {
            .object(
                ([("rope_type", .string(type))] + members).map { JSON.Member($0.0, $0.1) }
            )
        }
        return switch scaling {
        case nil: .null
        case .linear(let factor): object("linear", [("factor", .double(factor))])
        case .dynamic(let factor): object("dynamic", [("factor", .double(factor))])
        case .llama3(let factor, let low, let high, let original):
            object(
                "llama3",
                [
                    ("factor", .double(factor)), ("low_freq_factor", .double(low)),
                    ("high_freq_factor", .double(high)),
                    ("original_max_position_embeddings", .integer(original)),
                ])
        }
    }

    // MARK: - Sliding windows of some layers

    /// Qwen's sliding window: off unless a switch turns it on; then either for all layers from a
    /// given one upwards, or listed layer by layer.
    static func readSwitchedWindow(
        _ keys: ConfigurationKeys, into configuration: inout ModelConfiguration
    ) throws {
        guard try keys.bool("use_sliding_window", default: false) else { return }
        configuration.slidingWindow =
            try keys.value("sliding_window") == nil
            ? nil : keys.count("sliding_window")
        if let types = try keys.texts("layer_types") {
            let known = ["full_attention", "sliding_attention"]
            if let type = types.first(where: { !known.contains($0) }) {
                throw keys.refusal(
                    "\"layer_types\" names \"\(type)\"; full_attention and sliding_attention work")
            }
            guard types.count == configuration.layers else {
                throw keys.refusal(
                    "\"layer_types\" names \(types.count) layers of \(configuration.layers)")
            }
            configuration.windowedLayers = .listed(types.map { $0 == "sliding_attention" })
        } else {
            let first = try keys.number("max_window_layers", default: 28)
            guard let first = Int(exactly: first), first >= 0 else {
                throw keys.refusal("\"max_window_layers\" is \(first), not a number of layers")
            }
            configuration.windowedLayers = .from(first)
        }
    }

    static func writeSwitchedWindow(_ c: ModelConfiguration) -> [(String, JSON)] {
        let isWindowed = (0..<c.layers).map { c.window(layer: $0) != nil }
        return [
            ("use_sliding_window", .bool(c.slidingWindow != nil)),
            ("sliding_window", c.slidingWindow.map { .integer($0) } ?? .null),
            (
                "layer_types",
                .array(isWindowed.map { .string($0 ? "sliding_attention" : "full_attention") })
            ),
        ]
    }
}
