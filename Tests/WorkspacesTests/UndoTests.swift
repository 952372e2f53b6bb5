import Foundation
import TestSupport
import Testing

@testable import HDF5Objects
@testable import Workspaces

@Suite struct UndoTests {
    @Test(.namesSeeds) func undoAndRedoFollowAModelForAnySequenceOfStatements() throws {
        try withEvery(1..<21) { _, random in
            let scratch = try Scratch()
            var workspace = try scratch.open()
            var states: [[String: StoredValue]] = [[:]]
            var place = 0
            var serial = 0
            for _ in 0..<40 {
                switch Int.random(in: 0..<11, using: &random) {
                case 10:
                    // A block: several statements that undo and redo take together.
                    var state = states[place]
                    _ = try workspace.beginBlock(source: "for …", seed: "")
                    #expect(throws: WorkspaceError.self) { try workspace.undo() }
                    for _ in 0..<Int.random(in: 1..<4, using: &random) {
                        serial += 1
                        let name = ["a", "b", "c", "d"].randomElement(using: &random) ?? "a"
                        state[name] = .number(Double(serial))
                        try workspace.run("\(name) = \(serial)", [name: .number(Double(serial))])
                    }
                    let isWhole = Bool.random(using: &random)
                    try workspace.endBlock(seconds: 0, failure: isWhole ? nil : "it failed")
                    states = Array(states[...place]) + [state]
                    place += 1
                case 0..<4:
                    serial += 1
                    var state = states[place]
                    let name = ["a", "b", "c", "d"].randomElement(using: &random) ?? "a"
                    var unbind: [String] = []
                    if let gone = state.keys.sorted().randomElement(using: &random), gone != name,
                        Bool.random(using: &random)
                    {
                        unbind = [gone]
                        state[gone] = nil
                    }
                    state[name] = .number(Double(serial))
                    try workspace.run(
                        "\(name) = \(serial)", [name: .number(Double(serial))], unbind: unbind)
                    states = Array(states[...place]) + [state]
                    place += 1
                case 4..<6:
                    if place > 0 {
                        place -= 1
                        _ = try workspace.undo()
                    } else {
                        #expect(throws: WorkspaceError.self) { try workspace.undo() }
                    }
                case 6..<8:
                    if place + 1 < states.count {
                        place += 1
                        _ = try workspace.redo()
                    } else {
                        #expect(throws: WorkspaceError.self) { try workspace.redo() }
                    }
                case 8:
                    try workspace.fail(
                        try workspace.begin(source: "fails", seed: ""), message: "as it should")
                default:
                    workspace.close()
                    workspace = try scratch.open()
                    #expect(workspace.notices.isEmpty)
                }
                #expect(try workspace.values() == states[place])
                #expect(workspace.undoDepth == place)
                #expect(workspace.redoDepth == states.count - 1 - place)
            }
        }
    }

    @Test func `the report about a block has the first and the last value of each name`() throws {
        let scratch = try Scratch()
        let workspace = try scratch.open()
        try workspace.run("x = 1", ["x": 1])
        let block = try workspace.beginBlock(source: "for …", seed: "")
        try workspace.run("x = 2", ["x": 2])
        try workspace.run("x = 3", ["x": 3, "y": 4])
        try workspace.endBlock(seconds: 1)
        let undone = try workspace.undo()
        #expect(undone.sequence == block && undone.source == "for …")
        #expect(undone.changes.map(\.name) == ["x", "y"])
        #expect(undone.changes.map(\.before?.sequence) == [4, 4])
        #expect(undone.changes.map(\.after?.sequence) == [1, nil])
        #expect(workspace.history.map(\.block) == [nil, 2, 2, 2])
        #expect(workspace.history.map(\.status) == [.committed, .undone, .undone, .undone])
    }

