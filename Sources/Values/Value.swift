import OrderedCollections
import Rendering
import Tensors

/// Fields in the order they were given.
public typealias Record = OrderedDictionary<String, Value>

/// Every value that a name can have and an expression can yield.
///
/// The plain cases are those of JSON, and arrays of float32. SAMI's own values (a model, rollouts,
/// a loss) are `SessionObject`s. Each knows its fields, display and stored form. A new kind is a
/// new file, not a new case.
public indirect enum Value: Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case text(String)
    case list([Value])
    case record(Record)
    case tensor(Tensor)
    case object(any SessionObject)
}

extension Value {
    /// The name of the kind in sentences and in `ls`.
    public var kind: String {
        switch self {
        case .null: "null"
        case .bool: "truth value"
        case .number: "number"
        case .text: "text"
        case .list: "list"
        case .record: "record"
        case .tensor: "tensor"
        case .object(let object): type(of: object).kind
        }
    }

    /// The kind with its article: "a number", "rollouts".
    package var aKind: String {
        switch self {
        case .null: return "null"
        case .text: return "text"
        default: return Sentence.withArticle(kind)
        }
    }

    /// One line for `ls` and for short outputs; never the whole value.
    public var summary: String {
        switch self {
        case .null: "null"
        case .bool(let truth): truth ? "true" : "false"
        case .number(let number): NumberText.exact(number)
        case .text(let text):
            "\"" + TextWidth.cut(TextWidth.oneLine(text.prefix(400)), to: 60) + "\""
        case .list(let items): "list of \(NumberText.grouped(items.count))"
        case .record(let record): "record of " + record.keys.prefix(6).joined(separator: ", ")
        case .tensor(let tensor): TensorText.summary(tensor)
        case .object(let object): object.summary
        }
    }

    /// The number; also of a tensor with one element.
    package var asNumber: Double? {
        switch self {
        case .number(let number): number
        case .tensor(let tensor) where tensor.count == 1: Double(tensor.values[0])
        default: nil
        }
    }

    package var asText: String? {
        if case .text(let text) = self { return text }
        return nil
    }

    /// Whole numbers only, in the range of an index or a count.
    package var asInteger: Int? {
        guard let number = asNumber, number == number.rounded(), number.magnitude < 1e15 else {
            return nil
        }
        return Int(number)
    }

    package func object<N: SessionObject>(_ type: N.Type) -> N? {
        if case .object(let object) = self { return object as? N }
        return nil
    }

    /// A record of fields, whose names differ.
    package init(fields names: [String], _ values: [Value]) {
        self = .record(Record(uniqueKeysWithValues: zip(names, values)))
    }

    package init(_ strings: [String]) { self = .list(strings.map(Value.text)) }

    package init(_ integers: [Int]) { self = .list(integers.map { .number(Double($0)) }) }

    package init(_ number: Int) { self = .number(Double(number)) }

    package init(_ number: Double?) { self = number.map(Value.number) ?? .null }

    package init(_ text: String?) { self = text.map(Value.text) ?? .null }
}

extension Value {
    /// Whether lists and records nest deeper than a number of levels.
    package func isDeeper(than levels: Int) -> Bool {
        switch self {
        case .list(let items): levels == 0 || items.contains { $0.isDeeper(than: levels - 1) }
        case .record(let record):
            levels == 0 || record.values.contains { $0.isDeeper(than: levels - 1) }
        default: false
        }
    }

    /// Another text for another value. JSON alone has one word for nan, infinity and null.
    package var identityText: String {
        switch self {
        case .number(let number) where !number.isFinite: "\(number)"
        case .list(let items): "[" + items.map(\.identityText).joined(separator: ",") + "]"
        default: json
        }
    }

    /// Equality as `==` means it in an expression, for all values but tensors.
    package func equals(_ other: Value) -> Bool {
        switch (self, other) {
        case (.null, .null): return true
        case (.bool(let left), .bool(let right)): return left == right
        case (.number(let left), .number(let right)): return left == right
        case (.text(let left), .text(let right)): return left == right
        case (.list(let left), .list(let right)):
            return left.count == right.count && zip(left, right).allSatisfy { $0.equals($1) }
        case (.record(let left), .record(let right)):
            return left.count == right.count
                && left.allSatisfy { key, value in right[key]?.equals(value) ?? false }
        case (.tensor(let left), .tensor(let right)):
            return left.shape == right.shape && left.values == right.values
        case (.object(let left), .object(let right)):
            return type(of: left) == type(of: right) && left.jsonValue.equals(right.jsonValue)
        default: return false
        }
    }
}
