import CommandLanguage
import Commands
import HDF5Objects
import LongWork
import Rendering
import Tensors
import Tokenizers
import Values
import Workspaces

extension Session {
    /// Reads a block of statements, or the statements of a transcript. A host asks the program's
    /// `completeness` whether the block needs more lines, and hands the same program to `evaluate`.
    public static func parse(_ source: String, origin: SourceOrigin = .prompt) -> Program {
        let grammar = CommandTable.grammar
        if let statements = Transcript.statements(
            of: source,
            isIncomplete: { text in
                if case .incomplete = grammar.parse(text).completeness { true } else { false }
            })
        {
            return grammar.parse(statements, origin: origin)
        }
        return grammar.parse(source, origin: origin)
    }

    /// Runs the statements of a block in order and sends what happens to the host.
    ///
    /// A block that does not parse runs nothing and gives one outcome for each mistake. A failed
    /// statement changes nothing; the statements after it run only with `keepGoing`.
    ///
    /// - Parameters:
    ///   - forgetsInterruption: whether an interruption from before this call is dropped. A host
    ///     that lets signals in before it calls drops earlier ones itself.
    ///   - events: called on this thread.
    /// - Returns: false if a statement failed.
    @discardableResult
    public func evaluate(
        _ program: Program, keepGoing: Bool = false, forgetsInterruption: Bool = true,
        events: @escaping (SessionEvent) -> Void
    ) -> Bool {
        if sourceDepth == 0, forgetsInterruption { interruption.clear() }
        let program = CommandTable.grammar.checkingCalls(of: program) { isBound($0) }
        let outer = self.events
        self.events = events
        defer { self.events = outer }
        guard program.diagnostics.isEmpty else {
            for outcome in refusals(of: program) { events(.finished(outcome)) }
            return false
        }
        var texts = StatementTexts(program)
        var allWell = true
        for (index, statement) in program.statements.enumerated() {
            if isParameterAssignment(statement) { continue }
            events(
                .started(
                    StartedStatement(
                        source: texts.text(of: statement), number: index + 1,
                        file: program.origin.file,
                        position: SourcePosition(
                            of: statement.span.lower, in: program.source,
                            firstLine: program.origin.firstLine),
                        depth: sourceDepth, isOfScript: sourceDepth > 0 && showsScript,
                        isStep: stepping != nil, isLook: isLook(statement))))
            guard isWanted(index, of: program) else { break }
            let outcome = finished(statement, program)
            if case .failure(let failure) = outcome.result {
                allWell = false
                if !keepGoing || failure.kind == .interrupted { break }
            }
            // A stopped statement may have succeeded in part; the statements after it were meant
            // for its complete result.
            if outcome.isInterrupted {
                allWell = false
                break
            }
            if isFinished { break }
        }
        return allWell
    }

    /// Whether a statement only shows something.
    private func isLook(_ statement: Statement) -> Bool {
        switch statement.body {
        case .expression: statement.target == nil
        case .command(let call): CommandTable.form(of: call)?.effect == .looks
        case .loop, .choice, .function: false
        }
    }

    /// Runs a statement of a block, from its first event to its last. Its failure is reported as
    /// the block's.
    func perform(
        _ statement: Statement, _ program: Program, number: Int, depth: Int
    ) -> Outcome {
        events?(
            .started(
                StartedStatement(
                    source: statement.source, number: number, file: program.origin.file,
                    position: SourcePosition(
                        of: statement.span.lower, in: program.source,
                        firstLine: program.origin.firstLine),
                    depth: depth)))
        return finished(statement, program)
    }

    private func finished(_ statement: Statement, _ program: Program) -> Outcome {
        // The expressions of a block draw from one sequence of random numbers.
        let randomness =
            block == nil ? ExpressionRandomness(key: nextKey) : ExpressionRandomness.current
        let outcome = ExpressionRandomness.$current.withValue(randomness) {
            Limits.$current.withValue(settings.limits) { run(statement, program) }
        }
        if case .success(let output) = outcome.result {
            for display in output.displays { events?(.display(display)) }
            events?(.finished(outcome))
        } else if block == nil {
            events?(.finished(outcome))
        }
        return outcome
    }

