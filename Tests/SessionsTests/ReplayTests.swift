import Foundation
import HDF5Objects
import Testing
import Workspaces

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import ShippedWorld
@testable import Values

/// Replay of a session or a script.
@Suite struct ReplayTests {
    private func replay(
        _ bench: Workbench, _ path: String = "test.samiws", check: Bool = true, to: Int? = nil,
        into: String? = nil, allowsWrites: Bool = false
    ) throws -> (isWell: Bool, summary: String) {
        var options = ReplayOptions()
        options.check = check
        options.upTo = to
        options.into = into
        options.allowsWrites = allowsWrites
        var configuration = Session.Configuration()
        configuration.directory = bench.folder
        return try Session.replay(path, options, configuration: configuration)
    }

    /// The budget decides which rows are computed together, and so the last bits of results; see
    /// GenerationTests.
    @Test func `a statement is replayed with the memory budget that it had`() throws {
        let bench = try Workbench(access: .readWrite)
        // A budget that no machine chooses by itself, and that no statement sets.
        bench.session.settings.memory = 123_456_789
        try bench.output("x = 1")
        bench.session.settings.memory = nil
        try bench.output("y = 2")
        bench.session.close()
        let result = try replay(bench, into: "again.samiws")
        #expect(result.isWell, "\(result)")
        func budgets(_ name: String) throws -> [Int?] {
            let workspace = try Workspace.open(bench.folder + "/" + name, mode: .readOnly)
            defer { workspace.close() }
            return workspace.history.map { StatementConditions(journal: $0.seed).memory }
        }
        let kept = try budgets("test.samiws")
        #expect(kept.first == 123_456_789 && kept.count == 2 && kept[1] != nil)
        #expect(try budgets("again.samiws") == kept)
    }

    @Test func `the first difference is shown with both values`() throws {
        let cases: [(source: String, kept: StoredValue, words: String)] = [
            ("x = 1 + 1", 3, "`x` of #1 `x = 1 + 1` was 3.0 and is now 2.0"),
            (
                "x = {\"a\": [1, 2]}", ["a": [1, 5]],
                "`x.a[1]` of #1 `x = {\"a\": [1, 2]}` was 5.0 and is now 2.0"
            ),
            (
                "x = \"abc\"", "abd",
                "`x` of #1 `x = \"abc\"` was \"abd\" and is now \"abc\""
            ),
            (
                "x = ones([2, 2])",
                .array(try StoredArray([1, 1, 1, 1.5] as [Float], shape: [2, 2])),
                "`x[1, 1]` of #1 `x = ones([2, 2])` was 1.5 and is now 1.0"
            ),
            (
                "x = ones([4])", .array(try StoredArray([1, 1, 1, 1] as [Float], shape: [2, 2])),
                "`x` of #1 `x = ones([4])` was float32 of shape [2, 2] and is now float32 of "
                    + "shape [4]"
            ),
        ]
        for (source, kept, words) in cases {
            let bench = try Workbench(access: .readWrite)
            bench.session.close()
            let workspace = try Workspace.open(
                bench.folder + "/test.samiws", machine: NumericEnvironment.description)
            let sequence = try workspace.begin(source: source, seed: "0")
            try workspace.commit(
                sequence, bind: [("x", .stored(StoredObject(kind: "value", value: kept)))],
                seconds: 0)
            workspace.close()
            let result = try replay(bench)
            #expect(!result.isWell)
            #expect(result.summary == "replay differs: " + words)
        }
    }

    @Test func `numbers of another machine may differ by what is stated, ids may not`() {
        let other = ValueComparison(isExact: false)
        let same = ValueComparison(isExact: true)
        let before: StoredValue = ["loss": 0.69314718, "id": 7]
        #expect(other.first(before, ["loss": 0.69314719, "id": 7]) == nil)
        #expect(same.first(before, ["loss": 0.69314719, "id": 7])?.place == ".loss")
        #expect(other.first(before, ["loss": 0.7, "id": 7])?.place == ".loss")
        #expect(other.first(before, ["loss": 0.69314718, "id": 8])?.place == ".id")
        #expect(other.first("a", "b") != nil)
        #expect(other.first(["a": 1], ["a": 1, "b": nil])?.now == "null")
        #expect(other.first([1, 2], [1])?.now == "1 item")
    }

