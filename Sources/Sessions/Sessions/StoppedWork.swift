import Alignment
import Tensors
import Transformers
import Workspaces

/// What long work that was stopped leaves behind, so that `resume` ends in what an uninterrupted run
/// would have given.
struct StoppedWork {
    /// How far it got: "step 40 of 100".
    var progress: String
    /// What a checkpoint holds.
    var kind: String
    var state: StoredValue
}

extension StoppedWork {
    /// Work that had not got anywhere: it begins anew.
    static let beginning = StoppedWork(progress: "the beginning", kind: "", state: .null)
}

/// Work that was stopped before it had anything to bind.
struct StoppedEarly: Error {
    var complaint: PlacedComplaint
    var work: StoppedWork
}

extension Invocation {
    /// Keeps a state of long work, so that `resume` can go on after a kill.
    ///
    /// - Parameter progress: how far that is, in words.
    func keepCheckpoint(_ kind: String, _ progress: String, _ state: () throws -> StoredValue)
        throws
    {
        guard sequence > 0, !session.workspace.isEphemeral else { return }
        try session.workspace.checkpoint(
            sequence, StoredObject(kind: kind, value: try state()), progress: progress)
    }
}

/// When to write a checkpoint: writing weights takes a moment, and half a minute of work is what a
/// kill may cost.
struct CheckpointClock {
    private var last = ContinuousClock.now
    private let seconds: Double

    init(every seconds: Double = 30) { self.seconds = seconds }

    /// Whether it is time; the clock then starts anew.
    mutating func isDue() -> Bool {
        let now = ContinuousClock.now
        guard (now - last).seconds > seconds else { return false }
        last = now
        return true
    }
}

/// The state of `train` in a workspace.
enum TrainingStorage {
    static func stored(
        _ model: LanguageModel, _ state: TrainState, _ log: [TrainRecord]
    ) throws -> StoredValue {
        .record(
            StoredRecord([
                ("weights", try model.parameters.stored()), ("train", try stored(state)),
                ("log", try CodableStorage.stored(log)),
            ]))
    }

    static func restored(
        _ value: StoredValue, _ model: LanguageModel
    ) throws -> (model: LanguageModel, state: TrainState, log: [TrainRecord]) {
        guard let weights = try model.with(stored: value["weights"]), let train = value["train"],
            let log = value["log"]
        else { throw StorageError(kind: "checkpoint", problem: "a part of it is missing") }
        return (
            weights, try restoredState(train, model),
            try CodableStorage.restored([TrainRecord].self, from: log, kind: "checkpoint")
        )
    }

    static func stored(_ train: TrainState) throws -> StoredValue {
        .record(
            StoredRecord([
                ("step", .number(Double(train.step))),
                ("optimizer_steps", .number(Double(train.optimizer.steps))),
                ("means", try train.optimizer.means?.stored() ?? .null),
                ("squares", try train.optimizer.squares?.stored() ?? .null),
            ]))
    }

    static func restoredState(
        _ value: StoredValue, _ model: LanguageModel
    ) throws -> TrainState {
        var optimizer = OptimizerState()
        optimizer.steps = value["optimizer_steps"]?.integerValue ?? 0
        optimizer.means = try model.with(stored: value["means"])?.parameters
        optimizer.squares = try model.with(stored: value["squares"])?.parameters
        guard let step = value["step"]?.integerValue, step >= 0, optimizer.steps >= 0 else {
            throw StorageError(kind: "checkpoint", problem: "its step is no count")
        }
        return TrainState(step: step, optimizer: optimizer)
    }
}

/// The state of `rollout` and of `judge` in a workspace.
enum SamplingStorage {
    static func stored(_ state: RolloutState) throws -> StoredValue {
        .record(
            StoredRecord([
                ("next", .number(Double(state.next))),
                ("rollouts", try CodableStorage.stored(state.rollouts)),
            ]))
    }

    static func restored(_ value: StoredValue) throws -> RolloutState {
        guard let next = value["next"]?.integerValue, next >= 0, let stored = value["rollouts"]
        else { throw StorageError(kind: "checkpoint", problem: "a part of it is missing") }
        var state = RolloutState(
            rollouts: try CodableStorage.restored(
                Rollouts.self, from: stored, kind: "checkpoint"))
        state.next = next
        return state
    }

    static func stored(_ pairs: [ResponsePair]) throws -> StoredValue {
        .record(StoredRecord([("pairs", try CodableStorage.stored(pairs))]))
    }

    static func restoredPairs(_ value: StoredValue) throws -> [ResponsePair] {
        guard let pairs = value["pairs"] else {
            throw StorageError(kind: "checkpoint", problem: "a part of it is missing")
        }
        return try CodableStorage.restored([ResponsePair].self, from: pairs, kind: "checkpoint")
    }
}
