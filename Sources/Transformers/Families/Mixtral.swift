import JSON

/// Mixtral (Jiang et al., arXiv 2401.04088): Mistral's attention, and several feed-forward networks
/// in place of one. A router chooses a few of them for each token.
struct Mixtral: Family {
    let layout: ParameterLayout
    let embedding: TokenEmbedding
    let blocks: [Block<RotaryAttention, SparseExperts>]
    let finalNorm: Norm
    let head: Parameter

    // MARK: Keys

    static func read(_ keys: ConfigurationKeys) throws -> ModelConfiguration {
        var c = try RotaryConfiguration.read(
            keys,
            .init(normEpsilon: 1e-5, ropeTheta: 1e6, keyValueHeads: 8, context: 131_072))
        c.slidingWindow = try keys.optionalCount("sliding_window")
        c.experts = try keys.count("num_local_experts", default: 8, atMost: 4096)
        c.expertsPerToken = try keys.count("num_experts_per_tok", default: 2, atMost: 4096)
        guard c.layers.multiplied(c.experts) <= 1 << 16 else {
            throw keys.refusal(
                "\(c.layers) layers of \(c.experts) experts are more than any machine holds")
        }
        guard c.expertsPerToken <= c.experts else {
            throw keys.refusal(
                "\"num_experts_per_tok\" is \(c.expertsPerToken), of \(c.experts) experts")
        }
        return c
    }

    static func write(_ c: ModelConfiguration) -> [(String, JSON)] {
        RotaryConfiguration.write(
            c, architecture: "MixtralForCausalLM",
            more: [
                ("sliding_window", c.slidingWindow.map { .integer($0) } ?? .null),
                ("num_local_experts", .integer(c.experts)),
                ("num_experts_per_tok", .integer(c.expertsPerToken)),
            ])
    }

    // MARK: Names and shapes

    init(_ c: ModelConfiguration) {
        let (d, f) = (c.hiddenSize, c.feedForwardSize)
        var builder = LayoutBuilder(c)
        let rotary = RotaryTables(c)
        embedding = TokenEmbedding(
            table: builder.table("model.embed_tokens", rows: c.vocabularySize))
        blocks = (0..<c.layers).map { i in
            builder.begin(block: i, "model.layers.\(i).")
            return Block(
                attentionNorm: builder.rmsNorm("input_layernorm"),
                attention: builder.rotaryAttention(block: i, rotary),
                feedForwardNorm: builder.rmsNorm("post_attention_layernorm"),
                feedForward: SparseExperts(
                    router: builder.projection(
                        "block_sparse_moe.gate", from: d, to: c.experts, isAdaptable: false),
                    experts: (0..<c.experts).map { expert in
                        let name = "block_sparse_moe.experts.\(expert)"
                        return SparseExperts.Expert(
                            gate: builder.projection(name + ".w1", from: d, to: f),
                            up: builder.projection(name + ".w3", from: d, to: f),
                            down: builder.projection(
                                name + ".w2", from: f, to: d, residual: true))
                    },
                    chosen: c.expertsPerToken, width: f))
        }
        (finalNorm, head) = builder.finalNormAndHead(embedding)
        layout = builder.layout
    }
}
