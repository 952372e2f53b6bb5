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
    /// Number of statements that `undo` can revert; a block counts as one.
    public var undoDepth: Int { locked { timeline.undoCount } }

    /// Number of statements that `redo` can repeat.
    public var redoDepth: Int { locked { timeline.redoCount } }

    /// Reverts the last statement that changed names, or all statements of the last block. The cost
    /// does not depend on the size of the values.
    ///
    /// A name may return to a value that is not stored; `BindingInfo.isStored` says so.
    public func undo() throws -> UndoReport {
        try locked {
            try mustBeIdle()
            try leaveSuspended()
            let steps = timeline.nextUndo
            guard !steps.isEmpty else {
                throw WorkspaceError.nothingToUndo(kept: !hasCommitsBehind)
            }
            let time = timeStamp()
            try append(steps.map { .undo(sequence: $0.sequence, time: time) }, durable: true)
            _ = writeHead()
            return report(steps.reversed(), forward: false)
        }
    }

    /// Repeats the last undone statement. A new statement ends the possibility of redo.
    public func redo() throws -> UndoReport {
        try locked {
            try mustBeIdle()
            try leaveSuspended()
            let steps = timeline.nextRedo
            guard !steps.isEmpty else { throw WorkspaceError.nothingToRedo }
            let time = timeStamp()
            try append(steps.map { .redo(sequence: $0.sequence, time: time) }, durable: true)
            _ = writeHead()
            return report(steps, forward: true)
        }
    }

    private func mustBeIdle() throws {
        try mustBeWritable()
        if let running = running ?? runningBlock {
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

    /// - Parameter steps: in the order in which they were done.
    private func report(_ steps: [Timeline.Step], forward: Bool) -> UndoReport {
        // Of a name that several steps changed, the first and the last value count.
        var names: [String] = []
        var changes: [String: Timeline.Change] = [:]
        for change in steps.flatMap(\.changes) {
            if changes[change.name] == nil {
                names.append(change.name)
                changes[change.name] = change
            } else {
                changes[change.name]?.after = change.after
            }
        }
        let last = steps.last.flatMap { timeline.statement($0.sequence) }
        let whole = last?.block.flatMap(timeline.statement) ?? last
        return UndoReport(
            sequence: whole?.sequence ?? 0, source: whole?.source ?? "",
            changes: names.compactMap { changes[$0] }.map { change in
                let before = change.before.map(timeline.resolved)
                let after = change.after.map(timeline.resolved)
                return UndoReport.Change(
                    name: change.name, before: forward ? before : after,
                    after: forward ? after : before)
            })
    }
}
