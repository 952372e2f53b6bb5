/// Rewrites a text before it is split.
protocol Normalizer: Sendable {
    func apply(_ bytes: [UInt8]) -> [UInt8]

    /// The same for a part of a text: `startsText` says whether the text begins with it.
    func apply(_ bytes: [UInt8], startsText: Bool) -> [UInt8]

    /// Whether it puts a blank, or the mark of one, before a text.
    var addsPrefix: Bool { get }

    /// The largest factor by which a text can grow.
    var growth: Int { get }
}

extension Normalizer {
    var growth: Int { 1 }
    var addsPrefix: Bool { false }
    func apply(_ bytes: [UInt8], startsText: Bool) -> [UInt8] { apply(bytes) }
}

/// Makes a normalizer from its JSON.
func makeNormalizer(_ field: Field) throws -> any Normalizer {
    let type = try field.string("type")
    if let form = UnicodeNormalizer.Form(rawValue: type) {
        try field.allow("type")
        return UnicodeNormalizer(form: form)
    }
    switch type {
    case "Lowercase":
        try field.allow("type")
        return LowercaseNormalizer()
    case "Strip": return try StripNormalizer(field)
    case "Replace": return try Replace(field)
    case "Prepend": return try PrependNormalizer(field)
    case "Sequence":
        try field.allow("type", "normalizers")
        return NormalizerSequence(
            steps: try field.required("normalizers").elements().map(makeNormalizer))
    default:
        throw TokenizerError.unsupported(
            field: field.path, type: type,
            supported: UnicodeNormalizer.Form.allCases.map(\.rawValue)
                + ["Lowercase", "Strip", "Replace", "Prepend", "Sequence"])
    }
}

struct NormalizerSequence: Normalizer {
    let steps: [any Normalizer]

    var growth: Int { TextGrowth.product(steps.map(\.growth)) }
    var addsPrefix: Bool { steps.contains(where: \.addsPrefix) }

    func apply(_ bytes: [UInt8]) -> [UInt8] {
        steps.reduce(bytes) { $1.apply($0) }
    }
}