    @Test func `a state that undo does not reach comes back up to a statement, in a new workspace`()
        throws
    {
        let bench = try Workbench(access: .readWrite, seed: 4)
        try bench.output(
            """
            train tokenizer vocabulary=280 documents=20
            x = 1
            """)
        bench.run("load queries nowhere.jsonl")
        try bench.output(
            """
            new model layers=1 width=32 context=64
            x = 2
            set undo_depth=1
            x = 3
            x = 4
            """)
        let complaint = bench.complaint("undo; undo")
        #expect(complaint.contains("`replay`"), "\(complaint)")
        let result = try replay(bench, to: 5, into: "older.samiws")
        #expect(result.isWell, "\(result)")
        let older = try Workspace.open(bench.folder + "/older.samiws", mode: .readOnly)
        #expect(try older.read("x").value == 2)
        #expect(
            older.binding("model")?.digest
                == bench.session.workspace.binding("model")?.digest,
            "the same random numbers, though a statement between them had failed")
        #expect(older.history.map(\.sequence) == [1, 2, 4, 5])
        #expect(throws: WorkspaceError.self) { try replay(bench, into: "older.samiws") }
    }

    @Test func `a replay of a replay is the same`() throws {
        let bench = try Workbench(access: .readWrite, seed: 4)
        bench.run("load queries nowhere.jsonl")
        try bench.output("new model layers=1 width=32 context=64 vocabulary=300; y = 2")
        #expect(try replay(bench, into: "second.samiws").isWell)
        let again = try replay(bench, "second.samiws", into: "third.samiws")
        #expect(again.isWell, "\(again)")
        #expect(again.summary == "replayed 2 statements, 3 values the same to the last bit")
    }

    @Test func `a script is run twice and compared`() throws {
        let bench = try Workbench()
        try bench.write("s.sami", "new model layers=1 width=32 context=64 vocabulary=300\nx = 3\n")
        #expect(
            try replay(bench, "s.sami").summary
                == "replayed 2 statements, 3 values the same to the last bit")
        #expect(try replay(bench, "s.sami", check: false).summary == "ran 2 statements")
        try bench.write("s.sami", "x = 3\nx = nothing\n")
        #expect(try !replay(bench, "s.sami").isWell)
    }

    @Test func `a replay ends at a statement, not inside of a block or a script`() throws {
        let bench = try Workbench(access: .readWrite)
        try bench.output("for i in [1, 2] { x = i; load principles trained; }")
        let inside = try replay(bench, to: 2)
        #expect(!inside.isWell)
        #expect(
            inside.summary
                == "replay failed at statement 2: it is inside of block 1, which runs as one; 1 "
                + "names all of it")
        #expect(try replay(bench, to: 1).isWell)
        #expect(try replay(bench, to: bench.session.workspace.lastSequence).isWell)
        try bench.write("s.sami", "x = 3\ny = 4\n")
        let script = try replay(bench, "s.sami", to: 1)
        #expect(!script.isWell && script.summary.contains("not in a script"))
    }

    @Test func `a replay says whose values it copied`() throws {
        let bench = try Workbench(access: .readWrite)
        bench.run("for i in [1, 2] { x = i; load queries nowhere.jsonl }")
        let workspace = bench.session.workspace
        let number = try workspace.begin(source: "y = 1", seed: "0")
        try workspace.commit(number, bind: [], seconds: 0, stopped: "half")
        let result = try replay(bench)
        #expect(
            result.summary
                == "replayed 2 statements; values copied: 1 statement stopped by the user, "
                + "1 statement of blocks that did not reach their end")
    }

    @Test func `a file that has changed is named`() throws {
        let bench = try Workbench(access: .readWrite)
        try bench.write("q.jsonl", "{\"text\": \"one\"}\n")
        try bench.output("load queries q.jsonl")
        try bench.write("q.jsonl", "{\"text\": \"two\"}\n")
        let result = try replay(bench)
        #expect(!result.isWell)
        #expect(
            result.summary.hasPrefix(
                "replay differs: #1 `load queries q.jsonl` read '\(bench.folder)/q.jsonl', which "
                    + "has changed since; "), "\(result.summary)")
    }

    @Test func `statements of a stranger write in the working folder only`() throws {
        let outside = NSTemporaryDirectory() + "sami-outside-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: outside, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: outside) }
        for statement in [
            "export x \(outside)/x.json", "export x ../x.json", "export x link/x.json",
            "export x dangling", "pack \(outside)/p.h5", "plot x \(outside)/x.svg",
            "open \(outside)/w.samiws", "unpack p.h5 \(outside)/u.samiws",
            "export x link/deeper/../x.json",
        ] {
            let bench = try Workbench(access: .readWrite)
            bench.session.close()
            symlink(outside, bench.folder + "/link")
            symlink(outside + "/new.json", bench.folder + "/dangling")
            let workspace = try Workspace.open(bench.folder + "/test.samiws")
            for source in ["x = [1, 2]", statement] {
                _ = try workspace.commit(
                    try workspace.begin(source: source, seed: "0"), bind: [], seconds: 0)
            }
            workspace.close()
            let result = try replay(bench, check: false)
            #expect(!result.isWell, "\(statement)")
            #expect(
                result.summary.contains("may write only in \(bench.folder)"),
                "\(statement): \(result.summary)")
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: outside).isEmpty,
                "\(statement)")
        }
        let bench = try Workbench(access: .readWrite)
        bench.session.close()
        let workspace = try Workspace.open(bench.folder + "/test.samiws")
        for source in ["x = 1", "export x inside.json", "export x \(outside)/x.json"] {
            _ = try workspace.commit(
                try workspace.begin(source: source, seed: "0"), bind: [], seconds: 0)
        }
        workspace.close()
        #expect(try replay(bench, check: false, allowsWrites: true).isWell)
        #expect(try bench.read("inside.json").count > 0)
        #expect(FileManager.default.fileExists(atPath: outside + "/x.json"))
    }
}
