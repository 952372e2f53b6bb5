import Files
import Foundation
import Testing

@testable import HDF5Objects
@testable import Workspaces

@Suite struct StatementTests {
    @Test func whatAStatementBindsIsThereAfterReopening() throws {
        let scratch = try Scratch()
        let first = try scratch.open()
        #expect(first.isWritable && first.notices.isEmpty && first.names.isEmpty)
        let report = try first.run(
            "load", ["x": 3, "weights": try array([1, 2, 3, 4, 5, 6], [2, 3])])
        #expect(report.sequence == 1 && report.notices.isEmpty && report.bytesWritten > 0)
        try first.run("y = x", ["y": ["text": "naïve\0😀"]], inputs: ["x"])
        let values = try first.values()
        first.close()

        let second = try scratch.open()
        #expect(second.notices.isEmpty && second.unfinished == nil)
        #expect(try second.values() == values)
        #expect(second.names.map(\.name) == ["weights", "x", "y"])
        #expect(second.names.map(\.sequence) == [1, 1, 2])
        #expect(try second.begin(source: "z", seed: "") == 3)
    }

    @Test func equalValuesShareAFile() throws {
        let scratch = try Scratch()
        let workspace = try scratch.open()
        let value = try array(Array(repeating: 1, count: 1000), [1000])
        let first = try workspace.run("a", ["a": value])
        let second = try workspace.run("b", ["b": value, "c": value])
        #expect(first.bytesWritten > 4000 && second.bytesWritten == 0)
        #expect(Set(workspace.names.map(\.digest)).count == 1)
        #expect(workspace.objects.digests().count == 1)
    }

