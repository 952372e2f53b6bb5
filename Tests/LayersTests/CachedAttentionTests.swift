import Tensors
import TestSupport
import Testing

@testable import Layers

/// The rows of a cache, and attention over them, compared with float32.
@Suite struct CachedAttentionTests {
    @Test(arguments: [1, 8, 20, 32, 64])
    func rowsAreWithinHalfAStep(size: Int) {
        let x = random([5, 3 * size], 1)
        var rows = QuantizedKVRows(heads: 3, rows: 9, size: size)
        rows.store(x, in: [2..<5, 7..<9])
        for head in 0..<3 {
            let cached = rows.head(head)
            for (n, place) in [2, 3, 4, 7, 8].enumerated() {
                var out = [Float](repeating: -1, count: size + 1)
                out.withUnsafeMutableBufferPointer {
                    if let base = $0.baseAddress {
                        cached.widen(place..<place + 1, size, times: 2, into: base)
                    }
                }
                let wanted = (0..<size).map { x[n, head * size + $0] }
                let largest = wanted.map(abs).max() ?? 0
                for i in 0..<size {
                    #expect(abs(out[i] / 2 - wanted[i]) <= largest / 65_534 * 1.001)
                }
                #expect(out[size] == -1, "nothing is written behind a row")
            }
        }
    }

    @Test func zerosStayAndWhatIsNotFiniteShows() {
        var x = Tensor(zeros: [3, 16])
        x[1, 5] = .infinity
        x[2, 0] = .leastNormalMagnitude / 8
        var rows = QuantizedKVRows(heads: 1, rows: 3, size: 16)
        rows.store(x, in: [0..<3])
        var out = [Float](repeating: -1, count: 48)
        out.withUnsafeMutableBufferPointer {
            if let base = $0.baseAddress { rows.head(0).widen(0..<3, 16, times: 1, into: base) }
        }
        #expect(out[..<16].allSatisfy { $0 == 0 })
        #expect(out[16..<32].allSatisfy { !$0.isFinite })
        #expect(out[32...].allSatisfy { abs($0) < 1e-38 })
    }

    @Test(arguments: [6, 20, 32, 48], [nil, 9])
    func attentionEqualsThatOverFloats(size: Int, window: Int?) {
        let attention = Attention(heads: 4, keyHeads: 2, size: size)
        // Spans of many queries and of one; the rows of the cache differ from the rows of the
        // queries.
        let plan = AttentionPlan(
            spans: [
                .init(queries: 0..<70, contexts: [], own: 10..<80),
                .init(queries: 70..<75, contexts: [10..<80], own: 90..<95),
                .init(queries: 75..<76, contexts: [10..<80, 90..<95], own: 3..<4),
                .init(queries: 76..<77, contexts: [10..<73], own: 5..<7),
            ], groups: [], window: window)
        let (q, k, v) = (
            random([77, 4 * size], 1), random([100, 2 * size], 2), random([100, 2 * size], 3)
        )
        var keys = QuantizedKVRows(heads: 2, rows: 100, size: size)
        var values = keys
        keys.store(k, in: [0..<100])
        values.store(v, in: [0..<60, 60..<100])
        let (plain, cached) = (
            attention.forward(q, k, v, plan), attention.forward(q, keys, values, plan)
        )
        #expect(zip(plain.values, cached.values).allSatisfy { abs($0 - $1) < 2e-4 })
    }
}
