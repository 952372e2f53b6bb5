import Foundation
import Tensors
import Testing
import TextModels
import Tokenizers
import Transformers

@testable import Alignment

@Suite struct IdentityTests {
    @Test func `ids are compared byte by byte`() {
        let composed: QueryID = "caf\u{E9}"
        let decomposed: QueryID = "cafe\u{301}"
        #expect(composed.text == decomposed.text)
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed, composed]).count == 2)
        #expect(TextOrTokens.text("caf\u{E9}") != .text("cafe\u{301}"))
        #expect(Set([TextOrTokens.text("caf\u{E9}"), .text("cafe\u{301}")]).count == 2)
    }

    @Test func `an id is text on disk, and a place of an older workspace becomes one`() throws {
        let decoder = JSONDecoder()
        #expect(
            try decoder.decode([QueryID].self, from: Data(#"["007", 7]"#.utf8)) == ["007", "7"])
        let json = try JSONEncoder().encode(["7"] as [QueryID])
        #expect(String(decoding: json, as: UTF8.self) == #"["7"]"#)
    }

    @Test func `two queries of one id are refused by every step that takes a list`() throws {
        let queries = [Babbler.queries[0], Babbler.queries[1], Babbler.queries[0]]
        let babbler = try Babbler.words()
        let groups = try Composer().compose(
            Array(queries.prefix(2)), from: Babbler.pairs, key: RandomKey(seed: 1))
        let refusal = AlignmentError.duplicateQuery("q0")
        #expect(throws: refusal) {
            try Composer().compose(queries, from: Babbler.pairs, key: RandomKey(seed: 1))
        }
        #expect(throws: refusal) {
            try RolloutSampler().sample(
                queries, groups, with: babbler.text(), key: RandomKey(seed: 1))
        }
        #expect(throws: refusal) {
            try PairSampler().pairs(
                queries, groups, first: .init(babbler.text()), second: .init(babbler.text()),
                key: RandomKey(seed: 1))
        }
        #expect(throws: refusal) {
            try Rollouts(
                written: [[], []], queries: queries, constitutions: groups, prompts: .tiny)
        }
        #expect(throws: refusal) { try MeasuredJudge(WordMeasure(), queries: queries) }
    }

    @Test func `constitutions find their query by its id, whatever the order of the list`() throws {
        let babbler = try Babbler.words()
        let queries = Array(Babbler.queries.prefix(3))
        let groups = try Composer().compose(
            queries, from: Babbler.pairs, key: RandomKey(seed: 5))
        let rollouts = try RolloutSampler(RolloutTests.settings()).sample(
            queries.reversed(), groups, with: babbler.text(), key: RandomKey(seed: 6))
        #expect(!rollouts.groups.isEmpty)
        for group in rollouts.groups {
            let own = try #require(groups.first { $0.query == group.id })
            #expect(group.constitutions == own.constitutions)
            #expect(
                group.prompts[0]
                    == .text(
                        try Prompts.tiny.trainingPrompt(
                            try #require(queries.first { $0.id == group.id }), own.training[0],
                            chat: nil
                        ).text))
        }
    }

    @Test func `a pair whose query the judge does not know is refused by id`() throws {
        var pair = JudgeTests.pair(["Say arr."], "arr", "")
        pair.id = "elsewhere"
        #expect(throws: AlignmentError.unknownQuery("elsewhere")) {
            try JudgeTests.judge().judge([pair])
        }
    }

    @Test func `the same response under two constitutions of a file leaves its query out`() throws {
        func line(_ number: Int, _ query: QueryID, _ c: Int, _ response: String) -> RolloutLine {
            RolloutLine(
                line: number, query: query, constitution: c, prompt: .text("p\(c)"),
                response: .text(response))
        }
        let rollouts = try Rollouts(lines: [
            line(1, "a", 0, "same"), line(2, "a", 1, "same"), line(3, "b", 0, "one"),
            line(4, "b", 1, "other"), line(5, "b", 0, "one"), line(6, "b", 1, "third"),
            line(7, "c", 0, "caf\u{E9}"), line(8, "c", 1, "cafe\u{301}"),
        ])
        // The same response twice under one constitution is a sample like any other.
        #expect(rollouts.groups.map(\.id) == ["b", "c"])
        #expect(rollouts.rejected.map(\.id) == ["a"])
        #expect(rollouts.rejected[0].reason == .identical && rollouts.rejected[0].text == "same")
    }

    @Test func `prompts that differ in bytes alone are two prompts`() throws {
        let lines = ["caf\u{E9}", "cafe\u{301}"].enumerated().map { index, prompt in
            RolloutLine(
                line: index + 1, query: "0", constitution: 0, prompt: .text(prompt),
                response: .text("r\(index)"))
        }
        #expect(throws: AlignmentError.rolloutLine(2, .otherPrompt(first: 1))) {
            try Rollouts(lines: lines)
        }
    }

    @Test func `rollouts of an older workspace are read`() throws {
        let json = #"""
            {"groups": [{"id": "summaries-0", "query": 3, "joint": " ",
              "asked": {"id": "summaries-0", "form": "post", "text": "A post."},
              "constitutions": [{"slots": [{"text": "Do x.", "polarity": "principle"}]}],
              "prompts": [{"text": {"_0": "P:"}}],
              "responses": [{"passage": {"text": {"_0": "A b."}}, "constitution": 0, "sample": 0,
                "sampledTokens": 4}]}],
             "rejected": [{"id": "summaries-1", "query": 4, "reason": "empty", "text": ""}],
             "settings": {"temperature": 0.5, "topK": 3, "topP": 0.9, "minP": 0, "maxTokens": 7,
               "samples": 1, "overflow": "skip", "requiresEnd": true},
             "isStopped": false}
            """#
        let rollouts = try JSONDecoder().decode(Rollouts.self, from: Data(json.utf8))
        #expect(rollouts.queries == [Query(id: "summaries-0", form: .post, text: "A post.")])
        #expect(rollouts.groups[0].id == "summaries-0")
        let response = rollouts.groups[0].responses[0]
        #expect(response.text == "A b." && response.sampledTokens == 4 && response.sampled == nil)
        #expect(rollouts.rejected[0].id == "summaries-1")
        #expect(
            rollouts.settings?.sampling
                == Sampling(temperature: 0.5, topK: 3, topP: 0.9, maxTokens: 7))
        let again = try JSONDecoder().decode(
            Rollouts.self, from: try JSONEncoder().encode(rollouts))
        #expect(again == rollouts)
        let settings = try JSONSerialization.jsonObject(
            with: try JSONEncoder().encode(RolloutSettings()))
        #expect((settings as? [String: Any])?["maxTokens"] as? Int == 96)
    }
}
