import Tensors

/// y = x Wᵀ + b, with W (out, in) and b (out) or none. With `transposed`, W is stored (in, out), as
/// GPT-2's "Conv1D" layers store it.
public enum Linear {
    /// x (N, in) → (N, out).
    public static func forward(
        _ x: Tensor, weight: Tensor, bias: Tensor? = nil, transposed: Bool = false,
        _ arithmetic: Arithmetic = .float32
    ) -> Tensor {
        var out = Tensor(uninitialized: [x.rows, transposed ? weight.columns : weight.rows])
        arithmetic.product(x, weight, transposed: transposed, into: &out)
        if let bias { out.addToRows(bias) }
        return out
    }

    /// Several layers on the same x; weights (out, in).
    public static func forward(
        _ x: Tensor, weights: [Tensor], biases: [Tensor?], _ arithmetic: Arithmetic = .float32
    ) -> [Tensor] {
        var outs = arithmetic.products(x, weights)
        for i in outs.indices { if let bias = biases[i] { outs[i].addToRows(bias) } }
        return outs
    }

    /// out += x Wᵀ + b: the layer at the end of a sublayer, which adds to the residual stream.
    public static func forward(
        _ x: Tensor, weight: Tensor, bias: Tensor? = nil, transposed: Bool = false,
        addingTo out: inout Tensor, _ arithmetic: Arithmetic = .float32
    ) {
        arithmetic.product(x, weight, transposed: transposed, into: &out, accumulate: true)
        if let bias { out.addToRows(bias) }
    }

    /// The gradient of the input, `dx (+)= dy W`.
    public static func backwardInput(
        _ dy: Tensor, weight: Tensor, transposed: Bool = false, into dx: inout Tensor,
        accumulate: Bool = false, _ arithmetic: Arithmetic = .float32
    ) {
        arithmetic.inputGradient(
            dy, weight, transposed: transposed, into: &dx, accumulate: accumulate)
    }

    /// The gradient of the weight, `dW += dyᵀ x`.
    public static func backwardWeight(
        _ dy: Tensor, _ x: Tensor, transposed: Bool = false, into dweight: inout Tensor,
        _ arithmetic: Arithmetic = .float32
    ) {
        arithmetic.addWeightGradient(dy, x, transposed: transposed, into: &dweight)
    }

    /// The gradients of several weights on the same x, `dW_i += dy_iᵀ x`.
    public static func backwardWeights(
        _ dys: [Tensor], _ x: Tensor, into dweights: inout [Tensor],
        _ arithmetic: Arithmetic = .float32
    ) {
        arithmetic.addWeightGradients(dys, x, into: &dweights)
    }

    /// The gradient of the bias, `db += Σ_rows dy`.
    public static func backwardBias(_ dy: Tensor, into dbias: inout Tensor) {
        dbias.addSumOfRows(of: dy)
    }
}
