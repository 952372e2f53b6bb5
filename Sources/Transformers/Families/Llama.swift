import JSON

/// Llama (Touvron et al., arXiv 2302.13971 and 2307.09288; Llama 3, arXiv 2407.21783): RMSNorm
/// before each sublayer, rotary embedding, grouped-query attention, SwiGLU; biases where a file
/// asks for them.
struct Llama: Family {
    let layout: ParameterLayout
    let embedding: TokenEmbedding
    let blocks: [Block<RotaryAttention, GatedFeedForward>]
    let finalNorm: Norm
    let head: Parameter

    // MARK: Keys

    static func read(_ keys: ConfigurationKeys) throws -> ModelConfiguration {
        var c = try RotaryConfiguration.read(keys, .init())
        c.attentionBias = try keys.bool("attention_bias", default: false)
        c.feedForwardBias = try keys.bool("mlp_bias", default: false)
        return c
    }

    static func write(_ c: ModelConfiguration) -> [(String, JSON)] {
        RotaryConfiguration.write(
            c, architecture: "LlamaForCausalLM",
            more: [
                ("attention_bias", .bool(c.attentionBias)), ("mlp_bias", .bool(c.feedForwardBias)),
            ])
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
                    block: i, rotary, bias: c.attentionBias, outputBias: c.attentionBias),
                feedForwardNorm: builder.rmsNorm("post_attention_layernorm"),
                feedForward: builder.gatedFeedForward(bias: c.feedForwardBias))
        }
        (finalNorm, head) = builder.finalNormAndHead(embedding)
        layout = builder.layout
    }
}
