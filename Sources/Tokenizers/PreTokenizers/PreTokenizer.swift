/// Splits a text into the pieces that the model encodes one by one.
protocol PreTokenizer: Sendable {
    func apply(_ pieces: Pieces) -> Pieces

    /// Whether it puts a blank, or the mark of one, before a text.
    var addsPrefix: Bool { get }
}

extension PreTokenizer {
    var addsPrefix: Bool { false }
}

/// Makes a pre-tokenizer from its JSON.
func makePreTokenizer(_ field: Field) throws -> any PreTokenizer {
    let type = try field.string("type")
    switch type {
    case "ByteLevel": return try ByteLevelPreTokenizer(field)
    case "Metaspace": return try MetaspacePreTokenizer(field)
    case "Split": return try SplitPreTokenizer(field)
    case "Digits": return try DigitsPreTokenizer(field)
    case "Punctuation": return try PunctuationPreTokenizer(field)
    case "Whitespace": return try WhitespacePreTokenizer(field)
    case "WhitespaceSplit":
        try field.allow("type")
        return WhitespaceSplitPreTokenizer()
    case "Sequence":
        try field.allow("type", "pretokenizers")
        let steps = try field.required("pretokenizers").elements().map(makePreTokenizer)
        return PreTokenizerSequence(steps: steps)
    default:
        throw TokenizerError.unsupported(
            field: field.path, type: type,
            supported: [
                "ByteLevel", "Metaspace", "Split", "Digits", "Punctuation", "Whitespace",
                "WhitespaceSplit", "Sequence",
            ])
    }
}

struct PreTokenizerSequence: PreTokenizer {
    let steps: [any PreTokenizer]

    var addsPrefix: Bool { steps.contains(where: \.addsPrefix) }

    func apply(_ pieces: Pieces) -> Pieces {
        steps.reduce(pieces) { $1.apply($0) }
    }
}
