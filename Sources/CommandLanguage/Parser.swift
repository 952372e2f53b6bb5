/// Reads statements by recursive descent; the lexer supplies lexemes on demand.
struct Parser {
    let grammar: CommandGrammar
    let source: String
    let lexer: Lexer
    /// The end of the last lexeme that was consumed.
    var position = 0
    private var lookahead: Lexeme?
    /// Inside brackets line breaks are blanks.
    var openBrackets: [Lexeme] = [] { didSet { lookahead = nil } }
    /// The `{` of the loops and choices around the present place.
    var openBlocks: [Lexeme] = []
    /// Number of brackets, signs and right-associative operators around the present place.
    var nesting = 0
    /// Whether the parser is directly among the operands of a command, where a blank can separate
    /// two values.
    var amongOperands = false
    /// Whether the operand after this one is a path, which may begin with a slash.
    var pathFollows = false
    /// Records the possible continuations at the end of the source, for completion.
    var probe: CompletionProbe?

    init(_ grammar: CommandGrammar, _ source: String) {
        self.grammar = grammar
        self.source = source
        lexer = Lexer(source)
    }

    // MARK: Lexemes

    mutating func peek() -> Lexeme {
        if let lookahead { return lookahead }
        let next = lexer.lexeme(at: position, insideBrackets: !openBrackets.isEmpty)
        lookahead = next
        return next
    }

    @discardableResult
    mutating func advance() -> Lexeme {
        let next = peek()
        move(to: next.span.upper)
        return next
    }

    mutating func move(to offset: Int) {
        position = offset
        lookahead = nil
    }

    /// The lexeme after the next one.
    mutating func peekSecond() -> Lexeme {
        lexer.lexeme(at: peek().span.upper, insideBrackets: !openBrackets.isEmpty)
    }

    // MARK: Blocks

    mutating func program(_ origin: SourceOrigin = .prompt) -> Program {
        var statements: [Statement] = []
        var diagnostics: [Diagnostic] = []
        var isIncomplete = false
        var lineStart = 0
        var omitted = 0
        while true {
            skipSeparators(&statements, &lineStart)
            let start = peek().span.lower
            if start == lexer.count {
                noteEmptyStatement()
                break
            }
            do throws(SyntaxError) {
                statements.append(try statement())
            } catch {
                guard diagnostics.count < Program.diagnosticLimit else {
                    omitted += 1
                    recover(from: max(position, start))
                    continue
                }
                var diagnostic = Diagnostic(error)
                diagnostic.corrected = grammar.corrected(source, from: start, error)
                diagnostics.append(diagnostic)
                isIncomplete = error.isIncomplete
                if isIncomplete { break }
                recover(from: max(position, start))
            }
        }
        return Program(
            source: source, origin: origin, statements: statements, diagnostics: diagnostics,
            omittedDiagnostics: omitted,
            completeness: diagnostics.isEmpty
                ? .complete
                : isIncomplete && diagnostics.count == 1
                    ? .incomplete(diagnostics[0].message) : .invalid)
    }

    /// The first statement only; nil if there is none.
    mutating func firstStatement() throws(SyntaxError) -> Statement? {
        var none: [Statement] = []
        var lineStart = 0
        skipSeparators(&none, &lineStart)
        return peek().span.lower == lexer.count ? nil : try statement()
    }

    /// Skips `;` and line ends. A `;` with nothing after it on its line hides that line's output.
    mutating func skipSeparators(_ statements: inout [Statement], _ lineStart: inout Int) {
        while true {
            switch peek().kind {
            case .semicolon:
                advance()
                let next = peek()
                if next.kind != .semicolon, endsStatement(next) {
                    for index in lineStart..<statements.count { statements[index].hidden = true }
                }
            case .newline:
                advance()
                lineStart = statements.count
            default: return
            }
        }
    }

    /// Goes on after the line with an error, or after the block that the error is in.
    private mutating func recover(from offset: Int) {
        var depth = openBlocks.count
        openBrackets = []
        openBlocks = []
        nesting = 0
        amongOperands = false
        move(to: depth == 0 ? lexer.endOfLine(offset) : offset)
        while depth > 0 {
            switch advance().kind {
            case .symbol("{"): depth += 1
            case .symbol("}"): depth -= 1
            case .end: return
            default: continue
            }
        }
    }

    // MARK: Statements

