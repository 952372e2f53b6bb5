import Foundation
import NumberTypes
import Testing

@testable import Workspaces

@Suite struct ObjectTests {
    /// Every element type, rank and awkward text that a value can have.
    static let awkward: StoredValue = {
        var record: StoredRecord = [
            "nothing": nil, "yes": true, "no": false, "whole": 42, "fraction": 0.1,
            "tiny": .number(.leastNonzeroMagnitude),
            "large": 1.7976931348623157e308, "negative zero": -0.0, "infinite": .number(.infinity),
            "minus infinite": .number(-.infinity), "beyond 2^53": 9_007_199_254_740_993,
            "text": "tab\t line\n quote\" back\\slash NUL\0 bell\u{7} é e\u{301} 漢 👩🏽‍🚀",
            "": "an empty key", "$array": "a key with a dollar", "$$": nil, "$\u{301}": 1,
            "e\u{301}": "decomposed", "é": "composed", "a/b": 1, "..": 2, "%2f": 3,
            "empty list": [], "empty record": [:], "list": [1, "two", [3, [nil]]],
        ]
        var arrays = StoredRecord()
        for type in DType.allCases {
            for shape in [[], [1], [3], [2, 3], [0], [2, 0, 5], [1, 1, 1, 1, 1, 1, 1, 2]] {
                let count = shape.reduce(1, *) * type.size
                let bytes = Data((0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) })
                arrays["\(type.rawValue) \(shape)"] =
                    (try? StoredArray(
                        type: type, shape: shape, bytes: bytes)).map(StoredValue.array)
            }
        }
        record["arrays"] = .record(arrays)
        // Keys with a meaning in HDF5, or that could collide with our own names.
        let one = (try? StoredArray([Float(1)], shape: [1])).map(StoredValue.array) ?? nil
        for key in [
            "json", "%json", "a/c", "a", ".", "./", "", "NUL\0", "é", "e\u{301}", "👩🏽‍🚀", " ",
            String(repeating: "long ", count: 300), String(repeating: "long ", count: 301),
        ] {
            record["leaf " + key] = one
            record["group " + key] = .record(StoredRecord([(key, one)]))
        }
        record["json"] = one
        record["in a list"] = .list([one, .record(["deep": .list([one])])])
        return .record(record)
    }()

    @Test func everyKindOfValueComesBackAsItWas() throws {
        let scratch = try Scratch()
        let object = StoredObject(kind: "küche", value: Self.awkward)
        try object.write(to: scratch.path + "/object.h5")
        let again = try StoredObject(contentsOf: scratch.path + "/object.h5")
        #expect(again == object)
        #expect(try again.digest() == object.digest())
        // String equality does not distinguish a composed letter from a decomposed one; digests do.
    }

    @Test func bareArraysAndBareTextComeBack() throws {
        let scratch = try Scratch()
        for value: StoredValue in [
            try array([1, 2, 3, 4], [2, 2]), "text", nil, 3, [], [:], try array([], [0]),
            ["array": try array([1], [1])],
        ] {
            let object = StoredObject(kind: "value", value: value)
            try object.write(to: scratch.path + "/object.h5")
            #expect(try StoredObject(contentsOf: scratch.path + "/object.h5") == object)
        }
    }

    @Test func nanComesBackAsNaN() throws {
        let scratch = try Scratch()
        try StoredObject(kind: "number", value: .number(.nan)).write(to: scratch.path + "/x.h5")
        let value = try StoredObject(contentsOf: scratch.path + "/x.h5").value
        #expect(value.numberValue?.isNaN == true)
    }

    @Test func theSameValueGivesTheSameBytes() throws {
        let scratch = try Scratch()
        let object = StoredObject(kind: "model", value: Self.awkward)
        try object.write(to: scratch.path + "/first.h5")
        try object.write(to: scratch.path + "/second.h5")
        let first = try Data(contentsOf: URL(fileURLWithPath: scratch.path + "/first.h5"))
        let second = try Data(contentsOf: URL(fileURLWithPath: scratch.path + "/second.h5"))
        #expect(first == second, "a file depends on when or how often it is written")
    }

    @Test func digestsTellTypesShapesNamesAndKindsApart() throws {
        let bytes = Data(count: 8)
        var objects: [StoredObject] = []
        for (type, shape) in [
            (DType.float32, [2]), (.int32, [2]), (.float64, [1]), (.int64, [1]),
            (.float16, [4]), (.bfloat16, [4]), (.uint8, [8]), (.float32, [1, 2]),
            (.float32, [2, 1]),
        ] {
            let value = StoredValue.array(try StoredArray(type: type, shape: shape, bytes: bytes))
            objects.append(StoredObject(kind: "a", value: value))
            objects.append(StoredObject(kind: "b", value: value))
            objects.append(StoredObject(kind: "a", value: ["x": value]))
            objects.append(StoredObject(kind: "a", value: ["y": value]))
        }
        objects += [
            StoredObject(kind: "a", value: "1"), StoredObject(kind: "a", value: 1),
            StoredObject(kind: "a", value: ["x": 1, "y": 2]),
            StoredObject(kind: "a", value: ["y": 2, "x": 1]),
            StoredObject(kind: "a", value: "é"), StoredObject(kind: "a", value: "e\u{301}"),
        ]
        let digests = try objects.map { try $0.digest() }
        #expect(Set(digests).count == objects.count)
        #expect(digests.allSatisfy(isDigest))
    }

    @Test func aDigestIsWhatTheDocumentSays() throws {
        // Computed with hashlib from the text in docs/WORKSPACE.md.
        let object = StoredObject(kind: "tensor", value: try array([1, 2], [2]))
        let json = sha256(Array(#"{"$array":"array"}"#.utf8))
        let floats = sha256(Data([0, 0, 0x80, 0x3F, 0, 0, 0, 0x40]))
        let text = """
            sami object 1
            "tensor"
            "json" "json" 18 "\(json)"
            "array" "float32" 2 "\(floats)"
            """
        #expect(try object.digest() == sha256(Array(text.utf8)))
    }

    @Test func shapesThatDoNotFitAreRefused() {
        for shape in [[3], [-1], [Int.max, 2], [2, Int.max, 0], Array(repeating: 1, count: 33)] {
            #expect(throws: WorkspaceError.self, "\(shape)") {
                try StoredArray(type: .float32, shape: shape, bytes: Data(count: 4))
            }
        }
    }

    @Test func arraysGiveBackTheirElements() throws {
        #expect(
            try StoredArray([1.5, -2] as [Float], shape: [2]).values(as: Float.self) == [1.5, -2])
        #expect(try StoredArray([3] as [Int64], shape: []).values(as: Int64.self) == [3])
        #expect(try StoredArray([] as [Int32], shape: [0, 4]).values(as: Int32.self) == [])
        let wrong = try StoredArray([3] as [Int32], shape: [1])
        #expect(throws: WorkspaceError.self) { try wrong.values(as: Float.self) }
    }

    @Test func valuesThatCannotBeStoredSayWhy() throws {
        var deep: StoredValue = 1
        for _ in 0..<70 { deep = .list([deep]) }
        let cases: [(StoredObject, String)] = [
            (
                StoredObject(kind: "list", value: deep),
                "This list cannot be stored: it is nested more than 64 deep."
            ),
            (
                StoredObject(
                    kind: "record", value: .record(StoredRecord([("a", 1), ("a", 2)]))),
                "This record cannot be stored: the key 'a' occurs twice."
            ),
            (
                StoredObject(kind: "", value: 1),
                "'' cannot be the kind of a value: it takes 1 to 255 bytes without NUL."
            ),
        ]
        for (object, sentence) in cases {
            let error = #expect(throws: WorkspaceError.self) { try object.digest() }
            #expect(error?.description == sentence)
        }
    }
}
