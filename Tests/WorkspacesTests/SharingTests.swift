import Files
import Foundation
import Testing

@testable import HDF5Objects
@testable import Workspaces

/// Locks, other versions, folders without write permission, full disks.
@Suite struct SharingTests {
    @Test func aSecondOpenerReadsAndIsToldWhoWrites() throws {
        let scratch = try Scratch()
        let first = try scratch.open()
        try first.run("x", ["x": 1])
        let running = try first.begin(source: "train", seed: "")
        let second = try scratch.open()
        #expect(first.isWritable && !second.isWritable)
        #expect(try second.values() == ["x": 1])
        let notice = try #require(second.notices.first?.description)
        #expect(
            notice.hasPrefix("'\(scratch.workspace)' is open read-only: process \(getpid()) on "))
        #expect(notice.hasSuffix(", has it open for writing."))
        #expect(second.unfinished == nil, "somebody is running it")
        for attempt in [
            { _ = try second.begin(source: "x", seed: "") }, { _ = try second.undo() },
            { _ = try second.gc(keepingUndo: 1) },
        ] {
            let error = #expect(throws: WorkspaceError.self) { try attempt() }
            #expect(
                error?.description.hasPrefix(
                    "The workspace '\(scratch.workspace)' is open read-only: ")
                    == true)
        }
        second.close()
        try first.fail(running, message: "")
        #expect(first.isWritable, "a reader that closes takes nothing away")
        first.close()
        let third = try scratch.open()
        #expect(third.isWritable && third.notices.isEmpty)
    }

    @Test func readingTouchesNothing() throws {
        let scratch = try Scratch()
        let first = try scratch.open()
        try first.run("x", ["x": 1])
        first.close()
        var journal = try scratch.bytes("journal.jsonl")
        journal.append(Data("{\"line\":\"comm".utf8))
        try scratch.overwrite("journal.jsonl", journal)
        unlink(scratch.file("HEAD"))
        unlink(scratch.file("lock"))
        unlink(scratch.file("workspace.h5"))
        let reader = try Workspace.open(scratch.workspace, mode: .readOnly)
        #expect(try reader.values() == ["x": 1])
        #expect(try reader.verify().damages.isEmpty)
        reader.close()
        #expect(FileSystem.names(in: scratch.workspace) == ["journal.jsonl", "objects"])
        #expect(try scratch.bytes("journal.jsonl") == journal)
    }

    @Test func theLockOfADeadProcessIsTakenOverWithANotice() async throws {
        let scratch = try Scratch()
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = scratch.workspace as String] in
            _ = try withExtendedLifetime(Workspace.open(path)) { _ in kill(getpid(), SIGKILL) }
        }
        let workspace = try scratch.open()
        #expect(workspace.isWritable)
        let notice = try #require(workspace.notices.first)
        #expect(notice.kind == .lock)
        #expect(notice.description.hasPrefix("The last session here (process "))
        #expect(
            notice.description.hasSuffix(
                ") ended without closing '\(scratch.workspace)'; its lock was taken over."))
    }

    @Test func aLockThatIsGarbageDoesNotKeepAnybodyOut() throws {
        let scratch = try Scratch()
        try scratch.open().close()
        try scratch.overwrite("lock", Data(repeating: 0xFF, count: 10_000))
        #expect(try scratch.open().isWritable)
    }

    @Test func aNewerVersionIsRefusedAndLeftAlone() throws {
        let scratch = try Scratch()
        let first = try scratch.open()
        try first.run("x", ["x": 1])
        first.close()
        for (file, line) in [
            ("HEAD", #"{"line":"head","version":2,"anything":[],"seal":"other"}"#),
            ("journal.jsonl", #"{"line":"workspace","version":7,"check":"x"}"#),
        ] {
            let whole = try scratch.bytes(file)
            try scratch.overwrite(file, Data((line + "\n").utf8))
            let names = FileSystem.names(in: scratch.workspace)
            for mode in [Workspace.Mode.readWrite, .readOnly] {
                let error = #expect(throws: WorkspaceError.self) {
                    try Workspace.open(scratch.workspace, mode: mode)
                }
                let version = file == "HEAD" ? 2 : 7
                #expect(
                    error?.description
                        == "The workspace '\(scratch.workspace)' has version \(version); this program "
                        + "knows versions up to 1. Open it with a newer sami.")
            }
            #expect(FileSystem.names(in: scratch.workspace) == names)
            #expect(try scratch.bytes(file) == Data((line + "\n").utf8))
            try scratch.overwrite(file, whole)
        }
    }

    @Test(arguments: ["HEAD", "journal.jsonl"])
    func aDamagedVersionIsDamageAndNoNewerVersion(file: String) throws {
        let scratch = try Scratch()
        let first = try scratch.open()
        try first.run("x", ["x": 1])
        first.close()
        let text = String(decoding: try scratch.bytes(file), as: UTF8.self)
        let flipped = try #require(text.firstRange(of: #""version":1"#))
        try scratch.overwrite(
            file, Data(text.replacingCharacters(in: flipped, with: #""version":5"#).utf8))
        let again = try scratch.open()
        #expect(again.notices.contains { "\($0)".contains("damaged") })
        #expect(again.names.map(\.name) == ["x"])
        again.close()
    }

    @Test func whatIsNotAWorkspaceIsLeftAlone() throws {
        let scratch = try Scratch()
        let file = scratch.path + "/notes.txt"
        try Data("mine".utf8).write(to: URL(fileURLWithPath: file))
        let cases = [
            (scratch.path, "is a folder with other files in it and no workspace"),
            (file, "is not a folder"),
            (scratch.path + "/no/such/folder", "cannot be written: no such file or directory"),
            (file + "/inside", "cannot be read: not a directory"),
        ]
        for (path, reason) in cases {
            let error = #expect(throws: (any Error).self) { try Workspace.open(path) }
            #expect(error is WorkspaceError || error is FileError)
            let sentence = error.map { "\($0)" } ?? "none"
            #expect(sentence.contains(reason), "\(sentence)")
        }
        let error = #expect(throws: WorkspaceError.self) {
            try Workspace.open(scratch.workspace, mode: .readOnly)
        }
        #expect(error?.description == "There is no workspace at '\(scratch.workspace)'.")
        #expect(FileSystem.names(in: scratch.path) == ["notes.txt"])
    }

    @Test(.enabled(if: geteuid() == 0, "only root can become somebody without permission"))
    func aFolderThatCannotBeWrittenIsOpenedToRead() async throws {
        let scratch = try Scratch()
        let first = try scratch.open()
        try first.run("x", ["x": 1])
        first.close()
        chmod(scratch.path, 0o755)
        await #expect(processExitsWith: .success) { [path = scratch.workspace as String] in
            setuid(65534)
            let workspace = try Workspace.open(path)
            #expect(!workspace.isWritable)
            #expect(
                workspace.notices.map(\.description) == [
                    "'\(path)' is open read-only: its lock cannot be taken: permission denied."
                ])
            #expect(try workspace.values() == ["x": 1])
        }
    }

    @Test func aFullDiskAtAnyWriteFailsTheStatementAndNothingElse() async throws {
        let scratch = try Scratch()
        // A limit on file sizes stands for a full disk: every write beyond it fails.
        await #expect(processExitsWith: .success) { [path = scratch.workspace as String] in
            var workspace = try Workspace.open(path, mode: .readWrite, isDurable: false)
            try workspace.run("x = 0", ["x": 0])
            var state: [String: StoredValue] = ["x": 0]
            var failures = 0
            for limit in stride(from: 0, through: 60_000, by: 400) {
                let array = try StoredArray(
                    [Float](repeating: Float(limit), count: 10_000), shape: [10_000])
                let values: StoredValue = [
                    "n": .number(Double(limit)), "a": .array(array), "b": .text("\(limit)"),
                ]
                limitFileSize(limit)
                var sequence: Int?
                do {
                    let begun = try workspace.begin(source: "x", seed: "")
                    sequence = begun
                    let object = StoredObject(kind: "value", value: values)
                    try workspace.commit(begun, bind: [("x", .stored(object))], seconds: 0)
                    state["x"] = values
                } catch {
                    failures += 1
                    #expect(error is WorkspaceError || error is FileError, "\(error)")
                    if let sequence { try? workspace.fail(sequence, message: "\(error)") }
                }
                limitFileSize(nil)
                #expect(try workspace.values() == state, "limit \(limit)")
                #expect(FileSystem.names(in: path + "/objects").allSatisfy { $0.utf8.count == 2 })
                if limit % 2000 == 0 {
                    workspace.close()
                    workspace = try Workspace.open(path, mode: .readWrite, isDurable: false)
                    #expect(workspace.notices.isEmpty, "limit \(limit): \(workspace.notices)")
                    #expect(try workspace.values() == state, "limit \(limit)")
                }
            }
            #expect(failures > 50)
            #expect(try workspace.verify().isSound)
        }
    }
}
