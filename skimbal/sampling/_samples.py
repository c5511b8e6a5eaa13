"""What samplers say of inputs that are no samples of one shape, and the type of new samples."""

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
    """Convert floats to the nearest numbers of a type, infinities to its ends.

    >>> in_type(np.array([1.6, 300.0, -1.0]), np.dtype(np.uint8)).tolist()
    [2, 255, 0]
    """
    if dtype.kind == "b":
        return values > 0.5
    if dtype.kind in "iu":
        values, limits = values.round(), np.iinfo(dtype)
        # Floats round the largest integers of 64 bits up, beyond the type.
        is_high = values >= float(limits.max)
        whole = np.where(is_high, 0.0, values.clip(limits.min)).astype(dtype)
        return np.where(is_high, dtype.type(limits.max), whole)
    if dtype.kind == "f":
        values = values.clip(np.finfo(dtype).min, np.finfo(dtype).max)
    return values.astype(dtype)
