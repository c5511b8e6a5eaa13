"""What the cells of a column are, and what is said of cells that can't be used.

Columns are those of a frame or of an array. Nothing of pandas is imported: its columns are known by
what they can do, and its types by their names.
"""

import datetime
from decimal import Decimal
from numbers import Complex, Real

import numpy as np
from sklearn.utils._missing import is_pandas_na

from skimbal._utils._texts import are_dates

NUMBERS, TEXTS, NOTHING = "numbers", "texts", "no values"
DATES, INTERVALS, COMPLEX = "dates or times", "intervals", "complex numbers"
SEVERAL_TYPES, OTHER_OBJECTS = "values of several types", "other objects"
# No encoding of this package takes them.
REFUSED = (DATES, INTERVALS, COMPLEX, SEVERAL_TYPES, OTHER_OBJECTS)

KIND_OF_DTYPE = {**dict.fromkeys("biuf", NUMBERS), **dict.fromkeys("mM", DATES), "c": COMPLEX}
_MOMENTS = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64)
# In this order: timedelta64 is a whole number to Python, and each real number is a complex one.
KINDS_OF_TYPES = (
    (TEXTS, (str,)),
    (DATES, _MOMENTS),
    (NUMBERS, (Real, Decimal, np.bool_)),
    (COMPLEX, (Complex,)),
)
KINDS_OF_PANDAS_TYPES = {"Period": DATES, "Interval": INTERVALS}
# So many values are looked at to tell dates from other texts.
N_LOOKED_AT = 200
# In tables with fewer rows, texts that all differ may be chance.
MIN_IDENTIFIERS = 10
DATE_ADVICE = (
    "make numbers of them, such as the days since a date, (X[name] - pd.Timestamp('2024-01-01'))"
    ".dt.days after pd.to_datetime, a part of the date such as X[name].dt.month, or the seconds of "
    "a duration, X[name].dt.total_seconds(); or drop the column"
)


def is_category(values):
    """Whether a column has the type of categories."""
    return hasattr(values, "cat")


def held_values(values):
    """The values of a column that are not missing; of categories, those that occur.

    Parameters
    ----------
    values : Series, or array of shape (n_rows,)

    Returns
    -------
    Series or ndarray of shape (n_values,)
    """
    if is_category(values):
        return values.cat.remove_unused_categories().cat.categories.to_series()
    if hasattr(values, "dropna"):
        return values.dropna()
    if values.dtype != object:
        return values
    held = [value for value in values.tolist() if not _is_missing(value)]
    return np.fromiter(held, dtype=object, count=len(held))


def first_values(held, n):
    """The first of the values of a column as a list, whatever the index of a Series is.

    >>> import pandas as pd
    >>> first_values(pd.Series(["a", "b", "c"], index=[9.5, 1.5, 7.5]), 2)
    ['a', 'b']
    """
    return getattr(held, "iloc", held)[:n].tolist()


def _is_missing(value):
    if value is None or is_pandas_na(value):
        return True
    is_other = value != value  # NaN and NaT differ from themselves; arrays give arrays
    return isinstance(is_other, bool | np.bool_) and bool(is_other)


def kind_of_cells(held):
    """What the values of a column are, missing ones left out. Truth values are numbers.

    Parameters
    ----------
    held : Series or ndarray of shape (n_values,)

    Returns
    -------
    str
        "numbers", "texts", "no values", or one of `REFUSED`.

    Examples
    --------
    >>> def kind(*values):
    ...     return kind_of_cells(np.fromiter(values, dtype=object))
    >>> kind(1, True), kind("L", "M"), kind("L", 1)
    ('numbers', 'texts', 'values of several types')
    >>> kind(datetime.date(2024, 1, 31)), kind(1j), kind("L", [1, 2])
    ('dates or times', 'complex numbers', 'other objects')
    """
    if not len(held):
        return NOTHING
    kind = KIND_OF_DTYPE.get(getattr(held.dtype, "kind", "O"))
    if kind is not None:
        return kind
    kinds = {_kind_of_type(found) for found in set(map(type, held.tolist()))}
    if OTHER_OBJECTS in kinds:
        return OTHER_OBJECTS
    return kinds.pop() if len(kinds) == 1 else SEVERAL_TYPES


def _kind_of_type(found):
    for kind, types in KINDS_OF_TYPES:
        if issubclass(found, types):
            return kind
    is_of_pandas = found.__module__.startswith("pandas.")
    return (
        KINDS_OF_PANDAS_TYPES.get(found.__name__, OTHER_OBJECTS) if is_of_pandas else OTHER_OBJECTS
    )


def are_date_texts(values, held):
    """Whether the first texts of a column look like dates; categories are what their type says.

    Parameters
    ----------
    values : Series, or array of shape (n_rows,)
    held : Series or ndarray of shape (n_values,)
        Those that are not missing, which are texts.
    """
    texts = first_values(held, N_LOOKED_AT)
    return not is_category(values) and are_dates([text.strip() for text in texts])


def are_all_different(n_distinct, n_values):
    """Whether categories are names or numbers of rows; in few rows this may be chance.

    >>> are_all_different(12, 12), are_all_different(11, 12), are_all_different(5, 5)
    (True, False, False)
    """
    return n_distinct == n_values >= MIN_IDENTIFIERS


def examples_of(held):
    """The first value of each type, for three types at most.

    >>> examples_of(np.array([1, "a", 2.5, "b", 3], dtype=object))
    "2.5 (float) and 1 (int) and 'a' (str)"
    """
    examples = {type(value).__name__: value for value in reversed(held.tolist())}
    return " and ".join(f"{value!r} ({name})" for name, value in sorted(examples.items())[:3])


def refusal(subject, kind, held):
    """What is said of columns whose cells no encoding takes.

    Parameters
    ----------
    subject : str
        Such as "the column 'a' holds" or "the columns 'a', 'b' hold".
    kind : str
        One of `REFUSED`.
    held : Series or ndarray of shape (n_values,)
        The values of the first of the columns, missing ones left out.

    Examples
    --------
    >>> refusal("the column 'a' holds", INTERVALS, np.array(["(0, 1]"]))[:48]
    "the column 'a' holds intervals, such as (0, 1]; "
    """
    if kind == DATES:
        return f"{subject} dates or times; {DATE_ADVICE}"
    (first,) = first_values(held, 1)
    if kind == INTERVALS:
        return (
            f"{subject} intervals, such as {first}; make texts of them with .astype(str), or give "
            "the numbers that they were made of"
        )
    if kind == COMPLEX:  # with the words of scikit-learn
        return (
            f"{subject} complex numbers, such as {first}. Complex data not supported: give their "
            "real and imaginary parts, or their sizes and angles, as columns of their own"
        )
    if kind == SEVERAL_TYPES:
        return (
            f"{subject} values of several types, such as {examples_of(held)}; make it texts with "
            ".astype(str), or numbers with pd.to_numeric(..., errors='coerce')"
        )
    return (
        f"{subject} {examples_of(held)}; only numbers, truth values, texts and missing values can "
        "be encoded, so give what is in each value as columns of their own"
    )


def refusal_of_date_texts(subject, held):
    """What is said of texts that look like dates."""
    (first,) = first_values(held, 1)
    return (
        f"{subject} texts that look like dates, such as {first!r}; {DATE_ADVICE}. "
        "If they are names of categories, give it the dtype 'category'"
    )
