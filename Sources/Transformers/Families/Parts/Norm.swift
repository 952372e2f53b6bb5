import Layers
import NumberTypes
import Tensors

/// A norm with its parameters.
enum Norm: Sendable {
    case rms(RMSNorm, weight: Parameter, width: Int)
    case layer(LayerNorm, weight: Parameter, bias: Parameter, width: Int)

    var width: Int {
        switch self {
        case .rms(_, _, let width), .layer(_, _, _, let width): width
        }
    }

    /// x (N, D) → (N, D), in the format that these projections take.
    func forward(
        _ x: Tensor, _ weights: ParameterSet, for projections: [Projection]
    ) -> Tensor {
        forward(x, weights, as: weights.operandFormat(of: projections, rows: x.rows))
    }

    /// x (N, D) → (N, D), as float32 or bfloat16.
    func forward(
        _ x: Tensor, _ weights: ParameterSet, as format: StoredFormat = .float32
    ) -> Tensor {
        switch self {
        case .rms(let norm, let weight, _):
            norm.forward(x, weight: weights[weight], as: format)
        case .layer(let norm, let weight, let bias, _):
            norm.forward(x, weight: weights[weight], bias: weights[bias], as: format)
        }
    }

    /// Accumulates the gradients of the input, into dx (N, D), and of the parameters.
    func backward(
        _ dy: Tensor, _ x: Tensor, _ weights: ParameterSet, into dx: inout Tensor,
        _ gradients: inout ParameterSet
    ) {
        switch self {
        case .rms(let norm, let weight, _):
            norm.backward(dy, x, weight, weights, into: &dx, &gradients)
        case .layer(let norm, let weight, let bias, _):
            var dweight = gradients.take(weight) ?? Tensor(zeros: [width])
            var dbias = gradients.take(bias) ?? Tensor(zeros: [width])
            norm.backward(dy, x, weight: weights[weight], into: &dx, &dweight, &dbias)
            gradients.put(dweight, weight)
            gradients.put(dbias, bias)
        }
    }
}

extension RMSNorm {
    /// Accumulates the gradients of the input, into dx, and of the weight, if it trains. The
    /// weight's gradient falls off while dx is computed, so a frozen weight saves nothing here.
    func backward(
        _ dy: Tensor, _ x: Tensor, _ weight: Parameter, _ weights: ParameterSet,
        into dx: inout Tensor, _ gradients: inout ParameterSet
    ) {
        var dweight = gradients.take(weight) ?? Tensor(zeros: weights[weight].shape)
        backward(dy, x, weight: weights[weight], into: &dx, &dweight)
        gradients.put(dweight, weight)
    }
}
