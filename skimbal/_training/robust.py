"""Robust standardization: medians, quartile ranges and a smooth limit for far values.

Tables are standardized by feature, signals and images by channel. The numbers of a sparse table are
those of the dense one to the bit.
"""

from math import prod

import numpy as np
from scipy.sparse import issparse

from skimbal._training.inputs import NUMBERS_AT_ONCE, is_windows
from skimbal._training.tables import one_hot_units
from skimbal._utils._table_rows import TableRows

LIMIT = 3.0
QUARTILES = (0.25, 0.5, 0.75)
# Columns that are read together: a row of a table has them side by side.
MIN_COLUMNS_AT_ONCE = 8


def smooth_clip(X, limit):
    r"""Keep values within a limit, smoothly: small ones stay about as they are.

    .. math:: x / \sqrt{1 + (x / l)^2}

    Parameters
    ----------
    X : ndarray
    limit : ndarray or float
        l, above 0, which broadcasts against `X`; with infinity a value stays as it is.

    Examples
    --------
    >>> smooth_clip(np.array([0.0, 0.1, 4.0, 1e200]), 3.0).round(3).tolist()
    [0.0, 0.1, 2.4, 3.0]
    """
    return X / np.hypot(1.0, X / limit)


def weighted_quantiles(values, levels, weight=None):
    """Quantiles of values, where a whole weight counts as so many copies of a value.

    A quantile is the smallest value up to which the share of the weights reaches the level, or the
    middle between it and the next value where the share is the level itself.

    Parameters
    ----------
    values : ndarray of shape (n,)
    levels : sequence of float in (0, 1)
    weight : ndarray of shape (n,), default=None
        Not negative; None is 1 for each value.

    Returns
    -------
    ndarray of shape (n_levels,), float64

    Examples
    --------
    >>> weighted_quantiles(np.array([3.0, 1.0, 2.0, 4.0]), [0.25, 0.5]).tolist()
    [1.5, 2.5]
    >>> weighted_quantiles(np.array([1.0, 2.0]), [0.25, 0.5], np.array([1.0, 3.0])).tolist()
    [1.5, 2.0]
    """
    levels = np.asarray(levels)
    if weight is None:
        n = len(values)
        places = levels * n
        upper = np.minimum(np.floor(places), n - 1).astype(int)
        lower = np.maximum(np.ceil(places) - 1, 0).astype(int)
        ordered = np.partition(values, np.unique([lower, upper]))
    else:
        order = np.argsort(values, kind="stable")
        ordered, sums = values[order], np.cumsum(weight[order])
        places = levels * sums[-1]
        rounding = len(values) * np.finfo(np.float64).eps * sums[-1]
        lower = np.searchsorted(sums, places - rounding)
        upper = np.minimum(np.searchsorted(sums, places + rounding), len(values) - 1)
    return ordered[lower].astype(np.float64) / 2.0 + ordered[upper].astype(np.float64) / 2.0


def robust_moments(X, sample_weight=None):
    """Center, scale and limit of each feature (2-D X) or channel (n-d X), for `smooth_clip`.

    The center is the median. The scale is the range of the quartiles or, where these are equal,
    half of the whole range (Holzmueller, Grinsztajn & Steinwart 2024, arXiv:2407.04491). The limit
    is 3. One-hot columns of tables have center 0, the scale of their other value, and no limit.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_channels, ...), CSR table, TableRows or WindowIndex
        Training data.
    sample_weight : ndarray of shape (n_samples,), default=None
        Weight of each sample, above 0.

    Returns
    -------
    center, scale, limit : ndarray of shape (n_channels, 1, ...)
        They broadcast against a sample. A constant channel has scale 1.

    Examples
    --------
    >>> X = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 2.0], [30.0, 0.0]])
    >>> [array.tolist() for array in robust_moments(X)]
    [[1.5, 0.0], [15.5, 2.0], [3.0, inf]]
    """
    found = [_center_and_scale(*column) for column in _columns(X, sample_weight)]
    center, scale = np.array(found).T.copy()
    limit = np.full(len(center), LIMIT)
    if X.ndim == 2:
        unit = one_hot_units(X, sample_weight)
        is_one_hot = unit > 0
        center[is_one_hot], limit[is_one_hot] = 0.0, np.inf
        scale = np.where(is_one_hot, unit, scale)
    shape = (-1, *[1] * (X.ndim - 2))
    return center.reshape(shape), scale.reshape(shape), limit.reshape(shape)


def _center_and_scale(values, weight):
    """Median of values, and the scale by their quartiles."""
    lower, median, upper = weighted_quantiles(values, QUARTILES, weight)
    scale = upper - lower
    if scale == 0:
        scale = (float(values.max()) - float(values.min())) / 2.0
    return median, scale if scale > 0 else 1.0


def _columns(X, weight):
    """Yield the values of each feature or channel, and their weights or None."""
    if is_windows(X):
        yield from _columns_of_recordings(X, weight)
    elif X.ndim > 2:
        repeated = None if weight is None else np.repeat(weight, prod(X.shape[2:]))
        for channel in range(X.shape[1]):
            yield X[:, channel].ravel(), repeated
    else:
        table = X.tocsc() if issparse(X) else X
        n_columns = max(MIN_COLUMNS_AT_ONCE, NUMBERS_AT_ONCE // max(1, X.shape[0]))
        for first in range(0, X.shape[1], n_columns):
            part = _columns_of_table(table, first, first + n_columns)
            for values in np.ascontiguousarray(part.T):
                yield values, weight


def _columns_of_table(table, first, last):
    """Some columns of a dense table, a sparse one or shared rows, as an array."""
    if isinstance(table, TableRows):
        return table.columns(first, last)
    part = table[:, first:last]
    return part.toarray() if issparse(part) else part


def _columns_of_recordings(windows, weight):
    """Yield the samples of each channel that are in windows, and how much each counts.

    A sample counts with the sum of the weights of the windows that it is in.
    """
    weight = np.ones(len(windows)) if weight is None else weight
    order = np.argsort(windows.recording, kind="stable")
    bounds = np.searchsorted(windows.recording[order], np.arange(len(windows.recordings) + 1))
    covered, parts = [], []
    for recording, first, last in zip(windows.recordings, bounds[:-1], bounds[1:], strict=True):
        own = order[first:last]
        starts, length = windows.start[own], recording.shape[1] + 1
        numbers, total = (
            np.cumsum(
                np.bincount(starts, w, length) - np.bincount(starts + windows.size, w, length)
            )
            for w in (np.ones(len(own)), weight[own])
        )
        covered.append(numbers[:-1] > 0)
        parts.append(np.maximum(total[:-1][covered[-1]], 0.0))
    sums = np.concatenate(parts)
    for channel in range(windows.shape[1]):
        yield (
            np.concatenate(
                [
                    recording[channel, rows].astype(windows.dtype, copy=False)
                    for recording, rows in zip(windows.recordings, covered, strict=True)
                ]
            ),
            sums,
        )
