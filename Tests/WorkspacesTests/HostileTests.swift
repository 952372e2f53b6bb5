import Files
import Foundation
import TestSupport
import Testing

@testable import Workspaces

/// Files from strangers: for every content, reading ends in a value or a sentence.
@Suite struct HostileTests {
    /// Mutated inputs for each reader; the long form sets the variable.
    private static let count =
        ProcessInfo.processInfo.environment["SAMI_TEST_MUTATIONS"].flatMap { Int($0) } ?? 1000

    /// Flips, overwrites, cuts, repeats and inserts; sometimes numbers that matter to a parser.
    private func mutate(_ original: Data, _ random: inout SeededGenerator) -> Data {
        var bytes = [UInt8](original)
        for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: bytes.indices, using: &random)
            switch Int.random(in: 0..<7, using: &random) {
            case 0, 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 3:
                let value = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &random) ?? 0
                for offset in place..<min(place + 8, bytes.count) { bytes[offset] = UInt8(value) }
            case 4: bytes.removeSubrange(place...)
            case 5:
                let end = min(bytes.count, place + Int.random(in: 1...64, using: &random))
                bytes.insert(contentsOf: bytes[place..<end], at: place)
            default:
                let end = min(bytes.count, place + Int.random(in: 1...64, using: &random))
                bytes.removeSubrange(place..<end)
            }
        }
        return Data(bytes)
    }

    @Test func mutatedObjectsNeverReadAsAnotherValue() throws {
        let scratch = try Scratch()
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
        for round in 0..<Self.count {
            let bytes = mutate(original, &random)
            try bytes.write(to: URL(fileURLWithPath: path))
            // With the structure checksum nearly every mutation ends there; without it the parser
            // itself is tested.
            guard let file = try? HDF5Reader(path, isSealed: round % 2 == 0),
                let found = try? ObjectFile.read(file, group: file.root, arrays: nil)
            else { continue }
            if found.manifest.digest == digest { #expect(found.object == object, "round \(round)") }
        }
    }

    @Test func mutatedPackedFilesUnpackWholeOrNotAtAll() throws {
        let scratch = try Scratch()
        let workspace = try scratch.open()
        try workspace.run("x", ["x": try array([1, 2], [2]), "y": ["deep": [1, 2]]])
        let path = scratch.path + "/packed.h5"
        _ = try workspace.pack(to: path)
        let original = try Data(contentsOf: URL(fileURLWithPath: path))
        var random = SeededGenerator(12)
        for round in 0..<Self.count {
            try mutate(original, &random).write(to: URL(fileURLWithPath: path))
            let target = scratch.path + "/copy.samiws"
            do {
                _ = try Workspace.unpack(path, to: target)
                let copy = try Workspace.open(target, mode: .readOnly)
                #expect(try copy.values() == workspace.values(), "round \(round)")
                FileSystem.removeTree(target)
            } catch {
                #expect(error is WorkspaceError, "round \(round): \(error)")
                #expect("\(error)".contains(path), "round \(round): \(error)")
            }
            #expect(FileSystem.names(in: scratch.path) == ["packed.h5", "test.samiws"])
        }
    }

    @Test func mutatedJournalsAndHeadsAreReadWithoutHarm() throws {
        let scratch = try Scratch()
        let workspace = try scratch.open()
        try workspace.run("x = 1", ["x": 1])
        try workspace.run("x = 2", ["x": 2], inputs: ["x"])
        _ = try workspace.undo()
        workspace.close()
        let journal = try scratch.bytes("journal.jsonl")
        let head = try scratch.bytes("HEAD")
        var random = SeededGenerator(13)
        for round in 0..<Self.count {
            try scratch.overwrite("journal.jsonl", mutate(journal, &random))
            try scratch.overwrite("HEAD", round % 3 == 0 ? mutate(head, &random) : head)
            do {
                let found = try Workspace.recover(scratch.workspace)
                for binding in found.timeline.names {
                    #expect(binding.name == "x" && (binding.digest.map(isDigest) ?? false))
                }
            } catch {
                #expect(error is WorkspaceError, "round \(round): \(error)")
            }
        }
    }

    @Test func linesWithAWrongMeaningAndARightChecksumDoNoHarm() throws {
        var random = SeededGenerator(14)
        let numbers: [StoredValue] = [0, -1, 1, 1e15, 1e300, .number(-1e300), 0.5, "1", nil, []]
        let texts: [StoredValue] = [
            "", "x", "../../etc/passwd", .text(String(repeating: "0", count: 64)), nil, 3,
        ]
        for _ in 0..<Self.count {
            var content = Journal.Content()
            var bytes: [UInt8] = []
            for _ in 0..<12 {
                var record = StoredRecord()
                let kinds = [
                    "workspace", "begin", "commit", "fail", "checkpoint", "keep", "undo", "redo",
                    "floor", "base", "other",
                ]
                record["line"] = .text(kinds.randomElement(using: &random) ?? "")
                for key in ["sequence", "depth", "bytes", "version", "seconds"] {
                    record[key] = numbers.randomElement(using: &random)
                }
                for key in ["time", "source", "seed", "message", "name", "digest", "kind"] {
                    record[key] = texts.randomElement(using: &random)
                }
                record["stored"] = .bool(Bool.random(using: &random))
                let binding = StoredValue.record(record)
                for key in ["inputs", "files", "bind", "unbind", "names"] {
                    record[key] = .list(Bool.random(using: &random) ? [binding, "x"] : [binding])
                    if Bool.random(using: &random) { record[key] = [] }
                }
                bytes += sealed(record)
            }
            bytes.withUnsafeBufferPointer { Journal.read($0, into: &content) }
            var timeline = Timeline()
            for (line, _) in content.lines { timeline.follow(line) }
            #expect(timeline.names.allSatisfy { $0.digest.map(isDigest) ?? !$0.isStored })
        }
    }

    @Test func linksPipesAndFoldersInTheWayAreNotFollowed() throws {
        let scratch = try Scratch()
        let outside = scratch.path + "/outside"
        try FileSystem.makeFolder(outside)
        let workspace = try scratch.open()
        try workspace.run("x", ["x": 1])
        let digest = try #require(workspace.binding("x")?.digest)
        let path = workspace.objects.path(digest)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        try whole.write(to: URL(fileURLWithPath: outside + "/same.h5"))

        unlink(path)
        symlink(outside + "/same.h5", path)
        #expect(throws: WorkspaceError.self) { try workspace.read("x") }
        unlink(path)
        mkfifo(path, 0o666)
        #expect(throws: WorkspaceError.self) { try workspace.read("x") }
        unlink(path)
        mkdir(path, 0o777)
        #expect(throws: WorkspaceError.self) { try workspace.read("x") }
        rmdir(path)
        rmdir(FileSystem.folder(of: path))
        symlink(outside, FileSystem.folder(of: path))
        #expect(throws: WorkspaceError.self) { try workspace.read("x") }
        let sequence = try workspace.begin(source: "x = 1", seed: "")
        #expect(throws: FileError.self) {
            try workspace.commit(
                sequence, bind: [("x", .stored(StoredObject(kind: "value", value: 1)))], seconds: 0)
        }
        #expect(FileSystem.names(in: outside) == ["same.h5"], "nothing is written through a link")
        workspace.close()

        for name in ["journal.jsonl", "HEAD", "lock"] {
            let saved = try scratch.bytes(name)
            unlink(scratch.file(name))
            try Data("victim".utf8).write(to: URL(fileURLWithPath: outside + "/victim"))
            symlink(outside + "/victim", scratch.file(name))
            if let other = try? scratch.open() {
                #expect(!other.isWritable, "\(name)")
                other.close()
            }
            #expect(
                try Data(contentsOf: URL(fileURLWithPath: outside + "/victim"))
                    == Data("victim".utf8), "\(name)")
            unlink(scratch.file(name))
            try scratch.overwrite(name, saved)
        }
    }

    @Test func filesOfOtherProgramsAreRefusedWithAReason() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/object.h5"
        for bytes in [Data(), Data("text".utf8), Data(HDF5Parser.signature), Data(count: 4096)] {
            try bytes.write(to: URL(fileURLWithPath: path))
            let error = #expect(throws: WorkspaceError.self) {
                try StoredObject(contentsOf: path)
            }
            #expect(error?.description.hasPrefix("'\(path)' cannot be used: it ") == true)
        }
        #expect(throws: WorkspaceError.self) { try StoredObject(contentsOf: scratch.path) }
        #expect(throws: WorkspaceError.self) { try StoredObject(contentsOf: path + "x") }
    }
}
