import Testing

@testable import Tensors

@Suite struct RandomKeyTests {
    /// Known answers published with Random123, the library of the Philox paper (kat_vectors, philox4x32 10).
    @Test func philoxGivesThePublishedBlocks() {
        let zero = RandomKey.philox(counter: 0, stream: 0, key: 0)
        #expect(zero == (0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
        let ones = RandomKey.philox(counter: .max, stream: .max, key: .max)
        #expect(ones == (0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
    }

    @Test func numbersDependOnKeyAndCounterAlone() {
        let key = RandomKey(seed: 7).child(3).child("rollout")
        #expect(key == RandomKey(seed: 7).child(3).child("rollout"))
        #expect(key.bits(5) == key.bits(5))
        #expect(key.bits(5) != key.bits(6))
        #expect(RandomKey(seed: 7).child(0) != RandomKey(seed: 8).child(0))
        #expect(RandomKey(seed: 7).child(0) != RandomKey(seed: 7).child(1))
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
