import Foundation
import Testing

@testable import HDF5Objects
@testable import Workspaces

/// Statements that a user stopped and resumed later.
@Suite struct ResumptionTests {
    private let state = StoredObject(kind: "state", value: ["step": 3])

    /// `x = 1`, then a statement that was stopped after it had bound `x` to 2.
    private func stopped() throws -> (scratch: Scratch, workspace: Workspace, sequence: Int) {
        let scratch = try Scratch()
        let workspace = try scratch.open()
        try workspace.run("x = 1", ["x": 1])
        let sequence = try workspace.begin(source: "train", seed: "7")
        try workspace.checkpoint(sequence, state, progress: "step 3 of 9")
        try workspace.commit(
            sequence, bind: [("x", .stored(StoredObject(kind: "value", value: 2)))], seconds: 1,
            stopped: "step 3 of 9")
        return (scratch, workspace, sequence)
    }

    private func finish(_ workspace: Workspace, _ sequence: Int) throws {
        try workspace.commit(
            sequence, bind: [("x", .stored(StoredObject(kind: "value", value: 9)))],
            inputs: ["x"], seconds: 2)
    }

    @Test func whatAStoppedStatementBoundIsTakenBackWhileItRunsAgain() throws {
        var (scratch, workspace, sequence) = try stopped()
        for _ in 0..<2 {
            let unfinished = try #require(workspace.unfinished)
            #expect(unfinished.sequence == sequence && unfinished.isStopped)
            #expect(unfinished.progress == "step 3 of 9")
            #expect(try workspace.values() == ["x": 2], "what it had done is there")
            workspace.close()
            workspace = try scratch.open()
        }
        let digest = try #require(workspace.unfinished?.checkpoint)
        #expect(try workspace.read(digest: digest) == state)
        try workspace.resume(sequence)
        #expect(try workspace.values() == ["x": 1], "its inputs are those that it had")
        try finish(workspace, sequence)
        #expect(workspace.unfinished == nil && !workspace.isStored(digest))
        #expect(workspace.history.map(\.status) == [.committed, .committed])
        workspace.close()
        workspace = try scratch.open()
        #expect(workspace.notices.isEmpty && workspace.unfinished == nil)
        #expect(try workspace.values() == ["x": 9])
        _ = try workspace.undo()
        #expect(try workspace.values() == ["x": 1])
        _ = try workspace.redo()
        #expect(try workspace.values() == ["x": 9])
    }

    @Test func aFailedResumptionBindsWhatWasThereAgain() throws {
        let (scratch, workspace, sequence) = try stopped()
        try workspace.resume(sequence)
        try workspace.fail(sequence, message: "no")
        #expect(try workspace.values() == ["x": 2])
        #expect(workspace.unfinished?.sequence == sequence, "and it can be tried again")
        workspace.close()
        let again = try scratch.open()
        #expect(try again.values() == ["x": 2])
        #expect(again.unfinished?.sequence == sequence && again.notices.isEmpty)
    }

    @Test func aResumptionThatIsKilledCanBeResumed() throws {
        for next in ["resume", "undo", "statement", "drop"] {
            let (scratch, workspace, sequence) = try stopped()
            try workspace.resume(sequence)
            try workspace.checkpoint(
                sequence, StoredObject(kind: "state", value: 5), progress: "step 5 of 9")
            let killed = scratch.path + "/killed.samiws"
            try FileManager.default.copyItem(atPath: scratch.workspace, toPath: killed)
            let again = try Workspace.open(killed, mode: .readWrite, isDurable: false)
            #expect(again.unfinished?.sequence == sequence)
            #expect(again.unfinished?.progress == "step 5 of 9")
            #expect(try again.gc(keepingUndo: 5).removed == 0, "all of it is still needed")
            switch next {
            case "resume":
                try again.resume(sequence)
                try finish(again, sequence)
                #expect(try again.values() == ["x": 9])
            case "undo":
                _ = try again.undo()
                #expect(try again.values() == ["x": 1], "what it had bound is taken back")
            case "statement":
                try again.run("y", ["y": 4])
                #expect(try again.values() == ["x": 2, "y": 4])
                #expect(again.unfinished == nil, "others stand on what it had bound")
            default:
                try again.dropUnfinished()
                #expect(try again.values() == ["x": 2] && again.unfinished == nil)
            }
            #expect(try again.verify().isSound)
            again.close()
            workspace.close()
        }
    }

