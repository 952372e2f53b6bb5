import Tensors
import Testing

@testable import Transformers

/// What generation says of its own tokens, beside scoring the finished sequences.
@Suite struct GenerationTests {
    private func tokens(_ count: Int, _ seed: UInt64) -> [Int32] {
        let key = RandomKey(seed: seed)
        return (0..<count).map { Int32(key.integer(UInt64($0), below: 60)) }
    }

    @Test(arguments: [nil, 300])
    func promptsLongerThanWhatGoesTogetherAreReadWhole(window: Int?) throws {
        var configuration = ModelConfiguration(
            modelType: window == nil ? "llama" : "mistral", hiddenSize: 32, layers: 2, heads: 4,
            keyValueHeads: 2, feedForwardSize: 48,
            vocabularySize: 60, contextLength: 4096)
        configuration.slidingWindow = window
        let model = try LanguageModel(configuration, key: RandomKey(seed: 3))
        // Two that share more rows than go together, one of few rows, one that ends in their midst.
        let shared = tokens(1500, 1)
        let prompts = [
            shared + tokens(700, 2), shared + tokens(20, 3), tokens(5, 4),
            Array(shared.prefix(1024)),
        ]
        let found = try model.generate(
            prompts.enumerated().map {
                GenerationRequest(prompt: $1, key: RandomKey(seed: UInt64($0)))
            }, SamplerSettings(maxTokens: 6))
        for (prompt, generation) in zip(prompts, found) {
            #expect(generation.tokens.count == 6)
            let (forest, targets) = TokenForest.continuing(prompt, with: generation.tokens)
            let scored = try model.logProbs(forest, targets)
            #expect(zip(scored, generation.logProbs).allSatisfy { abs($0 - $1) < 1e-4 })
        }
    }
}

extension TokenForest {
    /// One sequence, and the tokens of its response as targets.
    fileprivate static func continuing(
        _ prompt: [Int32], with response: [Int32]
    ) -> (TokenForest, [Target]) {
        var forest = TokenForest()
        forest.append(prompt + response.dropLast())
        return (
            forest,
            response.enumerated().map { Target(row: prompt.count - 1 + $0, token: $1) }
        )
    }
}
