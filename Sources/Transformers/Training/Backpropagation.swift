import Layers
import LongWork
import Tensors

/// A penalty that keeps a model near a reference: weight · mean over the scored rows of KL(model ‖
/// reference), in nats.
public struct Penalty: Sendable {
    public var reference: LanguageModel
    public var weight: Float

    public init(reference: LanguageModel, weight: Float) {
        self.reference = reference
        self.weight = weight
    }
}

/// The results of a backward pass, in addition to the gradients.
public struct Backpropagation: Sendable {
    /// log p of each target, in nats.
    public var logProbs: [Float]
    /// KL(model ‖ reference), mean over the scored rows, in nats; nil without a penalty.
    public var divergence: Float?
}

extension LanguageModel {
    /// Gradients of a loss that depends on the model only through the log-probs of `targets`, with
    /// respect to the parameters that `gradients` holds. Frozen parameters cost nothing: no product
    /// is formed for them, and the backward pass ends at the lowest block with a parameter that
    /// trains.
    ///
    /// - Parameters:
    ///   - penalty: added to the loss. The log-probs that `coefficients` receives do not include
    ///     it.
    ///   - gradients: this pass adds to them.
    ///   - memory: limits the activations; less memory costs a second forward pass.
    ///   - coefficients: returns ∂loss/∂log-prob of each target, given the log-probs of the
    ///     targets.
    ///   - watch: asked before every block and within the head, forward and backward.
    /// - Throws: `ModelError`, or an error of `coefficients`; `gradients` is then unchanged.
    ///   `Canceled`; `gradients` may then hold a part of the sum and must be discarded.
    public func backpropagate(
        _ forest: TokenForest, _ targets: [Target], penalty: Penalty? = nil,
        into gradients: inout ParameterSet, memory: MemoryPlan = .automatic,
        watch: Watch = { _ in .more }, _ coefficients: ([Float]) throws -> [Float]
    ) throws -> Backpropagation {
        try check(forest, targets)
        if let penalty { try penalty.reference.check(forest, targets) }
        let strategy = try strategy(forest, gradients, memory)
        let pass = BackwardPass(model: self, penalty: penalty, strategy: strategy)
        return try pass.run(family, forest, targets, into: &gradients, watch, coefficients)
    }

    /// The same with coefficients known in advance, as for the likelihood of text: one pass through
    /// the head less.
    public func backpropagate(
        _ forest: TokenForest, _ targets: [Target], coefficients: [Float],
        into gradients: inout ParameterSet, memory: MemoryPlan = .automatic,
        watch: Watch = { _ in .more }
    ) throws -> [Float] {
        try check(forest, targets)
        guard coefficients.count == targets.count else {
            throw ModelError.wrongCoefficients(found: coefficients.count, wanted: targets.count)
        }
        let strategy = try strategy(forest, gradients, memory)
        let pass = BackwardPass(model: self, penalty: nil, strategy: strategy)
        if strategy == .recomputeTreeByTree {
            return try pass.run(family, forest, targets, into: &gradients, watch) { _ in
                coefficients
            }.logProbs
        }
        return try pass.run(
            family, forest, targets, coefficients, rowCount: nil, into: &gradients, watch
        ).logProbs
    }

    /// How the backward pass of a forest fits the memory.
    private func strategy(
        _ forest: TokenForest, _ gradients: ParameterSet, _ memory: MemoryPlan
    ) throws -> MemoryPlan.Strategy {
        let largest =
            (0..<forest.trees).map { tree in
                forest.segments.reduce(0) { $1.tree == tree ? $0 + $1.range.count : $0 }
            }.max() ?? 0
        return try memory.strategy(
            rows: forest.tokens.count, largestTree: largest,
            blocks: configuration.layers - family.lowestBlock(gradients),
            activationWidth: family.activationWidth, width: configuration.hiddenSize)
    }
}

private struct BackwardPass {
    let model: LanguageModel
    let penalty: Penalty?
    let strategy: MemoryPlan.Strategy