    @Test func anObjectCanGetASecondNameWithoutItsBytes() throws {
        let scratch = try Scratch()
        let workspace = try scratch.open()
        try workspace.run("load model", ["model": "weights"])
        let digest = try #require(workspace.binding("model")?.digest)
        let sequence = try workspace.begin(source: "base = model", seed: "")
        try workspace.commit(sequence, bind: [("base", .existing(digest: digest))], seconds: 0)
        #expect(try workspace.read("base").value == "weights")
        #expect(workspace.binding("base")?.sequence == 2)
        let third = try workspace.begin(source: "x", seed: "")
        let missing = String(repeating: "0", count: 64)
        #expect(throws: WorkspaceError.self) {
            try workspace.commit(third, bind: [("x", .existing(digest: missing))], seconds: 0)
        }
    }

    @Test func aFailedCommitBindsNothingAndTheStatementCanStillFail() throws {
        let scratch = try Scratch()
        let workspace = try scratch.open()
        try workspace.run("x", ["x": 1])
        let sequence = try workspace.begin(source: "bad", seed: "")
        let number = StoredObject(kind: "number", value: 2)
        for names in [
            ["x", ""], ["x", "x"], ["y", "nul\0"], [String(repeating: "y", count: 256)],
        ] {
            #expect(throws: WorkspaceError.self) {
                try workspace.commit(
                    sequence, bind: names.map { ($0, .stored(number)) }, seconds: 0)
            }
        }
        let error = #expect(throws: WorkspaceError.self) {
            try workspace.commit(sequence, bind: [], unbind: ["nobody"], seconds: 0)
        }
        #expect(error?.description == "Nothing is bound to 'nobody'.")
        try workspace.fail(sequence, message: "no such thing")
        #expect(try workspace.values() == ["x": 1])
        #expect(workspace.history.map(\.status) == [.committed, .failed("no such thing")])
        #expect(throws: WorkspaceError.self) {
            try workspace.commit(sequence, bind: [], seconds: 0)
        }
    }

    @Test func statementsRunOneAtATime() throws {
        let scratch = try Scratch()
        let workspace = try scratch.open()
        _ = try workspace.begin(source: "train", seed: "")
        #expect(workspace.history.map(\.status) == [.running])
        for attempt in [
            { _ = try workspace.begin(source: "show", seed: "") }, { _ = try workspace.undo() },
            { _ = try workspace.redo() },
        ] {
            let error = #expect(throws: WorkspaceError.self) { try attempt() }
            #expect(error?.description == "Statement 1, `train`, is still running.")
        }
    }

    @Test func namesCanBeForgottenAndComeBack() throws {
        let scratch = try Scratch()
        let workspace = try scratch.open()
        try workspace.run("x", ["x": 1, "y": 2])
        try workspace.run("rm x", [:], unbind: ["x"])
        #expect(try workspace.values() == ["y": 2])
        let error = #expect(throws: WorkspaceError.self) { try workspace.read("x") }
        #expect(error?.description == "Nothing is bound to 'x'.")
        _ = try workspace.undo()
        #expect(try workspace.values() == ["x": 1, "y": 2])
    }

    @Test func anUnfinishedStatementIsReportedAndCanBeResumedOrDropped() throws {
        let scratch = try Scratch()
        var workspace = try scratch.open()
        try workspace.run("x", ["x": 1])
        let sequence = try workspace.begin(source: "pretrain steps=100", seed: "5")
        let first = try workspace.checkpoint(
            sequence, StoredObject(kind: "state", value: ["step": 10]))
        let digest = try workspace.checkpoint(
            sequence, StoredObject(kind: "state", value: ["step": 20]))
        workspace.close()

        workspace = try scratch.open()
        let unfinished = try #require(workspace.unfinished)
        #expect(unfinished.sequence == 2 && unfinished.source == "pretrain steps=100")
        #expect(unfinished.seed == "5" && unfinished.checkpoint == digest)
        #expect(!workspace.isStored(first), "only the last one is of use")
        #expect(try workspace.gc(keepingUndo: 0).removed == 0)
        #expect(try workspace.read(digest: digest).value == ["step": 20])
        try workspace.resume(sequence)
        #expect(workspace.unfinished == nil)
        try workspace.commit(
            sequence, bind: [("model", .existing(digest: digest))], seconds: 1)
        #expect(workspace.history.map(\.status) == [.committed, .committed])

        _ = try workspace.begin(source: "train", seed: "")
        workspace.close()
        workspace = try scratch.open()
        #expect(workspace.unfinished?.source == "train")
        try workspace.dropUnfinished()
        #expect(workspace.unfinished == nil && workspace.history.last?.status == .failed("dropped"))
        workspace.close()
        #expect(try scratch.open().unfinished == nil)
    }

    @Test func aStatementLeftBehindDoesNotBlockTheNext() throws {
        let scratch = try Scratch()
        var workspace = try scratch.open()
        _ = try workspace.begin(source: "train", seed: "")
        workspace.close()
        workspace = try scratch.open()
        try workspace.run("x", ["x": 1])
        #expect(workspace.history.map(\.status) == [.unfinished, .committed])
        workspace.close()
        #expect(try scratch.open().unfinished == nil, "it is history by now")
    }

    @Test func transientValuesAreRecordedAndCanBeKeptLater() throws {
        let scratch = try Scratch()
        let weights = StoredObject(kind: "model", value: try array([1, 2], [2]))
        var workspace = try scratch.open()
        var sequence = try workspace.begin(source: "update", seed: "")
        try workspace.commit(
            sequence,
            bind: [
                ("model", .transient(kind: "model", digest: nil, bytes: 8)),
                ("log", .stored(StoredObject(kind: "log", value: 1))),
            ], seconds: 0)
        #expect(workspace.binding("model")?.isStored == false)
        let error = #expect(throws: WorkspaceError.self) { try workspace.read("model") }
        #expect(
            error?.description
                == "The value of 'model' is not stored: it was too large to write at every "
                + "statement. Statement 1, `update`, makes it again.")
        workspace.close()

        workspace = try scratch.open()
        #expect(workspace.notices.isEmpty)
        try workspace.keep("model", weights)
        #expect(workspace.binding("model")?.isStored == true)
        #expect(try workspace.read("model") == weights)
        sequence = try workspace.begin(source: "update", seed: "")
        let next = StoredObject(kind: "model", value: try array([3, 4], [2]))
        try workspace.commit(
            sequence,
            bind: [("model", .transient(kind: "model", digest: try next.digest(), bytes: 8))],
            seconds: 0)
        #expect(throws: WorkspaceError.self) { try workspace.keep("model", weights) }
        _ = try workspace.undo()
        #expect(try workspace.read("model") == weights)
        _ = try workspace.redo()
        try workspace.keep("model", next)
        workspace.close()
        workspace = try scratch.open()
        #expect(try workspace.read("model") == next && workspace.notices.isEmpty)
        #expect(try workspace.gc(keepingUndo: 5).removed == 0)
    }

    @Test func describeFollowsAValueBackToItsFiles() throws {
        let scratch = try Scratch()
        let workspace = try scratch.open()
        let sequence = try workspace.begin(source: "load model tiny", seed: "1")
        let file = InputFile(path: "tiny/model.safetensors", bytes: 12, digest: nil)
        try workspace.commit(
            sequence, bind: [("model", .stored(StoredObject(kind: "model", value: 1)))],
            files: [file], seconds: 0)
        try workspace.run("load queries", ["queries": ["q"]])
        try workspace.run("rollout", ["rollouts": ["r"]], inputs: ["model", "queries"])
        try workspace.run("train", ["model": 2], inputs: ["model", "rollouts"])
        let provenance = try workspace.provenance(of: "model")
        #expect(
            provenance.steps.map { "\($0.binding.name)@\($0.binding.sequence) \($0.inputs)" }
                == ["model@4 [1, 2]", "model@1 []", "rollouts@3 [1, 3]", "queries@2 []"])
        #expect(provenance.steps[1].statement?.files == [file])
        #expect(!provenance.isCut)
        #expect(try workspace.provenance(of: "model", limit: 2).isCut)
    }

    @Test func anEphemeralWorkspaceLeavesNothing() throws {
        let workspace = try Workspace.open("ignored", mode: .ephemeral)
        try workspace.run("x", ["x": 1])
        try workspace.run("x", ["x": 2])
        _ = try workspace.undo()
        #expect(try workspace.values() == ["x": 1])
        let path = workspace.path
        #expect(FileSystem.kind(of: path) == .folder)
        workspace.close()
        #expect(FileSystem.kind(of: path) == .absent)
        #expect(FileSystem.kind(of: "ignored") == .absent)
        #expect(throws: WorkspaceError.self) { try workspace.begin(source: "x", seed: "") }
        #expect(throws: WorkspaceError.self) { try workspace.read("x") }
    }
}
