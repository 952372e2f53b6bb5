import CommandLanguage
import Tensors

/// One step from a value into a part of it: `.response`, `["key"]`, `[2]`, `[0, 1]`.
package enum PathStep: Equatable, Sendable {
    case field(String)
    /// Text in brackets: the field of a record, or the item of an object with this id.
    case key(String)
    case places([Int])
}

/// An object of which a person may replace parts. Every replacement makes a new object.
package protocol EditableObject: SessionObject {
    /// The fields that can be replaced, for messages; empty for a list, whose items are replaced.
    static var replaceableFields: [String] { get }
    /// The same object with another value of a field of `replaceableFields`.
    func replacing(field: String, with value: Value) throws(EvaluationError) -> Value
    /// The same list with another item at a place that exists.
    func replacing(item: Int, with value: Value) throws(EvaluationError) -> Value
    /// An object of the same kind from its plain form, which a person has edited.
    func edited(_ plain: Value) throws(EvaluationError) -> Value
}

extension EditableObject {
    package static var replaceableFields: [String] { [] }

    package func replacing(field: String, with value: Value) throws(EvaluationError) -> Value {
        .object(self)
    }

    package func replacing(item: Int, with value: Value) throws(EvaluationError) -> Value {
        .object(self)
    }
}

extension Value {
    /// The same value with another part at the end of a path: `queries[0].text = "…"`.
    ///
    /// - Throws: if a step leads nowhere, or into a part that is computed from others.
    package func replacing(
        _ path: ArraySlice<PathStep>, with part: Value
    ) throws(EvaluationError) -> Value {
        guard let step = path.first else { return part }
        let rest = path.dropFirst()
        switch (self, step) {
        case (.object(let object), .key(let id)):
            return try replacing([.places([try object.place(of: id)])] + rest, with: part)
        case (_, .key(let name)): return try replacing([.field(name)] + rest, with: part)
        case (.record(var record), .field(let name)):
            // A new field may be added; a step into one needs that it is there.
            guard record[name] != nil || rest.isEmpty else {
                throw .unknownField(
                    name, owner: aKind, nearest: nearest(name, in: record.keys),
                    fields: Array(record.keys))
            }
            record[name] = try (record[name] ?? .null).replacing(rest, with: part)
            return .record(record)
        case (.list(var items), .places(let places)):
            let place = try Value.place(places, count: items.count, what: "the list")
            items[place] = try items[place].replacing(
                Value.steps(after: places) + rest, with: part)
            return .list(items)
        case (.tensor(let tensor), .places(let places)):
            guard rest.isEmpty else { throw .notReplaceable("a part of a number", fields: []) }
            return .tensor(try tensor.replacing(places, with: part))
        case (.object(let object), .field(let name)):
            return try object.replacing(name, rest, with: part)
        case (.object(let object), .places(let places)):
            guard let count = object.count else { throw .notIndexable(aKind) }
            guard let editable = object as? any EditableObject else {
                throw .notReplaceable("an item of \(kind)", fields: [])
            }
            let place = try Value.place(places, count: count, what: "`\(kind)`")
            let item = try object.item(place).replacing(
                Value.steps(after: places) + rest, with: part)
            return try editable.replacing(item: place, with: item)
        case (.tensor, .field(let name)):
            throw .notReplaceable("`\(name)` of a tensor", fields: [])
        case (.list, .field(let name)): throw .ofOneItem(name)
        case (_, .field(let name)):
            throw .unknownField(name, owner: aKind, nearest: nil, fields: [])
        case (_, .places): throw .notIndexable(aKind)
        }
    }

    private static func place(
        _ places: [Int], count: Int, what: String
    ) throws(EvaluationError) -> Int {
        guard let index = places.first,
            case .one(let place) = try Selector.index(index).resolved(count: count, what: what)
        else { throw .notIndexable(what) }
        return place
    }

    /// `rows[0, 1]` is item 1 of `rows[0]`.
    private static func steps(after places: [Int]) -> ArraySlice<PathStep> {
        places.count > 1 ? [.places(Array(places.dropFirst()))] : []
    }
}

extension SessionObject {
    fileprivate func replacing(
        _ name: String, _ rest: ArraySlice<PathStep>, with part: Value
    ) throws(EvaluationError) -> Value {
        let kind = Self.kind
        guard let old = field(name) else {
            let names = Self.fieldNames.map(\.name)
            if let count, count > 0, (try? item(0).field(name)) != nil { throw .ofOneItem(name) }
            throw .unknownField(
                name, owner: Sentence.withArticle(kind), nearest: nearest(name, in: names),
                fields: names)
        }
        let fields = (self as? any EditableObject).map { type(of: $0).replaceableFields } ?? []
        guard fields.contains(name), let editable = self as? any EditableObject else {
            throw .notReplaceable("`\(name)` of \(Sentence.withArticle(kind))", fields: fields)
        }
        return try editable.replacing(field: name, with: try old.replacing(rest, with: part))
    }
}

extension EvaluationError {
    /// `rollouts.response = …`: a field of items, without saying which.
    fileprivate static func ofOneItem(_ field: String) -> EvaluationError {
        .other(
            "`\(field)` is a field of each item, and one is replaced at a time",
            suggestion: "an index before `.\(field)` names one: [0].\(field)")
    }
}

extension Tensor {
    /// The same tensor with other values at the places of its first axes: one number for all of
    /// them, or a tensor of their shape.
    fileprivate func replacing(
        _ places: [Int], with part: Value
    ) throws(EvaluationError) -> Tensor {
        guard places.count <= shape.count else {
            throw .tooManySubscripts(given: places.count, shape: shape)
        }
        var offset = 0
        for (axis, index) in places.enumerated() {
            guard
                case .one(let place) = try Selector.index(index).resolved(
                    count: shape[axis], what: "axis \(axis) of the tensor")
            else { throw .notIndexable("a tensor") }
            offset = offset * shape[axis] + place
        }
        let inner = Array(shape[places.count...])
        let count = inner.reduce(1, *)
        let values: [Float]
        switch part {
        case .number(let number): values = Array(repeating: Float(number), count: count)
        default:
            guard let tensor = part.asTensor, !part.isNumber else {
                throw .wrongKind(
                    role: "a part of a tensor", expected: "a number or a tensor", found: part.aKind)
            }
            guard tensor.shape == inner else {
                throw .shapesDiffer(operation: "=", inner, tensor.shape)
            }
            values = tensor.values
        }
        var result = self
        result.withUnsafeMutableBufferPointer { target in
            for index in 0..<count { target[offset * count + index] = values[index] }
        }
        return result
    }
}
