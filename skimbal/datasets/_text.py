"""Values in text files, read strictly: what Python accepts beyond plain decimals is refused."""

import math
import re

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_N_DIGITS = 19  # 2^63 - 1 has 19 digits
# The byte order mark of UTF-8, decoded as UTF-8 and as Latin-1.
_BYTE_ORDER_MARKS = ("\ufeff", "\xef\xbb\xbf")


def parse_number(text):
    """Value of a plain decimal number, or None (no NaN, infinity, underscore or hexadecimal).

    >>> parse_number("-1.5e-3"), parse_number("1_0"), parse_number("1e999")
    (-0.0015, None, None)
    """
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def parse_integer(text):
    """Value of a plain decimal integer that 64 bits can hold, or None.

    >>> parse_integer("-12"), parse_integer("1.0"), parse_integer("9" * 25)
    (-12, None, None)
    """
    if not _INTEGER.fullmatch(text) or len(text.lstrip("+-0")) > _N_DIGITS:
        return None
    value = int(text.lstrip("+-0") or "0") * (-1 if text.startswith("-") else 1)
    return value if -(2**63) <= value < 2**63 else None


def without_byte_order_mark(text):
    """`text` without the mark that some editors put at the beginning of a file."""
    for mark in _BYTE_ORDER_MARKS:
        text = text.removeprefix(mark)
    return text


def lines_of(text):
    """The lines of a text, which end at a line feed, a carriage return, or both.

    `str.splitlines` ends lines at other characters, too. One of them is a part of many letters in
    UTF-8 that is read as Latin-1, and the ellipsis of Windows.

    >>> lines_of("a\\r\\nb\\x85\\x0bc\\rd\\n")
    ['a', 'b\\x85\\x0bc', 'd']
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines if lines[-1] else lines[:-1]


def unquoted(text):
    """`text` without white space and one pair of quotes around it.

    >>> unquoted(" 'Jogging ' ")
    'Jogging'
    """
    text = text.strip()
    is_quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    return text[1:-1].strip() if is_quoted else text
