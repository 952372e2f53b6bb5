/// Reading of a command with the table of its verb.
extension Parser {
    mutating func command() throws(SyntaxError) -> CommandCall {
        let verbLexeme = advance()
        guard let word = verbLexeme.word, let verb = grammar.verb(named: word) else {
            throw unexpected(verbLexeme, "a command")
        }
        try refuseUseAsValue(word, verbLexeme)
        let (form, selector) = try selectForm(of: verb, verbLexeme)
        var call = CommandCall(
            verb: Identifier(name: word, span: verbLexeme.span), form: selector, operands: [],
            options: [], span: verbLexeme.span)
        do throws(SyntaxError) {
            try arguments(of: form, into: &call)
        } catch {
            throw callWithBrackets(verbLexeme) ?? error
        }
        call.span.upper = position
        return call
    }

    /// `score.shape`, `score + 1`: the user means the value that the command makes.
    private mutating func refuseUseAsValue(_ word: String, _ lexeme: Lexeme) throws(SyntaxError) {
        let next = peek()
        if !next.afterBlank, next.is(".") || next.is("[") {
            throw verbAsValue(word, lexeme.span)
        }
        if case .broken(.unknownCharacter("?")) = next.kind, !next.afterBlank {
            throw SyntaxError(.helpMark(verb: word), next.span)
        }
        let takesBareWord = grammar.verb(named: word)?.forms.contains { form in
            form.operands.first?.kind.isBare == true
        }
        guard takesBareWord != true else { return }
        let isOperator =
            switch next.kind {
            case .symbol(let symbol):
                !endsStatement(next)
                    && !["-", "+", "(", "[", "{", ",", ")", "=", "."].contains(symbol)
            case .identifier(let word): ["and", "or", "in", "if"].contains(word)
            default: false
            }
        let isSpacedSign =
            (next.is("-") || next.is("+")) && lexer.blankLength(next.span.upper) > 0
        if isOperator || isSpacedSign { throw verbAsValue(word, lexeme.span) }
    }

    // MARK: Forms

    private mutating func selectForm(
        of verb: CommandSignature, _ verbLexeme: Lexeme
    ) throws(SyntaxError) -> (CommandForm, Identifier?) {
        let selectors = verb.selectors
        let plain = verb.forms.first { $0.selector == nil }
        guard !selectors.isEmpty else { return (plain ?? CommandForm(nil, verb.summary), nil) }
        let next = peek()
        note([.words(selectors)], at: next.span.lower, afterBlank: true)
        if let word = next.word, !keyFollows(),
            lexer.bareWordEnd(next.span.lower) == next.span.upper,
            let form = verb.forms.first(where: { $0.selector == word })
        {
            advance()
            return (form, Identifier(name: word, span: next.span))
        }
        let words = selectors.map(\.word)
        if let plain {
            let takesOperands = !plain.operands.isEmpty
            guard let word = next.word, !keyFollows(), !takesOperands,
                let near = nearest(word, in: words)
            else { return (plain, nil) }
            throw SyntaxError(
                .unknownForm(
                    verb: verb.name, found: described(next), forms: words, nearest: near),
                next.span, replacedBy: near)
        }
        if endsStatement(next) {
            throw SyntaxError(
                .missingForm(verb: verb.name, forms: words),
                SourceSpan(lower: position, upper: position))
        }
        let near = next.word.flatMap { nearest($0, in: words) }
        throw SyntaxError(
            .unknownForm(verb: verb.name, found: described(next), forms: words, nearest: near),
            next.span, edits: near.map { [.init(span: next.span, replacement: $0)] } ?? [])
    }

    /// Whether `key =` comes next.
    private mutating func keyFollows() -> Bool { peek().word != nil && peekSecond().is("=") }

    // MARK: Arguments

