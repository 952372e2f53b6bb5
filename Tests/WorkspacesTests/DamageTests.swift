import Foundation
import TestSupport
import Testing

@testable import HDF5Objects
@testable import Workspaces

/// Damage to each of the files: it is named, and nothing but the damaged data is lost.
@Suite struct DamageTests {
    private static let expected: [String: StoredValue] = ["x": 3, "z": "kept"]

    /// Six statements, one of them undone, one failed.
    private func example() throws -> Scratch {
        let scratch = try Scratch()
        let workspace = try scratch.open()
        try workspace.run("x = 1", ["x": 1, "y": 1])
        try workspace.run("z", ["z": "kept"])
        try workspace.fail(try workspace.begin(source: "bad", seed: ""), message: "no")
        try workspace.run("x = 2", ["x": 2], unbind: ["y"])
        try workspace.run("x = 3", ["x": 3])
        try workspace.run("x = 4", ["x": 4])
        _ = try workspace.undo()
        #expect(try workspace.values() == Self.expected)
        workspace.close()
        return scratch
    }

    @Test func aJournalCutAtAnyByteCostsNoName() throws {
        let scratch = try example()
        let journal = try scratch.bytes("journal.jsonl")
        let head = try scratch.bytes("HEAD")
        let whole = try Workspace.recover(scratch.workspace).timeline.names
        for length in 0..<journal.count {
            try scratch.overwrite("journal.jsonl", journal.prefix(length))
            let found = try Workspace.recover(scratch.workspace)
            #expect(found.timeline.names == whole, "cut at \(length)")
            #expect(found.notices.contains { $0.kind == .damage }, "cut at \(length)")
            #expect(found.timeline.lastSequence == 6 && found.owedBase != nil)
            guard length % 211 == 0 else { continue }
            // It can be used, and after the next statement nothing remains to repair.
            try scratch.overwrite("HEAD", head)
            var workspace = try scratch.open()
            try workspace.run("w", ["w": 5])
            workspace.close()
            workspace = try scratch.open()
            #expect(workspace.notices.isEmpty, "cut at \(length): \(workspace.notices)")
            #expect(try workspace.values() == Self.expected.merging(["w": 5]) { $1 })
            #expect(workspace.history.last?.sequence == 7)
            _ = try workspace.undo()
            #expect(try workspace.values() == Self.expected)
            workspace.close()
            try scratch.overwrite("HEAD", head)
        }
    }

    @Test func aJournalCutAtAnyByteGivesTheStateOfItsWholeLinesWithoutHEAD() throws {
        let scratch = try example()
        let journal = try scratch.bytes("journal.jsonl")
        unlink(scratch.file("HEAD"))
        var ends = [0]
        ends += journal.indices.filter { journal[$0] == 0x0A }.map { $0 + 1 }
        var states: [Int: [BindingInfo]] = [:]
        for end in ends {
            try scratch.overwrite("journal.jsonl", journal.prefix(end))
            states[end] = try Workspace.recover(scratch.workspace).timeline.names
        }
        #expect(states[journal.count]?.map(\.name) == ["x", "z"])
        for length in 0..<journal.count {
            try scratch.overwrite("journal.jsonl", journal.prefix(length))
            let found = try Workspace.recover(scratch.workspace)
            let end = ends.last { $0 <= length } ?? 0
            #expect(found.timeline.names == states[end], "cut at \(length)")
            #expect(found.journalLength == end)
        }
    }

