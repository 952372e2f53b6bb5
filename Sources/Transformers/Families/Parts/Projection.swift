import Layers
import NumberTypes
import Tensors

/// A linear layer with its parameters, and a low-rank adapter where one is trained beside it.
///
/// The weight is (out, in), or (in, out) if `isTransposed`. Gradients are formed only for
/// parameters that the gradient set holds, so a frozen weight costs no product in the backward
/// pass.
struct Projection: Sendable {
    let weight: Parameter
    let bias: Parameter?
    var isTransposed = false
    var adapter: Adapter?
    /// out
    let width: Int

    /// x (N, in) in the format that the product with the weight takes.
    func operand(_ x: Tensor, _ weights: ParameterSet) -> Tensor {
        x.converted(to: weights.operandFormat(of: [self], rows: x.rows))
    }

    /// x (N, in) → (N, out)
    func forward(_ x: Tensor, _ weights: ParameterSet) -> Tensor {
        var out = Linear.forward(
            x, weight: weights[weight], bias: bias.map { weights[$0] }, transposed: isTransposed,
            weights.arithmetic)
        adapter?.forward(x, weights, addingTo: &out)
        return out
    }

    /// out (N, out) += the layer's output.
    func forward(_ x: Tensor, _ weights: ParameterSet, addingTo out: inout Tensor) {
        Linear.forward(
            x, weight: weights[weight], bias: bias.map { weights[$0] }, transposed: isTransposed,
            addingTo: &out, weights.arithmetic)
        adapter?.forward(x, weights, addingTo: &out)
    }

    /// Several on the same x. None of them is transposed.
    static func forward(
        _ projections: [Projection], _ x: Tensor, _ weights: ParameterSet
    ) -> [Tensor] {
        var outs = Linear.forward(
            x, weights: projections.map { weights[$0.weight] },
            biases: projections.map { $0.bias.map { weights[$0] } }, weights.arithmetic)
        for (i, projection) in projections.enumerated() {
            projection.adapter?.forward(x, weights, addingTo: &outs[i])
        }
        return outs
    }

    /// The first part of `backward` alone.
    func backwardParameters(
        _ dy: Tensor, _ x: Tensor, _ weights: ParameterSet, into gradients: inout ParameterSet
    ) {
        backwardOwnParameters(dy, x, weights, into: &gradients)
        guard let adapter else { return }
        adapter.backwardParameters(
            dy, x, adapter.hiddenGradient(dy, weights), weights, into: &gradients)
    }

    private func backwardOwnParameters(
        _ dy: Tensor, _ x: Tensor, _ weights: ParameterSet, into gradients: inout ParameterSet
    ) {
        gradients.accumulate(weight) {
            Linear.backwardWeight(
                dy, x, transposed: isTransposed, into: &$0, weights.arithmetic)
        }
        backwardBias(dy, into: &gradients)
    }

    private func backwardBias(_ dy: Tensor, into gradients: inout ParameterSet) {
        if let bias { gradients.accumulate(bias) { Linear.backwardBias(dy, into: &$0) } }
    }

    /// `backward` of several on the same x, for dy_i (N, out_i). None of them is transposed.
    static func backward(
        _ projections: [Projection], _ dys: [Tensor], _ x: Tensor, _ weights: ParameterSet,
        into gradients: inout ParameterSet, input dx: inout Tensor
    ) {
        let trained = projections.indices.filter { gradients.holds(projections[$0].weight) }
        var dweights = trained.compactMap { gradients.take(projections[$0].weight) }
        Linear.backwardWeights(
            trained.map { dys[$0] }, x, into: &dweights, weights.arithmetic)
        for (i, dweight) in zip(trained, dweights) {
            gradients.put(dweight, projections[i].weight)
        }
        for (i, projection) in projections.enumerated() {
            let dy = dys[i]
            projection.backwardBias(dy, into: &gradients)
            projection.backwardInput(dy, x, weights, into: &gradients, &dx, accumulate: i > 0)
        }
    }

