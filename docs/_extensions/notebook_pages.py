"""A page for each notebook of the examples, with the outputs that are stored in it.

Markdown of the notebooks is what reStructuredText has too (lists, bold, italics, code in single
backquotes, which are the default role here), apart from the headings.
"""

import base64
import json
import re
from itertools import groupby
from pathlib import Path
from textwrap import indent

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
PAGES = HERE.parent / "generated" / "notebooks"
HEADING = re.compile(r"^(#+) (.*)$", re.MULTILINE)
TABLE_CLASSES = "table table-sm w-auto text-end"
UNDERLINES = {1: "=", 2: "-", 3: "~"}


def block(directive, text):
    return f".. {directive}\n\n{indent(text, '   ')}\n"


def text_as_rst(source):
    return HEADING.sub(lambda m: f"{m[2]}\n{UNDERLINES[len(m[1])] * len(m[2])}\n", source) + "\n"


def printed_as_rst(outputs):
    """The text of stream outputs, which arrive in pieces, as one block."""
    return block("code-block:: none", "".join("".join(output["text"]) for output in outputs))


def table_as_rst(html):
    """A table of pandas, in the style of the site."""
    html = re.sub(r"<style.*?</style>", "", html, flags=re.DOTALL)
    html = html.replace('border="1" class="dataframe"', f'class="{TABLE_CLASSES}"')
    return block("raw:: html", f'<div class="pst-scrollable-table-container">{html}</div>')


def shown_as_rst(output, save_picture):
    """A result or a display; ``save_picture`` takes the bytes and returns a file name."""
    data = {kind: "".join(lines) for kind, lines in output["data"].items()}
    if "image/png" in data:
        return f".. image:: {save_picture(base64.b64decode(data['image/png']))}\n"
    if "text/html" in data:
        return table_as_rst(data["text/html"])
    return block("code-block:: none", data["text/plain"])


def notebook_as_rst(notebook, save_picture):
    parts = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(text_as_rst(source))
            continue
        parts.append(block("code-block:: python", source))
        for is_stream, outputs in groupby(cell["outputs"], lambda output: "text" in output):
            if is_stream:
                parts.append(printed_as_rst(outputs))
            else:
                parts += [shown_as_rst(output, save_picture) for output in outputs]
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
