import ArgumentParser
import Foundation
import Optimizers
import Tensors
import Transformers

/// One SAMI iteration: rollouts of all queries under two constitutions, then a pass over them in
/// batches of four queries.
struct Iterate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "N queries, two prompts of P tokens each, responses of R: rollouts and training.")
    @OptionGroup var shape: Shape
    @Argument var queries: Int
    @Argument var prompt: Int
    @Argument var response: Int
    @Option var batch = 4

    func run() throws {
        var model = try shape.random()
        let key = RandomKey(seed: 1)
        let vocabulary = model.configuration.vocabularySize
        let requests = (0..<2 * queries).map { i in
            let key = key.child(UInt64(i))
            let tokens = (0..<prompt).map {
                Int32(5 + key.integer(UInt64($0), below: vocabulary - 5))
            }
            return GenerationRequest(prompt: tokens, key: key)
        }
        let start = ContinuousClock.now
        let rollouts = try model.generate(
            requests, SamplerSettings(topP: 0.9, maxTokens: response))
        let sampling = (ContinuousClock.now - start).seconds
        var (state, gradients) = (
            OptimizerState(), ParameterSet(zeros: model.parameters.layout)
        )
        // As many queries at a time as `train` takes.
        let together = max(1, 1024 / (2 * (prompt + 2 * response)))
        for first in stride(from: 0, to: queries, by: batch) {
            gradients.clear()
            let places = first..<min(first + batch, queries)
            for pack in stride(from: places.lowerBound, to: places.upperBound, by: together) {
                let work = ContrastWork(
                    model.configuration,
                    (pack..<min(pack + together, places.upperBound)).map { query in
                        let pair = 2 * query..<2 * query + 2
                        return (
                            prompts: pair.map { requests[$0].prompt },
                            responses: pair.map { rollouts[$0].tokens }
                        )
                    })
                _ = try model.backpropagate(work.forest, work.targets, into: &gradients) {
                    work.coefficients($0).map { $0 / Float(places.count) }
                }
            }
            try model.update {
                try Optimizer.rmsprop().step(&$0, gradients, &state, learningRate: 5e-7)
            }
        }
        Report(
            title: "Iteration, \(shape.model), \(queries) queries, \(prompt) + \(response) tokens",
            seconds: (ContinuousClock.now - start).seconds, tokens: 2 * queries * response,
            work: Work(), extra: [("sampling_seconds", sampling)]
        ).print()
    }
}
