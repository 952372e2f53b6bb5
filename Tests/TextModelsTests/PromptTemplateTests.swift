import Foundation
import Testing

@testable import TextModels

@Suite struct PromptTemplateTests {
    @Test(arguments: [Prompts.tiny, .general, .chat])
    func `shipped templates parse as a user's do`(_ prompts: Prompts) throws {
        for template in [prompts.rollout, prompts.training, prompts.writer] {
            switch template.form {
            case .text(let text):
                #expect(try PromptTemplate(text.source, for: template.purpose) == template)
            case .messages(let messages):
                let again = try PromptTemplate(
                    messages: messages.map { ($0.role, $0.content.source) }, for: template.purpose)
                #expect(again == template)
            }
        }
        let data = try JSONEncoder().encode(prompts)
        #expect(try JSONDecoder().decode(Prompts.self, from: data) == prompts)
    }

    @Test func `a template of one's own`() throws {
        let template = try PromptTemplate(
            file: "{{x}}\n{text} under {constitution}\n", for: .response)
        let values = ["text": "{cue}", "constitution": "1. A."]
        guard case .text("{x}\n{cue} under 1. A.") = template.rendered(values) else {
            Issue.record("\(template.rendered(values))")
            return
        }
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

    @Test func `messages need what text needs, and end with the user's`() throws {
        func template(
            _ messages: [(PromptTemplate.Message.Role, String)],
            _ purpose: PromptTemplate.Purpose = .response
        ) throws -> PromptTemplate { try PromptTemplate(messages: messages, for: purpose) }
        let rules: (PromptTemplate.Message.Role, String) = (.system, "{constitution}")
        let whole = try template([rules, (.user, "{text}")])
        guard case .messages(let messages) = whole.rendered(["constitution": "A", "text": "{cue}"])
        else { throw PromptError.noMessages }
        #expect(messages.map(\.role) == ["system", "user"])
        #expect(messages.map(\.content) == ["A", "{cue}"])
        #expect(throws: PromptError.noMessages) { try template([]) }
        #expect(throws: PromptError.lastMessage) { try template([(.user, "{text}"), rules]) }
        #expect(throws: PromptError.missingGap(["query", "text"])) {
            try template([rules, (.user, "Hello")])
        }
        #expect(throws: PromptError.inMessage(1, .unpairedBrace(line: 2))) {
            try template([rules, (.user, "{text}\n{")])
        }
        let begun: [(PromptTemplate.Message.Role, String)] = [
            (.user, "{about}"), (.assistant, "Principle:"),
        ]
        _ = try template(begun, .principles)
        #expect(throws: PromptError.lastMessage) {
            try template([(.user, "{text} {constitution}"), (.assistant, "Yes")])
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
            (
                .inMessage(1, .unpairedBrace(line: 1)),
                "In messages[1]: Line 1 of the template has an unpaired brace; for a brace in the "
                    + "text write {{ or }}."
            ),
            (
                .lastMessage,
                "The last message must be the user's, because the model answers it."
            ),
        ]
        for (error, sentence) in sentences { #expect("\(error)" == sentence) }
    }
}
