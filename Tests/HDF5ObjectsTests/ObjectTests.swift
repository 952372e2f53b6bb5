import Foundation
import NumberTypes
import TestSupport
import Testing

@testable import HDF5Objects

@Suite struct ObjectTests {
    @Test func everyKindOfValueComesBackAsItWas() throws {
        let scratch = try TemporaryFolder()
        let object = StoredObject(kind: "küche", value: StoredValue.awkward)
        try object.write(to: scratch.path + "/object.h5")
        let again = try StoredObject(contentsOf: scratch.path + "/object.h5")
        #expect(again == object)
        #expect(try again.digest() == object.digest())
        // String equality does not distinguish a composed letter from a decomposed one; digests do.
    }

    @Test func bareArraysAndBareTextComeBack() throws {
        let scratch = try TemporaryFolder()
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
        let scratch = try TemporaryFolder()
        try StoredObject(kind: "number", value: .number(.nan)).write(to: scratch.path + "/x.h5")
        let value = try StoredObject(contentsOf: scratch.path + "/x.h5").value
        #expect(value.numberValue?.isNaN == true)
    }

    @Test func theSameValueGivesTheSameBytes() throws {
        let scratch = try TemporaryFolder()
        let object = StoredObject(kind: "model", value: StoredValue.awkward)
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
            #expect(throws: ObjectError.self, "\(shape)") {
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
        #expect(throws: ObjectError.self) { try wrong.values(as: Float.self) }
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
            let error = #expect(throws: ObjectError.self) { try object.digest() }
            #expect(error?.description == sentence)
        }
    }
}
