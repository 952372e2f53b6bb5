"""Other people's clients run a small notebook: nbclient, nbconvert, papermill, jupytext, console.

SAMI_NOTEBOOKS=1 makes nbclient run notebooks/*.ipynb too.
"""

import os
import subprocess
import sys
import unittest

import jupytext
import nbclient
import nbformat
import papermill
import pexpect
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from support import LONG, ROOT, TimedCase, note

CELLS = [
    ("markdown", "# A small lesson", []),
    ("code", "count = 4", ["parameters"]),
    ("code", "load model default\nload queries summaries split=train count=count", []),
    ("code", "propose about=summaries count=6\ncompose count=2 principles_each=2\nrollout", []),
    ("code", "show rollouts[0][0]", []),
    ("code", "score", []),
    ("code", "plot [3, 2, 1]", []),
    ("code", "count * 10", []),
]
KERNEL = {"kernelspec": {"name": "sami", "display_name": "sami", "language": "sami"}}


def small_notebook():
    cells = []
    for number, (kind, source, tags) in enumerate(CELLS):
        make = new_code_cell if kind == "code" else new_markdown_cell
        cell = make(source, id=f"cell-{number}")
        if tags:
            cell.metadata["tags"] = tags
        cells.append(cell)
    return new_notebook(cells=cells, metadata=KERNEL)


def outputs_of(notebook):
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


