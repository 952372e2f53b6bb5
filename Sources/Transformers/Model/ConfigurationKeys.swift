import JSON

/// The keys of a `config.json`. Each function reads one key and checks its type and range.
struct ConfigurationKeys {
    let file: String
    private let object: JSON

    init(_ object: JSON, file: String) throws {
        guard object.members != nil else {
            throw ModelError.badConfiguration(file: file, problem: "it is not a JSON object")
        }
        self.object = object
        self.file = file
    }

    func refusal(_ problem: String) -> ModelError {
        .badConfiguration(file: file, problem: problem)
    }

    /// The value of a key; nil if the key is missing or null.
    func value(_ key: String) -> JSON? {
        let found = object[key]
        return found == .null ? nil : found
    }

    /// Whether the key exists, even with the value null.
    func hasKey(_ key: String) -> Bool { object[key] != nil }

    private func read<Value>(_ key: String, _ convert: (JSON) -> Value?) throws -> Value? {
        guard let found = value(key) else { return nil }
        guard let converted = convert(found) else {
            throw refusal("\"\(key)\" has a value of the wrong kind")
        }
        return converted
    }

    /// A count of at least one.
    func count(_ key: String, default fallback: Int? = nil, atMost limit: Int = 1 << 24) throws
        -> Int
    {
        guard let value = try read(key, \.integer) ?? fallback else {
            throw refusal("\"\(key)\" is missing")
        }
        guard value >= 1, value <= limit else {
            throw refusal("\"\(key)\" is \(value), outside 1...\(limit)")
        }
        return value
    }

    func optionalCount(_ key: String, atMost limit: Int = 1 << 24) throws -> Int? {
        value(key) == nil ? nil : try count(key, atMost: limit)
    }

    /// A finite number above zero.
    func positive(_ key: String, default fallback: Double?) throws -> Double {
        guard let value = try read(key, \.double) ?? fallback else {
            throw refusal("\"\(key)\" is missing")
        }
        guard value > 0, value.isFinite else {
            throw refusal("\"\(key)\" is \(value), not above zero")
        }
        return value
    }

    func number(_ key: String, default fallback: Double) throws -> Double {
        guard let value = try read(key, \.double) else { return fallback }
        guard value.isFinite else { throw refusal("\"\(key)\" is larger than any number here") }
        return value
    }

    func bool(_ key: String, default fallback: Bool) throws -> Bool {
        try read(key, \.bool) ?? fallback
    }

    func text(_ key: String) throws -> String? { try read(key, \.string) }

    func texts(_ key: String) throws -> [String]? {
        try read(key) { value in
            guard let items = value.elements else { return nil }
            let texts = items.compactMap(\.string)
            return texts.count == items.count ? texts : nil
        }
    }

    /// One token or several.
    func tokens(_ key: String) throws -> [Int32] {
        try read(key) { value in
            let items = value.elements ?? [value]
            let tokens = items.compactMap { $0.integer.flatMap { Int32(exactly: $0) } }
            return tokens.count == items.count ? tokens : nil
        } ?? []
    }

    /// An object below a key; errors call it `file: "key"`.
    func section(_ key: String) throws -> ConfigurationKeys? {
        guard let found = value(key) else { return nil }
        guard found.members != nil else {
            throw refusal("\"\(key)\" has a value of the wrong kind")
        }
        return try ConfigurationKeys(found, file: "\(file), \"\(key)\"")
    }

    /// Throws if the value under `key` is not one of the supported values.
    func require(_ key: String, oneOf allowed: [String]) throws {
        guard let found = try text(key), !allowed.contains(found) else { return }
        let names = allowed.map { "\"\($0)\"" }.joined(separator: " or ")
        throw refusal("\"\(key)\" is \"\(found)\"; \(names) is what works")
    }

    /// Throws if a switch does not have the supported value.
    func require(_ key: String, is wanted: Bool) throws {
        guard try bool(key, default: wanted) != wanted else { return }
        throw refusal("\"\(key)\" is \(!wanted), which is not supported; \(wanted) is")
    }
}
