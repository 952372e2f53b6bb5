import CommandLanguage
import Commands
import Rendering
import Tensors
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
            let (explanation, text) = texts.next(statement, explains: explainsOutput)
            switch goOn(at: statement, program) {
            case .done: continue
            case .finished(let isWell):
                if isWell { continue }
                return false
            case .runs: break
            }
            explain(explanation)
            events(
                .started(
                    StartedStatement(
                        source: text, number: index + 1,
                        file: program.origin.file,
                        position: SourcePosition(
                            of: statement.span.lower, in: program.source,
                            firstLine: program.origin.firstLine),
                        depth: sourceDepth, isOfScript: sourceDepth > 0 && showsScript,
                        isStep: stepping != nil, isLook: isLook(statement),
                        verb: verb(of: statement))))
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
            if explainsOutput, index == program.statements.count - 1 { explain(texts.rest) }
        }
        return allWell
    }

    /// Whether the running script is shown, so that its explanations come after the outputs.
    private var explainsOutput: Bool { sourceDepth > 0 && showsScript }

    private func explain(_ text: String) {
        guard !text.isEmpty else { return }
        let lines = TextWidth.wrapped(text, to: appearance.columns - 2).map { "> " + $0 }
        events?(.display(Display(StyledText(lines.joined(separator: "\n"), .faint))))
    }

    private func verb(of statement: Statement) -> String? {
        if case .command(let call) = statement.body { call.verb.name } else { nil }
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
        if block?.recalled == nil {
            events?(
                .started(
                    StartedStatement(
                        source: statement.source, number: number, file: program.origin.file,
                        position: SourcePosition(
                            of: statement.span.lower, in: program.source,
                            firstLine: program.origin.firstLine),
                        depth: depth)))
        }
        return finished(statement, program)
    }

    func finished(_ statement: Statement, _ program: Program) -> Outcome {
        // Journaled first, it does not take the number under which this statement draws. If it
        // cannot be written, the statement says so.
        if block == nil, readsLastResult(statement) { try? journalPending() }
        // The expressions of a block draw from one sequence of random numbers.
        let randomness =
            block == nil ? ExpressionRandomness(key: nextKey) : ExpressionRandomness.current
        let outcome = ExpressionRandomness.$current.withValue(randomness) {
            Limits.$current.withValue(settings.limits) { run(statement, program) }
        }
        if case .success(let output) = outcome.result {
            // What a recalled statement shows was shown when it ran.
            if block?.recalled != nil { return outcome }
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

    // MARK: One statement

    private func run(_ statement: Statement, _ program: Program) -> Outcome {
        let clock = ContinuousClock()
        let start = clock.now
        inputs = []
        inputFiles = []
        // All statements of a block have the conditions that its journal line names.
        if block == nil { settings.resolve(replayed: replayedConditions) }
        defer { if block == nil { StoragePool.trimShared() } }
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
}