    /// Accumulates the gradients of weight, bias and adapter for dy (N, out) and x (N, in), and
    /// writes or adds dx (N, in).
    func backward(
        _ dy: Tensor, _ x: Tensor, _ weights: ParameterSet, into gradients: inout ParameterSet,
        input dx: inout Tensor, accumulate: Bool = false
    ) {
        backwardOwnParameters(dy, x, weights, into: &gradients)
        backwardInput(dy, x, weights, into: &gradients, &dx, accumulate: accumulate)
    }

    /// Writes or adds dx, and accumulates the gradients of the adapter.
    private func backwardInput(
        _ dy: Tensor, _ x: Tensor, _ weights: ParameterSet, into gradients: inout ParameterSet,
        _ dx: inout Tensor, accumulate: Bool
    ) {
        Linear.backwardInput(
            dy, weight: weights[weight], transposed: isTransposed, into: &dx,
            accumulate: accumulate, weights.arithmetic)
        guard let adapter else { return }
        let dhidden = adapter.hiddenGradient(dy, weights)
        adapter.backwardParameters(dy, x, dhidden, weights, into: &gradients)
        adapter.backwardInput(dhidden, weights, into: &dx)
    }

    /// The second part of `backward` alone.
    func backwardInput(
        _ dy: Tensor, _ weights: ParameterSet, into dx: inout Tensor, accumulate: Bool = false
    ) {
        Linear.backwardInput(
            dy, weight: weights[weight], transposed: isTransposed, into: &dx,
            accumulate: accumulate, weights.arithmetic)
        guard let adapter else { return }
        adapter.backwardInput(adapter.hiddenGradient(dy, weights), weights, into: &dx)
    }
}

extension ParameterSet {
    /// bfloat16 if products with all these weights round `rows` rows to it, so that whoever
    /// computes the rows may as well store them so; else float32, which adapters take.
    func operandFormat(of projections: [Projection], rows: Int) -> StoredFormat {
        let areRounded = projections.allSatisfy {
            $0.adapter == nil && arithmetic.roundsRows(rows, with: self[$0.weight])
        }
        return areRounded ? .bfloat16 : .float32
    }
}

/// The endings of an adapter's tensors, after the name of their projection.
enum AdapterName {
    static let a = ".lora_A.weight"
    static let b = ".lora_B.weight"
    static let endings = [a, b]

    static func isPart(_ name: String) -> Bool { endings.contains { name.hasSuffix($0) } }

    /// Whether `short` names a projection: its whole name, or the last parts of it.
    static func names(_ short: String, _ projection: String) -> Bool {
        projection == short || projection.hasSuffix("." + short)
    }
}

/// The low-rank pair A (r, in), B (out, r) that is added to a projection: y += scale · (x Aᵀ) Bᵀ.
struct Adapter: Sendable, Equatable {
    let a, b: Parameter
    let scale: Float

    func forward(_ x: Tensor, _ weights: ParameterSet, addingTo out: inout Tensor) {
        LowRank.forward(
            x, a: weights[a], b: weights[b], scale: scale, addingTo: &out, weights.arithmetic)
    }

    /// The gradient of x Aᵀ, (N, r), which the two functions below take.
    func hiddenGradient(_ dy: Tensor, _ weights: ParameterSet) -> Tensor {
        LowRank.hiddenGradient(dy, b: weights[b], scale: scale, weights.arithmetic)
    }

    func backwardParameters(
        _ dy: Tensor, _ x: Tensor, _ dhidden: Tensor, _ weights: ParameterSet,
        into gradients: inout ParameterSet
    ) {
        gradients.accumulate(a) {
            LowRank.backwardA(dhidden, x, into: &$0, weights.arithmetic)
        }
        gradients.accumulate(b) {
            LowRank.backwardB(dy, x, a: weights[a], scale: scale, into: &$0, weights.arithmetic)
        }
    }

    func backwardInput(_ dhidden: Tensor, _ weights: ParameterSet, into dx: inout Tensor) {
        LowRank.backwardInput(dhidden, a: weights[a], into: &dx, weights.arithmetic)
    }
}
