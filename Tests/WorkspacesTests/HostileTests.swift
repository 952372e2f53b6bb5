import Files
import Foundation
import TestSupport
import Testing

@testable import HDF5Objects
@testable import Workspaces

/// Files from strangers: for every content, reading ends in a value or a sentence.
@Suite struct HostileTests {
    @Test func mutatedPackedFilesUnpackWholeOrNotAtAll() throws {
        let scratch = try Scratch()
        let workspace = try scratch.open()
        try workspace.run("x", ["x": try array([1, 2], [2]), "y": ["deep": [1, 2]]])
        let path = scratch.path + "/packed.h5"
        _ = try workspace.pack(to: path)
        let original = try Data(contentsOf: URL(fileURLWithPath: path))
        var random = SeededGenerator(12)
        for round in 0..<Mutations.count {
            try Mutations.apply(to: original, &random).write(to: URL(fileURLWithPath: path))
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
        for round in 0..<Mutations.count {
            try scratch.overwrite("journal.jsonl", Mutations.apply(to: journal, &random))
            try scratch.overwrite(
                "HEAD", round % 3 == 0 ? Mutations.apply(to: head, &random) : head)
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
        for _ in 0..<Mutations.count {
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
}
