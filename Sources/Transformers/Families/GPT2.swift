import JSON
import Layers
import Tensors

/// GPT-2 (Radford et al., 2019): LayerNorm before each sublayer, learned positions, queries, keys
/// and values from one matrix, GELU, biases everywhere, the head tied to the embedding. Its files
/// hold the matrices of its sublayers transposed, (in, out).
struct GPT2: Family {
    let layout: ParameterLayout
    let embedding: TokenEmbedding
    let blocks: [Block<FusedAttention, PlainFeedForward>]
    let finalNorm: Norm
    let head: Parameter

    // MARK: Keys

    static func read(_ keys: ConfigurationKeys) throws -> ModelConfiguration {
        try keys.require("activation_function", oneOf: ["gelu_new", "gelu_pytorch_tanh"])
        try keys.require("scale_attn_weights", is: true)
        try keys.require("scale_attn_by_inverse_layer_idx", is: false)
        try keys.require("add_cross_attention", is: false)
        let width = try keys.count("n_embd", default: 768)
        let heads = try keys.count("n_head", default: 12, atMost: 1 << 16)
        guard width % heads == 0 else {
            throw keys.refusal("\(heads) heads cannot share a width of \(width) evenly")
        }
        return ModelConfiguration(
            hiddenSize: width, layers: try keys.count("n_layer", default: 12, atMost: 4096),
            heads: heads, feedForwardSize: try keys.count("n_inner", default: 4 * width),
            vocabularySize: try keys.count("vocab_size", default: 50_257),
            contextLength: try keys.count("n_positions", default: 1024),
            normEpsilon: try keys.positive("layer_norm_epsilon", default: 1e-5),
            attentionBias: true, feedForwardBias: true,
            tiedHead: try keys.bool("tie_word_embeddings", default: true),
            initializerRange: try keys.number("initializer_range", default: 0.02),
            beginToken: try keys.tokens("bos_token_id").first,
            endTokens: try keys.tokens("eos_token_id"))
    }

    static func write(_ c: ModelConfiguration) -> [(String, JSON)] {
        [
            ("activation_function", .string("gelu_new")),
            ("architectures", .array([.string("GPT2LMHeadModel")])),
            ("bos_token_id", c.beginToken.map { .integer(Int($0)) } ?? .null),
            ("eos_token_id", RotaryConfiguration.tokens(c.endTokens)),
            ("initializer_range", .double(c.initializerRange)),
            ("layer_norm_epsilon", .double(c.normEpsilon)),
            ("model_type", .string(c.modelType)),
            ("n_embd", .integer(c.hiddenSize)),
            ("n_head", .integer(c.heads)),
            (
                "n_inner",
                c.feedForwardSize == 4 * c.hiddenSize ? .null : .integer(c.feedForwardSize)
            ),
            ("n_layer", .integer(c.layers)),
            ("n_positions", .integer(c.contextLength)),
            ("tie_word_embeddings", .bool(c.tiedHead)),
            ("vocab_size", .integer(c.vocabularySize)),
        ]
    }

    // MARK: Names and shapes

    init(_ c: ModelConfiguration) {
        let (d, f) = (c.hiddenSize, c.feedForwardSize)
        var builder = LayoutBuilder(c)
        let table = builder.table("transformer.wte", rows: c.vocabularySize)
        embedding = TokenEmbedding(
            table: table, positions: builder.table("transformer.wpe", rows: c.contextLength))
        blocks = (0..<c.layers).map { i in
            builder.begin(block: i, "transformer.h.\(i).")
            return Block(
                attentionNorm: builder.layerNorm("ln_1"),
                attention: FusedAttention(
                    block: i, fused: builder.transposed("attn.c_attn", from: d, to: 3 * d),
                    output: builder.transposed("attn.c_proj", from: d, to: d, residual: true),
                    attention: Attention(heads: c.heads, keyHeads: c.heads, size: d / c.heads)),
                feedForwardNorm: builder.layerNorm("ln_2"),
                feedForward: PlainFeedForward(
                    up: builder.transposed("mlp.c_fc", from: d, to: f),
                    down: builder.transposed("mlp.c_proj", from: f, to: d, residual: true)))
        }
        builder.beginHead()
        finalNorm = builder.layerNorm("transformer.ln_f")
        head = c.tiedHead ? table : builder.table("lm_head", rows: c.vocabularySize)
        layout = builder.layout
    }
}

