import Foundation
import Tensors
import TestSupport
import Testing

@testable import Layers

/// Every backward pass against central differences, at widths that fill vectors and at widths that
/// do not.
@Suite struct LayerGradientTests {
    @Test(arguments: [16, 21])
    func rmsNorm(width: Int) {
        let norm = RMSNorm(epsilon: 1e-5)
        let (x, weight, dy) = (random([5, width], 1), random([width], 2), random([5, width], 3))
        var (dx, dweight) = (Tensor(zeros: x.shape), Tensor(zeros: weight.shape))
        norm.backward(dy, x, weight: weight, into: &dx, &dweight)
        checkGradient(dx, of: "x", at: x) { inner(norm.forward($0, weight: weight), dy) }
        checkGradient(dweight, of: "weight", at: weight) { inner(norm.forward(x, weight: $0), dy) }
    }

    @Test(arguments: [32, 12])
    func rotary(size: Int) {
        let rotary = Rotary(
            inverseFrequencies: (0..<size / 2).map { 0.5 / Double(1 << $0) },
            positions: 9)
        let positions = [0, 3, 8]
        let (x, dy) = (random([3, 2 * size], 1), random([3, 2 * size], 2))
        var dx = dy
        rotary.backward(&dx, positions: positions)
        checkGradient(dx, of: "x", at: x) {
            var y = $0
            rotary.forward(&y, positions: positions)
            return inner(y, dy)
        }
    }

    @Test func swiGLU() {
        let (gate, up, dy) = (random([3, 21], 1), random([3, 21], 2), random([3, 21], 3))
        let (dgate, dup, y) = SwiGLU.backward(dy, gate: gate, up: up)
        #expect(y == SwiGLU.forward(gate: gate, up: up))
        checkGradient(dgate, of: "gate", at: gate) { inner(SwiGLU.forward(gate: $0, up: up), dy) }
        checkGradient(dup, of: "up", at: up) { inner(SwiGLU.forward(gate: gate, up: $0), dy) }
    }

    @Test(arguments: [16, 21])
    func layerNorm(width: Int) {
        let norm = LayerNorm(epsilon: 1e-5)
        let (x, weight, bias) = (random([5, width], 1), random([width], 2), random([width], 3))
        let dy = random([5, width], 4)
        var (dx, dweight, dbias) = (
            Tensor(zeros: x.shape), Tensor(zeros: [width]), Tensor(zeros: [width])
        )
        norm.backward(dy, x, weight: weight, into: &dx, &dweight, &dbias)
        checkGradient(dx, of: "x", at: x) {
            inner(norm.forward($0, weight: weight, bias: bias), dy)
        }
        checkGradient(dweight, of: "weight", at: weight) {
            inner(norm.forward(x, weight: $0, bias: bias), dy)
        }
        checkGradient(dbias, of: "bias", at: bias) {
            inner(norm.forward(x, weight: weight, bias: $0), dy)
        }
    }

    @Test func gelu() {
        let (x, dy) = (random([3, 21], 1), random([3, 21], 2))
        var dx = x
        GELU.backward(dy, &dx)
        checkGradient(dx, of: "x", at: x) { inner(GELU.forward($0), dy) }
    }

    @Test func transposedLinear() {
        let (x, weight, bias) = (random([5, 12], 1), random([12, 7], 2), random([7], 3))
        let dy = random([5, 7], 4)
        var (dx, dweight) = (Tensor(zeros: [5, 12]), Tensor(zeros: [12, 7]))
        Linear.backwardInput(dy, weight: weight, transposed: true, into: &dx)
        Linear.backwardWeight(dy, x, transposed: true, into: &dweight)
        checkGradient(dx, of: "x", at: x) {
            inner(Linear.forward($0, weight: weight, bias: bias, transposed: true), dy)
        }
        checkGradient(dweight, of: "weight", at: weight) {
            inner(Linear.forward(x, weight: $0, bias: bias, transposed: true), dy)
        }
    }

