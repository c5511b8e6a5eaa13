"""Formulas as MathML, which browsers render themselves: no script is fetched to read a page."""

import re

from docutils.nodes import SkipNode
from latex2mathml.converter import convert

TAG = re.compile(r"\\tag\{([^}]*)\}")


def rows(latex):
    """Split a formula into its lines, each without alignment marks, beside its number or None."""
    if r"\begin" not in latex:
        lines = [line.replace("&", "") for line in latex.split(r"\\")]
    else:
        lines = [latex]
    for line in lines:
        tag = TAG.search(line)
        yield TAG.sub("", line), tag and tag[1]


def visit_inline(translator, node):
    translator.body.append(convert(node.astext(), display="inline"))
    raise SkipNode


def visit_block(translator, node):
    for latex, number in rows(node.astext()):
        number = number or node["number"]
        eqno = f'<span class="eqno">({number})</span>' if number else ""
        mathml = convert(latex, display="block")
        translator.body.append(f'<div class="formula">{mathml}{eqno}</div>\n')
    raise SkipNode


def depart(translator, node):
    """Visiting has written the whole formula."""


def setup(app):
    app.add_html_math_renderer("mathml", (visit_inline, depart), (visit_block, depart))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
