import LongWork
import Transformers

extension Backward {
    /// One stage's part of `gradients`, for a model that is divided by layers.
    ///
    /// - Parameters:
    ///   - model, reference: the same stage of each.
    ///   - progress: asked before every block.
    /// - Returns: the gradients of the stage's own parameters. Loss, contrasts and divergence are
    ///   known to the last stage alone.
    /// - Throws: `AlignmentError`, which names the query whose scores are not finite; `ModelError`;
    ///   `Canceled`.
    package func gradients(
        of batches: [ContrastBatch], _ model: StagedModel, _ reference: StagedModel?,
        _ link: any StageLink, progress: (WorkProgress) -> Continuation
    ) throws -> Gradients {
        let extent = StepExtent(batches)
        let packs = ForestPack.packs(batches, rows: packRows, overStages: model.stage.count)
        let shares = packs.map { Double($0.scoredRows) / Double(extent.scoredRows) }
        let staged = zip(packs, shares).map {
            StagedPack($0.forest, $0.targets, penaltyWeight: Float(beta * $1))
        }
        let tokens = packs.reduce(0) { $0 + $1.forest.tokens.count }
        var sum = Gradients(model.model, divergence: beta > 0 ? 0 : nil)
        var values = [PackValues](repeating: PackValues(), count: packs.count)
        func watch(_ share: Double) -> Continuation {
            progress(
                WorkProgress(
                    .backward, done: 0, of: batches.count,
                    underway: share * Double(batches.count), unit: .queries,
                    tokens: Int(share * Double(tokens))))
        }
        let results = try model.backpropagate(
            staged, reference: beta > 0 ? reference : nil, into: &sum.parameters, memory: memory,
            link, watch: watch
        ) { number, logProbs in
            values[number] = try self.values(of: packs[number], logProbs, queries: extent.queries)
            return values[number].coefficients
        }
        guard model.stage.isLast else { return sum }
        for (number, result) in results.enumerated() {
            sum.add(
                packs[number], values[number], divergence: result.divergence,
                share: shares[number])
        }
        return sum
    }
}
