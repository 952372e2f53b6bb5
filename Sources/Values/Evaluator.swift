import CommandLanguage
import Rendering

/// Gives names their values.
package protocol Environment {
    /// Nil if the name has no value.
    func value(of name: String) throws -> Value?
    var names: [String] { get }
    var lastResult: Value? { get }
    /// The command that binds this object, for suggestions: "rollout".
    func maker(of object: String) -> String?
}

/// Evaluates expressions. Every error has its place.
///
/// The parser limits the height of a tree, so recursion is safe.
package struct Evaluator {
    let environment: any Environment

    package init(environment: any Environment) { self.environment = environment }

    package func value(of node: Node) throws(LocatedError) -> Value {
        switch node.expression {
        case .null: return .null
        case .bool(let truth): return .bool(truth)
        case .number(let number): return .number(number)
        case .text(let text): return .text(text)
        case .name(let name): return try value(ofName: name, node.span)
        case .list(let nodes):
            var items: [Value] = []
            items.reserveCapacity(nodes.count)
            for item in nodes { items.append(try value(of: item)) }
            return .list(items)
        case .record(let entries):
            var record = Record()
            for entry in entries { record[entry.key.name] = try value(of: entry.value) }
            return .record(record)
        case .field(let owner, let field):
            let owner = try value(of: owner)
            return try placed(field.span) { () throws(EvaluationError) in
                try owner.field(field.name)
            }
        case .index(let owner, let subscripts):
            let value = try value(of: owner)
            if case .record(let record) = value { return try entry(of: record, subscripts, node) }
            var selectors: [Selector] = []
            for part in subscripts { selectors.append(try selector(part)) }
            return try placed(span(of: subscripts, in: node)) { () throws(EvaluationError) in
                try value.selecting(selectors)
            }
        case .unary(let operation, let operand):
            let value = try value(of: operand)
            return try placed(operand.span) { () throws(EvaluationError) in
                try Arithmetic.unary(operation, value)
            }
        case .binary(let operation, let left, let right):
            return try binary(operation, left, right, node.span)
        case .call(let function, let arguments): return try call(function, arguments, node.span)
        }
    }

    private func value(ofName name: String, _ span: SourceSpan) throws(LocatedError) -> Value {
        if name == "_" {
            guard let last = environment.lastResult else {
                throw LocatedError(error: EvaluationError.noLastResult, span: span)
            }
            return last
        }
        do {
            if let value = try environment.value(of: name) { return value }
        } catch {
            throw LocatedError(error: error, span: span)
        }
        if let constant = Constant.named(name) { return .number(constant.value) }
        throw LocatedError(
            error: EvaluationError.unknownName(
                name, nearest: nearest(name, in: environment.names),
                maker: environment.maker(of: name)),
            span: span)
    }

    private func binary(
        _ operation: BinaryOperator, _ left: Node, _ right: Node, _ span: SourceSpan
    ) throws(LocatedError) -> Value {
        let first = try value(of: left)
        if operation == .and || operation == .or {
            let truth = try placed(left.span) { () throws(EvaluationError) in
                try Arithmetic.truth(first)
            }
            if truth == (operation == .or) { return .bool(truth) }
            let second = try value(of: right)
            return .bool(
                try placed(right.span) { () throws(EvaluationError) in try Arithmetic.truth(second)
                })
        }
        let second = try value(of: right)
        return try placed(span) { () throws(EvaluationError) in
            try Arithmetic.binary(operation, first, second)
        }
    }

    private func call(
        _ name: Identifier, _ arguments: [CallArgument], _ span: SourceSpan
    ) throws(LocatedError) -> Value {
        guard let function = Function.named(name.name) else {
            throw LocatedError(
                error: EvaluationError.unknownName(
                    name.name, nearest: nearest(name.name, in: Function.all.map(\.name)),
                    maker: nil),
                span: name.span)
        }
        var positional: [Value] = []
        var keyed: [(key: String, value: Value)] = []
        for argument in arguments {
            let value = try value(of: argument.value)
            if let key = argument.key {
                keyed.append((key.name, value))
            } else {
                positional.append(value)
            }
        }
        return try placed(span) { () throws(EvaluationError) in
            try function.run(try function.bind(positional, keyed))
        }
    }

    /// `record["key"]`
    private func entry(
        of record: Record, _ subscripts: [Subscript], _ node: Node
    ) throws(LocatedError) -> Value {
        let span = span(of: subscripts, in: node)
        guard subscripts.count == 1, case .at(let key) = subscripts[0],
            case .text(let name) = try value(of: key)
        else {
            throw LocatedError(
                error: EvaluationError.wrongKind(
                    role: "the index of a record", expected: "a field's name in quotes",
                    found: "something else"),
                span: span)
        }
        return try placed(span) { () throws(EvaluationError) in try Value.record(record).field(name)
        }
    }

    private func selector(_ part: Subscript) throws(LocatedError) -> Selector {
        switch part {
        case .at(let node):
            if case .list(let items) = try value(of: node) {
                let indexes = items.compactMap(\.asInteger)
                guard indexes.count == items.count else {
                    throw LocatedError(
                        error: EvaluationError.notWhole(
                            role: "each index", found: "every item of this list"),
                        span: node.span)
                }
                return .indexes(indexes)
            }
            return .index(try integer(node, "an index"))
        case .slice(let lower, let upper, let step, _):
            let lower = try optionalInteger(lower)
            let upper = try optionalInteger(upper)
            return .slice(lower: lower, upper: upper, step: try optionalInteger(step) ?? 1)
        }
    }

    private func optionalInteger(_ node: Node?) throws(LocatedError) -> Int? {
        guard let node else { return nil }
        if case .null = try value(of: node) { return nil }
        return try integer(node, "a bound of a slice")
    }

    private func integer(_ node: Node, _ role: String) throws(LocatedError) -> Int {
        let value = try value(of: node)
        guard let integer = value.asInteger else {
            let found = value.asNumber.map { NumberText.significant($0) } ?? value.aKind
            throw LocatedError(
                error: EvaluationError.notWhole(role: role, found: found), span: node.span)
        }
        return integer
    }

    /// From the first subscript to the last.
    private func span(of subscripts: [Subscript], in node: Node) -> SourceSpan {
        let spans = subscripts.map { part in
            switch part {
            case .at(let node): node.span
            case .slice(_, _, _, let span): span
            }
        }
        guard let first = spans.first else { return node.span }
        return spans.dropFirst().reduce(first) { $0.union($1) }
    }

    private func placed<Result>(
        _ span: SourceSpan, _ body: () throws(EvaluationError) -> Result
    ) throws(LocatedError) -> Result {
        do throws(EvaluationError) {
            return try body()
        } catch {
            throw LocatedError(error: error, span: span)
        }
    }
}
