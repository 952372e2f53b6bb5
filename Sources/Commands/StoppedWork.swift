import Values
import Workspaces

/// The state of stopped long work, from which `resume` reaches the result of an uninterrupted run.
package struct StoppedWork {
    /// The position in words: "step 40 of 100".
    package var progress: String
    /// The kind of the checkpoint's content.
    package var kind: String
    package var state: StoredValue
}

extension StoppedWork {
    /// Work without a saved state: it begins anew.
    static let beginning = StoppedWork(progress: "the beginning", kind: "", state: .null)
}

/// Work that was stopped before it had a result to bind.
package struct StoppedEarly: Error {
    package var error: LocatedError
    package var work: StoppedWork
}

extension Invocation {
    /// Stores a state of long work, so that `resume` can continue after a kill.
    ///
    /// - Parameter progress: the position in words.
    func keepCheckpoint(_ kind: String, _ progress: String, _ state: () throws -> StoredValue)
        throws
    {
        guard sequence > 0, !session.workspace.isEphemeral else { return }
        try session.workspace.checkpoint(
            sequence, StoredObject(kind: kind, value: try state()), progress: progress)
    }
}

/// Decides when to write a checkpoint. Writing weights takes a moment, and a kill may cost half a
/// minute of work.
struct CheckpointClock {
    private var last = ContinuousClock.now
    private let seconds: Double

    init(every seconds: Double = 30) { self.seconds = seconds }

    /// Whether a checkpoint is due; if so, the clock restarts.
    mutating func isDue() -> Bool {
        let now = ContinuousClock.now
        guard (now - last).seconds > seconds else { return false }
        last = now
        return true
    }
}
