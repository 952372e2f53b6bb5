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
        throw .unknownField(name, owner: aKind, nearest: nearest(name, in: names), fields: names)
    }

    private func ownField(_ name: String) -> Value? {
        switch self {
        case .record(let record): return record[name]
        case .tensor(let tensor): return TensorField.all.first { $0.name == name }?.value(tensor)
        case .object(let object): return object.field(name)
        default: return nil
        }
    }

    private var mappableItems: [Value]? {
        switch self {
        case .list(let items): return items
        case .object(let object): return object.count.map { (0..<$0).map { object.item($0) } }
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

    private var firstItem: Value? {
        switch self {
        case .list(let items): items.first
        case .object(let object): (object.count ?? 0) > 0 ? object.item(0) : nil
        default: nil
        }
    }

    private var ownFieldNames: [FieldName] {
        switch self {
        case .record(let record):
            return record.map { FieldName(name: $0.key, summary: $0.value.summary) }
        case .tensor:
            return TensorField.all.map { FieldName(name: $0.name, summary: $0.summary) }
        case .object(let object): return type(of: object).fieldNames
        default: return []
        }
    }
}

/// The fields of a tensor.
enum TensorField {
    package static let all: [Field<Tensor>] = [
        Field("shape", "its sides") { Value($0.shape) },
        Field("count", "how many values it holds") { Value($0.count) },
        Field("type", "how a value is stored") { .text($0.type.rawValue) },
        Field("min", "smallest finite value") { tensor in
            let statistics = TensorText.Statistics(tensor)
            return statistics.finite > 0 ? .number(statistics.minimum) : .null
        },
        Field("max", "largest finite value") { tensor in
            let statistics = TensorText.Statistics(tensor)
            return statistics.finite > 0 ? .number(statistics.maximum) : .null
        },
        Field("mean", "mean of the finite values") { Value(TensorText.Statistics($0).mean) },
        Field("nonfinite", "how many values are nan or infinite") {
            Value(TensorText.Statistics($0).nonFinite)
        },
        Field("T", "its axes in reverse order") { .tensor($0.transposed) },
    ]
}
