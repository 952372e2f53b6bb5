import TestSupport
import Testing

@testable import Tensors

@Suite struct RandomKeyTests {
    /// Known answers published with Random123, the library of the Philox paper (kat_vectors,
    /// philox4x32 10).
    @Test func philoxGivesThePublishedBlocks() {
        let zero = RandomKey.philox(counter: 0, stream: 0, key: 0)
        #expect(zero == (0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
        let ones = RandomKey.philox(counter: .max, stream: .max, key: .max)
        #expect(ones == (0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
        // The digits of π.
        let pi = RandomKey.philox(
            counter: 0x85a3_08d3_243f_6a88, stream: 0x0370_7344_1319_8a2e,
            key: 0x299f_31d0_a409_3822)
        #expect(pi == (0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
    }

    /// A second implementation, in numpy, drew these: Tests/Oracles/random_key.py.
    @Test func numbersAreThoseOfASecondImplementation() throws {
        struct Known: Decodable {
            var bits: [String]
            var uniform: [Double]
            var below1000: [Int]
            var normal: [Double]
        }
        let known = try Fixture.json("random-key.json", as: Known.self)
        let key = RandomKey(seed: 7).child(3).child("rollout")
        let counters: [UInt64] = [0, 5, 6, (1 << 40) + 1]
        #expect(counters.map { "\(key.bits($0))" } == known.bits)
        #expect((0..<4).map { key.uniform($0) } == known.uniform)
        #expect((0..<4).map { key.integer($0, below: 1000) } == known.below1000)
        for (i, wanted) in known.normal.enumerated() {
            #expect(abs(key.normal(UInt64(i)) - wanted) < 1e-14)
        }
    }

    @Test func everyPartOfAKeyCounts() {
        let keys = [
            RandomKey(seed: 7), RandomKey(seed: 8), RandomKey(seed: 7).child(0),
            RandomKey(seed: 7).child(1), RandomKey(seed: 8).child(0), RandomKey(seed: 7).child(""),
            RandomKey(seed: 7).child("a"), RandomKey(seed: 7).child("b"),
            RandomKey(seed: 7).child(0).child(1), RandomKey(seed: 7).child(1).child(0),
        ]
        #expect(Set(keys).count == keys.count)
        let numbers = keys.flatMap { key in (0..<100).map { key.bits(UInt64($0)) } }
        #expect(Set(numbers).count == numbers.count)
    }

    @Test func uniformAndNormalHaveTheirMoments() {
        let key = RandomKey(seed: 1)
        let n = 20_000
        let uniform = (0..<n).map { key.uniform(UInt64($0)) }
        #expect(uniform.allSatisfy { $0 >= 0 && $0 < 1 })
        #expect(abs(uniform.reduce(0, +) / Double(n) - 0.5) < 0.01)
        let normal = (0..<n).map { key.normal(UInt64($0)) }
        #expect(abs(normal.reduce(0, +) / Double(n)) < 0.03)
        #expect(abs(normal.reduce(0) { $0 + $1 * $1 } / Double(n) - 1) < 0.05)
    }

    @Test func permutationsHoldEveryIndexOnce() {
        for count in [0, 1, 2, 17] {
            let order = RandomKey(seed: 3).permutation(count)
            #expect(order.sorted() == Array(0..<count))
        }
    }
}
