import Files
import Foundation
import TestSupport
import Testing

@testable import HDF5Objects
@testable import Workspaces

/// A workspace that sami 0.1.0 wrote, before large arrays had files of their own.
@Suite struct OldWorkspaceTests {
    private func copied(to scratch: Scratch) throws {
        try FileManager.default.copyItem(
            atPath: Fixture.path("workspace-0.1.0"), toPath: scratch.workspace)
    }

    @Test func `it opens, is sound, and has its values`() throws {
        let scratch = try Scratch()
        try copied(to: scratch)
        let workspace = try scratch.open()
        #expect(workspace.notices.allSatisfy { $0.kind != .damage })
        #expect(try workspace.verify().isSound)
        #expect(
            workspace.names.map(\.name) == [
                "constitutions", "logprobs", "loss", "note", "principles", "queries", "x",
            ])
        #expect(
            try workspace.read("note").value
                == ["name": "old", "n": 1.5, "items": [1, nil, true, "é"]])
        let x = try #require(try workspace.read("x").value.arrayValue)
        #expect(x.shape == [66_000] && x.byteCount > ObjectLayout.leastApart)
        #expect(try x.values(as: Float.self) == (0..<66_000).map(Float.init))
    }

    @Test func `its values keep their digests when they are stored again`() throws {
        let scratch = try Scratch()
        try copied(to: scratch)
        let workspace = try scratch.open()
        for binding in workspace.names {
            #expect(try workspace.read(binding.name).digest() == binding.digest)
        }
        let x = try workspace.read("x")
        let report = try workspace.run("y", ["y": ["x": x.value]])
        #expect(report.bytesWritten > x.bytes, "the array gets a file of its own")
        workspace.close()
        let again = try scratch.open()
        #expect(try again.read("y").value == ["x": x.value])
        _ = try again.gc(keepingUndo: 0)
        #expect(try again.read("x") == x)
    }
}
