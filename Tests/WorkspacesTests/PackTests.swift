import Files
import Foundation
import LongWork
import TestSupport
import Testing

@testable import Workspaces

@Suite struct PackTests {
    @Test func aPackedWorkspaceComesBackWithEqualDigestsHistoryAndUndo() throws {
        let scratch = try Scratch()
        let workspace = try scratch.open()
        try workspace.run("first", ["all": .awkward, "x": 1])
        try workspace.run("second", ["x": try array([1, 2], [2])], inputs: ["all"])
        try workspace.run("third", ["x": 3])
        _ = try workspace.undo()
        let file = scratch.path + "/packed.h5"
        let packed = try workspace.pack(to: file)
        #expect(packed.objects == 4 && packed.bytes > 0 && packed.missing.isEmpty)
        _ = try workspace.pack(to: file)

        let unpacked = try Workspace.unpack(file, to: scratch.path + "/copy.samiws/")
        #expect(unpacked.objects == 4)
        let copy = try Workspace.open(scratch.path + "/copy.samiws")
        #expect(copy.notices.isEmpty && copy.names == workspace.names)
        #expect(try copy.values() == workspace.values())
        #expect(copy.history.map(\.status) == workspace.history.map(\.status))
        _ = try copy.redo()
        #expect(try copy.read("x").value == 3)
        for _ in 0..<3 { _ = try copy.undo() }
        #expect(copy.names.isEmpty)
        #expect(try copy.verify().isSound)
    }

    @Test func whatIsStoppedLeavesWhatWasThere() throws {
        let scratch = try Scratch()
        let workspace = try scratch.open()
        try workspace.run("first", ["x": try array([1, 2], [2])])
        let file = scratch.path + "/packed.h5"
        _ = try workspace.pack(to: file)
        let before = FileManager.default.contents(atPath: file)
        try workspace.run("second", ["y": try array([3, 4], [2])])
        var shares: [Double] = []
        _ = try workspace.pack(to: scratch.path + "/other.h5") {
            shares.append($0)
            return .more
        }
        #expect(shares.count == 4 && shares == shares.sorted() && shares.allSatisfy { $0 < 1 })
        for turn in 1...shares.count {
            var turns = 0
            #expect(throws: Canceled.self) {
                try workspace.pack(to: file) { _ in
                    turns += 1
                    return turns < turn ? .more : .stop
                }
            }
            #expect(FileManager.default.contents(atPath: file) == before)
        }
        #expect(throws: Canceled.self) {
            try Workspace.unpack(
                scratch.path + "/other.h5", to: scratch.path + "/copy.samiws"
            ) { $0 > 0 ? .stop : .more }
        }
        #expect(
            FileSystem.names(in: scratch.path).sorted() == ["other.h5", "packed.h5", "test.samiws"])
    }

    @Test func nothingElseIsOverwritten() throws {
        let scratch = try Scratch()
        let workspace = try scratch.open()
        try workspace.run("x", ["x": 1])
        let file = scratch.path + "/notes.txt"
        try Data("mine".utf8).write(to: URL(fileURLWithPath: file))
        for path in [file, scratch.path] {
            let error = #expect(throws: WorkspaceError.self) { try workspace.pack(to: path) }
            #expect(
                error?.description
                    == "'\(path)' already exists. Choose another name or remove it.")
        }
        _ = try workspace.pack(to: scratch.path + "/packed.h5")
        #expect(throws: WorkspaceError.self) {
            try Workspace.unpack(scratch.path + "/packed.h5", to: scratch.workspace)
        }
        #expect(throws: WorkspaceError.self) {
            try Workspace.unpack(file, to: scratch.path + "/other.samiws")
        }
        #expect(FileSystem.names(in: scratch.path) == ["notes.txt", "packed.h5", "test.samiws"])
    }

    @Test func aDamagedValueIsNotPackedInSilence() throws {
        let scratch = try Scratch()
        let workspace = try scratch.open()
        try workspace.run("x = 1", ["x": 1])
        try workspace.run("x = 2", ["x": 2])
        let old = try #require(workspace.history.first?.bound.first?.digest)
        unlink(workspace.objects.path(old))
        let report = try workspace.pack(to: scratch.path + "/packed.h5")
        #expect(report.objects == 1 && report.missing.map(\.digest) == [old])
        _ = try workspace.undo()
        let error = #expect(throws: WorkspaceError.self) {
            try workspace.pack(to: scratch.path + "/packed.h5")
        }
        #expect(
            error?.description
                == "The value of 'x' cannot be read: the file is missing. Its file is "
                + "'\(workspace.objects.path(old))'. Statement 1, `x = 1`, makes it again.")
    }
}
