/// Splits at the matches of a pattern.
struct SplitPreTokenizer: PreTokenizer {
    private let pattern: Pattern
    private let behavior: SplitBehavior
    private let isInverted: Bool

    init(_ field: Field) throws {
        try field.allow("type", "pattern", "behavior", "invert")
        pattern = try Pattern(field.required("pattern"))
        behavior = try SplitBehavior(field.required("behavior"))
        isInverted = try field.bool("invert", default: false)
    }

    func apply(_ pieces: Pieces) -> Pieces {
        pieces.split(pattern, behavior, inverted: isInverted)
    }
}

/// Keeps words and runs of punctuation, and drops the blanks between them.
struct WhitespacePreTokenizer: PreTokenizer {
    private let pattern: Pattern

    init(_ field: Field) throws {
        try field.allow("type")
        // For this pre-tokenizer the package uses a library whose word characters are Unicode's
        // (UTS #18).
        let word = PatternTranslation.unicodeWord + #"\u200C\u200D"#
        pattern = try Pattern("[\(word)]+|[^\(word)\\s]+", field: field.path)
    }

    func apply(_ pieces: Pieces) -> Pieces {
        pieces.split(pattern, .removed, inverted: true)
    }
}

/// Splits at blanks, which it removes.
struct WhitespaceSplitPreTokenizer: PreTokenizer {
    func apply(_ pieces: Pieces) -> Pieces {
        pieces.split(.removed) { $0.properties.isWhitespace }
    }
}

/// Separates numbers, whole or digit by digit.
struct DigitsPreTokenizer: PreTokenizer {
    private let behavior: SplitBehavior

    init(_ field: Field) throws {
        try field.allow("type", "individual_digits")
        behavior = try field.bool("individual_digits", default: false) ? .isolated : .contiguous
    }

    func apply(_ pieces: Pieces) -> Pieces {
        pieces.split(behavior) { scalar in
            switch scalar.properties.generalCategory {
            case .decimalNumber, .letterNumber, .otherNumber: true
            default: false
            }
        }
    }
}

/// Splits at punctuation: that of Unicode 8, the version of the package's tables, and all ASCII
/// symbols.
struct PunctuationPreTokenizer: PreTokenizer {
    private let behavior: SplitBehavior

    init(_ field: Field) throws {
        try field.allow("type", "behavior")
        behavior = try field.optional("behavior").map(SplitBehavior.init) ?? .isolated
    }

    func apply(_ pieces: Pieces) -> Pieces {
        pieces.split(behavior) { scalar in
            switch scalar {
            case "!"..."/", ":"..."@", "["..."`", "{"..."~": return true
            // Punctuation in that version; other classes in later ones.
            case "\u{166D}", "\u{111C9}": return true
            default: break
            }
            switch scalar.properties.generalCategory {
            case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
                .initialPunctuation, .finalPunctuation, .otherPunctuation:
                return scalar.isAssigned(by: (8, 0))
            default: return false
            }
        }
    }
}
