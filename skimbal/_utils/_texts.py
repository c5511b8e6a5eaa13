"""Texts of the values of a table, and what they look like: dates or numbers."""

import re

import numpy as np

DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T]\d.*)?")


def text_of(value):
    """The text of a value: a whole number has no decimal point.

    >>> text_of(1.0), text_of(2.5), text_of("L")
    ('1', '2.5', 'L')
    """
    is_whole = isinstance(value, float | np.floating) and float(value).is_integer()
    return str(int(value) if is_whole else value)


def are_dates(texts):
    """Whether all texts look like dates; False if there are none.

    >>> are_dates(["2024-01-31", "1.2.2024 10:00"]), are_dates(["2024-01-31", "soon"])
    (True, False)
    """
    return len(texts) > 0 and all(DATE.fullmatch(text) for text in texts)


def is_number(text):
    """Whether a text is a number.

    >>> [is_number(text) for text in ("1.5", "-2e3", "V57")]
    [True, True, False]
    """
    try:
        float(text)
    except ValueError:
        return False
    return True
