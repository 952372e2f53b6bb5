import Optimizers
import Transformers

/// The settings for training a model on rollouts.
public struct TrainSettings: Sendable, Codable, Hashable {
    public var objective = Objective.contrast
    /// Queries a step.
    public var accumulate = 16
    /// Number of passes over the queries; fractions are allowed.
    public var epochs = 1.0
    /// Number of steps, in place of epochs.
    public var steps: Int?
    /// Optimizer, learning rate and clipping of a step.
    public var update = Update()
    /// The decay of the learning rate after the warm-up.
    public var schedule = LearningRateSchedule.Shape.constant
    /// Number of steps in which the learning rate rises.
    public var warmup = 0
    /// Weight of the penalty that keeps the model near the base.
    public var beta = 0.0
    public var score = ScoreSettings()
    /// Whether every epoch has a new order of the queries.
    public var shuffle = true

    public init() {}

    /// For demonstrations: every response once, with its end, at a rate that falls to zero.
    public static var finetuning: TrainSettings {
        var settings = TrainSettings()
        settings.objective = .likelihood
        settings.score.scoresEnd = true
        settings.update = Update(optimizer: .adamw(), learningRate: 1e-4, clip: 1)
        settings.schedule = .linear
        return settings
    }

    /// Total number of queries and steps of a run over `count` queries.
    ///
    /// - Throws: `AlignmentError.setting` for a number out of range.
    func extent(_ count: Int) throws -> (queries: Int, steps: Int) {
        try update.check()
        guard accumulate >= 1, accumulate <= 1 << 20 else {
            throw AlignmentError.setting(
                name: "accumulate", value: Double(accumulate), allowed: "it must be 1 or more")
        }
        guard warmup >= 0 else {
            throw AlignmentError.setting(
                name: "warmup", value: Double(warmup), allowed: "it must be 0 or more")
        }
        guard beta >= 0, beta.isFinite else { throw AlignmentError.penalty(beta) }
        if let steps {
            guard steps >= 1, steps <= 1 << 30 else {
                throw AlignmentError.setting(
                    name: "steps", value: Double(steps), allowed: "it must be 1 or more")
            }
            return (steps * accumulate, steps)
        }
        guard epochs > 0, epochs <= 1e6 else {
            throw AlignmentError.setting(
                name: "epochs", value: epochs, allowed: "it must be above 0")
        }
        let queries = max(1, Int((epochs * Double(count)).rounded()))
        return (queries, (queries + accumulate - 1) / accumulate)
    }

    func rateSchedule(_ steps: Int) -> LearningRateSchedule {
        LearningRateSchedule(schedule, warmup: warmup, steps: steps)
    }
}

/// The log entry of one training step. It does not depend on the clock.
public struct TrainRecord: Sendable, Codable, Hashable {
    /// Counted from 1.
    public var step: Int
    /// Number of steps in the run.
    public var steps: Int
    /// Number of passes over the queries so far.
    public var epoch: Double
    /// The loss that the step makes smaller, under the model before the step, in nats; nil where
    /// it is that of `contrast`, and in checkpoints of older versions.
    public var objective: Double?
    /// Figures for the step's queries under the model before the step; in nats.
    public var contrast: ContrastSummary
    /// Mean KL(model ‖ base) in nats a token; `nil` without a penalty.
    public var divergence: Double?
    public var gradientNorm: Double
    public var clipFactor: Double
    public var learningRate: Double
    /// Rows that went through the model.
    public var tokens: Int

    /// The loss that the step makes smaller, in nats, without the penalty.
    public var loss: Double { objective ?? contrast.loss }
}

/// The state that the next step depends on, in addition to model, queries, settings and key.
public struct TrainState: Sendable {
    /// Number of finished steps.
    public var step = 0
    public var optimizer = OptimizerState()

    public init() {}

    public init(step: Int, optimizer: OptimizerState) {
        self.step = step
        self.optimizer = optimizer
    }
}
