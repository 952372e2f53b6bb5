/// Special tokens before and after a text: `<s> A`. The template for pairs of texts is not used.
struct TemplateProcessing: PostProcessor {
    private enum Part: Sendable {
        case text
        case special([Int32])
    }

    private let parts: [Part]

    init(_ field: Field) throws {
        try field.allow("type", "single", "pair", "special_tokens")
        var specials: [String: [Int32]] = [:]
        if let tokens = try field.optional("special_tokens") {
            for member in try tokens.members() {
                let token = Field(member.value, path: "\(tokens.path).\(member.key)")
                try token.allow("id", "ids", "tokens")
                specials[member.key] = try token.required("ids").elements().map {
                    Int32(try $0.id(of: member.key))
                }
            }
        }
        parts = try field.required("single").elements().map { part in
            try part.allow("Sequence", "SpecialToken")
            if let text = try part.optional("Sequence") {
                let id = try text.string("id")
                guard id == "A" else {
                    throw TokenizerError.unsupportedSetting(field: "\(text.path).id", value: id)
                }
                return .text
            }
            let name = try part.required("SpecialToken").string("id")
            guard let ids = specials[name] else {
                throw TokenizerError.unknownSpecialToken(token: name)
            }
            return .special(ids)
        }
        try Self.checkTextComesOnce(parts, field)
    }

    /// A chain of templates that each double the text would fill any memory.
    private static func checkTextComesOnce(_ parts: [Part], _ field: Field) throws {
        let texts = parts.count { if case .text = $0 { true } else { false } }
        guard texts <= 1 else {
            throw TokenizerError.unsupportedSetting(
                field: "\(field.path).single", value: "the text \(texts) times")
        }
    }

    func apply(_ ids: [Int32]) -> [Int32] {
        parts.flatMap { part in
            switch part {
            case .text: ids
            case .special(let special): special
            }
        }
    }
}
