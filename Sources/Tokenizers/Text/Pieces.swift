/// A text split into pieces, on its way through the pre-tokenizers: some only move the cuts, some
/// rewrite the bytes. The bytes are always valid UTF-8, and every cut lies between two characters.
struct Pieces: Sendable {
    var bytes: [UInt8]
    var ranges: [Range<Int>]
    /// Whether the first piece begins where the user's text begins (and not after an added token).
    var startsText: Bool

    init(_ bytes: [UInt8], startsText: Bool) {
        self.bytes = bytes
        self.ranges = bytes.isEmpty ? [] : [0..<bytes.count]
        self.startsText = startsText
    }
}

/// The number of bytes of the character that starts with this byte.
func characterLength(_ lead: UInt8) -> Int {
    lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
}
