import Layers
import Tensors

/// Grouped-query attention with a rotary embedding: the sublayer of every family but GPT-2's.
struct RotaryAttention: SelfAttentionSublayer {
    /// The number of its block; the cache uses it to find the block's keys and values.
    let block: Int
    let query, key, value, output: Projection
    /// Weights (size) of the norms of single heads, applied before the rotation; nil if the family
    /// has none.
    var headNorms: (query: Parameter, key: Parameter)?
    let window: Int?
    let norm: RMSNorm
    let attention: Attention
    let rotary: RotaryTables

    struct Activations: Sendable, QueriesAndKeys {
        let query, key, value: Tensor  // turned; (M, H · size), (N, K · size) twice
        let attended: Tensor  // (M, H · size)
        /// Queries and keys before the norms of single heads; nil if the family has none.
        let rawQuery, rawKey: Tensor?
    }

    var activationWidth: Int {
        let (queries, keys) = (
            attention.heads * attention.size, attention.keyHeads * attention.size
        )
        return 2 * queries + 2 * keys + (headNorms == nil ? 0 : queries + keys)
    }

    var inputs: [Projection] { [query, key, value] }

    func forward(
        _ x: Tensor, _ context: BlockContext, _ weights: ParameterSet, addingTo out: inout Tensor
    ) -> Activations {
        let rotary = rotary.covering(context.positions)
        // If queries have the same rows as keys and values, one product computes all three.
        let takesAllRows = context.rows == nil
        let all = Projection.forward(
            takesAllRows ? [key, value, query] : [key, value], x, weights)
        var turnedKey = all[0]
        let value = all[1]
        var turnedQuery = takesAllRows ? all[2] : query.forward(context.queryRows(of: x), weights)
        var (rawQuery, rawKey): (Tensor?, Tensor?)
        if let headNorms {
            (rawQuery, rawKey) = (turnedQuery, turnedKey)
            turnedQuery = normHeads(turnedQuery, headNorms.query, weights)
            turnedKey = normHeads(turnedKey, headNorms.key, weights)
        }
        rotary.forward(&turnedQuery, positions: context.queryPositions)
        rotary.forward(&turnedKey, positions: context.positions)
        let attended = output.operand(
            attention.forward(
                turnedQuery, turnedKey, value, context, block: block, window: window,
                weights.arithmetic), weights)
        output.forward(attended, weights, addingTo: &out)
        return Activations(
            query: turnedQuery, key: turnedKey, value: value, attended: attended,
            rawQuery: rawQuery, rawKey: rawKey)
    }

    func backward(
        _ dy: Tensor, _ x: Tensor, _ a: Activations, _ context: BlockContext,
        _ weights: ParameterSet, into gradients: inout ParameterSet
    ) -> Tensor {
        let rotary = rotary.covering(context.positions)
        // y = attended Woutᵀ
        var dattended = Tensor(uninitialized: a.attended.shape)
        output.backward(dy, a.attended, weights, into: &gradients, input: &dattended)
        var (dquery, dkey, dvalue) = attention.backward(
            dattended, a.query, a.key, a.value, context.plan(window: window), weights.arithmetic)
        rotary.backward(&dquery, positions: context.queryPositions)
        rotary.backward(&dkey, positions: context.positions)
        if let headNorms {
            normHeadsBackward(&dquery, a.rawQuery, headNorms.query, weights, &gradients)
            normHeadsBackward(&dkey, a.rawKey, headNorms.key, weights, &gradients)
        }
        // query, key, value = x Wᵀ + b
        var dx = Tensor(uninitialized: x.shape)
        if let rows = context.rows {
            Projection.backward(
                [key, value], [dkey, dvalue], x, weights, into: &gradients, input: &dx)
            var dqueryRows = Tensor(uninitialized: [rows.count, x.columns])
            query.backward(
                dquery, context.queryRows(of: x), weights, into: &gradients, input: &dqueryRows)
            dx.scatterAdd(dqueryRows, toRows: rows)
        } else {
            Projection.backward(
                [key, value, query], [dkey, dvalue, dquery], x, weights, into: &gradients,
                input: &dx)
        }
        return dx
    }

    /// x (N, heads · size); every head is normalized on its own.
    private func normHeads(
        _ x: Tensor, _ parameter: Parameter, _ weights: ParameterSet
    ) -> Tensor {
        let heads = x.reshaped([x.count / attention.size, attention.size])
        return norm.forward(heads, weight: weights[parameter]).reshaped(x.shape)
    }

    /// Computes the gradient of the heads before the norm from the gradient after it.
    private func normHeadsBackward(
        _ dy: inout Tensor, _ raw: Tensor?, _ parameter: Parameter, _ weights: ParameterSet,
        _ gradients: inout ParameterSet
    ) {
        guard let raw else { return }
        let shape = [raw.count / attention.size, attention.size]
        var dx = Tensor(zeros: shape)
        norm.backward(
            dy.reshaped(shape), raw.reshaped(shape), parameter, weights, into: &dx, &gradients)
        dy = dx.reshaped(raw.shape)
    }
}

extension Attention {
    /// Attention among a batch's own rows, or over a cache to which these rows are added first.
    func forward(
        _ query: Tensor, _ key: Tensor, _ value: Tensor, _ context: BlockContext, block: Int,
        window: Int?, _ arithmetic: Arithmetic
    ) -> Tensor {
        let plan = context.plan(window: window)
        guard let cache = context.cache else { return forward(query, key, value, plan) }
        cache.store(block: block, key, value)
        let rows = cache.rows(block: block)
        return forward(query, rows.keys, rows.values, plan, arithmetic)
    }
}
