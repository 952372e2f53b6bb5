import Alignment
import HDF5Objects
import Tensors
import Transformers

/// The state of `train` in a workspace.
enum TrainingStorage {
    package static func stored(
        _ model: LanguageModel, _ state: TrainState, _ log: [TrainRecord]
    ) throws -> StoredValue {
        .record(
            StoredRecord([
                ("weights", try model.storedTrained()), ("train", try stored(state)),
                ("log", try StoredValue(encoding: log)),
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
            try log.restored([TrainRecord].self, kind: "checkpoint")
        )
    }

    package static func stored(_ train: TrainState) throws -> StoredValue {
        .record(
            StoredRecord([
                ("step", .number(Double(train.step))),
                ("optimizer", try OptimizerStorage.stored(train.optimizer)),
            ]))
    }

    static func restoredState(
        _ value: StoredValue, _ model: LanguageModel
    ) throws -> TrainState {
        let optimizer = try OptimizerStorage.restored(value, model.parameters.layout)
        guard let step = value["step"]?.intValue, step >= 0 else {
            throw StorageError(kind: "checkpoint", problem: "its step is not a count")
        }
        return TrainState(step: step, optimizer: optimizer)
    }
}
