"""The notebooks of the examples: their stored outputs, a run from a clean kernel, their pages.

After a change of a notebook, run it, so that its outputs belong to its code:

    .venv/bin/jupyter execute --inplace examples/motor_faults.ipynb
"""

import base64
import json
import sys
from itertools import groupby
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "docs" / "_extensions"))
import notebook_pages

EXAMPLES = Path(__file__).parents[1] / "examples"
SAVED = {  # notebook -> the files that it saves
    "motor_faults": {"motor_faults.png"},
    "table_with_costs": {"machines.csv", "machines.png", "machines.skimbal"},
    "keel_comparison": {"keel_ranks.png"},
}
EXTENDED = {"keel_comparison"}  # its run takes a minute
MAX_BYTES = 600_000


def stored(name):
    return json.loads((EXAMPLES / f"{name}.ipynb").read_text())


def code_cells(notebook):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def messages(notebook):
    """What the cells wrote to stderr, warnings above all, and their errors."""
    outputs = [output for cell in code_cells(notebook) for output in cell["outputs"]]
    return [
        output.get("text", output.get("evalue"))
        for output in outputs
        if output["output_type"] == "error" or output.get("name") == "stderr"
    ]


def kinds(notebook):
    """The kinds of the outputs of each code cell: type and media types.

    Outputs of one kind in a row count once, for what is printed arrives in pieces.
    """
    of_cells = [
        [(output["output_type"], sorted(output.get("data", ()))) for output in cell["outputs"]]
        for cell in code_cells(notebook)
    ]
    return [[kind for kind, _ in groupby(of_cell)] for of_cell in of_cells]


def test_each_notebook_is_tested():
    assert {path.stem for path in EXAMPLES.glob("*.ipynb")} == set(SAVED)


@pytest.mark.parametrize("name", SAVED)
def test_notebooks_are_stored_as_they_were_run(name):
    notebook = stored(name)
    cells = code_cells(notebook)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert messages(notebook) == []
    for cell, outputs in zip(cells, kinds(notebook), strict=True):
        has_picture = any("image/png" in media for _, media in outputs)
        assert has_picture == ("plt.show()" in "".join(cell["source"]))
    assert (EXAMPLES / f"{name}.ipynb").stat().st_size < MAX_BYTES


def test_a_page_has_the_text_the_code_and_the_outputs(tmp_path):
    table = '<style scoped>th {}</style><table border="1" class="dataframe"></table>'
    outputs = [
        {"output_type": "stream", "text": ["a\n"]},
        {"output_type": "stream", "text": ["b\n"]},
        {"output_type": "display_data", "data": {"text/html": [table], "text/plain": ["?"]}},
        {"output_type": "display_data", "data": {"image/png": base64.b64encode(b"PNG").decode()}},
        {"output_type": "execute_result", "data": {"text/plain": ["3"]}},
    ]
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "\n", "Text with `code`."]},
        {"cell_type": "code", "source": ["x = 1\n", "x"], "outputs": outputs},
    ]
    (tmp_path / "tiny.ipynb").write_text(json.dumps({"cells": cells}))
    notebook_pages.write_page(tmp_path / "tiny.ipynb", tmp_path / "pages")
    assert (tmp_path / "pages" / "tiny_1.png").read_bytes() == b"PNG"
    lines = (tmp_path / "pages" / "tiny.rst").read_text().splitlines()
    assert [line for line in lines if line] == [
        "Title",
        "=====",
        "Text with `code`.",
        ".. code-block:: python",
        "   x = 1",
        "   x",
        ".. code-block:: none",
        "   a",
        "   b",
        ".. raw:: html",
        '   <div class="pst-scrollable-table-container">'
        '<table class="table table-sm w-auto text-end"></table></div>',
        ".. image:: tiny_1.png",
        ".. code-block:: none",
        "   3",
    ]


RUNS = [
    pytest.param(name, marks=pytest.mark.extended if name in EXTENDED else ()) for name in SAVED
]


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_notebooks_run(name, tmp_path, monkeypatch):
    import nbformat  # only here: the environment of the oldest versions has no notebook tools
    from nbclient import NotebookClient

    monkeypatch.delenv("MPLBACKEND", raising=False)  # else figures are not shown in the notebook
    for folder in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(folder, str(tmp_path / folder.lower()))
    notebook = nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4)
    work = tmp_path / "work"
    work.mkdir()
    client = NotebookClient(notebook, timeout=None, resources={"metadata": {"path": str(work)}})
    client.execute()  # raises CellExecutionError
    assert messages(notebook) == []
    assert kinds(notebook) == kinds(stored(name))
    assert {path.name for path in work.iterdir()} == SAVED[name]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in work.glob("*.png"))
