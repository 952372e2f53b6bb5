import Foundation
import Tensors
import TestSupport
import Testing

@testable import Layers

/// Each fast kernel against plain loops in double precision.
@Suite struct SlowReferenceTests {
    /// Heads narrower than a vector, of whole tiles, and of a tile and a remainder.
    @Test(arguments: [6, 32, 40])
    func attentionEqualsItsDefinition(size: Int) {
        let attention = Attention(heads: 4, keyHeads: 2, size: size)
        // 70 queries: more than one block of rows. The last span is a single query, as in
        // generation.
        let plan = AttentionPlan(
            spans: [
                .init(queries: 0..<70, contexts: [], own: 0..<70),
                .init(queries: 70..<75, contexts: [0..<70], own: 70..<75),
                .init(queries: 75..<76, contexts: [0..<70, 70..<75], own: 75..<76),
            ], groups: [[0, 1, 2]], window: nil)
        for window in [nil, 9] as [Int?] {
            var plan = plan
            plan.window = window
            let (q, k, v) = (
                random([76, 4 * size], 1), random([76, 2 * size], 2), random([76, 2 * size], 3)
            )
            let fast = attention.forward(q, k, v, plan)
            for span in plan.spans {
                let keys = span.contexts.flatMap(Array.init) + Array(span.own)
                for (offset, row) in span.queries.enumerated() {
                    let position = keys.count - span.queries.count + offset
                    let start = window.map { max(0, position - $0 + 1) } ?? 0
                    for head in 0..<4 {
                        let wanted = slowAttention(
                            q, k, v, row: row, head: head, keyHead: head / 2, size: size,
                            keys: Array(keys[start...position]))
                        for i in 0..<size {
                            #expect(abs(Double(fast[row, head * size + i]) - wanted[i]) < 1e-5)
                        }
                    }
                }
            }
        }
    }

    /// Selected queries have the same results as among all queries.
    @Test(arguments: [nil, 9] as [Int?])
    func attentionOfSomeQueries(window: Int?) {
        let attention = Attention(heads: 2, keyHeads: 2, size: 8)
        let plan = AttentionPlan(
            spans: [
                .init(queries: 0..<20, contexts: [], own: 0..<20),
                .init(queries: 20..<25, contexts: [0..<20], own: 20..<25),
                .init(queries: 25..<28, contexts: [], own: 25..<28),
            ], groups: [[0, 1], [2]], window: window)
        let (q, k, v) = (random([28, 16], 1), random([28, 16], 2), random([28, 16], 3))
        let all = attention.forward(q, k, v, plan)
        for rows in [[3, 4, 5, 19, 20, 21, 24], [27, 0, 0, 22], [], Array(0..<28)] {
            let part = plan.reading(rows)
            let some = attention.forward(q.gatheringRows(rows), k, v, part)
            let wanted = all.gatheringRows(rows).values
            #expect(zip(some.values, wanted).allSatisfy { abs($0 - $1) < 1e-5 })
            #expect(some.rows == rows.count)
            #expect(Set(part.groups.joined()) == Set(part.spans.indices))
        }
        #expect(plan.reading([3, 4, 21, 26]).groups == [[0, 1], [2]])
    }

    private func slowAttention(
        _ q: Tensor, _ k: Tensor, _ v: Tensor, row: Int, head: Int, keyHead: Int, size: Int,
        keys: [Int]
    ) -> [Double] {
        let scores = keys.map { key in
            (0..<size).reduce(0.0) {
                $0 + Double(q[row, head * size + $1]) * Double(k[key, keyHead * size + $1])
            } / Double(size).squareRoot()
        }
        let top = scores.max() ?? 0
        let weights = scores.map { exp($0 - top) }
        let sum = weights.reduce(0, +)
        return (0..<size).map { i in
            zip(keys, weights).reduce(0.0) {
                $0 + $1.1 / sum * Double(v[$1.0, keyHead * size + i])
            }
        }
    }

