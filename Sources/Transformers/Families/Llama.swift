import Layers
import Tensors

/// Llama (Touvron et al., arXiv 2302.13971 and 2307.09288): RMSNorm before each branch, rotary
/// embedding, grouped-query attention, SwiGLU, no biases.
struct Llama: Family {
    private struct Block: Sendable {
        let attentionNorm, query, key, value, output: Parameter
        let feedForwardNorm, gate, up, down: Parameter
    }

    let layout: ParameterLayout
    let head: Parameter
    let window: Int? = nil
    let activationWidth: Int
    private let embedding: Parameter
    private let blocks: [Block]
    private let finalNorm: Parameter
    private let norm: RMSNorm
    private let attention: Attention
    private let rotary: RotaryTables
    private let depth: Int
    private let deviation: Double

    // MARK: Names and shapes

    init(_ configuration: ModelConfiguration) throws {
        let c = configuration
        let (d, f) = (c.hiddenSize, c.feedForwardSize)
        let (queries, keys) = (c.heads * c.headSize, c.keyValueHeads * c.headSize)
        var layout = ParameterLayout()
        embedding = layout.add("model.embed_tokens.weight", [c.vocabularySize, d])
        blocks = (0..<c.layers).map { i in
            func add(_ name: String, _ shape: [Int]) -> Parameter {
                layout.add("model.layers.\(i).\(name).weight", shape)
            }
            return Block(
                attentionNorm: add("input_layernorm", [d]),
                query: add("self_attn.q_proj", [queries, d]),
                key: add("self_attn.k_proj", [keys, d]),
                value: add("self_attn.v_proj", [keys, d]),
                output: add("self_attn.o_proj", [d, queries]),
                feedForwardNorm: add("post_attention_layernorm", [d]),
                gate: add("mlp.gate_proj", [f, d]),
                up: add("mlp.up_proj", [f, d]),
                down: add("mlp.down_proj", [d, f]))
        }
        finalNorm = layout.add("model.norm.weight", [d])
        head = c.tiedHead ? embedding : layout.add("lm_head.weight", [c.vocabularySize, d])
        self.layout = layout
        norm = RMSNorm(epsilon: Float(c.normEpsilon))
        attention = Attention(heads: c.heads, keyHeads: c.keyValueHeads, size: c.headSize)
        rotary = RotaryTables(
            inverseFrequencies: Rotary.inverseFrequencies(
                theta: c.ropeTheta, headSize: c.headSize))
        activationWidth = 2 * d + 2 * queries + 2 * keys + 2 * f
        depth = c.layers
        deviation = c.initializerRange
    }

    func initialDeviation(_ parameter: Int) -> Double? {
        let entry = layout.entries[parameter]
        guard entry.shape.count == 2 else { return nil }
        // Branches that end in the residual stream start smaller the more of them there are.
        let residual =
            entry.name.hasSuffix("o_proj.weight") || entry.name.hasSuffix("down_proj.weight")
        return residual ? deviation / (2 * Double(depth)).squareRoot() : deviation
    }

    // MARK: Embedding

    func embed(_ tokens: [Int32], _ positions: [Int], _ weights: ParameterSet) -> Tensor {
        Embedding.forward(tokens, table: weights[embedding])
    }

    func embedBackward(
        _ dx: Tensor, _ tokens: [Int32], _ positions: [Int], into gradients: inout ParameterSet
    ) {
        Embedding.backward(dx, tokens, into: &gradients[embedding])
    }

    // MARK: A block

    struct Activations: Sendable {
        let input: Tensor  // (N, D)
        let query, key, value: Tensor  // rotated; (N, H · size), (N, K · size) twice
        let attended: Tensor  // (N, H · size)
        let middle: Tensor  // (N, D), after the attention branch
        let gate, up: Tensor  // (N, F)
    }

