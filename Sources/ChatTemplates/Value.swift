import JSON

/// A value while a template runs. It behaves as in Python, as far as templates can observe: strings
/// are sequences of code points and are equal if these are equal; lists and dictionaries never
/// change.
enum Value: Sendable {
    /// A missing value; the text describes it.
    case undefined(String)
    case none
    case bool(Bool)
    case int(Int)
    case float(Double)
    case string(String)
    case list(ValueList)
    case tuple(ValueList)
    /// The result of filters such as `map`: it is iterable, has no length, and is always true.
    case stream(ValueList)
    indirect case dictionary(ValueDictionary)
    case namespace(Namespace)
    case loop(LoopState)
    case function(TemplateFunction)

    /// The value of a JSON document for a template. As in Python, digits alone are an `int` (if it
    /// fits in 64 bits), and a number with a point or an exponent is a `float`.
    init(_ json: JSON) {
        switch json {
        case .null: self = .none
        case .bool(let flag): self = .bool(flag)
        case .number(let digits):
            self = Int(digits).map { .int($0) } ?? .float(Double(digits) ?? .nan)
        case .string(let text): self = .string(text)
        case .array(let values): self = .list(ValueList(values.map { Value($0) }))
        case .object(let members):
            var dictionary = ValueDictionary()
            for member in members { dictionary.set(.string(member.key), Value(member.value)) }
            self = .dictionary(dictionary)
        }
    }

    var isTrue: Bool {
        switch self {
        case .undefined, .none: false
        case .bool(let flag): flag
        case .int(let number): number != 0
        case .float(let number): number != 0
        case .string(let text): !text.isEmpty
        case .list(let values), .tuple(let values): !values.isEmpty
        case .dictionary(let dictionary): dictionary.count > 0
        case .stream, .namespace, .loop, .function: true
        }
    }

    /// Python's name of the type, for messages.
    var kind: String {
        switch self {
        case .undefined: "undefined"
        case .none: "none"
        case .bool: "a boolean"
        case .int: "a whole number"
        case .float: "a number"
        case .string: "a text"
        case .list: "a list"
        case .tuple: "a tuple"
        case .stream: "a generator"
        case .dictionary: "a mapping"
        case .namespace: "a namespace"
        case .loop: "a loop"
        case .function: "a function"
        }
    }

    /// The number; a boolean counts as one.
    var integer: Int? {
        switch self {
        case .int(let number): number
        case .bool(let flag): flag ? 1 : 0
        default: nil
        }
    }

    var double: Double? {
        if case .float(let number) = self { return number }
        return integer.map { Double($0) }
    }

    var text: String? {
        if case .string(let text) = self { return text }
        return nil
    }

    /// The nesting depth of the value.
    var depth: Int {
        switch self {
        case .list(let list), .tuple(let list), .stream(let list): list.depth
        case .dictionary(let dictionary): dictionary.depth
        case .loop(let loop): loop.values.depth + 1
        case .function(.method(let receiver, _)): receiver.depth + 1
        default: 0
        }
    }

    /// The cost of traversing the value completely. A value in two places counts twice.
    var weight: Int {
        switch self {
        case .string(let text): 1 + text.utf8.count / 8
        case .list(let list), .tuple(let list), .stream(let list): list.weight
        case .dictionary(let dictionary): dictionary.weight
        default: 1
        }
    }

    /// The elements for iteration; nil if the value is not iterable.
    var elements: [Value]? {
        switch self {
        case .undefined: []
        case .string(let text): text.unicodeScalars.map { .string(String($0)) }
        case .list(let list), .tuple(let list), .stream(let list): list.values
        case .dictionary(let dictionary): dictionary.keys
        default: nil
        }
    }

    /// The number of elements; nil if it has no length.
    var count: Int? {
        switch self {
        case .undefined: 0
        case .string(let text): text.unicodeScalars.count
        case .list(let values), .tuple(let values): values.count
        case .dictionary(let dictionary): dictionary.count
        default: nil
        }
    }

    func isEqual(to other: Value) -> Bool {
        switch (self, other) {
        case (.undefined, .undefined), (.none, .none): return true
        case (.string(let a), .string(let b)): return a.utf8.elementsEqual(b.utf8)
        case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)):
            return a.count == b.count && zip(a, b).allSatisfy { $0.isEqual(to: $1) }
        case (.dictionary(let a), .dictionary(let b)):
            return a.count == b.count
                && a.keys.allSatisfy { key in
                    guard let left = a[key], let right = b[key] else { return false }
                    return left.isEqual(to: right)
                }
        case (.namespace(let a), .namespace(let b)): return a === b
        default:
            if let a = integer, let b = other.integer { return a == b }
            guard let a = double, let b = other.double else { return false }
            return a == b
        }
    }

    /// Whether it comes before the other; nil if the two have no order.
    func isLess(than other: Value) -> Bool? {
        switch (self, other) {
        case (.string(let a), .string(let b)): return a.utf8.lexicographicallyPrecedes(b.utf8)
        case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)):
            for (left, right) in zip(a, b) where !left.isEqual(to: right) {
                return left.isLess(than: right)
            }
            return a.count < b.count
        default:
            if let a = integer, let b = other.integer { return a < b }
            guard let a = double, let b = other.double else { return nil }
            return a < b
        }
    }
}

