import Layers
import LongWork
import Tensors

extension LanguageModel {
    /// Two models on the same sequences: of every token but the first of its sequence the log-prob
    /// under both, and KL(self ‖ other) of the distributions that it was drawn from. In nats.
    ///
    /// - Parameters:
    ///   - sequences: each with two tokens or more.
    ///   - watch: asked before every block and within the heads.
    /// - Throws: as `logProbs`.
    /// - Precondition: the models have vocabularies of one size.
    public func compared(
        with other: LanguageModel, on sequences: [[Int32]],
        watch: Watch = { _ in .more }
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
        // Two passes through the blocks, and four through a head: two for the log-probs, two for
        // the divergence.
        let cost = PassCost(self, rows: forest.tokens.count, scored: rows.count)
        let (blocks, whole) = (Double(cost.layers), 2 * Double(cost.layers) + 4 * cost.head)
        let mine = try hiddenRows(forest, rows) { watch($0 * blocks / whole) }
        let theirs = try other.hiddenRows(forest, rows) { watch((1 + $0) * blocks / whole) }
        func heads(_ finished: Double) -> Double { (2 * blocks + finished * cost.head) / whole }
        let own = try ScoredHead.forward(
            mine, weight: headWeight, scored, parameters.arithmetic, watch: { watch(heads($0)) })
        let beside = try ScoredHead.forward(
            theirs, weight: other.headWeight, scored, other.parameters.arithmetic,
            watch: { watch(heads(1 + $0)) })
        let divergences = try ScoredHead.divergences(
            mine, weight: headWeight,
            reference: ScoredHead.Reference(
                hidden: theirs, weight: other.headWeight, coefficient: 0),
            parameters.arithmetic, watch: { watch(heads(2 + 2 * $0)) })
        var start = 0
        return sequences.map { sequence in
            let range = start..<start + max(0, sequence.count - 1)
            start = range.upperBound
            return (Array(own[range]), Array(beside[range]), Array(divergences[range]))
        }
    }
}
