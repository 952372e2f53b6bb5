import JSON

/// Qwen 2 and 2.5 (Yang et al., arXiv 2407.10671 and 2412.15115): Llama's architecture with biases
/// on queries, keys and values; small models share embedding and head.
struct Qwen2: Family {
    let layout: ParameterLayout
    let embedding: TokenEmbedding
    let blocks: [Block<RotaryAttention, GatedFeedForward>]
    let finalNorm: Norm
    let head: Parameter

    // MARK: Keys

    static func read(_ keys: ConfigurationKeys) throws -> ModelConfiguration {
        var c = try RotaryConfiguration.read(keys, .init(keyValueHeads: 32, context: 32_768))
        c.attentionBias = true
        try RotaryConfiguration.readSwitchedWindow(keys, into: &c)
        return c
    }

    static func write(_ c: ModelConfiguration) -> [(String, JSON)] {
        RotaryConfiguration.write(
            c, architecture: "Qwen2ForCausalLM",
            more: RotaryConfiguration.writeSwitchedWindow(c))
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
                attention: builder.rotaryAttention(block: i, rotary, bias: true),
                feedForwardNorm: builder.rmsNorm("post_attention_layernorm"),
                feedForward: builder.gatedFeedForward())
        }
        (finalNorm, head) = builder.finalNormAndHead(embedding)
        layout = builder.layout
    }
}
