import Foundation

/// Runs a template once. This file has statements; the files beside it have expressions and
/// functions.
final class TemplateEvaluator {
    let now: Date
    private(set) var line = 1
    private var work = 0
    private var depth = 0
    private var output = ""
    private var scope: Scope
    /// Namespaces, which may contain themselves; cleared at the end to break the cycles.
    private var namespaces: [Namespace] = []
    private var definingScopes: [Scope] = []

    enum Flow {
        case on, next, leave
    }

    init(_ variables: [String: Value], now: Date) {
        self.now = now
        scope = Scope(variables, in: nil)
    }

    func render(_ statements: [Statement]) throws -> String {
        defer {
            for namespace in namespaces { namespace.attributes = ValueDictionary() }
            for scope in definingScopes { scope.clear() }
        }
        _ = try run(statements)
        return output
    }

    // MARK: Bounds

    /// Counts a step, and further steps for the bytes or elements that it copies.
    func charge(_ size: Int = 0) throws {
        work += 1 + min(size, 1 << 50) / 8
        guard work <= TemplateLimits.work else {
            throw TemplateError.tooMuch(line: line, what: "takes too many steps")
        }
    }

    /// Counts the cost of traversing a value completely.
    func chargeAll(_ value: Value) throws {
        try charge(min(value.weight, 1 << 40) * 8)
    }

    /// The text as a value; an error if it is too long.
    func string(_ text: String) throws -> Value {
        try charge(text.utf8.count)
        try checkLength(text.utf8.count)
        return .string(text)
    }

    func checkLength(_ count: Int) throws {
        guard count <= TemplateLimits.text else {
            throw TemplateError.tooMuch(
                line: line, what: "makes a text of more than \(TemplateLimits.text) bytes")
        }
    }

    func list(_ values: [Value]) throws -> Value { .list(try checked(values)) }
    func tuple(_ values: [Value]) throws -> Value { .tuple(try checked(values)) }
    func stream(_ values: [Value]) throws -> Value { .stream(try checked(values)) }

    private func checked(_ values: [Value]) throws -> ValueList {
        try charge(values.count * 16)
        let list = ValueList(values)
        try checkDepth(list.depth)
        return list
    }

    func dictionary(_ dictionary: ValueDictionary) throws -> Value {
        try checkDepth(dictionary.depth)
        return .dictionary(dictionary)
    }

    private func checkDepth(_ depth: Int) throws {
        guard depth <= TemplateLimits.depth else {
            throw TemplateError.tooMuch(line: line, what: "nests values too deeply")
        }
    }

    func namespace(_ attributes: ValueDictionary) throws -> Value {
        try checkDepth(attributes.depth)
        let namespace = Namespace(attributes)
        namespaces.append(namespace)
        return .namespace(namespace)
    }

    /// Runs one level deeper; an error at a depth that would exhaust the stack.
    func nested<Result>(_ body: () throws -> Result) throws -> Result {
        depth += 1
        defer { depth -= 1 }
        guard depth <= TemplateLimits.depth else {
            throw TemplateError.tooMuch(line: line, what: "calls itself too deeply")
        }
        return try body()
    }

    func failure(_ problem: String) -> TemplateError { .failed(line: line, problem: problem) }
    func unsupported(_ what: String) -> TemplateError { .unsupported(line: line, what: what) }

    // MARK: Names

    func value(of name: String) -> Value {
        if let value = scope[name] { return value }
        if Self.globals.contains(name) { return .function(.global(name)) }
        return .undefined("“\(name)” is undefined")
    }

    private func inside<Result>(
        _ inner: Scope, _ body: () throws -> Result
    ) throws -> Result {
        let outer = scope
        scope = inner
        defer { scope = outer }
        return try body()
    }

    /// The output of statements, captured instead of written.
    private func captured(_ body: () throws -> Void) throws -> String {
        let outer = output
        output = ""
        defer { output = outer }
        try body()
        return output
    }

    private func write(_ text: String) throws {
        try charge(text.utf8.count)
        try checkLength(output.utf8.count + text.utf8.count)
        output += text
    }

    // MARK: Statements

    private func run(_ statements: [Statement]) throws -> Flow {
        for statement in statements {
            let flow = try nested { try run(statement) }
            if flow != .on { return flow }
        }
        return .on
    }

