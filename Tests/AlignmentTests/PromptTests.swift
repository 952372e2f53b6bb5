import Foundation
import Testing
import TextModels

@testable import Alignment

@Suite struct PromptTests {
    static let constitution = Constitution(
        slots: ["Use pirate words.", "Keep it short."].map { Slot(text: $0, polarity: .principle) })
    static let post = Query(id: "1", form: .post, text: " I am 30. Should I {wait}?\n")

    private func training(_ prompts: Prompts, _ query: Query) throws -> String {
        try prompts.trainingPrompt(query, Self.constitution, chat: nil).text
    }

    private func rollout(
        _ prompts: Prompts, _ query: Query
    ) throws -> (text: String, responsePrefix: String) {
        let (prompt, prefix) = try prompts.rolloutPrompt(query, Self.constitution, chat: nil)
        return (prompt.text, prefix)
    }

    @Test func `the shipped model's prompts, to the character`() throws {
        let prompts = Prompts.tiny
        let wanted =
            "Constitution:\n1. Use pirate words.\n2. Keep it short.\n\n"
            + "POST: I am 30. Should I {wait}?\n\nSummary:"
        #expect(try training(prompts, Self.post) == wanted)
        #expect(try rollout(prompts, Self.post) == (wanted, ""))
        let question = Query(id: "2", form: .question, text: "What now?")
        #expect(
            try training(prompts, question)
                .hasSuffix("\n\nQUESTION: What now?\n\nAnswer:"))
        let (writer, beginning) = prompts.writerPrompt(about: "summaries", count: 3)
        guard case .text("Principles for summaries:\n") = writer else {
            Issue.record("\(writer)")
            return
        }
        #expect(beginning.isEmpty)
        #expect(prompts.separator == " ")
    }

    @Test func `general prompts show no example, which a small model would copy`()
        throws
    {
        let prompts = Prompts.general
        for form in QueryForm.allCases {
            let query = Query(id: "1", form: form, text: "Some text.")
            let (rollout, responsePrefix) = try rollout(prompts, query)
            let training = try training(prompts, query)
            #expect(responsePrefix == prompts.words(form).responsePrefix)
            #expect(rollout == training)
            #expect(training.components(separatedBy: "Constitution:\n").count == 2)
            #expect(training.hasSuffix("\n\n" + prompts.words(form).cue))
            #expect(rollout.hasSuffix(prompts.words(form).cue))
            #expect(!rollout.contains("{") && !training.contains("{"))
        }
        #expect(try rollout(prompts, Self.post).responsePrefix == "The post")
        #expect(prompts.writerPrompt(about: "answers", count: 3).beginning == "Principle:")
    }

    @Test func `a response that repeats the prompt or holds no text is broken`() {
        let prompts = Prompts.general
        #expect(prompts.isBroken("See the Summary: here"))
        #expect(prompts.isBroken("bad \u{FFFD}"))
        #expect(prompts.isBroken("bell \u{7}"))
        #expect(!prompts.isBroken("Ünï – 日本 🙂\tfine\nlines"))
    }
}
