import Foundation
import LongWork
import Transformers

/// The optimizer and its constants.
public struct OptimizerSettings: Sendable, Codable, Hashable {
    public enum Rule: String, Sendable, Codable, CaseIterable { case rmsprop, adamw }

    public var rule = Rule.rmsprop
    /// Decay of RMSprop's mean of squares.
    public var alpha = 0.99
    /// Decay of AdamW's means of gradients and of squares.
    public var beta1 = 0.9
    public var beta2 = 0.999
    public var epsilon = 1e-8
    /// AdamW's weight decay.
    public var decay = 0.01
    /// Corrects the size of RMSprop's first steps. Its mean of squares starts at zero, which makes
    /// the t-th step `1/√(1 − αᵗ)` times too large: ten times, at first.
    public var ramp = false

    public init(_ rule: Rule = .rmsprop, ramp: Bool = false) {
        self.rule = rule
        self.ramp = ramp
    }

    var optimizer: Optimizer {
        switch rule {
        case .rmsprop: .rmsprop(alpha: Float(alpha), epsilon: Float(epsilon))
        case .adamw:
            .adamw(
                beta1: Float(beta1), beta2: Float(beta2), epsilon: Float(epsilon),
                decay: Float(decay))
        }
    }

    /// The factor of the learning rate at step `step`, counted from zero.
    func factor(_ step: Int) -> Double {
        guard ramp, rule == .rmsprop else { return 1 }
        return (1 - pow(alpha, Double(step + 1))).squareRoot()
    }

    /// - Throws: `AlignmentError.setting` for a constant out of range.
    func check() throws {
        for (name, value) in [("alpha", alpha), ("beta1", beta1), ("beta2", beta2)]
        where !(value >= 0 && value < 1) {
            throw AlignmentError.setting(name: name, value: value, allowed: "it must be in [0, 1)")
        }
        guard epsilon >= 0, epsilon.isFinite else {
            throw AlignmentError.setting(
                name: "epsilon", value: epsilon, allowed: "it must be 0 or more")
        }
        guard decay >= 0, decay.isFinite else {
            throw AlignmentError.setting(
                name: "decay", value: decay, allowed: "it must be 0 or more")
        }
    }
}

/// One optimizer step on given gradients.
public struct Update: Sendable, Codable, Hashable {
    public var optimizer = OptimizerSettings()
    public var learningRate = 5e-7
    /// A longer gradient is scaled down to this norm; 0 turns clipping off.
    public var clip = 0.0

    public init(
        optimizer: OptimizerSettings = OptimizerSettings(), learningRate: Double = 5e-7,
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
    ///   - cancel: asked before every tensor.
    /// - Throws: `AlignmentError.setting` for a constant out of range, `.otherModel` for gradients
    ///   of another shape, `.gradientNotFinite`, `.weightsNotFinite`; `.stopped`.
    public func apply(
        _ gradients: ParameterSet, to model: inout LanguageModel, state: inout OptimizerState,
        factor: Double = 1, cancel: () -> Continuation = { .more }
    ) throws -> Report {
        var changed = model
        var changedState = state
        var spent = gradients
        let report = try step(&changed, &changedState, &spent, factor: factor, cancel: cancel)
        model = changed
        state = changedState
        return report
    }

    /// The same without a copy: after an error, model, state and gradients are not usable.
    func step(
        _ model: inout LanguageModel, _ state: inout OptimizerState,
        _ gradients: inout ParameterSet, factor: Double,
        cancel: () -> Continuation = { .more }
    ) throws -> Report {
        try check()
        guard gradients.layout == model.parameters.layout else { throw AlignmentError.otherModel }
        let norm = gradients.norm
        guard norm.isFinite else {
            throw AlignmentError.gradientNotFinite(
                query: nil, tensor: gradients.firstNonFinite?.name)
        }
        let rate = learningRate * factor * optimizer.factor(state.steps)
        let clipFactor = clip > 0 && norm > clip ? clip / norm : 1
        if clipFactor < 1 { gradients.scale(by: Float(clipFactor)) }
        let optimizer = optimizer.optimizer
        do {
            try model.update {
                try optimizer.step(
                    &$0, gradients, &state, learningRate: Float(rate), cancel: cancel)
            }
        } catch is Canceled {
            throw AlignmentError.stopped(.update, done: 0, of: 1)
        }
        if let bad = model.parameters.firstNonFinite {
            throw AlignmentError.weightsNotFinite(
                tensor: bad.name, count: bad.count, learningRate: rate)
        }
        return Report(gradientNorm: norm, clipFactor: clipFactor, learningRate: rate)
    }

    func check() throws {
        try optimizer.check()
        guard learningRate >= 0, learningRate.isFinite else {
            throw AlignmentError.setting(
                name: "learning_rate", value: learningRate, allowed: "it must be 0 or more")
        }
        guard clip >= 0, clip.isFinite else {
            throw AlignmentError.setting(name: "clip", value: clip, allowed: "it must be 0 or more")
        }
    }
}
