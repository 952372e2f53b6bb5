import Foundation
import Optimizers
import Tensors
import Testing
import Transformers

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import ShippedWorld
@testable import Values

/// Resumption after the process ended in the middle of a statement.
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
                "`\(source)` was running when the last session ended; no state was saved. "
                    + "`resume` runs it again, `resume drop=true` forgets it"
            ])
        let outcome = again.outcomes(of: "resume").last
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
                error: there is no unfinished statement
                  resume
                  ^~~~~~
                """)
    }

    @Test func `pretraining goes on from its stored state to the same bits`() throws {
        let bench = try Workbench(seed: 2)
        let setup =
            "train tokenizer vocabulary=280 documents=50; new model layers=1 width=32 context=256"
        try bench.output(setup)
        let start = try #require(try bench.output("model").value?.object(ModelObject.self))
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
        let stored = try PretrainingStorage.stored(half, rows, 3.5)
        var (rest, keptRows) = try PretrainingStorage.restored(stored, start.model)
        #expect(keptRows.count == 1)
        try rest.run(settings, document: corpus) { _, _ in .more }
        #expect(rest.step == 4)
        #expect(rest.model.parameters.tensors == whole.model.parameters.tensors)
    }

    /// The result of long work without a stop, and its result when it is stopped at every progress
    /// report and resumed until it is done.
    @Test(
        .enabled(if: Workbench.hasShippedModel, "needs models/tiny: `make demo` or SAMI_MODELS"),
        arguments: [
            "train steps=6 accumulate=4 learning_rate=1e-4", "rollout", "judge seed=3",
            "iterate 2 queries=8 steps=2 accumulate=2 learning_rate=1e-4",
            "pretrain steps=4 batch=1024",
            "adapt rank=4; train steps=6 accumulate=4 learning_rate=1e-3",
            "adapt rank=4; iterate 2 queries=8 steps=2 accumulate=2 learning_rate=1e-3",
        ])
    func `stopped work that is resumed ends as if it had not been stopped`(_ work: String) throws {
        let statements = work.components(separatedBy: "; ")
        let source = try #require(statements.last)
        let setup = """
            load model default
            principles = load principles trained
            load queries summaries split=test count=72
            compose seed=1
            rollout queries[0:12] seed=2
            """ + statements.dropLast().map { "\n" + $0 }.joined()
        func digests(_ session: Session) -> [String: String?] {
            Dictionary(uniqueKeysWithValues: session.workspace.names.map { ($0.name, $0.digest) })
        }
        let whole = try Workbench(seed: 5)
        try whole.output(setup)
        try whole.output(source)
        let bench = try Workbench(access: .readWrite, seed: 5)
        try bench.output(setup)
        var session = bench.session
        var stops = 0
        func evaluate(_ source: String) -> Outcome? {
            var last: Outcome?
            session.evaluate(Session.parse(source)) { event in
                switch event {
                case .progress(let step):
                    guard stops < 2, step.elapsed > 0.2 * Double(stops + 1) else { return }
                    session.interruption.request()
                case .finished(let outcome): last = outcome
                case .started, .display: break
                }
            }
            return last
        }
        var outcome = try #require(evaluate(source))
        while outcome.isInterrupted, session.workspace.unfinished != nil {
            stops += 1
            // Another process resumes as well as this one.
            session.close()
            session = try bench.reopened()
            #expect(session.notices.first?.contains("was stopped, at ") == true)
            outcome = try #require(evaluate("resume"))
        }
        #expect(digests(session) == digests(whole.session), "after \(stops) stops")
        #expect(session.workspace.unfinished == nil)
        session.close()
    }

    @Test func `an unfinished statement can be forgotten`() throws {
        let bench = try Workbench(access: .readWrite)
        _ = try bench.session.workspace.begin(source: "new model width=32", seed: "5")
        bench.session.close()
        let again = try bench.reopened()
        let outcome = again.outcomes(of: "resume drop=true").last
        #expect(try #require(outcome).result.get().text.plain == "forgot #1 new model width=32")
        again.close()
        #expect(try bench.reopened().notices.isEmpty)
    }
}
