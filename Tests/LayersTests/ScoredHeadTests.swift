import Foundation
import Tensors
import TestSupport
import Testing

@testable import Layers

/// Log-probs are computed in chunks of rows: the result of a row must not depend on its chunk.
@Suite struct ScoredHeadTests {
    /// Chunks have at most 512 rows and at least 32; at a vocabulary of 16,384 they have 64.
    struct Case: Sendable, CustomTestStringConvertible {
        var rows: Int
        var vocabulary: Int
        var testDescription: String { "\(rows) rows of \(vocabulary)" }
    }

    static let cases = [
        (1, 50), (511, 50), (512, 50), (513, 50), (1025, 50), (63, 16_384), (64, 16_384),
        (65, 16_384), (130, 16_384), (33, 40_000),
    ].map { Case(rows: $0.0, vocabulary: $0.1) }

    private func scoredRows(_ shape: Case) -> (ScoredHead.Rows, [Float]) {
        var rows = ScoredHead.Rows()
        // Rows with no target, one and two.
        for row in 0..<shape.rows {
            rows.append((0..<row % 3).map { Int32((row * 31 + $0 * 7) % shape.vocabulary) })
        }
        let key = RandomKey(seed: 4)
        return (rows, rows.tokens.indices.map { Float(key.normal(UInt64($0))) })
    }

    @Test(arguments: cases)
    func chunksGiveWhatRowsGiveAlone(_ shape: Case) throws {
        let width = 6
        let hidden = random([shape.rows, width], 1)
        let weight = random([shape.vocabulary, width], 2)
        let (rows, coefficients) = scoredRows(shape)
        let all = try ScoredHead.forward(hidden, weight: weight, rows)
        var (dhidden, dweight) = (
            Tensor(uninitialized: hidden.shape), Tensor(zeros: weight.shape)
        )
        let again = try ScoredHead.backward(
            hidden, weight: weight, rows, coefficients: coefficients, into: &dhidden, &dweight)
        #expect(relativeError(again.logProbs, all) < 1e-5)

        // Around the edges of chunks, each row compared with the definition in double precision.
        var expectedWeight = [Double](repeating: 0, count: shape.vocabulary * width)
        for row in 0..<shape.rows {
            let targets = Int(rows.starts[row])..<Int(rows.starts[row + 1])
            let h = (0..<width).map { Double(hidden[row, $0]) }
            let logits = (0..<shape.vocabulary).map { token in
                (0..<width).reduce(0.0) { $0 + h[$1] * Double(weight[token, $1]) }
            }
            let top = logits.max() ?? 0
            let logSum = top + log(logits.reduce(0) { $0 + exp($1 - top) })
            let total = targets.reduce(0.0) { $0 + Double(coefficients[$1]) }
            var dz = logits.map { -total * exp($0 - logSum) }
            for target in targets {
                let token = Int(rows.tokens[target])
                #expect(abs(Double(all[target]) - (logits[token] - logSum)) < 2e-5)
                dz[token] += Double(coefficients[target])
            }
            var dh = [Double](repeating: 0, count: width)
            for token in 0..<shape.vocabulary where dz[token] != 0 {
                for i in 0..<width {
                    dh[i] += dz[token] * Double(weight[token, i])
                    expectedWeight[token * width + i] += dz[token] * h[i]
                }
            }
            expectClose(
                (0..<width).map { dhidden[row, $0] }, dh, within: 2e-5,
                scale: max(1, dh.map(abs).max() ?? 0), "dhidden of row \(row)")
        }
        expectClose(dweight.values, expectedWeight, within: 2e-5, "dweight")
    }

    /// The logits that the forward pass keeps are those that the backward pass would compute, chunk
    /// by chunk in the same order. The backward pass consumes them.
    @Test(arguments: cases)
    func keptLogitsGiveTheSameGradients(_ shape: Case) throws {
        let (hidden, weight) = (random([shape.rows, 6], 1), random([shape.vocabulary, 6], 2))
        let (rows, coefficients) = scoredRows(shape)
        let kept = ScoredHead.Kept()
        let logProbs = try ScoredHead.forward(hidden, weight: weight, rows, keeping: kept)
        var results: [(Tensor, Tensor, [Float])] = []
        for logits in [nil, kept, kept] {
            var (dhidden, dweight) = (
                Tensor(uninitialized: hidden.shape), Tensor(zeros: weight.shape)
            )
            let found = try ScoredHead.backward(
                hidden, weight: weight, rows, coefficients: coefficients, kept: logits,
                into: &dhidden, &dweight)
            results.append((dhidden, dweight, found.logProbs))
        }
        for (dhidden, dweight, found) in results {
            #expect(dhidden == results[0].0)
            #expect(dweight == results[0].1)
            #expect(found == results[0].2)
            #expect(relativeError(found, logProbs) < 1e-5)
        }
    }

