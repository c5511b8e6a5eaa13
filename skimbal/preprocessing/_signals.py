"""Validation of signals, shared by the transformers: X as (n_signals, channels, length)."""

import numpy as np
from sklearn.utils.validation import validate_data


def validate_signals(transformer, X, *, reset):
    """Return X as a finite float array of shape (n_signals, channels, length), or raise.

    2-D X has signals of one channel. float32 and float64 are not copied.
    """
    X = validate_data(transformer, X, reset=reset, allow_nd=True, dtype=[np.float64, np.float32])
    if X.ndim > 3:
        raise ValueError(
            f"X has shape {X.shape}, but {type(transformer).__name__} takes signals of shape "
            "(n_signals, channels, length), or (n_signals, length) for one channel; reshape X"
        )
    return X[:, None] if X.ndim == 2 else X
