import Alignment
import HDF5Objects
import Tensors
import Tokenizers
import Transformers
import Values

/// The state of a pretraining run in a workspace.
enum PretrainingStorage {
    package static func stored(
        _ run: Pretraining, _ rows: [Record], _ mean: Double
    ) throws -> StoredValue {
        .record(
            StoredRecord([
                ("step", .number(Double(run.step))), ("tokens", .number(Double(run.tokens))),
                ("next", .number(Double(run.nextDocument))), ("mean", .number(mean)),
                ("rows", try Value.list(rows.map(Value.record)).storedObject().value),
                ("weights", try run.model.storedTrained()),
                ("optimizer", try OptimizerStorage.stored(run.optimizerState)),
            ]))
    }

    static func restored(
        _ value: StoredValue, _ model: LanguageModel
    ) throws -> (Pretraining, [Record]) {
        guard let weights = try model.with(stored: value["weights"]),
            let step = value["step"]?.intValue, let tokens = value["tokens"]?.intValue,
            let next = value["next"]?.intValue, step >= 0, tokens >= 0, next >= 0,
            let stored = value["rows"],
            case .list(let items) = try Value(stored)
        else { throw StorageError(kind: "checkpoint", problem: "a part of it is missing") }
        var run = Pretraining(model: weights)
        run.step = step
        run.tokens = tokens
        run.nextDocument = next
        run.optimizerState = try OptimizerStorage.restored(value, model.parameters.layout)
        let rows = items.compactMap { item -> Record? in
            if case .record(let record) = item { return record }
            return nil
        }
        return (run, rows)
    }
}
