import CommandLanguage
import Foundation
import JSON
import Testing

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import ShippedWorld
@testable import Values

@Suite struct SessionTests {
    @Test func `a name holds what it was given, and underscore the last result`() throws {
        let bench = try Workbench()
        try bench.output("x = [1, 2, 3]")
        #expect(try bench.text("sum(x)") == "6")
        #expect(try bench.text("_ * 2") == "12")
        #expect(try bench.text("y = _ + 1; y") == "13")
        #expect(bench.session.boundNames.map(\.name) == ["x", "y"])
    }

    @Test func `an expression that underscore stands for is journaled when it is used`() throws {
        let bench = try Workbench()
        try bench.output("1 + 1")
        #expect(bench.session.workspace.history.isEmpty)
        try bench.output("x = _ + 1")
        #expect(bench.session.workspace.history.map(\.source) == ["1 + 1", "x = _ + 1"])
    }

    @Test func `a failing statement changes nothing and the block stops`() throws {
        let bench = try Workbench()
        let outcomes = bench.run("x = 1; x = 1 / 0; x = 2")
        #expect(outcomes.count == 2)
        #expect(try bench.text("x") == "1")
    }

    @Test func `with keepGoing the statements after a failure run`() throws {
        let bench = try Workbench()
        #expect(bench.run("x = 1; x = 1 / 0; x = 2", keepGoing: true).count == 3)
        #expect(try bench.text("x") == "2")
    }

    @Test func `a block that does not parse runs nothing`() throws {
        let bench = try Workbench()
        let outcomes = bench.run("x = 1\ny = (2")
        #expect(outcomes.count == 1)
        #expect(bench.session.boundNames.isEmpty)
    }

    @Test func `a semicolon hides the output, and JSON has it all the same`() throws {
        let bench = try Workbench()
        let outcome = try #require(bench.run("1 + 1;").first)
        #expect(try outcome.result.get().isHidden)
        let fields = try #require(Value(try JSON.read(outcome.json)).record)
        #expect(Array(fields.keys) == ["statement", "name", "value", "seconds"])
        #expect(fields["value"]?.asNumber == 2)
        #expect(fields["statement"]?.asText == "1 + 1")
    }

    @Test func `a failure as JSON says what, where and how to mend it`() throws {
        let bench = try Workbench()
        try bench.output("rows = 3")
        let outcome = try #require(bench.run("rosw + 1").first)
        let fields = try #require(Value(try JSON.read(outcome.json)).record)
        let error = try #require(fields["error"]?.record)
        #expect(Array(fields.keys) == ["statement", "error"])
        #expect(error["kind"]?.asText == "name")
        #expect(error["message"]?.asText == "there is no value called `rosw`")
        #expect(error["line"]?.asNumber == 1)
        #expect(error["column"]?.asNumber == 1)
        #expect(error["suggestion"]?.asText == "did you mean `rows`?")
        #expect(error["corrected"]?.asText == "rows + 1")
    }

