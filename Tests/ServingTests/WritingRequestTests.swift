import JSON
import TestSupport
import Testing
import TextModels

@testable import Serving

@Suite struct WritingRequestTests {
    private func fields(_ text: String) throws -> RequestFields {
        try RequestFields(JSON.read(Array(text.utf8)))
    }

    @Test(arguments: [
        #"{"presence_penalty": 0, "user": "me", "logit_bias": {}, "tools": [], "seed": null}"#,
        #"{"response_format": {"type": "text"}, "tool_choice": "none", "best_of": 1}"#,
    ])
    func `fields that ask for nothing are accepted`(_ text: String) throws {
        try fields(text).finish()
    }

    @Test(arguments: [
        (#"{"presence_penalty": 0.5}"#, "presence_penalty"), (#"{"best_of": 4}"#, "best_of"),
        (#"{"tools": [{}]}"#, "tools"),
        (
            #"{"response_format": {"type": "json_object"}}"#,
            "response_format"
        ), (#"{"anything": 1}"#, "anything"),
        (#"{"logit_bias": {"5": 100}}"#, "logit_bias"),
    ])
    func `a wish that is not granted is refused by name`(_ text: String, _ field: String) throws {
        let refusal = #expect(throws: Refusal.self) { try fields(text).finish() }
        #expect(refusal?.field == field && refusal?.status == 400)
    }

    @Test func `values out of range and of another kind are refused`() throws {
        var found = try fields(#"{"a": -1, "b": 1.5, "c": "x", "d": [1, "y"], "e": 1e300}"#)
        #expect(throws: Refusal.self) { try found.integer("a", in: 0...3) }
        #expect(throws: Refusal.self) { try found.integer("b", in: 0...3) }
        #expect(throws: Refusal.self) { try found.flag("c") }
        #expect(throws: Refusal.self) { try found.texts("d") }
        #expect(throws: Refusal.self) { try found.integer("e", in: 0...3) }
        #expect(try found.texts("c") == ["x"])
        #expect(throws: Refusal.self) { try RequestFields([1]) }
    }

    @Test func `parts of a stream are never taken back`() {
        var parts = TextParts(stops: ["\n\n", "END"])
        #expect(parts.next("One") == "One")
        // A line feed may begin a stop string.
        #expect(parts.next("One\n") == nil)
        #expect(parts.next("One\nt") == "\nt")
        #expect(parts.next("One\ntwo E") == "wo ")
        #expect(parts.next("One\ntwo EN") == nil)
        // Half a character waits for the rest of it.
        #expect(parts.next("One\ntwo ENj\u{FFFD}") == "ENj")
        #expect(parts.next("One\ntwo ENjé") == "é")
        #expect(parts.next("One\ntwo ENjé\n\nmore") == nil)
        #expect(parts.rest("One\ntwo ENjé") == nil)
        var none = TextParts(stops: [])
        #expect(none.next("a") == "a" && none.rest("ab") == "b" && none.rest("ab") == nil)
    }
}
