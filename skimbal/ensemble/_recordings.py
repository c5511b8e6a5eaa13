"""Recordings: a list of arrays of different lengths, or one array."""

import numpy as np
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import validate_data

from skimbal._utils._fitted_attributes import forget_attributes
from skimbal._utils._number_columns import numbers_needed
from skimbal._utils._recordings import check_collection, transpose_advice


def validate_recordings(estimator, X, *, reset):
    """Return finite recordings of equal numbers of channels, or raise a ValueError.

    Parameters
    ----------
    estimator : estimator
        With `reset`, it gets `n_channels_in_`, and for 2-D X `n_features_in_`.
    X : list of array-like of shape (channels, length) or (length,), or array-like of shape \
            (n_recordings, channels, length) or (n_recordings, length)
    reset : bool
        Whether this is a fit; if not, X is compared with the attributes of the last fit.

    Returns
    -------
    list of ndarray, or ndarray
        Recordings of shape (channels, length), or (n_recordings, channels, length).
        Arrays of numbers are not copied.
    """
    if getattr(X, "ndim", None) == 1 and hasattr(X, "to_numpy"):
        X = X.to_numpy()
    check_collection(X, "a recording goes into a list, [X]")
    recordings = _as_list(estimator, X, reset) if is_list(X) else _as_array(estimator, X, reset)
    n_channels = recordings[0].shape[0]
    if reset:
        estimator.n_channels_in_ = n_channels
    elif n_channels != estimator.n_channels_in_:
        raise ValueError(
            f"recordings have {n_channels} channels, but {type(estimator).__name__} was fitted on "
            f"recordings of {estimator.n_channels_in_} channels"
            + axes_advice(X, recordings, estimator.n_channels_in_)
        )
    return recordings


def axes_advice(X, recordings, n_channels):
    """Advice for recordings with other channels than in the fit.

    X may be a single recording, and the axes may be in another order.
    """
    if recordings[0].shape[0] == 1 and len(recordings) == n_channels:
        return f"; if X is a single recording of {n_channels} channels, give [X]"
    if recordings[0].shape[-1] == n_channels:
        shape = np.shape(X) if isinstance(X, np.ndarray) else recordings[0].shape
        return (
            f"; the axes of {shape} look like (length, channels): transpose each recording to "
            "(channels, length), and give a list of them"
        )
    return ""


def is_list(X):
    """Whether X is a list of recordings, which may differ in length, and not one array."""
    if isinstance(X, np.ndarray):
        return X.ndim == 1 and X.dtype == object
    if not isinstance(X, list | tuple):
        return False
    if len(X) == 0:
        return True
    if hasattr(X[0], "shape"):
        return np.ndim(X[0]) > 0
    try:
        np.shape(X)
    except ValueError:  # lists of different lengths
        return True
    return False


def _as_array(estimator, X, reset):
    with numbers_needed(estimator, X):
        X = validate_data(estimator, X, reset=reset, allow_nd=True)
    if X.ndim > 3:
        raise ValueError(
            f"X has shape {X.shape}; recordings are (n_recordings, channels, length), or "
            "(n_recordings, length) for one channel"
        )
    if X.ndim == 3:
        forget_attributes(estimator, ["n_features_in_"])
    return X[:, None] if X.ndim == 2 else X


def _as_list(estimator, X, reset):
    recordings = [_recording(number, x) for number, x in enumerate(X)]
    if not recordings:
        raise ValueError("X has 0 samples; give at least one recording")
    n_channels = [len(recording) for recording in recordings]
    shapes = [recording.shape for recording in recordings]
    for number, own in enumerate(n_channels):
        if own != n_channels[0]:
            raise ValueError(
                f"recording {number} has {own} channels and recording 0 has {n_channels[0]}; all "
                f"recordings need the same channels{transpose_advice(shapes)}"
            )
    if reset:
        forget_attributes(estimator, ["n_features_in_", "feature_names_in_"])
    return recordings


def _recording(number, x):
    """Return one recording as an array of shape (channels, length)."""
    if isinstance(x, tuple) and len(x) == 2 and np.ndim(x[0]) == 0 and np.ndim(x[1]) > 0:
        raise ValueError(
            f"recording {number} is a pair (rate, samples), as scipy.io.wavfile.read returns it; "
            "give the samples, its [1]"
        )
    try:
        x = np.asarray(x)
    except ValueError as error:
        raise ValueError(
            f"recording {number} is no array: its channels differ in length; give each recording "
            "as an array of shape (channels, length)"
        ) from error
    if x.ndim not in (1, 2) or x.dtype.kind not in "fiub":
        raise ValueError(
            f"recording {number} is {x.dtype} of shape {x.shape}; it must be numbers of shape "
            "(channels, length), or (length,) for one channel; read files first, and give a list "
            "of arrays"
        )
    try:
        assert_all_finite(x)
    except ValueError as error:
        raise ValueError(f"recording {number}: {error}") from error
    return np.atleast_2d(x)
