import Foundation
import JSON
import TestSupport
import Testing

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import Values

@Suite(.enabled(if: Workbench.hasShippedModel, "models/tiny is not here"))
struct ReportTests {
    private static let work = """
        load model default
        load principles trained about=summaries
        load queries summaries count=12
        compose principles_each=2
        rollout queries[:4]
        train steps=2 accumulate=2 learning_rate=1e-3
        judge queries[:6] principles_each=2
        table = [{"name": "<b>bold</b>", "rate": 0.5}, {"name": "a|b", "rate": 1}]
        """

    private func read(_ bench: Workbench, _ name: String) throws -> String {
        try String(contentsOfFile: bench.folder + "/" + name, encoding: .utf8)
    }

    @Test func `a report holds results, statements and how to make it again`() throws {
        let bench = try Workbench(access: .readWrite, seed: 7)
        try bench.output(Self.work)
        #expect(try bench.text("report a.html").hasPrefix("wrote a.html, "))
        let page = try read(bench, "a.html")
        for part in [
            "<h2>Results</h2>", "<h2>Training</h2>", "<h2>Responses</h2>", "<h2>The model</h2>",
            "<h2>Principles</h2>", "<h2>Statements</h2>", "<h2>Values and files</h2>",
            "train steps=2 accumulate=2 learning_rate=1e-3", "sami replay ", "seed 7\n",
            "Seeds: 7.", "data:image/svg+xml;base64,", "&lt;b&gt;bold&lt;/b&gt;", "SHA-256",
        ] { #expect(page.contains(part), "\(part)") }
        // Nothing runs, and nothing is loaded from elsewhere.
        #expect(!page.contains("<script") && !page.contains("http://"))
        #expect(!page.contains("<b>bold"))
        try bench.output("report a.md title=\"The *title*\"")
        let text = try read(bench, "a.md")
        #expect(text.hasPrefix("# The \\*title\\*\n"))
        #expect(text.contains("```\nverdicts\nwin rate "))
        // The script of the report makes the same values.
        let start = try #require(text.range(of: "seed 7\n")?.lowerBound)
        let script = String(text[start...].prefix { $0 != "`" })
        let again = try Workbench(seed: 0)
        try again.output(script)
        func digest(_ bench: Workbench) -> String? {
            bench.session.workspace.binding("verdicts")?.digest
        }
        #expect(digest(again) != nil && digest(again) == digest(bench))
    }

    @Test func `a report of nothing, a wrong path and wrong runs are said`() throws {
        let bench = try Workbench()
        try bench.output("report empty.html")
        #expect(try read(bench, "empty.html").contains("0 statements"))
        #expect(bench.complaint("report a.pdf").contains("a report is written as .html or .md"))
        #expect(bench.complaint("report a.html runs=3").contains("`runs` is a list of workspaces"))
        #expect(bench.complaint("report a.html runs=[1, \"a\"]").contains("list of workspaces"))
        #expect(
            bench.complaint("report a.html runs=[\"none.samiws\"]").contains(
                "there is no workspace")
        )
        #expect(bench.complaint("report missing/a.html").contains("there is no folder"))
    }

