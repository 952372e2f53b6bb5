import TestSupport
import Testing
import Transformers

@testable import Alignment

@Suite struct ObjectiveTests {
    private static let scores = try? ScoreMatrix(
        constitutions: 2, responses: 4,
        values: [-1.0, -1.4, -0.7, -2.0, -1.6, -0.9, -1.1, -1.3])

    /// ∂loss/∂S against central differences.
    @Test(arguments: Objective.allCases)
    func `the gradient of every objective is that of finite differences`(
        _ objective: Objective
    ) throws {
        let scores = try #require(Self.scores)
        let found = try objective.value(scores, query: "q")
        for index in scores.values.indices {
            var (up, down) = (scores, scores)
            up.values[index] += 1e-5
            down.values[index] -= 1e-5
            let slope =
                (try objective.value(up, query: "q").loss
                    - objective.value(down, query: "q").loss) / 2e-5
            #expect(abs(slope - found.gradient.values[index]) < 1e-9)
        }
    }

    @Test func `rows and columns are the halves of the contrast, and likelihood is the diagonal`()
        throws
    {
        let scores = try #require(Self.scores)
        let rows = try Objective.rows.value(scores, query: "q")
        let columns = try Objective.columns.value(scores, query: "q")
        let both = try Objective.contrast.value(scores, query: "q")
        #expect(abs((rows.loss + columns.loss) / 2 - both.loss) < 1e-12)
        let sum = zip(rows.gradient.values, columns.gradient.values).map { ($0 + $1) / 2 }
        for (a, b) in zip(sum, both.gradient.values) { #expect(abs(a - b) < 1e-12) }
        // −(S00 + S11 + S02 + S13) / 4
        let likelihood = try Objective.likelihood.value(scores, query: "q")
        #expect(abs(likelihood.loss - (1.0 + 0.9 + 0.7 + 1.3) / 4) < 1e-12)
        #expect(likelihood.contrast == both.contrast)
    }

    @Test func `one constitution suffices for demonstrations, and for nothing else`() throws {
        let one = try ScoreMatrix(constitutions: 1, responses: 2, values: [-1, -3])
        let value = try Objective.likelihood.value(one, query: "q")
        #expect(value.loss == 2 && value.gradient.values == [-0.5, -0.5])
        #expect(value.contrast == nil)
        for objective in [Objective.contrast, .rows, .columns] {
            #expect(throws: AlignmentError.self) { try objective.value(one, query: "q") }
        }
        let broken = try ScoreMatrix(constitutions: 1, responses: 1, values: [.nan])
        #expect(throws: AlignmentError.self) {
            try Objective.likelihood.value(broken, query: "q")
        }
    }

    /// The loss of a model's demonstrations falls, and the log holds it.
    @Test func `training on likelihood makes the demonstrations likelier`() throws {
        let reference = try Reference()
        var settings = TrainSettings.finetuning
        settings.score.scoresEnd = false
        settings.steps = 12
        settings.update.learningRate = 1e-2
        let demonstrations = reference.group.demonstrations
        settings.accumulate = demonstrations.count
        #expect(demonstrations.count == reference.group.prompts.count)
        #expect(demonstrations.allSatisfy { $0.prompts.count == 1 && $0.samples >= 1 })
        let trained = try Trainer(settings).train(
            reference.model, on: demonstrations, tokenizer: nil, key: .init(seed: 3))
        let (first, last) = (try #require(trained.log.first), try #require(trained.log.last))
        #expect(last.loss < 0.7 * first.loss)
        #expect(first.contrast.queries == 0)
        // The whole group has the same loss: its other scores do not count.
        let whole = try Backward(objective: .likelihood).gradients(
            of: [reference.batch()], model: reference.model)
        #expect(abs(whole.loss - first.loss) < 1e-6)
    }
}
