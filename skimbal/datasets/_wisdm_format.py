"""The two files of WISDM's activity set v1.1: the raw signal and the features made of it.

The raw file has one sample on each line, ``user,activity,timestamp,x,y,z;``. It has faults: empty
records, extra commas, missing values, two samples on a line, and timestamps of 0.
"""

import math
import re
from typing import NamedTuple

import numpy as np
import pandas as pd

from skimbal.datasets._text import (
    lines_of,
    parse_integer,
    parse_number,
    unquoted,
    without_byte_order_mark,
)

ACTIVITIES = ("Walking", "Jogging", "Upstairs", "Downstairs", "Sitting", "Standing")
_N_FIELDS = 6
_N_PEOPLE = 36
_RECORD_END = re.compile("[;\\r\\n]")
_MAX_FLOAT32 = float(np.finfo(np.float32).max)
_ATTRIBUTE_NAME = re.compile(r"\s+(\"[^\"]+\"|'[^']+'|[^\s\"']+)")
_REPLACE = "replace it by the file of the archive"


class RawSamples(NamedTuple):
    """Samples in the order of the file, and the number of dropped records by reason."""

    user: np.ndarray
    activity: np.ndarray
    time_ns: np.ndarray
    acceleration: np.ndarray
    n_dropped: dict


def parse_raw(text):
    """Samples of the raw file.

    Records end at ``;`` or at the end of a line. Extra commas at the end of a record are ignored.
    A record is dropped if it does not have six fields ("incomplete"), if a field cannot be read or
    an empty one stands before another ("unreadable"), or if its timestamp is 0 ("no_time"). Persons
    and timestamps are integers of at most 64 bits, accelerations plain decimals that single
    precision can hold.

    Returns
    -------
    RawSamples
        ``user`` int64, ``activity`` as a position in `ACTIVITIES`, ``time_ns`` int64, each of shape
        (n,); ``acceleration`` of shape (n, 3), float32; ``n_dropped``, dict of reason to number.
    """
    codes = {name: k for k, name in enumerate(ACTIVITIES)}
    n_dropped = {"incomplete": 0, "unreadable": 0, "no_time": 0}
    heads, values = [], []
    for record in _RECORD_END.split(without_byte_order_mark(text)):
        fields = [field.strip() for field in record.rstrip(", \t").split(",")]
        if not any(fields):
            continue
        sample = _read_sample(fields, codes)
        if isinstance(sample, str):
            n_dropped[sample] += 1
        else:
            heads.append(sample[0])
            values.append(sample[1])
    user, activity, time_ns = np.array(heads, dtype=np.int64).reshape(-1, 3).T
    acceleration = np.array(values, dtype=np.float32).reshape(-1, 3)
    return RawSamples(user, activity, time_ns, acceleration, n_dropped)


def _read_sample(fields, codes):
    """((user, activity code, time), (x, y, z)) of a record, or why it is dropped."""
    if not all(fields):  # the fields behind an empty one may be those of other columns
        return "unreadable"
    if len(fields) != _N_FIELDS:
        return "incomplete"
    head = parse_integer(fields[0]), codes.get(fields[1]), parse_integer(fields[2])
    values = tuple(map(parse_number, fields[3:]))
    if None in head or not all(v is not None and abs(v) <= _MAX_FLOAT32 for v in values):
        return "unreadable"
    return "no_time" if head[2] == 0 else (head, values)


def recording_starts(user, activity, time_ns, max_gap_s):
    """Positions at which a recording begins, in increasing order.

    A recording begins where the user or the activity changes, and where time runs backward or
    jumps by more than `max_gap_s`.
    """
    runs_backward = time_ns[1:] < time_ns[:-1]
    # Without a sign, the step from the first to the last time of 64 bits is right, too.
    step_s = np.diff(time_ns.astype(np.uint64)) * 1e-9
    begins = (user[1:] != user[:-1]) | (activity[1:] != activity[:-1])
    begins |= runs_backward | (step_s > max_gap_s)
    first = np.zeros(min(1, len(user)), dtype=np.int64)
    return np.concatenate([first, np.flatnonzero(begins) + 1])


def parse_transformed(text):
    """Table of the ARFF file: the features, ``user`` and ``class``; NaN for a missing feature.

    SciPy's reader does not understand the header: names are quoted, and braces follow a name
    without a space. Labels may be quoted. Comments and empty lines are skipped.

    Raises
    ------
    ValueError
        If it is another file or has no rows, or if a value is not a number, a person or an
        activity. The message names the line.
    """
    lines = [line.strip() for line in lines_of(without_byte_order_mark(text))]
    first = next((k for k, line in enumerate(lines, 1) if line.lower() == "@data"), len(lines) + 1)
    names = [_attribute_name(line, k) for k, line in enumerate(lines[:first], 1) if _declares(line)]
    if first > len(lines) or not {"user", "class"} <= set(names) or len(set(names)) < len(names):
        raise ValueError(
            "this is not the ARFF file of WISDM v1.1: it needs a line @data and different "
            f"attributes, among them user and class; {_REPLACE}"
        )
    rows = [
        _read_row(line, names, k)
        for k, line in enumerate(lines[first:], first + 1)
        if line and not line.startswith("%")
    ]
    if not rows:
        raise ValueError(f"the ARFF file has no rows behind @data; {_REPLACE}")
    return pd.DataFrame(rows, columns=names)


def _declares(line):
    return line.lower().split(maxsplit=1)[:1] == ["@attribute"]


def _attribute_name(line, line_number):
    declaration = line[len("@attribute") :].partition("{")[0]
    name = _ATTRIBUTE_NAME.match(declaration)
    if name is None:
        raise _broken(line_number, "'@attribute NAME KIND'", line)
    return unquoted(name[0])


def _read_row(line, names, line_number):
    texts = [unquoted(text) for text in line.split(",")]
    if len(texts) != len(names):
        expected = f"{len(names)} values, one for each attribute"
        raise _broken(line_number, expected, f"{len(texts)}: {line[:60]}")
    row = []
    for name, text in zip(names, texts, strict=True):
        read, expected = _VALUES.get(name, _FEATURE)
        value = read(text)
        if value is None:
            raise _broken(line_number, f"{expected} as {name!r}", text)
        row.append(value)
    return row


def _feature(text):
    return math.nan if text == "?" else parse_number(text)


def _person(text):
    number = parse_integer(text)
    return number if number is not None and 1 <= number <= _N_PEOPLE else None


def _activity(text):
    return text if text in ACTIVITIES else None


_FEATURE = (_feature, "a number or ?")
_VALUES = {
    "user": (_person, f"1 to {_N_PEOPLE}, the number of a person"),
    "class": (_activity, f"one of {', '.join(ACTIVITIES)}"),
}


def _broken(line_number, expected, found):
    return ValueError(
        f"line {line_number} of the ARFF file: expected {expected}, got {found!r}; {_REPLACE}"
    )
