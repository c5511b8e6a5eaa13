"""The changelog and the rules for contributors as pages of the site."""

import doctest
import sys
from pathlib import Path

import pytest
from docutils.core import publish_doctree
from docutils.utils import Reporter

sys.path.insert(0, str(Path(__file__).parents[1] / "docs" / "_extensions"))
import markdown_pages

ROOT = Path(__file__).parents[1]
MARKDOWN = """\
# Title

Some `code`, **bold**, [a page](docs/guide/costs.rst), [the
changelog](CHANGELOG.md) and [an address](https://example.org/a).

```sh
make test
```

## Part

- one
  line
"""
RST = """\
Title
=====


Some `code`, **bold**, :doc:`a page </guide/costs>`, :doc:`the changelog
</generated/project/changelog>` and `an address <https://example.org/a>`__.

.. code-block:: sh

   make test

Part
----

- one
  line
"""


def test_examples_of_the_extension_run():
    assert doctest.testmod(markdown_pages).failed == 0


def test_markdown_becomes_restructured_text():
    assert markdown_pages.markdown_as_rst(MARKDOWN).split() == RST.split()


def test_a_link_that_leads_to_no_page_is_an_error():
    with pytest.raises(ValueError, match=r"the link to 'src/a\.py' leads to no page"):
        markdown_pages.markdown_as_rst("[code](src/a.py)")


@pytest.mark.parametrize("name", markdown_pages.FILES)
def test_the_files_are_clean_restructured_text(name):
    text = markdown_pages.markdown_as_rst((ROOT / name).read_text())
    assert "](" not in text
    assert "```" not in text
    known = text.replace(":doc:", "")  # a role of Sphinx, which docutils alone does not know
    document = publish_doctree(
        known.replace("code-block::", "code::"),
        settings_overrides={"halt_level": Reporter.WARNING_LEVEL, "syntax_highlight": "none"},
    )
    titles = [node.astext() for node in document.findall() if node.tagname == "title"]
    assert len(titles) > 2
