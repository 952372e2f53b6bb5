import Files
import Foundation
import TestSupport
import Testing

@testable import HDF5Objects
@testable import Workspaces

/// Large arrays lie in files of their own, and objects that hold equal ones share them.
@Suite struct SharedArrayTests {
    /// An array that is large enough for a file of its own.
    private func large(_ value: Float, sides: [Int] = [256, 257]) throws -> StoredValue {
        .array(
            try StoredArray(
                [Float](repeating: value, count: sides.reduce(1, *)), shape: sides))
    }

    private func arrays(_ scratch: Scratch) -> [String] {
        FileSystem.names(in: scratch.file("objects/arrays"))
    }

    @Test func `equal arrays are stored once, whatever object holds them`() throws {
        let scratch = try Scratch()
        let workspace = try scratch.open()
        let shared = try large(1)
        let size = 4 * 256 * 257
        let first = try workspace.run("a", ["a": ["same": shared, "own": try large(2)]])
        #expect(first.bytesWritten > 2 * size)
        let second = try workspace.run("b", ["b": ["same": shared, "own": try large(3)]])
        #expect(second.bytesWritten > size && second.bytesWritten < 2 * size)
        let third = try workspace.run("c", ["c": ["again": shared, "n": 1]])
        #expect(third.bytesWritten < size / 10)
        #expect(arrays(scratch).count == 3)
        for (name, own) in [("a", Float(2)), ("b", 3)] {
            let value = try workspace.read(name).value
            #expect(value == ["same": shared, "own": try large(own)])
        }
        // Type and shape count as much as the bytes do.
        try workspace.run("d", ["d": ["turned": try large(1, sides: [257, 256])]])
        #expect(arrays(scratch).count == 4)
        workspace.close()
        let again = try scratch.open()
        #expect(try again.read("c").value == ["again": shared, "n": 1])
        #expect(try again.verify().isSound)
    }

    @Test func `an array is read where it lies, and aligned`() throws {
        let scratch = try Scratch()
        let workspace = try scratch.open()
        try workspace.run("a", ["a": ["x": try large(1)], "b": try large(2)])
        for value in [try workspace.read("a").value["x"], try workspace.read("b").value] {
            let array = try #require(value?.arrayValue)
            #expect(UInt(bitPattern: array.memory.base) % 64 == 0)
        }
    }

    @Test func `an array goes with the last object that holds it`() throws {
        let scratch = try Scratch()
        let workspace = try scratch.open()
        try workspace.run("1", ["x": ["same": try large(1), "own": try large(2)]])
        try workspace.run("2", ["x": ["same": try large(1), "own": try large(3)]])
        #expect(arrays(scratch).count == 3)
        let report = try workspace.gc(keepingUndo: 0)
        #expect(report.removed == 1 && report.bytes > 4 * 256 * 257)
        #expect(arrays(scratch).count == 2)
        #expect(try workspace.read("x").value["own"] == large(3))
        // The next process counts again.
        workspace.close()
        let again = try scratch.open()
        try again.run("3", ["x": 1])
        _ = try again.gc(keepingUndo: 0)
        #expect(arrays(scratch).isEmpty)
    }

    @Test func `checkpoints leave no arrays behind`() throws {
        let scratch = try Scratch()
        let workspace = try scratch.open()
        try workspace.run("1", ["policy": ["w": try large(1)]])
        let sequence = try workspace.begin(source: "iterate", seed: "1")
        for step in 2...4 {
            try workspace.checkpoint(
                sequence,
                StoredObject(
                    kind: "iteration",
                    value: ["policy": try large(1), "weights": try large(Float(step))]))
            #expect(arrays(scratch).count == 2, "the policy and the last step's weights")
        }
        try workspace.commit(sequence, bind: [], seconds: 1)
        #expect(arrays(scratch).count == 1)
        #expect(try workspace.read("policy").value == ["w": large(1)])
    }

