/// A JSON document as this module needs it: object members keep their order, and keys are told apart
/// byte by byte, since a vocabulary may hold both spellings of one accented letter.
enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([Member])

    struct Member: Sendable {
        var key: String
        var value: JSONValue

        init(_ key: String, _ value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    /// The value itself where it is short, for a sentence.
    var shown: String {
        switch self {
        case .number(let number): Int(exactly: number).map { String($0) } ?? "\(number)"
        case .string(let text): "“\(text.prefix(40))”"
        default: kind
        }
    }

    /// What to call it in a sentence.
    var kind: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .number: "a number"
        case .string: "a text"
        case .array: "a list"
        case .object: "an object"
        }
    }
}

/// A value together with where it was found, so that what is wrong with it can be said.
struct Field: Sendable {
    let value: JSONValue
    /// `model.merges`; the parts of a list count from 0.
    let path: String

    init(_ value: JSONValue, path: String) {
        self.value = value
        self.path = path
    }

    var isNull: Bool { if case .null = value { true } else { false } }

    func members() throws -> [JSONValue.Member] {
        guard case .object(let members) = value else { throw wrongType("an object") }
        return members
    }

    func elements() throws -> [Field] {
        guard case .array(let values) = value else { throw wrongType("a list") }
        return values.enumerated().map { Field($0.element, path: "\(path)[\($0.offset)]") }
    }

    func string() throws -> String {
        guard case .string(let text) = value else { throw wrongType("a text") }
        return text
    }

    func bool() throws -> Bool {
        guard case .bool(let flag) = value else { throw wrongType("true or false") }
        return flag
    }

    /// A token's id, as far as the id's own range goes.
    func id(of token: String, in field: String? = nil) throws -> Int {
        guard case .number(let number) = value, let id = Int(exactly: number),
            (0...Vocabulary.largestID).contains(id)
        else {
            throw TokenizerError.badID(token: token, field: field ?? path, id: value.shown)
        }
        return id
    }

    /// A number of things, zero or more.
    func count() throws -> Int {
        guard case .number(let number) = value, let count = Int(exactly: number), count >= 0 else {
            throw wrongType("a whole number of at least 0")
        }
        return count
    }

    /// The member with a key, nil when there is none or it is null.
    func optional(_ key: String) throws -> Field? {
        let found = try members().first { $0.key.utf8.elementsEqual(key.utf8) }
        guard let found else { return nil }
        if case .null = found.value { return nil }
        return Field(found.value, path: path.isEmpty ? key : "\(path).\(key)")
    }

    func required(_ key: String) throws -> Field {
        guard let field = try optional(key) else {
            throw TokenizerError.missing(field: path.isEmpty ? key : "\(path).\(key)")
        }
        return field
    }

    func bool(_ key: String, default fallback: Bool) throws -> Bool {
        try optional(key)?.bool() ?? fallback
    }

    func string(_ key: String) throws -> String { try required(key).string() }

    /// Refuses members that nothing here reads: a setting that is ignored encodes silently wrong.
    func allow(_ keys: String...) throws {
        for member in try members() where !keys.contains(member.key) {
            throw TokenizerError.unknownSetting(
                field: path.isEmpty ? member.key : "\(path).\(member.key)")
        }
    }

    func wrongType(_ expected: String) -> TokenizerError {
        .wrongType(
            field: path.isEmpty ? "the document" : path, expected: expected, found: value.kind)
    }
}