    @Test func `an error in a file opens with its place`() throws {
        let bench = try Workbench()
        var rendered = ""
        let outcomes = bench.session.outcomes(
            of: "x = 1\n\ny = x[0]\n", origin: SourceOrigin(file: "a.sami"))
        if case .failure(let failure)? = outcomes.last?.result { rendered = failure.rendered() }
        #expect(
            rendered == """
                a.sami:3:7: error: a number cannot be indexed
                  y = x[0]
                        ^
                """)
    }

    @Test func `time says how long a statement took`() throws {
        let text = try Workbench().text("time 1 + 1")
        #expect(text.hasPrefix("2\n"))
        #expect(text.hasSuffix("ms") || text.hasSuffix(" s"))
    }

    @Test func `undo and redo move through bindings`() throws {
        let bench = try Workbench()
        bench.run("x = 1; x = 2; y = 3")
        try bench.output("undo 2")
        #expect(try bench.text("x") == "1")
        #expect(bench.complaint("y").contains("there is no value called `y`"))
        try bench.output("redo")
        #expect(try bench.text("x") == "2")
        try bench.output("redo")
        #expect(
            bench.complaint("redo") == """
                error: there is nothing to redo
                  redo
                  ^~~~
                """)
    }

    @Test func `rm takes names away and undo brings them back`() throws {
        let bench = try Workbench()
        bench.run("x = 1; y = 2")
        try bench.output("rm x y")
        #expect(bench.session.boundNames.isEmpty)
        try bench.output("undo")
        #expect(bench.session.boundNames.map(\.name) == ["x", "y"])
        #expect(
            bench.complaint("rm z") == """
                error: there is no value called `z`
                  rm z
                     ^
                """)
    }

    @Test func `values of every plain kind come back in another session`() throws {
        let bench = try Workbench(access: .readWrite)
        bench.run(
            """
            a = [1, "two", null, true, [3]]
            b = {"name": "x", "tensor": ones(2, 2)}
            c = tensor([[1, 2], [3, 4]]) / 3
            """)
        let json = bench.run("[a, b]; c").map { $0.json.prefix(while: { $0 != "\"" }) }
        let before = try (bench.output("a").value, bench.output("b").value, bench.output("c").value)
        bench.session.close()
        let again = try bench.reopened()
        for (name, value) in [("a", before.0), ("b", before.1), ("c", before.2)] {
            let found = try again.value(of: name)
            #expect(try #require(found).equals(try #require(value)), "\(name) \(json)")
        }
        again.close()
    }

    @Test func `a read-only session looks and does not touch`() throws {
        let bench = try Workbench(access: .readWrite)
        try bench.output("x = 2")
        bench.session.close()
        let session = try bench.reopened(.readOnly)
        let outcomes = session.outcomes(of: "x ** 10; y = 1", keepGoing: true)
        #expect(try outcomes[0].result.get().text.plain == "1024")
        guard case .failure(let failure) = outcomes[1].result else {
            Issue.record("a read-only session bound a name")
            return
        }
        #expect(
            failure.rendered() == """
                error: the workspace is open for reading only, so nothing can be changed
                  x ** 10; y = 1
                           ^
                  open another workspace, or start sami with --ephemeral
                """)
        session.close()
    }

    @Test func `a parameter stands in for the script's own literal, once`() throws {
        let bench = try Workbench()
        try bench.session.setParameter("n", "5")
        try bench.session.setParameter("who", "a text")
        bench.run("n = 3\nm = n\nn = 7\nwho = \"x\"")
        #expect(try bench.text("[m, n, who]") == "[5, 7, \"a text\"]")
    }

    @Test func `source runs a file here, and its errors name the file`() throws {
        let bench = try Workbench()
        try bench.write("a.sami", "x = 1\nx + 1\n")
        let outcomes = bench.run("source a.sami")
        #expect(outcomes.count == 3)
        try bench.write("b.sami", "y = 2\ny = [1][4]\n")
        #expect(
            bench.complaint("source b.sami") == """
                b.sami:2:9: error: index 4 is out of range: the list has 1 item, number 0
                  y = [1][4]
                          ^
                """)
        #expect(try bench.text("y") == "2")
        try bench.write("c.sami", "source c.sami\n")
        #expect(bench.complaint("source c.sami").contains("more than 16 deep"))
    }

    @Test func `the seed and the number of a statement decide its random numbers`() throws {
        func weights(_ seed: UInt64, _ before: String) throws -> Value {
            let bench = try Workbench(seed: seed)
            bench.run(before)
            let output = try bench.output("new model layers=1 width=32 vocabulary=300 context=64")
            return try #require(output.value?.object(ModelObject.self)?.field("norm"))
        }
        let one = try weights(7, "")
        #expect(try weights(7, "").equals(one))
        #expect(try !weights(8, "").equals(one))
        #expect(try !weights(7, "x = 1").equals(one))
    }

    @Test func `replay does the session again and compares every value`() throws {
        let bench = try Workbench(access: .readWrite, seed: 3)
        bench.run(
            """
            x = 1 / 0
            """)
        bench.run(
            """
            train tokenizer vocabulary=280 documents=20
            new model layers=1 width=32 context=64
            x = [1, 2]
            x[0] + 1
            y = _ * 2
            z = 9
            """)
        try bench.output("undo")
        #expect(
            try bench.output("replay check=true").text.plain
                == "replayed 5 statements, 5 values the same to the last bit")
    }

    /// A removed value leaves the memory; `undo` reads it from disk, or finds it if it was never
    /// written.
    @Test(arguments: ["1GB", "1kB"])
    func `undo brings back a value that was removed`(limit: String) throws {
        let bench = try Workbench()
        bench.run("set snapshot_limit=\(limit); big = ones(1000)")
        try bench.output("rm big")
        #expect(bench.complaint("big").contains("big"))
        try bench.output("undo")
        #expect(try bench.text("sum(big)") == "1000")
    }

    @Test func `a value over snapshot_limit is held back, and written on leaving`() throws {
        let bench = try Workbench(access: .readWrite)
        bench.run("set snapshot_limit=1kB; big = ones(1000); small = 1")
        #expect(try bench.text("sum(big)") == "1000")
        #expect(try bench.text("ls").contains("* over snapshot_limit"))
        #expect(bench.session.close().isEmpty)
        let again = try bench.reopened()
        #expect(try again.value(of: "big")?.asTensor?.count == 1000)
        again.close()
    }

    @Test func `what set changes is shown by set`() throws {
        let bench = try Workbench()
        try bench.output("set memory=600MB width=100 color=none undo_depth=5 snapshot_limit=2GiB")
        let text = try bench.text("set")
        #expect(text.contains("600 MB"))
        #expect(text.contains("100"))
        #expect(text.contains("2.15 GB"))
        #expect(
            bench.complaint("set memory=lots") == """
                error: `memory` must be a size such as 600MB, not "lots"
                  set memory=lots
                             ^~~~
                """)
    }

    @Test func `limits that are set hold for expressions and files`() throws {
        let bench = try Workbench()
        try bench.output("x = zeros(600)")
        try bench.output("set tensor_limit=2kB")
        #expect(
            bench.complaint("zeros(600)") == """
                error: shape (600,) is larger than the limit for a tensor, 500 values (`set tensor_limit=`)
                  zeros(600)
                  ^~~~~~~~~~
                """)
        #expect(bench.complaint("x[0:300] + zeros([2, 1])").contains("shape (2, 300)"))
        let path = bench.folder + "/lines.jsonl"
        let line = "{\"id\": \"a\", \"post\": \"a post\"}\n"
        try String(repeating: line, count: 40).write(
            toFile: path, atomically: true, encoding: .utf8)
        try bench.output("set file_limit=1kB")
        #expect(bench.complaint("load queries lines.jsonl").contains("file_limit is 1 kB"))
    }

    @Test func `quit ends the session`() throws {
        let bench = try Workbench()
        #expect(bench.run("quit; x = 1").count == 1)
        #expect(bench.session.isFinished)
    }

    @Test func `an interruption stops a block`() throws {
        let bench = try Workbench()
        var outcomes: [Outcome] = []
        bench.session.evaluate(Session.parse("1; 2; 3")) { event in
            guard case .finished(let outcome) = event else { return }
            outcomes.append(outcome)
            if outcomes.count == 1 { bench.session.interruption.request() }
        }
        #expect(outcomes.count == 2)
        #expect(outcomes[1].isInterrupted)
    }

    @Test func `history lists what changed the workspace`() throws {
        let bench = try Workbench()
        bench.run("x = 1; y = [2]")
        bench.run("z = nothing_here")
        let text = try bench.text("history")
        #expect(text.contains("x = 1"))
        #expect(text.contains("y = [2]"))
    }
}

extension Value {
    var record: Record? {
        if case .record(let record) = self { return record }
        return nil
    }
}
