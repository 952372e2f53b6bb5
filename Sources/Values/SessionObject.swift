import Rendering
import Tensors

/// A thing SAMI speaks of: a model, rollouts, a loss. Each is an immutable value.
public protocol SessionObject: Sendable {
    /// The name its verb binds it to, and what sentences call it.
    static var kind: String { get }
    /// What `.name` reaches, in the order that `describe` and completion list it.
    static var fields: [Field<Self>] { get }
    /// One line, at most 60 columns or so.
    var summary: String { get }
    /// What is printed when a statement yields it.
    func rendered(_ appearance: Appearance) -> StyledText
    /// Its plain form: what `export` to JSON writes and `--json` prints.
    var jsonValue: Value { get }
    /// The number of things that `x[i]` reaches; nil when it cannot be indexed.
    var count: Int? { get }
    func item(_ index: Int) -> Value
    /// The same object holding only these things, in this order.
    func selecting(_ indices: [Int]) -> Value
}

extension SessionObject {
    public var count: Int? { nil }

    public func item(_ index: Int) -> Value { .null }

    public func selecting(_ indices: [Int]) -> Value { .list(indices.map(item)) }

    /// The value of the field called `name`, nil where there is none.
    public func field(_ name: String) -> Value? {
        Self.fields.first { $0.name == name }?.value(self)
    }

    package static var fieldNames: [FieldName] {
        fields.map { FieldName(name: $0.name, summary: $0.summary) }
    }

    /// A record of its fields that are short enough to print.
    package var fieldRecord: Record {
        var record = Record()
        for field in Self.fields { record[field.name] = field.value(self) }
        return record
    }
}

/// One entry of an object's table of fields.
public struct Field<Owner>: Sendable {
    public let name: String
    public let summary: String
    package let value: @Sendable (Owner) -> Value

    package init(_ name: String, _ summary: String, _ value: @escaping @Sendable (Owner) -> Value) {
        self.name = name
        self.summary = summary
        self.value = value
    }
}

/// A field's name and meaning without its owner's type, for completion and `describe`.
public struct FieldName: Sendable {
    public let name: String
    public let summary: String
}

/// An object that is a list, and can be made of a few of its items.
package protocol ListObject: SessionObject {
    /// The list that holds this value: an item, or a list of items; nil when it is neither.
    init?(wrapping value: Value)
}

/// An object that takes part in arithmetic as an array.
package protocol TensorObject: SessionObject {
    /// Nil where its parts differ in shape.
    var tensor: Tensor? { get }
}

/// An object that can be large.
package protocol SizedObject: SessionObject {
    var bytes: Int { get }
}
