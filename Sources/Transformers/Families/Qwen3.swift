import JSON

/// Qwen 3 (Yang et al., arXiv 2505.09388): Llama's architecture with a head size of its own, and a
/// norm on every head of queries and keys before the rotary embedding.
struct Qwen3: Family {
    let layout: ParameterLayout
    let embedding: TokenEmbedding
    let blocks: [Block<RotaryAttention, GatedFeedForward>]
    let finalNorm: Norm
    let head: Parameter

    // MARK: Keys

    static func read(_ keys: ConfigurationKeys) throws -> ModelConfiguration {
        var c = try RotaryConfiguration.read(
            keys, .init(keyValueHeads: 32, headSize: 128, context: 32_768))
        c.attentionBias = try keys.bool("attention_bias", default: false)
        try RotaryConfiguration.readSwitchedWindow(keys, into: &c)
        return c
    }

    static func write(_ c: ModelConfiguration) -> [(String, JSON)] {
        RotaryConfiguration.write(
            c, architecture: "Qwen3ForCausalLM",
            more: [("attention_bias", .bool(c.attentionBias))]
                + RotaryConfiguration.writeSwitchedWindow(c))
    }

    // MARK: Names and shapes

    init(_ c: ModelConfiguration) {
        var builder = LayoutBuilder(c)
        let rotary = RotaryTables(c)
        embedding = TokenEmbedding(
            table: builder.table("model.embed_tokens", rows: c.vocabularySize))
        blocks = (0..<c.layers).map { i in
            builder.begin(block: i, "model.layers.\(i).")
            return Block(
                attentionNorm: builder.rmsNorm("input_layernorm"),
                attention: builder.rotaryAttention(
                    block: i, rotary, bias: c.attentionBias, outputBias: c.attentionBias,
                    headNorms: true),
                feedForwardNorm: builder.rmsNorm("post_attention_layernorm"),
                feedForward: builder.gatedFeedForward())
        }
        (finalNorm, head) = builder.finalNormAndHead(embedding)
        layout = builder.layout
    }
}
