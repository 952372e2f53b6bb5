import Tensors
import Testing

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import ShippedWorld
@testable import Values

@Suite struct JSONTests {
    @Test(arguments: [
        "null", "true", "[]", "{}", "[1,2.5,-3e-07]", "{\"a\":[{\"b\":null}],\"c\":\"x\"}",
        "\"line\\nend \\\"quoted\\\" \\\\ \"", "\"emoji 😀 and \\u001b\"", "0.1", "123456789012",
    ])
    func `what is read is written the same`(_ text: String) throws {
        #expect(JSONWriter.text(try JSONReader.value(text)) == text)
    }

    @Test(arguments: [
        ("\"\\ud83d\\ude00\"", "😀"), ("\"\\ud83d\"", "\u{FFFD}"), ("\"a\\/b\"", "a/b"),
        (" \"\\u0041\" ", "A"),
    ])
    func `escapes stand for`(_ text: String, _ expected: String) throws {
        #expect(try JSONReader.value(text).asText == expected)
    }

    @Test(arguments: [
        ("", 1, 1, "the text ends where a value was expected"),
        ("{\"a\": 1,}", 1, 9, "a field name was expected"),
        ("[1 2]", 1, 4, "\",\" or \"]\" was expected"),
        ("{\n  \"a\" 1}", 2, 7, "\":\" was expected after a field name"),
        ("\"abc", 1, 5, "the closing quote is missing"), ("tru", 1, 1, "a value was expected here"),
        ("1 2", 1, 3, "more text follows the end of the value"),
        ("\"\\q\"", 1, 4, "this escape is not one that JSON has"),
        ("+1", 1, 1, "this is not a number"),
    ])
    func `wrong text is refused with its place`(
        _ text: String, _ line: Int, _ column: Int, _ problem: String
    ) {
        #expect(throws: JSONError(line: line, column: column, problem: problem)) {
            try JSONReader.value(text)
        }
    }

    @Test func `nesting beyond all sense is refused`() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: JSONError.self) { try JSONReader.value(deep) }
    }

    @Test func `a tensor is nested lists, with null for what JSON cannot say`() {
        let tensor = Tensor([0.1, .nan, 3, -.infinity], shape: [2, 2])
        #expect(JSONWriter.text(.tensor(tensor)) == "[[0.1,null],[3.0,null]]")
    }

    @Test func `indented text keeps lists of numbers on a line`() {
        let value = Value.record(["a": .list([.number(1), .number(2)]), "b": .text("x")])
        #expect(JSONWriter.pretty(value) == "{\n  \"a\": [1, 2],\n  \"b\": \"x\"\n}")
    }
}
