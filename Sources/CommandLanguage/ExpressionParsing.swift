/// An expression with the height of its tree. The height is limited, so that code which walks the
/// tree may recurse.
struct Tree {
    var node: Node
    var height = 1
}

extension Parser {
    mutating func expression() throws(SyntaxError) -> Tree {
        let value = try binary(minimum: 1)
        guard peek().word == "if" else { return value }
        nesting += 1
        if nesting > CommandGrammar.nestingLimit { throw tooDeep(peek().span) }
        advance()
        let condition = try binary(minimum: 1)
        guard peek().word == "else" else {
            throw unexpected(peek(), "`else` and the other value")
        }
        advance()
        let otherwise = try expression()
        nesting -= 1
        return try grown(
            .conditional(
                condition: condition.node, value: value.node, otherwise: otherwise.node),
            value.node.span.union(otherwise.node.span),
            over: max(value.height, condition.height, otherwise.height))
    }

    /// Precedence climbing: reads operators that bind at least as tightly as `minimum`.
    private mutating func binary(minimum: Int) throws(SyntaxError) -> Tree {
        nesting += 1
        if nesting > CommandGrammar.nestingLimit { throw tooDeep(peek().span) }
        var left = try unary()
        while let operation = binaryOperator(peek()), operation.precedence >= minimum {
            if startsOperand(peek()) { break }
            advance()
            if operation == .isNotIn { advance() }
            let right = try binary(
                minimum: operation == .power ? operation.precedence : operation.precedence + 1)
            let span = left.node.span.union(right.node.span)
            left = try grown(
                .binary(operation, left.node, right.node), span,
                over: max(left.height, right.height))
            if operation.isComparison, let next = binaryOperator(peek()), next.isComparison {
                throw SyntaxError(
                    .chainedComparison, peek().span,
                    edits: [
                        .init(
                            span: SourceSpan(
                                lower: right.node.span.upper, upper: peek().span.lower),
                            replacement: " and \(lexer.text(right.node.span)) ")
                    ])
            }
        }
        nesting -= 1
        return left
    }

    private mutating func binaryOperator(_ lexeme: Lexeme) -> BinaryOperator? {
        switch lexeme.kind {
        case .symbol(let symbol): BinaryOperator(rawValue: symbol)
        case .identifier("and"): .and
        case .identifier("or"): .or
        case .identifier("in"): .isIn
        case .identifier("not"): peekSecond().word == "in" ? .isNotIn : nil
        default: nil
        }
    }

    /// Among operands, `a -1` is two operands and `a - 1` is one, as in matrices of Octave. `a` and
    /// `/b` are two operands if a path may come next.
    private func startsOperand(_ lexeme: Lexeme) -> Bool {
        amongOperands && lexeme.afterBlank
            && (lexeme.is("-") || lexeme.is("+")
                || pathFollows && (lexeme.is("/") || lexeme.is("//")))
            && lexer.blankLength(lexeme.span.upper) == 0
            && lexer.byte(lexeme.span.upper) != UInt8(ascii: "\n")
    }

    private mutating func unary() throws(SyntaxError) -> Tree {
        let first = peek()
        let operation: UnaryOperator
        let minimum: Int
        switch first.kind {
        case .symbol("-"): (operation, minimum) = (.minus, UnaryPrecedence.sign)
        case .symbol("+"): (operation, minimum) = (.plus, UnaryPrecedence.sign)
        case .identifier("not"): (operation, minimum) = (.not, UnaryPrecedence.not)
        default: return try postfix()
        }
        advance()
        let operand = try binary(minimum: minimum)
        return try grown(
            .unary(operation, operand.node), first.span.union(operand.node.span),
            over: operand.height)
    }

    private mutating func postfix() throws(SyntaxError) -> Tree {
        var base = try primary()
        while true {
            let next = peek()
            if amongOperands, next.afterBlank { return base }
            if next.is(".") {
                base = try field(of: base)
            } else if next.is("[") {
                base = try index(of: base)
            } else if next.is("("), !next.afterBlank {
                throw SyntaxError(.callOfValue, base.node.span)
            } else {
                return base
            }
        }
    }