    @Test func `the script of a report makes the same values in a new workspace`() throws {
        let bench = try Workbench(access: .readWrite, seed: 7)
        let model = "new model layers=1 width=32 context=64 vocabulary=300"
        for source in [
            "a = uniform([2])", "load queries nowhere.jsonl", "b = uniform([2])",
            "gone = uniform([2])", "undo", "uniform([2])", "c = uniform([2]) + _", "1 + 1",
            "show _",
            "set memory=3GB", "load queries nowhere.jsonl", "d = \(model)", "set memory=auto",
            """
            for i in [1, 2] {
              seed (i)
              e = uniform([2])
              f = \(model)
              set precision=float32
            }
            """,
            "g = uniform([2])", "seed 9", "h = uniform([2])", "half(x) = x / 2",
            "if true { set precision=auto; i = \(model) }", "j = \(model)",
        ] { bench.run(source) }
        let script = ReportScript(bench.session.workspace.history).text
        #expect(script.hasPrefix("seed 7\na = uniform([2])\nseed 7 statement=3\nb = "), "\(script)")
        for line in ["set memory=3000000000B", "set memory=auto", "set precision=float32"] {
            #expect(script.contains("\n\(line)\n"), "\(script)")
        }
        let again = try Workbench()
        try again.output(script)
        #expect(
            GoingOnTests.digests(again.session) == GoingOnTests.digests(bench.session), "\(script)")
        #expect(GoingOnTests.digests(again.session).count > 9)
    }

    @Test func `the script of a report says which statements it cannot repeat`() throws {
        let bench = try Workbench(access: .readWrite)
        bench.run("for i in [1, 2] { x = i; load queries nowhere.jsonl }")
        let workspace = bench.session.workspace
        let number = try workspace.begin(source: "train steps=9", seed: "0/precision=auto")
        try workspace.commit(number, bind: [], seconds: 0, stopped: "step 3 of 9")
        bench.run("y = 1")
        #expect(
            ReportScript(workspace.history).text == """
                # This block did not reach its end. Missing here, its first 1 statement:
                #   for i in [1, 2] { x = i; load queries nowhere.jsonl }
                # Stopped by the user, at step 3 of 9, which a script cannot repeat:
                #   train steps=9
                seed 0 statement=5
                y = 1
                """)
    }

    @Test func `runs stand side by side with what differs`() throws {
        let bench = try Workbench()
        for (name, rate) in [("one", "1e-4"), ("two", "1e-2")] {
            var configuration = Session.Configuration()
            configuration.workspace = name + ".samiws"
            configuration.directory = bench.folder
            configuration.seed = 3
            let session = try Session(configuration)
            let script = """
                rate = \(rate)
                same = 4
                load model default
                load principles trained about=summaries
                load queries summaries count=4
                compose principles_each=2
                rollout
                train steps=2 accumulate=2 learning_rate=(rate)
                """
            for outcome in session.outcomes(of: script) { _ = try outcome.result.get() }
            session.close()
        }
        let output = try bench.output("rows = compare runs one.samiws two.samiws")
        let text = output.text.plain
        #expect(text.contains("1e-04") || text.contains("0.0001"), "\(text)")
        #expect(text.contains("log: loss"))
        let rows = try bench.output("rows").value
        guard case .list(let items)? = rows else {
            Issue.record("no list")
            return
        }
        #expect(items.count == 2)
        guard case .record(let first) = items[0] else {
            Issue.record("no record")
            return
        }
        #expect(first["run"]?.asText == "one" && first["rate"]?.asNumber == 1e-4)
        #expect(first["same"] == nil && first["log.loss"]?.asNumber != nil)
        try bench.output("report runs.html runs=[\"one.samiws\", \"two.samiws\"]")
        let page = try read(bench, "runs.html")
        #expect(page.contains("<h2>one</h2>") && page.contains("<h2>two</h2>"))
        #expect(
            bench.complaint("compare runs one.samiws nowhere").hasSuffix(
                """
                  compare runs one.samiws nowhere
                                          ^~~~~~~
                """))
    }

    @Test func `metrics get a line a step from every verb that trains`() throws {
        let bench = try Workbench(seed: 1)
        #expect(
            try bench.text("metrics m.jsonl") == "each step of training adds a line to m.jsonl")
        try bench.output(Self.work.split(separator: "\n").prefix(6).joined(separator: "\n"))
        try bench.output("finetune rollouts steps=1 accumulate=2")
        try bench.output("iterate 1 queries=8 steps=1 accumulate=4")
        try bench.output("metrics off\ntrain steps=1 accumulate=2")
        let lines = try read(bench, "m.jsonl").split(separator: "\n")
            .map { try JSON.read(Array($0.utf8)) }
        #expect(lines.map { $0["verb"]?.string } == ["train", "train", "finetune", "iterate"])
        #expect(lines.map { $0["step"]?.integer } == [1, 2, 1, 1])
        #expect(lines.allSatisfy { $0["loss"]?.double != nil && $0["time"]?.string != nil })
        #expect(lines[3]["iteration"]?.integer == 1)
        #expect(try bench.text("metrics") == "steps of training are written to no file")
        #expect(bench.complaint("metrics missing/m.jsonl").contains("cannot be written"))
        // A disk that is full ends no training.
        try bench.output("metrics /dev/full")
        let notes = try bench.output("train steps=2 accumulate=2").notes
        #expect(notes.count { $0.contains("/dev/full gets no more lines") } == 1)
        #expect(
            try !bench.output("train steps=1 accumulate=2").notes.contains { $0.contains("full") })
    }
}
