import Foundation

/// The result of an undo or a redo.
public struct UndoReport: Sendable {
    public struct Change: Sendable, Equatable {
        public var name: String
        public var before: BindingInfo?
        public var after: BindingInfo?
    }

    /// The statement that was undone or done again.
    public var sequence: Int
    public var source: String
    public var changes: [Change]
}

extension Workspace {
    /// Number of statements that `undo` can revert.
    public var undoDepth: Int { locked { timeline.done.count } }

    /// Number of statements that `redo` can repeat.
    public var redoDepth: Int { locked { timeline.undone.count } }

    /// Reverts the last statement that changed names. The cost does not depend on the size of the
    /// values.
    ///
    /// A name may return to a value that is not stored; `BindingInfo.isStored` says so.
    public func undo() throws -> UndoReport {
        try locked {
            try mustBeIdle()
            try leaveSuspended()
            guard let step = timeline.done.last else {
                throw WorkspaceError.nothingToUndo(kept: !hasCommitsBehind)
            }
            try append([.undo(sequence: step.sequence, time: timeStamp())], durable: true)
            _ = writeHead()
            return report(step, forward: false)
        }
    }

    /// Repeats the last undone statement. A new statement ends the possibility of redo.
    public func redo() throws -> UndoReport {
        try locked {
            try mustBeIdle()
            try leaveSuspended()
            guard let step = timeline.undone.last else { throw WorkspaceError.nothingToRedo }
            try append([.redo(sequence: step.sequence, time: timeStamp())], durable: true)
            _ = writeHead()
            return report(step, forward: true)
        }
    }

    private func mustBeIdle() throws {
        try mustBeWritable()
        if let running {
            throw WorkspaceError.statementRunning(
                sequence: running, source: timeline.statement(running)?.source ?? "")
        }
    }

    /// If the resumption of a stopped statement died, the statement counts as stopped again, and
    /// undo would revert the names that it had bound.
    private func leaveSuspended() throws {
        guard timeline.suspended != nil, let open = timeline.open else { return }
        let progress = timeline.statement(open)?.progress ?? ""
        try fail(open, message: "stopped", stopped: progress)
    }

    private var hasCommitsBehind: Bool {
        timeline.statements.contains { $0.commit != nil && !$0.isUndone }
    }

    private func report(_ step: Timeline.Step, forward: Bool) -> UndoReport {
        let changes = step.changes.map { change in
            let before = change.before.map(timeline.resolved)
            let after = change.after.map(timeline.resolved)
            return UndoReport.Change(
                name: change.name, before: forward ? before : after, after: forward ? after : before
            )
        }
        return UndoReport(
            sequence: step.sequence, source: timeline.statement(step.sequence)?.source ?? "",
            changes: changes)
    }
}
