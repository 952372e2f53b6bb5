import JSON

/// A value with its place in the file, for error messages.
struct Field: Sendable {
    let value: JSON
    /// `model.merges`; list items count from 0.
    let path: String

    init(_ value: JSON, path: String) {
        self.value = value
        self.path = path
    }

    /// The root of a file. Throws `TokenizerError.notJSON`.
    init(document bytes: some Collection<UInt8>) throws {
        do throws(JSON.Problem) {
            self.init(try JSON.read(bytes), path: "")
        } catch {
            throw TokenizerError.notJSON(error)
        }
    }

    func members() throws -> [JSON.Member] {
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

    /// A token's id, checked only for its range.
    func id(of token: String, in field: String? = nil) throws -> Int {
        guard let id = value.integer, (0...Vocabulary.largestID).contains(id)
        else {
            throw TokenizerError.badID(token: token, field: field ?? path, id: value.shown)
        }
        return id
    }

    /// A count, zero or more.
    func count() throws -> Int {
        guard let count = value.integer, count >= 0 else {
            throw wrongType("a whole number of at least 0")
        }
        return count
    }

    /// The member with a key; nil if it is missing or null.
    func optional(_ key: String) throws -> Field? {
        _ = try members()
        guard let found = value[key], !found.isNull else { return nil }
        return Field(found, path: path.isEmpty ? key : "\(path).\(key)")
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

    /// Throws for members that this code does not read: an ignored setting would silently give
    /// wrong ids.
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

extension JSON {
    /// The value itself if it is short, for a sentence.
    fileprivate var shown: String {
        switch self {
        case .number(let digits): integer.map { String($0) } ?? String(digits.prefix(40))
        case .string(let text): "“\(text.prefix(40))”"
        default: kind
        }
    }

    /// The name of its kind in a sentence.
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
