import LongWork
import Optimizers
import Tensors

/// What an optimizer remembers between steps: their number, and the moments of its rule by name.
///
/// The moments of a rule that has not stepped yet are not there; they begin at zero.
public struct OptimizerState: Sendable {
    public var steps: Int
    public var moments: [String: ParameterSet]

    public init(steps: Int = 0, moments: [String: ParameterSet] = [:]) {
        self.steps = steps
        self.moments = moments
    }

    /// Bytes that the moments take.
    public var bytes: Int { moments.values.reduce(0) { $0 + $1.bytes } }

    /// Takes a moment out, so that it is changed in place; zeros if it is missing or belongs to
    /// another layout.
    fileprivate mutating func take(_ name: String, _ layout: ParameterLayout) -> ParameterSet {
        if let set = moments.removeValue(forKey: name), set.layout == layout { return set }
        return ParameterSet(zeros: layout)
    }
}

extension Optimizer {
    /// One step: changes the parameters that `gradients` holds, and the state.
    ///
    /// - Parameter watch: asked before every tensor.
    /// - Throws: `Canceled`; `parameters` and `state` are then useless.
    public func step(
        _ parameters: inout ParameterSet, _ gradients: ParameterSet, _ state: inout OptimizerState,
        learningRate: Float, watch: Watch = { _ in .more }
    ) throws(Canceled) {
        state.steps += 1
        var sets: [ParameterSet] = []
        for name in rule.moments { sets.append(state.take(name, gradients.layout)) }
        let count = gradients.tensors.reduce(0) { $0 + $1.count }
        var finished = 0
        for parameter in gradients.parameters {
            try Canceled.check(watch, Double(finished) / Double(max(1, count)))
            var moments: [Tensor] = []
            for i in sets.indices { if let part = sets[i].take(parameter) { moments.append(part) } }
            step(
                &parameters[parameter], gradients[parameter], &moments, number: state.steps,
                learningRate: learningRate)
            finished += gradients[parameter].count
            for i in sets.indices.reversed() { sets[i].put(moments.popLast(), parameter) }
        }
        for (name, set) in zip(rule.moments, sets) { state.moments[name] = set }
    }

    /// Shortens gradients that are longer than `clip` (0 leaves them), then takes a step. Training
    /// changes weights only here.
    ///
    /// - Parameter norm: √Σ g² of the gradients.
    /// - Returns: the factor that gradients were multiplied with, and the learning rate with the
    ///   rule's own factor.
    /// - Throws: `Canceled`; model, gradients and state are then useless.
    public func step(
        _ model: inout LanguageModel, _ gradients: inout ParameterSet, norm: Double, clip: Double,
        _ state: inout OptimizerState, learningRate: Double,
        watch: Watch = { _ in .more }
    ) throws(Canceled) -> (clipFactor: Double, learningRate: Double) {
        let rate = learningRate * rateFactor(step: state.steps + 1)
        let clipFactor = clip > 0 && norm > clip ? clip / norm : 1
        if clipFactor < 1 { gradients.scale(by: Float(clipFactor)) }
        try model.update { parameters throws(Canceled) in
            try step(&parameters, gradients, &state, learningRate: Float(rate), watch: watch)
        }
        return (clipFactor, rate)
    }
}
