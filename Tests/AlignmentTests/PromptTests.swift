import Foundation
import Testing
import TextModels

@testable import Alignment

@Suite struct PromptTests {
    static let constitution = Constitution(
        slots: ["Use pirate words.", "Keep it short."].map { Slot(text: $0, polarity: .principle) })
    static let post = Query(id: "1", form: .post, text: " I am 30. Should I {wait}?\n")

    @Test func `the shipped model's prompts, to the character`() {
        let prompts = Prompts.tiny
        let wanted =
            "Constitution:\n1. Use pirate words.\n2. Keep it short.\n\n"
            + "POST: I am 30. Should I {wait}?\n\nSummary:"
        #expect(prompts.trainingPrompt(Self.post, Self.constitution) == wanted)
        #expect(prompts.rolloutPrompt(Self.post, Self.constitution) == (wanted, ""))
        let question = Query(id: "2", form: .question, text: "What now?")
        #expect(
            prompts.trainingPrompt(question, Self.constitution)
                .hasSuffix("\n\nQUESTION: What now?\n\nAnswer:"))
        #expect(prompts.writerPrompt(about: "summaries", count: 3) == "Principles for summaries:\n")
        #expect(prompts.separator == " ")
    }

    @Test func `general prompts show one example when sampling and none when training`() {
        let prompts = Prompts.general
        for form in QueryForm.allCases {
            let query = Query(id: "1", form: form, text: "Some text.")
            let (rollout, responsePrefix) = prompts.rolloutPrompt(query, Self.constitution)
            let training = prompts.trainingPrompt(query, Self.constitution)
            #expect(rollout.components(separatedBy: "Constitution:\n").count == 3)
            #expect(training.components(separatedBy: "Constitution:\n").count == 2)
            #expect(training.hasSuffix("\n\n" + prompts.words(form).cue))
            #expect(
                rollout.hasSuffix(
                    prompts.words(form).cue + (responsePrefix.isEmpty ? "" : " " + responsePrefix)))
            #expect(!rollout.contains("{") && !training.contains("{"))
        }
        #expect(prompts.rolloutPrompt(Self.post, Self.constitution).responsePrefix == "The post")
        #expect(prompts.writerPrompt(about: "answers", count: 3).hasSuffix("\n\nPrinciple:"))
    }

    @Test func `a response that repeats the prompt or holds no text is broken`() {
        let prompts = Prompts.general
        #expect(prompts.isBroken("See the Summary: here"))
        #expect(prompts.isBroken("bad \u{FFFD}"))
        #expect(prompts.isBroken("bell \u{7}"))
        #expect(!prompts.isBroken("Ünï – 日本 🙂\tfine\nlines"))
    }
}
