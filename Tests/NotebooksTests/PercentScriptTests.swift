import Foundation
import JSON
import TestSupport
import Testing

@testable import Notebooks

@Suite struct PercentScriptTests {
    @Test(arguments: [
        "# %%\nx = 1\n",
        "# %% [markdown]\n# # Title\n#\n# text\n\n# %%\nx\n",
        "# %% tags=[\"parameters\"]\nn = 1\n\n# %% [raw]\n# raw\n",
        "# %% [markdown] id=\"intro\" key={\"a\": [1, \"b c\"]}\n# text\n",
        "# %%\n# a comment\nx\n\n\ny\n",
        "# %%\n\n# %%\ny\n",
        "# %%\n## %% not a mark\n",
    ])
    func `a script comes back as it was`(text: String) {
        let notebook = PercentScript.notebook(of: text)
        let compact = text.replacing("{\"a\": [1, \"b c\"]}", with: "{\"a\":[1,\"b c\"]}")
        #expect(PercentScript.text(of: notebook) == compact)
    }

    @Test func `marks that a cell holds are text of the cell`() throws {
        let cells = [
            Notebook.Cell(.code, id: "cell-1", source: "# %% no cell\nx = 1"),
            Notebook.Cell(.markdown, id: "b", source: "# %%\n\n# head\n%% [raw]\n## %%"),
            Notebook.Cell(.code, id: "c", source: "## %%\n### %% x\n#%%"),
        ]
        let text = PercentScript.text(of: Notebook(cells: cells))
        #expect(PercentScript.notebook(of: text).cells == cells)
    }

    @Test func `a notebook of Jupyter keeps its cells, ids and tags`() throws {
        let bytes = [UInt8](try Fixture.data("notebook.ipynb"))
        let notebook = try Notebook(bytes, path: "notebook.ipynb")
        let back = PercentScript.notebook(of: PercentScript.text(of: notebook))
        #expect(back.cells.map(\.id) == notebook.cells.map(\.id))
        #expect(back.cells.map(\.kind) == notebook.cells.map(\.kind))
        #expect(back.cells.map(\.tags) == notebook.cells.map(\.tags))
        #expect(
            back.cells.map(\.source) == ["x = 1\nx  # é 日本 🎉\n", "# Title\n\ntext", "raw", ""])
        var merged = back
        merged.takeOutputs(of: notebook)
        #expect(merged.cells[0].outputs == notebook.cells[0].outputs)
        #expect(merged.cells[0].executionCount == 3)
    }

    @Test func `ids that Jupyter would refuse are replaced`() throws {
        let text = "# %% id=\"a b\"\n1\n\n# %% id=\"c\"\n2\n\n# %% id=\"c\"\n3\n"
        let notebook = PercentScript.notebook(of: text)
        #expect(notebook.cells.map(\.id) == ["cell-1", "c", "cell-3"])
        _ = try Notebook(Array(notebook.json.asJupyterWrites.utf8), path: "a.ipynb")
    }

    @Test func `a script without marks is one cell, and an empty one none`() {
        #expect(PercentScript.notebook(of: "x = 1\ny\n").cells.map(\.source) == ["x = 1\ny"])
        #expect(PercentScript.notebook(of: "\n \n").cells.isEmpty)
        #expect(PercentScript.notebook(of: "# %%\r\nx\r\n").cells.map(\.source) == ["x"])
    }
}
