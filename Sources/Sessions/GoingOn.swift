import CommandLanguage
import Commands
import Rendering
import Values
import Workspaces

/// How a script goes on in a workspace where an earlier run of it stopped: `sami run --resume`.
///
/// The statements draw under the numbers that they have in an uninterrupted run, so both end in the
/// same values.
extension Session {
    /// Makes the next scripts go on after what the workspace has done of them.
    public func goOnWithEarlierRun() { earlierRun = EarlierRun(workspace) }

    /// Whether a later process finds the session's statements.
    public var workspaceIsKept: Bool { workspace.isWritable && !workspace.isEphemeral }

    /// A sentence if nothing of the scripts was left to do.
    public var earlierRunIsWhole: String? {
        guard let earlierRun, earlierRun.count > 0 else { return nil }
        return "an earlier run has done all of it; without --resume it runs again"
    }

    /// What `evaluate` does with a statement.
    enum GoingOn {
        /// Nothing: it is done.
        case done
        /// It was stopped, and has ended now: well or not.
        case finished(Bool)
        case runs
    }

    func goOn(at statement: Statement, _ program: Program) -> GoingOn {
        guard block == nil, var run = earlierRun else { return .runs }
        let isJournaled = writesJournal(statement)
        // These act on the process or on other scripts, and the journal has nothing of them.
        if !isJournaled, !run.isOver, isManaging(statement) { return .runs }
        let step: EarlierRun.Step
        do {
            step = try run.step(statement, isJournaled: isJournaled)
        } catch {
            earlierRun = nil
            let located = LocatedError(error: error, span: statement.span)
            events?(
                .finished(
                    Outcome(
                        statement: statement.source,
                        result: .failure(failure(located, statement, program)), seconds: 0)))
            return .finished(false)
        }
        earlierRun = run
        switch step {
        case .done: return .done
        case .new:
            tellPlace(run.count, statement, program)
            earlierRun = nil
            goOn(afterNumber: run.lastNumber)
            return .runs
        case .stopped(let unfinished):
            tellPlace(run.count, statement, program)
            earlierRun = nil
            guard case .command = statement.body else {
                // An expression has no saved state. A disk that is full fails the statement itself.
                try? workspace.dropUnfinished()
                goOn(afterNumber: run.lastNumber)
                return .runs
            }
            seed = UInt64(unfinished.seed.prefix { $0 != "/" }) ?? seed
            let isWell = evaluate(Session.parse("resume"), events: events ?? { _ in })
            goOn(afterNumber: unfinished.number)
            return .finished(isWell)
        case .begun(let entry, let inner):
            tellPlace(run.count + inner.count, statement, program)
            earlierRun = nil
            return .finished(goOn(with: entry, inner, statement, program))
        }
    }

    /// Runs a stopped block from its beginning, with the seed and numbers it had; the statements
    /// that are done are recalled.
    private func goOn(
        with entry: HistoryEntry, _ inner: [HistoryEntry], _ statement: Statement,
        _ program: Program
    ) -> Bool {
        seed = UInt64(entry.seed.prefix { $0 != "/" }) ?? seed
        let conditions = StatementConditions(journal: entry.seed)
        shift = conditions.shift
        replayedSequence = entry.sequence
        replayedConditions = conditions
        recalledBlock = RecalledBlock(entry, inner, workspace)
        defer { (replayedSequence, replayedConditions, recalledBlock) = (nil, nil, nil) }
        let outcome = finished(statement, program)
        if case .failure = outcome.result { return false }
        return !outcome.isInterrupted
    }

    func takeRecalledBlock() -> RecalledBlock? {
        defer { recalledBlock = nil }
        return recalledBlock
    }

    /// Takes the names that expressions of a block have bound from the journal, if it has them.
    func recall(_ taken: RunningBlock) throws -> Bool {
        guard var recalled = block?.recalled else { return false }
        let source = taken.sources.joined(separator: "; ")
        guard recalled.take(source, bindsItself: true) else {
            try endRecalling(before: source)
            return false
        }
        recalled.bind(taken.pending)
        block?.recalled = recalled
        return true
    }

    /// The output of a command of a block that is done, or that continues from its checkpoint; nil
    /// for one that runs.
    func recall(
        _ call: CommandCall, _ form: Command.Form, _ statement: Statement, _ source: String
    ) throws -> Output? {
        guard var recalled = block?.recalled else { return nil }
        if !writesJournal(statement) {
            // The last statement may be one that leaves nothing in the journal.
            if form.effect == .manages { return nil }
            guard recalled.next == nil else { return Output(displays: [], notes: []) }
        }
        if recalled.take(statement.source) {
            block?.recalled = recalled
            return Output(displays: [], notes: [])
        }
        let stopped = workspace.unfinished
        guard let stopped, stopped.sequence == recalled.next?.sequence,
            stopped.source == statement.source
        else {
            try endRecalling(before: statement.source)
            return nil
        }
        block?.recalled = nil
        let checkpoint = try stopped.checkpoint.map { try workspace.read(digest: $0) }
        try workspace.resume(stopped.sequence)
        shift = stopped.sequence &- stopped.number
        defer { goOn(afterNumber: stopped.number) }
        let invocation = Invocation(
            session: self, call: call, source: source, targets: statement.targets,
            key: key(of: stopped.sequence), sequence: stopped.sequence,
            resumed: checkpoint?.value)
        return output(of: try carryOut(form, invocation))
    }

    /// The block is past its recalled statements; from here on the names have their present values.
    ///
    /// - Throws: if the journal has more statements, which are then of another script.
    func endRecalling(before source: String) throws {
        if let recalled = block?.recalled, let entry = recalled.next, entry.status == .committed,
            entry.stopped == nil, !recalled.isAtLast
        {
            throw EvaluationError.other(
                "the stopped block went on with statement \(entry.sequence), `\(entry.source)`, and "
                    + "now it would with `\(source)`: the script or a file that it reads has changed",
                suggestion: "`undo` takes the block back")
        }
        leaveRecalled()
    }

    /// The next statement of the block, or after it, draws as the one after the recalled ones.
    func leaveRecalled() {
        guard let recalled = block?.recalled else { return }
        goOn(afterNumber: recalled.lastNumber)
        block?.recalled = nil
    }

    /// Whether a statement that ends well leaves a line in the journal.
    private func writesJournal(_ statement: Statement) -> Bool {
        switch statement.body {
        case .expression: statement.target != nil
        case .loop, .choice, .function: true
        case .command(let call):
            switch CommandTable.form(of: call)?.effect {
            case .changes, .tries: true
            case .looks, .manages: statement.target != nil
            case nil: false
            }
        }
    }

    private func isManaging(_ statement: Statement) -> Bool {
        guard case .command(let call) = statement.body else { return false }
        return CommandTable.form(of: call)?.effect == .manages
    }

    private func tellPlace(_ count: Int, _ statement: Statement, _ program: Program) {
        let line = SourcePosition(
            of: statement.span.lower, in: program.source, firstLine: program.origin.firstLine
        ).line
        let place = program.origin.file.map { "\($0), line \(line)" } ?? "line \(line)"
        guard count > 0 else { return }
        events?(
            .display(
                Display(
                    StyledText(
                        "going on after \(NumberText.count(count, "statement")) of an earlier run, at "
                            + place, .faint))))
    }
}
