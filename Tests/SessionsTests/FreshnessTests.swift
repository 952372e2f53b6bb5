import Tensors
import Testing
import Transformers

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import Values

/// Gradients belong to the weights they were formed on, an optimizer's state to the model it made.
@Suite(.enabled(if: Workbench.hasShippedModel)) struct FreshnessTests {
    private static let setup = """
        load model default; load principles trained; load queries summaries count=2
        compose count=2 principles_each=2; rollout; backward
        """

    private func ready(_ access: Access = .ephemeral) throws -> Workbench {
        let bench = try Workbench(access: access)
        try bench.output(Self.setup)
        return bench
    }

    private func weights(_ name: String, _ session: Session) throws -> [Tensor] {
        let noun = try #require(try session.value(of: name)?.object(ModelObject.self))
        return noun.model.parameters.tensors
    }

    @Test func `models of a learning-rate sweep depend on their rate alone`() throws {
        let bench = try ready()
        let update = "update optimizer=adamw learning_rate="
        let first = try bench.text("m1 = \(update)1e-4")
        try bench.output("m2 = \(update)3e-4")
        try bench.output("m3 = \(update)1e-4")
        #expect(first.hasPrefix("m1 changed: adamw step 1, learning rate 0.0001, gradient norm "))
        let (m1, m2) = (try weights("m1", bench.session), try weights("m2", bench.session))
        #expect(try m1 == weights("m3", bench.session))
        #expect(m1 != m2)
        #expect(try weights("model", bench.session) == weights("base", bench.session))
    }

    @Test func `a sweep in the middle of a run starts from the moments of its model`() throws {
        let bench = try ready()
        try bench.output("update optimizer=adamw learning_rate=1e-4; backward")
        let update = "update optimizer=adamw learning_rate=2e-4"
        #expect(try bench.text("m1 = \(update)").hasPrefix("m1 changed: adamw step 2, "))
        #expect(try bench.text("m2 = \(update)").hasPrefix("m2 changed: adamw step 2, "))
        #expect(try weights("m1", bench.session) == weights("m2", bench.session))
        // m1 has gone two steps, and goes on with the third although `optimizer` is now of m2.
        try bench.output("g = backward model=m1")
        let third = try bench.text("m1 = update g model=m1 optimizer=adamw")
        #expect(third.hasPrefix("m1 changed: adamw step 3, "))
    }

    @Test func `a model loaded again starts at the first step`() throws {
        let bench = try ready()
        let first = try bench.text("update optimizer=rmsprop learning_rate=1e-5")
        try bench.output("load model default; backward")
        let again = try bench.text("update optimizer=rmsprop learning_rate=1e-5")
        #expect(first.contains("rmsprop step 1,") && again == first)
    }

    @Test func `gradients are refused by a model that an update has changed`() throws {
        let bench = try ready()
        try bench.output("update")
        #expect(
            bench.complaint("update") == """
                error: `gradients` were made from `model` of statement 1; `model` is now of \
                statement 7
                  update
                  ^~~~~~
                  compute them again: backward
                """)
        #expect(try bench.text("backward; update").contains(" step 2, "))
    }

    @Test func `gradients are refused by a model that was loaded since`() throws {
        let bench = try ready()
        try bench.output("load model default")
        let complaint = bench.complaint("update gradients")
        #expect(
            complaint.contains(
                "`gradients` were made from `model` of statement 1; `model` is now of statement 7"))
        #expect(complaint.contains("compute them again: backward"))
    }

    @Test func `another model's gradients are refused by name`() throws {
        let bench = try ready()
        try bench.output("m1 = update")
        let complaint = bench.complaint("update model=m1")
        #expect(
            complaint.contains(
                "`gradients` were made from `model` of statement 1; `m1` is of statement 7"))
        #expect(complaint.contains("compute them again: backward model=m1"))
    }

    @Test func `another name for the same weights is no other model`() throws {
        let bench = try ready()
        try bench.output("m = model; m1 = update model=m; load model (base); m2 = update")
        #expect(try weights("m1", bench.session) == weights("m2", bench.session))
    }

    @Test func `undo brings back the model that gradients belong to`() throws {
        let bench = try ready()
        let first = try bench.text("update")
        #expect(try bench.text("undo; update") == first)
    }

    @Test func `all of this holds after the workspace is opened again`() throws {
        let bench = try ready(.readWrite)
        try bench.output("m = model; update optimizer=adamw")
        bench.session.close()
        let session = try bench.reopened()
        defer { session.close() }
        func run(_ source: String) -> [String] {
            var texts: [String] = []
            for outcome in session.outcomes(of: source, keepGoing: true) {
                switch outcome.result {
                case .success(let output): texts.append(output.text.plain)
                case .failure(let failure): texts.append(failure.message)
                }
            }
            return texts
        }
        #expect(
            run("update optimizer=adamw") == [
                "`gradients` were made from `model` of statement 1; `model` is now of statement 8"
            ])
        #expect(
            run("m1 = update model=m optimizer=adamw")[0].hasPrefix("m1 changed: adamw step 1,"))
        #expect(
            run("backward; update optimizer=adamw")[1].hasPrefix("model changed: adamw step 2,"))
    }

    @Test func `a verb says that its inputs come from another model or list`() throws {
        let bench = try ready()
        func notes(_ source: String) throws -> [String] {
            try bench.output(source).notes.filter { $0.contains(" of statement ") }
        }
        #expect(try notes("score").isEmpty)
        try bench.output("update")
        #expect(
            try notes("score") == [
                "`rollouts` were made from `model` of statement 1; `model` is now of statement 8"
            ])
        // A part of the rollouts came from the same model.
        #expect(
            try notes("r = rollouts[0:2]; score r") == [
                "`r` were made from `model` of statement 1; `model` is now of statement 8"
            ])
        #expect(try notes("rollout").isEmpty)
        try bench.output("load queries summaries count=3; load queries summaries count=2")
        #expect(try notes("rollout").isEmpty)
        try bench.output("load queries summaries count=1")
        #expect(
            try notes("rollout") == [
                "`constitutions` were made from `queries` of statement 3; `queries` is now of "
                    + "statement 16"
            ])
    }

    @Test func `a log belongs to its model`() throws {
        let bench = try ready(.readWrite)
        try bench.output("a = train steps=1; b = train steps=2")
        #expect(try bench.text("a.log.count") == "1")
        #expect(try bench.text("b.log.count") == "2")
        #expect(try bench.text("log.count") == "2")
        #expect(try bench.text("model.log") == "null")
        bench.session.close()
        let session = try bench.reopened()
        defer { session.close() }
        var counts: [String] = []
        for outcome in session.outcomes(of: "a.log.count; b.log.count") {
            if case .success(let output) = outcome.result { counts.append(output.text.plain) }
        }
        #expect(counts == ["1", "2"])
    }
}
