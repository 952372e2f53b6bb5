import Tensors
import TestSupport
import Testing
import Transformers

@testable import Alignment

/// The method's numbers compared with those of torch: Tests/Fixtures/README.md.
@Suite struct ReferenceTests {
    @Test(arguments: ModelOracle.families)
    func `S, loss and every token's log-prob are torch's`(family: String) throws {
        let reference = try Reference(ModelOracle(family))
        let expected = reference.expected
        let scores = try #require(
            try Scorer().score(
                [reference.group], model: reference.model, tokenizer: nil, perToken: true
            ).first)
        expectClose(scores.scores.values, expected.scores, within: 1e-4, "S")
        let contrast = try Contrast(scores.scores, query: "0")
        #expect(abs(contrast.loss - expected.loss) < 1e-4)
        #expect(abs(contrast.row - expected.rowLoss) < 1e-4)
        #expect(abs(contrast.column - expected.columnLoss) < 1e-4)
        for i in 0..<3 {
            for j in 0..<3 {
                expectClose(
                    try #require(scores.tokenLogProbs(i, j)), expected.tokenLogProbs[3 * i + j],
                    within: 1e-4, "log-probs of response \(j) under constitution \(i)")
            }
        }
    }

    @Test func `sums are means times lengths, and the end token is scored on request`() throws {
        let reference = try Reference()
        func score(_ settings: ScoreSettings) throws -> QueryScores {
            try #require(
                try Scorer(settings).score(
                    [reference.group], model: reference.model, tokenizer: nil, perToken: true
                ).first)
        }
        let mean = try score(ScoreSettings())
        let sum = try score(ScoreSettings(normalize: .sum))
        for (index, length) in mean.lengths.enumerated() {
            #expect(
                abs(mean.scores.values[index] * Double(length) - sum.scores.values[index]) < 1e-9)
        }
        let ended = try score(ScoreSettings(normalize: .sum, scoresEnd: true))
        #expect(ended.lengths == mean.lengths.map { $0 + 1 })
        #expect(ended.tokens.allSatisfy { $0.last == reference.model.configuration.endTokens[0] })
        for index in sum.scores.values.indices {
            let end = Double(try #require(ended.tokenLogProbs[index].last))
            #expect(abs(ended.scores.values[index] - sum.scores.values[index] - end) < 1e-4)
        }
    }

    @Test(arguments: ModelOracle.families)
    func `every gradient is torch's`(family: String) throws {
        let reference = try Reference(ModelOracle(family))
        let gradients = try Backward().gradients(
            of: [reference.batch()], model: reference.model)
        ModelOracle.expect(gradients.parameters, reference.expected.gradients, within: 1e-3)
        #expect(gradients.divergence == nil)
        #expect(gradients.norm == gradients.parameters.norm)
    }

    @Test(arguments: ["rmsprop", "adamw"])
    func `three steps of training follow torch`(rule: String) throws {
        let reference = try Reference()
        let run = try #require(
            rule == "adamw" ? reference.expected.adamw : reference.expected.rmsprop)
        var settings = TrainSettings()
        settings.accumulate = 1
        settings.steps = 3
        settings.update = Update(learningRate: run.learningRate)
        if let decay = run.decay {
            settings.update.optimizer = .adamw()
            settings.update.optimizer["decay"] = decay
        }
        var (scores, models): ([QueryScores], [LanguageModel]) = ([], [])
        let result = try Trainer(settings).train(
            reference.model, on: [reference.group], tokenizer: nil, key: RandomKey(seed: 1),
            step: { _, model, _ in
                scores += try Scorer().score([reference.group], model: model, tokenizer: nil)
                models.append(model)
                return .more
            })
        #expect(result.log.count == 3 && scores.count == 3 && !result.isStopped)
        for (step, wanted) in run.steps.enumerated() {
            let note = "after step \(step + 1)"
            expectClose(scores[step].scores.values, wanted.scores, within: 1e-3, "S \(note)")
            let loss = try Contrast(scores[step].scores, query: "0").loss
            expectClose([loss], [wanted.loss], within: 5e-3, "loss \(note)")
            ModelOracle.expect(
                models[step].parameters, movedFrom: reference.model.parameters,
                try #require(wanted.moved), within: 2e-3, normWithin: 1e-2, note)
        }
    }

    /// Loss + 0.3·KL to the reference model. The model is the reference with the weights of its
    /// last norm multiplied by 1.25.
    @Test func `the penalty to the base is torch's`() throws {
        let reference = try Reference()
        let wanted = try #require(reference.expected.penalty)
        var weights = reference.model.parameters
        let name = "model.norm.weight"
        let norm = try #require(weights[name])
        weights[name] = Tensor(norm.values.map { $0 * wanted.lastNormTimes }, shape: norm.shape)
        let gradients = try Backward(beta: wanted.weight).gradients(
            of: [reference.batch()], model: reference.model.with(weights),
            reference: reference.model)
        expectClose([gradients.contrasts[0].loss], [wanted.loss], within: 1e-4, "loss")
        expectClose(
            [try #require(gradients.divergence)], [wanted.divergence], within: 1e-4, "divergence")
        expectClose([gradients.norm], [wanted.norm], within: 1e-4, "norm of all gradients")
        ModelOracle.expect(gradients.parameters, wanted.gradients, within: 1e-3)
    }

    @Test func `a model has no divergence from itself`() throws {
        let reference = try Reference()
        let gradients = try Backward(beta: 0.5).gradients(
            of: [reference.batch()], model: reference.model, reference: reference.model)
        #expect(abs(try #require(gradients.divergence)) < 1e-6)
        let plain = try Backward().gradients(of: [reference.batch()], model: reference.model)
        #expect(relativeError(gradients.parameters, plain.parameters) < 1e-3)
    }

    @Test func `a forest equals separate sequences`() throws {
        let reference = try Reference()
        let batch = try reference.batch()
        let (forest, targets) = batch.forest
        let together = try reference.model.logProbs(forest, targets)
        var apart: [Float] = []
        for sequence in batch.sequences {
            var alone = TokenForest()
            alone.append(sequence.tokens)
            apart += try reference.model.logProbs(
                alone,
                sequence.scored.map { Target(row: $0 - 1, token: sequence.tokens[$0]) })
        }
        #expect(relativeError(together, apart) < 1e-5)
        #expect(forest.tokens.count < batch.sequences.reduce(0) { $0 + $1.tokens.count } / 2)
    }

    @Test func `queries in one pack give what they give apart`() throws {
        let reference = try Reference()
        let groups = [reference.group, reference.other]
        let batches = try groups.map {
            try ContrastBatch($0, tokenizer: nil, configuration: reference.model.configuration)
        }
        let weights = reference.model.parameters.tensors.map { tensor in
            Tensor(tensor.values.map { $0 * 1.1 }, shape: tensor.shape)
        }
        var moved = reference.model.parameters
        for (name, tensor) in zip(moved.names, weights) { moved[name] = tensor }
        let model = reference.model.with(moved)

        var one = Backward(beta: 0.2)
        one.packRows = 1
        let apart = try one.gradients(of: batches, model: model, reference: reference.model)
        let together = try Backward(beta: 0.2).gradients(
            of: batches, model: model, reference: reference.model)
        #expect(ForestPack.packs(batches, rows: 1).count == 2)
        #expect(ForestPack.packs(batches, rows: 1024).count == 1)
        #expect(relativeError(together.parameters, apart.parameters) < 1e-4)
        #expect(
            abs(try #require(together.divergence) - (try #require(apart.divergence))) < 1e-6)
        #expect(together.contrasts.map(\.constitutions) == [3, 3])

        var scorer = Scorer()
        scorer.packRows = 1
        let scored = try scorer.score(batches, model: model)
        let packed = try Scorer().score(batches, model: model)
        #expect(packed.map(\.id) == ["0", "other"])
        for (a, b) in zip(scored, packed) {
            #expect(relativeError(a.scores.values, b.scores.values) < 1e-5)
        }
    }

    @Test func `a constitution row at a time gives the same gradients in less memory`() throws {
        let reference = try Reference()
        var group = reference.group
        // A long common beginning makes the three prompts one tree.
        let instructions = (0..<100).map { Int32(3 + $0 * 7 % 300) }
        group.prompts = group.prompts.map { prompt in
            guard case .tokens(let tokens) = prompt else { return prompt }
            return .tokens(instructions + tokens)
        }
        let batch = try ContrastBatch(
            group, tokenizer: nil, configuration: reference.model.configuration)
        #expect(batch.forest.forest.trees == 1)
        let whole = try Backward().gradients(of: [batch], model: reference.model)

        // Between the need of one row and the need of the whole tree.
        func fits(_ budget: Int) -> Bool {
            let backward = Backward(memory: MemoryPlan(budget: budget))
            return (try? backward.gradients(of: [batch], model: reference.model)) != nil
        }
        var (low, high) = (0, 1 << 30)
        while high - low > 1 << 10 {
            let middle = (low + high) / 2
            if fits(middle) { high = middle } else { low = middle }
        }
        let rows = try Backward(memory: MemoryPlan(budget: high)).gradients(
            of: [batch], model: reference.model)
        #expect(rows.tokens > whole.tokens)
        #expect(relativeError(rows.parameters, whole.parameters) < 1e-4)
        #expect(throws: ModelError.self) {
            try Backward(memory: MemoryPlan(budget: low)).gradients(
                of: [batch], model: reference.model)
        }
    }

    @Test func `a query whose numbers are not finite is named, and the model is as before`() throws
    {
        let reference = try Reference()
        var weights = reference.model.parameters
        let name = "model.layers.1.mlp.down_proj.weight"
        let shape = try #require(weights[name]).shape
        var values = try #require(weights[name]).values
        values[5] = .nan
        weights[name] = Tensor(values, shape: shape)
        let broken = reference.model.with(weights)
        #expect(
            throws: AlignmentError.scoreNotFinite(query: "0", constitution: 0, response: 0)
        ) {
            try Backward().gradients(of: [reference.batch()], model: broken)
        }
        #expect(
            throws: AlignmentError.scoreNotFinite(query: "0", constitution: 0, response: 0)
        ) {
            try Scorer().score([reference.group], model: broken, tokenizer: nil)
        }
    }
}
