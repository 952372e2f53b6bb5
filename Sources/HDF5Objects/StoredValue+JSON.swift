import JSON

/// The JSON of values on disk: `{"$array": path}` stands for an array, `{"$number": "nan"}` for a
/// number without a JSON form, and a record key that starts with `$` is written with a second `$`.
/// The same value always gives the same bytes, because digests are computed from them.
extension StoredValue {
    /// Deeper values are refused, so that reading a value never exhausts the stack.
    static let maximumDepth = 64

    /// Limits for reading a value's JSON. Arrays and numbers add a level of their own.
    static let limits = JSON.Limits(depth: maximumDepth + 2)

    /// Writes the tree. `array` returns the text for an array, given its path.
    ///
    /// Throws `StoredValueFault` for a tree that could not be read back.
    package func write(
        to writer: inout JSON.Writer, array: (StoredArray, [PathStep]) throws -> String
    ) throws {
        var path: [PathStep] = []
        try write(to: &writer, at: &path, array: array)
    }

    private func write(
        to writer: inout JSON.Writer, at path: inout [PathStep],
        array: (StoredArray, [PathStep]) throws -> String
    ) throws {
        guard path.count <= Self.maximumDepth else { throw StoredValueFault.tooDeep }
        switch self {
        case .null: writer.null()
        case .bool(let flag): writer.bool(flag)
        case .number(let number) where number.isFinite: writer.number(number)
        case .number(let number):
            writer.member("$number", number.isNaN ? "nan" : number < 0 ? "-inf" : "inf")
        case .text(let text): writer.string(text)
        case .array(let leaf): writer.member("$array", try array(leaf, path))
        case .list(let items):
            writer.openArray()
            for (place, item) in items.enumerated() {
                path.append(.index(place))
                try item.write(to: &writer, at: &path, array: array)
                path.removeLast()
            }
            writer.closeArray()
        case .record(let record):
            var keys = KeySet()
            writer.openObject()
            for field in record.fields {
                guard keys.insert(field.key) else {
                    throw StoredValueFault.duplicateKey(field.key)
                }
                writer.key(field.key.hasDollar ? "$" + field.key : field.key)
                path.append(.key(field.key))
                try field.value.write(to: &writer, at: &path, array: array)
                path.removeLast()
            }
            writer.closeObject()
        }
    }

    /// A document without arrays, unchanged.
    public init(_ json: JSON) {
        switch json {
        case .null: self = .null
        case .bool(let flag): self = .bool(flag)
        case .number(let digits): self = .number(Double(digits) ?? .nan)
        case .string(let text): self = .text(text)
        case .array(let elements): self = .list(elements.map { StoredValue($0) })
        case .object(let members):
            var record = StoredRecord()
            record.fields = members.map { .init(key: $0.key, value: StoredValue($0.value)) }
            self = .record(record)
        }
    }

    /// What `write` wrote, with the arrays that it names. Throws `ObjectFault`.
    init(_ json: JSON, arrays: [[UInt8]: StoredArray]) throws {
        switch json {
        case .null: self = .null
        case .bool(let flag): self = .bool(flag)
        case .number(let digits):
            guard let number = Double(digits), number.isFinite else {
                throw ObjectFault.jsonNames(String(digits.prefix(40)))
            }
            self = .number(number)
        case .string(let text): self = .text(text)
        case .array(let elements):
            self = .list(try elements.map { try StoredValue($0, arrays: arrays) })
        case .object(let members):
            if members.count == 1, let member = members.first {
                if member.key == "$array" {
                    guard let path = member.value.string, let array = arrays[Array(path.utf8)]
                    else {
                        throw ObjectFault.jsonNames(member.value.string ?? "?")
                    }
                    self = .array(array)
                    return
                }
                if member.key == "$number" {
                    switch member.value.string {
                    case "nan": self = .number(.nan)
                    case "inf": self = .number(.infinity)
                    case "-inf": self = .number(-.infinity)
                    default: throw ObjectFault.jsonNames("$number")
                    }
                    return
                }
            }
            var record = StoredRecord()
            record.fields.reserveCapacity(members.count)
            for member in members {
                let key =
                    member.key.hasDollar
                    ? String(decoding: member.key.utf8.dropFirst(), as: UTF8.self) : member.key
                record.fields.append(
                    .init(key: key, value: try StoredValue(member.value, arrays: arrays)))
            }
            self = .record(record)
        }
    }
}

extension JSON.Writer {
    /// `{key: text}`
    fileprivate mutating func member(_ key: String, _ text: String) {
        openObject()
        self.key(key)
        string(text)
        closeObject()
    }
}

/// One step from the root of a value tree to a leaf.
package enum PathStep {
    case key(String)
    case index(Int)
}

extension String {
    /// Compares bytes: a combining mark after the dollar sign would hide it from `hasPrefix`.
    fileprivate var hasDollar: Bool { utf8.first == UInt8(ascii: "$") }

    /// Swift strings are equal if they look the same; keys are equal only if their bytes are equal.
    package func hasSameBytes(as other: String) -> Bool {
        self == other && utf8.elementsEqual(other.utf8)
    }
}

/// The keys of a record so far. Most records are small; comparing is then faster than hashing.
private struct KeySet {
    private var few: [String] = []
    private var many: Set<[UInt8]> = []

    mutating func insert(_ key: String) -> Bool {
        if many.isEmpty {
            if few.contains(where: { $0.hasSameBytes(as: key) }) { return false }
            few.append(key)
            if few.count == 24 { many = Set(few.map { Array($0.utf8) }) }
            return true
        }
        return many.insert(Array(key.utf8)).inserted
    }
}
