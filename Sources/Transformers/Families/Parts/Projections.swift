import Layers
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

    /// x (N, D) → (N, D)
    func forward(_ x: Tensor, _ weights: ParameterSet) -> Tensor {
        switch self {
        case .rms(let norm, let weight, _): norm.forward(x, weight: weights[weight])
        case .layer(let norm, let weight, let bias, _):
            norm.forward(x, weight: weights[weight], bias: weights[bias])
        }
    }

    /// Adds to dx (N, D) and to the gradients.
    func backward(
        _ dy: Tensor, _ x: Tensor, _ weights: ParameterSet, into dx: inout Tensor,
        _ gradients: inout ParameterSet
    ) {
        switch self {
        case .rms(let norm, let weight, _):
            norm.backward(dy, x, weight: weights[weight], into: &dx, &gradients[weight])
        case .layer(let norm, let weight, let bias, _):
            // Swift cannot pass two tensors of one set as inout at the same time.
            var dbias = Tensor(zeros: [width])
            norm.backward(
                dy, x, weight: weights[weight], into: &dx, &gradients[weight], &dbias)
            gradients[bias].add(dbias)
        }
    }
}

/// A linear layer with its parameters; weight (out, in).
struct Projection: Sendable {
    let weight: Parameter
    let bias: Parameter?

    /// x (N, in) → (N, out)
    func forward(_ x: Tensor, _ weights: ParameterSet) -> Tensor {
        Linear.forward(x, weight: weights[weight], bias: bias.map { weights[$0] })
    }

    func forward(_ x: Tensor, _ weights: ParameterSet, addingTo out: inout Tensor) {
        Linear.forward(
            x, weight: weights[weight], bias: bias.map { weights[$0] }, addingTo: &out)
    }

    /// Several projections of the same x.
    static func forward(
        _ projections: [Projection], _ x: Tensor, _ weights: ParameterSet
    ) -> [Tensor] {
        Linear.forward(
            x, weights: projections.map { weights[$0.weight] },
            biases: projections.map { $0.bias.map { weights[$0] } })
    }

    /// Adds to the gradients of weight and bias.
    func backwardParameters(_ dy: Tensor, _ x: Tensor, into gradients: inout ParameterSet) {
        Linear.backwardWeight(dy, x, into: &gradients[weight])
        if let bias { Linear.backwardBias(dy, into: &gradients[bias]) }
    }

    /// dy (N, out) → dx (N, in), written or added.
    func backwardInput(
        _ dy: Tensor, _ weights: ParameterSet, into dx: inout Tensor, accumulate: Bool = false
    ) {
        Linear.backwardInput(dy, weight: weights[weight], into: &dx, accumulate: accumulate)
    }
}

/// The embedding: token ids to rows, with a table of positions if the family learns positions.
struct TokenEmbedding: Sendable {
    let table: Parameter
    var positions: Parameter?

    /// tokens (N) → (N, D)
    func forward(_ tokens: [Int32], _ places: [Int], _ weights: ParameterSet) -> Tensor {
        var x = Embedding.forward(tokens, table: weights[table])
        if let positions { x.add(Embedding.gather(places, from: weights[positions])) }
        return x
    }

    func backward(
        _ dx: Tensor, _ tokens: [Int32], _ places: [Int], into gradients: inout ParameterSet
    ) {
        Embedding.backward(dx, tokens, into: &gradients[table])
        if let positions { Embedding.scatterAdd(dx, places, into: &gradients[positions]) }
    }
}
