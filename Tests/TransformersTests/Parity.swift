import Optimizers
import Tensors
import TestSupport
import Testing

@testable import Transformers

/// The values in which a model must agree with torch, for both sources of oracles. Arithmetic here
/// is float32, there float64.
struct Parity {
    let oracle: ModelOracle
    var expected: ModelOracle.Expected { oracle.expected }

    /// Log-probs of every response token, S and the loss.
    func checkScores(isShared: Bool) throws {
        let grid = oracle.grid(isShared: isShared)
        let logProbs = try oracle.model.logProbs(grid.forest, grid.targets)
        for (pair, range) in grid.pairs.enumerated() {
            expectClose(
                Array(logProbs[range]), expected.tokenLogProbs[pair], within: 1e-4,
                "log-probs of pair \(pair)")
        }
        let contrast = oracle.contrast(logProbs, grid.pairs)
        expectClose(contrast.scores, expected.scores, within: 1e-4, "S")
        expectClose([contrast.loss], [expected.loss], within: 1e-4, "loss")
    }

    /// Every gradient tensor by name.
    func checkGradients(isShared: Bool, budget: Int = .max / 8) throws {
        let gradients = try oracle.gradients(
            oracle.model, oracle.grid(isShared: isShared), memory: MemoryPlan(budget: budget))
        ModelOracle.expect(gradients, expected.gradients, within: 1e-3)
    }

    /// S, the loss and the displacement of every weight tensor after each step.
    func checkSteps(_ optimizer: Optimizer, _ run: ModelOracle.Run) throws {
        let grid = oracle.grid(isShared: true)
        var model = oracle.model
        var state = OptimizerState()
        for (number, wanted) in run.steps.enumerated() {
            let gradients = try oracle.gradients(model, grid)
            try model.update {
                try optimizer.step(&$0, gradients, &state, learningRate: Float(run.learningRate))
            }
            let contrast = try oracle.contrast(model, grid)
            // If a gradient is zero except for rounding, the sign of a step is arbitrary.
            expectClose(contrast.scores, wanted.scores, within: 1e-3, "S after step \(number + 1)")
            expectClose(
                [contrast.loss], [wanted.loss], within: 5e-3, "loss after step \(number + 1)")
            if let moved = wanted.moved {
                ModelOracle.expect(
                    model.parameters, movedFrom: oracle.model.parameters, moved, within: 2e-3,
                    normWithin: 1e-2, "after step \(number + 1)")
            }
        }
    }

    /// The most likely tokens after the first prompt, with the other prompts generated beside it.
    func checkGreedyTokens() throws {
        let requests = oracle.prompts.map {
            GenerationRequest(prompt: $0, key: RandomKey(seed: 1))
        }
        let found = try oracle.model.generate(
            requests, SamplerSettings(temperature: 0, maxTokens: expected.greedy.count))
        #expect(found[0].tokens == expected.greedy)
    }
}
