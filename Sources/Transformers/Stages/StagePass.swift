import Layers
import LongWork
import Tensors

/// The way through one stage's blocks, forward and back. A whole model is one stage.
struct StagePass {
    let model: LanguageModel
    let passage: Passage
    /// Whether every block's activations stay until its backward pass. Otherwise only its input
    /// stays, and the block runs again.
    let keepsActivations: Bool
    /// The lowest block of the model that is passed back; none for `Int.max`.
    let lowest: Int

    /// The results of a pass forward.
    struct Trace<Activations> {
        let context: BlockContext
        /// The scored rows that leave the last block; empty in the stages before it, which have
        /// sent theirs.
        var output: Tensor
        /// The activations of each block that is passed back, or only its input if it runs again.
        var activations: [Activations] = []
        var inputs: [Tensor] = []
    }

    /// The stage's blocks that are passed back.
    var passedBack: Range<Int> {
        let blocks = passage.stage.blocks
        return min(blocks.upperBound, max(blocks.lowerBound, lowest))..<blocks.upperBound
    }

    /// - Parameter rows: the scored rows.
    func forward<F: Family>(
        _ family: F, _ forest: TokenForest, _ rows: [Int], _ watch: Watch
    ) throws(Canceled) -> Trace<F.Activations> {
        let context = BlockContext(
            positions: forest.positions, plan: forest.plan(window: nil), cache: nil)
        var trace = Trace<F.Activations>(
            context: context,
            output: try passage.input(family, forest.tokens, context.positions, model))
        let blocks = passage.stage.blocks
        for block in blocks {
            try Canceled.check(watch, Double(block - blocks.lowerBound) / Double(blocks.count))
            let isPassedBack = block >= lowest
            if isPassedBack, !keepsActivations { trace.inputs.append(trace.output) }
            let step = family.forward(
                block: block, trace.output, context, model.parameters, outputRows: rows)
            if isPassedBack, keepsActivations { trace.activations.append(step.activations) }
            trace.output = step.out
        }
        if !passage.stage.isLast {
            try passage.pass(trace.output)
            trace.output = Tensor(zeros: [0])
        }
        return trace
    }

    /// The head of the last stage: from the log-probs' coefficients the gradient of the rows that
    /// leave the last block, (M, D).
    func headBackward(
        _ family: some Family, _ scored: ScoredRows, _ hidden: Tensor, _ output: Tensor,
        _ coefficients: [Float], _ reference: ScoredHead.Reference?, _ kept: ScoredHead.Kept?,
        into gradients: inout ParameterSet, _ watch: Watch
    ) throws(Canceled) -> (dx: Tensor, logProbs: [Float], divergences: [Float]) {
        let weights = model.parameters
        var dhidden = Tensor(uninitialized: hidden.shape)
        var dhead = gradients.take(family.head)
        let result = try ScoredHead.backward(
            hidden, weight: weights[family.head], scored.tokens,
            coefficients: scored.inRowOrder(coefficients), reference: reference, kept: kept,
            into: &dhidden, &dhead, weights.arithmetic, watch: watch)
        gradients.put(dhead, family.head)
        let dx = family.applyFinalNormBackward(dhidden, output, weights, into: &gradients)
        return (dx, result.logProbs, result.divergences)
    }

    /// Back through the blocks, down to the embedding or to the stage before.
    ///
    /// - Parameters:
    ///   - dx: the gradient of the rows that left the stage; nil if it comes from the next one.
    ///   - passed: asked before every block with the number of those passed.
    func backward<F: Family>(
        _ family: F, _ dx: Tensor?, _ forest: TokenForest, _ rows: [Int],
        _ trace: inout Trace<F.Activations>, into gradients: inout ParameterSet,
        passed: (Int) -> Continuation
    ) throws(Canceled) {
        let stage = passage.stage
        guard !passedBack.isEmpty || (stage.isFirst && lowest == 0) else { return }
        var dx = dx
        if dx == nil {
            let shape = [forest.tokens.count, model.configuration.hiddenSize]
            dx = try passage.link?.receive(shape, from: stage.number + 1)
        }
        guard var dx else { return }
        for (number, block) in passedBack.reversed().enumerated() {
            if passed(number) == .stop { throw Canceled() }
            let activations: F.Activations
            if keepsActivations {
                activations = trace.activations.removeLast()
            } else {
                let input = trace.inputs.removeLast()
                activations =
                    family.forward(
                        block: block, input, trace.context, model.parameters, outputRows: rows
                    ).activations
            }
            dx = family.backward(
                block: block, dx, activations, trace.context, model.parameters, outputRows: rows,
                into: &gradients)
        }
        if stage.isFirst {
            if lowest == 0 {
                family.embedBackward(dx, forest.tokens, trace.context.positions, into: &gradients)
            }
        } else if lowest < stage.blocks.lowerBound {
            try passage.link?.send(dx, to: stage.number - 1)
        }
    }
}