    func run(
        _ family: some Family, _ forest: TokenForest, _ targets: [Target],
        into gradients: inout ParameterSet, _ watch: Watch,
        _ coefficients: ([Float]) throws -> [Float]
    ) throws -> Backpropagation {
        func checked(_ logProbs: [Float]) throws -> [Float] {
            let found = try coefficients(logProbs)
            guard found.count == targets.count else {
                throw ModelError.wrongCoefficients(found: found.count, wanted: targets.count)
            }
            return found
        }
        if strategy == .recomputeTreeByTree {
            return try runTreeByTree(family, forest, targets, into: &gradients, watch, checked)
        }
        let scored = ScoredRows(targets)
        let lowest = family.lowestBlock(gradients)
        let cost = BackwardCost(self, forest, scored, from: lowest)
        let whole = cost.pass.forward + cost.whole
        let pass = stagePass(from: lowest)
        var trace = try pass.forward(family, forest, scored.rows) {
            watch($0 * cost.blocks / whole)
        }
        let hidden = family.applyFinalNorm(trace.output, model.parameters)
        let kept = ScoredHead.Kept(isFrozen: penalty == nil && !gradients.holds(family.head))
        let logProbs = scored.inTargetOrder(
            try ScoredHead.forward(
                hidden, weight: model.parameters[family.head], scored.tokens, keeping: kept,
                model.parameters.arithmetic,
                watch: { watch((cost.blocks + $0 * cost.pass.head) / whole) }))
        let found = try checked(logProbs)
        let divergence = try backward(
            family, forest, scored, hidden, found, rowCount: nil, kept: kept, cost, pass,
            &trace, &gradients
        ) { watch((cost.pass.forward + $0 * cost.whole) / whole) }.divergence
        return Backpropagation(logProbs: logProbs, divergence: divergence)
    }

    /// One pass with known coefficients. `rowCount` is the number of rows in the mean of the
    /// penalty.
    func run(
        _ family: some Family, _ forest: TokenForest, _ targets: [Target],
        _ coefficients: [Float], rowCount: Int?, into gradients: inout ParameterSet,
        _ watch: Watch
    ) throws(Canceled) -> Backpropagation {
        let scored = ScoredRows(targets)
        let lowest = family.lowestBlock(gradients)
        let cost = BackwardCost(self, forest, scored, from: lowest)
        let whole = cost.blocks + cost.whole
        let pass = stagePass(from: lowest)
        var trace = try pass.forward(family, forest, scored.rows) {
            watch($0 * cost.blocks / whole)
        }
        let hidden = family.applyFinalNorm(trace.output, model.parameters)
        let result = try backward(
            family, forest, scored, hidden, coefficients, rowCount: rowCount, cost, pass, &trace,
            &gradients
        ) { watch((cost.blocks + $0 * cost.whole) / whole) }
        return Backpropagation(
            logProbs: scored.inTargetOrder(result.logProbs), divergence: result.divergence)
    }

    /// The loss depends only on log-probs, so with known coefficients every tree can go through on
    /// its own.
    private func runTreeByTree(
        _ family: some Family, _ forest: TokenForest, _ targets: [Target],
        into gradients: inout ParameterSet, _ watch: Watch,
        _ coefficients: ([Float]) throws -> [Float]
    ) throws -> Backpropagation {
        var treeOfRow = [Int](repeating: 0, count: forest.tokens.count)
        for segment in forest.segments {
            for row in segment.range { treeOfRow[row] = segment.tree }
        }
        // Each tree's forest, and its targets with their rows renumbered.
        let parts = (0..<forest.trees).map { tree in
            let (part, rows) = forest.tree(tree)
            let places = Dictionary(
                uniqueKeysWithValues: rows.enumerated().map { ($1, $0) })
            let chosen = targets.indices.filter { treeOfRow[targets[$0].row] == tree }
            let moved = chosen.compactMap { index in
                places[targets[index].row].map { Target(row: $0, token: targets[index].token) }
            }
            return (forest: part, chosen: chosen, targets: moved)
        }.filter { !$0.targets.isEmpty }

        var logProbs = [Float](repeating: 0, count: targets.count)
        // A pass forward for the log-probs takes a quarter of the work.
        let rows = Double(parts.reduce(0) { $0 + $1.forest.tokens.count })
        var finished = 0.0
        for part in parts {
            let own = Double(part.forest.tokens.count)
            let found = try model.logProbs(part.forest, part.targets) {
                watch((finished + $0 * own) / rows / 4)
            }
            finished += own
            for (index, value) in zip(part.chosen, found) { logProbs[index] = value }
        }
        let found = try coefficients(logProbs)
        let rowCount = Set(targets.map(\.row)).count
        var divergence: Float? = penalty == nil ? nil : 0
        finished = 0
        for part in parts {
            let own = Double(part.forest.tokens.count)
            let result = try run(
                family, part.forest, part.targets, part.chosen.map { found[$0] },
                rowCount: rowCount, into: &gradients
            ) { watch((1 + 3 * (finished + $0 * own) / rows) / 4) }
            finished += own
            if let more = result.divergence, let sum = divergence { divergence = sum + more }
        }
        return Backpropagation(logProbs: logProbs, divergence: divergence)
    }

