/// Reading of loops, choices and functions.
extension Parser {
    /// Largest nesting of blocks.
    static let blockLimit = 16

    /// Whether a statement ends before this lexeme.
    func endsStatement(_ lexeme: Lexeme) -> Bool {
        switch lexeme.kind {
        case .newline, .semicolon, .end: true
        case .symbol("}"): !openBlocks.isEmpty && openBrackets.isEmpty
        default: false
        }
    }

    /// `for x, y in list { … }`
    mutating func loop() throws(SyntaxError) -> Loop {
        advance()
        let names = try loopNames()
        guard peek().word == "in" else { throw unexpected(peek(), "`in` and a list") }
        advance()
        let list = try expression().node
        return Loop(names: names, list: list, body: try block())
    }

    /// The names between `for` and `in`.
    mutating func loopNames() throws(SyntaxError) -> [Identifier] {
        var names: [Identifier] = []
        repeat {
            let next = peek()
            guard let word = next.word else { throw unexpected(next, "a name for each item") }
            try refuseAsName(word, next.span)
            advance()
            names.append(Identifier(name: word, span: next.span))
        } while skip(",")
        return names
    }

    /// `if condition { … } else if condition { … } else { … }`
    mutating func choice() throws(SyntaxError) -> ConditionalBlocks {
        var choice = ConditionalBlocks(branches: [], otherwise: [])
        repeat {
            advance()
            let condition = try expression().node
            choice.branches.append(.init(condition: condition, body: try block()))
            guard peek().word == "else" else { return choice }
            advance()
        } while peek().word == "if"
        choice.otherwise = try block()
        return choice
    }

    /// The statements between `{` and `}`.
    private mutating func block() throws(SyntaxError) -> [Statement] {
        let open = peek()
        guard open.is("{") else {
            if open.is(":") { throw SyntaxError(.blockWithColon, open.span) }
            throw unexpected(open, "`{` and statements")
        }
        guard openBlocks.count < Parser.blockLimit else {
            throw SyntaxError(.tooDeep(limit: Parser.blockLimit), open.span)
        }
        advance()
        openBlocks.append(open)
        var statements: [Statement] = []
        var lineStart = 0
        while true {
            skipSeparators(&statements, &lineStart)
            let next = peek()
            if next.is("}") { break }
            if next.kind == .end {
                note([.verbs, .names, .functions], at: lexer.count)
                throw SyntaxError(.unclosed(bracket: "{"), open.span)
            }
            statements.append(try statement())
        }
        advance()
        openBlocks.removeLast()
        return statements
    }

    /// Whether `name(a, b) =` comes next.
    mutating func isFunctionDefinition() -> Bool {
        guard peek().name != nil, peekSecond().is("("), !peekSecond().afterBlank else {
            return false
        }
        var lexeme = lexer.lexeme(at: peekSecond().span.upper, insideBrackets: true)
        while lexeme.name != nil || lexeme.is(",") {
            lexeme = lexer.lexeme(at: lexeme.span.upper, insideBrackets: true)
        }
        return lexeme.is(")")
            && lexer.lexeme(at: lexeme.span.upper, insideBrackets: false).is("=")
    }

    /// `name(a, b) = expression`
    mutating func function() throws(SyntaxError) -> (Identifier, FunctionDefinition) {
        let first = advance()
        let name = first.word ?? ""
        try refuseAsName(name, first.span)
        if grammar.functions.contains(where: { $0.name == name }) {
            throw SyntaxError(.functionAsName(name), first.span, replacedBy: "my_\(name)")
        }
        advance()
        var parameters: [Identifier] = []
        while let word = peek().word {
            let span = peek().span
            try refuseAsName(word, span)
            if parameters.contains(where: { $0.name == word }) {
                throw SyntaxError(.repeatedKey(word), span)
            }
            advance()
            parameters.append(Identifier(name: word, span: span))
            guard skip(",") else { break }
        }
        guard skip(")"), skip("=") else { throw unexpected(peek(), "a parameter's name or `)`") }
        note([.names, .functions], at: peek().span.lower)
        let body = try expressionStatement(hasTarget: true)
        return (
            Identifier(name: name, span: first.span),
            FunctionDefinition(
                parameters: parameters, body: body,
                source: lexer.text(SourceSpan(lower: first.span.upper, upper: position)))
        )
    }

    /// Throws for a word that cannot name a value.
    func refuseAsName(_ word: String, _ span: SourceSpan) throws(SyntaxError) {
        if grammar.isVerb(word) {
            throw SyntaxError(.verbAsName(word), span, replacedBy: "my_\(word)")
        }
        if Lexeme.reserved.contains(word) {
            throw SyntaxError(.wordAsName(word), span, replacedBy: "my_\(word.lowercased())")
        }
        if word == "_" { throw SyntaxError(.lastResultAsName, span) }
    }
}