    private mutating func arguments(
        of form: CommandForm, into call: inout CommandCall
    ) throws(SyntaxError) {
        var nextOperand = 0
        while true {
            amongOperands = true
            let next = peek()
            noteArgument(form, nextOperand, call)
            if endsStatement(next) { break }
            if next.is(",") {
                // `epochs=1,5`: without the comma the second value would be an operand.
                if let last = call.options.last, last.value.span.upper == position,
                    !form.options.contains(where: { $0.key == peekSecond().word })
                {
                    throw SyntaxError(.commaAfterOption(last.key.name), next.span)
                }
                let isSpaced = lexer.blankLength(next.span.upper) > 0
                throw SyntaxError(
                    .commaBetweenOperands, next.span, replacedBy: isSpaced ? "" : " ")
            }
            if !next.afterBlank, !next.is("(") || position != call.verb.span.upper {
                throw leftover(
                    after: Node(.null, span: call.span), hasTarget: true)
            }
            if keyFollows() {
                try option(of: form, into: &call)
            } else {
                try operand(of: form, &nextOperand, into: &call)
            }
        }
        amongOperands = false
        for operand in form.operands
        where operand.isRequired && call.operand(operand.name) == nil {
            throw SyntaxError(
                .missingOperand(
                    command: call.title, role: operand.name, kind: operand.kind.described,
                    usage: form.usage(verb: call.verb.name)),
                SourceSpan(lower: position, upper: position))
        }
    }

    private mutating func option(
        of form: CommandForm, into call: inout CommandCall
    ) throws(SyntaxError) {
        let lexeme = advance()
        let name = lexeme.word ?? ""
        advance()
        guard let specification = form.options.first(where: { $0.key == name }) else {
            let keys = form.options.map(\.key)
            let near = nearest(name, in: keys)
            throw SyntaxError(
                .unknownKey(command: call.title, key: name, keys: keys, nearest: near), lexeme.span,
                edits: near.map { [.init(span: lexeme.span, replacement: $0)] } ?? [])
        }
        if call.option(name) != nil { throw SyntaxError(.repeatedKey(name), lexeme.span) }
        note(wants(specification.kind), at: peek().span.lower, raw: specification.kind.isBare)
        if endsStatement(peek()) {
            throw SyntaxError(
                .missingValue(key: name, kind: specification.kind.described),
                SourceSpan(lower: position, upper: position))
        }
        let value = try argument(specification.kind, role: name, shownAs: "`\(name)`")
        call.options.append(
            .init(key: Identifier(name: name, span: lexeme.span), value: value))
    }

    private mutating func operand(
        of form: CommandForm, _ nextOperand: inout Int, into call: inout CommandCall
    ) throws(SyntaxError) {
        let next = peek()
        // A missing optional word leaves its place to the next operand.
        while nextOperand + 1 < form.operands.count, !form.operands[nextOperand].isRequired,
            case .words(let choices) = form.operands[nextOperand].kind,
            !choices.contains(where: { $0.word == next.word })
        {
            nextOperand += 1
        }
        if nextOperand + 1 < form.operands.count, form.operands[nextOperand].repeats,
            call.operand(form.operands[nextOperand].name) != nil,
            isPath(next, form.operands[nextOperand + 1])
        {
            nextOperand += 1
        }
        guard nextOperand < form.operands.count else { throw tooMany(form, call) }
        let specification = form.operands[nextOperand]
        if specification.kind.takesNoBareWord, let word = next.word,
            let option = form.options.first(where: { $0.key == word }), case .flag = option.kind,
            endsStatement(peekSecond()) || peekSecond().afterBlank
        {
            throw keyWithoutValue(option, next.span)
        }
        pathFollows =
            nextOperand + 1 < form.operands.count && form.operands[nextOperand + 1].kind.isBare
        defer { pathFollows = false }
        let argument = try argument(
            specification.kind, role: specification.name,
            shownAs: "\(specification.name.uppercased()) of `\(call.title)`")
        call.operands.append(argument)
        if !specification.repeats { nextOperand += 1 }
    }

    /// Whether an operand after one that repeats is the path that may follow it: by its extension,
    /// or by a beginning that no expression has.
    private func isPath(_ next: Lexeme, _ specification: OperandSpecification) -> Bool {
        var word = lexer.text(
            SourceSpan(lower: next.span.lower, upper: lexer.bareWordEnd(next.span.lower)))
        if case .text(let text) = next.kind {
            word = text
        } else if ["/", "~", "./", "../"].contains(where: word.hasPrefix) {
            return true
        }
        guard let dot = word.lastIndex(of: ".") else { return false }
        return specification.extensions.contains(word[word.index(after: dot)...].lowercased())
    }

