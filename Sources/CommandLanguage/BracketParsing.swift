/// Brackets of expressions, the limits on nesting, and the errors about unexpected lexemes.
extension Parser {
    mutating func skip(_ symbol: String) -> Bool {
        guard peek().is(symbol) else { return false }
        advance()
        return true
    }

    /// Inside brackets blanks no longer separate operands. Returns the value that ``close`` must
    /// restore.
    mutating func enterBrackets(_ open: Lexeme) -> Bool {
        openBrackets.append(open)
        defer { amongOperands = false }
        return amongOperands
    }

    mutating func close(
        _ open: Lexeme, _ outer: Bool, expected: String
    ) throws(SyntaxError) -> SourceSpan {
        guard case .symbol(let bracket) = open.kind else { return open.span }
        let next = peek()
        guard next.is(Problem.closing(bracket)) else {
            throw unexpected(next, expected)
        }
        advance()
        openBrackets.removeLast()
        amongOperands = outer
        return next.span
    }

    /// The error for a lexeme at a place where another kind is expected.
    func unexpected(_ lexeme: Lexeme, _ expectation: String) -> SyntaxError {
        switch lexeme.kind {
        case .broken(let problem): return broken(problem, lexeme.span)
        case .end where !openBrackets.isEmpty:
            let open = openBrackets[openBrackets.count - 1]
            if case .symbol(let bracket) = open.kind {
                return SyntaxError(.unclosed(bracket: bracket), open.span)
            }
            return SyntaxError(.expected(expectation, found: "the end"), lexeme.span)
        case .symbol("=") where !openBrackets.isEmpty:
            return SyntaxError(.assignmentInExpression, lexeme.span, replacedBy: "==")
        case .symbol("//"): return SyntaxError(.commentMark, lexeme.span, replacedBy: "#")
        case .newline, .end, .semicolon:
            // There is nothing to point at, so the caret goes right after the last lexeme.
            return SyntaxError(
                .expected(expectation, found: lexeme.kind.described),
                SourceSpan(lower: position, upper: position))
        default:
            return SyntaxError(.expected(expectation, found: described(lexeme)), lexeme.span)
        }
    }

    func tooDeep(_ span: SourceSpan) -> SyntaxError {
        SyntaxError(.tooDeep(limit: CommandGrammar.nestingLimit), span)
    }

    func grown(
        _ expression: Expression, _ span: SourceSpan, over height: Int
    ) throws(SyntaxError) -> Tree {
        if height + 1 > CommandGrammar.nestingLimit { throw tooDeep(span) }
        return Tree(node: Node(expression, span: span), height: height + 1)
    }
}