class ClientTests(TimedCase):

    def write(self, notebook=None):
        path = self.folder() / "lesson.ipynb"
        nbformat.write(notebook or small_notebook(), path)
        return path

    def command(self, *arguments, folder=None):
        """Runs a program of Jupyter; returns all that it wrote."""
        done = subprocess.run(
            [sys.executable, "-m", *map(str, arguments)], cwd=folder, timeout=LONG, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout

    def check_outputs(self, notebook, count=4):
        """Every value has text; S and the strip have HTML, and the chart is an SVG."""
        nbformat.validate(notebook)
        outputs = outputs_of(notebook)
        kinds = {kind for output in outputs for kind in output.get("data", {})}
        self.assertLessEqual({"text/plain", "text/html", "image/svg+xml"}, kinds)
        for output in outputs:
            self.assertIn(output.output_type, ("execute_result", "display_data"))
            self.assertIn("text/plain", output.data)
            self.assertNotIn("transient", output)
        self.assertEqual(outputs[-1].data["text/plain"], str(count * 10))

    def test_nbclient(self):
        notebook = small_notebook()
        client = nbclient.NotebookClient(
            notebook, timeout=LONG, resources={"metadata": {"path": str(self.folder())}})
        client.execute()
        self.check_outputs(notebook)
        numbers = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
        self.assertEqual(numbers, list(range(1, len(CELLS))))

    def test_nbclient_errors(self):
        """An error stops the run, and is stored once; with its tag, the run goes on."""
        notebook = new_notebook(metadata=KERNEL, cells=[
            new_code_cell("nosuch", metadata={"tags": ["raises-exception"]}),
            new_code_cell("6 * 7"), new_code_cell("load nothing"), new_code_cell("1")])
        with self.assertRaises(nbclient.exceptions.CellExecutionError) as raised:
            nbclient.NotebookClient(notebook, timeout=LONG).execute()
        self.assertIn("load nothing", str(raised.exception))
        shown = [[output.output_type for output in cell.outputs] for cell in notebook.cells]
        self.assertEqual(shown, [["error"], ["execute_result"], ["error"], []])

    def test_nbclient_timeout(self):
        """A cell that takes too long is interrupted, and the next one runs."""
        notebook = new_notebook(metadata=KERNEL, cells=[
            new_code_cell("load model default\npropose about=summaries count=6"),
            new_code_cell("iterate 3"), new_code_cell("6 * 7")])
        client = nbclient.NotebookClient(
            notebook, timeout=3, interrupt_on_timeout=True, allow_errors=True)
        client.execute()
        self.assertEqual(notebook.cells[1].outputs[-1].ename, "interrupted")
        self.assertEqual(notebook.cells[2].outputs[-1].data["text/plain"], "42")

    def test_nbconvert(self):
        """Runs the notebook, and makes a page of it that holds table, strip and chart."""
        path = self.write()
        code, text = self.command(
            "nbconvert", "--execute", "--to", "html", "--output", "page", path)
        self.assertEqual(code, 0, text)
        page = (path.parent / "page.html").read_text()
        self.assertIn("<td", page)
        self.assertIn("<svg", page.replace("data:image/svg+xml", "<svg"))
        self.assertIn("Should I say no?", page)
        # A notebook that a kernel has run knows its language, and so the name of a script.
        notebook = new_notebook(metadata=KERNEL, cells=[new_code_cell("count = 4")])
        nbclient.NotebookClient(notebook, timeout=LONG).execute()
        path = self.write(notebook)
        code, text = self.command("nbconvert", "--to", "script", "--output", "page", path)
        self.assertEqual(code, 0, text)
        self.assertIn("count = 4", (path.parent / "page.sami").read_text())

    def test_papermill(self):
        """Parameters are injected after the cell with the tag, and hold."""
        path = self.write()
        output = path.parent / "out.ipynb"
        papermill.execute_notebook(
            path, output, parameters={"count": 5}, language="python", progress_bar=False,
            log_output=False)
        notebook = nbformat.read(output, 4)
        tags = [cell.metadata.get("tags", []) for cell in notebook.cells]
        self.assertEqual(tags[1:3], [["parameters"], ["injected-parameters"]])
        self.check_outputs(notebook, count=5)
        for value in ("text", [1, 2], True, 0.5, None):
            papermill.execute_notebook(
                self.write(new_notebook(metadata=KERNEL, cells=[
                    new_code_cell("p = 1", metadata={"tags": ["parameters"]}),
                    new_code_cell("p")])),
                output, parameters={"p": value}, language="python", progress_bar=False)
            shown = nbformat.read(output, 4).cells[-1].outputs
            self.assertEqual(len(shown), 1, value)

    def test_papermill_unknown_parameter(self):
        """papermill warns and injects it anyway; the notebook runs as it would without."""
        path = self.write()
        code, text = self.command(
            "papermill", path, path.parent / "out.ipynb", "-p", "nosuch", "5", "-l", "python",
            "--no-progress-bar")
        self.assertEqual(code, 0, text)
        self.check_outputs(nbformat.read(path.parent / "out.ipynb", 4))

    def test_papermill_error(self):
        """A failed cell stops papermill; the file it writes names the cell."""
        path = self.write(new_notebook(metadata=KERNEL, cells=[new_code_cell("nosuch + 1")]))
        output = path.parent / "out.ipynb"
        with self.assertRaises(papermill.PapermillExecutionError):
            papermill.execute_notebook(path, output, progress_bar=False)
        self.assertIn("nosuch", output.read_text())

    def test_jupytext(self):
        """A notebook becomes percent cells and a notebook again, with the same cells."""
        notebook = small_notebook()
        script = jupytext.writes(notebook, fmt={"extension": ".py", "format_name": "percent"})
        again = jupytext.reads(script, fmt={"extension": ".py", "format_name": "percent"})
        cells = [(cell.cell_type, cell.source, cell.metadata.get("tags", []))
                 for cell in again.cells]
        self.assertEqual(cells, CELLS)
        self.assertEqual(again.metadata.kernelspec.name, "sami")
        nbclient.NotebookClient(
            again, timeout=LONG, resources={"metadata": {"path": str(self.folder())}}).execute()
        self.check_outputs(again)

    def test_console(self):
        """jupyter console: a value, an error, Ctrl-C in long work, what follows it, exit."""
        console = pexpect.spawn(
            sys.executable, ["-m", "jupyter_console", "--kernel", "sami", "--simple-prompt"],
            cwd=str(self.folder()), encoding="utf-8", timeout=LONG, dimensions=(40, 100),
            env=dict(os.environ, TERM="dumb"))
        self.addCleanup(console.close, force=True)
        console.expect(r"In \[1\]: ")
        console.sendline("6 * 7")
        console.expect(r"Out\[1\]: 42")
        console.expect(r"In \[2\]: ")
        console.sendline("nosuch + 1")
        console.expect("nosuch")
        console.expect(r"In \[3\]: ")
        console.sendline("load model default; propose about=summaries count=6")
        console.expect(r"In \[4\]: ")
        console.sendline("iterate 3")
        console.expect("iterate")
        # Until the work has begun, and the console passes signals on.
        console.expect("responses")
        console.sendintr()
        console.expect("stopped")
        console.expect(r"In \[5\]: ")
        console.sendline("2 + 3")
        console.expect(r"Out\[5\]: 5")
        console.sendline("exit")
        console.expect(pexpect.EOF)

    @unittest.skipUnless(os.environ.get("SAMI_NOTEBOOKS"), "SAMI_NOTEBOOKS=1 asks for it")
    def test_shipped_notebooks(self):
        """Every notebook of the repository runs without an error."""
        for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
            with self.subTest(path.name):
                notebook = nbformat.read(path, 4)
                nbclient.NotebookClient(
                    notebook, timeout=300,
                    resources={"metadata": {"path": str(self.folder())}}).execute()
                nbformat.validate(notebook)
                note(f"{path.name}: {len(outputs_of(notebook))} outputs")


if __name__ == "__main__":
    unittest.main()
