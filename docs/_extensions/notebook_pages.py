"""A page for each notebook of the examples, with the outputs that are stored in it.

Markdown of the notebooks is what reStructuredText has too (lists, bold, italics, code in single
backquotes, which are the default role here), apart from the headings.
"""

import base64
import json
import re
from pathlib import Path
from textwrap import indent

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
PAGES = HERE.parent / "generated" / "notebooks"
HEADING = re.compile(r"^(#+) (.*)$", re.MULTILINE)
UNDERLINES = {1: "=", 2: "-", 3: "~"}


def block(directive, text):
    return f".. {directive}\n\n{indent(text, '   ')}\n"


def text_as_rst(source):
    return HEADING.sub(lambda m: f"{m[2]}\n{UNDERLINES[len(m[1])] * len(m[2])}\n", source) + "\n"


def output_as_rst(output, save_picture):
    """What a cell printed or showed; ``save_picture`` takes the bytes and returns a file name."""
    data = {kind: "".join(lines) for kind, lines in output.get("data", {}).items()}
    if "image/png" in data:
        return f".. image:: {save_picture(base64.b64decode(data['image/png']))}\n"
    if "text/html" in data:
        return block(
            "raw:: html", f'<div class="pst-scrollable-table-container">{data["text/html"]}</div>'
        )
    return block("code-block:: none", data.get("text/plain") or "".join(output["text"]))


def notebook_as_rst(notebook, save_picture):
    parts = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(text_as_rst(source))
        else:
            parts.append(block("code-block:: python", source))
            parts += [output_as_rst(output, save_picture) for output in cell["outputs"]]
    return "\n".join(parts)


def write_page(path, folder):
    """Write the page of a notebook, and its pictures, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = []

    def save_picture(content):
        pictures.append(f"{path.stem}_{len(pictures) + 1}.png")
        (folder / pictures[-1]).write_bytes(content)
        return pictures[-1]

    page = notebook_as_rst(json.loads(path.read_text()), save_picture)
    (folder / f"{path.stem}.rst").write_text(page)


def setup(app):
    def write_all(app):
        for path in sorted(EXAMPLES.glob("*.ipynb")):
            write_page(path, PAGES)

    app.connect("builder-inited", write_all)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
