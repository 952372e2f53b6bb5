import HDF5Objects
import Optimizers
import Transformers
import Values

/// The one form of an optimizer's state in a workspace, for `update`, `train`, `iterate` and
/// `pretrain`: the number of steps, and one record of tensors for each moment.
enum OptimizerStorage {
    static func stored(_ state: OptimizerState) throws -> StoredValue {
        .record(StoredRecord(try fields(state)))
    }

    static func fields(_ state: OptimizerState) throws -> [(String, StoredValue)] {
        [("steps", .number(Double(state.steps)))]
            + (try state.moments.sorted { $0.key < $1.key }.map { ($0.key, try $0.value.stored()) })
    }

    /// The state that a record holds, of a model with this layout. Checkpoints of the first version
    /// hold the same moments beside a field "optimizer_steps".
    static func restored(
        _ value: StoredValue, _ layout: ParameterLayout
    ) throws -> OptimizerState {
        let value = value["optimizer"] ?? value
        guard let steps = (value["optimizer_steps"] ?? value["steps"])?.intValue, steps >= 0
        else { throw StorageError(kind: "optimizer", problem: "its number of steps is missing") }
        var state = OptimizerState(steps: steps)
        for name in Set(OptimizerRule.all.flatMap(\.moments)) {
            guard let moment = value[name], moment != .null else { continue }
            state.moments[name] = try ParameterSet(layout, stored: moment)
        }
        return state
    }
}