    mutating func statement() throws(SyntaxError) -> Statement {
        let start = peek().span.lower
        try refusePrompt()
        note([.verbs, .names, .functions], at: start)
        var timed = false
        if peek().word == "time", !peekSecond().is("=") {
            advance()
            timed = true
            note([.verbs, .names, .functions], at: peek().span.lower, afterBlank: true)
            if endsStatement(peek()) {
                throw SyntaxError(
                    .expected("a statement after `time`", found: peek().kind.described),
                    peek().span)
            }
        }
        var targets = try assignmentTargets(statementStart: start)
        let body: Statement.Body
        switch peek().word {
        case "for" where targets.isEmpty: body = .loop(try loop())
        case "if" where targets.isEmpty: body = .choice(try choice())
        case "else": throw SyntaxError(.elseAlone, peek().span)
        case let word? where grammar.verb(named: word) != nil: body = .command(try command())
        default:
            if targets.isEmpty, isFunctionDefinition() {
                let (name, function) = try function()
                targets = [name]
                body = .function(function)
            } else if targets.isEmpty, let (name, node) = try addition() {
                targets = [name]
                body = .expression(node)
            } else {
                let node = try expressionStatement(hasTarget: !targets.isEmpty)
                if case .replacement(let part, _) = node.expression, let owner = part.partOwner {
                    targets = [owner]
                }
                body = .expression(node)
            }
        }
        let span = SourceSpan(lower: start, upper: position)
        if !endsStatement(peek()) {
            throw leftover(after: Node(.null, span: span), hasTarget: true)
        }
        return Statement(
            targets: targets, body: body, hidden: false, timed: timed, span: span,
            source: lexer.text(span))
    }

    /// A statement that was copied from a terminal still has the prompt before it.
    private mutating func refusePrompt() throws(SyntaxError) {
        let first = peek()
        guard first.word == "sami", peekSecond().is(">"),
            peekSecond().span.lower == first.span.upper
        else { return }
        var end = peekSecond().span.upper
        while lexer.blankLength(end) > 0 { end += lexer.blankLength(end) }
        throw SyntaxError(
            .pastedPrompt,
            SourceSpan(lower: first.span.lower, upper: peekSecond().span.upper),
            edits: [
                .init(span: SourceSpan(lower: first.span.lower, upper: end), replacement: "")
            ])
    }

    /// Whether `name =` or `name, name =` comes next.
    private mutating func isAssignment() -> Bool {
        var lexeme = peek()
        while lexeme.word != nil {
            let next = lexer.lexeme(at: lexeme.span.upper, insideBrackets: false)
            if next.is("=") { return true }
            guard next.is(",") else { return false }
            lexeme = lexer.lexeme(at: next.span.upper, insideBrackets: false)
        }
        return false
    }

    /// Reads `name =` or `name, name =` at the start of a statement, if it is there.
    private mutating func assignmentTargets(
        statementStart: Int
    ) throws(SyntaxError) -> [Identifier] {
        guard isAssignment() else { return [] }
        var targets: [Identifier] = []
        repeat {
            let lexeme = peek()
            let word = lexeme.word ?? ""
            try refuseAsName(word, lexeme.span)
            if targets.contains(where: { $0.name == word }) {
                throw SyntaxError(.repeatedKey(word), lexeme.span)
            }
            advance()
            targets.append(Identifier(name: word, span: lexeme.span))
        } while skip(",")
        advance()
        let next = peek()
        note([.verbs, .names, .functions], at: next.span.lower)
        if next.word == "time", !peekSecond().is("=") {
            throw SyntaxError(
                .timeNotFirst, next.span,
                edits: [
                    .init(
                        span: SourceSpan(lower: next.span.lower, upper: peekSecond().span.lower),
                        replacement: ""),
                    .init(
                        span: SourceSpan(lower: statementStart, upper: statementStart),
                        replacement: "time "),
                ])
        }
        return targets
    }

    mutating func expressionStatement(hasTarget: Bool) throws(SyntaxError) -> Node {
        let first = peek()
        let second = peekSecond()
        do throws(SyntaxError) {
            var node = try expression().node
            if !hasTarget, node.partOwner != nil {
                if peek().is("=") || augmentingOperator(peek()) != nil {
                    node = try replacement(of: node)
                }
            }
            if !endsStatement(peek()) { throw leftover(after: node, hasTarget: hasTarget) }
            return node
        } catch {
            if !error.isIncomplete, let name = first.name, second.afterBlank,
                second.couldBeOperand
            {
                throw unknownCommand(name, first.span)
            }
            throw error
        }
    }

