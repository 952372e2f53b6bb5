import Foundation

/// What an undo or a redo did.
public struct UndoReport: Sendable {
    public struct Change: Sendable, Equatable {
        public var name: String
        public var before: BindingInfo?
        public var after: BindingInfo?
    }

    /// The statement that was taken back, or taken again.
    public var sequence: Int
    public var source: String
    public var changes: [Change]
}

extension Workspace {
    /// How many statements `undo` can take back.
    public var undoDepth: Int { locked { timeline.done.count } }

    /// How many statements `redo` can take again.
    public var redoDepth: Int { locked { timeline.undone.count } }

    /// Takes back the last statement that changed names. Its cost does not depend on the values.
    ///
    /// A name may come back to a value that is not stored; `BindingInfo.isStored` tells.
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

    /// Takes the last undone statement again. A new statement ends what can be redone.
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

    /// A stopped statement whose resumption died counts as stopped again: what it had bound is what
    /// undo would take back.
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
