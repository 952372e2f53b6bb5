/// Numbers that come again with the same seed (SplitMix64, Steele et al. 2014), and ways to spoil a
/// file with them.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }

    /// One change: a byte, a stretch cut, doubled or moved, or a word put in.
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
