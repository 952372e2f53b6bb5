import Foundation
import Tensors
import TestSupport
import Testing
import Transformers

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import ShippedWorld
@testable import Values

/// The step-by-step verbs on models with values from torch: Tests/Fixtures/README.md.
@Suite struct ReferenceTests {
    /// A session with the fixture of a family and its rollouts, and the values of torch.
    private func loaded(
        _ family: String = "llama", access: Access = .ephemeral
    ) throws -> (bench: Workbench, expected: ModelOracle.Expected) {
        let oracle = try ModelOracle(family)
        let bench = try Workbench(access: access)
        try oracle.write(to: bench.folder + "/fixture")
        try bench.output("load model fixture; load rollouts fixture/rollouts.jsonl")
        return (bench, oracle.expected)
    }

    @Test(arguments: ModelOracle.families)
    func `score and contrast give torch's S and loss`(_ family: String) throws {
        let (bench, expected) = try loaded(family)
        let scores = try #require(try bench.output("score").value?.asTensor)
        #expect(scores.shape == [1, 3, 3])
        expectClose(scores.values, expected.scores, within: 1e-4, "S")
        try bench.output("contrast")
        for (field, wanted) in [
            ("value", expected.loss), ("row", expected.rowLoss), ("column", expected.columnLoss),
        ] {
            let found = try #require(try bench.output("loss.\(field)").value?.asNumber)
            #expect(abs(found - wanted) < 1e-4, "loss.\(field)")
        }
        #expect(try bench.text("round(loss.ceiling, 6)") == "1.098612")
    }

    @Test func `backward gives torch's gradients, and export writes them under their names`() throws
    {
        let (bench, expected) = try loaded()
        try bench.output("backward; export gradients g.safetensors")
        let file = try SafeTensors(path: bench.folder + "/g.safetensors")
        #expect(Set(file.entries.keys) == Set(expected.gradients.keys))
        for (name, wanted) in expected.gradients {
            let found = try #require(file.tensor(name))
            expectClose(
                wanted.at.map { Double(found[$0]) }, wanted.values, within: 1e-3,
                scale: wanted.largest, "gradient of \(name)")
        }
    }

    @Test(arguments: ["rmsprop", "adamw"])
    func `three updates follow torch's three steps`(rule: String) throws {
        let (bench, expected) = try loaded()
        let run = try #require(rule == "adamw" ? expected.adamw : expected.rmsprop)
        let decay = run.decay.map { " decay=\($0)" } ?? ""
        for (step, wanted) in run.steps.enumerated() {
            try bench.output(
                "backward; update optimizer=\(rule) learning_rate=\(run.learningRate)\(decay)")
            try bench.output("score; contrast")
            let found = try #require(try bench.output("loss.value").value?.asNumber)
            expectClose([found], [wanted.loss], within: 5e-3, "loss after step \(step + 1)")
        }
        #expect(try bench.text("optimizer.steps") == "3")
        #expect(try bench.text("compare model base").hasPrefix("weights differ by "))
        try bench.output("undo 4")
        #expect(try bench.text("optimizer.steps") == "2")
    }

    @Test func `per-token scores are kept and sum up to S`() throws {
        let (bench, expected) = try loaded()
        try bench.output("score per_token=true")
        #expect(
            try bench.text("round(mean(logprobs.tokens[0][4]) - logprobs[0, 1, 1], 5)") == "0")
        let found = try #require(try bench.output("logprobs.tokens[0][4]").value?.asTensor).values
        expectClose(found, expected.tokenLogProbs[4], within: 1e-4, "log-probs of pair 1, 1")
    }

    @Test func `objects come back from disk as they were`() throws {
        let (bench, _) = try loaded(access: .readWrite)
        try bench.output(
            """
            score per_token=true
            contrast
            backward
            update optimizer=adamw learning_rate=1e-4
            one = rollouts[0][1]
            query = rollouts[0]
            mixed = [loss, {"s": logprobs}]
            """)
        let names = bench.session.boundNames.map(\.name)
        #expect(
            names == [
                "base", "gradients", "logprobs", "loss", "mixed", "model", "one", "optimizer",
                "query", "rollouts",
            ])
        var before: [String: String] = [:]
        for name in names { before[name] = try bench.output(name).text.plain }
        bench.session.close()
        let again = try bench.reopened()
        for name in names {
            let value = try #require(try again.value(of: name))
            #expect(value.rendered(again.appearance).plain == before[name], "\(name)")
        }
        let outcomes = again.outcomes(of: "backward; update optimizer=adamw; optimizer.steps")
        #expect(try outcomes.last?.result.get().text.plain == "2")
        again.close()
    }

    @Test func `a learning rate that makes weights non-finite changes nothing`() throws {
        let (bench, _) = try loaded()
        try bench.output("backward")
        let message = bench.complaint("update learning_rate=1e38 optimizer=rmsprop")
        #expect(message.contains("update learning_rate=1e38"))
        #expect(message.contains("                     ^~~~"))
        #expect(try bench.text("compare model base") == "the same weights, every bit")
    }
}