    private func stagePass(from lowest: Int) -> StagePass {
        StagePass(
            model: model, passage: Passage(whole: model.configuration.layers),
            keepsActivations: strategy == .keep, lowest: lowest)
    }

    private func backward<F: Family>(
        _ family: F, _ forest: TokenForest, _ scored: ScoredRows, _ hidden: Tensor,
        _ coefficients: [Float], rowCount: Int?, kept: ScoredHead.Kept? = nil,
        _ cost: BackwardCost, _ pass: StagePass, _ trace: inout StagePass.Trace<F.Activations>,
        _ gradients: inout ParameterSet, _ watch: Watch
    ) throws(Canceled) -> (logProbs: [Float], divergence: Float?) {
        let rowCount = max(1, rowCount ?? scored.rows.count)
        var reference: ScoredHead.Reference?
        if let penalty {
            reference = ScoredHead.Reference(
                hidden: try penalty.reference.hiddenRows(forest, scored.rows) {
                    watch($0 * cost.reference / cost.whole)
                },
                weight: penalty.reference.headWeight,
                coefficient: penalty.weight / Float(rowCount))
        }
        let head = try pass.headBackward(
            family, scored, hidden, trace.output, coefficients, reference, kept, into: &gradients,
            { watch((cost.reference + $0 * cost.head) / cost.whole) })
        try pass.backward(family, head.dx, forest, scored.rows, &trace, into: &gradients) {
            watch((cost.reference + cost.head + cost.block * Double($0)) / cost.whole)
        }
        let divergence = penalty.map { _ in
            Float(head.divergences.reduce(0.0) { $0 + Double($1) } / Double(rowCount))
        }
        return (head.logProbs, divergence)
    }
}

/// The costs of a pass forward and back, in forward passes of one block.
private struct BackwardCost {
    let pass: PassCost
    /// The reference's pass through its blocks.
    let reference: Double
    /// The head, forward again and backward.
    let head: Double
    /// One block backward; forward too if its activations were not kept.
    let block: Double
    /// All of `backward`.
    let whole: Double

    init(_ backward: BackwardPass, _ forest: TokenForest, _ scored: ScoredRows, from lowest: Int) {
        pass = PassCost(
            backward.model, rows: forest.tokens.count, scored: scored.rows.count)
        let hasReference = backward.penalty != nil
        reference = hasReference ? Double(pass.layers) : 0
        head = (hasReference ? 4 : 3) * pass.head
        block = backward.strategy == .keep ? 2 : 3
        whole = max(1e-9, reference + head + block * Double(pass.layers - lowest))
    }

    /// All blocks forward.
    var blocks: Double { Double(pass.layers) }
}

extension Family {
    /// The lowest block that the backward pass has to go through to reach every parameter of
    /// `gradients`; the number of blocks if it needs none.
    func lowestBlock(_ gradients: ParameterSet) -> Int {
        min(blocks.count, max(0, gradients.lowestDepth ?? blocks.count))
    }
}

extension LanguageModel {
    var headWeight: Tensor { parameters[family.head] }
}
