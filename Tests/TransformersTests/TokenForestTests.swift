import Tensors
import TestSupport
import Testing

@testable import Transformers

/// Forests of random sequences that begin alike.
@Suite(.namesSeeds) struct TokenForestTests {
    /// Sequences over few tokens, so that many share a beginning, are equal, or begin each other.
    private func sequences(_ generator: inout SeededGenerator) -> [[Int32]] {
        var sequences: [[Int32]] = []
        for _ in 0..<(1 + generator.below(7)) {
            var sequence = sequences.isEmpty ? [] : sequences[generator.below(sequences.count)]
            sequence = Array(sequence.prefix(generator.below(sequence.count + 1)))
            for _ in 0..<(1 + generator.below(12)) {
                sequence.append(Int32(3 + generator.below(2)))
            }
            sequences.append(sequence)
        }
        return sequences
    }

    /// The tokens that the last row of a segment sees.
    private func seen(_ segment: Int, _ forest: TokenForest) -> [Int32] {
        (forest.contexts(of: segment) + [forest.segments[segment].range])
            .flatMap { forest.tokens[$0] }
    }

    @Test func `shared beginnings leave every sequence whole`() {
        withEvery(0..<300) { _, generator in
            let sequences = sequences(&generator)
            let shortest = 1 + generator.below(6)
            let (forest, ends) = TokenForest.sharingPrefixes(of: sequences, shortest: shortest)
            for (sequence, end) in zip(sequences, ends) {
                #expect(seen(end, forest) == sequence)
            }
            #expect(forest.tokens.count <= sequences.reduce(0) { $0 + $1.count })
            #expect(forest.longestSequence == sequences.map(\.count).max())
            for segment in forest.segments {
                for (offset, row) in segment.range.enumerated() {
                    #expect(forest.positions[row] == segment.start + offset)
                }
            }
            if shortest == 1, Set(sequences.map { $0[0] }).count == 1 {
                #expect(forest.trees == 1)
            }
        }
    }

    /// Also under a window that is shorter than the sequences.
    @Test(arguments: ["llama", "mistral", "gpt2"])
    func `a forest predicts what its sequences predict`(family: String) throws {
        let model = try TinyModels.model(family, seed: 4)
        try withEvery(0..<20) { _, generator in
            let sequences = sequences(&generator)
            let (forest, ends) = TokenForest.sharingPrefixes(of: sequences, shortest: 2)
            for (sequence, end) in zip(sequences, ends) {
                let row = try #require(forest.lastRow(of: end))
                let tokens = (0..<Int32(13))
                let together = try model.logProbs(
                    forest, tokens.map { Target(row: row, token: $0) })
                var alone = TokenForest()
                alone.append(sequence)
                let apart = try model.logProbs(
                    alone, tokens.map { Target(row: sequence.count - 1, token: $0) })
                #expect(relativeError(together, apart) < 1e-5)
            }
        }
    }
}
