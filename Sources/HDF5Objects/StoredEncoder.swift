import Foundation

extension StoredValue {
    /// The tree of a `Codable` value, without arrays. Equal values give equal trees.
    ///
    /// ```swift
    /// let value = try StoredValue(encoding: rollouts)
    /// let again = try value.decoded(as: Rollouts.self)
    /// ```
    ///
    /// Keys of types have the form of the language: `columnAccuracy` becomes `column_accuracy`.
    /// Keys of dictionaries are data and stay. The fields of a record are sorted by their keys'
    /// bytes. `Data` is base64 text. `StoredScalar` describes numbers.
    ///
    /// Throws `ObjectError.valueNotStorable` for a value that is nested too deep, and any error
    /// of the value's own `encode(to:)`. Time is linear in the size of the value.
    public init(encoding value: some Encodable) throws {
        self = try StoredEncoder(depth: 0, names: SnakeCaseNames()).encoded(value)
    }
}

/// Encodes one value, which may ask for containers in any order.
private final class StoredEncoder: Encoder {
    /// A part of a container. The encoder of a nested container is read when all is encoded.
    enum Part {
        case value(StoredValue)
        case encoder(StoredEncoder)

        func finished() -> StoredValue {
            switch self {
            case .value(let value): value
            case .encoder(let encoder): encoder.finished()
            }
        }
    }

    private let parent: StoredEncoder?
    private let key: (any CodingKey)?
    private let depth: Int
    let names: SnakeCaseNames
    /// Whether keys are data and not names.
    private(set) var keepsKeys = false

    // One of these is set, depending on the container.
    var single: StoredValue?
    var list: [Part]?
    var fields: [(key: String, part: Part)]?

    init(
        parent: StoredEncoder? = nil, key: (any CodingKey)? = nil, depth: Int, names: SnakeCaseNames
    ) {
        (self.parent, self.key, self.depth, self.names) = (parent, key, depth, names)
    }

    var codingPath: [any CodingKey] { (parent?.codingPath ?? []) + (key.map { [$0] } ?? []) }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func nested(_ key: any CodingKey) -> StoredEncoder {
        StoredEncoder(parent: self, key: key, depth: depth + 1, names: names)
    }

    /// The tree of this encoder's own value.
    func encoded<Value: Encodable>(_ value: Value) throws -> StoredValue {
        if let scalar = value as? any StoredScalar { return scalar.stored }
        if let bytes = value as? Data { return .text(bytes.base64EncodedString()) }
        guard depth <= StoredValue.maximumDepth else {
            throw ObjectError.valueNotStorable(kind: "value", .tooDeep)
        }
        keepsKeys = Value.self is any StringKeyed.Type
        try value.encode(to: self)
        return finished()
    }

    private func finished() -> StoredValue {
        if let fields {
            var record = StoredRecord()
            record.fields = fields.map { .init(key: $0.key, value: $0.part.finished()) }
            record.sort()
            return .record(record)
        }
        if let list { return .list(list.map { $0.finished() }) }
        // A value without any field.
        return single ?? .record(StoredRecord())
    }

    func container<Key>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if fields == nil { fields = [] }
        return KeyedEncodingContainer(StoredRecordEncoder<Key>(encoder: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if list == nil { list = [] }
        return StoredListEncoder(encoder: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        StoredScalarEncoder(encoder: self)
    }
}

private struct StoredRecordEncoder<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let encoder: StoredEncoder

    var codingPath: [any CodingKey] { encoder.codingPath }

    private func append(_ part: StoredEncoder.Part, _ key: any CodingKey) {
        let name = encoder.keepsKeys ? key.stringValue : encoder.names[key.stringValue]
        encoder.fields?.append((name, part))
    }

    func encodeNil(forKey key: Key) { append(.value(.null), key) }

    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
        append(.value(try encoder.nested(key).encoded(value)), key)
    }

    func encode<Value: Encodable & StoredScalar>(_ value: Value, forKey key: Key) {
        append(.value(value.stored), key)
    }

    private func nested(_ key: any CodingKey) -> StoredEncoder {
        let nested = encoder.nested(key)
        append(.encoder(nested), key)
        return nested
    }

    func nestedContainer<NestedKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> { nested(key).container(keyedBy: type) }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        nested(key).unkeyedContainer()
    }

    func superEncoder() -> any Encoder { nested(StoredKey.name("super")) }
    func superEncoder(forKey key: Key) -> any Encoder { nested(key) }
}

private struct StoredListEncoder: UnkeyedEncodingContainer {
    let encoder: StoredEncoder

    var codingPath: [any CodingKey] { encoder.codingPath }
    var count: Int { encoder.list?.count ?? 0 }

    private var place: StoredKey { .place(count) }

    func encodeNil() { encoder.list?.append(.value(.null)) }

    func encode<Value: Encodable>(_ value: Value) throws {
        // `Array` calls this method for its items, whatever their type.
        let item =
            if let scalar = value as? any StoredScalar { scalar.stored } else {
                try encoder.nested(place).encoded(value)
            }
        encoder.list?.append(.value(item))
    }

    func encode<Value: Encodable & StoredScalar>(_ value: Value) {
        encoder.list?.append(.value(value.stored))
    }

    private func nested() -> StoredEncoder {
        let nested = encoder.nested(place)
        encoder.list?.append(.encoder(nested))
        return nested
    }

    func nestedContainer<NestedKey>(
        keyedBy type: NestedKey.Type
    ) -> KeyedEncodingContainer<NestedKey> { nested().container(keyedBy: type) }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { nested().unkeyedContainer() }
    func superEncoder() -> any Encoder { nested() }
}

private struct StoredScalarEncoder: SingleValueEncodingContainer {
    let encoder: StoredEncoder

    var codingPath: [any CodingKey] { encoder.codingPath }

    func encodeNil() { encoder.single = .null }

    func encode<Value: Encodable>(_ value: Value) throws {
        encoder.single = try encoder.nested(StoredKey.name("")).encoded(value)
    }

    func encode<Value: Encodable & StoredScalar>(_ value: Value) { encoder.single = value.stored }
}

extension StoredRecord {
    /// Sorts by the keys' bytes. Of fields with the same key the last one stays, as if it had been
    /// assigned later.
    fileprivate mutating func sort() {
        func precedes(_ left: String, _ right: String) -> Bool {
            left.utf8.lexicographicallyPrecedes(right.utf8)
        }
        guard
            zip(fields, fields.dropFirst()).contains(where: { !precedes($0.key, $1.key) })
        else { return }
        // Swift's sort is stable.
        let sorted = fields.sorted { precedes($0.key, $1.key) }
        fields = []
        for field in sorted {
            if let last = fields.last, last.key.hasSameBytes(as: field.key) { fields.removeLast() }
            fields.append(field)
        }
    }
}

/// A dictionary with texts as keys.
protocol StringKeyed {}
extension Dictionary: StringKeyed where Key == String {}
