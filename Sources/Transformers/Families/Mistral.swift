import JSON

/// Mistral (Jiang et al., arXiv 2310.06825): Llama's architecture with a head size that may differ
/// from width / heads. Its first version has a sliding window in every layer.
struct Mistral: Family {
    let layout: ParameterLayout
    let embedding: TokenEmbedding
    let blocks: [Block<RotaryAttention, GatedFeedForward>]
    let finalNorm: Norm
    let head: Parameter

    // MARK: Keys

    static func read(_ keys: ConfigurationKeys) throws -> ModelConfiguration {
        var c = try RotaryConfiguration.read(
            keys, .init(keyValueHeads: 8, context: 131_072))
        // A missing key means 4,096; a model without a window has null.
        c.slidingWindow =
            keys.hasKey("sliding_window") ? try keys.optionalCount("sliding_window") : 4096
        // transformers reads a file with this key as its family `ministral`, which differs in that.
        if let windows = try RotaryConfiguration.readLayerTypes(keys, layers: c.layers) {
            c.windowedLayers = .listed(windows)
        }
        return c
    }

    static func write(_ c: ModelConfiguration) -> [(String, JSON)] {
        RotaryConfiguration.write(
            c, architecture: "MistralForCausalLM",
            more: [("sliding_window", c.slidingWindow.map { .integer($0) } ?? .null)]
                + (c.windowedLayers == .all ? [] : [RotaryConfiguration.writeLayerTypes(c)]))
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
                attention: builder.rotaryAttention(block: i, rotary),
                feedForwardNorm: builder.rmsNorm("post_attention_layernorm"),
                feedForward: builder.gatedFeedForward())
        }
        (finalNorm, head) = builder.finalNormAndHead(embedding)
        layout = builder.layout
    }
}
