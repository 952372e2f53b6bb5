import Foundation
import TestSupport
import Testing

@testable import HDF5Objects

/// Files from strangers: for every content, reading ends in a value or a sentence.
@Suite struct HostileFileTests {
    @Test func mutatedObjectsNeverReadAsAnotherValue() throws {
        let scratch = try TemporaryFolder()
        let object = StoredObject(
            kind: "model",
            value: [
                "config": ["layers": 2, "name": "tiny"],
                "tensors": ["a": try array([1, 2], [2]), "b": try array([], [0, 2])],
            ])
        let path = scratch.path + "/object.h5"
        try object.write(to: path)
        let digest = try object.digest()
        let original = try Data(contentsOf: URL(fileURLWithPath: path))
        var random = SeededGenerator(11)
        for round in 0..<Mutations.count {
            let bytes = Mutations.apply(to: original, &random)
            try bytes.write(to: URL(fileURLWithPath: path))
            // With the structure checksum nearly every mutation ends there; without it the parser
            // itself is tested.
            guard let file = try? HDF5Reader(path, isSealed: round % 2 == 0),
                let found = try? ObjectFile.read(file, group: file.root, arrays: nil)
            else { continue }
            if found.manifest.digest == digest { #expect(found.object == object, "round \(round)") }
        }
    }

    @Test func filesOfOtherProgramsAreRefusedWithAReason() throws {
        let scratch = try TemporaryFolder()
        let path = scratch.path + "/object.h5"
        for bytes in [Data(), Data("text".utf8), Data(HDF5Parser.signature), Data(count: 4096)] {
            try bytes.write(to: URL(fileURLWithPath: path))
            let error = #expect(throws: ObjectError.self) {
                try StoredObject(contentsOf: path)
            }
            #expect(error?.description.hasPrefix("'\(path)' cannot be used: it ") == true)
        }
        #expect(throws: ObjectError.self) { try StoredObject(contentsOf: scratch.path) }
        #expect(throws: ObjectError.self) { try StoredObject(contentsOf: path + "x") }
    }
}
