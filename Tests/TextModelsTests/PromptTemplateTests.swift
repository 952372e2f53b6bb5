import Foundation
import Testing

@testable import TextModels

@Suite struct PromptTemplateTests {
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
            throws: PromptError.unknownGap(
                "principles", known: PromptTemplate.Purpose.response.placeholders, line: 2)
        ) { try PromptTemplate("{query}\n{principles}", for: .response) }
        #expect(throws: PromptError.unpairedBrace(line: 1)) {
            try PromptTemplate("{query", for: .response)
        }
        #expect(throws: PromptError.unpairedBrace(line: 3)) {
            try PromptTemplate("{query}\n\n}", for: .response)
        }
        #expect(throws: PromptError.missingGap(["constitution"])) {
            try PromptTemplate("{query}", for: .response)
        }
        #expect(throws: PromptError.missingGap(["query", "text"])) {
            try PromptTemplate("{constitution}", for: .response)
        }
    }

    @Test func `forms are found by what their responses are called`() {
        #expect(Prompts.tiny.form(about: "Summaries") == .post)
        #expect(Prompts.tiny.form(about: "answers") == .question)
        #expect(Prompts.tiny.form(about: "emails") == nil)
    }

    @Test func `each fault is a sentence`() {
        let sentences: [(PromptError, String)] = [
            (
                .unknownGap("querry", known: ["query", "cue"], line: 2),
                "Line 2 of the template has the unknown placeholder {querry}; the placeholders are {query}, "
                    + "{cue}. For a brace in the text write {{."
            ),
            (
                .unpairedBrace(line: 3),
                "Line 3 of the template has an unpaired brace; for a brace in the text write "
                    + "{{ or }}."
            ),
            (
                .missingGap(["query", "text"]),
                "The template needs the placeholder {query} or {text}."
            ),
        ]
        for (error, sentence) in sentences { #expect("\(error)" == sentence) }
    }
}
