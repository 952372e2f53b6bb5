import Rendering
import Tensors

/// A value of SAMI's own: a model, rollouts, a loss. It is immutable.
public protocol SessionObject: Sendable {
    /// The name that its verb binds it to; sentences use it too.
    static var kind: String { get }
    /// The fields after `.`, in the order for `describe` and completion.
    static var fields: [Field<Self>] { get }
    /// Names under which a person may look for a field, with the field's own.
    static var otherFieldNames: [String: String] { get }
    /// One line, at most 60 columns or so.
    var summary: String { get }
    /// The output of a statement that yields it. Made when a host asks for it.
    func document(_ appearance: Appearance) -> Document
    /// The forms in which it can be shown: by default its document and its plain form.
    func display(_ appearance: Appearance) -> Display
    /// Its plain form: the result of `export` to JSON and of `--json`.
    var jsonValue: Value { get }
    /// Number of items that `x[i]` reaches; nil if it cannot be indexed.
    var count: Int? { get }
    func item(_ index: Int) -> Value
    /// The ids of its items, which `x["id"]` reaches; nil if items have none.
    var itemIDs: [String]? { get }
    /// The values whose fields `x.name` lists if `x` has no such field; by default its items.
    var fieldOwners: [Value]? { get }
    /// The same object with only these items, in this order.
    func selecting(_ indices: [Int]) -> Value
}

extension SessionObject {
    public var count: Int? { nil }

    public var itemIDs: [String]? { nil }

    public static var otherFieldNames: [String: String] { [:] }

    public var fieldOwners: [Value]? { count.map { (0..<$0).map(item) } }

    public func item(_ index: Int) -> Value { .null }

    public func selecting(_ indices: [Int]) -> Value { .list(indices.map(item)) }

    public func display(_ appearance: Appearance) -> Display {
        Display(
            appearance, json: { Value.object(self).printedJSON }, document: document(appearance))
    }

    /// The display of an object that has no forms but text and JSON.
    package func textDisplay(_ appearance: Appearance) -> Display {
        Display(text: { rendered(appearance) }, json: { Value.object(self).printedJSON })
    }

    package func rendered(_ appearance: Appearance) -> StyledText {
        document(appearance).rendered(appearance)
    }

    /// The value of the field called `name`; nil if there is none.
    public func field(_ name: String) -> Value? {
        Self.fields.first { $0.name == name }?.value(self)
    }

    package static var fieldNames: [FieldName] {
        fields.map { FieldName(name: $0.name, summary: $0.summary, isLarge: $0.isLarge) }
    }

    /// A record of its fields that are short enough to print.
    package var fieldRecord: Record {
        var record = Record()
        for field in Self.fields where !field.isLarge { record[field.name] = field.value(self) }
        return record
    }
}

/// One entry in the table of an object's fields.
public struct Field<Owner>: Sendable {
    public let name: String
    public let summary: String
    /// Whether the value can be large or slow to compute, as that of all weights is.
    package let isLarge: Bool
    package let value: @Sendable (Owner) -> Value

    package init(
        _ name: String, _ summary: String, isLarge: Bool = false,
        _ value: @escaping @Sendable (Owner) -> Value
    ) {
        self.name = name
        self.summary = summary
        self.isLarge = isLarge
        self.value = value
    }
}

/// A field's name and meaning without its owner's type, for completion and `describe`.
public struct FieldName: Sendable {
    public let name: String
    public let summary: String
    package var isLarge = false
}

/// An object that is a list, and can be made from some of its items.
package protocol ListObject: SessionObject {
    /// The list that contains this value, which is an item or a list of items; nil if it is
    /// neither. Records that a person typed are items too.
    ///
    /// - Throws: if a record lacks a field, or has one of another kind.
    init?(wrapping value: Value) throws(EvaluationError)
    /// The form of an item that a person types, for messages; nil if only verbs make items.
    static var typedItem: String? { get }
}

/// An object that can take in another of its kind, as the verdicts of one seed those of the next.
package protocol PoolableObject: SessionObject {
    /// The two as one.
    ///
    /// - Throws: `EvaluationError` if they do not belong together.
    func adding(_ other: Self) throws(EvaluationError) -> Self
}

extension PoolableObject {
    /// Nil for an object of another kind.
    func pooled(with other: any SessionObject) throws(EvaluationError) -> Value? {
        guard let other = other as? Self else { return nil }
        return .object(try adding(other))
    }
}

/// An object that acts as an array in arithmetic.
package protocol TensorObject: SessionObject {
    /// Nil if its parts differ in shape.
    var tensor: Tensor? { get }
}

/// An object that can be large.
package protocol SizedObject: SessionObject {
    var bytes: Int { get }
}