    @Test func `a crash between arrays and object leaves what gc collects`() throws {
        let scratch = try Scratch()
        let workspace = try scratch.open()
        try workspace.run("1", ["x": ["w": try large(1)]])
        let object = try #require(workspace.binding("x")?.digest)
        workspace.close()
        unlink(scratch.file("objects/" + ObjectStore.fileName(object)))
        try FileSystem.write([0], to: scratch.file("objects/arrays/.new-1-1"))
        let again = try scratch.open()
        #expect(arrays(scratch).count == 1, "unfinished files go, arrays stay until gc")
        try again.run("2", ["x": 1])
        #expect(try again.gc(keepingUndo: 0).bytes > 4 * 256 * 257)
        #expect(arrays(scratch).isEmpty)
    }

    @Test func `a damaged array is named, and made again by the next equal one`() throws {
        let scratch = try Scratch()
        try {
            let workspace = try scratch.open()
            try workspace.run("1", ["x": ["w": try large(1)]])
            workspace.close()
        }()
        let name = "objects/arrays/" + (try #require(arrays(scratch).first))
        let sound = try scratch.bytes(name)
        for place in [sound.count / 2, 100, sound.count - 10] {
            var bytes = sound
            bytes[place] ^= 1
            try scratch.overwrite(name, bytes)
            let workspace = try scratch.open()
            #expect(throws: WorkspaceError.self, "byte \(place)") { try workspace.read("x") }
            #expect(try workspace.verify().damages.count == 1)
            try workspace.run("again", ["y": ["w": try large(1)]])
            #expect(try workspace.read("x").value == ["w": large(1)])
            #expect(try workspace.verify().isSound)
            workspace.close()
        }
        unlink(scratch.file(name))
        let workspace = try scratch.open()
        let error = #expect(throws: WorkspaceError.self) { try workspace.read("x") }
        #expect(error?.description.contains("'w' is missing in it") == true)
    }

    @Test func `a packed workspace holds shared arrays and gives them back`() throws {
        let scratch = try Scratch()
        let workspace = try scratch.open()
        try workspace.run("1", ["x": ["w": try large(1)], "y": ["w": try large(1), "n": 2]])
        _ = try workspace.pack(to: scratch.path + "/packed.h5")
        _ = try Workspace.unpack(scratch.path + "/packed.h5", to: scratch.path + "/other.samiws")
        let other = try Workspace.open(scratch.path + "/other.samiws")
        #expect(try other.values() == workspace.values())
        #expect(FileSystem.names(in: scratch.path + "/other.samiws/objects/arrays").count == 1)
    }

    @Test func `an object written to a file of its own is whole`() throws {
        let scratch = try Scratch()
        let object = StoredObject(kind: "model", value: ["w": try large(1), "n": 1])
        try object.write(to: scratch.path + "/model.h5")
        #expect(try StoredObject(contentsOf: scratch.path + "/model.h5") == object)
    }

    @Test(.enabled(if: Python.withH5py != nil, "no Python with h5py"))
    func `h5py sees arrays, texts and the main array of a record under their names`() throws {
        let scratch = try Scratch()
        let workspace = try scratch.open()
        let sequence = try workspace.begin(source: "1", seed: "1")
        let scores = StoredValue.array(try StoredArray([1, 2, 3, 4] as [Float], shape: [2, 2]))
        try workspace.commit(
            sequence,
            bind: [
                (
                    "logprobs",
                    .stored(
                        StoredObject(
                            kind: "logprobs", value: ["ids": ["a"], "logprobs": scores],
                            main: "logprobs"))
                ),
                (
                    "model",
                    .stored(
                        StoredObject(
                            kind: "model",
                            value: ["tensors": ["w": try large(5), "b": scores], "name": "m"]))
                ),
                ("big", .stored(StoredObject(kind: "tensor", value: try large(7)))),
            ], seconds: 1)
        let script = """
            import h5py, json, sys
            with h5py.File(sys.argv[1]) as f:
                print(f["logprobs"][...].tolist())
                w = f["model/tensors/w"][...]
                print(w.shape, w.min(), w.max(), f["model/tensors/b"][...].tolist())
                print(json.loads(f["model/json"][()])["name"], f["big"][0, 0])
            """
        let text = try #require(Python.withH5py).run(script, [scratch.file("workspace.h5")])
        #expect(
            text == """
                [[1.0, 2.0], [3.0, 4.0]]
                (256, 257) 5.0 5.0 [[1.0, 2.0], [3.0, 4.0]]
                m 7.0

                """)
    }
}
