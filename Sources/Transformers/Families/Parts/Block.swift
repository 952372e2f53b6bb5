import Layers
import Tensors

/// Something between a norm and the residual stream: attention or a feed-forward network.
protocol Branch: Sendable {
    /// What the backward pass needs from the forward pass, beside the branch's input.
    associatedtype Activations: Sendable

    /// Floats that `Activations` hold for each row.
    var activationWidth: Int { get }

    /// Adds what the branch makes of x (N, D) to `out` (N, D); of a branch that mixes rows, `out` has
    /// the rows that are read behind the block alone, (M, D).
    func forward(
        _ x: Tensor, _ context: BlockContext, _ weights: ParameterSet, addingTo out: inout Tensor
    ) -> Activations

    /// dy, of the shape of `out` → dx (N, D); adds to the gradients.
    func backward(
        _ dy: Tensor, _ x: Tensor, _ activations: Activations, _ context: BlockContext,
        _ weights: ParameterSet, into gradients: inout ParameterSet
    ) -> Tensor
}

/// A block of a decoder with norms before its branches:
/// middle = x + mixing(norm(x)), out = middle + feedForward(norm(middle)).
struct Block<Mixing: Branch, FeedForward: Branch>: Sendable {
    let mixingNorm: Norm
    let mixing: Mixing
    let feedForwardNorm: Norm
    let feedForward: FeedForward

    struct Activations: Sendable {
        let input: Tensor  // (N, D)
        let mixing: Mixing.Activations
        let middle: Tensor  // (N, D) or (M, D), after the attention branch
        let feedForward: FeedForward.Activations
    }

    /// Floats that `Activations` hold for each row.
    var activationWidth: Int {
        2 * mixingNorm.width + mixing.activationWidth + feedForward.activationWidth
    }

    /// x (N, D) → (N, D), or (M, D) where only M rows are read behind this block.
    func forward(
        _ x: Tensor, _ context: BlockContext, _ weights: ParameterSet
    ) -> (out: Tensor, activations: Activations) {
        var middle = context.asked(of: x)
        let mixed = mixing.forward(
            mixingNorm.forward(x, weights), context, weights, addingTo: &middle)
        var out = middle
        let fed = feedForward.forward(
            feedForwardNorm.forward(middle, weights), context, weights, addingTo: &out)
        return (out, Activations(input: x, mixing: mixed, middle: middle, feedForward: fed))
    }

    /// dy (N, D), or (M, D) of the same rows → dx (N, D); adds to the gradients. The residual stream
    /// carries dy past both branches; each adds to it.
    func backward(
        _ dy: Tensor, _ a: Activations, _ context: BlockContext, _ weights: ParameterSet,
        into gradients: inout ParameterSet
    ) -> Tensor {
        var dx = dy
        // out = middle + feedForward(norm(middle)); normed rows are formed again, not kept.
        let dfed = feedForward.backward(
            dx, feedForwardNorm.forward(a.middle, weights), a.feedForward, context, weights,
            into: &gradients)
        feedForwardNorm.backward(dfed, a.middle, weights, into: &dx, &gradients)
        // middle = x + mixing(norm(x)), the rows that are read on
        let dmixed = mixing.backward(
            dx, mixingNorm.forward(a.input, weights), a.mixing, context, weights,
            into: &gradients)
        if let rows = context.rows {
            var all = Tensor(zeros: a.input.shape)
            Embedding.scatterAdd(dx, rows, into: &all)
            dx = all
        }
        mixingNorm.backward(dmixed, a.input, weights, into: &dx, &gradients)
        return dx
    }
}
