/// Turns tokens back into text, step by step: what is left at the end is joined.
protocol TokenDecoder: Sendable {
    func apply(_ tokens: [String]) -> [String]
}

/// Makes a decoder from its JSON.
func makeDecoder(_ field: Field) throws -> any TokenDecoder {
    let type = try field.string("type")
    switch type {
    case "ByteLevel":
        // What encoding needs of these settings does not matter for decoding.
        try field.allow("type", "add_prefix_space", "trim_offsets", "use_regex")
        return ByteLevelDecoder()
    case "Sequence":
        try field.allow("type", "decoders")
        return DecoderSequence(
            steps: try field.required("decoders").elements().map(makeDecoder))
    default:
        throw TokenizerError.unsupported(
            field: field.path, type: type, supported: ["ByteLevel", "Sequence"])
    }
}

struct DecoderSequence: TokenDecoder {
    let steps: [any TokenDecoder]

    func apply(_ tokens: [String]) -> [String] {
        steps.reduce(tokens) { $1.apply($0) }
    }
}

/// Printable characters back to bytes; bytes that are no UTF-8 become U+FFFD.
struct ByteLevelDecoder: TokenDecoder {
    func apply(_ tokens: [String]) -> [String] {
        [String(decoding: tokens.flatMap { ByteAlphabet.decoded($0) }, as: UTF8.self)]
    }
}
