import JSON
import Testing

@Suite struct WriterTests {
    @Test func `the indented form is that of Python and of the tokenizers package`() {
        let json: JSON = ["a": [1, 2.5], "b": [:], "c": [], "d": ["e": nil]]
        #expect(
            json.pretty == """
                {
                  "a": [
                    1,
                    2.5
                  ],
                  "b": {},
                  "c": [],
                  "d": {
                    "e": null
                  }
                }
                """)
        #expect(json.compact == #"{"a":[1,2.5],"b":{},"c":[],"d":{"e":null}}"#)
    }

    @Test func `flat lists stay on one line`() {
        var writer = JSON.Writer(style: .indented)
        writer.openObject()
        writer.key("rows")
        writer.openArray()
        for _ in 0..<2 {
            writer.openArray(isFlat: true)
            writer.number(Double(1))
            writer.number(Float(0.1))
            writer.closeArray()
        }
        writer.closeArray()
        writer.closeObject()
        #expect(
            writer.text == """
                {
                  "rows": [
                    [1, 0.1],
                    [1, 0.1]
                  ]
                }
                """)
    }

    @Test(arguments: [
        (0, "0"), (-0.0, "-0.0"), (3, "3"), (-1.5, "-1.5"), (0.1, "0.1"), (1e-5, "1e-05"),
        (9_007_199_254_740_992, "9007199254740992"), (1e16, "1e+16"), (.nan, "null"),
        (-.infinity, "null"), (5e-324, "5e-324"),
    ])
    func `numbers take the shortest digits that give them back`(_ number: Double, _ text: String) {
        var writer = JSON.Writer()
        writer.number(number)
        #expect(writer.text == text)
        #expect(!number.isFinite || Double(text) == number)
    }

    @Test func `a number from a program is written as Python writes it`() {
        #expect(JSON.double(1).compact == "1.0" && JSON.double(1e-5).compact == "1e-05")
        #expect(JSON.integer(7).compact == "7" && JSON.double(.nan) == .null)
    }

    @Test func `text is escaped where JSON demands it and nowhere else`() throws {
        let text = "\"\\/\n\r\t\u{8}\u{1F}\u{7F}é\u{2028}😀"
        #expect(
            JSON.quoted(text)
                == #""\"\\/\n\r\t\u0008\u001f"# + "\u{7F}é\u{2028}😀\"")
        #expect(try JSON.read(JSON.quoted(text)) == .string(text))
    }
}