    private mutating func field(of base: Tree) throws(SyntaxError) -> Tree {
        let dot = advance()
        let next = peek()
        note([.fields(of: base.node)], at: dot.span.upper)
        guard let word = next.word else {
            throw unexpected(next, "a field name after `.`")
        }
        advance()
        if peek().is("("), !peek().afterBlank {
            let call = SourceSpan(lower: dot.span.lower, upper: peek().span.upper)
            let before = SourceSpan(lower: base.node.span.lower, upper: base.node.span.lower)
            let separator = peekSecond().is(")") ? "" : ", "
            throw SyntaxError(
                .methodCall(word), next.span,
                edits: [
                    .init(span: before, replacement: "\(word)("),
                    .init(span: call, replacement: separator),
                ])
        }
        return try grown(
            .field(base.node, Identifier(name: word, span: next.span)),
            base.node.span.union(next.span), over: base.height)
    }

    private mutating func index(of base: Tree) throws(SyntaxError) -> Tree {
        let open = advance()
        let outer = enterBrackets(open)
        noteItems(of: base.node)
        var subscripts: [Subscript] = []
        var height = base.height
        repeat {
            if peek().is("]"), !subscripts.isEmpty { break }
            subscripts.append(try oneSubscript(&height))
        } while skip(",")
        let end = try close(open, outer, expected: "`,` or `]`")
        return try grown(
            .index(base.node, subscripts), base.node.span.union(end), over: height)
    }

    private mutating func oneSubscript(_ height: inout Int) throws(SyntaxError) -> Subscript {
        let start = peek().span
        if peek().is("..."), let next = lexer.byte(start.upper), next != UInt8(ascii: ".") {
            advance()
            return .rest(start)
        }
        var parts: [Node?] = []
        var colons = 0
        while true {
            if peek().is(":"), colons < 2 {
                if parts.count == colons { parts.append(nil) }
                colons += 1
                advance()
                continue
            }
            if parts.count > colons || peek().is(",") || peek().is("]") { break }
            let part = try expression()
            height = max(height, part.height)
            parts.append(part.node)
        }
        if colons == 0 {
            if let node = parts.first ?? nil { return .at(node) }
            throw unexpected(peek(), "an index")
        }
        while parts.count < 3 { parts.append(nil) }
        return .slice(
            lower: parts[0], upper: parts[1], step: parts[2],
            span: SourceSpan(lower: start.lower, upper: position))
    }

    private mutating func primary() throws(SyntaxError) -> Tree {
        let next = peek()
        note([.names, .functions], at: next.span.lower)
        switch next.kind {
        case .number(let value):
            advance()
            return Tree(node: Node(.number(value), span: next.span))
        case .text(let text):
            advance()
            return Tree(node: Node(.text(text), span: next.span))
        case .identifier(let word): return try name(word, next)
        case .symbol("("): return try parenthesized()
        case .symbol("["): return try list()
        case .symbol("{"): return try record()
        default: throw unexpected(next, "a value")
        }
    }

    private mutating func name(_ word: String, _ lexeme: Lexeme) throws(SyntaxError) -> Tree {
        let constant: Expression? =
            switch word {
            case "true", "True": .bool(true)
            case "false", "False": .bool(false)
            case "null", "None": .null
            default: nil
            }
        if let constant {
            advance()
            return Tree(node: Node(constant, span: lexeme.span))
        }
        if Lexeme.reserved.contains(word) { throw unexpected(lexeme, "a value") }
        let after = peekSecond()
        let isCall = after.is("(") && !(amongOperands && after.afterBlank)
        let isKnownFunction = grammar.functions.contains { $0.name == word }
        if grammar.isVerb(word), !(isCall && isKnownFunction) {
            throw verbAsValue(word, lexeme.span)
        }
        advance()
        if isCall { return try call(Identifier(name: word, span: lexeme.span)) }
        return Tree(node: Node(.name(word), span: lexeme.span))
    }

    func verbAsValue(_ word: String, _ span: SourceSpan) -> SyntaxError {
        let makes = grammar.verb(named: word)?.makes ?? []
        return SyntaxError(
            .verbAsValue(word, makes: makes), span,
            edits: makes.first.map { [.init(span: span, replacement: $0)] } ?? [])
    }

