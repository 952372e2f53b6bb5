import Files
import Foundation
import TestSupport
import Testing

@testable import HDF5Objects
@testable import Workspaces

/// The state that a dying process leaves, and the result of opening it.
@Suite struct CrashTests {
    /// A workspace in the state before and after one statement, as files.
    private struct Moments {
        let scratch: Scratch
        let before: String
        let after: String
        let object: String

        init() throws {
            scratch = try Scratch()
            let workspace = try scratch.open()
            try workspace.run("x = 1", ["x": 1])
            workspace.close()
            before = scratch.path + "/before"
            after = scratch.path + "/after"
            try FileManager.default.copyItem(atPath: scratch.workspace, toPath: before)
            let second = try scratch.open()
            try second.run("x = 2", ["x": 2])
            object = ObjectStore.fileName(try #require(second.binding("x")?.digest))
            // The state after a kill: without closing.
            try FileManager.default.copyItem(atPath: scratch.workspace, toPath: after)
            second.close()
            FileSystem.removeTree(scratch.workspace)
            try FileManager.default.copyItem(atPath: before, toPath: scratch.workspace)
        }

        func take(_ name: String) throws {
            FileSystem.removeTree(scratch.file(name))
            try FileManager.default.copyItem(
                atPath: after + "/" + name, toPath: scratch.file(name))
        }
    }

    @Test func aKillBeforeTheCommitLineLeavesTheStateBefore() throws {
        let moments = try Moments()
        let scratch = moments.scratch
        // The begin line and the object exist; the commit line is missing or incomplete.
        try moments.take("objects")
        let lines = try Data(contentsOf: URL(fileURLWithPath: moments.after + "/journal.jsonl"))
        let ends = lines.indices.filter { lines[$0] == 0x0A }.map { $0 + 1 }
        for length in [ends[3], ends[3] + 1, ends[4] - 1] {
            try scratch.overwrite("journal.jsonl", lines.prefix(length))
            let workspace = try scratch.open()
            #expect(workspace.notices.isEmpty)
            #expect(try workspace.values() == ["x": 1])
            #expect(workspace.unfinished?.source == "x = 2")
            #expect(try scratch.bytes("journal.jsonl").count == ends[3], "the half line is gone")
            workspace.close()
        }
        let workspace = try scratch.open()
        #expect(try workspace.gc(keepingUndo: 9).removed == 1, "the object that nothing bound")
    }

    @Test func aKillAfterTheCommitLineLeavesTheStateAfter() throws {
        let moments = try Moments()
        let scratch = moments.scratch
        try moments.take("objects")
        try moments.take("journal.jsonl")
        try scratch.overwrite("HEAD.new-99999", Data("{\"line\":\"he".utf8))
        let workspace = try scratch.open()
        #expect(workspace.notices.isEmpty && workspace.unfinished == nil)
        #expect(try workspace.values() == ["x": 2])
        #expect(
            try scratch.bytes("HEAD")
                == Data(contentsOf: URL(fileURLWithPath: moments.after + "/HEAD")))
        #expect(FileSystem.kind(of: scratch.file("HEAD.new-99999")) == .absent)
        _ = try workspace.undo()
        #expect(try workspace.values() == ["x": 1])
    }

    @Test func aKillWhileAnObjectIsWrittenLeavesNothingOfIt() throws {
        let moments = try Moments()
        let scratch = moments.scratch
        try scratch.overwrite("objects/.new-12-1", Data("\u{89}HDF half a file".utf8))
        let workspace = try scratch.open()
        #expect(try workspace.values() == ["x": 1])
        #expect(FileSystem.kind(of: scratch.file("objects/.new-12-1")) == .absent)
        #expect(try workspace.verify().isSound)
    }

    @Test func aKillWhileAWorkspaceIsMadeLeavesOneThatOpens() throws {
        let scratch = try Scratch()
        for stage in 0..<4 {
            FileSystem.removeTree(scratch.workspace)
            try FileSystem.makeFolder(scratch.workspace)
            if stage > 0 { try scratch.overwrite("lock", Data()) }
            if stage > 1 { try FileSystem.makeFolder(scratch.file("objects")) }
            if stage > 2 { try scratch.overwrite("journal.jsonl", Data("{\"line\":".utf8)) }
            let workspace = try scratch.open()
            #expect(workspace.isWritable)
            #expect(workspace.notices.isEmpty, "stage \(stage): \(workspace.notices)")
            try workspace.run("x", ["x": 1])
            workspace.close()
            let again = try scratch.open()
            #expect(try again.values() == ["x": 1])
            #expect(again.notices.isEmpty, "stage \(stage): \(again.notices)")
        }
    }