/// Values in order, with the cost of traversing them. A list that contains itself twice,
/// repeatedly, soon costs too much to traverse, although it takes little memory.
struct ValueList: Sendable, RandomAccessCollection {
    let values: [Value]
    let depth: Int
    let weight: Int

    init(_ values: [Value]) {
        self.values = values
        depth = 1 + (values.lazy.map(\.depth).max() ?? 0)
        weight = values.reduce(1) { Self.sum($0, $1.weight) }
    }

    /// A sum that saturates at a number that no work can reach.
    static func sum(_ first: Int, _ second: Int) -> Int {
        Swift.min(first + second, 1 << 60)
    }

    var startIndex: Int { 0 }
    var endIndex: Int { values.count }
    subscript(place: Int) -> Value { values[place] }
}

/// Keys and values in order of insertion. Keys are equal as in Python (`1` equals `1.0`).
struct ValueDictionary: Sendable {
    private(set) var keys: [Value] = []
    private(set) var values: [Value] = []
    private var places: [Key: Int] = [:]
    private(set) var depth = 1
    private(set) var weight = 1

    var count: Int { keys.count }

    private enum Key: Hashable {
        case none
        case number(Double)
        case integer(Int)
        case string([UInt8])
        case tuple([Key])

        init?(_ value: Value) {
            switch value {
            case .none: self = .none
            case .string(let text): self = .string(Array(text.utf8))
            case .float(let number):
                self = Int(exactly: number).map { .integer($0) } ?? .number(number)
            case .tuple(let values):
                let keys = values.compactMap { Key($0) }
                guard keys.count == values.count else { return nil }
                self = .tuple(keys)
            default:
                guard let integer = value.integer else { return nil }
                self = .integer(integer)
            }
        }
    }

    subscript(key: Value) -> Value? {
        Key(key).flatMap { places[$0] }.map { values[$0] }
    }

    subscript(name: String) -> Value? {
        places[.string(Array(name.utf8))].map { values[$0] }
    }

    /// False if a value of this kind cannot be a key.
    @discardableResult
    mutating func set(_ key: Value, _ value: Value) -> Bool {
        guard let place = Key(key) else { return false }
        depth = max(depth, 1 + max(key.depth, value.depth))
        weight = ValueList.sum(weight, ValueList.sum(key.weight, value.weight))
        if let known = places[place] {
            values[known] = value
        } else {
            places[place] = keys.count
            keys.append(key)
            values.append(value)
        }
        return true
    }

    var items: [Value] { zip(keys, values).map { .tuple(ValueList([$0, $1])) } }
}

/// The result of `namespace()`: the only value whose attributes can be set.
///
/// Belongs to one rendering, which runs on one thread; therefore unchecked.
final class Namespace: @unchecked Sendable {
    var attributes: ValueDictionary

    init(_ attributes: ValueDictionary) {
        self.attributes = attributes
    }
}

/// The variable `loop` inside a loop. Belongs to one rendering; therefore unchecked.
final class LoopState: @unchecked Sendable {
    let values: ValueList
    var index = 0
    /// The last argument of `changed`.
    var changed: String?

    init(_ values: [Value]) {
        self.values = ValueList(values)
    }

    func attribute(_ name: String) -> Value? {
        switch name {
        case "index": .int(index + 1)
        case "index0": .int(index)
        case "revindex": .int(values.count - index)
        case "revindex0": .int(values.count - index - 1)
        case "first": .bool(index == 0)
        case "last": .bool(index == values.count - 1)
        case "length": .int(values.count)
        // Only recursive loops have a larger depth, and they are not supported.
        case "depth": .int(1)
        case "depth0": .int(0)
        case "previtem": index > 0 ? values[index - 1] : .undefined("there is no previous item")
        case "nextitem":
            index + 1 < values.count ? values[index + 1] : .undefined("there is no next item")
        case "cycle", "changed": .function(.method(.loop(self), name))
        default: nil
        }
    }
}

/// A callable value.
enum TemplateFunction: Sendable {
    case global(String)
    indirect case method(Value, String)
    case macro(Statement.Macro, Scope)
}

/// Names and their values. Belongs to one rendering; therefore unchecked.
final class Scope: @unchecked Sendable {
    private let parent: Scope?
    private var names: [String: Value]

    init(_ names: [String: Value] = [:], in parent: Scope?) {
        self.parent = parent
        self.names = names
    }

    subscript(name: String) -> Value? {
        get { names[name] ?? parent?[name] }
        set { names[name] = newValue }
    }

    func clear() { names = [:] }
}
