"""Standardisation of inputs: per feature for tables, per channel for signals and images."""

import numpy as np


def channel_moments(X, sample_weight=None):
    """Weighted mean and standard deviation of each feature (2-D X) or channel (n-d X).

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_channels, ...)
        Training data.
    sample_weight : ndarray of shape (n_samples,), default=None
        Weight of each sample.

    Returns
    -------
    mean, scale : ndarray of shape (n_channels, 1, ...)
        They broadcast against a sample. A constant channel has scale 1.
    """
    weight = np.ones(len(X)) if sample_weight is None else sample_weight
    flat = X.reshape(*X.shape[:2], -1)
    total = weight.sum() * flat.shape[2]
    mean = np.einsum("n,ncl->c", weight, flat) / total
    variance = np.einsum("n,ncl->c", weight, (flat - mean[:, None]) ** 2) / total
    # Rounding of a sum of n values leaves a constant channel a deviation up to n * eps * mean.
    constant = variance <= (flat[:, 0].size * np.finfo(np.float64).eps * mean) ** 2
    scale = np.where(constant, 1.0, np.sqrt(variance))
    shape = (-1, *[1] * (X.ndim - 2))
    return mean.reshape(shape), scale.reshape(shape)
