import ArgumentParser
import Foundation
import Layers
import NumberTypes
import Optimizers
import Tensors
import Transformers

struct SamiBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sami-bench",
        abstract: "Measures the engine on random weights.",
        subcommands: [
            Step.self, Score.self, Gen.self, Pretrain.self, Cost.self, Checkpoint.self, Load.self,
            Adapt.self, Decode.self, Iterate.self, Tokenize.self,
            Journal.self, Product.self,
        ])
}

struct Shape: ParsableArguments {
    @Argument(help: "S, M, L, 7B (a few layers of it), or T, the shipped model's shape.")
    var model: String

    func configuration() throws -> ModelConfiguration {
        guard let shape = Shapes.configuration(model) else {
            throw ValidationError(
                "There is no shape \"\(model)\"; there are \(Shapes.names.joined(separator: ", "))."
            )
        }
        return shape
    }

    @Option(help: "How the weights are stored: float32, bfloat16, float16 or Q8_0.")
    var stored = "float32"
    @Option(help: "How products with weights are computed: float32 or bfloat16.")
    var precision = "float32"

    func random() throws -> LanguageModel {
        var model = try LanguageModel(
            try configuration(), key: RandomKey(seed: 0), format: try storedFormat(stored))
        let arithmetic = try computed(in: precision)
        if arithmetic.isBFloat16 { model.update { $0.arithmetic = arithmetic } }
        return model
    }
}

/// - Throws: `ValidationError` for a name without a format, or one that products cannot read.
func storedFormat(_ name: String) throws -> StoredFormat {
    guard let format = StoredFormat(name: name), format.isComputed else {
        throw ValidationError("There is no stored format \"\(name)\".")
    }
    return format
}

/// - Throws: `ValidationError` for another name, or if this processor has no such products.
func computed(in precision: String) throws -> Arithmetic {
    switch (precision, Arithmetic.bfloat16) {
    case ("float32", _): return .float32
    case ("bfloat16", let arithmetic?): return arithmetic
    case ("bfloat16", nil):
        throw ValidationError("This processor has no products in bfloat16.")
    default: throw ValidationError("There is no precision \"\(precision)\".")
    }
}

struct Step: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "One SAMI step: C constitutions, prompts of P tokens, responses of R.")
    @OptionGroup var shape: Shape
    @Argument var constitutions: Int
    @Argument var prompt: Int
    @Argument var response: Int
    @Option(help: "Train adapters of this rank on all projections, in place of the weights.")
    var adapters: Int?

    func run() throws {
        var model = try shape.random()
        if let adapters { model = try model.withAdapters(rank: adapters) }
        let batch = ContrastWork(model.configuration, constitutions, prompt, response)
        var (state, gradients) = (
            OptimizerState(), ParameterSet(zeros: model.parameters.layout)
        )
        let seconds = try time(5) {
            gradients.clear()
            _ = try model.backpropagate(batch.forest, batch.targets, into: &gradients) {
                batch.coefficients($0)
            }
            try model.update {
                try Optimizer.rmsprop().step(&$0, gradients, &state, learningRate: 5e-7)
            }
        }
        Report(
            title: "SAMI step, \(shape.model), C=\(constitutions), \(prompt) + \(response) tokens"
                + (adapters.map { ", adapters of rank \($0)" } ?? ""),
            seconds: seconds.dropFirst().min() ?? 0, tokens: batch.forest.tokens.count,
            work: adapters == nil ? batch.work.withBackward() : batch.work.withFrozenBackward()
        ).print()
    }
}

struct Score: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "The C x C log-probs alone.")
    @OptionGroup var shape: Shape
    @Argument var constitutions: Int
    @Argument var prompt: Int
    @Argument var response: Int

    func run() throws {
        let model = try shape.random()
        let batch = ContrastWork(model.configuration, constitutions, prompt, response)
        let seconds = try time(4) { _ = try model.logProbs(batch.forest, batch.targets) }
        Report(
            title: "Scoring, \(shape.model), C=\(constitutions), \(prompt) + \(response) tokens",
            seconds: seconds.dropFirst().min() ?? 0, tokens: batch.forest.tokens.count,
            work: batch.work, extra: [("parameters", Double(model.parameterCount))]
        ).print()
    }
}

struct Gen: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gen", abstract: "B prompts of P tokens, R sampled tokens each, top-p 0.9.")
    @OptionGroup var shape: Shape
    @Argument var prompts: Int
    @Argument var prompt: Int
    @Argument var response: Int

    func run() throws {
        let model = try shape.random()
        let c = model.configuration
        let key = RandomKey(seed: 1)
        let requests = (0..<prompts).map { i in
            let key = key.child(UInt64(i))
            let tokens = (0..<prompt).map {
                Int32(5 + key.integer(UInt64($0), below: c.vocabularySize - 5))
            }
            return GenerationRequest(prompt: tokens, key: key)
        }
        let settings = SamplerSettings(topP: 0.9, maxTokens: response)
        let seconds = try time(3) { _ = try model.generate(requests, settings) }
        var work = Work()
        work.blocks(
            c, rows: prompts * (prompt + response), read: prompts * (response + 1),
            attended: prompts * (prompt + response) * (prompt + response) / 2)
        work.head(c, rows: prompts * response)
        Report(
            title:
                "Generation, \(shape.model), \(prompts) prompts of \(prompt), \(response) tokens each",
            seconds: seconds.min() ?? 0, tokens: prompts * response, work: work
        ).print()
    }
}

