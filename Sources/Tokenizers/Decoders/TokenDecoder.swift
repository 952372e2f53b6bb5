/// Turns tokens back into text, step by step; the results of the last step are joined.
protocol TokenDecoder: Sendable {
    func apply(_ tokens: [String]) -> [String]

    /// Whether tokens such as `<0xE2>` stand for bytes.
    var namesBytes: Bool { get }

    /// The bytes that a token spells out; nil if it stands for itself.
    func spelledBytes(_ token: String) -> [UInt8]?

    /// The largest factor by which a text can grow.
    var growth: Int { get }
}

extension TokenDecoder {
    var namesBytes: Bool { false }
    func spelledBytes(_ token: String) -> [UInt8]? { nil }
    var growth: Int { 1 }
}

/// Makes a decoder from its JSON.
func makeDecoder(_ field: Field) throws -> any TokenDecoder {
    let type = try field.string("type")
    switch type {
    case "ByteLevel":
        // These settings matter for encoding only.
        try field.allow("type", "add_prefix_space", "trim_offsets", "use_regex")
        return ByteLevelDecoder()
    case "ByteFallback":
        try field.allow("type")
        return ByteFallbackDecoder()
    case "Fuse":
        try field.allow("type")
        return FuseDecoder()
    case "Metaspace":
        try field.allow(
            "type", "replacement", "add_prefix_space", "prepend_scheme", "split", "str_rep")
        return MetaspaceDecoder(mark: try Metaspace(field))
    case "Replace": return try Replace(field)
    case "Strip": return try StripDecoder(field)
    case "Sequence":
        try field.allow("type", "decoders")
        return DecoderSequence(
            steps: try field.required("decoders").elements().map(makeDecoder))
    default:
        throw TokenizerError.unsupported(
            field: field.path, type: type,
            supported: [
                "ByteLevel", "ByteFallback", "Fuse", "Metaspace", "Replace", "Strip", "Sequence",
            ])
    }
}

struct DecoderSequence: TokenDecoder {
    let steps: [any TokenDecoder]

    var namesBytes: Bool { steps.contains(where: \.namesBytes) }
    var growth: Int { TextGrowth.product(steps.map(\.growth)) }

    func spelledBytes(_ token: String) -> [UInt8]? {
        steps.lazy.compactMap { $0.spelledBytes(token) }.first
    }

    func apply(_ tokens: [String]) -> [String] {
        steps.reduce(tokens) { $1.apply($0) }
    }
}
