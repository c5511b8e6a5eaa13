"""Numbers as piecewise linear functions of themselves (Gorishniy et al. 2022, arXiv:2203.05556)."""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin


def quantile_knots(x, n_bins):
    """The limits of bins with about as many of the values each.

    If limits are equal because a value is frequent, the bins are those of the distinct values.

    Parameters
    ----------
    x : ndarray of shape (n_samples,)
    n_bins : int

    Returns
    -------
    ndarray of shape (n_limits,)
        In rising order; ``n_bins + 1``, or the distinct values if there are fewer.

    Examples
    --------
    >>> quantile_knots(np.arange(9.0), 2).tolist()
    [0.0, 4.0, 8.0]
    >>> quantile_knots(np.array([0.0] * 90 + [1.0, 5.0, 9.0]), 3).tolist()
    [0.0, 1.0, 5.0, 9.0]
    """
    fractions = np.linspace(0.0, 1.0, n_bins + 1)
    knots = np.unique(np.quantile(x, fractions))
    if len(knots) > n_bins:
        return knots
    distinct = np.unique(x)
    return distinct if len(distinct) <= n_bins else np.unique(np.quantile(distinct, fractions))


def piecewise_linear(x, knots):
    r"""How much of each bin lies below a number (eq. 1 and 2).

    .. math:: e_t = \min\left(1, \max\left(0, \frac{x - b_{t-1}}{b_t - b_{t-1}}\right)\right)

    A linear layer on these columns is a function of x that is linear between the limits of the
    bins, and constant beyond the first and the last one.

    Parameters
    ----------
    x : ndarray of shape (n_samples,)
    knots : ndarray of shape (n_bins + 1,)
        The limits of the bins, b, in rising order.

    Returns
    -------
    ndarray of shape (n_samples, n_bins)

    Examples
    --------
    >>> piecewise_linear(np.array([-1.0, 0.5, 3.0, 9.0]), np.array([0.0, 1.0, 5.0])).tolist()
    [[0.0, 0.0], [0.5, 0.0], [1.0, 0.5], [1.0, 1.0]]
    """
    return np.clip((x[:, np.newaxis] - knots[:-1]) / np.diff(knots), 0.0, 1.0)


class PiecewiseLinear(TransformerMixin, BaseEstimator):
    """Each column as the columns of `piecewise_linear`; a constant becomes none.

    Parameters
    ----------
    n_bins : int
        Bins of a column at most.

    Attributes
    ----------
    knots_ : list of ndarray
        The limits of the bins of each column.
    """

    def __init__(self, n_bins):
        self.n_bins = n_bins

    def fit(self, X, y=None):
        """Find the knots of the columns of X, of shape (n_samples, n_features)."""
        self.knots_ = [quantile_knots(x, self.n_bins) for x in X.T]
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        """Return an array of shape (n_samples, n_columns) with values from 0 to 1."""
        return np.hstack([piecewise_linear(x, b) for x, b in zip(X.T, self.knots_, strict=True)])

    def get_feature_names_out(self, input_features):
        """The name of the column, and the number of the bin if there are several."""
        names = []
        for name, knots in zip(input_features, self.knots_, strict=True):
            n_bins = len(knots) - 1
            names += [f"{name}_{i}" for i in range(n_bins)] if n_bins > 1 else [name] * n_bins
        return np.array(names, dtype=object)
