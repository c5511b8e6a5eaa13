"""What the columns of a table are: numbers, texts, dates, identifiers, or nothing of use."""

import zlib

import numpy as np
import pandas as pd
from pandas.api import types

from skimbal._utils._cells import (
    DATES,
    MIN_IDENTIFIERS,
    TEXTS,
    are_all_different,
    are_date_texts,
    held_values,
    kind_of_cells,
)

# A column with a smaller share of texts that are no numbers is a column of numbers with marks.
MAX_MARK_FRACTION = 0.1


def column_kind(column):
    """What a column holds.

    Parameters
    ----------
    column : Series

    Returns
    -------
    str
        "empty" (no value at all), "constant" (one value and none missing), "number" (numbers and
        truth values), "row number" (whole numbers that rise by one from row to row), "date",
        "identifier" (a text of its own in each row) or "text".

    Examples
    --------
    >>> [column_kind(pd.Series(values)) for values in ([1.5, None], ["a", "b", "a"], [7, 7])]
    ['number', 'text', 'constant']
    """
    values = column.dropna()
    if not len(values):
        return "empty"
    n_distinct = values.nunique()
    if n_distinct == 1 and len(values) == len(column):
        return "constant"
    if types.is_numeric_dtype(column.dtype):
        return "row number" if _counts_rows(values, len(column)) else "number"
    held = held_values(column)
    kind = kind_of_cells(held)
    if kind == DATES or (kind == TEXTS and are_date_texts(column, held)):
        return "date"
    return "identifier" if are_all_different(n_distinct, len(values)) else "text"


def _counts_rows(values, n_rows):
    is_integer = types.is_integer_dtype(values.dtype) and len(values) == n_rows >= MIN_IDENTIFIERS
    return is_integer and bool((np.diff(values.to_numpy()) == 1).all())


def marks_among_numbers(column):
    """Texts of a column of texts that are no numbers, if nearly all of the others are.

    >>> marks_among_numbers(pd.Series(["1.5", "2", "n.v.", *"34567890"]))
    ['n.v.']
    """
    texts = _texts(column.dropna())
    no_numbers = pd.to_numeric(texts, errors="coerce").isna()
    is_few = 0 < no_numbers.sum() < MAX_MARK_FRACTION * len(texts)
    return sorted(set(texts[no_numbers])) if is_few else []


def checksum_of_frame(frame):
    """CRC-32 of the names and the values of a frame; numbers count by value, others as texts."""
    checksum = zlib.crc32(repr([str(name) for name in frame.columns]).encode())
    for name in frame.columns:
        column = frame[name]
        if types.is_numeric_dtype(column.dtype):
            content = column.to_numpy(dtype=np.float64, na_value=np.nan).tobytes()
        else:
            codes, distinct = pd.factorize(column)
            content = codes.astype(np.int64).tobytes() + repr([*_texts(distinct)]).encode()
        checksum = zlib.crc32(content, checksum)
    return checksum


def _texts(values):
    return pd.Series(values).astype(str).str.strip()
