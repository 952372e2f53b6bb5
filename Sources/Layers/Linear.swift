import Tensors

/// y = x Wᵀ + b, with W (out, in) and b (out) or none.
public enum Linear {
    /// x (N, in) → (N, out).
    public static func forward(_ x: Tensor, weight: Tensor, bias: Tensor? = nil) -> Tensor {
        var out = Tensor(uninitialized: [x.rows, weight.rows])
        multiply(x, transposed: weight, into: &out)
        bias?.add(toRowsOf: &out)
        return out
    }

    /// Several layers on the same x.
    public static func forward(_ x: Tensor, weights: [Tensor], biases: [Tensor?]) -> [Tensor] {
        var outs = multiply(x, transposed: weights)
        for i in outs.indices { biases[i]?.add(toRowsOf: &outs[i]) }
        return outs
    }

    /// out += x Wᵀ + b: the layer at the end of a sublayer, added to the residual stream.
    public static func forward(
        _ x: Tensor, weight: Tensor, bias: Tensor? = nil, addingTo out: inout Tensor
    ) {
        multiply(x, transposed: weight, into: &out, accumulate: true)
        bias?.add(toRowsOf: &out)
    }

    /// The gradient of the input, `dx (+)= dy W`.
    public static func backwardInput(
        _ dy: Tensor, weight: Tensor, into dx: inout Tensor, accumulate: Bool = false
    ) {
        multiply(dy, weight, into: &dx, accumulate: accumulate)
    }

    /// The gradient of the weight, `dW += dyᵀ x`.
    public static func backwardWeight(_ dy: Tensor, _ x: Tensor, into dweight: inout Tensor) {
        multiply(transposed: dy, x, into: &dweight, accumulate: true)
    }

    /// The gradient of the bias, `db += Σ_rows dy`.
    public static func backwardBias(_ dy: Tensor, into dbias: inout Tensor) {
        let (source, target, width) = (dy.pointer, dbias.mutablePointer(), dy.columns)
        for row in 0..<dy.rows { accumulate(target, 1, source + row * width, width) }
    }
}
