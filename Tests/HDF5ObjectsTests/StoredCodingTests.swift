import Foundation
import JSON
import Testing

@testable import HDF5Objects

/// `Codable` values as trees, and back.
@Suite struct StoredCodingTests {
    enum Word: String, Codable, CaseIterable { case constant, linear, cosine }

    enum Passage: Codable, Equatable {
        case text(String)
        case tokens([Int32])
        case both(text: String, tokenCount: Int)
        case nothing
    }

    struct Part: Codable, Equatable {
        var name = "é e\u{301} \"quoted\"\n/slash\u{7}"
        var isWhole = true
        var count: Int?
        var ratio: Double? = 0.1
        var passages: [Passage] = [.text("a"), .tokens([1, -2]), .both(text: "", tokenCount: 3)]
        var nothing = Passage.nothing
        var word = Word.linear
    }

    struct Whole: Codable, Equatable {
        var rowAccuracy = 1.0 / 3
        var someURLPath = "a"
        var someHTTPField = 1
        var isL2Norm = false
        var beta2 = 0.999
        var aB1c = 1
        var value2 = -0.0
        var tiny = Double.leastNonzeroMagnitude
        var large = Double.greatestFiniteMagnitude
        var nan: [Double] = [.infinity, -.infinity]
        var single: Float = 0.1
        var singles: [Float] = [1e-45, 3.4028235e38, 16_777_217, 1 / 3, 8.589973e9, -0.0]
        var bytes: [UInt8] = [0, 255]
        var small: Int8 = -128
        var exact = 1 << 60
        var places: [Int?] = [1, nil, 3]
        var grid = [[1, 2], [], [3]]
        var parts = [Part(), Part(count: 7, ratio: nil)]
        var byName = ["rowAccuracy": 1, "a_b": 2, "a/b": 3, "": 4, "B": 5]
        var byWord = ["x": Part()]
        var data = Data([0, 1, 254, 255])
        var optional: Part?
    }

    /// Two containers of one record, as `RolloutSettings` has them, and containers in containers.
    struct ByHand: Codable, Equatable {
        var whole = Part()
        var extra = 5
        var list = [1.5, 2]

        enum Key: String, CodingKey {
            case extraField, nested, innerList
            case topP = "top_p"
        }

        init() {}

        init(from decoder: any Decoder) throws {
            whole = try Part(from: decoder)
            let fields = try decoder.container(keyedBy: Key.self)
            extra = try fields.decode(Int.self, forKey: .extraField)
            let nested = try fields.nestedContainer(keyedBy: Key.self, forKey: .nested)
            var list = try nested.nestedUnkeyedContainer(forKey: .innerList)
            self.list = []
            while !list.isAtEnd { self.list.append(try list.decode(Double.self)) }
        }

        func encode(to encoder: any Encoder) throws {
            try whole.encode(to: encoder)
            var fields = encoder.container(keyedBy: Key.self)
            try fields.encode(extra, forKey: .extraField)
            var nested = fields.nestedContainer(keyedBy: Key.self, forKey: .nested)
            var list = nested.nestedUnkeyedContainer(forKey: .innerList)
            for number in self.list { try list.encode(number) }
        }
    }

    /// The tree by way of JSON, as version 0.1.0 made it.
    private func treeByJSON(_ value: some Encodable) throws -> StoredValue {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return StoredValue(try JSON.read(try encoder.encode(value), limits: .init(depth: 200)))
    }

    private func expectSameDigest<Value: Codable & Equatable>(_ value: Value) throws {
        let tree = try StoredValue(encoding: value)
        let digest = try StoredObject(kind: "value", value: tree).digest()
        let byJSON = try treeByJSON(value)
        #expect(tree == byJSON)
        #expect(try StoredObject(kind: "value", value: byJSON).digest() == digest)
        #expect(try tree.decoded(as: Value.self) == value)
    }

    @Test func `trees and digests are those that JSONEncoder gave`() throws {
        try expectSameDigest(Whole())
        try expectSameDigest(ByHand())
        try expectSameDigest([Part(), Part(count: -3)])
        try expectSameDigest(["a": [1.5], "b": []])
        try expectSameDigest([Word.cosine, .constant])
        try expectSameDigest([[Float]]())
        try expectSameDigest([1: "one", 2: "two"])
        try expectSameDigest(Passage.tokens([]))
        try expectSameDigest(Optional(3))
    }

