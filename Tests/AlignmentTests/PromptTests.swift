import Foundation
import Testing

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
        #expect(prompts.joint == " ")
    }

    @Test func `general prompts show one example when sampling and none when training`() {
        let prompts = Prompts.general
        for form in QueryForm.allCases {
            let query = Query(id: "1", form: form, text: "Some text.")
            let (rollout, opening) = prompts.rolloutPrompt(query, Self.constitution)
            let training = prompts.trainingPrompt(query, Self.constitution)
            #expect(rollout.components(separatedBy: "Constitution:\n").count == 3)
            #expect(training.components(separatedBy: "Constitution:\n").count == 2)
            #expect(training.hasSuffix("\n\n" + prompts.words(form).cue))
            #expect(
                rollout.hasSuffix(prompts.words(form).cue + (opening.isEmpty ? "" : " " + opening)))
            #expect(!rollout.contains("{") && !training.contains("{"))
        }
        #expect(prompts.rolloutPrompt(Self.post, Self.constitution).opening == "The post")
        #expect(prompts.writerPrompt(about: "answers", count: 3).hasSuffix("\n\nPrinciple:"))
    }

    @Test(arguments: [false, true])
    func `shipped templates parse as a user's do`(isGeneral: Bool) throws {
        let prompts = isGeneral ? Prompts.general : .tiny
        for template in [prompts.rollout, prompts.training, prompts.writer] {
            #expect(try PromptTemplate(template.source, for: template.purpose) == template)
        }
        let data = try JSONEncoder().encode(prompts)
        #expect(try JSONDecoder().decode(Prompts.self, from: data) == prompts)
    }

    @Test func `a template of one's own`() throws {
        let template = try PromptTemplate(
            file: "{{x}}\n{text} under {constitution}\n", for: .response)
        #expect(
            template.rendered(["text": "{cue}", "constitution": "1. A."])
                == "{x}\n{cue} under 1. A.")
    }

    @Test func `what is wrong with a template is said with its line`() {
        #expect(
            throws: AlignmentError.templatePlaceholder(
                "principles", known: PromptTemplate.Purpose.response.placeholders, line: 2)
        ) { try PromptTemplate("{query}\n{principles}", for: .response) }
        #expect(throws: AlignmentError.templateBrace(line: 1)) {
            try PromptTemplate("{query", for: .response)
        }
        #expect(throws: AlignmentError.templateBrace(line: 3)) {
            try PromptTemplate("{query}\n\n}", for: .response)
        }
        #expect(throws: AlignmentError.templateMissing(["constitution"])) {
            try PromptTemplate("{query}", for: .response)
        }
        #expect(throws: AlignmentError.templateMissing(["query", "text"])) {
            try PromptTemplate("{constitution}", for: .response)
        }
    }

    @Test func `a response is cut at the first marker`() {
        let prompts = Prompts.general
        #expect(prompts.cut("A b.\n\nPOST: x") == ("A b.", true))
        #expect(prompts.cut("A b.\nPOST: x\n\n") == ("A b.", true))
        #expect(prompts.cut("A b.") == ("A b.", false))
        #expect(prompts.isBroken("See the Summary: here"))
        #expect(prompts.isBroken("bad \u{FFFD}"))
        #expect(prompts.isBroken("bell \u{7}"))
        #expect(!prompts.isBroken("Ünï – 日本 🙂\tfine\nlines"))
    }

    @Test func `forms are found by what their responses are called`() {
        #expect(Prompts.tiny.form(about: "Summaries") == .post)
        #expect(Prompts.tiny.form(about: "answers") == .question)
        #expect(Prompts.tiny.form(about: "emails") == nil)
    }
}