    @Test func lowRankAdapter() {
        let (x, a, b) = (random([5, 12], 1), random([3, 12], 2), random([7, 3], 3))
        let (dy, scale) = (random([5, 7], 4), Float(1.5))
        func loss(_ x: Tensor, _ a: Tensor, _ b: Tensor) -> Double {
            var out = random([5, 7], 5)
            LowRank.forward(x, a: a, b: b, scale: scale, addingTo: &out)
            return inner(out, dy)
        }
        var dx = Tensor(zeros: x.shape)
        var (da, db) = (Tensor(zeros: a.shape), Tensor(zeros: b.shape))
        let dhidden = LowRank.hiddenGradient(dy, b: b, scale: scale)
        LowRank.backwardInput(dhidden, a: a, into: &dx)
        LowRank.backwardA(dhidden, x, into: &da)
        LowRank.backwardB(dy, x, a: a, scale: scale, into: &db)
        checkGradient(dx, of: "x", at: x) { loss($0, a, b) }
        checkGradient(da, of: "A", at: a) { loss(x, $0, b) }
        checkGradient(db, of: "B", at: b) { loss(x, a, $0) }
    }

    @Test func router() {
        // The logits differ enough that a small step changes no choice.
        let logits = Tensor([2, 1, 0.5, -1, 0.2, 3, -0.5, 1.5, -2, 0, 1, 2.5], shape: [3, 4])
        let dweights = random([3, 4], 2)
        func loss(_ logits: Tensor) -> Double {
            Router.forward(logits, chosen: 2).visits.enumerated().reduce(0) { sum, visits in
                visits.element.reduce(sum) {
                    $0 + Double($1.weight * dweights[$1.row, visits.offset])
                }
            }
        }
        let routing = Router.forward(logits, chosen: 2)
        let given = routing.visits.enumerated().map { expert, visits in
            visits.map { dweights[$0.row, expert] }
        }
        let dlogits = Router.backward(given, routing, rows: 3)
        checkGradient(dlogits, of: "logits", at: logits, loss)
    }

    @Test func linear() {
        let (x, weight, bias) = (random([5, 12], 1), random([7, 12], 2), random([7], 3))
        let dy = random([5, 7], 4)
        var (dx, dweight, dbias) = (
            Tensor(zeros: [5, 12]), Tensor(zeros: [7, 12]), Tensor(zeros: [7])
        )
        Linear.backwardInput(dy, weight: weight, into: &dx)
        Linear.backwardWeight(dy, x, into: &dweight)
        Linear.backwardBias(dy, into: &dbias)
        checkGradient(dx, of: "x", at: x) {
            inner(Linear.forward($0, weight: weight, bias: bias), dy)
        }
        checkGradient(dweight, of: "weight", at: weight) {
            inner(Linear.forward(x, weight: $0, bias: bias), dy)
        }
        checkGradient(dbias, of: "bias", at: bias) {
            inner(Linear.forward(x, weight: weight, bias: $0), dy)
        }
    }

    @Test func embedding() {
        let (table, tokens, dy) = (random([6, 5], 1), [Int32(2), 0, 2, 5], random([4, 5], 2))
        var dtable = Tensor(zeros: table.shape)
        Embedding.backward(dy, tokens, into: &dtable)
        checkGradient(dtable, of: "table", at: table) {
            inner(Embedding.forward(tokens, table: $0), dy)
        }
    }

    /// A prompt with two responses beside a single sequence, grouped queries, with and without a
    /// window.
    @Test(arguments: [nil, 4] as [Int?], [6, 20])
    func attention(window: Int?, size: Int) {
        let attention = Attention(heads: 4, keyHeads: 2, size: size)
        let plan = AttentionPlan(
            spans: [
                .init(queries: 0..<7, contexts: [], own: 0..<7),
                .init(queries: 7..<10, contexts: [0..<7], own: 7..<10),
                .init(queries: 10..<15, contexts: [0..<7], own: 10..<15),
                .init(queries: 15..<19, contexts: [], own: 15..<19),
            ], groups: [[0, 1, 2], [3]], window: window)
        let (q, k, v) = (
            random([19, 4 * size], 1), random([19, 2 * size], 2), random([19, 2 * size], 3)
        )
        let dy = random([19, 4 * size], 4)
        let (dq, dk, dv) = attention.backward(dy, q, k, v, plan)
        checkGradient(dq, of: "q", at: q) { inner(attention.forward($0, k, v, plan), dy) }
        checkGradient(dk, of: "k", at: k) { inner(attention.forward(q, $0, v, plan), dy) }
        checkGradient(dv, of: "v", at: v) { inner(attention.forward(q, k, $0, plan), dy) }
    }

