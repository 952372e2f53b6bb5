import CommandLanguage
import Commands
import HDF5Objects
import LongWork
import Values
import Workspaces

/// How a command of a statement runs: its invocation, its bindings, and work that stopped early.
extension Session {
    func run(
        _ call: CommandCall, _ statement: Statement, _ source: String
    ) throws -> Output {
        guard let form = CommandTable.form(of: call) else {
            throw LocatedError(
                error: EvaluationError.other("there is no command `\(call.title)`"),
                span: call.verb.span)
        }
        if let target = statement.target, form.syntax.makes.isEmpty, form.effect != .tries {
            throw LocatedError(
                error: EvaluationError.other(
                    "`\(call.title)` makes no value, so it cannot have a name on its left"),
                span: target.span)
        }
        if statement.targets.count > max(1, form.syntax.makes.count) {
            throw LocatedError(
                error: EvaluationError.other(
                    "`\(call.title)` makes \(Sentence.list(form.syntax.makes)), and here are "
                        + "\(statement.targets.count) names for it"),
                span: statement.targets[1].span)
        }
        if block != nil {
            if form.effect == .manages, !["set", "seed"].contains(call.verb.name) {
                throw LocatedError(
                    error: EvaluationError.other(
                        "`\(call.title)` cannot stand inside a block"),
                    span: call.verb.span)
            }
            try journalBlock()
        }
        if let output = try recall(call, form, statement, source) { return output }
        if readsLastResult(call) { try journalPending() }
        let isJournaled: Bool
        switch form.effect {
        case .changes:
            try requireWritable(at: call.verb.span)
            isJournaled = true
        case .tries:
            if statement.target != nil { try requireWritable(at: call.verb.span) }
            isJournaled = workspace.isWritable
        case .looks, .manages:
            // A name on the left is bound whatever the command is otherwise.
            if statement.target != nil { try requireWritable(at: call.verb.span) }
            isJournaled = statement.target != nil
        }
        let sequence =
            isJournaled
            ? try workspace.begin(
                source: statement.source, seed: seedText, number: replayedSequence) : 0
        return try finish(sequence, form, call, statement, source)
    }

    func finish(
        _ sequence: Int, _ form: Command.Form, _ call: CommandCall, _ statement: Statement,
        _ source: String
    ) throws -> Output {
        // A replay numbers its statements anew, but must draw the original random numbers.
        let invocation = Invocation(
            session: self, call: call, source: source, targets: statement.targets,
            key: key(of: replayedSequence ?? sequence), sequence: sequence)
        return output(of: try carryOut(form, invocation))
    }

    /// Runs a command and journals its end. If the user stopped it, also stores the state that
    /// `resume` needs.
    func carryOut(_ form: Command.Form, _ invocation: Invocation) throws -> CommandResult {
        let start = ContinuousClock.now
        let sequence = invocation.sequence
        do {
            var result = try form.run(invocation)
            if let fault = crew?.takeFault() {
                let error = invocation.located(fault)
                if let work = result.stopped { throw StoppedEarly(error: error, work: work) }
                throw error
            }
            rename(&result, invocation.targets)
            result.notes += stalenessNotes(of: inputs)
            if let problem = metrics?.takeProblem() { result.notes.append(problem) }
            result.sign(replayedSequence ?? sequence)
            guard sequence > 0 else { return result }
            let stopped = result.stopped.flatMap { keep($0, sequence, &result.notes) }
            result.notes += try commit(
                sequence, bind: result.bindings, unbind: result.unbind,
                seconds: (ContinuousClock.now - start).seconds, stopped: stopped)
            if stopped != nil { result.notes.append("`resume` continues it") }
            return result
        } catch {
            let error = withFaultOfRanks(error, invocation)
            guard sequence > 0 else { throw error }
            var ignored: [String] = []
            let stopped = (error as? StoppedEarly).flatMap { keep($0.work, sequence, &ignored) }
            // The error is more important; if the journal cannot record it, the next write reports
            // that.
            try? workspace.fail(
                sequence, message: Failure.sentence(for: error), stopped: stopped)
            throw error
        }
    }

    /// The fault of the ranks that stopped a statement, in place of the stop.
    private func withFaultOfRanks(_ error: any Error, _ invocation: Invocation) -> any Error {
        guard let fault = crew?.takeFault() else { return error }
        let located = invocation.located(fault)
        return (error as? StoppedEarly).map { StoppedEarly(error: located, work: $0.work) }
            ?? located
    }

    /// Stores the state of stopped work. The results so far are kept in any case, so a full disk
    /// gives a note and not a failure.
    private func keep(_ work: StoppedWork, _ sequence: Int, _ notes: inout [String]) -> String? {
        guard work.state != .null else { return work.progress }
        do {
            _ = try writing(work.state.byteCount) { watch in
                try workspace.checkpoint(
                    sequence, StoredObject(kind: work.kind, value: work.state),
                    progress: work.progress, watch: watch)
            }
            return work.progress
        } catch is Canceled {
            notes.append("its state was not written, so `resume` cannot continue it")
            return nil
        } catch {
            notes.append("it cannot be resumed: \(Failure.sentence(for: error))")
            return nil
        }
    }

    /// The names on the left of `=` become those of the values, the main value first.
    func rename(_ result: inout CommandResult, _ targets: [Identifier]) {
        guard let target = targets.first else { return }
        if !result.bindings.isEmpty {
            for (index, target) in targets.enumerated() where index < result.bindings.count {
                result.bindings[index].name = target.name
            }
        } else if let value = result.value {
            result.bindings = [(target.name, value)]
        }
    }

    func output(of result: CommandResult) -> Output {
        let value = result.value ?? result.bindings.first?.value
        if let value {
            lastResult = value
            unjournaled = nil
        }
        let display = value?.display(appearance)
        return Output(
            name: result.bindings.first?.name, value: value,
            displays: result.displays.isEmpty
                ? [display].compactMap(\.self) : result.displays,
            json: result.displays.last { $0.json != nil }?.json ?? display?.json,
            notes: result.notes)
    }
}
