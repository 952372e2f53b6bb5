import Foundation
import Testing

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import ShippedWorld
@testable import Values

/// Responses from another source, through the statements of a user.
@Suite struct RealTextTests {
    private func workbench() throws -> Workbench {
        let bench = try Workbench()
        let files = [
            "q.jsonl": [
                #"{"id": "one", "post": "My cat is 3 years old and sleeps."}"#,
                #"{"id": "two", "post": "My dog barks."}"#,
            ],
            "c.jsonl": [
                #"{"positive": "1. Be concise.\n2. Be polite.", "negative": "1. Be lengthy.\n2. Be polite."}"#
            ],
            "after.jsonl": [
                #"{"id": "one", "response": "A cat sleeps."}"#,
                #"{"id": "two", "response": "A dog barks."}"#,
            ],
            "before.jsonl": [#"{"id": "one", "response": "There is a cat, and it sleeps a lot."}"#],
        ]
        for (name, lines) in files {
            try lines.joined(separator: "\n").write(
                toFile: bench.folder + "/" + name, atomically: true, encoding: .utf8)
        }
        try bench.output(
            "load model default; load queries q.jsonl; load constitutions c.jsonl; compose count=2")
        return bench
    }

    @Test func responsesOfTwoFilesMakeAGridThatIsScoredContrastedAndTrainedOn() throws {
        let bench = try workbench()
        let output = try bench.output("load responses [\"after.jsonl\", \"before.jsonl\"]")
        #expect(output.notes.joined().contains("1 without a response (two)"))
        try bench.output("score; contrast; train steps=1 learning_rate=1e-5")
        #expect(try bench.output("len(rollouts.all)").value?.asInteger == 2)
    }

    @Test func whatIsWrongWithAFileOfResponsesIsSaid() throws {
        let bench = try workbench()
        try "{\"id\": \"one\"}".write(
            toFile: bench.folder + "/bad.jsonl", atomically: true, encoding: .utf8)
        func sentence(_ source: String) -> String {
            guard case .failure(let failure) = bench.run(source).last?.result else { return "" }
            return failure.rendered()
        }
        #expect(sentence("load responses \"after.jsonl\"").contains("give one for each"))
        #expect(
            sentence("load responses [\"after.jsonl\", \"bad.jsonl\"]")
                .contains("line 1: `response` is missing"))
        #expect(sentence("load responses [\"after.jsonl\", 3]").contains("must be text"))
        #expect(sentence("load responses [\"after.jsonl\", \"no.jsonl\"]").contains("no.jsonl"))
    }
}
