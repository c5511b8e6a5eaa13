"""What the texts of a column of a table look like: dates or numbers."""

import re

DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T]\d.*)?")


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