    /// The error for further input after an expression.
    mutating func leftover(after node: Node, hasTarget: Bool) -> SyntaxError {
        let next = peek()
        switch next.kind {
        case .broken(let problem): return broken(problem, next.span)
        case .text where node.expression == .name("f") && node.span.upper == next.span.lower:
            return SyntaxError(.textWithValues, node.span.union(next.span))
        case .symbol("="):
            return hasTarget
                ? SyntaxError(.assignmentInExpression, next.span, replacedBy: "==")
                : SyntaxError(.badTarget, node.span)
        case _ where augmentingOperator(next) != nil: return SyntaxError(.badTarget, node.span)
        case .symbol(")"), .symbol("]"), .symbol("}"):
            if case .symbol(let bracket) = next.kind {
                return SyntaxError(.unopened(bracket: bracket), next.span, replacedBy: "")
            }
        case .symbol(","): return SyntaxError(.tuple, next.span)
        default: break
        }
        return SyntaxError(.expectedEnd(found: described(next)), next.span)
    }

    /// The error for an unreadable lexeme, with the correct spelling.
    func broken(_ problem: Problem, _ span: SourceSpan) -> SyntaxError {
        switch problem {
        case .operatorSpelling("!", "not"):
            // `!ls`, as in notebooks.
            if lexer.bytes[..<span.lower].last(where: { $0 != UInt8(ascii: " ") })
                .map({ $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: ";") }) ?? true
            {
                return SyntaxError(.shellCommand, span)
            }
            return SyntaxError(problem, span, replacedBy: "not ")
        case .operatorSpelling(_, let use) where use != "\"" && use != "'":
            return SyntaxError(problem, span, replacedBy: use)
        case .operatorSpelling(let found, let use):
            // Curly quotes come in pairs, so correct the closing quote too.
            var edits = [SyntaxError.Edit(span: span, replacement: use)]
            var offset = span.upper
            while offset < lexer.endOfLine(span.upper), let (scalar, length) = lexer.scalar(offset)
            {
                if OperatorSpelling.use[String(Character(scalar))] == use {
                    edits.append(
                        .init(
                            span: SourceSpan(lower: offset, upper: offset + length),
                            replacement: use))
                    break
                }
                offset += length
            }
            return SyntaxError(.operatorSpelling(found: found, use: use), span, edits: edits)
        case .unclosedText:
            return SyntaxError(problem, SourceSpan(lower: span.lower, upper: span.lower + 1))
        case .unknownEscape(let escape):
            // The whole text is one lexeme; the fault is in the sequence inside it.
            var lower = span.lower
            while lower < span.upper, !lexer.bytes[lower...].starts(with: escape.utf8) {
                lower += 1
            }
            return SyntaxError(
                problem, SourceSpan(lower: lower, upper: lower + escape.utf8.count),
                replacedBy: "\\" + escape)
        case .unknownCharacter("?"):
            // `?load`, as in other shells.
            let topic = lexer.lexeme(at: span.upper, insideBrackets: false).word
            if lexer.bytes[span.upper..<lexer.endOfLine(span.upper)].contains(UInt8(ascii: ":")) {
                return SyntaxError(.questionMark, span)
            }
            return SyntaxError(
                .helpMark(verb: topic.flatMap { grammar.isVerb($0) ? $0 : nil }), span)
        default: return SyntaxError(problem, span)
        }
    }

    /// The description of an unexpected lexeme in a diagnostic; a number as the user wrote it.
    func described(_ lexeme: Lexeme) -> String {
        if case .number = lexeme.kind { return "`\(lexer.text(lexeme.span).shortened)`" }
        return lexeme.kind.described
    }

    private func unknownCommand(_ name: String, _ span: SourceSpan) -> SyntaxError {
        if ForeignWord.advice(name) != nil {
            return SyntaxError(.unknownCommand(name, nearest: nil), span)
        }
        if grammar.functions.contains(where: { $0.name == name }) {
            return SyntaxError(.functionWithoutBrackets(name), span)
        }
        if let near = nearest(name, in: grammar.verbNames) {
            return SyntaxError(
                .unknownCommand(name, nearest: near), span, replacedBy: near)
        }
        // `queries ../posts.jsonl`: the user forgot the verb.
        for verb in grammar.verbs where verb.selectors.contains(where: { $0.word == name }) {
            let whole = "\(verb.name) \(name)"
            return SyntaxError(.unknownCommand(name, nearest: whole), span, replacedBy: whole)
        }
        return SyntaxError(.unknownCommand(name, nearest: nil), span)
    }
}

extension Lexeme {
    /// Whether it could open an operand but cannot continue an expression.
    fileprivate var couldBeOperand: Bool {
        switch kind {
        case .identifier(let word): !["and", "or", "in", "not", "if", "else", "for"].contains(word)
        case .number, .text, .symbol("."), .symbol("{"), .broken(.unknownCharacter("~")): true
        default: false
        }
    }
}
