/// The merges of a byte-pair model: whether two neighboring tokens merge, and the merged token.
struct MergeTable: Sendable {
    private var keys: [UInt64]
    /// The rank in the upper half, the merged token in the lower half.
    private var values: [UInt64]
    private(set) var count = 0

    static let none = UInt64.max

    init(expecting count: Int) {
        var slots = 16
        while slots < count * 2 { slots *= 2 }
        keys = [UInt64](repeating: Self.none, count: slots)
        values = [UInt64](repeating: Self.none, count: slots)
    }

    /// The rank and result of a pair in one number, so that the smaller number merges first; `none`
    /// if the pair never merges.
    func value(_ left: Int32, _ right: Int32) -> UInt64 {
        let key = Self.key(left, right)
        var slot = Self.hash(key) & (keys.count - 1)
        while true {
            if keys[slot] == key { return values[slot] }
            if keys[slot] == Self.none { return Self.none }
            slot = (slot + 1) & (keys.count - 1)
        }
    }

    static func result(_ value: UInt64) -> Int32 { Int32(truncatingIfNeeded: value) }
    static func rank(_ value: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: value >> 32) }

    /// A repeated pair takes the later rank, as in the `tokenizers` package.
    mutating func insert(_ left: Int32, _ right: Int32, rank: Int, result: Int32) {
        if (count + 1) * 2 > keys.count { grow() }
        let key = Self.key(left, right)
        var slot = Self.hash(key) & (keys.count - 1)
        while keys[slot] != Self.none, keys[slot] != key { slot = (slot + 1) & (keys.count - 1) }
        if keys[slot] == Self.none { count += 1 }
        keys[slot] = key
        values[slot] =
            UInt64(UInt32(truncatingIfNeeded: rank)) << 32 | UInt64(UInt32(bitPattern: result))
    }

    private mutating func grow() {
        var larger = MergeTable(expecting: keys.count)
        for (key, value) in zip(keys, values) where key != Self.none {
            larger.insert(
                Int32(truncatingIfNeeded: key >> 32), Int32(truncatingIfNeeded: key),
                rank: Int(Self.rank(value)), result: Self.result(value))
        }
        self = larger
    }

    private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    /// Seeded, so that nobody can write a file whose pairs all collide.
    private static func hash(_ key: UInt64) -> Int {
        var bits = (key ^ seed) &* 0x9E37_79B9_7F4A_7C15
        bits = (bits ^ (bits >> 32)) &* 0xD6E8_FEB8_6659_FD93
        return Int(truncatingIfNeeded: (bits ^ (bits >> 32)) >> 1)
    }

    private static let seed = UInt64.random(in: .min ... .max)
}