    @Test func productsEqualPlainLoops() {
        for (n, k, m) in [
            (1, 7, 5), (2, 9, 8), (3, 64, 130), (5, 40, 12), (64, 31, 9), (200, 33, 65),
            // Panels of sixteen rows: whole, filled by more than half and by less, wide enough to
            // share.
            (16, 8, 6), (32, 75, 64), (25, 17, 31), (40, 130, 500), (9, 3, 7), (23, 64, 5),
        ] {
            let (x, w) = (random([n, k], 1), random([m, k], 2))
            let slow = slowProduct(x, transposed: w)
            var fast = Tensor(uninitialized: [n, m])
            multiply(x, transposed: w, into: &fast)
            #expect(zip(fast.values, slow.values).allSatisfy { abs($0 - $1) < 1e-4 })
            var twice = fast
            multiply(x, transposed: w, into: &twice, accumulate: true)
            #expect(zip(twice.values, slow.values).allSatisfy { abs($0 - 2 * $1) < 2e-4 })
        }
    }

    @Test(arguments: [16, 21])
    func layerNormEqualsItsDefinition(width: Int) {
        var x = random([5, width], 1)
        // Far from zero, where a variance computed from squares would lose its digits.
        for i in 0..<width { x[0, i] += 1000 }
        let (weight, bias) = (random([width], 2), random([width], 3))
        let fast = LayerNorm(epsilon: 1e-5).forward(x, weight: weight, bias: bias)
        let slow = slowLayerNorm(x, weight: weight, bias: bias, epsilon: 1e-5)
        for (i, wanted) in slow.enumerated() {
            #expect(abs(Double(fast[i]) - wanted) < (i < width ? 1e-3 : 1e-5))
        }
    }

    @Test func geluEqualsItsDefinition() {
        let x = Tensor((0..<85).map { Float($0 - 42) * 0.3 }, shape: [85])
        let fast = GELU.forward(x)
        for i in 0..<85 { #expect(abs(Double(fast[i]) - slowGELU(Double(x[i]))) < 2e-6, "\(x[i])") }
    }

    @Test func aRowGoesToItsLikeliestExperts() {
        let logits = Tensor([0, 3, 1, 2, 5, 5, 5, 5], shape: [2, 4])
        let routing = Router.forward(logits, chosen: 2)
        #expect(routing.visits.map { $0.map(\.row) } == [[1], [0, 1], [], [0]])
        let share = Float(exp(3.0) / (exp(3.0) + exp(2.0)))
        #expect(abs(routing.visits[1][0].weight - share) < 1e-6)
        #expect(abs(routing.visits[3][0].weight - (1 - share)) < 1e-6)
        #expect(routing.visits[0][0].weight == 0.5)
    }

    @Test func columnsSplitAndJoin() {
        let x = random([3, 12], 1)
        let parts = x.splitColumns(3)
        #expect(parts[1].values == [4, 5, 6, 7, 16, 17, 18, 19, 28, 29, 30, 31].map { x[$0] })
        #expect(Tensor.joiningColumns(parts) == x)
    }

    @Test func exponentialIsExactToTwoUlps() {
        for step in 0..<4000 {
            let x = -87 + Float(step) * 0.0437
            let relative = abs(Double(exponential(x)) / exp(Double(x)) - 1)
            #expect(relative < 3e-7, "at \(x)")
        }
        #expect(exponential(-1000) < 1e-37)
        #expect(exponential(0) == 1)
    }

    @Test func logSoftmaxEqualsItsDefinition() throws {
        let (hidden, weight) = (random([5, 8], 1), random([700, 8], 2))
        var rows = ScoredHead.Rows()
        for row in 0..<5 { rows.append([Int32(row * 100), 699]) }
        let fast = try ScoredHead.forward(hidden, weight: weight, rows)
        let logits = slowProduct(hidden, transposed: weight)
        for row in 0..<5 {
            let line = (0..<700).map { Double(logits[row, $0]) }
            let top = line.max() ?? 0
            let logSum = top + log(line.reduce(0) { $0 + exp($1 - top) })
            #expect(abs(Double(fast[2 * row]) - (line[row * 100] - logSum)) < 1e-5)
            #expect(abs(Double(fast[2 * row + 1]) - (line[699] - logSum)) < 1e-5)
        }
    }
}