struct Pretrain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Pretraining steps on documents of D tokens, N tokens a batch.")
    @OptionGroup var shape: Shape
    @Argument var document: Int = 130
    @Argument var batch: Int = 4096

    func run() throws {
        let c = try shape.configuration()
        let key = RandomKey(seed: 2)
        var training = Pretraining(model: try shape.random())
        var (start, seconds, tokens) = (ContinuousClock.now, Double.infinity, 0)
        let length = document
        func text(_ number: Int) -> TrainingText {
            let key = key.child(UInt64(number))
            return TrainingText(
                tokens: (0..<length).map {
                    Int32(key.integer(UInt64($0), below: c.vocabularySize))
                })
        }
        let settings = PretrainingSettings(steps: 6, batchTokens: batch)
        try training.run(settings, document: text) { report, _ in
            seconds = min(seconds, (ContinuousClock.now - start).seconds)
            start = .now
            tokens = report.tokens / report.step
            return .more
        }
        var work = Work()
        work.blocks(c, rows: tokens, read: tokens, attended: tokens * length / 2)
        work.head(c, rows: tokens)
        Report(
            title: "Pretraining, \(shape.model), documents of \(length), \(tokens) tokens a batch",
            seconds: seconds, tokens: tokens, work: work.withBackward()
        ).print()
    }
}

/// A contrast batch on random tokens, and the derivative of its loss.
struct ContrastWork {
    var forest = TokenForest()
    var targets: [Target] = []
    var work = Work()
    private let constitutions: Int
    private let response: Int

    /// A query's prompts and responses: as many of one as of the other, of equal lengths.
    typealias Query = (prompts: [[Int32]], responses: [[Int32]])

    /// Random tokens.
    init(_ c: ModelConfiguration, _ constitutions: Int, _ prompt: Int, _ response: Int) {
        let key = RandomKey(seed: 1)
        func tokens(_ count: Int, _ key: RandomKey) -> [Int32] {
            (0..<count).map { Int32(5 + key.integer(UInt64($0), below: c.vocabularySize - 5)) }
        }
        self.init(
            c,
            [
                (
                    prompts: (0..<constitutions).map {
                        tokens(prompt, key.child("p").child(UInt64($0)))
                    },
                    responses: (0..<constitutions).map {
                        tokens(response, key.child("r").child(UInt64($0)))
                    }
                )
            ])
    }

    /// Queries of the same lengths, which go through the model together.
    init(_ c: ModelConfiguration, _ queries: [Query]) {
        (constitutions, response) = (queries[0].prompts.count, queries[0].responses[0].count)
        let prompt = queries[0].prompts[0].count
        for (tokens, responses) in queries.flatMap({ query in
            query.prompts.map { ($0, query.responses) }
        }) {
            let root = forest.append(tokens)
            for tokens in responses {
                let segment = forest.append(tokens.dropLast(), parent: root)
                var row = forest.lastRow(of: root) ?? 0
                for (offset, token) in tokens.enumerated() {
                    targets.append(Target(row: row, token: token))
                    row = forest.segments[segment].range.lowerBound + offset
                }
            }
        }
        let attended =
            constitutions
            * (prompt * prompt / 2 + constitutions * response * (prompt + response / 2))
        let read = queries.count * constitutions * (constitutions * (response - 1) + 1)
        work.blocks(
            c, rows: forest.tokens.count, read: read, attended: queries.count * attended)
        work.head(c, rows: read)
    }

    /// ∂loss/∂log-prob of every target, for the sum of the queries' losses.
    func coefficients(_ logProbs: [Float]) -> [Float] {
        let count = constitutions * constitutions * response
        return stride(from: 0, to: logProbs.count, by: count).flatMap {
            coefficients(ofQuery: Array(logProbs[$0..<$0 + count]))
        }
    }

    private func coefficients(ofQuery logProbs: [Float]) -> [Float] {
        let n = constitutions
        let scores = (0..<n * n).map { pair in
            logProbs[pair * response..<(pair + 1) * response].reduce(0, +) / Float(response)
        }
        func softmax(_ x: [Float]) -> [Float] {
            let top = x.max() ?? 0
            let weights = x.map { exp($0 - top) }
            return weights.map { $0 / weights.reduce(0, +) }
        }
        let rows = (0..<n).map { i in softmax((0..<n).map { scores[i * n + $0] }) }
        let columns = (0..<n).map { j in softmax((0..<n).map { scores[$0 * n + j] }) }
        return (0..<n * n).flatMap { pair in
            let (i, j) = (pair / n, pair % n)
            let d = (rows[i][j] + columns[j][i] - (i == j ? 2 : 0)) / Float(2 * n * response)
            return [Float](repeating: d, count: response)
        }
    }
}

SamiBench.main()