    @Test func whatOthersBuiltOnIsNotResumed() throws {
        let (scratch, workspace, sequence) = try stopped()
        defer { withExtendedLifetime(scratch) {} }
        try workspace.run("y = x", ["y": 2], inputs: ["x"])
        #expect(workspace.unfinished == nil)
        #expect(throws: WorkspaceError.self) { try workspace.resume(sequence) }
        _ = try workspace.undo()
        #expect(workspace.unfinished?.sequence == sequence, "undo leads back to it")
        #expect(try workspace.gc(keepingUndo: 3).removed == 0)
        try workspace.resume(sequence)
        try finish(workspace, sequence)
        #expect(try workspace.values() == ["x": 9] && workspace.redoDepth == 0)
    }

    @Test func aStatementStoppedBeforeItBoundAnythingCanGoOn() throws {
        let scratch = try Scratch()
        var workspace = try scratch.open()
        let sequence = try workspace.begin(source: "rollout", seed: "1")
        try workspace.checkpoint(sequence, state)
        try workspace.fail(sequence, message: "stopped", stopped: "query 2 of 8")
        try workspace.fail(try workspace.begin(source: "typo", seed: ""), message: "no")
        workspace.close()
        workspace = try scratch.open()
        #expect(workspace.unfinished?.progress == "query 2 of 8")
        try workspace.resume(sequence)
        try finish(workspace, sequence)
        #expect(try workspace.values() == ["x": 9])
        #expect(workspace.unfinished == nil)
    }

    @Test func droppingAStoppedStatementKeepsWhatItBound() throws {
        let (scratch, workspace, _) = try stopped()
        try workspace.dropUnfinished()
        #expect(workspace.unfinished == nil)
        #expect(try workspace.values() == ["x": 2])
        #expect(try workspace.gc(keepingUndo: 5).removed == 1, "the checkpoint")
        workspace.close()
        let again = try scratch.open()
        #expect(again.unfinished == nil && again.notices.isEmpty)
        #expect(again.history.map(\.status) == [.committed, .committed])
    }

    @Test func checkpointsReplaceOneAnother() throws {
        let scratch = try Scratch()
        let workspace = try scratch.open()
        let sequence = try workspace.begin(source: "pretrain", seed: "")
        for step in 1...5 {
            let state = StoredObject(kind: "state", value: ["step": .number(Double(step))])
            try workspace.checkpoint(sequence, state)
            #expect(workspace.objects.digests().count == 1)
        }
        try finish(workspace, sequence)
        #expect(workspace.objects.digests() == workspace.names.compactMap(\.digest))
    }

    @Test func trimmingKeepsAsManyOldValuesAsAreWanted() throws {
        let scratch = try Scratch()
        let workspace = try scratch.open()
        for number in 1...9 {
            try workspace.run("x", ["x": .number(Double(number)), "same": 0])
            try workspace.trim(keepingUndo: 2)
        }
        // Nine, eight and seven, and the one that never changed.
        #expect(workspace.objects.digests().count == 4)
        #expect(workspace.undoDepth == 2)
        _ = try workspace.undo()
        _ = try workspace.undo()
        #expect(try workspace.values() == ["x": 7, "same": 0])
        let error = #expect(throws: WorkspaceError.self) { try workspace.undo() }
        #expect(
            error?.description
                == "No earlier state is kept. `replay` runs the statements again, up to any of them."
        )
        #expect(try workspace.verify().isSound)
        workspace.close()
        #expect(try scratch.open().notices.isEmpty)
    }

    @Test func aStatementThatIsDoneAgainKeepsItsNumber() throws {
        let scratch = try Scratch()
        let workspace = try scratch.open()
        #expect(try workspace.begin(source: "a", seed: "", number: 4) == 4)
        try workspace.fail(4, message: "")
        #expect(try workspace.begin(source: "b", seed: "", number: 2) == 5)
    }
}
