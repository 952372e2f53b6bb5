import Foundation

extension StoredValue {
    /// The value of which `init(encoding:)` made this tree.
    ///
    /// Keys may also have the form of the type (`columnAccuracy`), as older workspaces wrote them.
    /// Fields that the type does not know are ignored.
    ///
    /// The tree may come from a stranger: a wrong type, a missing field, a number out of range or
    /// deep nesting is an error. Throws `StoredFormError` with the path of the field. Time is
    /// linear in the size of the tree.
    public func decoded<Value: Decodable>(
        as type: Value.Type = Value.self
    ) throws(StoredFormError) -> Value {
        do {
            return try StoredDecoder(self, names: SnakeCaseNames()).decoded()
        } catch let error as StoredFormError {
            throw error
        } catch let error as DecodingError {
            throw StoredFormError(error)
        } catch {
            throw StoredFormError(path: [], fault: .refused("\(error)"))
        }
    }
}

/// Decodes one value of the tree.
private final class StoredDecoder: Decoder {
    let value: StoredValue
    private let parent: StoredDecoder?
    private let key: (any CodingKey)?
    private let depth: Int
    let names: SnakeCaseNames
    /// Whether keys are data and not names.
    private(set) var keepsKeys = false
    /// The places of a large record's fields, made when the first one is looked up.
    private var places: [String: Int]?

    init(
        _ value: StoredValue, parent: StoredDecoder? = nil, key: (any CodingKey)? = nil,
        names: SnakeCaseNames
    ) {
        (self.value, self.parent, self.key, self.names) = (value, parent, key, names)
        depth = parent.map { $0.depth + 1 } ?? 0
    }

    var codingPath: [any CodingKey] { (parent?.codingPath ?? []) + (key.map { [$0] } ?? []) }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func error(_ fault: StoredFormFault, at key: (any CodingKey)? = nil) -> StoredFormError {
        StoredFormError(path: codingPath + (key.map { [$0] } ?? []), fault: fault)
    }

    /// The decoder's own value.
    func decoded<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value {
        if let scalar = type as? any StoredScalar.Type,
            let value = try self.scalar(scalar) as? Value
        {
            return value
        }
        if type == Data.self {
            guard let data = Data(base64Encoded: try scalar(String.self)) as? Value else {
                throw error(.refused("this is not base64 text"))
            }
            return data
        }
        guard depth <= StoredValue.maximumDepth else { throw error(.tooDeep) }
        keepsKeys = type is any StringKeyed.Type
        do {
            return try Value(from: self)
        } catch DecodingError.dataCorrupted(let context) {
            // The text of the library names the Swift type and not the words that it takes.
            guard let words = allowedWords(of: type), let word = value.textValue else {
                throw DecodingError.dataCorrupted(context)
            }
            throw error(.unknownWord(word, allowed: words))
        } catch let foreign where !(foreign is DecodingError || foreign is StoredFormError) {
            // An error of the type's own, which knows no path.
            throw error(.refused("\(foreign)"))
        }
    }

    func scalar<Scalar: StoredScalar>(_ type: Scalar.Type) throws -> Scalar {
        do {
            return try Scalar(stored: value)
        } catch {
            throw self.error(error)
        }
    }

    func nested(_ value: StoredValue, _ key: any CodingKey) -> StoredDecoder {
        StoredDecoder(value, parent: self, key: key, names: names)
    }

    // MARK: Records

    var fields: [StoredRecord.Field]? { value.recordValue?.fields }

    /// The field of a key; nil if there is none.
    func field(_ key: any CodingKey) -> StoredValue? {
        guard case .record(let record) = value else { return nil }
        let name = key.stringValue
        if keepsKeys { return find(name, record) }
        let snake = names[name]
        return find(snake, record) ?? (snake == name ? nil : find(name, record))
    }

    private func find(_ name: String, _ record: StoredRecord) -> StoredValue? {
        // Comparing is faster for few fields, hashing for many.
        guard record.fields.count > 24 else {
            return record.fields.first { $0.key == name }?.value
        }
        let places =
            places
            ?? Dictionary(
                record.fields.enumerated().map { ($0.element.key, $0.offset) },
                uniquingKeysWith: { first, _ in first })
        self.places = places
        return places[name].map { record.fields[$0].value }
    }