    private mutating func call(_ function: Identifier) throws(SyntaxError) -> Tree {
        let known = grammar.functions.first { $0.name == function.name }
        let open = advance()
        let outer = enterBrackets(open)
        var arguments: [CallArgument] = []
        var height = 0
        repeat {
            if peek().is(")") { break }
            if let known, !known.keys.isEmpty { note([.keys(known.keys)], at: peek().span.lower) }
            var key: Identifier?
            let first = peek()
            if let word = first.word, peekSecond().is("=") {
                key = Identifier(name: word, span: first.span)
                if arguments.contains(where: { $0.key?.name == word }) {
                    throw SyntaxError(.repeatedKey(word), first.span)
                }
                advance()
                advance()
            }
            let value = try expression()
            height = max(height, value.height)
            arguments.append(CallArgument(key: key, value: value.node))
        } while skip(",")
        let end = try close(open, outer, expected: "`,` or `)`")
        return try grown(.call(function, arguments), function.span.union(end), over: height)
    }

    private mutating func parenthesized() throws(SyntaxError) -> Tree {
        let open = advance()
        let outer = enterBrackets(open)
        var inner = try expression()
        if peek().is(",") {
            throw SyntaxError(.tuple, open.span, edits: tupleEdits(open.span))
        }
        let end = try close(open, outer, expected: "`)`")
        // The brackets belong to the span, so that the caret marks them too.
        inner.node.span = open.span.union(end)
        return inner
    }

    private mutating func list() throws(SyntaxError) -> Tree {
        let open = advance()
        let outer = enterBrackets(open)
        var items: [Node] = []
        var height = 0
        repeat {
            if peek().is("]") { break }
            let item = try expression()
            if items.isEmpty, peek().word == "for" {
                return try comprehension(of: item, open, outer)
            }
            height = max(height, item.height)
            items.append(item.node)
        } while skip(",")
        let end = try close(open, outer, expected: "`,` or `]`")
        return try grown(.list(items), open.span.union(end), over: height)
    }

    /// `for x in list if condition]`
    private mutating func comprehension(
        of item: Tree, _ open: Lexeme, _ outer: Bool
    ) throws(SyntaxError) -> Tree {
        var clauses: [ComprehensionClause] = []
        var height = item.height
        while let word = peek().word, word == "for" || word == "if" {
            advance()
            var names: [Identifier]?
            if word == "for" {
                names = try loopNames()
                guard peek().word == "in" else { throw unexpected(peek(), "`in` and a list") }
                advance()
            }
            let part = try binary(minimum: 1)
            height = max(height, part.height)
            clauses.append(names.map { .each($0, in: part.node) } ?? .filter(part.node))
            if clauses.count > CommandGrammar.nestingLimit { throw tooDeep(peek().span) }
        }
        let end = try close(open, outer, expected: "`for`, `if` or `]`")
        return try grown(
            .comprehension(item: item.node, clauses: clauses), open.span.union(end), over: height)
    }

    private mutating func record() throws(SyntaxError) -> Tree {
        let open = advance()
        let outer = enterBrackets(open)
        var entries: [RecordEntry] = []
        var height = 0
        repeat {
            let first = peek()
            if first.is("}") { break }
            guard case .text(let key) = first.kind else {
                if let word = first.word {
                    throw SyntaxError(.bareRecordKey(word), first.span, replacedBy: quoted(word))
                }
                throw unexpected(first, "a key in quotes or `}`")
            }
            advance()
            guard skip(":") else { throw unexpected(peek(), "`:` after the key") }
            let value = try expression()
            height = max(height, value.height)
            entries.append(
                RecordEntry(key: Identifier(name: key, span: first.span), value: value.node))
        } while skip(",")
        let end = try close(open, outer, expected: "`,` or `}`")
        return try grown(.record(entries), open.span.union(end), over: height)
    }

    /// Replaces the parenthesis at a place and its closing parenthesis by square brackets.
    private func tupleEdits(_ open: SourceSpan) -> [SyntaxError.Edit] {
        guard let end = bracketedParts(open)?.close else { return [] }
        return [.init(span: open, replacement: "["), .init(span: end, replacement: "]")]
    }
}
