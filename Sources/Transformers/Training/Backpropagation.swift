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
    ///   - cancel: asked before every block, forward and backward, and before the head.
    /// - Throws: `ModelError`, or an error of `coefficients`; `gradients` is then unchanged.
    ///   `Canceled`; `gradients` may then hold a part of the sum and must be discarded.
    public func backpropagate(
        _ forest: TokenForest, _ targets: [Target], penalty: Penalty? = nil,
        into gradients: inout ParameterSet, memory: MemoryPlan = .automatic,
        cancel: () -> Continuation = { .more }, _ coefficients: ([Float]) throws -> [Float]
    ) throws -> Backpropagation {
        try check(forest, targets)
        if let penalty { try penalty.reference.check(forest, targets) }
        let strategy = try strategy(forest, gradients, memory)
        let pass = BackwardPass(model: self, penalty: penalty, strategy: strategy)
        return try pass.run(family, forest, targets, into: &gradients, cancel, coefficients)
    }

    /// The same with coefficients known in advance, as for the likelihood of text: one pass through
    /// the head less.
    public func backpropagate(
        _ forest: TokenForest, _ targets: [Target], coefficients: [Float],
        into gradients: inout ParameterSet, memory: MemoryPlan = .automatic,
        cancel: () -> Continuation = { .more }
    ) throws -> [Float] {
        try check(forest, targets)
        guard coefficients.count == targets.count else {
            throw ModelError.wrongCoefficients(found: coefficients.count, wanted: targets.count)
        }
        let strategy = try strategy(forest, gradients, memory)
        let pass = BackwardPass(model: self, penalty: nil, strategy: strategy)
        if strategy == .recomputeTreeByTree {
            return try pass.run(family, forest, targets, into: &gradients, cancel) { _ in
                coefficients
            }.logProbs
        }
        return try pass.run(
            family, forest, targets, coefficients, rowCount: nil, into: &gradients, cancel
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
        into gradients: inout ParameterSet, _ cancel: () -> Continuation,
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
            return try runTreeByTree(family, forest, targets, into: &gradients, cancel, checked)
        }
        let scored = ScoredRows(targets)
        let lowest = family.lowestBlock(gradients)
        var trace = try forward(family, forest, scored.rows, from: lowest, cancel)
        let hidden = family.applyFinalNorm(trace.output, model.parameters)
        let logits = ScoredHead.KeptLogits()
        let logProbs = scored.inTargetOrder(
            ScoredHead.forward(
                hidden, weight: model.parameters[family.head], scored.tokens, keeping: logits,
                model.parameters.arithmetic))
        let found = try checked(logProbs)
        let divergence = try backward(
            family, forest, scored, hidden, found, rowCount: nil, kept: logits, &trace, &gradients,
            cancel
        ).divergence
        return Backpropagation(logProbs: logProbs, divergence: divergence)
    }

    /// One pass with known coefficients. `rowCount` is the number of rows in the mean of the
    /// penalty.
    func run(
        _ family: some Family, _ forest: TokenForest, _ targets: [Target],
        _ coefficients: [Float], rowCount: Int?, into gradients: inout ParameterSet,
        _ cancel: () -> Continuation
    ) throws(Canceled) -> Backpropagation {
        let scored = ScoredRows(targets)
        let lowest = family.lowestBlock(gradients)
        var trace = try forward(family, forest, scored.rows, from: lowest, cancel)
        let hidden = family.applyFinalNorm(trace.output, model.parameters)
        let result = try backward(
            family, forest, scored, hidden, coefficients, rowCount: rowCount, &trace, &gradients,
            cancel)
        return Backpropagation(
            logProbs: scored.inTargetOrder(result.logProbs), divergence: result.divergence)
    }

    /// The loss depends only on log-probs, so with known coefficients every tree can go through on
    /// its own.
    private func runTreeByTree(
        _ family: some Family, _ forest: TokenForest, _ targets: [Target],
        into gradients: inout ParameterSet, _ cancel: () -> Continuation,
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
        for part in parts {
            let found = try model.logProbs(part.forest, part.targets, cancel: cancel)
            for (index, value) in zip(part.chosen, found) { logProbs[index] = value }
        }
        let found = try coefficients(logProbs)
        let rowCount = Set(targets.map(\.row)).count
        var divergence: Float? = penalty == nil ? nil : 0
        for part in parts {
            let result = try run(
                family, part.forest, part.targets, part.chosen.map { found[$0] },
                rowCount: rowCount, into: &gradients, cancel)
            if let more = result.divergence, let sum = divergence { divergence = sum + more }
        }
        return Backpropagation(logProbs: logProbs, divergence: divergence)
    }

    // MARK: - Forward and backward through the blocks

    private struct Trace<Activations> {
        let context: BlockContext
        /// The output of the last block, for the scored rows only.
        var output: Tensor
        /// The activations of each block that is passed back, or only its input if it runs again.
        var activations: [Activations] = []
        var inputs: [Tensor] = []
    }

    private func forward<F: Family>(
        _ family: F, _ forest: TokenForest, _ rows: [Int], from lowest: Int,
        _ cancel: () -> Continuation
    ) throws(Canceled) -> Trace<F.Activations> {
        let context = BlockContext(
            positions: forest.positions, plan: forest.plan(window: nil), cache: nil)
        var trace = Trace<F.Activations>(
            context: context,
            output: family.embed(forest.tokens, context.positions, model.parameters))
        for block in 0..<model.configuration.layers {
            try Canceled.check(cancel)
            let isPassedBack = block >= lowest
            if isPassedBack, strategy != .keep { trace.inputs.append(trace.output) }
            let step = family.forward(
                block: block, trace.output, context, model.parameters, outputRows: rows)
            if isPassedBack, strategy == .keep { trace.activations.append(step.activations) }
            trace.output = step.out
        }
        return trace
    }

    private func backward<F: Family>(
        _ family: F, _ forest: TokenForest, _ scored: ScoredRows, _ hidden: Tensor,
        _ coefficients: [Float], rowCount: Int?, kept: ScoredHead.KeptLogits? = nil,
        _ trace: inout Trace<F.Activations>, _ gradients: inout ParameterSet,
        _ cancel: () -> Continuation
    ) throws(Canceled) -> (logProbs: [Float], divergence: Float?) {
        let rowCount = max(1, rowCount ?? scored.rows.count)
        var reference: ScoredHead.Reference?
        if let penalty {
            reference = ScoredHead.Reference(
                hidden: try penalty.reference.hiddenRows(forest, scored.rows, cancel),
                weight: penalty.reference.headWeight,
                coefficient: penalty.weight / Float(rowCount))
        }
        try Canceled.check(cancel)
        let weights = model.parameters
        var dhidden = Tensor(uninitialized: hidden.shape)
        var dhead = gradients.take(family.head)
        let result = ScoredHead.backward(
            hidden, weight: weights[family.head], scored.tokens,
            coefficients: scored.inRowOrder(coefficients), reference: reference, kept: kept,
            into: &dhidden, &dhead, weights.arithmetic)
        gradients.put(dhead, family.head)
        var dx = family.applyFinalNormBackward(dhidden, trace.output, weights, into: &gradients)
        let lowest = family.lowestBlock(gradients)
        for block in (lowest..<model.configuration.layers).reversed() {
            try Canceled.check(cancel)
            let activations: F.Activations
            if strategy == .keep {
                activations = trace.activations.removeLast()
            } else {
                let input = trace.inputs.removeLast()
                activations =
                    family.forward(
                        block: block, input, trace.context, weights, outputRows: scored.rows
                    ).activations
            }
            dx = family.backward(
                block: block, dx, activations, trace.context, weights, outputRows: scored.rows,
                into: &gradients)
        }
        if lowest == 0 {
            family.embedBackward(dx, forest.tokens, trace.context.positions, into: &gradients)
        }
        let divergence = penalty.map { _ in
            Float(result.divergences.reduce(0.0) { $0 + Double($1) } / Double(rowCount))
        }
        return (result.logProbs, divergence)
    }
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
