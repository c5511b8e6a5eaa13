"""The tables of the site: docs/_extensions/number_tables.py."""

import sys
from pathlib import Path

import pytest
from docutils import nodes
from docutils.core import publish_doctree
from docutils.parsers.rst import directives

sys.path.insert(0, str(Path(__file__).parents[1] / "docs" / "_extensions"))
import number_tables

TABLE = """
.. number-table::
   {options}

   method,group,score,p,wins
   first,a,0.5,1e-05,8 of 10
   second,a,0.75,0.25,9 of 10
   third,b,0.625,,
"""


@pytest.fixture(autouse=True)
def directive():
    directives.register_directive("number-table", number_tables.NumberTable)


def make_table(*options):
    """The header and rows of a table as texts, with ``*`` around what is bold; its nodes."""
    document = publish_doctree(
        TABLE.format(options="\n   ".join(options)), settings_overrides={"report_level": 5}
    )
    rows = [
        [
            f"*{cell.astext()}*" if list(cell.findall(nodes.strong)) else cell.astext()
            for cell in row
        ]
        for row in document.findall(nodes.row)
    ]
    return rows, document


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("0.25", 0.25),
        ("-3", -3.0),
        ("+1.5", 1.5),
        ("2e-05", 2e-5),
        ("0.57 ± 0.16", 0.57),
        ("8 of 10", 8.0),
        ("85.1 (81.9)", 85.1),
        ("4-12-42", 4.0),
        ("< 0.001", 0.001),
        ("", None),
        ("glass5", None),
        ("1st", None),
    ],
)
def test_leading_number(cell, number):
    assert number_tables.leading_number(cell) == number


@pytest.mark.parametrize(
    ("cells", "decimals", "expected"),
    [
        (["0.25", "1", ""], None, ["0.25", "1.00", ""]),
        (["7", "12"], None, ["7", "12"]),
        (["+1.5", "-0.25", "-0.0"], None, ["+1.50", "-0.25", "+0.00"]),
        (["9e-59", "0.5"], None, ["9e-59", "0.5"]),
        (["9e-59", "0.5", "0"], 2, ["< 0.01", "0.50", "0.00"]),
        (["8 of 10", "0.5"], None, ["8 of 10", "0.5"]),
    ],
)
def test_equal_decimals(cells, decimals, expected):
    assert number_tables.with_equal_decimals(cells, decimals) == expected


def test_numbers_are_at_the_right_with_equal_decimals():
    rows, document = make_table(":decimals: p: 3")
    assert rows == [
        ["method", "group", "score", "p", "wins"],
        ["first", "a", "0.500", "< 0.001", "8 of 10"],
        ["second", "a", "0.750", "0.250", "9 of 10"],
        ["third", "b", "0.625", "", ""],
    ]
    for row in document.findall(nodes.row):
        assert ["text-end" in cell["classes"] for cell in row] == [False, False, True, True, True]


def test_the_best_of_a_column_or_a_group_is_bold():
    rows, _ = make_table(":highest: score; wins", ":lowest: p", ":decimals: p: 2")
    assert [row[2:] for row in rows[1:]] == [
        ["0.500", "*< 0.01*", "8 of 10"],
        ["*0.750*", "0.25", "*9 of 10*"],
        ["0.625", "", ""],
    ]
    rows, _ = make_table(":highest: score", ":within: group")
    assert [row[2] for row in rows[1:]] == ["0.500", "*0.750*", "*0.625*"]


def test_the_best_of_a_row_is_bold():
    rows, _ = make_table(":highest: score; p", ":best-in-row:", ":decimals: p: 2")
    assert [row[2:4] for row in rows[1:]] == [
        ["*0.500*", "< 0.01"],
        ["*0.750*", "0.25"],
        ["*0.625*", ""],
    ]


def test_columns_are_chosen_and_renamed():
    rows, _ = make_table(":columns: method; score -> G-mean")
    assert rows[0] == ["method", "G-mean"]
    assert rows[1] == ["first", "0.500"]


@pytest.mark.parametrize("option", ["columns", "highest", "lowest"])
def test_an_unknown_column_is_an_error(option):
    rows, document = make_table(f":{option}: accuracy")
    assert rows == []
    assert f"{option} names ['accuracy']" in document.astext()