    // MARK: Containers

    func container<Key>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .record = value else { throw error(.mismatch(expected: "a record", value)) }
        return KeyedDecodingContainer(StoredRecordDecoder<Key>(decoder: self))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .list(let items) = value else {
            throw error(.mismatch(expected: "a list", value))
        }
        return StoredListDecoder(decoder: self, items: items)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer {
        StoredScalarDecoder(decoder: self)
    }
}

private struct StoredRecordDecoder<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let decoder: StoredDecoder

    var codingPath: [any CodingKey] { decoder.codingPath }

    var allKeys: [Key] {
        (decoder.fields ?? []).compactMap { field in
            guard !decoder.keepsKeys else { return Key(stringValue: field.key) }
            return Key(stringValue: SnakeCaseNames.camelCase(field.key))
                ?? Key(stringValue: field.key)
        }
    }

    func contains(_ key: Key) -> Bool { decoder.field(key) != nil }

    private func value(_ key: Key) throws -> StoredValue {
        guard let value = decoder.field(key) else { throw decoder.error(.missing, at: key) }
        return value
    }

    func decodeNil(forKey key: Key) throws -> Bool { try value(key) == .null }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        try nested(key).decoded()
    }

    func decode<Value: Decodable & StoredScalar>(
        _ type: Value.Type, forKey key: Key
    ) throws -> Value {
        do {
            return try Value(stored: try value(key))
        } catch let fault as StoredFormFault {
            throw decoder.error(fault, at: key)
        }
    }

    private func nested(_ key: Key) throws -> StoredDecoder {
        decoder.nested(try value(key), key)
    }

    func nestedContainer<NestedKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<NestedKey> { try nested(key).container(keyedBy: type) }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try nested(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder {
        let key = StoredKey.name("super")
        guard let value = decoder.field(key) else { throw decoder.error(.missing, at: key) }
        return decoder.nested(value, key)
    }

    func superDecoder(forKey key: Key) throws -> any Decoder { try nested(key) }
}

private struct StoredListDecoder: UnkeyedDecodingContainer {
    let decoder: StoredDecoder
    let items: [StoredValue]
    var currentIndex = 0

    var codingPath: [any CodingKey] { decoder.codingPath }
    var count: Int? { items.count }
    var isAtEnd: Bool { currentIndex >= items.count }

    private func item() throws -> StoredValue {
        guard !isAtEnd else {
            throw decoder.error(.missing, at: StoredKey.place(currentIndex))
        }
        return items[currentIndex]
    }

    mutating func decodeNil() throws -> Bool {
        guard try item() == .null else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        // `Array` calls this method for its items, whatever their type.
        if let scalar = type as? any StoredScalar.Type,
            let value = try self.scalar(scalar) as? Value
        {
            return value
        }
        let value = try decoder.nested(item(), StoredKey.place(currentIndex)).decoded(as: type)
        currentIndex += 1
        return value
    }

    mutating func decode<Value: Decodable & StoredScalar>(_ type: Value.Type) throws -> Value {
        try scalar(type)
    }

    private mutating func scalar<Scalar: StoredScalar>(_ type: Scalar.Type) throws -> Scalar {
        do {
            let value = try Scalar(stored: try item())
            currentIndex += 1
            return value
        } catch let fault as StoredFormFault {
            throw decoder.error(fault, at: StoredKey.place(currentIndex))
        }
    }

    private mutating func nested() throws -> StoredDecoder {
        let nested = decoder.nested(try item(), StoredKey.place(currentIndex))
        currentIndex += 1
        return nested
    }

    mutating func nestedContainer<NestedKey>(
        keyedBy type: NestedKey.Type
    ) throws -> KeyedDecodingContainer<NestedKey> { try nested().container(keyedBy: type) }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try nested().unkeyedContainer()
    }

    mutating func superDecoder() throws -> any Decoder { try nested() }
}

private struct StoredScalarDecoder: SingleValueDecodingContainer {
    let decoder: StoredDecoder

    var codingPath: [any CodingKey] { decoder.codingPath }

    func decodeNil() -> Bool { decoder.value == .null }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try decoder.decoded() }

    func decode<Value: Decodable & StoredScalar>(_ type: Value.Type) throws -> Value {
        try decoder.scalar(type)
    }
}