    @Test func `a limit on undo counts a block as one`() throws {
        let scratch = try Scratch()
        let workspace = try scratch.open()
        try workspace.run("x = 1", ["x": 1])
        try workspace.run("x = 2", ["x": 2])
        _ = try workspace.beginBlock(source: "for …", seed: "")
        for value in 3..<13 { try workspace.run("x", ["x": .number(Double(value))]) }
        try workspace.endBlock(seconds: 1)
        try workspace.trim(keepingUndo: 2)
        #expect(workspace.undoDepth == 2)
        _ = try workspace.undo()
        #expect(try workspace.values() == ["x": 2])
        _ = try workspace.undo()
        #expect(try workspace.values() == ["x": 1])
        #expect(throws: WorkspaceError.self) { try workspace.undo() }
        _ = try workspace.redo()
        _ = try workspace.redo()
        #expect(try workspace.values() == ["x": 12])
    }

    @Test func `a block whose process died keeps what its statements bound`() throws {
        let scratch = try Scratch()
        let first = try scratch.open()
        try first.run("x = 1", ["x": 1])
        let block = try first.beginBlock(source: "for …", seed: "")
        try first.run("x = 2", ["x": 2])
        first.close()
        let second = try scratch.open()
        #expect(try second.values() == ["x": 2])
        #expect(second.unfinished == nil, "a block is not resumed")
        #expect(second.statement(block)?.status == .unfinished)
        try second.run("y = 3", ["y": 3])
        #expect(second.statement(4)?.block == nil)
        _ = try second.undo()
        _ = try second.undo()
        #expect(try second.values() == ["x": 1])
    }

    @Test func aReportSaysWhatChanged() throws {
        let scratch = try Scratch()
        let workspace = try scratch.open()
        try workspace.run("x = 1", ["x": 1])
        try workspace.run("x = 2", ["x": 2, "y": 3])
        let undone = try workspace.undo()
        #expect(undone.sequence == 2 && undone.source == "x = 2")
        #expect(undone.changes.map(\.name) == ["x", "y"])
        #expect(undone.changes.map(\.before?.sequence) == [2, 2])
        #expect(undone.changes.map(\.after?.sequence) == [1, nil])
        #expect(workspace.history.map(\.status) == [.committed, .undone])
        #expect(workspace.history.map(\.isCurrent) == [true, false])
        let redone = try workspace.redo()
        #expect(redone.changes.map(\.after?.sequence) == [2, 2])
        let error = #expect(throws: WorkspaceError.self) { try workspace.redo() }
        #expect(error?.description == "There is nothing to redo.")
    }

    @Test func statementsThatChangeNothingAreNotSteps() throws {
        let scratch = try Scratch()
        let workspace = try scratch.open()
        try workspace.run("x", ["x": 1])
        try workspace.run("show x", [:], inputs: ["x"])
        #expect(workspace.undoDepth == 1)
        #expect(try workspace.undo().source == "x")
    }

    @Test func gcKeepsWhatUndoAndRedoReach() throws {
        let scratch = try Scratch()
        var workspace = try scratch.open()
        for value in 1...6 { try workspace.run("x", ["x": .number(Double(value))]) }
        _ = try workspace.undo()
        let report = try workspace.gc(keepingUndo: 2)
        #expect(report.removed == 2 && report.kept == 4 && report.bytes > 0)
        #expect(workspace.undoDepth == 2)
        workspace.close()
        workspace = try scratch.open()
        #expect(workspace.undoDepth == 2 && workspace.redoDepth == 1)
        _ = try workspace.redo()
        #expect(try workspace.values() == ["x": 6])
        for expected in [5, 4, 3] {
            _ = try workspace.undo()
            #expect(try workspace.values() == ["x": .number(Double(expected))])
        }
        let error = #expect(throws: WorkspaceError.self) { try workspace.undo() }
        #expect(
            error?.description
                == "No earlier state is kept. `replay` runs the statements again, up to any of them."
        )
        #expect(try workspace.verify().isSound)
    }
}
