import LongWork
import Tensors
import Tokenizers
import Transformers

/// A trained model and the log of its training.
public struct TrainResult: Sendable {
    public var model: LanguageModel
    public var state: TrainState
    /// The steps of this call, without the steps before a resumption.
    public var log: [TrainRecord]
    /// Whether the run was stopped before its last step, or has lost its crew in a step.
    public var isStopped: Bool
}

/// The loop over score, contrast, backward and update.
///
/// Step `s` takes the queries from number `s·accumulate` on of an endless sequence of epochs. The
/// order in each epoch depends only on the key and the epoch. A run that is continued from its
/// state ends in the same weights, to the bit, as an uninterrupted run.
public struct Trainer: Sendable {
    public var settings: TrainSettings
    public var memory: MemoryPlan
    /// Queries go through the model together, up to this many rows.
    public var packRows = 1024

    public init(_ settings: TrainSettings, memory: MemoryPlan = .automatic) {
        self.settings = settings
        self.memory = memory
    }

    /// - Parameters:
    ///   - model: the start, or the model of an interrupted run.
    ///   - reference: the model that the penalty keeps the weights near; usually the base.
    ///   - state: of an interrupted run; `nil` starts a new run.
    ///   - progress: asked within a step, before every block of the model and after every pack of
    ///     queries. A stop there discards the step unless all of its queries are done.
    ///   - step: called after every step with the present model, for evaluation, for saving a
    ///     checkpoint, and for stopping early.
    /// - Throws: `AlignmentError` that names the query with a non-finite result, or the setting out
    ///   of range; errors of `step`. The caller's model is unchanged after an error.
    public func train(
        _ model: LanguageModel, on groups: [RolloutGroup], tokenizer: Tokenizer?,
        reference: LanguageModel? = nil, from state: TrainState? = nil, key: RandomKey,
        progress: (WorkProgress) -> Continuation = { _ in .more },
        step: (TrainRecord, LanguageModel, TrainState) throws -> Continuation = { _, _, _ in .more }
    ) throws -> TrainResult {
        let batches = try groups.map {
            try ContrastBatch(
                $0, tokenizer: tokenizer, configuration: model.configuration,
                scoresEnd: settings.score.scoresEnd)
        }
        return try train(
            model, on: batches, reference: reference, from: state, key: key, progress: progress,
            step: step)
    }

    /// The same for queries that are already encoded.
    public func train(
        _ model: LanguageModel, on batches: [ContrastBatch], reference: LanguageModel? = nil,
        from state: TrainState? = nil, key: RandomKey,
        progress: (WorkProgress) -> Continuation = { _ in .more },
        step observe: (TrainRecord, LanguageModel, TrainState) throws -> Continuation = {
            _, _, _ in .more
        }
    ) throws -> TrainResult {
        guard !batches.isEmpty else { throw AlignmentError.noRollouts }
        let (total, steps) = try settings.extent(batches.count)
        var backward = Backward(
            objective: settings.objective, score: settings.score, beta: settings.beta,
            memory: memory)
        backward.packRows = packRows
        let schedule = settings.rateSchedule(steps)
        var order = EpochOrder(count: batches.count, key: settings.shuffle ? key : nil)
        var result = TrainResult(
            model: model, state: state ?? TrainState(), log: [], isStopped: false)
        while result.state.step < steps {
            let index = result.state.step
            let places = index * settings.accumulate..<min(total, (index + 1) * settings.accumulate)
            var gradients: Gradients
            var (wantsMore, isCut) = (true, false)
            var last = WorkProgress(.train, done: 0, of: places.count, unit: .queries)
            func goesOn() -> Continuation {
                if progress(last) == .stop { wantsMore = false }
                return wantsMore ? .more : .stop
            }
            do {
                gradients = try backward.gradients(
                    of: places.map { batches[order[$0]] }, model: result.model,
                    reference: reference,
                    progress: { report in
                        last = report
                        last.phase = .train
                        last.step = .init(index + 1, of: steps)
                        return goesOn()
                    })
            } catch AlignmentError.stopped {
                result.isStopped = true
                return result
            }
            let factor = schedule.factor(index)
            let crew = result.model.activeCrew((any TrainingCrew).self)
            let step: CrewStep?
            do {
                step = try crew?.prepareStep(
                    result.model, result.state.optimizer, goesOn)
            } catch is Canceled {
                result.isStopped = true
                return result
            }
            let update = try settings.update.step(
                &result.model, &result.state.optimizer, &gradients.parameters, factor: factor)
            if let crew, let step {
                do {
                    try crew.take(
                        step, settings.update, factor: factor, result.model,
                        result.state.optimizer)
                } catch is Canceled {
                    // This process has taken the step. Without ranks the work has ended early even
                    // at its last step, so that it is kept.
                    (wantsMore, isCut) = (false, true)
                }
            }
            result.state.step += 1
            let record = TrainRecord(
                step: index + 1, steps: steps,
                epoch: Double(places.upperBound) / Double(batches.count),
                objective: settings.objective == .contrast ? nil : gradients.loss,
                contrast: ContrastSummary(gradients.contrasts), divergence: gradients.divergence,
                gradientNorm: update.gradientNorm, clipFactor: update.clipFactor,
                learningRate: update.learningRate, tokens: gradients.tokens)
            result.log.append(record)
            if try observe(record, result.model, result.state) == .stop || !wantsMore {
                result.isStopped = isCut || result.state.step < steps
                return result
            }
        }
        return result
    }
}

/// The query at each place of an endless sequence of epochs.
private struct EpochOrder {
    let count: Int
    /// `nil` keeps the order of the list.
    let key: RandomKey?
    private var epoch = -1
    private var order: [Int] = []

    init(count: Int, key: RandomKey?) {
        self.count = count
        self.key = key
    }

    subscript(place: Int) -> Int {
        mutating get {
            guard let key else { return place % count }
            if place / count != epoch {
                epoch = place / count
                order = key.child(UInt64(epoch)).permutation(count)
            }
            return order[place % count]
        }
    }
}
