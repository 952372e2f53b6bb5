import Foundation
import Tensors
import Testing
import Transformers

@testable import Alignment

/// Oracle: transformers 4.57.6, torch 2.13.0, float64, one unpadded sequence at a time.
@Suite(.enabled(if: Reference.isThere, Reference.absent)) struct ReferenceTests {
    @Test func `S, loss and every token's log-prob are torch's`() throws {
        let reference = try Reference()
        let scores = try #require(
            try Scorer().score(
                [reference.group], model: reference.model, tokenizer: nil, perToken: true
            ).first)
        #expect(relativeError(scores.scores.values, try reference.values("S")) < 1e-4)
        let contrast = try Contrast(scores.scores, query: "0")
        #expect(abs(contrast.loss - (try reference.values("loss")[0])) < 1e-4)
        #expect(abs(contrast.row - (try reference.values("loss_row")[0])) < 1e-4)
        #expect(abs(contrast.column - (try reference.values("loss_column")[0])) < 1e-4)
        for i in 0..<3 {
            for j in 0..<3 {
                let found = try #require(scores.tokenLogProbs(i, j)).map(Double.init)
                #expect(
                    relativeError(found, try reference.values("token_logprobs.\(i).\(j)")) < 1e-4)
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

    @Test func `every gradient is torch's`() throws {
        let reference = try Reference()
        let gradients = try Backward().gradients(
            of: [reference.batch()], model: reference.model)
        #expect(!gradients.parameters.names.isEmpty)
        for name in gradients.parameters.names {
            let found = try #require(gradients.parameters[name]).values.map(Double.init)
            let error = relativeError(found, try reference.values("gradient.\(name)"))
            #expect(error < 1e-3, "\(name) is off by \(error)")
        }
        #expect(gradients.divergence == nil)
        #expect(gradients.norm == gradients.parameters.norm)
    }

    @Test func `three RMSprop steps follow torch`() throws {
        let reference = try Reference()
        var settings = TrainSettings()
        settings.accumulate = 1
        settings.steps = 3
        settings.update = Update(learningRate: 1e-3)
        var scores: [QueryScores] = []
        let result = try Trainer(settings).train(
            reference.model, on: [reference.group], tokenizer: nil, key: RandomKey(seed: 1),
            step: { _, model, _ in
                scores += try Scorer().score([reference.group], model: model, tokenizer: nil)
                return .more
            })
        #expect(result.log.count == 3 && !result.isStopped)
        for (step, score) in scores.enumerated() {
            let wanted = try reference.values("after_step_\(step + 1).S")
            let error = relativeError(score.scores.values, wanted)
            #expect(error < 2e-2, "S after step \(step + 1) is off by \(error)")
            let loss = try Contrast(score.scores, query: "0").loss
            #expect(abs(loss - (try reference.values("after_step_\(step + 1).loss")[0])) < 2e-2)
        }
    }

    /// Tests/Oracles/alignment.py penalty, torch 2.13.0, float64: loss + 0.3·KL to the reference
    /// model, the model being the same with its last norm's weights times 1.25.
    @Test func `the penalty to the base is torch's`() throws {
        let reference = try Reference()
        var weights = reference.model.parameters
        let name = "model.norm.weight"
        let norm = try #require(weights[name])
        weights[name] = Tensor(norm.values.map { $0 * 1.25 }, shape: norm.shape)
        let gradients = try Backward(beta: 0.3).gradients(
            of: [reference.batch()], model: reference.model.with(weights),
            reference: reference.model)
        #expect(abs(gradients.contrasts[0].loss - 1.3804094614012592) < 1e-4)
        #expect(abs(try #require(gradients.divergence) - 0.06456785537740609) < 1e-5)
        #expect(abs(gradients.norm / 13.822968859129196 - 1) < 1e-4)
        let last = try #require(gradients.parameters[name]).values.map(Double.init)
        let wanted = [
            -0.04814258326071626, 0.008385841161646007, 0.01830806984497639,
            -0.03610833433306782, -0.04705746367885905, -0.01555247260459574,
        ]
        #expect(relativeError(Array(last.prefix(6)), wanted) < 1e-3)
        let query = try #require(
            gradients.parameters["model.layers.0.self_attn.q_proj.weight"])
        let row = (0..<6).map { Double(query[3, $0]) }
        #expect(
            relativeError(
                row,
                [
                    -0.03237193238057173, -0.025122158212531522, -0.06043421250445876,
                    0.019405239680147852, -0.05710770360699904, -0.0004703252023410356,
                ]) < 1e-3)
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
        #expect(relativeError(together.map(Double.init), apart.map(Double.init)) < 1e-5)
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

        // Between what one row needs and what the whole tree needs.
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
        var values = try #require(weights[name]).values
        values[5] = .nan
        weights[name] = Tensor(values, shape: [48, 128])
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