    private func run(_ statement: Statement) throws -> Flow {
        try charge()
        switch statement {
        case .text(let text): try write(text)
        case .output(let values, let line):
            self.line = line
            for value in values { try write(try shown(evaluate(value))) }
        case .condition(let branches, let otherwise, let line):
            for branch in branches {
                self.line = line
                if try evaluate(branch.test).isTrue { return try run(branch.body) }
            }
            return try run(otherwise)
        case .loop(let loop, let line): return try run(loop, line)
        case .set(let targets, let value, let line):
            self.line = line
            let value = try evaluate(value)
            if targets.count == 1 {
                try assign(targets[0], value)
            } else {
                try unpack(value, into: targets)
            }
        case .capture(let target, let body, let filter, let line):
            let text = try captured { try inside(Scope(in: scope)) { _ = try run(body) } }
            self.line = line
            let value = Value.string(text)
            try assign(target, filter.map { try evaluate($0, filtering: value) } ?? value)
        case .macro(let macro, let line):
            self.line = line
            definingScopes.append(scope)
            scope[macro.name] = .function(.macro(macro, scope))
        case .call(let call, let caller, let line):
            self.line = line
            try write(try shown(evaluate(call, caller: .function(.macro(caller, scope)))))
        case .filter(let filter, let body, let line):
            let text = try captured { try inside(Scope(in: scope)) { _ = try run(body) } }
            self.line = line
            try write(try shown(evaluate(filter, filtering: .string(text))))
        case .with(let assignments, let body, let line):
            self.line = line
            let inner = Scope(in: scope)
            for (target, value) in assignments { inner[target.name] = try evaluate(value) }
            return try inside(inner) { try run(body) }
        case .scope(let body): return try inside(Scope(in: scope)) { try run(body) }
        case .next: return .next
        case .leave: return .leave
        }
        return .on
    }

    func shown(_ value: Value) throws -> String {
        if case .stream = value { throw unsupported("a generator as text; use “| list”") }
        try chargeAll(value)
        try checkLength(min(value.weight, 1 << 40) * 4)
        return value.shown
    }

    private func assign(_ target: Statement.Target, _ value: Value) throws {
        guard let attribute = target.attribute else {
            scope[target.name] = value
            return
        }
        guard case .namespace(let namespace) = self.value(of: target.name) else {
            throw failure("“\(target.name)” is no namespace, so “\(attribute)” cannot be set")
        }
        namespace.attributes.set(.string(attribute), value)
    }

    private func unpack(_ value: Value, into targets: [Statement.Target]) throws {
        guard let parts = value.elements else { throw failure("\(value.kind) cannot be unpacked") }
        guard parts.count == targets.count else {
            throw failure("\(parts.count) values cannot be unpacked into \(targets.count) names")
        }
        for (target, part) in zip(targets, parts) { try assign(target, part) }
    }

    private func run(_ loop: Statement.Loop, _ line: Int) throws -> Flow {
        self.line = line
        let given = try evaluate(loop.values)
        guard var values = given.elements else {
            throw failure("\(given.kind) cannot be gone through")
        }
        try charge(values.count)
        func begin(_ inner: Scope, _ value: Value) throws {
            try inside(inner) {
                if loop.isUnpacking {
                    try unpack(value, into: loop.targets)
                } else {
                    try assign(loop.targets[0], value)
                }
            }
        }
        if let condition = loop.condition {
            values = try values.filter { value in
                let inner = Scope(in: scope)
                try begin(inner, value)
                return try inside(inner) { try evaluate(condition).isTrue }
            }
        }
        try checkDepth(given.depth)
        let state = LoopState(values)
        for (index, value) in values.enumerated() {
            try charge()
            state.index = index
            let inner = Scope(["loop": .loop(state)], in: scope)
            try begin(inner, value)
            let flow = try inside(inner) { try run(loop.body) }
            if flow == .leave { return .on }
        }
        if values.isEmpty { return try inside(Scope(in: scope)) { try run(loop.otherwise) } }
        return .on
    }

    // MARK: Macros

    /// The text of a macro for the arguments. `caller` is the body of `{% call %}`.
    func call(
        _ macro: Statement.Macro, in outer: Scope, _ arguments: CallArguments, caller: Value?
    ) throws -> Value {
        let inner = Scope(in: outer)
        var named = arguments.named
        for (index, parameter) in macro.parameters.enumerated() {
            if index < arguments.values.count {
                inner[parameter.name] = arguments.values[index]
            } else if let place = named.firstIndex(where: { $0.name == parameter.name }) {
                inner[parameter.name] = named.remove(at: place).value
            } else if let fallback = parameter.fallback {
                inner[parameter.name] = try inside(inner) { try evaluate(fallback) }
            } else {
                inner[parameter.name] = .undefined("parameter “\(parameter.name)” was not given")
            }
        }
        if arguments.values.count > macro.parameters.count, !macro.extras.contains("varargs") {
            throw failure("macro “\(macro.name)” takes \(macro.parameters.count) arguments")
        }
        if let other = named.first(where: { $0.name != "caller" }),
            !macro.extras.contains("kwargs")
        {
            throw failure("macro “\(macro.name)” takes no argument “\(other.name)”")
        }
        let extra = arguments.values.dropFirst(macro.parameters.count)
        inner["varargs"] = try tuple(Array(extra))
        var others = ValueDictionary()
        for argument in named where argument.name != "caller" {
            others.set(.string(argument.name), argument.value)
        }
        inner["kwargs"] = try dictionary(others)
        if let caller { inner["caller"] = caller }
        let kept = line
        defer { line = kept }
        return .string(
            try captured { try inside(inner) { try nested { _ = try run(macro.body) } } })
    }
}

/// The evaluated arguments of a call.
struct CallArguments {
    var values: [Value] = []
    var named: [(name: String, value: Value)] = []

    /// The argument with a position or a name; nil if it is not given.
    func value(_ place: Int, _ name: String) -> Value? {
        place < values.count ? values[place] : named.first { $0.name == name }?.value
    }
}
