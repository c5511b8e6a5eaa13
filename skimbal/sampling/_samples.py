"""What samplers say of inputs that are no samples of one shape, and the type of new samples."""

import numpy as np
from imblearn.utils import check_target_type
from sklearn.utils.validation import validate_data

from skimbal._utils._number_columns import numbers_needed
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


def check_numbers(sampler, X, y, accept_sparse):
    """Return what an over-sampler's `_check_X_y` returns, for samples that are numbers.

    Parameters
    ----------
    sampler : over-sampler
    X : DataFrame or array-like of shape (n_samples, ...)
    y : array-like of shape (n_samples,)
    accept_sparse : iterable of str

    Returns
    -------
    X : ndarray or sparse array
    y : ndarray of shape (n_samples,)
    binarize_y : bool
        Whether y was given as columns of zeros and ones.
    """
    X = check_samples(X, type(sampler).__name__)
    y, binarize_y = check_target_type(y, indicate_one_vs_all=True)
    with numbers_needed(sampler, X):
        checked, y = validate_data(sampler, X, y, accept_sparse=list(accept_sparse), allow_nd=True)
        if checked.dtype == object:  # scikit-learn leaves categories and periods as they are
            checked = checked.astype(np.float64)
    return checked, y, binarize_y


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
