"""Standardisation of inputs: per feature for tables, per channel for signals and images."""

from math import prod

import numpy as np

from skimbal.neural_network._inputs import blocks_of_rows


def channel_moments(X, sample_weight=None):
    """Weighted mean and standard deviation of each feature (2-D X) or channel (n-d X).

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_channels, ...) or WindowIndex
        Training data.
    sample_weight : ndarray of shape (n_samples,), default=None
        Weight of each sample.

    Returns
    -------
    mean, scale : ndarray of shape (n_channels, 1, ...)
        They broadcast against a sample. A constant channel has scale 1.
    """
    weight = np.ones(len(X)) if sample_weight is None else sample_weight
    n_numbers = prod(X.shape[2:])

    def weighted_mean(function):
        sums = (
            np.einsum("n,ncl->c", weight[rows], function(part.reshape(*part.shape[:2], -1)))
            for rows, part in blocks_of_rows(X)
        )
        return sum(sums) / (weight.sum() * n_numbers)

    mean = weighted_mean(lambda flat: flat)
    variance = weighted_mean(lambda flat: (flat - mean[:, None]) ** 2)
    # Rounding of a sum of n values leaves a constant channel a deviation up to n * eps * mean.
    constant = variance <= (len(X) * n_numbers * np.finfo(np.float64).eps * mean) ** 2
    scale = np.where(constant, 1.0, np.sqrt(variance))
    shape = (-1, *[1] * (X.ndim - 2))
    return mean.reshape(shape), scale.reshape(shape)
