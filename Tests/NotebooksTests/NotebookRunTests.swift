import Foundation
import JSON
import Testing

@testable import Notebooks
@testable import Sessions

@Suite struct NotebookRunTests {
    private func session() throws -> Session {
        var configuration = Session.Configuration()
        configuration.access = .ephemeral
        configuration.directory = NSTemporaryDirectory()
        return try Session(configuration)
    }

    private func run(
        _ script: String, _ options: NotebookRun.Options = .init()
    ) throws -> (notebook: Notebook, ending: NotebookRun.Ending, reports: [NotebookRun.Report]) {
        let session = try session()
        defer { session.close() }
        var run = NotebookRun(
            PercentScript.notebook(of: script), path: "a.ipynb", session: session, options: options)
        var reports: [NotebookRun.Report] = []
        let ending = run.run { report, _ in reports.append(report) }
        return (run.notebook, ending, reports)
    }

    @Test func `cells have counts, results and displays`() throws {
        let (notebook, ending, reports) = try run(
            """
            # %% [markdown]
            # text

            # %%
            x = 2
            plot [1, 2]
            x + 1

            # %%

            # %%
            x * 2;

            # %%
            plot [1, 2]
            """)
        #expect(ending == .finished)
        #expect(reports.map(\.cell) == [2, 4, 5])
        #expect(notebook.cells.map(\.executionCount) == [nil, 1, nil, 2, 3])
        let outputs = notebook.cells[1].outputs
        #expect(
            outputs.map { $0["output_type"]?.string } == ["display_data", "execute_result"])
        #expect(outputs[1]["data"]?["text/plain"]?.joinedLines == "3")
        #expect(outputs[1]["execution_count"]?.integer == 1)
        #expect(outputs[0]["data"]?["image/svg+xml"]?.joinedLines?.hasPrefix("<svg") == true)
        #expect(notebook.cells[3].outputs.isEmpty)
        #expect(notebook.cells[4].outputs.map { $0["output_type"]?.string } == ["display_data"])
        #expect(JSON.object(notebook.cells[1].metadata)["execution"] != nil)
        #expect(
            try Notebook(Array(notebook.json.asJupyterWrites.utf8), path: "a")
                == notebook.inFileOrder)
    }

    @Test func `an error stops the run, with its place`() throws {
        let script = "# %%\nx = 1\n\n# %%\ny = 2\nsoftmx(y)\nz = 3\n\n# %%\nx"
        let (notebook, ending, reports) = try run(script)
        #expect(ending == .failed && reports.count == 2)
        let error = try #require(notebook.cells[1].outputs.last)
        #expect(error["output_type"]?.string == "error")
        #expect(error["evalue"]?.string == "there is no function `softmx`")
        #expect(
            error["traceback"]?.elements?.first?.string
                == "a.ipynb: cell 2, line 2: error: there is no function `softmx`")
        #expect(notebook.cells[2].executionCount == nil)
        var options = NotebookRun.Options()
        options.keepsGoing = true
        let (all, going, _) = try run(script, options)
        #expect(going == .failed && all.cells[2].executionCount == 3)
    }

    @Test func `tags allow an error, and leave a cell out`() throws {
        let (notebook, ending, reports) = try run(
            """
            # %% tags=["raises-exception"]
            1 / 0

            # %% tags=["skip-execution"]
            x = 5

            # %%
            2
            """)
        #expect(ending == .finished)
        #expect(reports.map(\.isAllowed) == [true, false])
        #expect(notebook.cells.map(\.executionCount) == [1, nil, 2])
    }

    @Test func `a second run of the same cells changes nothing`() throws {
        let (first, _, _) = try run("# %%\nnormal([3])\n\n# %%\nx = uniform([2])\nx")
        let session = try session()
        defer { session.close() }
        var again = NotebookRun(first, path: "a.ipynb", session: session)
        _ = again.run { _, _ in }
        #expect(again.notebook == first)
        #expect(NotebookComparison.differences(first, again.notebook).isEmpty)
    }

    @Test func `a cell that never ends is stopped`() throws {
        var options = NotebookRun.Options()
        options.timeout = 0.3
        let script =
            "# %%\nfor i in range(1000000) { for j in range(1000000) { x = i } }\n\n# %%\n1"
        let (notebook, ending, reports) = try run(script, options)
        #expect(ending == .failed && reports.count == 1)
        #expect(
            notebook.cells[0].outputs.last?["evalue"]?.string?.contains("0.3 s") == true,
            "\(notebook.cells[0].outputs)")
    }

    @Test func `parameters are injected after their cell`() throws {
        let script = "# %% tags=[\"parameters\"]\nn = 1\nname = \"a\"\n\n# %%\n[n, name]"
        var notebook = PercentScript.notebook(of: script)
        try notebook.setParameters([("n", "7"), ("name", "b c")], path: "a.ipynb")
        #expect(notebook.cells[1].source == "# Parameters\nn = 7\nname = \"b c\"")
        #expect(notebook.cells[1].tags == ["injected-parameters"])
        try notebook.setParameters([("n", "8")], path: "a.ipynb")
        #expect(notebook.cells.count == 3 && notebook.cells[1].source == "# Parameters\nn = 8")
        let session = try session()
        defer { session.close() }
        var run = NotebookRun(notebook, path: "a.ipynb", session: session)
        _ = run.run { _, _ in }
        let shown = run.notebook.cells[2].outputs.last?["data"]?["text/plain"]?.joinedLines
        #expect(shown == "[8, \"a\"]")
        for (name, message) in [
            ("nam", "a.ipynb: there is no parameter `nam`; did you mean `name`?"),
            ("other", "a.ipynb: there is no parameter `other`; it has `n`, `name`"),
        ] {
            let error = #expect(throws: NotebookError.self) {
                try notebook.setParameters([(name, "1")], path: "a.ipynb")
            }
            #expect(error?.description == message)
        }
        let twice = #expect(throws: NotebookError.self) {
            try notebook.setParameters([("n", "1"), ("n", "2")], path: "a.ipynb")
        }
        #expect(twice?.description == "a.ipynb: the parameter `n` is given twice")
        var plain = PercentScript.notebook(of: "# %%\n1")
        #expect(throws: NotebookError.self) {
            try plain.setParameters([("n", "1")], path: "a.ipynb")
        }
    }

    @Test func `outputs are compared with a tolerance for numbers alone`() {
        for (before, now, same) in [
            ("loss 0.69231 nats", "loss  0.69232 nats", true),
            ("loss 0.692 nats", "loss 0.70 nats", false), ("a 1", "b 1", false),
            ("took 12 ms", "took 3.5 s", true), ("2026-11-26 15:04 x", "2027-01-01 00:00 x", true),
            ("[1, 2]", "[1, 2, 3]", false), ("1e-9", "2e-9", true), ("", "x", false),
            ("x1y", "x2y", false), ("-0.5", "0.5", false),
        ] {
            #expect(NotebookComparison.isSame(before, now) == same, "\(before) | \(now)")
        }
    }

    @Test func `mistakes are found without a run`() {
        let script =
            "# %%\nx = (1\n\n# %%\nload modle default\n\n# %% tags=[\"raises-exception\"]\n)"
        let mistakes = PercentScript.notebook(of: script).mistakes(path: "a.ipynb")
        #expect(mistakes.count == 2)
        #expect(mistakes[0].hasPrefix("a.ipynb: cell 1, line 1: error: "))
        #expect(mistakes[1].hasPrefix("a.ipynb: cell 2, line 1: error: "))
    }
}

extension Notebook {
    /// The same notebook with members in the order of a file that Jupyter wrote.
    fileprivate var inFileOrder: Notebook {
        (try? Notebook(Array(json.asJupyterWrites.utf8), path: "a")) ?? self
    }
}
