import HDF5Objects
import Values

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

    package init(error: LocatedError, work: StoppedWork) {
        (self.error, self.work) = (error, work)
    }
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

/// Decides when to write a checkpoint. A kill may cost half a minute of work, or more where writing
/// is slow: checkpoints take at most a twentieth of the time.
struct CheckpointClock {
    /// The end of the last write.
    private var last = ContinuousClock.now
    /// What the last write took, in seconds.
    private var cost = 0.0
    private let interval: Double
    /// Seconds of work for each second of writing: a share of 1/20.
    private static let workPerCost = 19.0

    /// - Parameter interval: the least time between two checkpoints, in seconds.
    init(every interval: Double = 30) { self.interval = interval }

    /// Runs `write` if it is time for a checkpoint.
    mutating func writeIfDue(_ write: () throws -> Void) rethrows {
        try run(after: interval, write)
    }

    /// The same where a good place is reached, such as the end of an iteration: only the share of
    /// the time decides.
    mutating func writeIfAffordable(_ write: () throws -> Void) rethrows {
        try run(after: 0, write)
    }

    private mutating func run(after interval: Double, _ write: () throws -> Void) rethrows {
        let start = ContinuousClock.now
        guard (start - last).seconds >= max(interval, Self.workPerCost * cost) else { return }
        try write()
        last = ContinuousClock.now
        cost = (last - start).seconds
    }
}
