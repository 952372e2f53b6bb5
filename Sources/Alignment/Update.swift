import LongWork
import Optimizers
import Transformers

/// One optimizer step on given gradients.
public struct Update: Sendable, Codable, Hashable {
    public var optimizer = Optimizer.rmsprop()
    public var learningRate = 5e-7
    /// A longer gradient is scaled down to this norm; 0 turns clipping off.
    public var clip = 0.0

    public init(
        optimizer: Optimizer = .rmsprop(), learningRate: Double = 5e-7,
        clip: Double = 0
    ) {
        self.optimizer = optimizer
        self.learningRate = learningRate
        self.clip = clip
    }

    /// The report of a step.
    public struct Report: Sendable, Codable, Hashable {
        /// `√Σ g²` before clipping.
        public var gradientNorm: Double
        /// The factor of the gradients, 1 without clipping.
        public var clipFactor: Double
        public var learningRate: Double
    }

    /// Changes model and state. After an error both are unchanged.
    ///
    /// - Parameters:
    ///   - factor: of the schedule; multiplies the learning rate.
    ///   - progress: asked before every tensor.
    /// - Throws: `AlignmentError.setting` for a constant out of range, `.otherModel` for gradients
    ///   of another shape, `.gradientNotFinite`, `.weightsNotFinite`; `.stopped`.
    public func apply(
        _ gradients: ParameterSet, to model: inout LanguageModel, state: inout OptimizerState,
        factor: Double = 1, progress: (WorkProgress) -> Continuation = { _ in .more }
    ) throws -> Report {
        var changed = model
        var changedState = state
        var spent = gradients
        let count = gradients.tensors.count
        // The norm comes before the first tensor.
        guard progress(WorkProgress(.update, done: 0, of: count, unit: .tensors)) == .more else {
            throw AlignmentError.stopped(.update, done: 0, of: 1)
        }
        let report = try step(&changed, &changedState, &spent, factor: factor) {
            progress(
                WorkProgress(
                    .update, done: Int($0 * Double(count)), of: count, unit: .tensors))
        }
        model = changed
        state = changedState
        return report
    }

    /// The same without a copy: after an error, model, state and gradients are not usable.
    package func step(
        _ model: inout LanguageModel, _ state: inout OptimizerState,
        _ gradients: inout ParameterSet, factor: Double,
        watch: Watch = { _ in .more }
    ) throws -> Report {
        try check()
        guard gradients.layout == model.parameters.layout else { throw AlignmentError.otherModel }
        let norm = gradients.norm
        guard norm.isFinite else {
            throw AlignmentError.gradientNotFinite(
                query: nil, tensor: gradients.firstNonFinite?.name)
        }
        let done: (clipFactor: Double, learningRate: Double)
        do throws(Canceled) {
            done = try optimizer.step(
                &model, &gradients, norm: norm, clip: clip, &state,
                learningRate: learningRate * factor, watch: watch)
        } catch {
            throw AlignmentError.stopped(.update, done: 0, of: 1)
        }
        if let bad = model.parameters.firstNonFinite(heldBy: gradients) {
            throw AlignmentError.weightsNotFinite(
                tensor: bad.name, count: bad.count, learningRate: done.learningRate)
        }
        return Report(
            gradientNorm: norm, clipFactor: done.clipFactor, learningRate: done.learningRate)
    }

    func check() throws {
        if let fault = optimizer.fault {
            throw AlignmentError.setting(
                name: fault.name, value: fault.value, allowed: fault.allowed)
        }
        guard learningRate >= 0, learningRate.isFinite else {
            throw AlignmentError.setting(
                name: "learning_rate", value: learningRate, allowed: "it must be 0 or more")
        }
        guard clip >= 0, clip.isFinite else {
            throw AlignmentError.setting(name: "clip", value: clip, allowed: "it must be 0 or more")
        }
    }
}