    /// Runs the statements of a text and returns their outcomes, for callers that show nothing
    /// meanwhile.
    @discardableResult
    public func outcomes(
        of source: String, origin: SourceOrigin = .prompt, keepGoing: Bool = false
    ) -> [Outcome] {
        var outcomes: [Outcome] = []
        evaluate(Session.parse(source, origin: origin), keepGoing: keepGoing) { event in
            if case .finished(let outcome) = event { outcomes.append(outcome) }
        }
        return outcomes
    }

    /// The outcomes of a block that does not parse, one for each mistake.
    private func refusals(of program: Program) -> [Outcome] {
        program.diagnostics.enumerated().map { index, found in
            var diagnostic = found
            if index == program.diagnostics.count - 1, program.omittedDiagnostics > 0 {
                let rest = NumberText.count(program.omittedDiagnostics, "more error")
                diagnostic.suggestion = [diagnostic.suggestion, "and " + rest]
                    .compactMap(\.self).joined(separator: "; ")
            }
            let failure = Failure(
                kind: .syntax, diagnostic: diagnostic, source: program.source,
                origin: program.origin, width: appearance.columns)
            return Outcome(
                statement: lineText(at: diagnostic.span, in: program.source),
                result: .failure(failure), seconds: 0)
        }
    }

    private func lineText(at span: SourceSpan, in source: String) -> String {
        let line = SourcePosition(of: span.lower, in: source).line
        let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.indices.contains(line - 1) ? String(lines[line - 1]) : ""
    }

    /// A `name = literal` of a script whose value `-p` has replaced.
    private func isParameterAssignment(_ statement: Statement) -> Bool {
        guard let target = statement.target, parameters[target.name] != nil,
            case .expression(let node) = statement.body, node.isLiteral
        else { return false }
        // Only the first assignment is the script's default; a later assignment is an ordinary
        // statement.
        parameters[target.name] = nil
        return true
    }

    /// The key of the random numbers of the next statement. An expression is evaluated before its
    /// statement is journaled under this number.
    private var nextKey: RandomKey {
        RandomKey(seed: seed)
            .child(UInt64(replayedSequence ?? workspace.lastSequence + 1))
    }

    // MARK: One statement

    private func run(_ statement: Statement, _ program: Program) -> Outcome {
        let clock = ContinuousClock()
        let start = clock.now
        inputs = []
        inputFiles = []
        // All statements of a block have the budget that its journal line names.
        if block == nil { settings.resolveMemory(replayed: replayedMemory) }
        let result: Result<Output, Failure>
        do {
            var output =
                switch statement.body {
                case .expression(let node): try run(node, statement)
                case .command(let call): try run(call, statement, program.source)
                case .loop, .choice: try run(block: statement, program)
                case .function(let definition): try bind(Value(definition), statement)
                }
            let duration =
                statement.timed ? NumberText.duration((clock.now - start).seconds) : nil
            finish(&output, isHidden: statement.hidden, duration: duration)
            result = .success(output)
        } catch {
            result = .failure(failure(error, statement, program))
        }
        return Outcome(
            statement: statement.source, result: result,
            seconds: (clock.now - start).seconds, isInterrupted: interruption.isRequested)
    }

    /// Adds the notes to the displays. A hidden statement shows its notes alone.
    private func finish(_ output: inout Output, isHidden: Bool, duration: String?) {
        var lines = StyledText()
        for note in output.notes {
            for line in TextWidth.wrapped(note, to: appearance.columns) {
                lines.line(line, .warning)
            }
        }
        if let duration {
            lines.line(duration, .faint)
            output.notes.append(duration)
        }
        output.isHidden = isHidden
        if isHidden {
            // A note about skipped or stopped work is not output: `;` does not hide it.
            let notes = output.notes.joined(separator: "\n")
            output.displays = notes.isEmpty ? [] : [Display(StyledText(notes))]
        } else if !lines.isEmpty {
            let last = output.displays.popLast()
            output.displays.append(last?.followed(by: lines) ?? Display(lines))
        }
    }

