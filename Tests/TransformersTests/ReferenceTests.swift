import Tensors
import Testing

@testable import Transformers

/// Agreement with transformers 4.57.6 and torch 2.13.0 in float64; provenance in ../shared/reference.
@Suite(.enabled(if: Reference.shared != nil, "../shared/reference is not here"))
struct ReferenceTests {
    static let families = [
        "llama", "llama3", "mistral", "mixtral", "qwen2", "qwen3", "gpt2",
    ]

    @Test(arguments: families, [true, false])
    func logProbsAndLossAgree(family: String, shared: Bool) throws {
        let reference = try Reference(family)
        let (forest, targets, pairs) = reference.forest(shared: shared)
        let logProbs = try reference.model.logProbs(forest, targets)
        let n = reference.prompts.count
        for (pair, range) in pairs.enumerated() {
            let wanted = try #require(
                reference.expected.tensor("token_logprobs.\(pair / n).\(pair % n)"))
            let error = relativeError(Array(logProbs[range]), wanted.values)
            #expect(error < 1e-4, "log-probs of pair \(pair)")
        }
        let (scores, loss, _) = reference.contrast(logProbs, pairs)
        let wanted = try #require(reference.expected.tensor("S"))
        #expect(relativeError(scores.map(Float.init), wanted.values) < 1e-4, "S")
        let wantedLoss = try #require(reference.expected.tensor("loss"))
        #expect(relativeError([Float(loss)], wantedLoss.values) < 1e-4, "loss")
    }

    @Test(arguments: families, [0, 1, 2, 3])
    func everyGradientAgrees(family: String, way: Int) throws {
        let reference = try Reference(family)
        let (forest, targets, pairs) = reference.forest(shared: way != 1)
        // Kept activations twice; then budgets under which blocks run again, and trees one by one.
        let budget = [Int.max / 8, Int.max / 8, 1_300_000, 500_000][way]
        var gradients = ParameterSet(zeros: reference.model.parameters.layout)
        _ = try reference.model.backpropagate(
            forest, targets, into: &gradients, memory: MemoryPlan(budget: budget)
        ) { reference.contrast($0, pairs).coefficients }
        for (name, gradient) in zip(gradients.names, gradients.tensors) {
            let wanted = try #require(reference.expected.tensor("gradient.\(name)"))
            let error = relativeError(gradient.values, wanted.values)
            #expect(error < 1e-3, "gradient of \(name) off by \(error)")
        }
    }

    @Test(arguments: families)
    func threeRMSpropStepsAgree(family: String) throws {
        let reference = try Reference(family)
        let (forest, targets, pairs) = reference.forest(shared: true)
        var model = reference.model
        var state = OptimizerState()
        for step in 1...3 {
            var gradients = ParameterSet(zeros: model.parameters.layout)
            _ = try model.backpropagate(forest, targets, into: &gradients) {
                reference.contrast($0, pairs).coefficients
            }
            model.update {
                Optimizer.rmsprop().step(&$0, gradients, &state, learningRate: 1e-3)
            }
            let (scores, loss, _) = reference.contrast(
                try model.logProbs(forest, targets), pairs)
            let wanted = try #require(reference.expected.tensor("after_step_\(step).S"))
            #expect(relativeError(scores.map(Float.init), wanted.values) < 2e-2, "S, step \(step)")
            let wantedLoss = try #require(reference.expected.tensor("after_step_\(step).loss"))
            #expect(relativeError([Float(loss)], wantedLoss.values) < 2e-2, "loss, step \(step)")
        }
    }

    @Test(arguments: families)
    func greedyContinuationAgrees(family: String) throws {
        let reference = try Reference(family)
        let wanted = try #require(reference.expected.tensor("greedy")).values.map { Int32($0) }
        let requests = reference.prompts.map {
            GenerationRequest(prompt: $0, key: RandomKey(seed: 1))
        }
        let found = try reference.model.generate(
            requests, SamplerSettings(temperature: 0, maxTokens: wanted.count))
        #expect(found[0].tokens == wanted)
    }

    /// A bf16 copy computes what its rounded weights say, and lies as near to float32 as bf16 does.
    @Test(arguments: families, [WeightType.bfloat16, .float16])
    func sixteenBitsAgree(family: String, type: WeightType) throws {
        let reference = try Reference(family)
        let stored = reference.model.converted(to: type)
        let widened = stored.converted(to: .float32)
        let (forest, targets, pairs) = reference.forest(shared: true)
        let logProbs = try stored.logProbs(forest, targets)
        #expect(relativeError(logProbs, try widened.logProbs(forest, targets)) < 1e-5)
        let (scores, loss, _) = reference.contrast(logProbs, pairs)
        let wanted = try #require(reference.expected.tensor("S"))
        // A rounded router sends some tokens to another expert.
        let isCoarse = type == .bfloat16 || family == "mixtral"
        let precision: Float = isCoarse ? 2e-2 : 2e-3
        #expect(relativeError(scores.map(Float.init), wanted.values) < precision, "S")
        let wantedLoss = try #require(reference.expected.tensor("loss"))
        #expect(relativeError([Float(loss)], wantedLoss.values) < 2 * precision, "loss")

        var gradients = [stored, widened].map { ParameterSet(zeros: $0.parameters.layout) }
        for (i, model) in [stored, widened].enumerated() {
            _ = try model.backpropagate(forest, targets, into: &gradients[i]) {
                reference.contrast($0, pairs).coefficients
            }
        }
        for (i, name) in gradients[0].names.enumerated() {
            let error = relativeError(
                gradients[0].tensors[i].values, gradients[1].tensors[i].values)
            #expect(error < 1e-4, "gradient of \(name) off by \(error)")
        }
        let settings = SamplerSettings(temperature: 0, maxTokens: 8)
        let requests = reference.prompts.map {
            GenerationRequest(prompt: $0, key: RandomKey(seed: 1))
        }
        let (found, same) = (
            try stored.generate(requests, settings), try widened.generate(requests, settings)
        )
        #expect(found.map(\.tokens) == same.map(\.tokens))
        #expect(stored.weightBytes == 2 * stored.parameterCount)
    }

    /// A step is finer than bf16's grid, so a trained weight becomes float32.
    @Test func trainingSixteenBitsLosesNoStep() throws {
        let reference = try Reference("mistral")
        var model = reference.model.converted(to: .bfloat16)
        let before = model
        let (forest, targets, pairs) = reference.forest(shared: true)
        var (state, gradients) = (
            OptimizerState(), ParameterSet(zeros: model.parameters.layout)
        )
        _ = try model.backpropagate(forest, targets, into: &gradients) {
            reference.contrast($0, pairs).coefficients
        }
        model.update { Optimizer.rmsprop().step(&$0, gradients, &state, learningRate: 5e-7) }
        #expect(model.weightType == .float32 && before.weightType == .bfloat16)
        let name = "model.layers.0.mlp.up_proj.weight"
        let (new, old) = (
            try #require(model.parameters[name]).values,
            try #require(before.parameters[name]).values
        )
        // RMSprop's first step is ten learning rates long, whatever the gradient.
        let moved = zip(new, old).count { abs(abs($0 - $1) - 5e-6) < 5e-7 }
        #expect(moved > new.count * 9 / 10)
    }
}
