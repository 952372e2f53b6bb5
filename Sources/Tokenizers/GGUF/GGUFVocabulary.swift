import GGUF

/// The tokenizer of a GGUF file as its metadata describe it, checked.
struct GGUFVocabulary {
    enum Kind: Int {
        case normal = 1
        case unknown, control, userDefined, unused, byte
    }

    /// The algorithm.
    enum Model {
        /// Byte-level byte-pair encoding, as of GPT-2: the merges in order, and the way to split.
        case byteLevel(merges: [(left: String, right: String)], GGUFPreTokenizer)
        /// SentencePiece's byte-pair encoding: a score for each token.
        case sentencePiece(scores: [Float], addsPrefix: Bool)
    }

    let tokens: [String]
    let kinds: [Kind]
    let model: Model
    let addsBOS: Bool
    let addsEOS: Bool
    /// Tokens by the names of `tokenizer_config.json`: `bos_token` and others.
    let special: [(name: String, id: Int)]
    /// The tokens that end an answer.
    let ends: [Int]
    /// Chat templates by name; the usual one is `default`.
    let templates: [(name: String, text: String)]

    /// Nil for a file without a tokenizer. Throws `GGUFError`.
    init?(_ file: GGUFFile) throws {
        let keys = Keys(file: file)
        guard let name = try keys.text("ggml.model"), name != "none", name != "no_vocab" else {
            return nil
        }
        guard ["gpt2", "llama"].contains(name) else {
            throw file.refusal(
                "its tokenizer is of kind \"\(name)\", which is not supported; supported are gpt2 "
                    + "(byte-level BPE) and llama (SentencePiece BPE)")
        }
        guard let listed = try keys.texts("ggml.tokens"), !listed.isEmpty else {
            throw file.refusal("it names a tokenizer, but has no tokenizer.ggml.tokens")
        }
        let tokens = listed.enumerated().map { $1.isEmpty ? "[EMPTY_\($0)]" : $1 }
        var seen: Set<[UInt8]> = []
        seen.reserveCapacity(tokens.count)
        for (id, token) in tokens.enumerated() where !seen.insert(Array(token.utf8)).inserted {
            throw file.refusal("its token \(id), “\(token.prefix(40))”, is there twice")
        }
        self.tokens = tokens
        kinds = try Self.kinds(tokens.count, keys)
        var addsBOS = name == "llama"
        if name == "llama" {
            model = try Self.sentencePiece(tokens.count, keys)
        } else {
            let splitting = try Self.preTokenizer(keys)
            addsBOS = splitting.addsBOS
            model = .byteLevel(merges: try Self.merges(keys), splitting)
        }
        self.addsBOS = try keys.bool("ggml.add_bos_token") ?? addsBOS
        addsEOS = try keys.bool("ggml.add_eos_token") ?? false
        special = try Self.names.compactMap { name, key in
            try keys.token("ggml.\(key)", of: tokens.count).map { (name, $0) }
        }
        for (adds, name) in [(self.addsBOS, "bos"), (addsEOS, "eos")]
        where adds && !special.contains(where: { $0.name == name + "_token" }) {
            throw file.refusal(
                "it asks for a token around texts, but has no tokenizer.ggml.\(name)_token_id")
        }
        var ends: [Int] = []
        for key in ["eos_token_id", "eot_token_id", "eom_token_id"] {
            if let id = try keys.token("ggml.\(key)", of: tokens.count), !ends.contains(id) {
                ends.append(id)
            }
        }
        self.ends = ends
        templates = try Self.templates(keys)
    }

    private static let names = [
        ("bos_token", "bos_token_id"), ("eos_token", "eos_token_id"),
        ("unk_token", "unknown_token_id"), ("pad_token", "padding_token_id"),
    ]

    private static func kinds(_ count: Int, _ keys: Keys) throws -> [Kind] {
        let key = "ggml.token_type"
        guard let found = try keys.integers(key) else {
            return [Kind](repeating: .normal, count: count)
        }
        guard found.count == count else {
            throw keys.file.refusal(
                "tokenizer.\(key) has \(found.count) values for \(count) tokens")
        }
        return try found.map { number in
            // A token of type 0 is said to be of no type.
            guard let kind = number == 0 ? .normal : Kind(rawValue: number) else {
                throw keys.file.refusal("tokenizer.\(key) has a value of \(number); 0 to 6 exist")
            }
            return kind
        }
    }

