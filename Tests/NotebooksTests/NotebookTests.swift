import Foundation
import JSON
import TestSupport
import Testing

@testable import Notebooks

@Suite struct NotebookTests {
    static func notebook(_ text: String) throws(NotebookError) -> Notebook {
        try Notebook(Array(text.utf8), path: "a.ipynb")
    }

    /// Tests/Oracles/notebook_fixtures.py wrote the file.
    @Test func `a notebook of nbformat is written back to the byte`() throws {
        let bytes = [UInt8](try Fixture.data("notebook.ipynb"))
        let notebook = try Notebook(bytes, path: "notebook.ipynb")
        #expect(Array(notebook.json.asJupyterWrites.utf8) == bytes)
        #expect(notebook.cells.map(\.kind) == [.code, .markdown, .raw, .code])
        #expect(notebook.cells.map(\.id) == ["one-1", "two_2", "three", "four"])
        #expect(notebook.cells[0].source == "x = 1\nx  # é 日本 🎉\n")
        #expect(notebook.cells[0].tags == ["a", "b"])
        #expect(notebook.cells[0].executionCount == 3)
        #expect(notebook.cells[0].outputs.count == 4)
        #expect(notebook.cells[3].executionCount == nil)
    }

    @Test func `a changed cell changes nothing else`() throws {
        let bytes = [UInt8](try Fixture.data("notebook.ipynb"))
        var notebook = try Notebook(bytes, path: "notebook.ipynb")
        let before = notebook
        notebook.cells[0].source = "x = 1\nx  # é 日本 🎉\n"
        notebook.cells[0].outputs = notebook.cells[0].outputs.map(\.sorted)
        #expect(notebook == before)
        notebook.cells[1].source = "one\ntwo"
        let text = notebook.json.asJupyterWrites
        let old = before.json.asJupyterWrites
        #expect(text.contains("\"one\\n\",\n    \"two\""))
        let expected = old.replacing(
            "\"# Title\\n\",\n    \"\\n\",\n    \"text\"", with: "\"one\\n\",\n    \"two\"")
        #expect(text == expected)
    }

    @Test(arguments: [
        ("", "it is no notebook: line 1, column 1: the text ends too early"),
        ("[]", "it is no notebook: `nbformat` is missing"),
        (#"{"nbformat": 3, "worksheets": []}"#, "it is a notebook of version 3"),
        (#"{"nbformat": "4", "metadata": {}, "cells": []}"#, "it is a notebook of version \"4\""),
        (#"{"nbformat": 4, "cells": []}"#, "`metadata` of the notebook must be an object"),
        (#"{"nbformat": 4, "metadata": {}}"#, "`cells` of the notebook must be a list"),
        (
            #"{"nbformat": 4, "nbformat_minor": -1, "metadata": {}, "cells": []}"#,
            "`nbformat_minor` must be a whole number"
        ),
    ])
    func `bytes that are no notebook get a sentence`(text: String, message: String) {
        let error = #expect(throws: NotebookError.self) { try NotebookTests.notebook(text) }
        #expect(
            error?.description.hasPrefix("a.ipynb: " + message) == true,
            "\(String(describing: error))")
    }

    @Test(arguments: [
        ("1", "cell 1: it must be an object"),
        ("{}", "cell 1: `cell_type` must be code, markdown or raw"),
        (#"{"cell_type": "heading", "source": "", "metadata": {}}"#, "cell 1: `cell_type` must be"),
        (#"{"cell_type": "code"}"#, "cell 1: `source` must be text or a list of lines"),
        (#"{"cell_type": "raw", "source": ["a", 1], "metadata": {}}"#, "cell 1: `source` must be"),
        (#"{"cell_type": "raw", "source": ""}"#, "cell 1: `metadata` must be an object"),
        (
            #"{"cell_type": "raw", "source": "", "metadata": {}, "id": "a b"}"#,
            "cell 1: `id` must be 1 to 64 letters"
        ),
        (
            #"{"cell_type": "raw", "source": "", "metadata": {}, "id": 7}"#,
            "cell 1: `id` must be 1 to 64 letters"
        ),
        (
            #"{"cell_type": "code", "source": "", "metadata": {}, "outputs": {}}"#,
            "cell 1: `outputs` must be a list"
        ),
        (
            #"{"cell_type": "code", "source": "", "metadata": {}, "outputs": [{}, 3]}"#,
            "cell 1: output 1 must be an object with `output_type`"
        ),
        (
            #"{"cell_type": "code", "source": "", "metadata": {}, "outputs": [], "execution_count": "1"}"#,
            "cell 1: `execution_count` must be a whole number or null"
        ),
        (
            #"{"cell_type": "raw", "source": "", "metadata": {}, "id": "a"}, {"cell_type": "raw", "source": "", "metadata": {}, "id": "a"}"#,
            "cells 1 and 2 have the same id, \"a\"; give one of them another"
        ),
    ])
    func `a faulty cell is named`(cells: String, message: String) {
        let text =
            #"{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": ["# + cells + "]}"
        let error = #expect(throws: NotebookError.self) { try NotebookTests.notebook(text) }
        #expect(
            error?.description.hasPrefix("a.ipynb: " + message) == true,
            "\(String(describing: error))")
    }

    @Test func `large and deep notebooks are read or refused`() throws {
        let large = String(repeating: "é", count: 5_000_000)
        let text =
            #"{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "markdown", "#
            + #""id": "a", "metadata": {}, "source": ""# + large + #""}]}"#
        #expect(try NotebookTests.notebook(text).cells[0].source.utf8.count == 10_000_000)
        let deep = String(repeating: "[", count: 100_000)
        let error = #expect(throws: NotebookError.self) { try NotebookTests.notebook(deep) }
        #expect(error?.reason.hasPrefix("it is no notebook: line 1") == true)
    }

    @Test func `old notebooks keep their cells without ids`() throws {
        let text =
            #"{"nbformat": 4, "nbformat_minor": 2, "metadata": {}, "cells": [{"cell_type": "code", "#
            + #""source": "n = 1", "metadata": {"tags": ["parameters"]}, "outputs": [], "#
            + #""execution_count": null}]}"#
        var notebook = try NotebookTests.notebook(text)
        #expect(!notebook.hasIDs)
        try notebook.setParameters([("n", "2")], path: "a.ipynb")
        #expect(notebook.cells.map(\.id) == [nil, nil])
        #expect(notebook.cells[1].source == "# Parameters\nn = 2")
    }
}