    private func run(_ node: Node, _ statement: Statement) throws -> Output {
        if readsLastResult(node) { try journalPending() }
        try suggestVerb(node, statement)
        return try bind(try Evaluator(environment: self).value(of: node), statement)
    }

    /// Gives a value the names on the left of a statement. Several names take it apart.
    private func bind(_ value: Value, _ statement: Statement) throws -> Output {
        var notes: [String] = []
        if let target = statement.target {
            try requireWritable(at: target.span)
            let values = try Evaluator.parts(of: value, statement.targets)
            if block != nil {
                // A loop could otherwise nest a value too deep to be shown or stored.
                guard !value.isDeeper(than: 60) else {
                    throw LocatedError(
                        error: EvaluationError.other("lists nest more than 60 deep"),
                        span: target.span)
                }
                block?.bind(values, source: statement.source, inputs: inputs, files: inputFiles)
            } else {
                let start = ContinuousClock.now
                let sequence = try workspace.begin(
                    source: statement.source, seed: seedText, number: replayedSequence)
                notes = try commit(
                    sequence, bind: values, unbind: [],
                    seconds: (ContinuousClock.now - start).seconds)
                unjournaled = nil
            }
        } else if block == nil {
            unjournaled = statement.source
            // The next statement must not draw the same random numbers.
            if ExpressionRandomness.current.isUsed { try journalPending() }
        }
        lastResult = value
        let display = value.display(appearance)
        return Output(
            name: statement.target?.name, value: value,
            displays: statement.target == nil ? [display] : [], json: display.json, notes: notes)
    }

    /// A statement of a single unknown word is most often a mistyped verb.
    private func suggestVerb(_ node: Node, _ statement: Statement) throws {
        guard statement.target == nil, case .name(let word) = node.expression, word != "_",
            !isBound(word), maker(of: word) == nil, nearest(word, in: names) == nil,
            let verb = nearest(word, in: CommandTable.commands.map(\.name))
        else { return }
        throw LocatedError(
            error: EvaluationError.unknownName(word, nearest: verb, maker: nil), span: node.span)
    }

    private func run(
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

    private func finish(
        _ sequence: Int, _ form: Command.Form, _ call: CommandCall, _ statement: Statement,
        _ source: String
    ) throws -> Output {
        // A replay numbers its statements anew, but must draw the original random numbers.
        let number = replayedSequence ?? sequence
        let invocation = Invocation(
            session: self, call: call, source: source, targets: statement.targets,
            key: RandomKey(seed: seed).child(UInt64(number)), sequence: sequence)
        return output(of: try carryOut(form, invocation))
    }

    /// Runs a command and journals its end. If the user stopped it, also stores the state that
    /// `resume` needs.
    func carryOut(_ form: Command.Form, _ invocation: Invocation) throws -> CommandResult {
        let start = ContinuousClock.now
        let sequence = invocation.sequence
        do {
            var result = try form.run(invocation)
            rename(&result, invocation.targets)
            result.notes += stalenessNotes(of: inputs)
            result.sign(replayedSequence ?? sequence)
            guard sequence > 0 else { return result }
            let stopped = result.stopped.flatMap { keep($0, sequence, &result.notes) }
            result.notes += try commit(
                sequence, bind: result.bindings, unbind: result.unbind,
                seconds: (ContinuousClock.now - start).seconds, stopped: stopped)
            if stopped != nil { result.notes.append("`resume` continues it") }
            return result
        } catch {
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

    private func output(of result: CommandResult) -> Output {
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
