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
        // Two names of one function.
        try keys.require("hidden_act", oneOf: ["silu", "swish"])
        /// A family's default stands for a missing key alone: null derives the number from others.
        func missing(_ key: String, _ fallback: Int?) -> Int? {
            keys.hasKey(key) ? nil : fallback
        }
        let width = try keys.count("hidden_size")
        let heads = try keys.count("num_attention_heads", atMost: 1 << 16)
        let rotary = try rotarySection(keys)
        var configuration = ModelConfiguration(
            hiddenSize: width, layers: try keys.count("num_hidden_layers", atMost: 4096),
            heads: heads,
            keyValueHeads: try keys.count(
                "num_key_value_heads",
                default: missing("num_key_value_heads", defaults.keyValueHeads) ?? heads,
                atMost: 1 << 16),
            headSize: try keys.count(
                "head_dim", default: missing("head_dim", defaults.headSize) ?? width / heads,
                atMost: 1 << 16),
            feedForwardSize: try keys.count("intermediate_size"),
            vocabularySize: try keys.count("vocab_size"),
            contextLength: try keys.count(
                "max_position_embeddings", default: defaults.context),
            normEpsilon: try keys.positive("rms_norm_eps", default: defaults.normEpsilon),
            ropeTheta: try theta(keys, rotary) ?? defaults.ropeTheta,
            tiedHead: try keys.bool("tie_word_embeddings", default: false),
            initializerRange: try keys.number("initializer_range", default: 0.02),
            beginToken: try keys.tokens("bos_token_id").first,
            endTokens: try keys.tokens("eos_token_id"))
        if configuration.headSize % 2 != 0 {
            throw keys.refusal(
                "a head of \(configuration.headSize) elements cannot be rotated in pairs")
        }
        for keys in [keys, rotary].compactMap({ $0 })
        where try keys.number("partial_rotary_factor", default: 1) != 1 {
            throw keys.refusal(
                "\"partial_rotary_factor\" is not 1; heads that turn in part are not supported")
        }
        let type = try keys.text("rotary_dtype") ?? "float32"
        guard ["float32", "bfloat16"].contains(type) else {
            throw keys.refusal("\"rotary_dtype\" is \"\(type)\"; float32 and bfloat16 work")
        }
        configuration.roundsRotary = type == "bfloat16"
        if let rotary {
            configuration.ropeScaling = try RopeScaling(
                rotary, beside: keys, context: configuration.contextLength,
                headSize: configuration.headSize)
        }
        return configuration
    }

    /// The section that holds the scaling of the rotary embedding and, in newer files, its base:
    /// transformers 5 calls it `rope_parameters`, and takes `rope_scaling` for another name of it.
    private static func rotarySection(_ keys: ConfigurationKeys) throws -> ConfigurationKeys? {
        let (older, newer) = (
            try keys.section("rope_scaling"), try keys.section("rope_parameters")
        )
        if older != nil, newer != nil, keys.value("rope_scaling") != keys.value("rope_parameters") {
            try keys.refuse(
                contradiction:
                    "\"rope_scaling\" and \"rope_parameters\" differ, and programs disagree on which "
                    + "counts; remove one")
        }
        return older ?? newer
    }

    /// The base frequency, which may stand in the section or beside it.
    private static func theta(
        _ keys: ConfigurationKeys, _ rotary: ConfigurationKeys?
    ) throws -> Double? {
        let outer = try keys.optionalPositive("rope_theta")
        guard let inner = try rotary?.optionalPositive("rope_theta") else { return outer }
        if let outer, outer != inner, let rotary {
            try rotary.refuse(
                contradiction:
                    "\"rope_theta\" is \(inner), and beside this section it is \(outer); programs "
                    + "disagree on which counts; remove one")
        }
        return inner
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
            ("rope_scaling", c.ropeScaling?.json ?? .null),
            ("rope_theta", .double(c.ropeTheta)),
            ("tie_word_embeddings", .bool(c.tiedHead)),
            ("vocab_size", .integer(c.vocabularySize)),
        ] + (c.roundsRotary ? [("rotary_dtype", .string("bfloat16"))] : []) + more
    }

    static func tokens(_ tokens: [Int32]) -> JSON {
        let items = tokens.map { JSON.integer(Int($0)) }
        return items.isEmpty ? .null : items.count == 1 ? items[0] : .array(items)
    }

    // MARK: - Sliding windows of some layers

    /// Qwen's sliding window: off unless a switch turns it on; then either for all layers from a
    /// given one upwards, or listed layer by layer.
    static func readSwitchedWindow(
        _ keys: ConfigurationKeys, into configuration: inout ModelConfiguration
    ) throws {
        guard try keys.bool("use_sliding_window", default: false) else {
            keys.note("layer_types", "max_window_layers", "sliding_window")
            return
        }
        configuration.slidingWindow =
            try keys.value("sliding_window") == nil
            ? nil : keys.count("sliding_window")
        let first = try keys.number("max_window_layers", default: 28)
        if let windows = try readLayerTypes(keys, layers: configuration.layers) {
            configuration.windowedLayers = .listed(windows)
        } else {
            guard let first = Int(exactly: first), first >= 0 else {
                throw keys.refusal("\"max_window_layers\" is \(first), not a number of layers")
            }
            configuration.windowedLayers = .from(first)
        }
    }

    /// `layer_types`: for each layer whether it has the window; nil if the key is missing or null.
    static func readLayerTypes(_ keys: ConfigurationKeys, layers: Int) throws -> [Bool]? {
        guard let types = try keys.texts("layer_types") else { return nil }
        let known = ["full_attention", "sliding_attention"]
        if let type = types.first(where: { !known.contains($0) }) {
            throw keys.refusal(
                "\"layer_types\" names \"\(type)\"; full_attention and sliding_attention work")
        }
        guard types.count == layers else {
            throw keys.refusal("\"layer_types\" names \(types.count) layers of \(layers)")
        }
        return types.map { $0 == "sliding_attention" }
    }

    static func writeSwitchedWindow(_ c: ModelConfiguration) -> [(String, JSON)] {
        [
            ("use_sliding_window", .bool(c.slidingWindow != nil)),
            ("sliding_window", c.slidingWindow.map { .integer($0) } ?? .null),
            writeLayerTypes(c),
        ]
    }

    static func writeLayerTypes(_ c: ModelConfiguration) -> (String, JSON) {
        let types = (0..<c.layers).map {
            c.window(layer: $0) == nil ? "full_attention" : "sliding_attention"
        }
        return ("layer_types", .array(types.map { .string($0) }))
    }
}
