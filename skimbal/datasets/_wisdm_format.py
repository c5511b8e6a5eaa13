"""The two files of WISDM's activity set v1.1: the raw signal and the features made of it.

The raw file has one sample on each line, ``user,activity,timestamp,x,y,z;``. It has faults: empty
records, extra commas, missing values, two samples on a line, and timestamps of 0.
"""

import io
import math
from typing import NamedTuple

import numpy as np
import pandas as pd

ACTIVITIES = ("Walking", "Jogging", "Upstairs", "Downstairs", "Sitting", "Standing")
_N_FIELDS = 6


class RawSamples(NamedTuple):
    """Samples in the order of the file, and the number of dropped records by reason."""

    user: np.ndarray
    activity: np.ndarray
    time_ns: np.ndarray
    acceleration: np.ndarray
    n_dropped: dict


def parse_raw(text):
    """Samples of the raw file.

    Records end at ``;`` or at the end of a line. Empty fields are ignored, so extra commas do no
    harm. A record is dropped if it does not have six fields ("incomplete"), if a field has the
    wrong type ("unreadable"), or if its timestamp is 0 ("no_time").

    Returns
    -------
    RawSamples
        ``user`` int64, ``activity`` as a position in `ACTIVITIES`, ``time_ns`` int64, each of shape
        (n,); ``acceleration`` of shape (n, 3), float32; ``n_dropped``, dict of reason to number.
    """
    codes = {name: k for k, name in enumerate(ACTIVITIES)}
    n_dropped = {"incomplete": 0, "unreadable": 0, "no_time": 0}
    heads, values = [], []
    for record in text.replace("\n", ";").split(";"):
        fields = [field for field in map(str.strip, record.split(",")) if field]
        if not fields:
            continue
        if len(fields) != _N_FIELDS:
            n_dropped["incomplete"] += 1
            continue
        sample = _read_sample(fields, codes)
        if sample is None:
            n_dropped["unreadable"] += 1
        elif sample[0][2] == 0:
            n_dropped["no_time"] += 1
        else:
            heads.append(sample[0])
            values.append(sample[1])
    user, activity, time_ns = np.array(heads, dtype=np.int64).reshape(-1, 3).T
    acceleration = np.array(values, dtype=np.float32).reshape(-1, 3)
    return RawSamples(user, activity, time_ns, acceleration, n_dropped)


def _read_sample(fields, codes):
    """((user, activity code, time), (x, y, z)) of six fields, or None if one can't be read."""
    try:
        head = int(fields[0]), codes[fields[1]], int(fields[2])
        values = float(fields[3]), float(fields[4]), float(fields[5])
    except (ValueError, KeyError):
        return None
    return (head, values) if all(map(math.isfinite, values)) else None


def recording_starts(user, activity, time_ns, max_gap_s):
    """Positions at which a recording begins, in increasing order.

    A recording begins where the user or the activity changes, and where time runs backward or
    jumps by more than `max_gap_s`.
    """
    step_s = np.diff(time_ns) * 1e-9
    begins = (np.diff(user) != 0) | (np.diff(activity) != 0) | (step_s < 0) | (step_s > max_gap_s)
    first = np.zeros(min(1, len(user)), dtype=np.int64)
    return np.concatenate([first, np.flatnonzero(begins) + 1])


def parse_transformed(text):
    """Table of the ARFF file: the features, ``user`` and ``class``; NaN for a missing value.

    SciPy's reader does not understand the header: names are quoted, and braces follow a name
    without a space.
    """
    header, marker, rows = text.partition("@data")
    names = [
        line.split()[1].split("{")[0].strip('"')
        for line in header.splitlines()
        if line.startswith("@attribute")
    ]
    if not marker or not {"user", "class"} <= set(names):
        raise ValueError(
            "this is not the ARFF file of WISDM v1.1: it needs a line @data and the attributes "
            "user and class; replace it by the file of the archive"
        )
    return pd.read_csv(io.StringIO(rows), header=None, names=names, na_values="?", index_col=False)
