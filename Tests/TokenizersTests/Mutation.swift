import TestSupport

extension SeededGenerator {
    /// One change: a byte replaced; a part removed, doubled or moved; or a word inserted.
    mutating func mutate(_ bytes: inout [UInt8], words: [String] = []) {
        guard !bytes.isEmpty else { return }
        let place = below(bytes.count)
        let end = min(place + 1 + below(20), bytes.count)
        switch below(words.isEmpty ? 5 : 8) {
        case 0: bytes[place] = UInt8(below(256))
        case 1: bytes[place] ^= 1 << UInt8(below(8))
        case 2: bytes.removeSubrange(place..<end)
        case 3: bytes.insert(contentsOf: Array(bytes[place..<end]), at: place)
        case 4: bytes.removeSubrange(place...)
        default: bytes.insert(contentsOf: Array(words[below(words.count)].utf8), at: place)
        }
    }
}
