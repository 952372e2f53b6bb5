import Values
import Workspaces

/// What long work that was stopped leaves behind, so that `resume` ends in what an uninterrupted run
/// would have given.
package struct StoppedWork {
    /// How far it got: "step 40 of 100".
    package var progress: String
    /// What a checkpoint holds.
    package var kind: String
    package var state: StoredValue
}

extension StoppedWork {
    /// Work that had not got anywhere: it begins anew.
    static let beginning = StoppedWork(progress: "the beginning", kind: "", state: .null)
}

/// Work that was stopped before it had anything to bind.
package struct StoppedEarly: Error {
    package var error: LocatedError
    package var work: StoppedWork
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
