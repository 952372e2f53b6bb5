import GGUF

/// The metadata of a GGUF file that describe its model. Each function reads one key and checks its
/// kind.
struct GGUFKeys {
    let file: GGUFFile
    /// The first part of the keys, such as `llama`.
    let architecture: String

    /// Throws if the file names no architecture.
    init(_ file: GGUFFile) throws {
        self.file = file
        let key = "general.architecture"
        guard case .text(let name) = file.metadata[key] else {
            throw file.refusal("its metadata has no text \(key)")
        }
        architecture = name
    }

    /// The full name of a key of the architecture.
    func name(_ key: String) -> String { "\(architecture).\(key)" }

    func integer(_ key: String) throws -> Int? {
        switch file.metadata[name(key)] {
        case nil: return nil
        case .integer(let value): return value
        // One value for each layer.
        case .integers(let values) where Set(values).count == 1: return values[0]
        case .integers:
            throw file.refusal(
                "\(name(key)) differs from layer to layer, which is not supported")
        case .some(let value): throw wrongKind(name(key), "a whole number", value)
        }
    }

    func requiredInteger(_ key: String) throws -> Int {
        guard let value = try integer(key) else {
            throw file.refusal("its metadata has no \(name(key))")
        }
        return value
    }

    func number(_ key: String) throws -> Double? {
        switch file.metadata[name(key)] {
        case nil: nil
        case .number(let value): value
        case .integer(let value): Double(value)
        case .some(let value): throw wrongKind(name(key), "a number", value)
        }
    }

    func text(_ key: String) throws -> String? {
        switch file.metadata[name(key)] {
        case nil: nil
        case .text(let value): value
        case .some(let value): throw wrongKind(name(key), "a text", value)
        }
    }

    /// The number of a token, of a key of the tokenizer.
    func token(_ key: String) throws -> Int? {
        switch file.metadata[key] {
        case nil: nil
        case .integer(let value): value
        case .some(let value): throw wrongKind(key, "a whole number", value)
        }
    }

    private func wrongKind(_ key: String, _ wanted: String, _ value: GGUFValue) -> GGUFError {
        file.refusal("\(key) is \(value.kind), where \(wanted) was expected")
    }

    /// Throws for a key of the architecture that is not read: it could change the model's numbers.
    func allow(_ keys: Set<String>) throws {
        let prefix = architecture + "."
        let unknown = file.metadata.keys.sorted().first {
            $0.hasPrefix(prefix) && !keys.contains(String($0.dropFirst(prefix.count)))
        }
        if let unknown {
            throw file.refusal(
                "its metadata has \(unknown), which is not known here and could change the "
                    + "model's numbers")
        }
    }
}
