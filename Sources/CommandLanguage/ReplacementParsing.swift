/// Reading of a part of a value on the left of `=`: `rollouts[0][1].response = "…"`.
extension Parser {
    /// The assignment to a part, after its left side was read as an expression.
    mutating func replacement(of part: Node) throws(SyntaxError) -> Node {
        guard let root = part.partOwner else { throw SyntaxError(.badTarget, part.span) }
        try refuseAsName(root.name, root.span)
        advance()
        let value = try expression().node
        return Node(
            .replacement(of: part, with: value), span: part.span.union(value.span))
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