    @Test func `names become those of the language`() {
        for (name, snake) in [
            ("columnAccuracy", "column_accuracy"), ("a", "a"), ("_0", "_0"), ("topP", "top_p"),
            ("myURLProperty", "my_url_property"), ("isL2Norm", "is_l2_norm"),
        ] {
            #expect(SnakeCaseNames.snakeCase(name) == snake)
        }
        for (snake, name) in [
            ("column_accuracy", "columnAccuracy"), ("_0", "_0"),
            ("_private_name_", "_privateName_"),
            ("joint", "joint"), ("isStopped", "isStopped"), ("", ""), ("__", "__"),
        ] {
            #expect(SnakeCaseNames.camelCase(snake) == name)
        }
    }

    @Test func `integers that a double cannot represent keep their bits`() throws {
        struct Seeds: Codable, Equatable {
            var signed: [Int64] = [.min, .max, 1 << 53, (1 << 53) + 1, -(1 << 53) - 1]
            var unsigned: [UInt64] = [.max, 1 << 63, (1 << 63) + 1]
        }
        let tree = try StoredValue(encoding: Seeds())
        #expect(tree["signed"]?.listValue?[1] == "9223372036854775807")
        #expect(tree["signed"]?.listValue?[2] == 9_007_199_254_740_992)
        #expect(try tree.decoded(as: Seeds.self) == Seeds())
        // As a value that was written and read again.
        var writer = JSON.Writer()
        try tree.write(to: &writer) { _, _ in "" }
        let again = StoredValue(try JSON.read(writer.bytes))
        #expect(try again.decoded(as: Seeds.self) == Seeds())
    }

    @Test func `any float32 keeps its bits`() throws {
        var bits: UInt32 = 1
        for _ in 0..<20_000 {
            bits = bits &* 1_664_525 &+ 1_013_904_223
            let value = Float(bitPattern: bits)
            let again = try StoredValue(encoding: [value]).decoded(as: [Float].self)[0]
            #expect(again == value || again.isNaN && value.isNaN, "\(bits)")
        }
    }

    @Test func `numbers that are not finite are words`() throws {
        let tree = try StoredValue(encoding: [Double.nan, .infinity, -.infinity])
        #expect(tree == ["nan", "inf", "-inf"])
        let again = try tree.decoded(as: [Float].self)
        #expect(again[0].isNaN && again[1] == .infinity && again[2] == -.infinity)
    }

    @Test func `keys may have the form of older versions, and unknown fields are ignored`() throws {
        struct Record: Codable, Equatable { var rowAccuracy: Double }
        for tree: StoredValue in [
            ["row_accuracy": 0.5], ["rowAccuracy": 0.5, "later": [1, nil]],
        ] {
            #expect(try tree.decoded(as: Record.self) == Record(rowAccuracy: 0.5))
        }
    }

    @Test func `of a key that is encoded twice the last value stays`() throws {
        struct Twice: Encodable {
            enum Key: String, CodingKey { case b, a }
            func encode(to encoder: any Encoder) throws {
                for number in [1, 2, 3] {
                    var fields = encoder.container(keyedBy: Key.self)
                    try fields.encode(number, forKey: .b)
                    try fields.encode(-number, forKey: .a)
                }
            }
        }
        #expect(try StoredValue(encoding: Twice()) == ["a": -3, "b": 3])
    }

