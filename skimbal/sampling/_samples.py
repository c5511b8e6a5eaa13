"""The samples that samplers are given, and the type of those that they return."""

import numpy as np

from skimbal._utils._recordings import check_collection, check_one_shape

UNEQUAL_ADVICE = (
    "cut windows of one size first, or draw whole recordings by their numbers: "
    "rows, y = RandomUnderSampler().fit_resample(np.arange(len(X))[:, None], y) and "
    "X = [X[row] for row in rows[:, 0]]"
)


def check_samples(X, name):
    """Return samples as one collection; a ValueError for a bare signal or unequal lengths."""
    check_collection(X, "X[None] is one sample; resampling needs samples of two classes")
    return check_one_shape(X, name, UNEQUAL_ADVICE)


def in_type(values, dtype):
    """Convert numbers to the nearest numbers of a type."""
    if dtype.kind == "b":
        return values > 0.5
    if dtype.kind in "iu":
        values = values.round().clip(np.iinfo(dtype).min, np.iinfo(dtype).max)
    elif dtype.kind == "f":
        values = values.clip(np.finfo(dtype).min, np.finfo(dtype).max)
    return values.astype(dtype)
