"""Validation of signals, shared by the transformers: X as (n_signals, channels, length)."""

import numpy as np
from sklearn.utils.validation import validate_data

from skimbal._utils._number_columns import numbers_needed
from skimbal._utils._recordings import check_collection, check_one_shape

UNEQUAL_ADVICE = (
    "for recordings of different lengths use skimbal.preprocessing.index_windows, or put the steps "
    "of windows inside a WindowedClassifier, which cuts windows of one size"
)


def validate_signals(transformer, X, *, reset):
    """Return X as a finite float array of shape (n_signals, channels, length), or raise.

    2-D X has signals of one channel. float32 and float64 are not copied.
    """
    name = type(transformer).__name__
    check_collection(X, "X[None] is one signal of one channel; a recording goes into a list, [X]")
    X = check_one_shape(X, name, UNEQUAL_ADVICE)
    with numbers_needed(transformer, X):
        dtype = [np.float64, np.float32]
        X = validate_data(transformer, X, reset=reset, allow_nd=True, dtype=dtype)
    if X.ndim > 3:
        raise ValueError(
            f"X has shape {X.shape}, but {name} takes signals of shape "
            "(n_signals, channels, length), or (n_signals, length) for one channel; reshape X"
        )
    return X[:, None] if X.ndim == 2 else X
