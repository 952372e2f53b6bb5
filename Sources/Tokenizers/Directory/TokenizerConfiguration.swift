import Foundation
import JSON

/// The settings in the small files of a tokenizer directory: `tokenizer_config.json`,
/// `special_tokens_map.json`, `generation_config.json` and files of chat templates.
struct TokenizerConfiguration {
    /// `bos_token` and similar names, with their values.
    private(set) var specialTokens: [String: String] = [:]
    private(set) var addsBOS: Bool?
    private(set) var addsEOS: Bool?
    private(set) var addedTokens: [AddedToken] = []
    private(set) var templates: [String: String] = [:]
    private(set) var stopIDs: [Int32] = []

    static let tokenNames = [
        "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
    ]

    init(_ files: [String: Data]) throws {
        try Self.read("special_tokens_map.json", files) { try readTokens($0) }
        try Self.read("tokenizer_config.json", files) { configuration in
            try readTokens(configuration)
            try readBoundaries(configuration)
            try readTemplates(configuration)
            for member in try configuration.optional("added_tokens_decoder")?.members() ?? [] {
                let path = "added_tokens_decoder.\(member.key)"
                addedTokens.append(
                    try AddedToken(Field(member.value, path: path), id: member.key))
            }
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

    /// A token is given by its text, or by an object that contains the text.
    private mutating func readTokens(_ field: Field) throws {
        for name in Self.tokenNames {
            guard let token = try field.optional(name) else { continue }
            if case .object = token.value {
                specialTokens[name] = try token.string("content")
            } else {
                specialTokens[name] = try token.string()
            }
        }
    }

    /// The tokenizer classes of transformers that themselves add the tokens around a text, whatever
    /// the tokenizer.json says, and whether they do so by default.
    private mutating func readBoundaries(_ field: Field) throws {
        let name = try field.optional("tokenizer_class")?.string() ?? ""
        let families = ["Llama": true, "CodeLlama": true, "Gemma": true, "GPTNeoX": false]
        let family = name.replacing("TokenizerFast", with: "").replacing("Tokenizer", with: "")
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
        stopIDs = try fields.map { Int32(try $0.id(of: "eos_token_id")) }
    }
}
