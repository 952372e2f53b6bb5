/// Lower case, character by character. No rule depends on neighboring characters, so a final sigma
/// also becomes `σ`.
struct LowercaseNormalizer: Normalizer {
    func apply(_ bytes: [UInt8]) -> [UInt8] {
        var lower: [UInt8] = []
        lower.reserveCapacity(bytes.count)
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            if scalar.isASCII {
                let byte = UInt8(truncatingIfNeeded: scalar.value)
                lower.append((0x41...0x5A).contains(byte) ? byte + 0x20 : byte)
            } else {
                lower += Array(scalar.properties.lowercaseMapping.utf8)
            }
        }
        return lower
    }
}

/// Removes blanks from the ends.
struct StripNormalizer: Normalizer {
    private let left: Bool
    private let right: Bool

    init(_ field: Field) throws {
        try field.allow("type", "strip_left", "strip_right")
        left = try field.required("strip_left").bool()
        right = try field.required("strip_right").bool()
    }

    func apply(_ bytes: [UInt8]) -> [UInt8] {
        var text = Substring(String(decoding: bytes, as: UTF8.self)).unicodeScalars
        while left, text.first?.properties.isWhitespace == true { text.removeFirst() }
        while right, text.last?.properties.isWhitespace == true { text.removeLast() }
        return Array(Substring(text).utf8)
    }
}

/// Puts a text before every text that is not empty.
struct PrependNormalizer: Normalizer {
    private let prefix: [UInt8]
    var addsPrefix: Bool { true }

    init(_ field: Field) throws {
        try field.allow("type", "prepend")
        prefix = Array(try field.string("prepend").utf8)
    }

    func apply(_ bytes: [UInt8]) -> [UInt8] {
        bytes.isEmpty ? bytes : prefix + bytes
    }
}
