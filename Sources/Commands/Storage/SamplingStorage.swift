import Alignment
import HDF5Objects

/// The state of `rollout` and of `judge` in a workspace.
enum SamplingStorage {
    package static func stored(_ state: RolloutState) throws -> StoredValue {
        .record(
            StoredRecord([
                ("next", .number(Double(state.next))),
                ("rollouts", try StoredValue(encoding: state.rollouts)),
            ]))
    }

    static func restored(_ value: StoredValue) throws -> RolloutState {
        guard let next = value["next"]?.intValue, next >= 0, let stored = value["rollouts"]
        else { throw StorageError(kind: "checkpoint", problem: "a part of it is missing") }
        var state = RolloutState(
            rollouts: try stored.restored(Rollouts.self, kind: "checkpoint"))
        state.next = next
        return state
    }

    package static func stored(_ pairs: [ResponsePair]) throws -> StoredValue {
        .record(StoredRecord([("pairs", try StoredValue(encoding: pairs))]))
    }

    static func restoredPairs(_ value: StoredValue) throws -> [ResponsePair] {
        guard let pairs = value["pairs"] else {
            throw StorageError(kind: "checkpoint", problem: "a part of it is missing")
        }
        return try pairs.restored([ResponsePair].self, kind: "checkpoint")
    }
}