extension LayoutBuilder {
    /// A linear layer with a bias whose weight is stored (in, out).
    fileprivate mutating func transposed(
        _ name: String, from inputs: Int, to outputs: Int, residual: Bool = false
    ) -> Projection {
        projection(
            name, from: inputs, to: outputs, bias: true, residual: residual, transposed: true)
    }
}

/// Attention whose queries, keys and values come from one product. It has no rotary embedding: the
/// positions are part of its input.
struct FusedAttention: SelfAttentionSublayer {
    let block: Int
    let fused, output: Projection
    let attention: Attention
    var window: Int? { nil }

    struct Activations: Sendable, QueriesAndKeys {
        let query, attended: Tensor  // (M, D)
        let key, value: Tensor  // (N, D)
    }

    var activationWidth: Int { 4 * attention.heads * attention.size }

    var inputs: [Projection] { [fused] }

    func forward(
        _ x: Tensor, _ context: BlockContext, _ weights: ParameterSet, addingTo out: inout Tensor
    ) -> Activations {
        let parts = fused.forward(x, weights).splitColumns(3)
        let query = context.queryRows(of: parts[0])
        let attended = output.operand(
            attention.forward(
                query, parts[1], parts[2], context, block: block, window: nil,
                weights.arithmetic), weights)
        output.forward(attended, weights, addingTo: &out)
        return Activations(query: query, attended: attended, key: parts[1], value: parts[2])
    }

    func backward(
        _ dy: Tensor, _ x: Tensor, _ a: Activations, _ context: BlockContext,
        _ weights: ParameterSet, into gradients: inout ParameterSet
    ) -> Tensor {
        // y = attended Wout + b
        var dattended = Tensor(uninitialized: a.attended.shape)
        output.backward(dy, a.attended, weights, into: &gradients, input: &dattended)
        var (dquery, dkey, dvalue) = attention.backward(
            dattended, a.query, a.key, a.value, context.plan(window: nil), weights.arithmetic)
        if let rows = context.rows {
            var all = Tensor(zeros: dkey.shape)
            all.scatterAdd(dquery, toRows: rows)
            dquery = all
        }
        // query, key, value side by side = x W + b
        let dfused = Tensor.joiningColumns([dquery, dkey, dvalue])
        var dx = Tensor(uninitialized: x.shape)
        fused.backward(dfused, x, weights, into: &gradients, input: &dx)
        return dx
    }
}

/// y = gelu(x Wup + b) Wdown + b
struct PlainFeedForward: Sublayer {
    let up, down: Projection

    struct Activations: Sendable {
        let raised: Tensor  // (N, F)
    }

    var activationWidth: Int { up.width }

    var inputs: [Projection] { [up] }

    func forward(
        _ x: Tensor, _ context: BlockContext, _ weights: ParameterSet, addingTo out: inout Tensor
    ) -> Activations {
        let raised = up.forward(x, weights)
        let format = weights.operandFormat(of: [down], rows: x.rows)
        down.forward(GELU.forward(raised, as: format), weights, addingTo: &out)
        return Activations(raised: raised)
    }

    func backward(
        _ dy: Tensor, _ x: Tensor, _ a: Activations, _ context: BlockContext,
        _ weights: ParameterSet, into gradients: inout ParameterSet
    ) -> Tensor {
        // y = gelu(raised) Wdown + b
        var dactivated = Tensor(uninitialized: a.raised.shape)
        let format = weights.operandFormat(of: [down], rows: x.rows)
        down.backward(
            dy, GELU.forward(a.raised, as: format), weights, into: &gradients, input: &dactivated)
        var draised = a.raised
        GELU.backward(dactivated, &draised)
        // raised = x Wup + b
        var dx = Tensor(uninitialized: x.shape)
        up.backward(draised, x, weights, into: &gradients, input: &dx)
        return dx
    }
}
