import JSON
import Tensors
import Testing

@testable import Values

@Suite struct ValueJSONTests {
    @Test(arguments: [
        "null", "true", "[]", "{}", "[1,2.5,-3e-07]", "{\"a\":[{\"b\":null}],\"c\":\"x\"}",
        "\"line\\nend \\\"quoted\\\" \\\\ \"", "\"emoji 😀 and \\u001b\"", "0.1", "9007199254740992",
        "-0.0",
    ])
    func `what is read is written the same`(_ text: String) throws {
        #expect(Value(try JSON.read(text)).json == text)
    }

    @Test func `a tensor is nested lists, with null for what JSON cannot say`() {
        let tensor = Tensor([0.1, .nan, 3, -.infinity], shape: [2, 2])
        #expect(Value.tensor(tensor).json == "[[0.1,null],[3.0,null]]")
    }

    @Test func `indented text keeps lists of numbers on a line`() {
        let value = Value.record(["a": .list([.number(1), .number(2)]), "b": .text("x")])
        #expect(value.prettyJSON == "{\n  \"a\": [1, 2],\n  \"b\": \"x\"\n}")
    }
}
