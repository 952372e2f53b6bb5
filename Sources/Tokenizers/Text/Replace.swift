/// Replaces every match of a pattern: in a text before encoding, or token by token in decoding.
struct Replace: Normalizer, TokenDecoder {
    private let pattern: Pattern
    private let content: [UInt8]

    var growth: Int { pattern.growth(with: content) }

    init(_ field: Field) throws {
        try field.allow("type", "pattern", "content")
        pattern = try Pattern(field.required("pattern"))
        content = Array(try field.string("content").utf8)
    }

    func apply(_ bytes: [UInt8]) -> [UInt8] {
        pattern.replacing(bytes, with: content)
    }

    func apply(_ tokens: [String]) -> [String] {
        tokens.map { String(decoding: apply(Array($0.utf8)), as: UTF8.self) }
    }
}