    /// A frozen head keeps means of its rows in place of more logits than are kept: the log-probs
    /// and the gradient of the hidden states are those of a head that keeps nothing.
    @Test(arguments: [(300, 16_384), (1025, 5000)].map { Case(rows: $0.0, vocabulary: $0.1) })
    func keptMeansGiveTheSameGradients(_ shape: Case) throws {
        let (hidden, weight) = (random([shape.rows, 6], 1), random([shape.vocabulary, 6], 2))
        let (rows, coefficients) = scoredRows(shape)
        #expect(shape.rows * shape.vocabulary > ScoredHead.Kept.mostLogits(isFrozen: true))
        let kept = ScoredHead.Kept(isFrozen: true)
        let logProbs = try ScoredHead.forward(hidden, weight: weight, rows, keeping: kept)
        let alone = try ScoredHead.forward(hidden, weight: weight, rows)
        expectClose(logProbs.map(Double.init), alone.map(Double.init), within: 1e-5, "log-probs")
        var results: [Tensor] = []
        for kept in [nil, kept] {
            var (dhidden, dweight) = (
                Tensor(repeating: .nan, shape: hidden.shape), Tensor?.none
            )
            let found = try ScoredHead.backward(
                hidden, weight: weight, rows, coefficients: coefficients, kept: kept,
                into: &dhidden, &dweight)
            expectClose(
                found.logProbs.map(Double.init), logProbs.map(Double.init), within: 1e-5, "again")
            results.append(dhidden)
        }
        expectClose(
            results[1].values, results[0].values.map(Double.init), within: 1e-5, "dhidden")
    }

    /// KL(p ‖ q) and its gradient, over an edge between chunks.
    @Test func divergencesOverSeveralChunks() throws {
        let (rows, vocabulary) = (513, 40)
        let (hidden, weight) = (random([rows, 6], 1), random([vocabulary, 6], 2))
        let reference = ScoredHead.Reference(
            hidden: random([rows, 5], 3), weight: random([vocabulary, 5], 4), coefficient: 0.3)
        var scored = ScoredHead.Rows()
        for _ in 0..<rows { scored.append([]) }
        var (dhidden, dweight) = (Tensor(uninitialized: hidden.shape), Tensor(zeros: weight.shape))
        let found = try ScoredHead.backward(
            hidden, weight: weight, scored, coefficients: [], reference: reference, into: &dhidden,
            &dweight)
        func divergences(_ hidden: Tensor, _ weight: Tensor) -> [Double] {
            (0..<rows).map { row in
                func logProbs(_ h: Tensor, _ w: Tensor) -> [Double] {
                    let logits = (0..<vocabulary).map { token in
                        (0..<h.columns).reduce(0.0) {
                            $0 + Double(h[row, $1]) * Double(w[token, $1])
                        }
                    }
                    let sum = log(logits.reduce(0) { $0 + exp($1) })
                    return logits.map { $0 - sum }
                }
                let (p, q) = (
                    logProbs(hidden, weight), logProbs(reference.hidden, reference.weight)
                )
                return zip(p, q).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) }
            }
        }
        expectClose(found.divergences, divergences(hidden, weight), within: 1e-5, "KL")
        expectClose(
            try ScoredHead.divergences(hidden, weight: weight, reference: reference),
            divergences(hidden, weight), within: 1e-5, "KL without gradients")
        checkGradient(dhidden, of: "hidden", at: hidden, samples: 11) {
            0.3 * divergences($0, weight).reduce(0, +)
        }
        checkGradient(dweight, of: "weight", at: weight, samples: 11) {
            0.3 * divergences(hidden, $0).reduce(0, +)
        }
    }
}
