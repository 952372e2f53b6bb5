import Tensors

/// A low-rank addition to a linear layer (LoRA: Hu et al., arXiv 2106.09685):
/// y += s · (x Aᵀ) Bᵀ with A (r, in), B (out, r) and a constant scale s.
///
/// The rank r is small, so x Aᵀ (N, r) is computed again in the backward pass and not kept.
public enum LowRank {
    /// out (N, out) += s · (x Aᵀ) Bᵀ, for x (N, in).
    public static func forward(
        _ x: Tensor, a: Tensor, b: Tensor, scale: Float, addingTo out: inout Tensor,
        _ arithmetic: Arithmetic = .float32
    ) {
        let hidden = reduced(x, a, scale, arithmetic)
        arithmetic.product(hidden, b, into: &out, accumulate: true)
    }

    /// The gradient of x Aᵀ, s · dy B: (N, r).
    public static func hiddenGradient(
        _ dy: Tensor, b: Tensor, scale: Float, _ arithmetic: Arithmetic = .float32
    ) -> Tensor {
        var dhidden = Tensor(uninitialized: [dy.rows, b.columns])
        arithmetic.inputGradient(dy, b, into: &dhidden)
        dhidden.scale(by: scale)
        return dhidden
    }

    /// dx += dhidden A.
    public static func backwardInput(
        _ dhidden: Tensor, a: Tensor, into dx: inout Tensor, _ arithmetic: Arithmetic = .float32
    ) {
        arithmetic.inputGradient(dhidden, a, into: &dx, accumulate: true)
    }

    /// dA += dhiddenᵀ x.
    public static func backwardA(
        _ dhidden: Tensor, _ x: Tensor, into da: inout Tensor, _ arithmetic: Arithmetic = .float32
    ) {
        arithmetic.addWeightGradient(dhidden, x, into: &da)
    }

    /// dB += s · dyᵀ (x Aᵀ).
    public static func backwardB(
        _ dy: Tensor, _ x: Tensor, a: Tensor, scale: Float, into db: inout Tensor,
        _ arithmetic: Arithmetic = .float32
    ) {
        arithmetic.addWeightGradient(dy, reduced(x, a, scale, arithmetic), into: &db)
    }

    /// s · x Aᵀ: (N, r)
    private static func reduced(
        _ x: Tensor, _ a: Tensor, _ scale: Float, _ arithmetic: Arithmetic
    ) -> Tensor {
        var hidden = Tensor(uninitialized: [x.rows, a.rows])
        arithmetic.product(x, a, into: &hidden)
        hidden.scale(by: scale)
        return hidden
    }
}
