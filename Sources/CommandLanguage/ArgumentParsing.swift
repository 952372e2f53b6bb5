/// Reading of one operand or value, by its kind.
extension Parser {
    mutating func argument(
        _ kind: ArgumentKind, role: String, shownAs: String
    ) throws(SyntaxError) -> Argument {
        let next = peek()
        if case .broken(.unclosedText) = next.kind {
            if kind.isBare { note([.path], at: next.span.lower + 1, raw: true) }
            throw broken(.unclosedText, next.span)
        }
        // For every kind, a parenthesis opens an expression that gives the value. So does the
        // bracket of a list: a file whose name begins with one stands in quotes.
        if next.is("(") || next.is("[") && kind.isBare { return try expressionArgument(role) }
        switch kind {
        case .value, .object, .expression, .number, .text: return try expressionArgument(role)
        case .flag: return try flag(role, shownAs)
        case .name: return try nameArgument(role, shownAs)
        case .word, .topic:
            let (word, span, _) = try bareWord()
            return Argument(role: role, value: .word(word), span: span)
        case .words(let choices): return try choice(choices, orElse: nil, role, shownAs)
        case .path:
            let (path, span, _) = try bareWord()
            return Argument(role: role, value: .path(path), span: span)
        case .either(let choices, let other):
            return try either(choices, other, role: role, shownAs: shownAs)
        }
    }

    private mutating func expressionArgument(_ role: String) throws(SyntaxError) -> Argument {
        let node = try expression().node
        return Argument(role: role, value: .expression(node), span: node.span)
    }

    private mutating func flag(
        _ role: String, _ shownAs: String
    ) throws(SyntaxError) -> Argument {
        let next = peek()
        if let word = next.word,
            let meant = ["yes": "true", "on": "true", "no": "false", "off": "false"][
                word.lowercased()]
        {
            throw SyntaxError(
                .wrongWord(
                    role: shownAs, found: next.kind.described, words: ["true", "false"],
                    orElse: nil, nearest: meant),
                next.span, replacedBy: meant)
        }
        return try expressionArgument(role)
    }

    private mutating func nameArgument(
        _ role: String, _ shownAs: String
    ) throws(SyntaxError) -> Argument {
        let next = peek()
        switch next.kind {
        case .identifier(let word) where !Lexeme.reserved.contains(word):
            if grammar.isVerb(word) { throw verbAsValue(word, next.span) }
            advance()
            return Argument(role: role, value: .name(word), span: next.span)
        case .text(let text):
            advance()
            return Argument(role: role, value: .name(text), span: next.span)
        default: throw unexpected(next, "a name for \(shownAs)")
        }
    }

    private mutating func either(
        _ choices: [Choice], _ other: ArgumentKind, role: String, shownAs: String
    ) throws(SyntaxError) -> Argument {
        let next = peek()
        if let word = next.word, choices.contains(where: { $0.word == word }),
            standsAlone(next)
        {
            advance()
            return Argument(role: role, value: .word(word), span: next.span)
        }
        if case .words(let more) = other {
            return try choice(choices + more, orElse: nil, role, shownAs)
        }
        return try argument(other, role: role, shownAs: shownAs)
    }

    /// Whether a blank or the end follows, and no operator after the blank.
    private mutating func standsAlone(_ lexeme: Lexeme) -> Bool {
        guard lexer.bareWordEnd(lexeme.span.lower) == lexeme.span.upper else { return false }
        if case .symbol(let symbol) = peekSecond().kind {
            // `-1` may be the next operand; `- 1` continues this one.
            return BinaryOperator(rawValue: symbol) == nil
                || (["-", "+"].contains(symbol) && lexer.blankLength(peekSecond().span.upper) == 0)
        }
        return true
    }

    private mutating func choice(
        _ choices: [Choice], orElse: String?, _ role: String, _ shownAs: String
    ) throws(SyntaxError) -> Argument {
        let (word, span, inQuotes) = try bareWord()
        let words = choices.map(\.word)
        if let known = choices.first(where: { $0.otherSpellings.contains(word) }) {
            return Argument(role: role, value: .word(known.word), span: span)
        }
        guard words.contains(word) else {
            let near = nearest(word, in: words)
            throw SyntaxError(
                .wrongWord(
                    role: shownAs,
                    found: inQuotes ? "the text \"\(word.shortened)\"" : "`\(word.shortened)`",
                    words: words, orElse: orElse, nearest: near),
                span, edits: near.map { [.init(span: span, replacement: $0)] } ?? [])
        }
        return Argument(role: role, value: .word(word), span: span)
    }

    /// A word up to the next blank, or in quotes.
    private mutating func bareWord() throws(SyntaxError) -> (String, SourceSpan, inQuotes: Bool) {
        let next = peek()
        let lower = next.span.lower
        if case .text(let text) = next.kind {
            let end = next.span.upper
            if lexer.bareWordEnd(end) != end { throw quoteInside(lower) }
            advance()
            return (text, next.span, true)
        }
        if case .broken(let problem) = next.kind,
            lexer.byte(lower) == UInt8(ascii: "\"")
                || lexer.byte(lower) == UInt8(ascii: "'")
        {
            throw broken(problem, next.span)
        }
        if endsStatement(next) { throw unexpected(next, "a word") }
        let end = lexer.bareWordEnd(lower)
        let span = SourceSpan(lower: lower, upper: end)
        let word = lexer.text(span)
        if word.utf8.contains(UInt8(ascii: "\"")) { throw quoteInside(lower) }
        if word.hasSuffix("\\"), lexer.byte(end) == UInt8(ascii: " ") { throw escapedBlank(lower) }
        move(to: end)
        return (word, span, false)
    }

    private func quoteInside(_ lower: Int) -> SyntaxError {
        // `a/"b c"/d` up to the blank after the last quote.
        var end = lexer.bareWordEnd(lower)
        let limit = min(lexer.endOfLine(lower), lower + 400)
        while end < limit,
            lexer.bytes[lower..<end].count(where: { $0 == UInt8(ascii: "\"") }) % 2 == 1
        {
            end = lexer.bareWordEnd(end + 1)
        }
        end = min(end, lexer.count)
        let span = SourceSpan(lower: lower, upper: end)
        let plain = lexer.text(span).filter { $0 != "\"" }
        return SyntaxError(.quoteInsideWord, span, replacedBy: quoted(plain))
    }

    private func escapedBlank(_ lower: Int) -> SyntaxError {
        var end = lexer.bareWordEnd(lower)
        while end > lower, end < lower + 400, lexer.bytes[end - 1] == UInt8(ascii: "\\"),
            lexer.byte(end) == UInt8(ascii: " ")
        {
            end = lexer.bareWordEnd(end + 1)
        }
        let span = SourceSpan(lower: lower, upper: end)
        var plain = ""
        var escaped = false
        for character in lexer.text(span) {
            if character == "\\", !escaped {
                escaped = true
            } else {
                plain.append(character)
                escaped = false
            }
        }
        return SyntaxError(.escapedBlank, span, replacedBy: quoted(plain))
    }
}
