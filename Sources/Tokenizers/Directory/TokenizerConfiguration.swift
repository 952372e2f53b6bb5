import Foundation
import JSON

/// What the small files beside a tokenizer say about it: `tokenizer_config.json`,
/// `special_tokens_map.json`, `generation_config.json` and templates in files of their own.
struct TokenizerConfiguration {
    /// `bos_token` and the like, and what they are.
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

    /// The name of the template that a file holds, nil when it holds none.
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

    /// A token is its text, or an object that holds it.
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

    /// The classes of transformers that put the tokens around a text themselves, whatever the
    /// tokenizer.json says, and whether they do when nothing is said.
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
