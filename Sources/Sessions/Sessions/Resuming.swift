import CommandLanguage
import Tensors
import Workspaces

extension Session {
    /// Goes on with a statement that was running when the process ended: from its checkpoint where
    /// there is one, else from its beginning. Seed and number are the ones it had, so the result is
    /// that of an uninterrupted run.
    func resume(
        _ unfinished: UnfinishedStatement, _ invocation: Invocation
    ) throws -> CommandResult {
        let program = CommandTable.vocabulary.parse(unfinished.source)
        guard program.diagnostics.isEmpty, let statement = program.statements.first else {
            throw invocation.fail("the unfinished statement cannot be read: \(unfinished.source)")
        }
        guard case .command(let call) = statement.body, let form = CommandTable.form(of: call)
        else {
            try workspace.dropUnfinished()
            throw invocation.fail(
                "`\(TextWidth.oneLine(unfinished.source))` has nothing to go on with; type it again"
            )
        }
        let checkpoint = try unfinished.checkpoint.map { try workspace.read(digest: $0) }
        let ownSeed = seed
        seed = UInt64(unfinished.seed.prefix { $0 != "/" }) ?? seed
        defer { seed = ownSeed }
        let sequence = unfinished.sequence
        try workspace.resume(sequence)
        let inner = Invocation(
            session: self, call: call, source: unfinished.source, target: statement.target,
            key: RandomKey(seed: seed).child(UInt64(sequence)), sequence: sequence,
            report: invocation.report)
        let start = ContinuousClock.now
        do {
            var result: CommandResult
            if call.verb.name == "iterate", let checkpoint {
                result = try CommandTable.runIterations(inner, from: checkpoint.value)
            } else if call.verb.name == "pretrain", let checkpoint {
                result = try CommandTable.runPretraining(inner, from: checkpoint.value)
            } else {
                result = try form.run(inner)
            }
            rename(&result, statement.target)
            try commit(
                sequence, bind: result.bindings, unbind: result.unbind,
                seconds: (ContinuousClock.now - start).seconds)
            return result
        } catch {
            try? workspace.fail(sequence, message: Failure.sentence(for: error))
            throw error
        }
    }
}
