/// A JSON document (RFC 8259) as a tree. Members keep their order and numbers keep their digits, so
/// that a document can be written back unchanged.
///
/// Keys and texts are equal if their bytes are equal: a vocabulary may contain both spellings of an
/// accented letter. (For Swift's own `==` on `String` the two are equal.)
///
/// ```swift
/// let config = try JSON.read(bytes, limits: .init(depth: 8))
/// let layers = config["num_hidden_layers"]?.integer
/// ```
public enum JSON: Sendable {
    case null
    case bool(Bool)
    /// The digits of the document: 9007199254740993, 1e400 and 1e-05 stay unchanged.
    case number(String)
    case string(String)
    case array([JSON])
    case object([Member])

    public struct Member: Sendable {
        public var key: String
        public var value: JSON

        public init(_ key: String, _ value: JSON) {
            self.key = key
            self.value = value
        }
    }

    public static func integer(_ value: Int) -> JSON { .number(String(value)) }

    /// The shortest digits that represent the number, with a point as in Python: `1.0` and not `1`.
    /// A non-finite number has no JSON form and becomes null.
    public static func double(_ value: Double) -> JSON {
        value.isFinite ? .number(value.description) : .null
    }
}

// MARK: Looking inside

extension JSON {
    /// The value of the first member with this key; nil if the value is not an object.
    public subscript(key: String) -> JSON? {
        members?.first { $0.key.hasSameBytes(as: key) }?.value
    }

    public var members: [Member]? {
        if case .object(let members) = self { members } else { nil }
    }

    public var elements: [JSON]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    public var string: String? {
        if case .string(let string) = self { string } else { nil }
    }

    public var bool: Bool? {
        if case .bool(let bool) = self { bool } else { nil }
    }

    /// A number, rounded to the nearest double; infinite if it is too large for a double.
    public var double: Double? {
        if case .number(let digits) = self { Double(digits) } else { nil }
    }

    /// A whole number, written as an integer (`32`) or as a decimal without a fraction (`32.0`).
    public var integer: Int? {
        guard case .number(let digits) = self else { return nil }
        return Int(digits) ?? Double(digits).flatMap { Int(exactly: $0) }
    }

    public var isNull: Bool { if case .null = self { true } else { false } }
}

extension JSON: Equatable {
    public static func == (left: JSON, right: JSON) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.number(let left), .number(let right)): left == right
        case (.string(let left), .string(let right)): left.hasSameBytes(as: right)
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        default: false
        }
    }
}

extension JSON.Member: Equatable {
    public static func == (left: JSON.Member, right: JSON.Member) -> Bool {
        left.key.hasSameBytes(as: right.key) && left.value == right.value
    }
}

extension JSON: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    public init(nilLiteral: ()) { self = .null }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int) { self = .integer(value) }
    public init(floatLiteral value: Double) { self = .double(value) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    public init(dictionaryLiteral members: (String, JSON)...) {
        self = .object(members.map { Member($0.0, $0.1) })
    }
}

extension String {
    /// Whether both have the same code points, which Swift's `==` does not test.
    func hasSameBytes(as other: String) -> Bool {
        utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
    }
}
