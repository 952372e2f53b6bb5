import Foundation
import Tensors
import Testing
import Transformers

@testable import Sessions

/// Going on after the process ended in the middle of a statement.
@Suite struct ResumeTests {
    @Test func `a statement without a checkpoint runs again with its own seed and number`() throws {
        let source = "new model layers=1 width=32 vocabulary=300 context=64"
        let whole = try Workbench(access: .readWrite, seed: 5)
        whole.run("x = 1")
        try whole.output(source)

        let bench = try Workbench(access: .readWrite, seed: 5)
        bench.run("x = 1")
        _ = try bench.session.workspace.begin(source: source, seed: "5")
        bench.session.close()
        let again = try bench.reopened()
        #expect(
            again.notices == [
                "`\(source)` was running when the last session ended; nothing of it was kept"
            ])
        var outcome: Outcome?
        again.evaluate("resume") { outcome = $0 }
        _ = try #require(outcome).result.get()
        #expect(
            again.workspace.binding("model")?.digest
                == whole.session.workspace.binding("model")?.digest)
        #expect(again.workspace.unfinished == nil)
        again.close()
    }

    @Test func `nothing to resume is said`() throws {
        #expect(
            try Workbench().complaint("resume") == """
                error: nothing was left unfinished
                  resume
                  ^~~~~~
                """)
    }

    @Test func `pretraining goes on from its stored state to the same bits`() throws {
        let bench = try Workbench(seed: 2)
        let setup =
            "train tokenizer vocabulary=280 documents=50; new model layers=1 width=32 context=256"
        try bench.output(setup)
        let start = try #require(try bench.output("model").value?.noun(ModelNoun.self))
        var settings = PretrainingSettings(steps: 4, batchTokens: 400)
        settings.schedule = LearningRateSchedule(.linear, warmup: 1, steps: 4)
        let corpus = { (index: Int) in
            TrainingText(
                tokens: start.tokenizer?.encode("Document \(index) says something else.") ?? [1, 2])
        }
        var whole = Pretraining(model: start.model)
        try whole.run(settings, document: corpus) { _, _ in .more }

        var half = Pretraining(model: start.model)
        try half.run(settings, document: corpus) { step, _ in step.step == 2 ? .stop : .more }
        let rows: [Record] = [["step": .number(2)]]
        let stored = try PretrainingStorage.stored(half, rows)
        var (rest, keptRows) = try PretrainingStorage.restored(stored, start.model)
        #expect(keptRows.count == 1)
        try rest.run(settings, document: corpus) { _, _ in .more }
        #expect(rest.step == 4)
        #expect(rest.model.parameters.tensors == whole.model.parameters.tensors)
    }
}