    @Test func `a tree of another form is refused with the path of the field`() throws {
        struct Inner: Codable {
            var name: String
            var place: Int
            var small: UInt8
            var word: Word
            var passage: Passage
            var data: Data
            var ratio: Float
        }
        struct Outer: Codable { var innerParts: [Inner] }

        let sound: StoredRecord = [
            "name": "n", "place": 1, "small": 2, "word": "linear", "data": "AAE=", "ratio": 0.5,
            "passage": ["text": ["_0": "a"]],
        ]
        func sentence(_ key: String, _ value: StoredValue?) -> String {
            var record = sound
            record[key] = value
            let tree: StoredValue = [
                "inner_parts": .list([.record(sound), .record(record)])
            ]
            do {
                _ = try tree.decoded(as: Outer.self)
                return "no error"
            } catch {
                return error.description
            }
        }
        #expect(sentence("name", "other") == "no error")
        let array = StoredValue.array(try StoredArray([1 as Float], shape: [1]))
        let cases: [(String, StoredValue?, String)] = [
            ("name", nil, "name: it is missing"),
            ("name", 3, "name: a text was expected, not a number"),
            ("name", .null, "name: a text was expected, not null"),
            ("place", "1", "place: a number was expected, not a text"),
            ("place", "9007199254740992", "place: a number was expected, not a text"),
            ("place", 1.5, "place: 1.5 is not a whole number"),
            ("place", 1e300, "place: 1e+300 is out of range"),
            ("place", .number(.nan), "place: nan is not a whole number"),
            ("place", .number(.infinity), "place: inf is out of range"),
            ("small", 256, "small: 256.0 is out of range"),
            ("small", -1, "small: -1.0 is out of range"),
            ("ratio", 1e39, "ratio: 1e+39 is out of range"),
            ("ratio", array, "ratio: a number was expected, not an array"),
            ("word", "square", #"word: "square" is none of constant, linear, cosine"#),
            ("word", true, "word: a text was expected, not a boolean"),
            ("data", "*", "data: this is not base64 text"),
            ("passage", "a", "passage: a record was expected, not a text"),
            ("passage", [:], "passage: it has another form"),
            ("passage", ["text": ["_0": 1]], "passage.text._0: a text was expected, not a number"),
            ("passage", ["text": ["_0": 1], "tokens": [:]], "passage: it has another form"),
            (
                "passage", ["tokens": ["_0": [1, 2, 3e9]]],
                "passage.tokens._0[2]: 3000000000.0 is out of range"
            ),
        ]
        for (key, value, expected) in cases {
            #expect(sentence(key, value) == "innerParts[1]." + expected)
        }
        for (tree, expected): (StoredValue, String) in [
            ([], "a record was expected, not a list"),
            (["inner_parts": [:]], "innerParts: a list was expected, not a record"),
            (array, "a record was expected, not an array"),
            (nil, "a record was expected, not null"),
        ] {
            let error = #expect(throws: StoredFormError.self) {
                try tree.decoded(as: Outer.self)
            }
            #expect(error?.description == expected)
        }
    }

    indirect enum Chain: Codable {
        case end
        case link(Chain)
    }

    @Test func `deep nesting is refused in both directions`() throws {
        func chain(_ length: Int) -> Chain {
            (0..<length).reduce(.end) { chain, _ in .link(chain) }
        }
        let tree = try StoredValue(encoding: chain(20))
        guard case .link = try tree.decoded(as: Chain.self) else { return }
        let error = #expect(throws: ObjectError.self) { try StoredValue(encoding: chain(1000)) }
        #expect(
            error?.description == "This value cannot be stored: it is nested more than 64 deep.")
        var deep: StoredValue = ["end": [:]]
        for _ in 0..<1000 { deep = ["link": ["_0": deep]] }
        let refusal = #expect(throws: StoredFormError.self) { try deep.decoded(as: Chain.self) }
        #expect(refusal?.fault.description == "it is nested more than 64 deep")
    }

    @Test func `a record of many fields takes linear time`() throws {
        let many = Dictionary(uniqueKeysWithValues: (0..<50_000).map { ("key \($0)", $0) })
        let tree = try StoredValue(encoding: many)
        #expect(try tree.decoded(as: [String: Int].self) == many)
    }

    @Test func `an error of a type's own names the field`() throws {
        struct Even: Codable {
            var number: Int
            init(from decoder: any Decoder) throws {
                number = try decoder.singleValueContainer().decode(Int.self)
                guard number % 2 == 0 else {
                    throw StoredValueFault.duplicateKey("odd")
                }
            }
        }
        let error = #expect(throws: StoredFormError.self) {
            try StoredValue(dictionaryLiteral: ("x", [2, 3])).decoded(as: [String: [Even]].self)
        }
        #expect(error?.path == "x[1]")
    }
}
