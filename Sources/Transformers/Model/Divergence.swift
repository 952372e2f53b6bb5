import Layers
import LongWork
import Tensors

extension LanguageModel {
    /// Two models on the same sequences: of every token but the first of its sequence the log-prob
    /// under both, and KL(self ‖ other) of the distributions that it was drawn from. In nats.
    ///
    /// - Parameters:
    ///   - sequences: each with two tokens or more.
    ///   - cancel: asked before every block.
    /// - Throws: as `logProbs`.
    /// - Precondition: the models have vocabularies of one size.
    public func compared(
        with other: LanguageModel, on sequences: [[Int32]],
        cancel: () -> Continuation = { .more }
    ) throws -> [(own: [Float], other: [Float], divergences: [Float])] {
        precondition(
            other.configuration.vocabularySize == configuration.vocabularySize,
            "both models score one vocabulary")
        var forest = TokenForest()
        var rows: [Int] = []
        var scored = ScoredHead.Rows()
        for sequence in sequences {
            let first = forest.tokens.count
            forest.append(sequence)
            for place in sequence.indices.dropFirst() {
                rows.append(first + place - 1)
                scored.append([sequence[place]])
            }
        }
        try check(forest)
        try other.check(forest)
        let (mine, theirs) = (
            try hiddenRows(forest, rows, cancel), try other.hiddenRows(forest, rows, cancel)
        )
        let own = ScoredHead.forward(mine, weight: headWeight, scored, parameters.arithmetic)
        let beside = ScoredHead.forward(
            theirs, weight: other.headWeight, scored, other.parameters.arithmetic)
        let divergences = ScoredHead.divergences(
            mine, weight: headWeight,
            reference: ScoredHead.Reference(
                hidden: theirs, weight: other.headWeight, coefficient: 0),
            parameters.arithmetic)
        var start = 0
        return sequences.map { sequence in
            let range = start..<start + max(0, sequence.count - 1)
            start = range.upperBound
            return (Array(own[range]), Array(beside[range]), Array(divergences[range]))
        }
    }
}