    private mutating func tooMany(_ form: CommandForm, _ call: CommandCall) -> SyntaxError {
        let next = peek()
        if case .broken(let problem) = next.kind { return broken(problem, next.span) }
        if let word = next.word, let option = form.options.first(where: { $0.key == word }) {
            return keyWithoutValue(option, next.span)
        }
        // `generate once upon a time`: text without its quotes.
        if let last = call.operands.last,
            let operand = form.operands.first(where: { $0.name == last.role }),
            case .text = operand.kind, case .expression(let node) = last.value,
            case .name = node.expression
        {
            var end = lexer.endOfLine(last.span.lower)
            while end > last.span.upper,
                lexer.blankLength(end - 1) > 0 || lexer.byte(end - 1) == UInt8(ascii: ";")
            {
                end -= 1
            }
            let whole = SourceSpan(lower: last.span.lower, upper: end)
            return SyntaxError(
                .textNeedsQuotes, whole, replacedBy: quoted(lexer.text(whole)))
        }
        return SyntaxError(
            .tooManyOperands(
                command: call.title, most: form.operands.count,
                usage: form.usage(verb: call.verb.name)),
            SourceSpan(lower: next.span.lower, upper: lexer.bareWordEnd(next.span.lower)))
    }

    private func keyWithoutValue(
        _ option: OptionSpecification, _ span: SourceSpan
    ) -> SyntaxError {
        if case .flag = option.kind {
            let whole = "\(option.key)=true"
            return SyntaxError(
                .keyWithoutValue(option.key, example: "`\(whole)`"), span, replacedBy: whole)
        }
        var example = "`\(option.key)=…`, which is \(option.kind.described.words)"
        if case .words(let choices) = option.kind, let first = choices.first {
            example = "`\(option.key)=\(first.word)`"
        }
        return SyntaxError(.keyWithoutValue(option.key, example: example), span)
    }

    /// `rollout(queries, temperature=0.7)`: a command written like a function.
    private func callWithBrackets(_ verb: Lexeme) -> SyntaxError? {
        let open = SourceSpan(lower: verb.span.upper, upper: verb.span.upper + 1)
        guard lexer.byte(open.lower) == UInt8(ascii: "("), let word = verb.word,
            let parts = bracketedParts(open)
        else { return nil }
        let isEmpty = lexer.skipBlanks(open.upper, lineBreaks: true) == parts.close.lower
        let edits =
            [SyntaxError.Edit(span: open, replacement: isEmpty ? "" : " ")]
            + parts.commas.map {
                .init(span: $0, replacement: lexer.blankLength($0.upper) > 0 ? "" : " ")
            }
            + [.init(span: parts.close, replacement: "")]
        return SyntaxError(.bracketsAroundOperands(verb: word), open, edits: edits)
    }

    /// The bracket that closes the one at a place, and the commas directly between them.
    func bracketedParts(_ open: SourceSpan) -> (close: SourceSpan, commas: [SourceSpan])? {
        var depth = 0
        var commas: [SourceSpan] = []
        var offset = open.lower
        // A suggestion is not worth an unbounded search.
        while offset < min(lexer.count, open.lower + 4000) {
            let lexeme = lexer.lexeme(at: offset, insideBrackets: true)
            switch lexeme.kind {
            case .symbol("("), .symbol("["), .symbol("{"): depth += 1
            case .symbol(")"), .symbol("]"), .symbol("}"):
                depth -= 1
                if depth == 0 { return (lexeme.span, commas) }
            case .symbol(","): if depth == 1 { commas.append(lexeme.span) }
            case .end: return nil
            default: break
            }
            offset = lexeme.span.upper
        }
        return nil
    }
}

extension ArgumentKind {
    /// Whether the argument is read as a bare word, not as an expression.
    var isBare: Bool {
        switch self {
        case .word, .words, .path, .name, .topic: true
        case .either(_, let other): other.isBare
        case .value, .object, .expression, .number, .text, .flag: false
        }
    }

    fileprivate var takesNoBareWord: Bool {
        switch self {
        case .value, .object, .expression, .number, .text, .flag: true
        default: false
        }
    }
}
