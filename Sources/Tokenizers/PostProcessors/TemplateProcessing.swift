/// Special tokens before and after a text: `<s> A`. The template for pairs of texts is not used.
struct TemplateProcessing: PostProcessor {
    let before: [Int32]
    let after: [Int32]

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
        /// The tokens of each part; nil for the text.
        let parts: [[Int32]?] = try field.required("single").elements().map { part in
            try part.allow("Sequence", "SpecialToken")
            if let text = try part.optional("Sequence") {
                let id = try text.string("id")
                guard id == "A" else {
                    throw TokenizerError.unsupportedSetting(field: "\(text.path).id", value: id)
                }
                return nil
            }
            let name = try part.required("SpecialToken").string("id")
            guard let ids = specials[name] else {
                throw TokenizerError.unknownSpecialToken(token: name)
            }
            return ids
        }
        let texts = parts.count { $0 == nil }
        guard texts == 1, let text = parts.firstIndex(of: nil) else {
            throw TokenizerError.unsupportedSetting(
                field: "\(field.path).single", value: "the text \(texts) times")
        }
        before = parts[..<text].flatMap { $0 ?? [] }
        after = parts[text...].flatMap { $0 ?? [] }
    }
}
