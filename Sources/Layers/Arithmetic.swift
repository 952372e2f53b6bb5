import Tensors

/// The products of a model's layers: the one door between families and matrix kernels.
///
/// Every product with a weight matrix goes through a value of this type, which the weights of a
/// model carry (`ParameterSet.arithmetic`). Another precision is another value: it is handled in
/// this file, and no family or layer changes.
///
/// A weight W is stored (out, in), as in most checkpoints, or `transposed`, (in, out), as in
/// GPT-2's. Weights may be stored in 16 bits.
public struct Arithmetic: Sendable, Hashable {
    /// Products in float32, summed in float32, whatever the storage of the weights.
    public static let float32 = Arithmetic()

    private init() {}

    /// `out = x Wᵀ (+ out)`: x (N, in) → out (N, out).
    public func product(
        _ x: Tensor, _ weight: Tensor, transposed: Bool = false, into out: inout Tensor,
        accumulate: Bool = false
    ) {
        if transposed {
            multiply(x, weight, into: &out, accumulate: accumulate)
        } else {
            multiply(x, transposed: weight, into: &out, accumulate: accumulate)
        }
    }

    /// x W_iᵀ for several weights (out_i, in). With few rows this is faster than one by one.
    public func products(_ x: Tensor, _ weights: [Tensor]) -> [Tensor] {
        multiply(x, transposed: weights)
    }

    /// The gradient of the input, `dx = dy W (+ dx)`: dy (N, out) → dx (N, in).
    public func inputGradient(
        _ dy: Tensor, _ weight: Tensor, transposed: Bool = false, into dx: inout Tensor,
        accumulate: Bool = false
    ) {
        if transposed {
            multiply(dy, transposed: weight, into: &dx, accumulate: accumulate)
        } else {
            multiply(dy, weight, into: &dx, accumulate: accumulate)
        }
    }

    /// Accumulates the gradient of the weight, `dW += dyᵀ x`, or its transpose `dW += xᵀ dy`.
    public func addWeightGradient(
        _ dy: Tensor, _ x: Tensor, transposed: Bool = false, into dweight: inout Tensor
    ) {
        if transposed {
            multiply(transposed: x, dy, into: &dweight, accumulate: true)
        } else {
            multiply(transposed: dy, x, into: &dweight, accumulate: true)
        }
    }
}