    private static func sentencePiece(_ count: Int, _ keys: Keys) throws -> Model {
        if keys.has("ggml.precompiled_charsmap") {
            throw keys.file.refusal(
                "tokenizer.ggml.precompiled_charsmap, a table of character rewritings, is not "
                    + "supported")
        }
        if try keys.bool("ggml.remove_extra_whitespaces") == true {
            throw keys.file.refusal(
                "tokenizer.ggml.remove_extra_whitespaces is true, which is not supported")
        }
        guard let scores = try keys.numbers("ggml.scores") else {
            throw keys.file.refusal(
                "it has a SentencePiece tokenizer, but no tokenizer.ggml.scores")
        }
        guard scores.count == count else {
            throw keys.file.refusal(
                "tokenizer.ggml.scores has \(scores.count) values for \(count) tokens")
        }
        return .sentencePiece(
            scores: scores.map { Float($0) },
            addsPrefix: try keys.bool("ggml.add_space_prefix") ?? true)
    }

    private static func preTokenizer(_ keys: Keys) throws -> GGUFPreTokenizer {
        let known = GGUFPreTokenizer.all.flatMap(\.names).sorted().joined(separator: ", ")
        guard let name = try keys.text("ggml.pre") ?? implied(keys.file) else {
            throw keys.file.refusal(
                "it does not say how its tokenizer splits text: files made before May 2024 lack "
                    + "tokenizer.ggml.pre; take a newer file of the model")
        }
        guard let found = GGUFPreTokenizer.named(name) else {
            throw keys.file.refusal(
                "its tokenizer splits text by \"\(name)\" (tokenizer.ggml.pre), which is not known "
                    + "here; known are \(known)")
        }
        return found
    }

    /// The way of an architecture whose models all split alike.
    private static func implied(_ file: GGUFFile) -> String? {
        switch file.metadata["general.architecture"] {
        case .text("gpt2"): "gpt-2"
        case .text("qwen2"), .text("qwen3"): "qwen2"
        default: nil
        }
    }

    private static func merges(_ keys: Keys) throws -> [(left: String, right: String)] {
        guard let lines = try keys.texts("ggml.merges") else {
            throw keys.file.refusal("it has a byte-level tokenizer, but no tokenizer.ggml.merges")
        }
        return try lines.enumerated().map { number, line in
            // A blank never begins the first part; blanks inside parts are spelled Ġ.
            let bytes = line.utf8
            guard let first = bytes.first, let blank = bytes.dropFirst().firstIndex(of: 0x20),
                first != 0x20, bytes.index(after: blank) < bytes.endIndex
            else {
                throw keys.file.refusal("tokenizer.ggml.merges: merge \(number) is no pair")
            }
            return (
                String(line[..<blank]), String(line[bytes.index(after: blank)...])
            )
        }
    }

    private static func templates(_ keys: Keys) throws -> [(name: String, text: String)] {
        var found: [(name: String, text: String)] = []
        if let text = try keys.text("chat_template") { found.append(("default", text)) }
        for name in try keys.texts("chat_templates") ?? [] {
            if let text = try keys.text("chat_template.\(name)") { found.append((name, text)) }
        }
        return found
    }

    /// Reads keys below `tokenizer.` and checks their kinds.
    private struct Keys {
        let file: GGUFFile

        func has(_ key: String) -> Bool { file.metadata["tokenizer.\(key)"] != nil }

        func text(_ key: String) throws -> String? {
            try read(key, "a text") { if case .text(let value) = $0 { value } else { nil } }
        }

        func bool(_ key: String) throws -> Bool? {
            try read(key, "true or false") { if case .bool(let value) = $0 { value } else { nil } }
        }

        func texts(_ key: String) throws -> [String]? {
            try read(key, "a list of texts") {
                if case .texts(let values) = $0 { values } else { nil }
            }
        }

        func integers(_ key: String) throws -> [Int]? {
            try read(key, "a list of whole numbers") {
                if case .integers(let values) = $0 { values } else { nil }
            }
        }

        func numbers(_ key: String) throws -> [Double]? {
            try read(key, "a list of numbers") {
                if case .numbers(let values) = $0 { values } else { nil }
            }
        }

        func token(_ key: String, of count: Int) throws -> Int? {
            let token: Int? = try read(key, "a whole number") {
                if case .integer(let value) = $0 { value } else { nil }
            }
            // Some writers give the largest number for "none".
            guard let token, token != Int(UInt32.max), token != -1 else { return nil }
            guard (0..<count).contains(token) else {
                throw file.refusal(
                    "tokenizer.\(key) is \(token), outside the \(count) tokens of the file")
            }
            return token
        }

        private func read<Value>(
            _ key: String, _ wanted: String, _ convert: (GGUFValue) -> Value?
        ) throws -> Value? {
            guard let value = file.metadata["tokenizer.\(key)"] else { return nil }
            guard let found = convert(value) else {
                throw file.refusal(
                    "tokenizer.\(key) is \(value.kind), where \(wanted) was expected")
            }
            return found
        }
    }
}