    @Test func aLinkedFileThatIsMissingOrGarbageIsMadeAgain() throws {
        let moments = try Moments()
        let scratch = moments.scratch
        let good = try scratch.bytes("workspace.h5")
        for bytes in [Data(), Data("garbage".utf8)] {
            try scratch.overwrite("workspace.h5", bytes)
            let workspace = try scratch.open()
            #expect(workspace.notices.isEmpty)
            #expect(try scratch.bytes("workspace.h5") == good)
            workspace.close()
        }
        unlink(scratch.file("workspace.h5"))
        try scratch.open().close()
        #expect(try scratch.bytes("workspace.h5") == good)
    }

    /// Every statement binds `x` to a number and to a large array. Beside the workspace it logs the
    /// next action and each finished action.
    static func runUntilKilled(_ path: String, log: String, seed: UInt64) throws {
        var random = SeededGenerator(seed)
        let delay = UInt32.random(in: 0..<80_000, using: &random)
        Thread.detachNewThread {
            usleep(delay)
            kill(getpid(), SIGKILL)
        }
        let file = open(log, O_WRONLY | O_APPEND | O_CREAT, 0o666)
        func note(_ word: String, _ value: Int) {
            let line = "\(word) \(value)\n"
            _ = line.withCString { write(file, $0, strlen($0)) }
        }
        let workspace = try Workspace.open(path)
        var next = 1000 * Int(seed) + 1
        while true {
            let now = try? workspace.read("x").value
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<2 where workspace.undoDepth > 0:
                note("will", now?["previous"]?.intValue ?? 0)
                _ = try workspace.undo()
                let isBound = workspace.binding("x") != nil
                note("did", isBound ? try workspace.read("x").value["n"]?.intValue ?? -1 : 0)
            case 2: _ = try workspace.gc(keepingUndo: 3)
            case 3: _ = try workspace.pack(to: log + ".pack.h5")
            default:
                let count = Int.random(in: 0..<50_000, using: &random)
                let array = try StoredArray(
                    [Float](repeating: Float(next), count: count), shape: [count])
                let value: StoredValue = [
                    "n": .number(Double(next)), "previous": now?["n"] ?? 0, "array": .array(array),
                ]
                note("will", next)
                try workspace.run("x = \(next)", ["x": value, "twin": value])
                note("did", next)
                next += 1
            }
        }
    }

    @Test func aKillAtAnyInstantLosesNothingThatWasCommitted() async throws {
        let scratch = try Scratch()
        let rounds =
            ProcessInfo.processInfo.environment["SAMI_TEST_KILLS"].flatMap { Int($0) } ?? 25
        let log = scratch.path + "/log"
        for round in 1...rounds {
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = scratch.workspace as String, log = log as String, round = round as Int] in
                try Self.runUntilKilled(path, log: log, seed: UInt64(round))
            }
            let workspace = try scratch.open()
            #expect(
                workspace.isWritable && workspace.notices.allSatisfy { $0.kind == .lock },
                "round \(round): \(workspace.notices)")
            let found =
                workspace.binding("x") == nil
                ? 0 : try workspace.read("x").value["n"]?.intValue
            let lines = ((try? String(contentsOfFile: log, encoding: .utf8)) ?? "")
                .split(separator: "\n").map { $0.split(separator: " ") }
            let did = lines.last { $0[0] == "did" }.flatMap { Int($0[1]) } ?? 0
            let allowed = lines.last?[0] == "will" ? [did, Int(lines.last?[1] ?? "")] : [did]
            #expect(allowed.contains(found), "round \(round): \(found ?? -1), not \(allowed)")
            #expect(
                try workspace.binding("x") == nil || workspace.read("x") == workspace.read("twin"))
            let report = try workspace.verify()
            #expect(report.isSound, "round \(round): \(report)")
            // The next round starts from the state that this round found.
            let line = Data("did \(found ?? -1)\n".utf8)
            var whole = (try? Data(contentsOf: URL(fileURLWithPath: log))) ?? Data()
            whole.append(line)
            try whole.write(to: URL(fileURLWithPath: log))
            workspace.close()
        }
    }
}
