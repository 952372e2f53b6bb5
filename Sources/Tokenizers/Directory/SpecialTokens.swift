import JSON

/// The special tokens that `tokenizer_config.json` or `special_tokens_map.json` names.
struct SpecialTokens {
    /// `bos_token` and the like.
    private(set) var named: [String: AddedToken] = [:]
    /// `image_token` and other names that transformers gives no meaning, in the order of the file.
    private(set) var others: [AddedToken] = []
    /// `extra_special_tokens`, in older files `additional_special_tokens`.
    private(set) var extra: [AddedToken] = []

    /// All, the named ones first.
    var inOrder: [AddedToken] {
        TokenizerConfiguration.tokenNames.compactMap { named[$0] } + others + extra
    }

    func overridden(by other: SpecialTokens) -> SpecialTokens {
        var result = self
        result.named.merge(other.named) { $1 }
        if !other.others.isEmpty { result.others = other.others }
        if !other.extra.isEmpty { result.extra = other.extra }
        return result
    }

    mutating func read(_ field: Field) throws {
        for member in try field.members() where member.key.hasSuffix("_token") {
            guard let value = try field.optional(member.key) else { continue }
            if TokenizerConfiguration.tokenNames.contains(member.key) {
                named[member.key] = try Self.token(value)
            } else if value.isToken {
                others.append(try Self.token(value))
            }
        }
        for key in ["model_specific_special_tokens", "extra_special_tokens"] {
            guard let tokens = try field.optional(key) else { continue }
            if case .object(let members) = tokens.value {
                others += try members.map {
                    try Self.token(Field($0.value, path: "\(key).\($0.key)"))
                }
            } else {
                extra += try tokens.elements().map(Self.token)
            }
        }
        if extra.isEmpty, let tokens = try field.optional("additional_special_tokens") {
            extra = try tokens.elements().map(Self.token)
        }
    }

    /// A token is given by its text, or by an object that contains the text.
    private static func token(_ field: Field) throws -> AddedToken {
        if case .object = field.value {
            var token = try AddedToken(field, id: "0")
            token.isSpecial = true
            token.isNormalized = try field.bool("normalized", default: false)
            return token
        }
        return AddedToken(special: try field.string(), id: 0)
    }
}

extension Field {
    /// Whether it is a text or an object. `add_bos_token` and the like are no tokens.
    fileprivate var isToken: Bool {
        switch value {
        case .string, .object: true
        default: false
        }
    }
}
