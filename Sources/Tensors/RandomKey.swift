import Foundation

/// A stateless source of random numbers: number `i` under a key is a function of the key and `i`.
///
/// Keys are derived: `RandomKey(seed: 7).child(command).child(query)`. So the random numbers of one
/// response depend neither on its batch nor on threads. The function is Philox4x32-10 (Salmon,
/// Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3; SC 2011).
public struct RandomKey: Sendable, Hashable {
    private let key: UInt64

    /// The key as a number, for another process.
    package var number: UInt64 { key }

    package init(number: UInt64) { key = number }

    public init(seed: UInt64) { key = RandomKey.mix(seed, 0x5341_4D49) }
    private init(key: UInt64) { self.key = key }

    /// A key for the part of the work numbered `index`.
    public func child(_ index: UInt64) -> RandomKey {
        RandomKey(key: RandomKey.mix(key, index &+ 1))
    }

    /// A key for the part of the work called `label`.
    public func child(_ label: String) -> RandomKey {
        // FNV-1a is enough: labels are few and short, and the following mixing spreads them.
        let hash = label.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01B3
        }
        return RandomKey(key: RandomKey.mix(key ^ 0x9E37_79B9_7F4A_7C15, hash))
    }

    /// 64 random bits, number `counter` under this key.
    public func bits(_ counter: UInt64) -> UInt64 {
        let block = RandomKey.philox(counter: counter, stream: 0, key: key)
        return UInt64(block.0) | UInt64(block.1) << 32
    }

    /// Uniform in [0, 1), 53 bits.
    public func uniform(_ counter: UInt64) -> Double {
        Double(bits(counter) >> 11) * 0x1p-53
    }

    /// Uniform in 0..<bound; zero for a bound below two. The bias, bound / 2^64, is not measurable.
    public func integer(_ counter: UInt64, below bound: Int) -> Int {
        bound < 2 ? 0 : Int(bits(counter).multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// Standard normal, by the Box–Muller transformation.
    public func normal(_ counter: UInt64) -> Double {
        let block = RandomKey.philox(counter: counter, stream: 1, key: key)
        let first = (Double(UInt64(block.0) | UInt64(block.1 & 0x1F_FFFF) << 32) + 1) * 0x1p-53
        let second = Double(UInt64(block.2) | UInt64(block.3 & 0x1F_FFFF) << 32) * 0x1p-53
        return (-2 * log(first)).squareRoot() * cos(2 * .pi * second)
    }

    /// The indexes 0..<count in random order (Fisher–Yates shuffle).
    public func permutation(_ count: Int) -> [Int] {
        var order = Array(0..<max(0, count))
        for i in stride(from: order.count - 1, to: 0, by: -1) {
            order.swapAt(i, integer(UInt64(i), below: i + 1))
        }
        return order
    }

    private static func mix(_ key: UInt64, _ index: UInt64) -> UInt64 {
        let block = philox(counter: index, stream: 2, key: key)
        return UInt64(block.0) | UInt64(block.1) << 32
    }

    static func philox(
        counter: UInt64, stream: UInt64, key: UInt64
    ) -> (UInt32, UInt32, UInt32, UInt32) {
        var c = (
            UInt32(truncatingIfNeeded: counter), UInt32(truncatingIfNeeded: counter >> 32),
            UInt32(truncatingIfNeeded: stream), UInt32(truncatingIfNeeded: stream >> 32)
        )
        var k = (UInt32(truncatingIfNeeded: key), UInt32(truncatingIfNeeded: key >> 32))
        for _ in 0..<10 {
            let p0 = (0xD251_1F53 as UInt32).multipliedFullWidth(by: c.0)
            let p1 = (0xCD9E_8D57 as UInt32).multipliedFullWidth(by: c.2)
            c = (p1.high ^ c.1 ^ k.0, p1.low, p0.high ^ c.3 ^ k.1, p0.low)
            k = (k.0 &+ 0x9E37_79B9, k.1 &+ 0xBB67_AE85)
        }
        return c
    }
}