    @Test func aDamagedLineIsNamedAndCostsNoName() throws {
        let scratch = try example()
        let journal = try scratch.bytes("journal.jsonl")
        let head = try scratch.bytes("HEAD")
        let whole = try Workspace.recover(scratch.workspace).timeline.names
        for place in journal.indices {
            var damaged = journal
            damaged[place] ^= 1 << (place % 8)
            try scratch.overwrite("journal.jsonl", damaged)
            let found = try Workspace.recover(scratch.workspace)
            #expect(found.timeline.names == whole, "byte \(place)")
            #expect(!found.damages.isEmpty, "byte \(place)")
            #expect(found.timeline.done.isEmpty, "undo must not cross a gap: byte \(place)")
            guard place % 307 == 0 else { continue }
            var workspace = try scratch.open()
            let line = journal[..<place].count { $0 == 0x0A } + 1
            #expect(
                workspace.notices.first?.description.hasPrefix(
                    "'\(scratch.file("journal.jsonl"))' is damaged in line \(line) (") == true)
            try workspace.run("w", ["w": 5])
            workspace.close()
            workspace = try scratch.open()
            #expect(workspace.notices.isEmpty && workspace.undoDepth == 1)
            let report = try workspace.verify()
            #expect(!report.isSound && report.damages.isEmpty && report.notices.count >= 1)
            #expect(try workspace.values() == Self.expected.merging(["w": 5]) { $1 })
            #expect(
                try scratch.bytes("journal.jsonl").prefix(damaged.count) == damaged,
                "what is damaged is kept as it is")
            workspace.close()
            try scratch.overwrite("HEAD", head)
        }
    }

    @Test func aMissingOrDamagedHEADIsMadeFromTheJournal() throws {
        let scratch = try example()
        let head = try scratch.bytes("HEAD")
        var flipped = head
        flipped[head.count / 2] ^= 4
        for bytes in [nil, Data(), head.prefix(head.count / 2), flipped] {
            unlink(scratch.file("HEAD"))
            if let bytes { try scratch.overwrite("HEAD", bytes) }
            var workspace = try scratch.open()
            #expect(
                workspace.notices.map(\.description) == [
                    "'\(scratch.workspace)/HEAD' \(bytes == nil ? "is missing" : "is damaged"); "
                        + "the names were taken from the journal instead."
                ])
            #expect(try workspace.values() == Self.expected)
            #expect(workspace.undoDepth == 4 && workspace.redoDepth == 1)
            workspace.close()
            workspace = try scratch.open()
            #expect(workspace.notices.isEmpty)
        }
    }

    @Test func gcWaitsWhereBothAccountsAreDamaged() throws {
        let scratch = try example()
        var journal = try scratch.bytes("journal.jsonl")
        unlink(scratch.file("HEAD"))
        let ends = journal.indices.filter { journal[$0] == 0x0A }
        journal[ends[1] + 20] ^= 1
        try scratch.overwrite("journal.jsonl", journal)
        let workspace = try scratch.open()
        let count = workspace.objects.digests().count
        let error = #expect(throws: WorkspaceError.self) { try workspace.gc(keepingUndo: 0) }
        #expect(error?.description.contains("Nothing was removed.") == true)
        #expect(workspace.objects.digests().count == count)
    }

    @Test func aDamagedObjectIsNamedWithTheStatementThatMakesItAgain() throws {
        let scratch = try Scratch()
        let workspace = try scratch.open()
        try workspace.run("keep", ["good": 1])
        try workspace.run("load x", ["bad": ["weights": try array([1, 2, 3], [3])]])
        let digest = try #require(workspace.binding("bad")?.digest)
        let path = workspace.objects.path(digest)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        let place = try #require(whole.range(of: Data([0, 0, 0x80, 0x3F]))?.lowerBound)
        var flipped = whole
        flipped[place] ^= 1
        let cases: [(Data?, String)] = [
            (nil, "the file is missing"),
            (flipped, "the bytes of 'weights' differ from their checksum"),
            (Data(), "it does not begin like an HDF5 file"),
            (whole.prefix(place), "the checksum of its structure is wrong"),
            (Data(repeating: 7, count: 500), "it does not begin like an HDF5 file"),
        ]
        for (bytes, reason) in cases {
            unlink(path)
            if let bytes { try bytes.write(to: URL(fileURLWithPath: path)) }
            let error = #expect(throws: WorkspaceError.self) { try workspace.read("bad") }
            let sentence = error?.description ?? ""
            #expect(
                sentence.hasPrefix("The value of 'bad' cannot be read: \(reason)"), "\(sentence)")
            #expect(
                sentence.hasSuffix(
                    "Its file is '\(path)'. Statement 2, `load x`, makes it again."))
            #expect(try workspace.read("good").value == 1, "the rest is usable")
            let report = try workspace.verify()
            #expect(report.damages.map(\.digest) == [digest])
            #expect(report.damages.first?.names == ["bad"])
            #expect(report.damages.first?.source == "load x")
            // Making the value again repairs it.
            try workspace.run("load x", ["bad": ["weights": try array([1, 2, 3], [3])]])
            #expect(try workspace.verify().isSound)
            _ = try workspace.undo()
        }
    }

    @Test func verifyFindsEveryBitFlip() throws {
        let scratch = try Scratch()
        let workspace = try scratch.open()
        try workspace.run("all", ["all": .awkward])
        try workspace.run("one", ["one": try array([1, 2, 3, 4], [4])])
        var random = SeededGenerator(5)
        for _ in 0..<500 {
            let digest = try #require(workspace.objects.digests().randomElement(using: &random))
            let path = URL(fileURLWithPath: workspace.objects.path(digest))
            let whole = try Data(contentsOf: path)
            var flipped = whole
            let place = Int.random(in: whole.indices, using: &random)
            flipped[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            try flipped.write(to: path)
            #expect(throws: ObjectFault.self, "byte \(place) of \(path.path)") {
                try workspace.objects.read(digest)
            }
            try whole.write(to: path)
        }
        #expect(try workspace.verify().isSound)
    }
}
