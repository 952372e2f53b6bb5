import CommandLanguage
import Commands
import Rendering
import Values
import Workspaces

extension Session {
    /// Continues a statement that was stopped, or that ran when the process ended: from its
    /// checkpoint, or else from its beginning. Seed and number are the original ones, so the result
    /// is that of an uninterrupted run.
    package func resume(
        _ unfinished: UnfinishedStatement, _ invocation: Invocation
    ) throws -> CommandResult {
        let program = CommandTable.grammar.parse(unfinished.source)
        guard program.diagnostics.isEmpty, let statement = program.statements.first,
            case .command(let call) = statement.body, let form = CommandTable.form(of: call)
        else {
            try workspace.dropUnfinished()
            throw invocation.error(
                "`\(TextWidth.oneLine(unfinished.source))` has no saved state; type it again"
            )
        }
        let checkpoint = try unfinished.checkpoint.map { try workspace.read(digest: $0) }
        let own = (seed, shift)
        defer { (seed, shift) = own }
        let conditions = StatementConditions(journal: unfinished.seed)
        seed = UInt64(unfinished.seed.prefix { $0 != "/" }) ?? seed
        shift = conditions.shift
        settings.resolve(replayed: conditions)
        let sequence = unfinished.sequence
        try workspace.resume(sequence)
        // Inputs of the statement itself, not of `resume`.
        inputs = []
        inputFiles = []
        let inner = Invocation(
            session: self, call: call, source: unfinished.source, targets: statement.targets,
            key: key(of: replayedSequence ?? sequence), sequence: sequence,
            resumed: checkpoint?.value)
        do {
            return try carryOut(form, inner)
        } catch {
            // Spans in the error refer to the other statement's text.
            let line = TextWidth.cut(TextWidth.oneLine(unfinished.source), to: 60)
            let kind = Failure.kind(of: ErrorSentence.cause(of: error))
            let message = "`\(line)`: \(Failure.sentence(for: error))"
            throw kind == .interrupted
                ? invocation.located(EvaluationError.interrupted(message))
                : invocation.error(message)
        }
    }

    /// A sentence about a statement that did not reach its end.
    static func sentence(_ unfinished: UnfinishedStatement) -> String {
        let line = TextWidth.cut(TextWidth.oneLine(unfinished.source), to: 60)
        var text = "`\(line)` "
        if unfinished.isStopped {
            text += "was stopped"
        } else {
            text += "was running when the last session ended"
        }
        if !unfinished.progress.isEmpty { text += ", at \(unfinished.progress)" }
        text +=
            unfinished.checkpoint == nil
            ? "; no state was saved. `resume` runs it again"
            : ". `resume` continues from there"
        return text + ", `resume drop=true` forgets it"
    }
}
