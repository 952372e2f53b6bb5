import Foundation
import NumberTypes
import Optimizers
import Tensors
import TestSupport
import Testing

@testable import Transformers

/// Weights in blocks of Q8_0: every kind of work gives the results of the same numbers in float32.
@Suite struct BlockWeightTests {
    private static let families = Families.all.keys.sorted()

    /// Sides that are multiples of a block.
    private func model(_ family: String) throws -> LanguageModel {
        let shape = ModelConfiguration(
            modelType: family, hiddenSize: 64, layers: 2, heads: 4,
            keyValueHeads: family == "gpt2" ? 4 : 2, feedForwardSize: 96, vocabularySize: 160,
            contextLength: 64, attentionBias: ["gpt2", "qwen2"].contains(family),
            feedForwardBias: family == "gpt2", experts: family == "mixtral" ? 3 : 0,
            expertsPerToken: family == "mixtral" ? 2 : 0, tiedHead: family == "gpt2")
        var model = try LanguageModel(shape, key: RandomKey(seed: 5), format: .q80)
        // Wider than a new model's, so that its answers are not all alike.
        model = model.converted(to: .float32)
        model.update { parameters in
            for i in parameters.tensors.indices where parameters.tensors[i].shape.count > 1 {
                parameters.tensors[i].scale(by: 6)
            }
        }
        return model.converted(to: .q80)
    }

    /// Two prompts, two responses each.
    private func grid() -> (forest: TokenForest, targets: [Target]) {
        var (forest, targets) = (TokenForest(), [Target]())
        for prompt in 0..<2 {
            let root = forest.append((0..<20).map { Int32(($0 * 7 + prompt * 31) % 160) })
            for response in 0..<2 {
                let tokens = (0..<9).map { Int32(($0 * 11 + response * 17 + 3) % 160) }
                let segment = forest.append(Array(tokens.dropLast()), parent: root)
                var row = forest.lastRow(of: root) ?? 0
                for (offset, token) in tokens.enumerated() {
                    targets.append(Target(row: row, token: token))
                    row = forest.segments[segment].range.lowerBound + offset
                }
            }
        }
        return (forest, targets)
    }

    @Test(arguments: families)
    func `a model in blocks computes as its numbers in float32`(family: String) throws {
        let blocks = try model(family)
        let plain = blocks.converted(to: .float32)
        #expect(blocks.weightFormat == .q80 && plain.weightFormat == .float32)
        #expect(blocks.weightBytes < plain.weightBytes / 3)
        let (forest, targets) = grid()
        let logProbs = try blocks.logProbs(forest, targets)
        #expect(relativeError(logProbs, try plain.logProbs(forest, targets)) < 1e-5)

        var gradients = [blocks, plain].map { ParameterSet(zeros: $0.parameters.layout) }
        for (place, model) in [blocks, plain].enumerated() {
            _ = try model.backpropagate(forest, targets, into: &gradients[place]) { logProbs in
                logProbs.indices.map { Float($0 % 3) - 1 }
            }
        }
        for (i, name) in gradients[0].names.enumerated() {
            expectClose(
                gradients[0].tensors[i], gradients[1].tensors[i], within: 1e-4,
                "gradient of \(name)")
        }

        // One prompt, and as many as need each of the kernels.
        for count in [1, 2, 7, 30] {
            let requests = (0..<count).map {
                GenerationRequest(
                    prompt: [Int32($0 % 160), 5, 9], key: RandomKey(seed: UInt64($0)))
            }
            let settings = SamplerSettings(temperature: 0, maxTokens: 6)
            let found = try [blocks, plain].map {
                try $0.generate(requests, settings).map(\.tokens)
            }
            #expect(found[0] == found[1])
        }
    }

    @Test func `a step makes the weights that it changes float32`() throws {
        var model = try model("llama")
        let before = model
        var gradients = ParameterSet(zeros: model.parameters.layout)
        let (forest, targets) = grid()
        _ = try model.backpropagate(forest, targets, into: &gradients) { $0.map { _ in 1 } }
        var state = OptimizerState()
        try model.update {
            _ = try Optimizer.rmsprop().step(&$0, gradients, &state, learningRate: 1e-4)
        }
        #expect(model.weightFormat == .float32 && before.weightFormat == .q80)
    }

    @Test func `a folder holds the weights in bfloat16`() throws {
        let model = try model("mistral")
        let folder = try TemporaryFolder()
        try ModelDirectory.write(model, to: folder.path)
        let found = try ModelDirectory.load(folder.path)
        #expect(found.weightFormat == .bfloat16)
        for (a, b) in zip(found.parameters.tensors, model.parameters.tensors) {
            #expect(a == b.plain)
        }
        let again = try ModelDirectory.load(folder.path, as: .q80)
        #expect(again.weightFormat == .q80)
    }
}
