"""Pages of the Markdown files at the root: the changelog and how to contribute.

What is converted is what these files use: headings, fenced code and links. Lists, bold text and
code in single backquotes (the default role here) are the same in reStructuredText.
"""

import re
from pathlib import Path
from textwrap import indent

from notebook_pages import text_as_rst

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PAGES = HERE.parent / "generated" / "project"
FILES = {"CHANGELOG.md": "changelog", "CONTRIBUTING.md": "contributing"}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")


def link_as_rst(match):
    """A link to a page of the site, to another one of these files, or to an address."""
    text, target = " ".join(match[1].split()), match[2]
    if target in FILES:
        return f":doc:`{text} </generated/project/{FILES[target]}>`"
    if target.startswith("docs/") and target.endswith(".rst"):
        return f":doc:`{text} <{target.removeprefix('docs').removesuffix('.rst')}>`"
    if "://" not in target:
        raise ValueError(f"the link to {target!r} leads to no page; link a page of docs, or a URL")
    return f"`{text} <{target}>`__"


def markdown_as_rst(text):
    """Markdown as reStructuredText.

    >>> print(markdown_as_rst("See [this](docs/a/b.rst) and `code`.").strip())
    See :doc:`this </a/b>` and `code`.
    """
    parts = FENCE.split(text)  # prose, language, code, prose, ...
    prose = [LINK.sub(link_as_rst, text_as_rst(part)) for part in parts[::3]]
    blocks = [
        f".. code-block:: {language or 'none'}\n\n{indent(code, '   ')}\n"
        for language, code in zip(parts[1::3], parts[2::3], strict=True)
    ]
    return "\n".join(part for pair in zip(prose, [*blocks, ""], strict=True) for part in pair)


def setup(app):
    def write_all(app):
        PAGES.mkdir(parents=True, exist_ok=True)
        for name, page in FILES.items():
            (PAGES / f"{page}.rst").write_text(markdown_as_rst((ROOT / name).read_text()))

    app.connect("builder-inited", write_all)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