    func forward(
        block number: Int, _ x: Tensor, _ context: BlockContext, _ weights: ParameterSet
    ) -> (out: Tensor, activations: Activations) {
        let block = blocks[number]
        let rotary = rotary.covering(context.positions)

        let normed = norm.forward(x, weight: weights[block.attentionNorm])
        var query = Linear.forward(normed, weight: weights[block.query])
        var key = Linear.forward(normed, weight: weights[block.key])
        let value = Linear.forward(normed, weight: weights[block.value])
        rotary.forward(&query, positions: context.positions)
        rotary.forward(&key, positions: context.positions)
        let attended: Tensor
        if let cache = context.cache {
            cache.store(block: number, key, value)
            attended = attention.forward(
                query, cache.keys[number], cache.values[number], context.plan)
        } else {
            attended = attention.forward(query, key, value, context.plan)
        }
        var middle = x
        Linear.forward(attended, weight: weights[block.output], addingTo: &middle)

        let secondNormed = norm.forward(middle, weight: weights[block.feedForwardNorm])
        let gate = Linear.forward(secondNormed, weight: weights[block.gate])
        let up = Linear.forward(secondNormed, weight: weights[block.up])
        var out = middle
        Linear.forward(
            SwiGLU.forward(gate: gate, up: up), weight: weights[block.down], addingTo: &out)

        return (
            out,
            Activations(
                input: x, query: query, key: key, value: value, attended: attended,
                middle: middle, gate: gate, up: up)
        )
    }

    func backward(
        block number: Int, _ dy: Tensor, _ a: Activations, _ context: BlockContext,
        _ weights: ParameterSet, into gradients: inout ParameterSet
    ) -> Tensor {
        let block = blocks[number]
        let rotary = rotary.covering(context.positions)
        // The residual stream carries dy past both branches; each branch adds to it.
        var dx = dy

        // out = middle + silu(gate) · up  Wdownᵀ
        var (dgate, dup) = (a.gate, a.up)
        let activated = SwiGLU.forward(gate: a.gate, up: a.up)
        Linear.backwardWeight(dx, activated, into: &gradients[block.down])
        var dactivated = activated
        Linear.backwardInput(dx, weight: weights[block.down], into: &dactivated)
        SwiGLU.backward(dactivated, gate: &dgate, up: &dup)

        // gate, up = norm(middle) Wᵀ
        let secondNormed = norm.forward(a.middle, weight: weights[block.feedForwardNorm])
        Linear.backwardWeight(dgate, secondNormed, into: &gradients[block.gate])
        Linear.backwardWeight(dup, secondNormed, into: &gradients[block.up])
        var dnormed = secondNormed
        Linear.backwardInput(dgate, weight: weights[block.gate], into: &dnormed)
        Linear.backwardInput(dup, weight: weights[block.up], into: &dnormed, accumulate: true)
        norm.backward(
            dnormed, a.middle, weight: weights[block.feedForwardNorm], into: &dx,
            &gradients[block.feedForwardNorm])

        // middle = x + attended Woutᵀ
        Linear.backwardWeight(dx, a.attended, into: &gradients[block.output])
        var dattended = a.attended
        Linear.backwardInput(dx, weight: weights[block.output], into: &dattended)
        var (dquery, dkey, dvalue) = attention.backward(
            dattended, a.query, a.key, a.value, context.plan)
        rotary.backward(&dquery, positions: context.positions)
        rotary.backward(&dkey, positions: context.positions)

        // query, key, value = norm(x) Wᵀ
        let normed = norm.forward(a.input, weight: weights[block.attentionNorm])
        Linear.backwardWeight(dquery, normed, into: &gradients[block.query])
        Linear.backwardWeight(dkey, normed, into: &gradients[block.key])
        Linear.backwardWeight(dvalue, normed, into: &gradients[block.value])
        Linear.backwardInput(dquery, weight: weights[block.query], into: &dnormed)
        Linear.backwardInput(dkey, weight: weights[block.key], into: &dnormed, accumulate: true)
        Linear.backwardInput(
            dvalue, weight: weights[block.value], into: &dnormed, accumulate: true)
        norm.backward(
            dnormed, a.input, weight: weights[block.attentionNorm], into: &dx,
            &gradients[block.attentionNorm])
        return dx
    }

    // MARK: The end

    func finish(_ x: Tensor, _ weights: ParameterSet) -> Tensor {
        norm.forward(x, weight: weights[finalNorm])
    }

    func finishBackward(
        _ dy: Tensor, _ x: Tensor, _ weights: ParameterSet, into gradients: inout ParameterSet
    ) -> Tensor {
        var dx = Tensor(zeros: x.shape)
        norm.backward(dy, x, weight: weights[finalNorm], into: &dx, &gradients[finalNorm])
        return dx
    }
}
