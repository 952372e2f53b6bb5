/// Reading of a part of a value on the left of `=`, `rollouts[0][1].response = "…"`, and of the
/// short form of `x = x + 1`.
extension Parser {
    /// The assignment to a part, after its left side was read as an expression.
    mutating func replacement(of part: Node) throws(SyntaxError) -> Node {
        guard let root = part.partOwner else { throw SyntaxError(.badTarget, part.span) }
        try refuseAsName(root.name, root.span)
        let operation = augmentingOperator(advance())
        let right = try expression().node
        let span = part.span.union(right.span)
        let value = operation.map { Node(.binary($0, part, right), span: span) } ?? right
        return Node(.replacement(of: part, with: value), span: span)
    }

    /// `x += 1` as the value of `x + 1` for `x`; nil for any other statement.
    mutating func addition() throws(SyntaxError) -> (name: Identifier, value: Node)? {
        let first = peek()
        guard let word = first.word, let operation = augmentingOperator(peekSecond()) else {
            return nil
        }
        try refuseAsName(word, first.span)
        advance()
        advance()
        let right = try expression().node
        return (
            Identifier(name: word, span: first.span),
            Node(
                .binary(operation, Node(.name(word), span: first.span), right),
                span: first.span.union(right.span))
        )
    }

    /// The operator of `+=` and its like.
    func augmentingOperator(_ lexeme: Lexeme) -> BinaryOperator? {
        switch lexeme.kind {
        case .symbol("+="): .add
        case .symbol("-="): .subtract
        case .symbol("*="): .multiply
        case .symbol("/="): .divide
        default: nil
        }
    }
}

extension Node {
    /// The name of the value that the node is a part of, over fields and single places; nil for
    /// any other expression, a name alone included.
    var partOwner: Identifier? {
        var node = self
        while true {
            switch node.expression {
            case .field(let owner, _): node = owner
            case .index(let owner, let subscripts):
                let areSingle = subscripts.allSatisfy { part in
                    if case .at = part { true } else { false }
                }
                guard areSingle else { return nil }
                node = owner
            case .name(let name):
                return node == self ? nil : Identifier(name: name, span: node.span)
            default: return nil
            }
        }
    }
}