    /// More queries than one block holds.
    @Test(arguments: [nil, 9] as [Int?])
    func attentionOverBlocks(window: Int?) {
        let attention = Attention(heads: 1, keyHeads: 1, size: 16)
        let plan = AttentionPlan(
            spans: [
                .init(queries: 0..<70, contexts: [], own: 0..<70),
                .init(queries: 70..<73, contexts: [0..<70], own: 70..<73),
            ], groups: [[0, 1]], window: window)
        let (q, k, v) = (random([73, 16], 1), random([73, 16], 2), random([73, 16], 3))
        let dy = random([73, 16], 4)
        let (dq, dk, dv) = attention.backward(dy, q, k, v, plan)
        checkGradient(dq, of: "q", at: q) { inner(attention.forward($0, k, v, plan), dy) }
        checkGradient(dk, of: "k", at: k) { inner(attention.forward(q, $0, v, plan), dy) }
        checkGradient(dv, of: "v", at: v) { inner(attention.forward(q, k, $0, plan), dy) }
    }

    @Test func scoredHeadWithPenalty() throws {
        let (hidden, weight) = (random([3, 8], 1), random([19, 8], 2))
        let reference = ScoredHead.Reference(
            hidden: random([3, 8], 3), weight: random([19, 8], 4), coefficient: 0.3)
        var rows = ScoredHead.Rows()
        rows.append([3, 18])
        rows.append([0])
        rows.append([])
        let coefficients: [Float] = [0.5, -1, 0.7]
        func loss(_ hidden: Tensor, _ weight: Tensor) throws -> Double {
            let logProbs = try ScoredHead.forward(hidden, weight: weight, rows)
            let kl = try ScoredHead.divergences(hidden, weight: weight, reference: reference)
            return zip(coefficients, logProbs).reduce(0) { $0 + Double($1.0 * $1.1) }
                + kl.reduce(0) { $0 + 0.3 * Double($1) }
        }
        var dhidden = Tensor(zeros: hidden.shape)
        var dweight: Tensor? = Tensor(zeros: weight.shape)
        let found = try ScoredHead.backward(
            hidden, weight: weight, rows, coefficients: coefficients, reference: reference,
            into: &dhidden, &dweight)
        let kept = ScoredHead.Kept()
        #expect(
            try found.logProbs == ScoredHead.forward(hidden, weight: weight, rows, keeping: kept))
        // Kept logits change nothing.
        var again = Tensor(zeros: hidden.shape)
        var weightAgain: Tensor? = Tensor(zeros: weight.shape)
        _ = try ScoredHead.backward(
            hidden, weight: weight, rows, coefficients: coefficients, reference: reference,
            kept: kept, into: &again, &weightAgain)
        #expect(again.values == dhidden.values)
        #expect(weightAgain?.values == dweight?.values)
        try checkGradient(dhidden, of: "hidden", at: hidden) { try loss($0, weight) }
        try checkGradient(try #require(dweight), of: "weight", at: weight) {
            try loss(hidden, $0)
        }
        // A frozen head has no gradient, and the hidden states have the same.
        var (frozen, none) = (Tensor(zeros: hidden.shape), Tensor?.none)
        _ = try ScoredHead.backward(
            hidden, weight: weight, rows, coefficients: coefficients, reference: reference,
            into: &frozen, &none)
        #expect(none == nil && frozen.values == dhidden.values)
    }
}
