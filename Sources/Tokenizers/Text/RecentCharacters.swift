import CPCRE2

/// Characters that are in Oniguruma's tables but not in those of an older PCRE2.
///
/// The `tokenizers` package uses properties of Unicode 16; PCRE2 10.42, for example, those of
/// Unicode 14. So PCRE2 would treat a letter added in between like a symbol.
struct RecentCharacters: Sendable {
    private let ranges: [ClosedRange<UInt32>]

    /// The characters that the present library lacks.
    static let ofThisLibrary = RecentCharacters(after: version)

    private init(after version: (major: Int, minor: Int)) {
        ranges =
            version >= (16, 0)
            ? []
            : Self.sinceUnicode15.filter { range in
                Unicode.Scalar(range.lowerBound).map { !$0.isAssigned(by: version) } ?? false
            }
    }

    private static var version: (major: Int, minor: Int) {
        var text = [UInt8](repeating: 0, count: 64)
        guard pcre2_config_8(UInt32(PCRE2_CONFIG_UNICODE_VERSION), nil) <= Int32(text.count),
            pcre2_config_8(UInt32(PCRE2_CONFIG_UNICODE_VERSION), &text) > 0
        else { return (16, 0) }
        let parts = text.prefix { $0 != 0 }.split(separator: UInt8(ascii: "."))
            .map { Int(String(decoding: $0, as: UTF8.self)) ?? 0 }
        return (parts.first ?? 16, parts.count > 1 ? parts[1] : 0)
    }

    /// Whether a range of the bytes contains one of them.
    func occur(in bytes: [UInt8], _ range: Range<Int>) -> Bool {
        guard let first = ranges.first?.lowerBound else { return false }
        var place = range.lowerBound
        while place < range.upperBound {
            let lead = bytes[place]
            if lead < 0xE0 {
                place += 1
                continue
            }
            let end = min(place + characterLength(lead), range.upperBound)
            var code = UInt32(lead & (lead < 0xF0 ? 0x0F : 0x07))
            for byte in bytes[place + 1..<end] { code = code << 6 | UInt32(byte & 0x3F) }
            if code >= first, contains(code) { return true }
            place = end
        }
        return false
    }

    private func contains(_ code: UInt32) -> Bool {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < code { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].lowerBound <= code
    }

    /// The characters with a property, in the form of a character class without its brackets.
    func members(_ has: (Unicode.Scalar) -> Bool) -> String {
        var text = ""
        for range in ranges {
            var start: UInt32?
            for code in range.lowerBound...range.upperBound + 1 {
                let fits = range.contains(code) && Unicode.Scalar(code).map(has) ?? false
                if fits, start == nil { start = code }
                if !fits, let first = start {
                    text += "\\x{\(String(first, radix: 16))}-\\x{\(String(code - 1, radix: 16))}"
                    start = nil
                }
            }
        }
        return text
    }

    /// The additions of Unicode 15.0 to 16.0, from Oniguruma 6.9.10's `\P{Cn}`.
    private static let sinceUnicode15: [ClosedRange<UInt32>] = [
        0x897...0x897, 0xCF3...0xCF3, 0xECE...0xECE, 0x1B4E...0x1B4F, 0x1B7F...0x1B7F,
        0x1C89...0x1C8A, 0x2427...0x2429, 0x2FFC...0x2FFF, 0x31E4...0x31E5, 0x31EF...0x31EF,
        0xA7CB...0xA7CD, 0xA7DA...0xA7DC, 0x105C0...0x105F3, 0x10D40...0x10D65, 0x10D69...0x10D85,
        0x10D8E...0x10D8F, 0x10EC2...0x10EC4, 0x10EFC...0x10EFF, 0x1123F...0x11241,
        0x11380...0x11389, 0x1138B...0x1138B, 0x1138E...0x1138E, 0x11390...0x113B5,
        0x113B7...0x113C0, 0x113C2...0x113C2, 0x113C5...0x113C5, 0x113C7...0x113CA,
        0x113CC...0x113D5, 0x113D7...0x113D8, 0x113E1...0x113E2, 0x116D0...0x116E3,
        0x11B00...0x11B09, 0x11BC0...0x11BE1, 0x11BF0...0x11BF9, 0x11F00...0x11F10,
        0x11F12...0x11F3A, 0x11F3E...0x11F5A, 0x1342F...0x1342F, 0x13439...0x13455,
        0x13460...0x143FA, 0x16100...0x16139, 0x16D40...0x16D79, 0x18CFF...0x18CFF,
        0x1B132...0x1B132, 0x1B155...0x1B155, 0x1CC00...0x1CCF9, 0x1CD00...0x1CEB3,
        0x1D2C0...0x1D2D3, 0x1DF25...0x1DF2A, 0x1E030...0x1E06D, 0x1E08F...0x1E08F,
        0x1E4D0...0x1E4F9, 0x1E5D0...0x1E5FA, 0x1E5FF...0x1E5FF, 0x1F6DC...0x1F6DC,
        0x1F774...0x1F776, 0x1F77B...0x1F77F, 0x1F7D9...0x1F7D9, 0x1F8B2...0x1F8BB,
        0x1F8C0...0x1F8C1, 0x1FA75...0x1FA77, 0x1FA87...0x1FA89, 0x1FA8F...0x1FA8F,
        0x1FAAD...0x1FAAF, 0x1FABB...0x1FABF, 0x1FAC6...0x1FAC6, 0x1FACE...0x1FACF,
        0x1FADA...0x1FADC, 0x1FADF...0x1FADF, 0x1FAE8...0x1FAE9, 0x1FAF7...0x1FAF8,
        0x1FBCB...0x1FBEF, 0x2B739...0x2B739, 0x2EBF0...0x2EE5D, 0x31350...0x323AF,
    ]
}
