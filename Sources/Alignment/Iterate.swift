import LongWork
import Tensors
import TextModels
import Tokenizers
import Transformers

/// One finished iteration.
public struct IterationRecord: Sendable, Codable, Hashable {
    /// Counted from 1.
    public var iteration: Int
    /// Number of queries that were rolled out, number of queries kept, and the reasons for
    /// rejections.
    public var rolledOut: Int
    public var kept: Int
    public var rejected: [Rollouts.Rejected]
    public var steps: [TrainRecord]

    /// The names on disk.
    private enum CodingKeys: String, CodingKey {
        case iteration, kept, rejected, steps
        case rolledOut = "asked"
    }
}

/// The state of a run of iterations: everything that `resume` needs in addition to plan, base and
/// queries.
public struct IterationState: Sendable {
    /// The present iteration, counted from 1; the number of iterations plus one after the last.
    public var iteration = 1
    /// The model that samples the responses of this iteration.
    public var policy: LanguageModel
    /// This iteration's rollouts; nil before they are sampled.
    public var rollouts: Rollouts?
    /// The model in training and its optimizer; nil before training begins.
    public var model: LanguageModel?
    public var train: TrainState?
    /// Steps of this iteration so far.
    public var steps: [TrainRecord] = []
    /// The finished iterations.
    public var log: [IterationRecord] = []

    /// Before the first iteration, of a base as `IterationPlan.start` makes it.
    public init(base: LanguageModel) { policy = base }
}

/// The latest event of a run of iterations.
public enum IterationEvent: Sendable {
    case rolledOut(Rollouts)
    case trained(TrainRecord)
    case finished(IterationRecord)
}

/// Complete SAMI iterations: compose, roll out, train, and again with the trained model.
///
/// Iteration `t` samples with the model of iteration `t − 1`, on queries that no earlier iteration
/// has used, and trains from the base again (or from the previous model). The plan's seed decides
/// all random numbers. A run continued from any reported state ends in the same weights as an
/// uninterrupted run.
public struct Iteration: Sendable {
    public var plan: IterationPlan
    /// The sources that constitutions are composed from.
    public var sources: [ConstitutionSource]
    /// An additional check for malformed responses, such as a grammar.
    public var isMalformed: (@Sendable (String, Query) -> Bool)?
    public var memory: MemoryPlan

    public init(
        _ plan: IterationPlan, sources: [ConstitutionSource],
        isMalformed: (@Sendable (String, Query) -> Bool)? = nil,
        memory: MemoryPlan = .automatic
    ) {
        self.plan = plan
        self.sources = sources
        self.isMalformed = isMalformed
        self.memory = memory
    }

    /// Runs until the plan is done or one of the closures returns `.stop`.
    ///
    /// - Parameters:
    ///   - state: the start, `IterationState(base:)` of `plan.start`, or a state that an earlier
    ///     run reported.
    ///   - queries: returns the new queries of an iteration, counted from 1.
    ///   - observe: called after every rollout, training step and iteration with the present state,
    ///     for saving.
    /// - Returns: the state at the end; its `policy` is the model of the last finished iteration.
    /// - Throws: `AlignmentError`, `ModelError`, or an error of a closure.
    public func run(
        base: TextModel, from state: IterationState, key: RandomKey,
        queries: (Int) throws -> [Query],
        progress: (WorkProgress) -> Continuation = { _ in .more },
        observe: (IterationEvent, IterationState) throws -> Continuation
    ) throws -> (state: IterationState, isStopped: Bool) {
        guard plan.iterations >= 1 else {
            throw AlignmentError.setting(
                name: "iterations", value: Double(plan.iterations), allowed: "it must be 1 or more")
        }
        var state = state
        while state.iteration <= plan.iterations {
            let key = key.child(UInt64(state.iteration))
            if state.rollouts == nil {
                let queries = try queries(state.iteration)
                let rollouts = try rollOut(queries, base.with(state.policy), key, progress)
                if rollouts.isStopped { return (state, true) }
                state.rollouts = rollouts
                if try observe(.rolledOut(rollouts), state) == .stop { return (state, true) }
            }
            guard let rollouts = state.rollouts, !rollouts.groups.isEmpty else {
                throw AlignmentError.allRejected(
                    iteration: state.iteration,
                    counts: state.rollouts.map { Dictionary(uniqueKeysWithValues: $0.counts) }
                        ?? [:])
            }
            let wantsMore = try train(&state, rollouts, base, key, progress, observe)
            // A stop at the last step still completes the iteration.
            if state.train?.step != state.steps.last?.steps { return (state, true) }
            let record = IterationRecord(
                iteration: state.iteration,
                rolledOut: rollouts.groups.count + rollouts.rejected.count,
                kept: rollouts.groups.count, rejected: rollouts.rejected, steps: state.steps)
            state.policy = state.model ?? state.policy
            state.log.append(record)
            (state.rollouts, state.model, state.train, state.steps) = (nil, nil, nil, [])
            state.iteration += 1
            let answer = try observe(.finished(record), state)
            if answer == .stop || !wantsMore, state.iteration <= plan.iterations {
                return (state, true)
            }
        }
        return (state, false)
    }

    private func rollOut(
        _ queries: [Query], _ policy: TextModel, _ key: RandomKey,
        _ progress: (WorkProgress) -> Continuation
    ) throws -> Rollouts {
        let constitutions = try plan.compose.compose(
            queries, from: sources, key: key.child("compose"))
        return try RolloutSampler(plan.rollout, isMalformed: isMalformed).sample(
            queries, constitutions, with: policy, key: key.child("rollout"), memory: memory,
            progress: progress)
    }

    /// Trains to the end of the iteration; false if a closure stopped it earlier.
    private func train(
        _ state: inout IterationState, _ rollouts: Rollouts, _ base: TextModel, _ key: RandomKey,
        _ progress: (WorkProgress) -> Continuation,
        _ observe: (IterationEvent, IterationState) throws -> Continuation
    ) throws -> Bool {
        var reported = state
        // Drop these references, so that the weights are uniquely owned and the first step updates
        // them in place.
        let start =
            try state.model
            ?? (plan.from == .base ? plan.start(base.model, key: key) : state.policy)
        let trained = state.train
        (state.model, state.train) = (nil, nil)
        (reported.model, reported.train) = (nil, nil)
        var wantsMore = true
        let result = try Trainer(plan.settings(state.iteration), memory: memory).train(
            start, on: rollouts.groups, tokenizer: base.tokenizer, reference: base.model,
            from: trained,
            key: key.child("train"),
            progress: { step in
                let answer = progress(step)
                if answer == .stop { wantsMore = false }
                return answer
            },
            step: { record, model, train in
                reported.model = model
                reported.train = train
                reported.steps.append(record)
                defer { (reported.model, reported.train) = (nil, nil) }
                let answer = try observe(.trained(record), reported)
                if answer == .stop { wantsMore = false }
                return answer
            })
        state.model = result.model
        state.train = result.state
        state.steps += result.log
        return wantsMore
    }
}
