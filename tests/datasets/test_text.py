"""Numbers and integers in text files."""

import pytest

from skimbal.datasets._text import (
    parse_integer,
    parse_number,
    unquoted,
    without_byte_order_mark,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("-12", -12),
        ("+012", 12),
        ("0", 0),
        (str(2**63 - 1), 2**63 - 1),
        (str(-(2**63)), -(2**63)),
        ("0" * 5000 + "7", 7),
    ],
)
def test_integers(text, value):
    assert parse_integer(text) == value


@pytest.mark.parametrize(
    "text",
    ["", "-", "1.0", "1e3", "1_0", "0x1", "\u0661", "\u00b2", " 1", "1\n", str(2**63), "9" * 5000],
)
def test_texts_that_are_no_integers(text):
    assert parse_integer(text) is None


@pytest.mark.parametrize(("text", "value"), [("1", 1), ("-.5", -0.5), ("2.", 2), ("1E-3", 0.001)])
def test_numbers(text, value):
    assert parse_number(text) == value


@pytest.mark.parametrize(
    "text", ["", ".", "nan", "inf", "1e999", "9" * 5000, "1_0", "0x1", "\u0661", "1,5", "1\n"]
)
def test_texts_that_are_no_numbers(text):
    assert parse_number(text) is None


@pytest.mark.parametrize(
    ("text", "plain"),
    [(" a ", "a"), ("'a b'", "a b"), ('" a"', "a"), ("'a\"", "'a\""), ("'", "'"), ("''", "")],
)
def test_quotes(text, plain):
    assert unquoted(text) == plain


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_byte_order_mark(encoding):
    assert without_byte_order_mark(b"\xef\xbb\xbfa".decode(encoding)) == "a"
    assert without_byte_order_mark("a") == "a"
