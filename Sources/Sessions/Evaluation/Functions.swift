import CommandLanguage
import Tensors

/// A function that expressions can call. Dispatch, help and completion read the same entry.
struct Function: Sendable {
    struct Parameter: Sendable {
        var name: String
        var summary: String
        var isRequired: Bool

        static func required(_ name: String, _ summary: String) -> Parameter {
            Parameter(name: name, summary: summary, isRequired: true)
        }

        static func optional(_ name: String, _ summary: String) -> Parameter {
            Parameter(name: name, summary: summary, isRequired: false)
        }
    }

    var name: String
    var summary: String
    var parameters: [Parameter]
    /// An expression that a test evaluates.
    var example: String
    /// Takes any number of values, or any keys, in place of the parameters.
    var isOpen = false
    var run: @Sendable (Arguments) throws(Complaint) -> Value

    init(
        _ name: String, _ summary: String, _ parameters: [Parameter], example: String,
        isOpen: Bool = false, run: @escaping @Sendable (Arguments) throws(Complaint) -> Value
    ) {
        self.name = name
        self.summary = summary
        self.parameters = parameters
        self.example = example
        self.isOpen = isOpen
        self.run = run
    }

    static let all: [Function] =
        Function.elementwise + Function.reductions + Function.shapes + Function.texts

    private static let byName = Dictionary(
        all.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })

    static func named(_ name: String) -> Function? { byName[name] }

    /// `softmax(x, axis=…)`
    var usage: String {
        if isOpen { return "\(name)(\(parameters.first?.name ?? "key=value"), …)" }
        return name + "("
            + parameters.map { $0.isRequired ? $0.name : "\($0.name)=…" }.joined(separator: ", ")
            + ")"
    }

    /// Puts values in the places of parameters, by position and then by key.
    func bind(
        _ positional: [Value], _ keyed: [(key: String, value: Value)]
    ) throws(Complaint) -> Arguments {
        var arguments = Arguments(function: name)
        if isOpen {
            arguments.rest = positional
            for (key, value) in keyed { arguments.values[key] = value }
            return arguments
        }
        guard positional.count <= parameters.count else {
            throw .tooManyArguments(function: name, most: parameters.count)
        }
        for (parameter, value) in zip(parameters, positional) {
            arguments.values[parameter.name] = value
        }
        let names = parameters.map(\.name)
        for (key, value) in keyed {
            guard names.contains(key) else {
                throw .unknownParameter(
                    function: name, key: key, parameters: names,
                    nearest: nearest(key, in: names))
            }
            arguments.values[key] = value
        }
        for parameter in parameters where parameter.isRequired {
            guard arguments.values[parameter.name] != nil else {
                throw .missingArgument(function: name, parameter: parameter.name)
            }
        }
        return arguments
    }
}

/// The values of one call, with the checks that functions share.
struct Arguments {
    var function: String
    var values = Record()
    /// The values of a function that takes any number of them.
    var rest: [Value] = []

    init(function: String) { self.function = function }

    func value(_ name: String) -> Value { values[name] ?? .null }

    private func role(_ name: String) -> String { "`\(name)` of `\(function)`" }

    func number(_ name: String) throws(Complaint) -> Double {
        guard let number = value(name).asNumber else {
            throw .wrongKind(role: role(name), expected: "a number", found: value(name).aKind)
        }
        return number
    }

    func integer(_ name: String, default fallback: Int? = nil) throws(Complaint) -> Int {
        if values[name] == nil, let fallback { return fallback }
        guard let integer = value(name).asInteger else {
            if let number = value(name).asNumber {
                throw .notWhole(role: role(name), found: NumberText.significant(number))
            }
            throw .wrongKind(role: role(name), expected: "a whole number", found: value(name).aKind)
        }
        return integer
    }

    func text(_ name: String) throws(Complaint) -> String {
        guard case .text(let text) = value(name) else {
            throw .wrongKind(role: role(name), expected: "text", found: value(name).aKind)
        }
        return text
    }

    func flag(_ name: String, default fallback: Bool) throws(Complaint) -> Bool {
        guard let value = values[name] else { return fallback }
        guard case .bool(let flag) = value else {
            throw .wrongKind(role: role(name), expected: "true or false", found: value.aKind)
        }
        return flag
    }

    func list(_ name: String) throws(Complaint) -> [Value] {
        try items(value(name), role(name))
    }

    func items(_ value: Value, _ role: String) throws(Complaint) -> [Value] {
        switch value {
        case .list(let items): return items
        case .tensor(let tensor) where !tensor.shape.isEmpty:
            var items: [Value] = []
            for index in 0..<tensor.shape[0] { items.append(try tensor.selecting([.index(index)])) }
            return items
        case .noun(let noun):
            if let count = noun.count { return (0..<count).map { noun.item($0) } }
        default: break
        }
        throw .wrongKind(role: role, expected: "a list", found: value.aKind)
    }

    func tensor(_ name: String) throws(Complaint) -> Tensor {
        let value = value(name)
        if let tensor = value.asTensor, value.isArrayLike { return tensor }
        if case .list(let items) = value, items.allSatisfy(\.isArrayLike) { throw .raggedList }
        throw .wrongKind(
            role: role(name), expected: "a number, a list of numbers or a tensor",
            found: value.aKind)
    }

    /// An axis of `shape`, nil when none was given; negative ones count from the last.
    func axis(_ shape: [Int], default fallback: Int? = nil) throws(Complaint) -> Int? {
        guard let value = values["axis"] ?? fallback.map({ Value($0) }) else { return nil }
        if case .null = value { return nil }
        guard let axis = value.asInteger else {
            throw .wrongKind(role: role("axis"), expected: "a whole number", found: value.aKind)
        }
        let position = axis < 0 ? axis + shape.count : axis
        guard shape.indices.contains(position) else {
            throw .axisOutOfRange(axis: axis, shape: shape)
        }
        return position
    }

    /// Whole numbers given as one list, or one by one.
    func shape(_ values: [Value]) throws(Complaint) -> [Int] {
        var sides = values
        if values.count == 1, case .list(let items) = values[0] { sides = items }
        if values.count == 1, case .tensor = values[0] { sides = try items(values[0], "a shape") }
        var shape: [Int] = []
        for side in sides {
            guard let size = side.asInteger else {
                throw .wrongKind(
                    role: "a side of a shape", expected: "a whole number", found: side.aKind)
            }
            shape.append(size)
        }
        return shape
    }
}

extension Value {
    /// Numbers and what is made of them; text and records are not.
    fileprivate var isArrayLike: Bool {
        switch self {
        case .number, .tensor, .bool: true
        case .list(let items): items.allSatisfy(\.isArrayLike)
        case .noun(let noun): noun is any TensorNoun
        default: false
        }
    }
}
