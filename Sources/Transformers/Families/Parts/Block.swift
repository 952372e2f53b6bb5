import Layers
import Tensors

/// The part of a block between a norm and the residual stream: attention or a feed-forward network.
protocol Sublayer: Sendable {
    /// The values that the backward pass needs from the forward pass, in addition to the sublayer's
    /// input.
    associatedtype Activations: Sendable

    /// Number of floats in `Activations` for each row.
    var activationWidth: Int { get }

    /// The projections that take x itself.
    var inputs: [Projection] { get }

    /// Adds the sublayer's output to the residual `out`. `x` is (N, D), `out` too; for attention in
    /// the last block `out` holds only the M requested rows, (M, D).
    func forward(
        _ x: Tensor, _ context: BlockContext, _ weights: ParameterSet, addingTo out: inout Tensor
    ) -> Activations

    /// dy, of the shape of `out` → dx (N, D). Accumulates the gradients of the parameters.
    func backward(
        _ dy: Tensor, _ x: Tensor, _ activations: Activations, _ context: BlockContext,
        _ weights: ParameterSet, into gradients: inout ParameterSet
    ) -> Tensor
}

/// Attention as a sublayer. An observer computes its probabilities from the kept queries and keys.
protocol SelfAttentionSublayer: Sublayer where Activations: QueriesAndKeys {
    var attention: Attention { get }
    /// With a window W, a query sees itself and the W − 1 positions before it; nil sees all.
    var window: Int? { get }
}

/// Queries (M, H · size) and keys (N, K · size), as their products enter the softmax.
protocol QueriesAndKeys {
    var query: Tensor { get }
    var key: Tensor { get }
}

/// A decoder block with a norm before each sublayer (pre-norm): afterAttention = x +
/// attention(norm(x)), out = afterAttention + feedForward(norm(afterAttention)).
struct Block<SelfAttention: Sublayer, FeedForward: Sublayer>: Sendable {
    let attentionNorm: Norm
    let attention: SelfAttention
    let feedForwardNorm: Norm
    let feedForward: FeedForward

    struct Activations: Sendable {
        let input: Tensor  // (N, D)
        let attention: SelfAttention.Activations
        let afterAttention: Tensor  // (N, D) or (M, D)
        let feedForward: FeedForward.Activations
    }

    /// Number of floats in `Activations` for each row.
    var activationWidth: Int {
        2 * attentionNorm.width + attention.activationWidth + feedForward.activationWidth
    }

    /// x (N, D) → (N, D), or (M, D) if only M rows are used after this block.
    func forward(
        _ x: Tensor, _ context: BlockContext, _ weights: ParameterSet
    ) -> (out: Tensor, activations: Activations) {
        var afterAttention = context.queryRows(of: x)
        let attended = attention.forward(
            attentionNorm.forward(x, weights, for: attention.inputs), context, weights,
            addingTo: &afterAttention)
        var out = afterAttention
        let fed = feedForward.forward(
            feedForwardNorm.forward(afterAttention, weights, for: feedForward.inputs), context,
            weights, addingTo: &out)
        return (
            out,
            Activations(
                input: x, attention: attended, afterAttention: afterAttention, feedForward: fed)
        )
    }

    /// dy (N, D), or (M, D) of the same rows → dx (N, D). Accumulates the gradients of the
    /// parameters. The residual stream carries dy past both sublayers, and each sublayer adds its
    /// own gradient to it.
    func backward(
        _ dy: Tensor, _ a: Activations, _ context: BlockContext, _ weights: ParameterSet,
        into gradients: inout ParameterSet
    ) -> Tensor {
        var dx = dy
        // out = afterAttention + feedForward(norm(afterAttention)). The norm is cheap: its output
        // is computed again instead of kept.
        let dfed = feedForward.backward(
            dx, feedForwardNorm.forward(a.afterAttention, weights, for: feedForward.inputs),
            a.feedForward, context, weights, into: &gradients)
        feedForwardNorm.backward(dfed, a.afterAttention, weights, into: &dx, &gradients)
        // afterAttention = x + attention(norm(x)), the requested rows
        let dattended = attention.backward(
            dx, attentionNorm.forward(a.input, weights, for: attention.inputs), a.attention,
            context, weights, into: &gradients)
        if let rows = context.rows {
            var all = Tensor(zeros: a.input.shape)
            all.scatterAdd(dx, toRows: rows)
            dx = all
        }
        attentionNorm.backward(dattended, a.input, weights, into: &dx, &gradients)
        return dx
    }
}
