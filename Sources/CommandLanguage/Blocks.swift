/// `for name in list { … }`
public struct Loop: Hashable, Sendable {
    /// Several names take each item apart.
    public var names: [Identifier]
    public var list: Node
    public var body: [Statement]
}

/// `if condition { … } else if condition { … } else { … }`
public struct ConditionalBlocks: Hashable, Sendable {
    public struct Branch: Hashable, Sendable {
        public var condition: Node
        public var body: [Statement]
    }

    public var branches: [Branch]
    /// Empty without an `else`.
    public var otherwise: [Statement]
}

/// `name(a, b) = expression`; the name is the statement's target.
public struct FunctionDefinition: Hashable, Sendable {
    public var parameters: [Identifier]
    public var body: Node
    /// `(a, b) = expression`, which with a name before it parses to the same function again.
    public var source: String
}

extension Statement {
    /// The statements inside of a block, in order; empty for any other statement.
    public var inner: [Statement] {
        switch body {
        case .command, .expression, .function: []
        case .loop(let loop): loop.body
        case .choice(let choice): choice.branches.flatMap(\.body) + choice.otherwise
        }
    }

    /// Whether it contains statements of its own.
    public var isBlock: Bool {
        switch body {
        case .command, .expression, .function: false
        case .loop, .choice: true
        }
    }

    /// The expressions that this statement itself evaluates, without those of inner statements.
    public var nodes: [Node] {
        switch body {
        case .command(let call):
            (call.operands + call.options.map(\.value)).compactMap { argument in
                if case .expression(let node) = argument.value { node } else { nil }
            }
        case .expression(let node): [node]
        case .loop(let loop): [loop.list]
        case .choice(let choice): choice.branches.map(\.condition)
        case .function(let function): [function.body]
        }
    }
}

extension Node {
    /// The nodes directly below this one.
    public var children: [Node] {
        switch expression {
        case .null, .bool, .number, .text, .name: []
        case .list(let items): items
        case .record(let entries): entries.map(\.value)
        case .field(let owner, _), .unary(_, let owner): [owner]
        case .binary(_, let left, let right), .replacement(let left, let right): [left, right]
        case .call(_, let arguments): arguments.map(\.value)
        case .conditional(let condition, let value, let otherwise): [condition, value, otherwise]
        case .comprehension(let item, let clauses):
            [item]
                + clauses.map { clause in
                    switch clause {
                    case .each(_, let list): list
                    case .filter(let condition): condition
                    }
                }
        case .index(let owner, let subscripts):
            [owner]
                + subscripts.flatMap { part -> [Node] in
                    switch part {
                    case .at(let node): [node]
                    case .slice(let lower, let upper, let step, _):
                        [lower, upper, step].compactMap(\.self)
                    case .rest: []
                    }
                }
        }
    }

    /// Whether a node in this tree has a property.
    public func contains(_ isWanted: (Node) -> Bool) -> Bool {
        isWanted(self) || children.contains { $0.contains(isWanted) }
    }
}
