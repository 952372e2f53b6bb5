import Foundation
import JSON

/// The settings in the small files of a tokenizer directory: `tokenizer_config.json`,
/// `special_tokens_map.json`, `generation_config.json` and files of chat templates.
struct TokenizerConfiguration {
    /// `bos_token` and similar names, with their values.
    private(set) var specialTokens: [String: String] = [:]
    private(set) var addsBOS: Bool?
    private(set) var addsEOS: Bool?
    /// `added_tokens_decoder`, by id; nil for older files, which have `added_tokens.json`.
    private(set) var addedTokens: [AddedToken]?
    /// The tokens of `added_tokens.json`, by id.
    private(set) var olderAddedTokens: [AddedToken] = []
    /// The tokens that the files call special, in the order in which transformers adds those that
    /// the tokenizer lacks.
    private(set) var specialTokenList: [AddedToken] = []
    /// Whether a blank is put before a text; nil if the tokenizer decides.
    private(set) var addsPrefixSpace: Bool?
    private(set) var isOfGPT2 = false
    /// Whether a blank is put after every special token too, as transformers did before 2023.
    private(set) var isLegacy: Bool?
    private(set) var splitsSpecial = false
    private(set) var templates: [String: String] = [:]
    private(set) var stopIDs: [Int32] = []
    let isAccepted: Bool

    static let tokenNames = [
        "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
    ]

    init(_ files: [String: Data], isAccepted: Bool = false) throws {
        self.isAccepted = isAccepted
        var special = SpecialTokens()
        var older = SpecialTokens()
        try Self.read("special_tokens_map.json", files) { map in
            try older.read(map)
            if !isAccepted { try KnownSettings.checkMap(map) }
        }
        try Self.read("tokenizer_config.json", files) { configuration in
            try special.read(configuration)
            try readBoundaries(configuration)
            try readTemplates(configuration)
            isLegacy = try configuration.optional("legacy")?.bool()
            splitsSpecial = try configuration.bool("split_special_tokens", default: false)
            addedTokens = try configuration.optional("added_tokens_decoder").map { tokens in
                try tokens.members().map { member in
                    let path = "added_tokens_decoder.\(member.key)"
                    return try AddedToken(Field(member.value, path: path), id: member.key)
                }.sorted { $0.id < $1.id }
            }
            if !isAccepted { try KnownSettings.check(configuration) }
        }
        // Files without added_tokens_decoder are older than it; in these the map counts more.
        special = addedTokens == nil ? special.overridden(by: older) : older.overridden(by: special)
        specialTokens = special.named.mapValues(\.content)
        specialTokenList = special.inOrder
        let named = Set((Array(special.named.values) + special.others).map(\.content))
        addedTokens = addedTokens?.map { token in
            var token = token
            if named.contains(token.content) { token.isSpecial = true }
            return token
        }
        let names = Set(specialTokenList.map { Array($0.content.utf8) })
        try Self.read("added_tokens.json", files) { tokens in
            olderAddedTokens = try tokens.members().map { member in
                let id = Int32(try Field(member.value, path: member.key).id(of: member.key))
                let isSpecial = names.contains(Array(member.key.utf8))
                var token = AddedToken(special: member.key, id: id)
                (token.isSpecial, token.isNormalized) = (isSpecial, !isSpecial)
                return token
            }.sorted { $0.id < $1.id }
        }
        try Self.read("generation_config.json", files) { try readStops($0) }
        for (name, data) in files {
            guard let template = Self.templateName(name) else { continue }
            guard let text = String(validating: data, as: UTF8.self) else {
                throw TokenizerError.unreadable(path: name, reason: "it is not UTF-8 text")
            }
            templates[template] = text
        }
    }

    /// The name of the chat template in a file; nil if the file has none.
    static func templateName(_ file: String) -> String? {
        if file == "chat_template.jinja" { return "default" }
        let folder = "additional_chat_templates/"
        guard file.hasPrefix(folder), file.hasSuffix(".jinja") else { return nil }
        return String(file.dropFirst(folder.count).dropLast(".jinja".count))
    }

    private static func read(
        _ name: String, _ files: [String: Data], _ body: (Field) throws -> Void
    ) throws {
        guard let data = files[name] else { return }
        do {
            try body(Field(document: data))
        } catch TokenizerError.notJSON(let problem) {
            throw TokenizerError.badConfiguration(file: name, problem: "it is not JSON: \(problem)")
        } catch {
            throw TokenizerError.badConfiguration(file: name, problem: "\(error)")
        }
    }

    /// The tokenizer classes of transformers that themselves add the tokens around a text, whatever
    /// the tokenizer.json says, and whether they do so by default.
    private mutating func readBoundaries(_ field: Field) throws {
        let name = try field.optional("tokenizer_class")?.string() ?? ""
        let families = ["Llama": true, "CodeLlama": true, "Gemma": true, "GPTNeoX": false]
        let family = name.replacing("TokenizerFast", with: "").replacing("Tokenizer", with: "")
        addsPrefixSpace = try field.optional("add_prefix_space")?.bool()
        isOfGPT2 = family == "GPT2"
        guard let fallback = families[family] else { return }
        addsBOS = try field.bool("add_bos_token", default: fallback)
        addsEOS = try field.bool("add_eos_token", default: false)
    }

    private mutating func readTemplates(_ field: Field) throws {
        guard let template = try field.optional("chat_template") else { return }
        if case .array = template.value {
            for element in try template.elements() {
                templates[try element.string("name")] = try element.string("template")
            }
        } else {
            templates["default"] = try template.string()
        }
    }

    private mutating func readStops(_ field: Field) throws {
        guard let ids = try field.optional("eos_token_id") else { return }
        let fields: [Field]
        if case .array = ids.value { fields = try ids.elements() } else { fields = [ids] }
        // −1 stands for no token.
        stopIDs = try fields.filter { ($0.value.integer ?? 0) >= 0 }
            .map { Int32(try $0.id(of: "eos_token_id")) }
    }
}
