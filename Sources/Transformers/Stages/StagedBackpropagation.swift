import Layers
import LongWork
import Tensors

/// A forest that goes through the stages of a model in one piece, and back.
public struct StagedPack: Sendable {
    public var forest: TokenForest
    public var targets: [Target]
    /// The weight of the penalty, as in `Penalty`; without effect if there is no reference.
    public var penaltyWeight: Float

    public init(_ forest: TokenForest, _ targets: [Target], penaltyWeight: Float = 0) {
        self.forest = forest
        self.targets = targets
        self.penaltyWeight = penaltyWeight
    }
}

extension StagedModel {
    /// The stage's part of `LanguageModel.backpropagate` for several forests, of which one after
    /// another is on its way. Adds the gradients of the stage's own parameters to `gradients`.
    ///
    /// A stage goes forward with as many forests as there are stages after it, and from then on
    /// with one for each that comes back (PipeDream's schedule "1F1B", Narayanan et al., arXiv
    /// 2104.04473): so all stages work, and few activations wait. Every stage goes back in the
    /// order of the forests, so the sums are those of one process.
    ///
    /// - Parameters:
    ///   - reference: the same stage of the model that penalties refer to.
    ///   - memory: limits the stage's activations; less memory costs a second forward pass.
    ///   - coefficients: returns ∂loss/∂log-prob of each target of a forest, given the log-probs.
    ///     Only the last stage asks.
    /// - Returns: one result for each forest in the last stage, none in the others.
    /// - Throws: `ModelError`, an error of `coefficients`, `Canceled`; `gradients` must then be
    ///   discarded.
    public func backpropagate(
        _ packs: [StagedPack], reference: StagedModel? = nil, into gradients: inout ParameterSet,
        memory: MemoryPlan, _ link: any StageLink, watch: Watch = { _ in .more },
        _ coefficients: (_ pack: Int, _ logProbs: [Float]) throws -> [Float]
    ) throws -> [Backpropagation] {
        for pack in packs {
            try model.check(pack.forest, pack.targets)
            try reference?.model.check(pack.forest, pack.targets)
        }
        let pass = StagePass(
            model: model, passage: passage(link),
            keepsActivations: try keepsActivations(packs, memory), lowest: lowest)
        var course = StageCourse(pass: pass, reference: reference, packs: packs, link: link)
        let results = try course.run(model.family, into: &gradients, watch, coefficients)
        try addTiedHead(&gradients, link)
        return results
    }

    /// Whether the activations of all forests that are on their way at a time fit the memory.
    private func keepsActivations(_ packs: [StagedPack], _ memory: MemoryPlan) throws -> Bool {
        let rows =
            (packs.map(\.forest.tokens.count).max() ?? 0)
            * min(packs.count, stage.count - stage.number)
        // Forests are not divided into their trees.
        let strategy = try memory.strategy(
            rows: rows, largestTree: rows,
            blocks: max(0, stage.blocks.upperBound - max(stage.blocks.lowerBound, lowest)),
            activationWidth: model.family.activationWidth, width: model.configuration.hiddenSize)
        return strategy == .keep
    }

    /// A head that is the embedding's own matrix has gradients in the first stage and in the last.
    /// Both receive the sum.
    private func addTiedHead(
        _ gradients: inout ParameterSet, _ link: any StageLink
    ) throws(Canceled) {
        let head = model.family.head
        guard stage.count > 1, model.configuration.tiedHead, gradients.holds(head) else { return }
        let shape = gradients[head].shape
        if stage.isFirst {
            gradients[head].add(try link.receive(shape, from: stage.count - 1))
            try link.send(gradients[head], to: stage.count - 1)
        } else if stage.isLast {
            try link.send(gradients[head], to: 0)
            gradients[head] = try link.receive(shape, from: 0)
        }
    }
}

/// A stage's way through forests that go forward and come back.
private struct StageCourse {
    let pass: StagePass
    let reference: StagedModel?
    let packs: [StagedPack]
    let link: any StageLink

