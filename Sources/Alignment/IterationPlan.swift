import Tensors
import Transformers

/// The settings of N iterations of SAMI.
public struct IterationPlan: Sendable, Codable, Hashable {
    /// The weights that an iteration starts from.
    public enum Start: String, Sendable, Codable, CaseIterable {
        /// The base again, on rollouts of the previous iteration.
        case base
        /// The model of the previous iteration.
        case previous
    }

    /// Named settings.
    public enum Preset: String, Sendable, Codable, CaseIterable { case paper, adapters, tiny }

    public var iterations = 3
    /// Number of new queries in each iteration.
    public var queries = 400
    public var from = Start.base
    public var compose = Composer()
    public var rollout = RolloutSettings()
    public var train = TrainSettings()
    /// Adapters that train in place of the weights; nil trains the weights.
    public var adapter: AdapterConfiguration?
    /// Number of epochs of each iteration, in place of the value in `train`. The last entry holds
    /// for all later iterations. An empty list uses the value in `train`.
    public var epochs: [Double] = []

    public init() {}

    public init(_ preset: Preset) {
        switch preset {
        case .paper: self = .paper
        case .adapters: self = .adapters
        case .tiny: self = .tiny
        }
    }

    /// The model that an iteration from the base trains: the base, or the base with fresh adapters.
    ///
    /// - Parameter key: of the adapters' random numbers.
    /// - Throws: `ModelError` for adapters that do not fit the base.
    public func start(_ base: LanguageModel, key: RandomKey) throws -> LanguageModel {
        try adapter.map { try base.adding($0, key: key.child("adapter")) } ?? base
    }

    /// The training settings of an iteration, counted from 1.
    func settings(_ iteration: Int) -> TrainSettings {
        guard let last = epochs.last else { return train }
        var settings = train
        settings.steps = nil
        settings.epochs = epochs.indices.contains(iteration - 1) ? epochs[iteration - 1] : last
        return settings
    }

    /// The paper's settings: a constitution with principles against one with antitheses, greedy
    /// rollouts, RMSprop at 5e-7 on 16 queries a step, and few steps in each iteration.
    public static var paper: IterationPlan {
        var plan = IterationPlan()
        plan.queries = 2000
        plan.compose = Composer(count: 2, polarity: .positive)
        plan.rollout.sampling.temperature = 0
        plan.rollout.sampling.topP = 0.9
        plan.rollout.sampling.maxTokens = 350
        plan.train.accumulate = 16
        plan.train.update = Update(optimizer: .rmsprop(), learningRate: 5e-7)
        plan.epochs = [0.12, 0.25, 0.38]
        return plan
    }

    /// For adapters on an instruct model: one principle a constitution, sampled responses that may
    /// be cut off, and AdamW at a rate that falls to zero. docs/LOG.md has the measurements.
    public static var adapters: IterationPlan {
        var plan = IterationPlan()
        plan.iterations = 2
        plan.queries = 72
        plan.compose = Composer(count: 2, principles: 1, polarity: .opposites)
        plan.rollout.sampling.temperature = 0.7
        plan.rollout.sampling.maxTokens = 120
        plan.rollout.requiresEnd = false
        plan.train.accumulate = 6
        plan.train.steps = 12
        plan.train.update = Update(optimizer: .adamw(), learningRate: 3.5e-4)
        plan.train.schedule = .linear
        plan.train.warmup = 2
        return plan
    }

    /// For the shipped model: two principles a constitution, sampled responses, AdamW, and a
    /// penalty that keeps the text well-formed.
    public static var tiny: IterationPlan {
        var plan = IterationPlan()
        plan.queries = 400
        plan.compose = Composer(count: 2, principles: 2, polarity: .opposites)
        plan.train.accumulate = 32
        plan.train.steps = 18
        plan.train.update = Update(optimizer: .adamw(), learningRate: 2e-4)
        plan.train.warmup = 4
        plan.train.beta = 0.3
        return plan
    }
}
