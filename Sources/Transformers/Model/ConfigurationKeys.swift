import JSON

/// The keys of a `config.json`. Each function reads one key and checks its type and range. A key
/// with the value null is read like a missing key.
struct ConfigurationKeys {
    let file: String
    private let object: JSON
    /// Whether an earlier version may have read the text: see `ModelConfiguration.init`.
    private let isAccepted: Bool
    private let asked = AskedKeys()

    /// The names of the keys that were asked for, and the sections. The other keys are unknown.
    private final class AskedKeys {
        var names: Set<String> = []
        var sections: [ConfigurationKeys] = []
    }

    init(_ object: JSON, file: String, isAccepted: Bool = false) throws {
        guard object.members != nil else {
            throw ModelError.badConfiguration(file: file, problem: "it is not a JSON object")
        }
        self.object = object
        self.file = file
        self.isAccepted = isAccepted
    }

    /// Declares keys that another key of the file turns off.
    func note(_ names: String...) { asked.names.formUnion(names) }

    /// Throws if the file has a key that nobody asked for, unless it is known to be harmless or
    /// says that something is off.
    func refuseUnknown() throws {
        if isAccepted { return }
        for section in asked.sections { try section.refuseUnknown() }
        for member in object.members ?? [] {
            let name = member.key
            guard !asked.names.contains(name), !KnownKeys.harmless.contains(name),
                !name.hasPrefix("_"),
                !KnownKeys.isOff(member.value)
            else { continue }
            throw refusal(
                "the key \(JSON.quoted(String(name.prefix(60)))) is not known here and may change "
                    + "what the model computes; if it does not, remove it from the file")
        }
    }

    /// Throws that two keys say different things.
    func refuse(contradiction problem: String) throws {
        if !isAccepted { throw refusal(problem) }
    }

    func refusal(_ problem: String) -> ModelError {
        .badConfiguration(file: file, problem: problem)
    }

    /// The value of a key; nil if the key is missing or null.
    func value(_ key: String) -> JSON? {
        asked.names.insert(key)
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

    func optionalPositive(_ key: String) throws -> Double? {
        value(key) == nil ? nil : try positive(key, default: nil)
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

    func numbers(_ key: String) throws -> [Double]? {
        try read(key) { value in
            guard let items = value.elements else { return nil }
            let numbers = items.compactMap(\.double)
            return numbers.count == items.count ? numbers : nil
        }
    }

    /// One token or several. A number below zero, −1 in many files, stands for no token.
    func tokens(_ key: String) throws -> [Int32] {
        let tokens: [Int32] =
            try read(key) { value in
                let items = value.elements ?? [value]
                let tokens = items.compactMap { $0.integer.flatMap { Int32(exactly: $0) } }
                return tokens.count == items.count ? tokens : nil
            } ?? []
        return tokens.filter { $0 >= 0 }
    }

    /// An object below a key; errors call it `file: "key"`.
    func section(_ key: String) throws -> ConfigurationKeys? {
        guard let found = value(key) else { return nil }
        guard let members = found.members else {
            throw refusal("\"\(key)\" has a value of the wrong kind")
        }
        guard !members.isEmpty else { return nil }
        let section = try ConfigurationKeys(
            found, file: "\(file), \"\(key)\"", isAccepted: isAccepted)
        asked.sections.append(section)
        return section
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