    mutating func run<F: Family>(
        _ family: F, into gradients: inout ParameterSet, _ watch: Watch,
        _ coefficients: (_ pack: Int, _ logProbs: [Float]) throws -> [Float]
    ) throws -> [Backpropagation] {
        var results: [Backpropagation] = []
        var traces: [Int: StagePass.Trace<F.Activations>] = [:]
        // The last stage turns round at once.
        let ahead = pass.passage.stage.count - 1 - pass.passage.stage.number
        var (forward, back) = (0, 0)
        let whole = Double(max(1, 3 * packs.count))
        while back < packs.count {
            let finished = Double(forward + 2 * back)
            if forward < packs.count, forward - back <= ahead {
                let pack = packs[forward]
                let scored = ScoredRows(pack.targets)
                var trace = try pass.forward(family, pack.forest, scored.rows) {
                    watch((finished + $0) / whole)
                }
                let other = try referenceRows(pack, scored) { watch((finished + $0) / whole) }
                if pass.passage.stage.isLast {
                    let number = forward
                    results.append(
                        try turn(
                            family, pack, scored, other, &trace, into: &gradients,
                            { watch((finished + 1 + $0) / whole) }
                        ) { try coefficients(number, $0) })
                    back += 1
                } else if !pass.passedBack.isEmpty {
                    traces[forward] = trace
                }
                forward += 1
            } else {
                if var trace = traces.removeValue(forKey: back) {
                    let rows = ScoredRows(packs[back].targets).rows
                    let blocks = Double(max(1, pass.passedBack.count))
                    try pass.backward(
                        family, nil, packs[back].forest, rows, &trace, into: &gradients
                    ) { watch((finished + 2 * Double($0) / blocks) / whole) }
                }
                back += 1
            }
        }
        return results
    }

    /// The reference's hidden states of the scored rows in the last stage; nil without a penalty.
    private func referenceRows(
        _ pack: StagedPack, _ scored: ScoredRows, _ watch: Watch
    ) throws(Canceled) -> Tensor? {
        guard let reference else { return nil }
        let passage = reference.passage(link)
        let model = reference.model
        return try model.hiddenRows(
            model.family, pack.forest, scored.rows, passage, watch)
    }

    /// From the last block through the head and back through the last stage.
    private func turn<F: Family>(
        _ family: F, _ pack: StagedPack, _ scored: ScoredRows, _ other: Tensor?,
        _ trace: inout StagePass.Trace<F.Activations>, into gradients: inout ParameterSet,
        _ watch: Watch, _ coefficients: ([Float]) throws -> [Float]
    ) throws -> Backpropagation {
        let weights = pass.model.parameters
        let hidden = family.applyFinalNorm(trace.output, weights)
        let rowCount = max(1, scored.rows.count)
        var second: ScoredHead.Reference?
        if let other, let reference {
            second = ScoredHead.Reference(
                hidden: other, weight: reference.model.headWeight,
                coefficient: pack.penaltyWeight / Float(rowCount))
        }
        let kept = ScoredHead.Kept(isFrozen: second == nil && !gradients.holds(family.head))
        let logProbs = scored.inTargetOrder(
            try ScoredHead.forward(
                hidden, weight: weights[family.head], scored.tokens, keeping: kept,
                weights.arithmetic, watch: { watch($0 / 4) }))
        let found = try coefficients(logProbs)
        guard found.count == pack.targets.count else {
            throw ModelError.wrongCoefficients(found: found.count, wanted: pack.targets.count)
        }
        let head = try pass.headBackward(
            family, scored, hidden, trace.output, found, second, kept, into: &gradients,
            { watch(0.25 + $0 / 2) })
        let blocks = Double(max(1, pass.passedBack.count))
        try pass.backward(family, head.dx, pack.forest, scored.rows, &trace, into: &gradients) {
            watch(0.75 + 1.25 * Double($0) / blocks)
        }
        let divergence = second.map { _ in
            Float(head.divergences.reduce(0.0) { $0 + Double($1) } / Double(rowCount))
        }
        return Backpropagation(logProbs: logProbs, divergence: divergence)
    }
}
