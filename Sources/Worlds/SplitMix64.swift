/// A small seeded generator. Everything that a world draws is a function of its seed alone.
///
/// Sebastiano Vigna's SplitMix64. The drawing functions below are written out here, because the
/// algorithms of `Int.random(in:using:)` and `shuffled(using:)` may change between releases of
/// Swift, and a corpus must not change with them.
public struct SplitMix64: RandomNumberGenerator, Sendable, Hashable {
    private var state: UInt64

    public init(seed: UInt64) {
        state = seed
    }

    /// A separate generator for every path of numbers below a seed, so that the document at an
    /// index never depends on the documents before it.
    public init(seed: UInt64, path: UInt64...) {
        var mixed = Self.mixed(seed &+ 0x9E37_79B9_7F4A_7C15)
        for part in path { mixed = Self.mixed(mixed ^ Self.mixed(part &+ 0x9E37_79B9_7F4A_7C15)) }
        state = mixed
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mixed(state)
    }

    /// A whole number in `0..<bound`; 0 when the bound is not positive.
    public mutating func below(_ bound: Int) -> Int {
        guard bound > 0 else { return 0 }
        return Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// A number in [0, 1).
    public mutating func unit() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// True with the given probability.
    public mutating func chance(_ probability: Double) -> Bool {
        unit() < probability
    }

    /// `count` different elements in random order (all elements if there are fewer).
    public mutating func sample<Element>(_ count: Int, of elements: [Element]) -> [Element] {
        var pool = elements
        let taken = max(0, min(count, pool.count))
        for place in 0..<taken {
            pool.swapAt(place, place + below(pool.count - place))
        }
        return Array(pool.prefix(taken))
    }

    /// An index drawn in proportion to the weights; 0 when no weight is positive.
    public mutating func index(weights: [Double]) -> Int {
        var rest = unit() * weights.reduce(0) { $0 + max(0, $1) }
        var last = 0
        for (index, weight) in weights.enumerated() where weight > 0 {
            if rest < weight { return index }
            rest -= weight
            last = index
        }
        return last
    }

    private static func mixed(_ value: UInt64) -> UInt64 {
        var bits = value
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }
}
