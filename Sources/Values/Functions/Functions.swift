import CommandLanguage
import Rendering
import Tensors

/// A function for expressions. Dispatch, help and completion use the same entry.
package struct Function: Sendable {
    package struct Parameter: Sendable {
        package var name: String
        package var summary: String
        package var isRequired: Bool

        package static func required(_ name: String, _ summary: String) -> Parameter {
            Parameter(name: name, summary: summary, isRequired: true)
        }

        package static func optional(_ name: String, _ summary: String) -> Parameter {
            Parameter(name: name, summary: summary, isRequired: false)
        }
    }

    package var name: String
    package var summary: String
    package var parameters: [Parameter]
    /// An expression that a test evaluates.
    package var example: String
    /// Whether it takes any number of values, or any keys, in place of the parameters.
    package var isOpen = false
    package var run: @Sendable (Arguments) throws(EvaluationError) -> Value

    package init(
        _ name: String, _ summary: String, _ parameters: [Parameter], example: String,
        isOpen: Bool = false, run: @escaping @Sendable (Arguments) throws(EvaluationError) -> Value
    ) {
        self.name = name
        self.summary = summary
        self.parameters = parameters
        self.example = example
        self.isOpen = isOpen
        self.run = run
    }

    package static let all: [Function] =
        Function.elementwise + Function.reductions + Function.statistics + Function.shapes
        + Function.joining + Function.lists + Function.random + Function.texts
        + Function.reading

    private static let byName = Dictionary(
        all.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })

    package static func named(_ name: String) -> Function? { byName[name] }

    /// The function of one value.
    static func value(_ name: String, of value: Value) throws(EvaluationError) -> Value? {
        guard let function = named(name) else { return nil }
        return try function.run(try function.bind([value], []))
    }

    /// `softmax(x, axis=…)`
    package var usage: String {
        if isOpen { return "\(name)(\(parameters.first?.name ?? "key=value"), …)" }
        return name + "("
            + parameters.map { $0.isRequired ? $0.name : "\($0.name)=…" }.joined(separator: ", ")
            + ")"
    }

    /// Assigns values to parameters, by position and then by key.
    package func bind(
        _ positional: [Value], _ keyed: [(key: String, value: Value)]
    ) throws(EvaluationError) -> Arguments {
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
            guard arguments.values[key] == nil else {
                throw .other("`\(key)` of `\(name)` is given twice")
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

/// The values of one call, with checks that functions share.
package struct Arguments {
    package var function: String
    package var values = Record()
    /// The values of a function with any number of arguments.
    package var rest: [Value] = []
    /// Whether the user wants to stop the running statement.
    var isInterrupted: () -> Bool = { false }

    init(function: String) { self.function = function }

    package func value(_ name: String) -> Value { values[name] ?? .null }

    private func role(_ name: String) -> String { "`\(name)` of `\(function)`" }

    package func number(_ name: String) throws(EvaluationError) -> Double {
        guard let number = value(name).asNumber else {
            throw .wrongKind(role: role(name), expected: "a number", found: value(name).aKind)
        }
        return number
    }

    package func integer(_ name: String, default fallback: Int? = nil) throws(EvaluationError)
        -> Int
    {
        if values[name] == nil, let fallback { return fallback }
        guard let integer = value(name).asInteger else {
            if let number = value(name).asNumber {
                throw .notWhole(role: role(name), found: NumberText.significant(number))
            }
            throw .wrongKind(role: role(name), expected: "a whole number", found: value(name).aKind)
        }
        return integer
    }

    package func text(_ name: String) throws(EvaluationError) -> String {
        guard case .text(let text) = value(name) else {
            throw .wrongKind(role: role(name), expected: "text", found: value(name).aKind)
        }
        return text
    }

    package func flag(_ name: String, default fallback: Bool) throws(EvaluationError) -> Bool {
        guard let value = values[name] else { return fallback }
        guard case .bool(let flag) = value else {
            throw .wrongKind(role: role(name), expected: "true or false", found: value.aKind)
        }
        return flag
    }

    package func list(_ name: String) throws(EvaluationError) -> [Value] {
        try items(value(name), role(name))
    }

    package func items(_ value: Value, _ role: String) throws(EvaluationError) -> [Value] {
        switch value {
        case .list(let items): return items
        case .tensor(let tensor) where !tensor.shape.isEmpty:
            var items: [Value] = []
            for index in 0..<tensor.shape[0] { items.append(try tensor.selecting([.index(index)])) }
            return items
        case .object(let object):
            if let count = object.count { return (0..<count).map { object.item($0) } }
        default: break
        }
        throw .wrongKind(role: role, expected: "a list", found: value.aKind)
    }

    package func tensor(_ name: String) throws(EvaluationError) -> Tensor {
        let value = value(name)
        if let tensor = value.asTensor, value.isArrayLike { return tensor }
        if case .list(let items) = value, items.allSatisfy(\.isArrayLike) { throw .raggedList }
        throw .wrongKind(
            role: role(name), expected: "a number, a list of numbers or a tensor",
            found: value.aKind)
    }

    /// An axis of `shape`; nil without a value. Negative numbers count from the last axis.
    package func axis(_ shape: [Int], default fallback: Int? = nil) throws(EvaluationError) -> Int?
    {
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

    /// Whole numbers, given as one list or one by one.
    package func shape(_ values: [Value]) throws(EvaluationError) -> [Int] {
        var sides = values
        if values.count == 1, case .list(let items) = values[0] { sides = items }
        if values.count == 1, case .tensor = values[0] { sides = try items(values[0], "a shape") }
        var shape: [Int] = []
        for side in sides {
            guard let size = side.asInteger else {
                throw .wrongKind(
                    role: "a dimension of a shape", expected: "a whole number", found: side.aKind)
            }
            shape.append(size)
        }
        return shape
    }
}

extension Value {
    /// Numbers and values made of numbers; not text or records.
    fileprivate var isArrayLike: Bool {
        switch self {
        case .number, .tensor, .bool: true
        case .list(let items): items.allSatisfy(\.isArrayLike)
        case .object(let object): object is any TensorObject
        default: false
        }
    }
}
