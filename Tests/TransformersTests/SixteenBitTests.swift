import NumberTypes
import Optimizers
import Tensors
import TestSupport
import Testing

@testable import Transformers

/// Weights stored in sixteen bits.
@Suite struct SixteenBitTests {
    /// A copy in 16 bits gives the results of its rounded weights, and is as near to float32 as its
    /// type allows.
    @Test(arguments: ModelOracle.families, [StoredFormat.bfloat16, .float16])
    func `a copy computes with its rounded weights`(family: String, format: StoredFormat) throws {
        let oracle = try ModelOracle(family)
        let stored = oracle.model.converted(to: format)
        let widened = stored.converted(to: .float32)
        let grid = oracle.grid(isShared: true)
        let logProbs = try stored.logProbs(grid.forest, grid.targets)
        #expect(relativeError(logProbs, try widened.logProbs(grid.forest, grid.targets)) < 1e-5)
        let contrast = oracle.contrast(logProbs, grid.pairs)
        // A rounded router sends some tokens to another expert.
        let isCoarse = format == .bfloat16 || family == "mixtral"
        let precision = isCoarse ? 2e-2 : 2e-3
        expectClose(contrast.scores, oracle.expected.scores, within: precision, "S")
        expectClose([contrast.loss], [oracle.expected.loss], within: 2 * precision, "loss")

        let gradients = try [stored, widened].map { try oracle.gradients($0, grid) }
        for (i, name) in gradients[0].names.enumerated() {
            expectClose(
                gradients[0].tensors[i], gradients[1].tensors[i], within: 1e-4,
                "gradient of \(name)")
        }
        let settings = SamplerSettings(temperature: 0, maxTokens: 8)
        let requests = oracle.prompts.map {
            GenerationRequest(prompt: $0, key: RandomKey(seed: 1))
        }
        let (found, same) = (
            try stored.generate(requests, settings), try widened.generate(requests, settings)
        )
        #expect(found.map(\.tokens) == same.map(\.tokens))
        #expect(stored.weightBytes == 2 * stored.parameterCount)
    }

    /// A step is finer than bfloat16 can resolve, so a trained weight becomes float32.
    @Test func `training weights in bfloat16 loses no step`() throws {
        let oracle = try ModelOracle("mistral")
        var model = oracle.model.converted(to: .bfloat16)
        let before = model
        let gradients = try oracle.gradients(model, oracle.grid(isShared: true))
        var state = OptimizerState()
        try model.update {
            try Optimizer.rmsprop().step(&$0, gradients, &state, learningRate: 5e-7)
        }
        #expect(model.weightFormat == .float32 && before.weightFormat == .bfloat16)
        let name = "model.layers.0.mlp.up_proj.weight"
        let (new, old) = (
            try #require(model.parameters[name]).values,
            try #require(before.parameters[name]).values
        )
        // RMSprop's first step is ten learning rates long for every gradient.
        let moved = zip(new, old).count { abs(abs($0 - $1) - 5e-6) < 5e-7 }
        #expect(moved > new.count * 9 / 10)
    }
}
