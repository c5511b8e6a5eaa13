"""Numbers as piecewise linear functions of themselves (Gorishniy et al. 2022, arXiv:2203.05556)."""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin


def quantile_knots(x, n_bins):
    """The limits of bins with about as many of the values `x` each; equal limits are one.

    >>> quantile_knots(np.array([0.0, 0.0, 0.0, 1.0, 2.0]), 4).tolist()
    [0.0, 1.0, 2.0]
    """
    return np.unique(np.quantile(x, np.linspace(0.0, 1.0, n_bins + 1)))


def piecewise_linear(x, knots):
    r"""How much of each bin lies below a number (eq. 1 and 2).

    .. math:: e_t = \min\left(1, \max\left(0, \frac{x - b_{t-1}}{b_t - b_{t-1}}\right)\right)

    A network that gets these columns adds any function of x that is linear between the knots, and
    constant beyond the first and the last one.

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
    """Each column as the columns of `piecewise_linear`.

    A column with fewer than three knots, such as one of two values, stays as it is.

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
        """Return an array of shape (n_samples, n_columns)."""
        columns = [
            piecewise_linear(x, knots) if len(knots) > 2 else x[:, np.newaxis]
            for x, knots in zip(X.T, self.knots_, strict=True)
        ]
        return np.hstack(columns)

    def get_feature_names_out(self, input_features):
        """Names of the columns, with the number of the bin."""
        return np.array(
            [
                f"{name}_{i}" if len(knots) > 2 else name
                for name, knots in zip(input_features, self.knots_, strict=True)
                for i in range(max(1, len(knots) - 1) if len(knots) > 2 else 1)
            ],
            dtype=object,
        )
