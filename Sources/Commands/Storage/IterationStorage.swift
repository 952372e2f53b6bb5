import Alignment
import HDF5Objects
import Tensors
import Transformers

/// The state of a run of iterations in a workspace.
enum IterationStorage {
    package static func stored(_ state: IterationState) throws -> StoredValue {
        var record = StoredRecord([
            ("iteration", .number(Double(state.iteration))),
            ("steps", try StoredValue(encoding: state.steps)),
            ("log", try StoredValue(encoding: state.log)),
            ("policy", try state.policy.storedTrained()),
            ("model", try state.model?.storedTrained() ?? .null),
            ("rollouts", try state.rollouts.map { try StoredValue(encoding: $0) } ?? .null),
        ])
        if let train = state.train {
            record["train"] = try TrainingStorage.stored(train)
        }
        return .record(record)
    }

    static func restored(_ value: StoredValue, base: LanguageModel) throws -> IterationState {
        guard let iteration = value["iteration"]?.intValue, iteration >= 1,
            let policy = try base.with(stored: value["policy"]), let steps = value["steps"],
            let log = value["log"]
        else { throw StorageError(kind: "checkpoint", problem: "a part of it is missing") }
        var state = IterationState(base: policy)
        state.iteration = iteration
        state.model = try base.with(stored: value["model"])
        state.steps = try steps.restored([TrainRecord].self, kind: "checkpoint")
        state.log = try log.restored([IterationRecord].self, kind: "checkpoint")
        if let rollouts = value["rollouts"], rollouts != .null {
            state.rollouts = try rollouts.restored(Rollouts.self, kind: "checkpoint")
        }
        if let train = value["train"] {
            state.train = try TrainingStorage.restoredState(train, base)
        }
        return state
    }
}
