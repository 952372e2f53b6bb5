import CommandLanguage
import Tensors

extension Value {
    /// `x.name`. A field that a list does not have itself is taken from each item:
    /// `rollouts.response`.
    package func field(_ name: String) throws(EvaluationError) -> Value {
        if let value = ownField(name) { return value }
        let names = fieldNames.map(\.name)
        if let items = mappableItems {
            let values = items.compactMap { $0.ownField(name) }
            if !items.isEmpty, values.count == items.count { return .list(values) }
        }
        if holdsNumbers, Function.named(name) != nil {
            throw .other(
                "\(aKind) has no field `\(name)`",
                suggestion: "\(name)(…) is a function of its numbers")
        }
        var known: String?
        if case .object(let object) = self { known = type(of: object).otherFieldNames[name] }
        throw .unknownField(
            name, owner: aKind, nearest: known ?? nearest(name, in: names), fields: names)
    }

    private func ownField(_ name: String) -> Value? {
        switch self {
        case .record(let record): return record[name]
        case .tensor(let tensor): return TensorField.all.first { $0.name == name }?.value(tensor)
        case .list(let items): return NumbersField.value(name, of: items)
        case .object(let object): return object.field(name)
        default: return nil
        }
    }

    private var mappableItems: [Value]? {
        switch self {
        case .list(let items): return items
        case .object(let object): return object.fieldOwners
        default: return nil
        }
    }

    /// The fields after `.`, for completion and suggestions: its own fields, then those of its
    /// items.
    package var fieldNames: [FieldName] {
        guard let first = firstItem else { return ownFieldNames }
        let own = ownFieldNames
        let known = Set(own.map(\.name))
        return own + first.ownFieldNames.filter { !known.contains($0.name) }
    }

    /// The texts that an index takes, for completion: the keys of a record, the ids of an object's
    /// items.
    package var itemKeys: [FieldName] {
        switch self {
        case .record(let record):
            record.map { FieldName(name: $0.key, summary: $0.value.summary) }
        case .object(let object):
            (object.itemIDs ?? []).enumerated().map { FieldName(name: $1, summary: "item \($0)") }
        default: []
        }
    }

    private var firstItem: Value? {
        switch self {
        case .list(let items): items.first
        case .object(let object): object.fieldOwners?.first
        default: nil
        }
    }

    private var ownFieldNames: [FieldName] {
        switch self {
        case .record(let record):
            return record.map { FieldName(name: $0.key, summary: $0.value.summary) }
        case .tensor:
            return TensorField.all.map { FieldName(name: $0.name, summary: $0.summary) }
        case .list(let items) where !items.isEmpty && items.allSatisfy(\.isNumber):
            return TensorField.all.filter { NumbersField.names.contains($0.name) }
                .map { FieldName(name: $0.name, summary: $0.summary) }
        case .object(let object): return type(of: object).fieldNames
        default: return []
        }
    }
}

/// The fields of a tensor.
package enum TensorField {
    package static let all: [Field<Tensor>] = [
        Field("shape", "its sides") { Value($0.shape) },
        Field("count", "how many values it holds") { Value($0.count) },
        Field("type", "how a value is stored") { .text($0.format.name) },
        Field("min", "smallest value") { statistic("min", $0) },
        Field("max", "largest value") { statistic("max", $0) },
        Field("mean", "arithmetic mean") { statistic("mean", $0) },
        Field("std", "standard deviation, dividing by n") { statistic("std", $0) },
        Field("sum", "sum of all values") { statistic("sum", $0) },
        Field("norm", "square root of the sum of squares") { statistic("norm", $0) },
        Field("nonfinite", "how many values are nan or infinite") {
            Value(TensorText.Statistics($0).nonFinite)
        },
        Field("T", "its axes in reverse order") { .tensor($0.transposed) },
    ]

    /// The result of the function of the same name; null if there is no value to compute it of.
    private static func statistic(_ name: String, _ tensor: Tensor) -> Value {
        (try? Function.value(name, of: .tensor(tensor))) ?? .null
    }
}

/// The fields of a list of numbers: those of a tensor that do not concern its shape.
enum NumbersField {
    static let names = ["min", "max", "mean", "std", "sum", "norm"]

    /// Nil if the list holds anything but numbers, or has no such field.
    static func value(_ name: String, of items: [Value]) -> Value? {
        guard names.contains(name), !items.isEmpty, items.allSatisfy(\.isNumber) else { return nil }
        return try? Function.value(name, of: .list(items))
    }
}
