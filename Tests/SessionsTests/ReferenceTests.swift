import Foundation
import Tensors
import Testing
import Transformers

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import ShippedWorld
@testable import Values

/// The step-by-step verbs on a model whose values torch computed
/// (`shared/reference/README.md` says how).
@Suite(
    .enabled(
        if: Workbench.hasShared("reference/models/llama"),
        "needs ../shared/reference/models/llama"))
struct ReferenceTests {
    private let folder = Workbench.shared("reference/models/llama")

    private func expected() throws -> SafeTensors {
        try SafeTensors(path: folder + "/expected.safetensors")
    }

    private func loaded() throws -> Workbench {
        let bench = try Workbench()
        try bench.output("load model \"\(folder)\"; load rollouts \"\(folder)/rollouts.jsonl\"")
        return bench
    }

    @Test(arguments: ["llama3", "mistral", "mixtral", "qwen2", "qwen3", "gpt2"])
    func `every family gives torch's S and loss`(_ family: String) throws {
        let folder = Workbench.shared("reference/models/\(family)")
        let expected = try SafeTensors(path: folder + "/expected.safetensors")
        let bench = try Workbench()
        try bench.output("load model \"\(folder)\"; load rollouts \"\(folder)/rollouts.jsonl\"")
        let scores = try #require(try bench.output("score").value?.asTensor)
        for (found, wanted) in zip(scores.values, try numbers(expected, "S")) {
            #expect(abs(found - wanted) <= 1e-4 * abs(wanted))
        }
        try bench.output("contrast")
        let loss = try #require(try bench.output("loss.value").value?.asNumber)
        #expect(abs(loss - Double(try #require(try numbers(expected, "loss").first))) < 1e-4)
    }

    private func numbers(_ file: SafeTensors, _ name: String) throws -> [Float] {
        try #require(file.tensor(name)).values
    }

    @Test func `score and contrast give torch's S and loss`() throws {
        let bench = try loaded()
        let scores = try #require(try bench.output("score").value?.asTensor)
        #expect(scores.shape == [1, 3, 3])
        for (found, wanted) in zip(scores.values, try numbers(expected(), "S")) {
            #expect(abs(found - wanted) <= 1e-4 * abs(wanted))
        }
        try bench.output("contrast")
        for name in ["loss", "loss_row", "loss_column"] {
            let field = ["loss": "value", "loss_row": "row", "loss_column": "column"][name] ?? ""
            let found = try #require(try bench.output("loss.\(field)").value?.asNumber)
            let wanted = try #require(try numbers(expected(), name).first)
            #expect(abs(found - Double(wanted)) < 1e-4, "\(name)")
        }
        #expect(try bench.text("round(loss.ceiling, 6)") == "1.098612")
    }

    @Test func `backward gives torch's gradients, and export writes them under their names`() throws
    {
        let bench = try loaded()
        try bench.output("backward; export gradients g.safetensors")
        let file = try SafeTensors(path: bench.folder + "/g.safetensors")
        let expected = try expected()
        #expect(file.entries.count > 10)
        for name in file.entries.keys {
            let found = try numbers(file, name)
            let wanted = try numbers(expected, "gradient." + name)
            let scale = wanted.map { abs($0) }.max() ?? 0
            for (a, b) in zip(found, wanted) {
                #expect(abs(a - b) <= 1e-3 * abs(b) + 1e-4 * scale, "\(name)")
            }
        }
    }

    @Test func `three updates follow torch's three RMSprop steps`() throws {
        let bench = try loaded()
        let expected = try expected()
        for step in 1...3 {
            try bench.output("backward; update optimizer=rmsprop learning_rate=1e-3")
            try bench.output("score; contrast")
            let found = try #require(try bench.output("loss.value").value?.asNumber)
            let wanted = Double(
                try #require(try numbers(expected, "after_step_\(step).loss").first))
            #expect(abs(found - wanted) <= 2e-2 * abs(wanted), "step \(step)")
        }
        #expect(try bench.text("optimizer.steps") == "3")
        #expect(try bench.text("compare model base").hasPrefix("weights differ by "))
        try bench.output("undo 4")
        #expect(try bench.text("optimizer.steps") == "2")
    }

    @Test func `per-token scores are kept and sum up to S`() throws {
        let bench = try loaded()
        try bench.output("score per_token=true")
        #expect(
            try bench.text("round(mean(logprobs.tokens[0][4]) - logprobs[0, 1, 1], 5)") == "0")
        let wanted = try numbers(expected(), "token_logprobs.1.1")
        let found = try #require(try bench.output("logprobs.tokens[0][4]").value?.asTensor).values
        #expect(found.count == wanted.count)
        for (a, b) in zip(found, wanted) { #expect(abs(a - b) < 1e-3) }
    }

    @Test func `objects come back from disk as they were`() throws {
        let bench = try Workbench(access: .readWrite)
        try bench.output(
            """
            load model "\(folder)"
            load rollouts "\(folder)/rollouts.jsonl"
            score per_token=true
            contrast
            backward
            update optimizer=adamw learning_rate=1e-4
            one = rollouts[1]
            mixed = [loss, {"s": logprobs}]
            """)
        let names = bench.session.boundNames.map(\.name)
        #expect(
            names == [
                "base", "gradients", "logprobs", "loss", "mixed", "model", "one", "optimizer",
                "rollouts",
            ])
        var before: [String: String] = [:]
        for name in names { before[name] = try bench.output(name).text.plain }
        bench.session.close()
        let again = try bench.reopened()
        for name in names {
            let value = try #require(try again.value(of: name))
            #expect(value.rendered(again.appearance).plain == before[name], "\(name)")
        }
        var text = ""
        again.evaluate("update optimizer=adamw learning_rate=1e-4; optimizer.steps") { outcome in
            text = (try? outcome.result.get().text.plain) ?? "\(outcome.result)"
        }
        #expect(text == "2")
        again.close()
    }

    @Test func `a learning rate that makes weights non-finite changes nothing`() throws {
        let bench = try loaded()
        try bench.output("backward")
        let message = bench.complaint("update learning_rate=1e38 optimizer=rmsprop")
        #expect(message.contains("update learning_rate=1e38"))
        #expect(message.contains("                     ^~~~"))
        #expect(try bench.text("compare model base") == "the same weights, every bit")
    }
}
