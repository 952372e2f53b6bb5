import Foundation
import Layers
import LongWork
import Tensors

/// An optimizer as PyTorch defines it: a rule that turns gradients into a step.
public enum Optimizer: Sendable, Equatable {
    /// Hinton's lecture 6e; ε is added outside the root.
    case rmsprop(alpha: Float = 0.99, epsilon: Float = 1e-8)
    /// Loshchilov and Hutter, arXiv 1711.05101; weight decay applies to matrices only.
    case adamw(
        beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8, decay: Float = 0.01)

    /// One step: changes `parameters` and the optimizer's state.
    ///
    /// - Parameter cancel: asked before every tensor.
    /// - Throws: `Canceled`; `parameters` and `state` are then not usable.
    public func step(
        _ parameters: inout ParameterSet, _ gradients: ParameterSet, _ state: inout OptimizerState,
        learningRate: Float, cancel: () -> Continuation = { .more }
    ) throws(Canceled) {
        state.steps += 1
        switch self {
        case .rmsprop(let alpha, let epsilon):
            var squares = state.take(\.squares, parameters.layout)
            for i in parameters.tensors.indices {
                try Canceled.check(cancel)
                rmspropStep(
                    &parameters.tensors[i], gradients.tensors[i], &squares.tensors[i],
                    rate: learningRate, alpha: alpha, epsilon: epsilon)
            }
            state.squares = squares
        case .adamw(let beta1, let beta2, let epsilon, let decay):
            var means = state.take(\.means, parameters.layout)
            var squares = state.take(\.squares, parameters.layout)
            let corrections = (
                1 - Float(pow(Double(beta1), Double(state.steps))),
                1 - Float(pow(Double(beta2), Double(state.steps)))
            )
            for i in parameters.tensors.indices {
                try Canceled.check(cancel)
                adamStep(
                    &parameters.tensors[i], gradients.tensors[i], &means.tensors[i],
                    &squares.tensors[i], rate: learningRate, betas: (beta1, beta2),
                    corrections: corrections, epsilon: epsilon,
                    decay: parameters.tensors[i].shape.count > 1 ? decay : 0)
            }
            (state.means, state.squares) = (means, squares)
        }
    }
}

/// The state that an optimizer keeps between steps.
public struct OptimizerState: Sendable {
    public var steps = 0
    /// Running mean of gradients; only for AdamW.
    public var means: ParameterSet?
    /// Running mean of squared gradients.
    public var squares: ParameterSet?

    public init() {}

    /// Takes a moment out of the state, so that it is changed in place; zeros if it is missing or
    /// of another layout.
    fileprivate mutating func take(
        _ moment: WritableKeyPath<OptimizerState, ParameterSet?>, _ layout: ParameterLayout
    ) -> ParameterSet {
        let taken = self[keyPath: moment]
        self[keyPath: moment] = nil
        if let taken, taken.layout == layout { return taken }
        return ParameterSet(zeros: layout)
    }
}

/// The learning rate over the steps of a run, as a factor of the highest learning rate.
public struct LearningRateSchedule: Sendable, Equatable {
    public enum Shape: String, Sendable, CaseIterable { case constant, linear, cosine }
    public var shape: Shape
    /// Number of steps in which the learning rate rises from zero. RMSprop's first steps are about
    /// ten times the learning rate, because its mean of squares starts at zero.
    public var warmup: Int
    public var steps: Int
    /// The share of the run after which a linear or cosine schedule begins to decay.
    public var hold: Double
    /// The factor at the last step.
    public var floor: Double

    public init(
        _ shape: Shape = .constant, warmup: Int = 0, steps: Int, hold: Double = 0,
        floor: Double = 0
    ) {
        self.shape = shape
        self.warmup = warmup
        self.steps = steps
        self.hold = hold
        self.floor = floor
    }

    /// The factor for step `step`, counted from zero.
    public func factor(_ step: Int) -> Double {
        let rise = warmup > 0 ? min(1, Double(step + 1) / Double(warmup)) : 1
        let first = max(Double(warmup), Double(steps) * hold)
        let left = Double(steps) - first
        let progress = left > 0 ? min(1, max(0, (Double(step) - first) / left)) : 0
        switch shape {
        case .constant: return rise
        case .linear: return rise * (1 - (1 - floor) * progress)
        case .cosine: return rise * (floor + (1 - floor) * 0.5 * (1 + cos(.pi * progress)))
        }
    }
}
