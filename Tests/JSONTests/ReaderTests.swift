import JSON
import Testing

@Suite struct ReaderTests {
    @Test func `a document is read in order, numbers with their digits`() throws {
        let json = try JSON.read(
            #" {"b" : [ 9007199254740993, 1e400, -0.50e-05 ], "a": {"x": null, "y": true}} "#)
        #expect(
            json
                == .object([
                    .init(
                        "b",
                        .array([
                            .number("9007199254740993"), .number("1e400"), .number("-0.50e-05"),
                        ])
                    ),
                    .init("a", .object([.init("x", .null), .init("y", .bool(true))])),
                ]))
        let numbers = try #require(json["b"]?.elements)
        #expect(numbers[0].integer == 9_007_199_254_740_993)
        #expect(numbers[1].double == .infinity && numbers[1].integer == nil)
        #expect(numbers[2].double == -0.5e-05)
        #expect(try JSON.read("32.0").integer == 32 && JSON.read("32.5").integer == nil)
        #expect(
            json.compact
                == #"{"b":[9007199254740993,1e400,-0.50e-05],"a":{"x":null,"y":true}}"#)
    }

    @Test(arguments: [
        (#""a\/b\"\\\b\f\n\r\t""#, "a/b\"\\\u{8}\u{C}\n\r\t"), (#""\u0041\u00E9\u00e9""#, "Aéé"),
        (#""\ud83d\ude00""#, "😀"), ("\"\u{7F}é😀\"", "\u{7F}é😀"), (#""""#, ""),
    ])
    func `escapes stand for characters`(_ text: String, _ expected: String) throws {
        #expect(try JSON.read(text) == .string(expected))
    }

    @Test(
        arguments: [
            ("", 1, 1, .endsEarly), ("  \n ", 2, 2, .endsEarly), ("{", 1, 2, .endsEarly),
            ("[1,", 1, 4, .endsEarly), ("{\"a\": 1,}", 1, 9, .noKey),
            ("[1 2]", 1, 4, .noComma(or: "]")),
            ("{\"a\": 1 2}", 1, 9, .noComma(or: "}")), ("{\n  \"a\" 1}", 2, 7, .noColon),
            ("\"é\" 😀x", 1, 5, .textAfterEnd), ("\"abc", 1, 5, .unclosedString),
            ("tru", 1, 1, .noValue), ("[1,]", 1, 4, .noValue), ("+1", 1, 1, .noValue),
            (".5", 1, 1, .noValue), ("-", 1, 2, .endsEarly), ("01", 1, 3, .notANumber),
            ("1.", 1, 3, .endsEarly), ("1.x", 1, 3, .notANumber), ("1e+", 1, 4, .endsEarly),
            ("NaN", 1, 1, .pythonNumber("NaN")), ("[-Infinity]", 1, 2, .pythonNumber("-Infinity")),
            ("\"a\nb\"", 1, 3, .controlCharacter(0x0A)),
            ("\"\u{1}\"", 1, 2, .controlCharacter(1)), (#""\q""#, 1, 3, .unknownEscape),
            (#""\u12G4""#, 1, 6, .badHexadecimal), (#""\ud83d""#, 1, 8, .loneSurrogate),
            (#""\ud83d\n""#, 1, 8, .loneSurrogate), (#""\ude00""#, 1, 8, .loneSurrogate),
            (#"{"a": 1, "\u0061": 2}"#, 1, 10, .repeatedKey("a")),
        ] as [(String, Int, Int, JSON.Fault)])
    func `what is wrong is said with its line and column`(
        _ text: String, _ line: Int, _ column: Int, _ fault: JSON.Fault
    ) {
        #expect(throws: JSON.Problem(line: line, column: column, fault: fault)) {
            try JSON.read(text)
        }
    }

    @Test func `only the lone surrogate is replaced, and not what follows it`() throws {
        // Python's json reads the first as 'x\ud83dAy', the second as 'say \ud83d"no"'.
        let read = { try JSON.read($0 as String, repairs: .loneSurrogates).string }
        #expect(try read(#""x\ud83d\u0041y""#) == "x\u{FFFD}Ay")
        #expect(try read(#""say \ud83d\"no\"""#) == "say \u{FFFD}\"no\"")
        #expect(try read(#""\ude00\ud83d\ud83d\ude00""#) == "\u{FFFD}\u{FFFD}😀")
    }

    @Test func `of repeated keys the last counts where that is asked for`() throws {
        let json = try JSON.read(#"{"a": 1, "b": 2, "a": 3}"#, repairs: .repeatedKeys)
        #expect(json == ["a": 3, "b": 2])
    }

    @Test func `bytes that are not UTF-8 are named`() {
        func fault(_ bytes: [UInt8]) -> JSON.Problem? {
            do throws(JSON.Problem) {
                _ = try JSON.read(bytes)
                return nil
            } catch {
                return error
            }
        }
        #expect(
            fault(Array("{\"text\": \"The caf".utf8) + [0xE9, 0x22, 0x7D])?.description
                == "line 1, column 18: the byte 0xE9 is not UTF-8 text")
        // A surrogate, an overlong form, a character that is cut off.
        for bytes in [[0xED, 0xA0, 0x80], [0xC0, 0xAF], [0xF0, 0x9F, 0x98]] as [[UInt8]] {
            #expect(fault([0x22] + bytes + [0x22])?.fault == .notUTF8(byte: bytes[0]))
        }
        #expect(fault([0x22, 0xC3])?.fault == .notUTF8(byte: 0xC3))
    }

    @Test func `a byte order mark is no text`() throws {
        #expect(try JSON.read("\u{FEFF}[1]") == [1])
        #expect(throws: JSON.Problem(line: 1, column: 2, fault: .noValue)) {
            try JSON.read("[\u{FEFF}1]")
        }
    }

    @Test func `depth, size and the length of numbers are limited`() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        _ = try JSON.read(nested(128))
        for text in [nested(129), String(repeating: "[", count: 1_000_000)] {
            #expect(throws: JSON.Problem(line: 1, column: 129, fault: .tooDeep(limit: 128))) {
                try JSON.read(text)
            }
        }
        #expect(throws: JSON.Problem(line: 1, column: 1, fault: .tooLarge(limit: 3))) {
            try JSON.read("1234", limits: .init(bytes: 3))
        }
        let digits = String(repeating: "9", count: 1000)
        #expect(try JSON.read(digits) == .number(digits))
        #expect(throws: JSON.Problem.self) { try JSON.read(digits + "9") }
    }

    @Test func `keys are told apart by their bytes, few of them and many`() throws {
        for count in [2, 11, 12, 13, 500] {
            let others = (2..<max(2, count)).map { "\"\($0)\": \($0)" }
            let text = "{" + (["\"\u{E9}\": 0", "\"e\u{301}\": 1"] + others).joined(separator: ",")
            let json = try JSON.read(text + "}")
            #expect(json["\u{E9}"] == 0 && json["e\u{301}"] == 1)
            #expect(json.members?.count == count)
            #expect(throws: JSON.Problem.self) { try JSON.read(text + ",\"e\u{301}\": 2}") }
        }
        #expect(JSON.string("\u{E9}") != JSON.string("e\u{301}"))
    }

    @Test func `a document cut at any byte is a fault and never a crash`() throws {
        let text = #"[{"a": "b\u00e9\ud83d\ude00é", "c": [1.5e-3, true, null]}, -2]"#
        let bytes = Array(text.utf8)
        for end in 0..<bytes.count {
            #expect(throws: JSON.Problem.self) { try JSON.read(bytes[..<end]) }
        }
        #expect(try JSON.read(bytes[...]).compact == #"[{"a":"bé😀é","c":[1.5e-3,true,null]},-2]"#)
    }
}
