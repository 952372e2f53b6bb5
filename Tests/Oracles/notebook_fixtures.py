"""Writes Tests/Fixtures/notebook.ipynb with nbformat: every kind of cell and output, and texts that JSON escapes.

    python Tests/Oracles/notebook_fixtures.py        # needs nbformat 5
"""

from pathlib import Path

import nbformat
from nbformat import v4

metadata = {
    "kernelspec": {"display_name": "sami", "language": "sami", "name": "sami"},
    "zeta": {"b": 1, "a": [1.0, 1e-05, 12345678901234567890, None, True]},
}
code = v4.new_code_cell("x = 1\nx  # é 日本 🎉\n", id="one-1", execution_count=3)
code.metadata["tags"] = ["a", "b"]
code.outputs = [
    v4.new_output("execute_result", {"text/plain": "1", "text/html": "<b>&amp;</b>\n<i></i>"}, execution_count=3),
    v4.new_output("stream", name="stdout", text="\x1b[31mred\x08\x0c\x7f\r\n\t\"\\"),
    v4.new_output("error", ename="E", evalue="v", traceback=["a", "b"]),
    v4.new_output("display_data", {"image/png": "iVBORw0KGgo=", "application/json": {"k": [{}, []]}}),
]
text = v4.new_markdown_cell("# Title\n\ntext", id="two_2")
text.attachments = {"a.png": {"image/png": "aGk="}}
cells = [code, text, v4.new_raw_cell("raw", id="three"), v4.new_code_cell("", id="four")]
notebook = v4.new_notebook(cells=cells, metadata=metadata)
path = Path(__file__).parent.parent / "Fixtures" / "notebook.ipynb"
path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
