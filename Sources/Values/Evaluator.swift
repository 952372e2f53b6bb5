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
    /// Whether the user wants to stop the running statement.
    var isInterrupted: Bool { get }
}

/// A function that a user has defined.
package protocol CallableObject: SessionObject {
    var parameters: [String] { get }
    var body: Node { get }
}

/// Evaluates expressions. Every error has its place.
///
/// The parser limits the height of a tree, and `Work` the calls within calls, so recursion is safe.
package struct Evaluator {
    let environment: any Environment
    /// The parameters of a function, and the names of a comprehension.
    private var locals: [String: Value] = [:]
    private let work: Work

    package init(environment: any Environment) {
        self.environment = environment
        work = Work()
    }

    package func value(of node: Node) throws(LocatedError) -> Value {
        try placed(node.span) { () throws(EvaluationError) in try work.descend() }
        defer { work.ascend() }
        return try evaluated(node)
    }

    private func evaluated(_ node: Node) throws(LocatedError) -> Value {
        switch node.expression {
        case .conditional(let condition, let value, let otherwise):
            return try self.value(of: truth(of: condition) ? value : otherwise)
        case .comprehension(let item, let clauses):
            var items: [Value] = []
            try comprehend(item, clauses[...], into: &items)
            return .list(items)
        case .replacement(let part, let new): return try replacement(of: part, with: new)
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
        if let local = locals[name] { return local }
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
        if operation == .and || operation == .or, !first.isMask {
            let truth = try placed(left.span) { () throws(EvaluationError) in
                try Arithmetic.truth(first)
            }
            if truth == (operation == .or) { return .bool(truth) }
            return .bool(try self.truth(of: right))
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
            return try call(own: name, arguments, span)
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
            var bound = try function.bind(positional, keyed)
            bound.isInterrupted = { [environment] in environment.isInterrupted }
            return try function.run(bound)
        }
    }

    /// Calls a function that the user has defined, or that is the argument of such a function.
    private func call(
        own name: Identifier, _ arguments: [CallArgument], _ span: SourceSpan
    ) throws(LocatedError) -> Value {
        let value: Value
        do throws(LocatedError) {
            value = try self.value(ofName: name.name, name.span)
        } catch {
            guard case .unknownName = error.error as? EvaluationError else { throw error }
            throw LocatedError(
                error: EvaluationError.unknownFunction(
                    name.name, nearest: nearest(name.name, in: Function.all.map(\.name))),
                span: name.span)
        }
        guard case .object(let object) = value, let function = object as? any CallableObject else {
            throw LocatedError(
                error: EvaluationError.other(
                    "`\(name.name)` is \(value.aKind); only a function can be called"),
                span: name.span)
        }
        let parameters = function.parameters
        guard arguments.count <= parameters.count else {
            throw LocatedError(
                error: EvaluationError.tooManyArguments(
                    function: name.name, most: parameters.count),
                span: span)
        }
        var inner = self
        inner.locals = [:]
        for (index, argument) in arguments.enumerated() {
            let key = argument.key?.name ?? parameters[index]
            guard parameters.contains(key) else {
                throw LocatedError(
                    error: EvaluationError.unknownParameter(
                        function: name.name, key: key, parameters: parameters,
                        nearest: nearest(key, in: parameters)),
                    span: argument.key?.span ?? span)
            }
            inner.locals[key] = try self.value(of: argument.value)
        }
        if let missing = parameters.first(where: { inner.locals[$0] == nil }) {
            throw LocatedError(
                error: EvaluationError.missingArgument(function: name.name, parameter: missing),
                span: span)
        }
        try placed(span) { () throws(EvaluationError) in
            try work.enter(interrupted: environment.isInterrupted)
        }
        defer { work.leave() }
        do throws(LocatedError) {
            let value = try inner.value(of: function.body)
            // Functions of functions nest values that no text would.
            guard !value.isDeeper(than: 60) else {
                throw LocatedError(
                    error: EvaluationError.tooMuchWork("lists nest more than 60 deep"),
                    span: function.body.span)
            }
            return value
        } catch {
            // The place of the error is in the function's text, not in this statement. The first
            // function on the way names itself.
            switch error.error as? EvaluationError {
            case .interrupted, .tooMuchWork, .inFunction:
                throw LocatedError(error: error.error, span: span)
            default:
                throw LocatedError(
                    error: EvaluationError.inFunction(name.name, "\(error.error)"), span: span)
            }
        }
    }

    /// Whether a condition holds.
    package func truth(of node: Node) throws(LocatedError) -> Bool {
        let value = try value(of: node)
        return try placed(node.span) { () throws(EvaluationError) in try Arithmetic.truth(value) }
    }

    /// The items of a list, for a loop over it.
    package func items(of node: Node) throws(LocatedError) -> [Value] {
        let value = try value(of: node)
        guard let items = value.loopItems else {
            throw LocatedError(
                error: EvaluationError.wrongKind(
                    role: "what follows `in`", expected: "a list", found: value.aKind),
                span: node.span)
        }
        return items
    }

    /// The values of a loop's names for one item. Several names take the item apart.
    package static func parts(
        of item: Value, _ names: [Identifier]
    ) throws(LocatedError) -> [(name: String, value: Value)] {
        guard names.count > 1 else { return names.map { ($0.name, item) } }
        guard let parts = item.loopItems, parts.count == names.count else {
            let found = item.itemCount.map { "\($0)" } ?? "only \(item.aKind)"
            throw LocatedError(
                error: EvaluationError.other(
                    "\(names.count) names need \(names.count) values, and there are \(found)"
                        .replacing("there are only", with: "there is only")),
                span: names[0].span.union(names[names.count - 1].span))
        }
        return zip(names, parts).map { ($0.name, $1) }
    }

    private func comprehend(
        _ item: Node, _ clauses: ArraySlice<ComprehensionClause>, into items: inout [Value]
    ) throws(LocatedError) {
        guard let clause = clauses.first else {
            guard items.count < Limits.listCount else {
                throw LocatedError(
                    error: EvaluationError.tooLong(items.count + 1), span: item.span)
            }
            items.append(try value(of: item))
            return
        }
        switch clause {
        case .filter(let condition):
            guard try truth(of: condition) else { return }
            try comprehend(item, clauses.dropFirst(), into: &items)
        case .each(let names, let list):
            var inner = self
            for value in try self.items(of: list) {
                try placed(list.span) { () throws(EvaluationError) in
                    try work.step(interrupted: environment.isInterrupted)
                }
                for part in try Evaluator.parts(of: value, names) {
                    inner.locals[part.name] = part.value
                }
                try inner.comprehend(item, clauses.dropFirst(), into: &items)
            }
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
                error: EvaluationError.other(
                    "the index of a record must be a field's name in quotes",
                    suggestion: "it has \(Sentence.list(Array(record.keys)))"),
                span: span)
        }
        guard let value = record[name] else {
            let keys = Array(record.keys)
            throw LocatedError(
                error: EvaluationError.unknownKey(
                    name, nearest: nearest(name, in: keys), keys: keys), span: span)
        }
        return value
    }

    private func selector(_ part: Subscript) throws(LocatedError) -> Selector {
        switch part {
        case .at(let node):
            let value = try value(of: node)
            if case .text(let id) = value { return .id(id) }
            if case .tensor(let mask) = value, !mask.shape.isEmpty { return .mask(mask) }
            if case .list(let items) = value {
                if let mask = Selector.mask(items) { return mask }
                let indexes = items.compactMap(\.asInteger)
                guard indexes.count == items.count else {
                    throw LocatedError(
                        error: EvaluationError.notWhole(
                            role: "each index", found: "every item of this list"),
                        span: node.span)
                }
                return .indexes(indexes)
            }
            return .index(try integer(value, node, "an index"))
        case .slice(let lower, let upper, let step, _):
            let lower = try optionalInteger(lower)
            let upper = try optionalInteger(upper)
            return .slice(lower: lower, upper: upper, step: try optionalInteger(step) ?? 1)
        case .rest: return .rest
        }
    }

    private func optionalInteger(_ node: Node?) throws(LocatedError) -> Int? {
        guard let node else { return nil }
        if case .null = try value(of: node) { return nil }
        return try integer(node, "a bound of a slice")
    }

    private func integer(_ node: Node, _ role: String) throws(LocatedError) -> Int {
        try integer(try value(of: node), node, role)
    }

    func integer(
        _ value: Value, _ node: Node, _ role: String
    ) throws(LocatedError) -> Int {
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
            case .slice(_, _, _, let span), .rest(let span): span
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
