"""Categories as means of the target, of other rows than those that are encoded.

A level of a category becomes the share of a class among the rows of this level, drawn toward the
share in all rows if the level has few rows (Micci-Barreca 2001, doi:10.1145/507533.507538). A
training row must not see its own label: the share of a level with one row would tell it. Training
rows are therefore encoded by folds.
"""

import warnings

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold
from sklearn.preprocessing import TargetEncoder
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.multiclass import type_of_target

from skimbal._utils._groups import check_groups
from skimbal._utils._validation import check_labels


def target_columns(y):
    """The target as columns of numbers, and the names of the columns.

    Two classes are one column, which is 1 for the last of the sorted classes. More classes are one
    column each. Real numbers are one column as they are.

    Returns
    -------
    targets : ndarray of shape (n_samples, n_targets)
    names : list of str
        The classes as texts; an empty text for a single column.

    Examples
    --------
    >>> target_columns(["yes", "no"])
    (array([[1.],
           [0.]]), [''])
    """
    if type_of_target(y) == "continuous":
        return column_or_1d(y).astype(np.float64)[:, np.newaxis], [""]
    y = check_labels(y)
    classes = np.unique(y)
    targets = (y[:, np.newaxis] == classes).astype(np.float64)
    return (targets, [str(c) for c in classes]) if len(classes) > 2 else (targets[:, -1:], [""])


def target_folds(y, groups, n_folds, seed):
    """Folds as a list of (train, test): with whole groups in each, or else stratified by class.

    There are fewer folds if there are fewer groups, or if no class has as many samples.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
    groups : array-like of shape (n_samples,) or None
    n_folds : int
    seed : int

    Raises
    ------
    ValueError
        If there are fewer than two groups, or no class has two samples.
    """
    groups = check_groups(groups, y)
    is_number = type_of_target(y) == "continuous"
    counts = np.unique(y if groups is None else groups, return_counts=True)[1]
    n_units = len(y) if is_number else counts.max()
    if groups is not None:
        n_units = len(counts)
    if n_units < 2:
        raise ValueError(
            f"target encoding finds the means of a training row on other rows, but y has {len(y)} "
            f"samples {'and no class has two' if groups is None else 'of one group'}; give more "
            "data, or set high_cardinality='most_frequent'"
        )
    options = {"n_splits": int(min(n_folds, n_units)), "shuffle": True, "random_state": seed}
    if groups is not None:
        return list(GroupKFold(**options).split(groups, groups=groups))
    if is_number:
        return list(KFold(**options).split(y))
    with warnings.catch_warnings():  # some folds may lack a rare class
        warnings.filterwarnings("ignore", "The least populated class in y has only")
        return list(StratifiedKFold(**options).split(y, y))


def fitted_encoder(levels, target):
    """scikit-learn's encoder of a column of the target, whatever its values are."""
    encoder = TargetEncoder(target_type="continuous").set_output(transform="default")
    return encoder.fit(levels, target)


class TargetMeans(TransformerMixin, BaseEstimator):
    """Each column of levels as the means of the target columns.

    Parameters
    ----------
    n_folds : int
    seed : int
        Of the folds.

    Attributes
    ----------
    encoders_ : list of TargetEncoder
        One for each target column.
    target_names_ : list of str
    """

    def __init__(self, n_folds, seed):
        self.n_folds = n_folds
        self.seed = seed

    def fit(self, levels, y):
        """Find the means of levels, an array of objects of shape (n_samples, n_columns)."""
        check_consistent_length(levels, y)
        targets, self.target_names_ = target_columns(y)
        self.encoders_ = [fitted_encoder(levels, target) for target in targets.T]
        self.n_features_in_ = levels.shape[1]
        return self

    def transform(self, levels):
        """Return the means, those of one column side by side.

        Returns
        -------
        ndarray of shape (n_samples, n_columns * n_targets)
        """
        means = np.stack([encoder.transform(levels) for encoder in self.encoders_], axis=2)
        return means.reshape(len(levels), -1)

    def fit_transform(self, levels, y, groups=None):
        """Fit, and return the means of each row by the rows of the other folds."""
        self.fit(levels, y)
        targets, _ = target_columns(y)
        folds = target_folds(y, groups, self.n_folds, self.seed)
        return cross_fitted_means(levels, targets, folds)

    def get_feature_names_out(self, input_features):
        """The name of the column and ``target``, and the class if there are several."""
        names = [
            f"{feature}_target" + (f"_{name}" if name else "")
            for feature in input_features
            for name in self.target_names_
        ]
        return np.array(names, dtype=object)


def cross_fitted_means(levels, targets, folds):
    """The means of each row by the rows of the other folds.

    Parameters
    ----------
    levels : ndarray of object of shape (n_samples, n_columns)
    targets : ndarray of shape (n_samples, n_targets)
    folds : list of (train, test)

    Returns
    -------
    ndarray of shape (n_samples, n_columns * n_targets)

    Examples
    --------
    >>> levels = np.array([["a"], ["a"], ["b"], ["b"]], dtype=object)
    >>> folds = [(np.array([0, 2]), np.array([1, 3])), (np.array([1, 3]), np.array([0, 2]))]
    >>> cross_fitted_means(levels, np.array([[1.0], [1.0], [0.0], [0.0]]), folds).ravel().tolist()
    [1.0, 1.0, 0.0, 0.0]
    """
    means = np.empty((len(levels), levels.shape[1], targets.shape[1]))
    for train, test in folds:
        for j, target in enumerate(targets.T):
            encoder = fitted_encoder(levels[train], target[train])
            means[test, :, j] = encoder.transform(levels[test])
    return means.reshape(len(levels), -1)
