import Foundation
import Testing

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import ShippedWorld
@testable import Values

@Suite struct CompletionTests {
    private func texts(_ bench: Workbench, _ source: String) -> [String] {
        bench.session.completions(in: source, at: source.utf8.count).items.map(\.text)
    }

    @Test func `verbs, forms, keys and words come from the table`() throws {
        let bench = try Workbench()
        #expect(texts(bench, "roll").contains("rollout"))
        #expect(
            Set(texts(bench, "load ")).isSuperset(
                of: ["model", "queries", "constitutions", "rollouts", "tokenizer"]))
        #expect(texts(bench, "update opt") == ["optimizer="])
        #expect(texts(bench, "update optimizer=") == ["rmsprop", "adamw"])
        #expect(texts(bench, "score normalize=m") == ["mean"])
        let described = bench.session.completions(in: "score norm", at: 10).items
        #expect(described.first?.summary == "the score from token log-probs; default: mean")
        #expect(described.first?.isWhole == false)
    }

    @Test func `names, fields and functions come from the workspace`() throws {
        let bench = try Workbench()
        try bench.output("numbers = tensor([[1, 2], [3, 4]]); notes = {\"alpha\": 1, \"beta\": 2}")
        #expect(texts(bench, "x = numb") == ["numbers"])
        #expect(texts(bench, "numbers.sh") == ["shape"])
        #expect(texts(bench, "notes.") == ["alpha", "beta"])
        #expect(texts(bench, "softm") == ["softmax("])
        #expect(texts(bench, "rm n") == ["notes", "numbers"])
        #expect(texts(bench, "numbers[0].m") == ["min", "max", "mean"])
    }

    @Test func `keys and ids are offered inside brackets`() throws {
        let bench = try Workbench()
        try bench.output("notes = {\"alpha\": 1, \"be ta\": {\"gamma\": 2}}; alter = 3")
        #expect(texts(bench, "notes[").starts(with: ["\"alpha\"]", "\"be ta\"]"]))
        #expect(texts(bench, "notes[\"al") == ["alpha\"]"])
        #expect(texts(bench, "y = 1 + notes['be") == ["be ta']"])
        #expect(texts(bench, "notes[\"be ta\"][\"") == ["gamma\"]"])
        #expect(texts(bench, "notes[alt") == ["alter"])
        #expect(texts(bench, "print = notes[\"alpha\"") == [])
        try bench.output("load queries summaries count=3")
        let ids = (0..<3).map { "summaries-train-\($0)\"]" }
        #expect(texts(bench, "queries[\"summ") == ids)
        #expect(texts(bench, "show queries[\"summ") == ids)
        for source in texts(bench, "queries[") where source.hasPrefix("\"") {
            _ = try bench.output("queries[" + source)
        }
    }

    @Test func `a place that wants one kind offers the names of that kind`() throws {
        let bench = try Workbench()
        try bench.output(
            "load model default; load queries summaries count=2; rate = 0.5; s = \"x\"")
        #expect(texts(bench, "judge model=") == ["base", "model"])
        #expect(texts(bench, "undo ") == ["rate"])
        #expect(texts(bench, "generate \"x\" temperature=") == ["rate"])
        #expect(texts(bench, "rollout ").starts(with: ["queries"]) == false)
        #expect(texts(bench, "rollout ").contains("queries"))
        #expect(!texts(bench, "rollout ").contains("model"))
        #expect(texts(bench, "rollout que") == ["queries"])
        #expect(texts(bench, "judge model=que") == ["queries"])
        #expect(texts(bench, "undo 1 + ").contains("queries"))
    }

    @Test func `paths come from the folder, quoted where they have blanks`() throws {
        let bench = try Workbench()
        try bench.write("posts.jsonl", "x")
        try bench.write("my posts.jsonl", "x")
        try FileManager.default.createDirectory(
            atPath: bench.folder + "/postsfolder", withIntermediateDirectories: true)
        #expect(texts(bench, "load rollouts po") == ["posts.jsonl", "postsfolder/"])
        #expect(texts(bench, "load rollouts m") == ["\"my posts.jsonl\""])
    }

    @Test func `completing anywhere in a block never fails`() throws {
        let bench = try Workbench()
        try bench.output("x = ones(2, 2)")
        let source =
            "y = x[0].mean + sum(x, axis=0)\nload queries \"a b\" split=test\n# é 日本\n_ = x"
        for cursor in 0...source.utf8.count + 3 {
            let list = bench.session.completions(in: source, at: cursor)
            #expect(list.replacing.lower <= list.replacing.upper)
        }
    }
}
