"""What extreme learning machines are trained on: distinct rows with weights, encoded with weights.

Equal rows are joined before anything else, so a sample of weight 2 and a sample that occurs twice
give the same machine, and leaving a row out leaves out all of its copies.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.preprocessing import MinMaxScaler, StandardScaler

ENCODINGS = ("rank", "standard", "minmax")


@dataclass(frozen=True)
class DistinctRows:
    """Distinct rows, of each group, and what is known of their samples.

    Attributes
    ----------
    X : ndarray of shape (n_rows, n_features)
        The rows.
    class_sums : ndarray of shape (n_rows, n_classes)
        The sample weight of each class in a row.
    units : ndarray of int of shape (n_rows,)
        Rows of one unit are left out together: those of a group, or a row by itself.
    row_of_sample : ndarray of int of shape (n_samples,)
        The row of each sample.
    """

    X: NDArray[np.float64]
    class_sums: NDArray[np.float64]
    units: NDArray[np.intp]
    row_of_sample: NDArray[np.intp]

    @property
    def weight(self):
        """The sample weight of each row."""
        return self.class_sums.sum(axis=1)

    def is_lone(self):
        """Whether a class is in a single unit, for each class."""
        units_of = [np.unique(self.units[own > 0]) for own in self.class_sums.T]
        return np.array([len(units) < 2 for units in units_of])

    def weighted_targets(self, class_weight):
        """Return the weight and the mean target of each row, for weights of the classes.

        The squared error of several targets of one row is that of their mean, and a constant.
        """
        by_class = self.class_sums * class_weight
        weight = by_class.sum(axis=1)
        return weight, by_class @ sign_targets(len(class_weight)) / weight[:, None]


def sign_targets(n_classes):
    """Targets of a sample of each class: 1 in the column of its class, else -1.

    Two classes have one column, that of the second.

    >>> sign_targets(2).tolist(), sign_targets(3).tolist()
    ([[-1.0], [1.0]], [[1.0, -1.0, -1.0], [-1.0, 1.0, -1.0], [-1.0, -1.0, 1.0]])
    """
    signs = 2.0 * np.eye(n_classes) - 1.0
    return signs[:, 1:] if n_classes == 2 else signs


def join_copies(X, targets, n_classes, sample_weight, groups):
    """Return the distinct rows of each group, as `DistinctRows`."""
    X = X + 0.0  # -0.0 and 0.0 are equal
    keyed = X if groups is None else np.column_stack([X, groups])
    distinct, rows = np.unique(keyed, axis=0, return_inverse=True)
    rows = rows.reshape(-1)
    class_sums = np.zeros((len(distinct), n_classes))
    np.add.at(class_sums, (rows, targets), sample_weight)
    if groups is None:
        return DistinctRows(distinct, class_sums, np.arange(len(distinct)), rows)
    units = np.unique(distinct[:, -1], return_inverse=True)[1].reshape(-1)
    return DistinctRows(distinct[:, :-1], class_sums, units, rows)


def normal_scores(values, weight):
    """Sorted distinct values of a feature, and the normal quantiles of their mid-ranks.

    The mid-rank of a value is the weight below it, and half of its own weight, as a share.

    >>> values, scores = normal_scores(np.array([5.0, 1.0, 5.0]), np.ones(3))
    >>> values.tolist(), scores.round(2).tolist()
    ([1.0, 5.0], [-0.97, 0.43])
    """
    distinct, places = np.unique(values, return_inverse=True)
    shares = np.bincount(places.reshape(-1), weight) / weight.sum()
    return distinct, ndtri(np.cumsum(shares) - shares / 2)


class GaussianRanks(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Features as normal quantiles of their weighted mid-ranks.

    Between two training values the quantile is interpolated; outside it is that of the nearest
    one. `QuantileTransformer` takes no weights, and puts the smallest and the largest value at 5.2
    standard deviations.
    """

    def fit(self, X, y=None, sample_weight=None):
        """Keep the normal scores of each feature."""
        weight = np.ones(len(X)) if sample_weight is None else sample_weight
        self.scores_ = [normal_scores(column, weight) for column in np.asarray(X).T]
        self.n_features_in_ = len(self.scores_)
        return self

    def transform(self, X):
        """Return the normal scores of inputs."""
        columns = zip(np.asarray(X).T, self.scores_, strict=True)
        return np.column_stack([np.interp(column, *known) for column, known in columns])


def fit_weighted_encoder(encoding, X, weight):
    """Return a fitted encoder of tables, or None for inputs that stay as they are."""
    if encoding is None:
        return None
    if encoding == "minmax":
        return MinMaxScaler((-1.0, 1.0)).fit(X)
    encoder = GaussianRanks() if encoding == "rank" else StandardScaler()
    return encoder.fit(X, sample_weight=weight)
