import Tensors
import TestSupport
import Testing

@testable import Layers

/// Attention with products in bfloat16 beside float32, whose tests compare it with its definition.
@Suite struct BFloat16AttentionTests {
    static let arithmetics = [Arithmetic.portableBFloat16] + [Arithmetic.bfloat16].compactMap { $0 }

    /// More queries than a block, fewer than a tile, an odd number, and too few for bfloat16; keys
    /// of several segments.
    private static func plan(window: Int?) -> AttentionPlan {
        AttentionPlan(
            spans: [
                .init(queries: 0..<70, contexts: [], own: 0..<70),
                .init(queries: 70..<81, contexts: [0..<70], own: 70..<81),
                .init(queries: 81..<84, contexts: [0..<70, 70..<81], own: 81..<84),
                .init(queries: 84..<101, contexts: [], own: 84..<101),
            ], groups: [[0, 1, 2], [3]], window: window)
    }

    /// A head of an odd size, of part of a panel, of one panel, and of more than one tile.
    static let sizes = [7, 20, 32, 48]

    private func inputs(_ size: Int) -> (q: Tensor, k: Tensor, v: Tensor, dy: Tensor) {
        (
            random([101, 4 * size], 1), random([101, 2 * size], 2), random([101, 2 * size], 3),
            random([101, 4 * size], 4)
        )
    }

    @Test(arguments: arithmetics, sizes)
    func `gradients are those of float32 but for the rounding`(
        arithmetic: Arithmetic, size: Int
    ) {
        let attention = Attention(heads: 4, keyHeads: 2, size: size)
        let (q, k, v, dy) = inputs(size)
        for window in [nil, 9, 64] as [Int?] {
            let plan = Self.plan(window: window)
            let exact = attention.backward(dy, q, k, v, plan)
            let found = attention.backward(dy, q, k, v, plan, arithmetic)
            for (a, b) in [(found.dq, exact.dq), (found.dk, exact.dk), (found.dv, exact.dv)] {
                checkRows(a, b, heads: a.columns / size)
            }
            #expect(found.dv != exact.dv, "nothing was computed in bfloat16")
        }
    }

    @Test(arguments: arithmetics, sizes)
    func `attention over a cache is that of float32 but for the rounding`(
        arithmetic: Arithmetic, size: Int
    ) {
        let attention = Attention(heads: 4, keyHeads: 2, size: size)
        let (q, k, v, _) = inputs(size)
        var (keys, values) = (
            QuantizedKVRows(heads: 2, rows: 101, size: size),
            QuantizedKVRows(heads: 2, rows: 101, size: size)
        )
        keys.store(k, in: [0..<101])
        values.store(v, in: [0..<101])
        for window in [nil, 9, 64] as [Int?] {
            let plan = Self.plan(window: window)
            let exact = attention.forward(q, keys, values, plan)
            let found = attention.forward(q, keys, values, plan, arithmetic)
            checkRows(found, exact, heads: 4)
            #expect(found != exact, "nothing was computed in bfloat16")
        }
    }

    /// A value that is not finite shows in the queries that see it, and in no others.
    @Test(arguments: arithmetics, [Float.nan, .infinity])
    func `what is not finite shows`(arithmetic: Arithmetic, value: Float) {
        let attention = Attention(heads: 1, keyHeads: 1, size: 16)
        let plan = AttentionPlan(
            spans: [.init(queries: 0..<30, contexts: [], own: 0..<30)], groups: [[0]])
        var (q, dy) = (random([30, 16], 1), random([30, 16], 2))
        let (k, v) = (random([30, 16], 3), random([30, 16], 4))
        dy[29, 3] = value
        let found = attention.backward(dy, q, k, v, plan, arithmetic)
        #expect((0..<16).allSatisfy { !found.dq[29, $0].isFinite })
        #expect((0..<16).allSatisfy { found.dq[11, $0].isFinite })
        q[29, 3] = value
        #expect(!attention.backward(dy, q, k, v, plan, arithmetic).dk[0, 0].isFinite)
    }

    /// The error of each row of a head, beside the row and all rows: a row of zeros has none.
    private func checkRows(_ a: Tensor, _ b: Tensor, heads: Int) {
        let size = a.columns / heads
        let usual = (b.squaredNorm / Double(b.count) * Double(size)).squareRoot()
        for row in 0..<a.rows {
            for head in 0..<heads {
                var (error, norm) = (0.0, 0.0)
                for e in head * size..<(head + 1) * size {
                    let difference = Double(a[row, e]) - Double(b[row, e])
                    error += difference * difference
                    norm += Double(b[row, e]) * Double(b[row, e])
                }
                let limit = 0.01 * norm.squareRoot() + 0.01 * usual
                #expect(error.squareRoot() < limit, "row \(row), head \(head)")
            }
        }
    }
}
