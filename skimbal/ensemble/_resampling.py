"""Samples that a sampler returns, and their weights.

A sample that was there before keeps its weight. A synthetic sample gets the mean weight of the
samples of its class, times a factor.
"""

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import get_tags

from skimbal._utils._random import reseeded
from skimbal.sampling import NDSampler


def source_rows(X, targets, X_new, targets_new):
    """Return the row of `X` that each new sample is equal to, -1 for synthetic samples.

    Parameters
    ----------
    X, X_new : ndarray of shape (n_samples, ...) and (n_new, ...)
    targets, targets_new : ndarray of int of shape (n_samples,) and (n_new,)
        Classes, which must be equal, too.

    Returns
    -------
    ndarray of int of shape (n_new,)
        Of several equal rows, the first.

    Examples
    --------
    >>> X = np.array([[1.0], [2.0], [2.0]])
    >>> source_rows(X, np.array([0, 0, 1]), np.array([[2.0], [1.5]]), np.array([1, 1]))
    array([ 2, -1])
    """
    rows: dict = {}
    for row, key in enumerate(zip(map(np.ndarray.tobytes, X), targets.tolist(), strict=True)):
        rows.setdefault(key, row)
    keys = zip(map(np.ndarray.tobytes, X_new), targets_new.tolist(), strict=True)
    return np.array([rows.get(key, -1) for key in keys], dtype=int)


def sources_of(sampler, X, targets, X_new, targets_new):
    """Return `source_rows`, where the sampler does not say itself what it has drawn."""
    n_samples = len(targets)
    if hasattr(sampler, "sample_indices_"):
        return np.asarray(sampler.sample_indices_)
    if issparse(X):
        X, X_new = X.toarray(), X_new.toarray()
    # Over-samplers append. What they append counts as synthetic, even if it is a copy.
    if np.array_equal(X_new[:n_samples], X) and np.array_equal(targets_new[:n_samples], targets):
        return np.where(np.arange(len(X_new)) < n_samples, np.arange(len(X_new)), -1)
    return source_rows(X, targets, X_new, targets_new)


def resampled_weights(weight, targets, sources, targets_new, synthetic_factor=1.0):
    """Weights of resampled samples, shape (n_new,).

    Parameters
    ----------
    weight, targets : ndarray of shape (n_samples,)
        Weights and classes of the samples that were resampled.
    sources : ndarray of int of shape (n_new,)
        The row that each new sample comes from, -1 for synthetic samples.
    targets_new : ndarray of int of shape (n_new,)
        Classes of the new samples.
    synthetic_factor : float, default=1.0
        What the mean weight of the class is multiplied by for a synthetic sample.

    Examples
    --------
    >>> weight, targets = np.array([1.0, 2.0, 4.0]), np.array([0, 1, 1])
    >>> resampled_weights(weight, targets, np.array([0, 1, 2, -1]), np.array([0, 1, 1, 1]))
    array([1., 2., 4., 3.])
    """
    means = np.bincount(targets, weight) / np.bincount(targets)
    return np.where(sources < 0, synthetic_factor * means[targets_new], weight[sources])


def sampler_of(sampler, X, rng):
    """Return a clone of a sampler, with new seeds, that takes inputs of the shape of X."""
    sampler = reseeded(sampler, rng)
    if X.ndim > 2 and not get_tags(sampler).input_tags.three_d_array:
        sampler = NDSampler(sampler)
    return sampler


def resample(sampler, X, y, weight, rng, synthetic_factor=1.0):
    """Return resampled inputs, labels and weights, drawn by a clone of the sampler.

    Raises
    ------
    ValueError
        If the sampler raises one, or leaves no sample of some class.
    """
    classes, targets = np.unique(y, return_inverse=True)
    sampler = sampler_of(sampler, X, rng)
    try:
        X_new, y_new = sampler.fit_resample(X, y)
    except ValueError as error:
        counts = dict(zip(classes.tolist(), np.bincount(targets).tolist(), strict=True))
        raise ValueError(
            f"{sampler!r} cannot resample the training samples, which are {counts}: {error}"
        ) from error
    missing = np.setdiff1d(classes, y_new)
    if len(missing):
        raise ValueError(
            f"{sampler!r} leaves no sample of the classes {missing.tolist()}; each class needs one"
        )
    X_new = X_new.tocsr() if issparse(X_new) else np.asarray(X_new)
    targets_new = np.searchsorted(classes, y_new)
    sources = sources_of(sampler, X, targets, X_new, targets_new)
    weight = resampled_weights(weight, targets, sources, targets_new, synthetic_factor)
    return X_new, np.asarray(y_new), weight
