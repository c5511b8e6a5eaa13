"""The splits whose held-out samples decide the costs: one list, which everything uses."""

from numbers import Integral, Real

import numpy as np
from sklearn.model_selection import StratifiedKFold, StratifiedShuffleSplit, check_cv

from skimbal._utils._groups import (
    check_group_counts,
    check_groups_are_whole,
    group_folds,
    groups_by_class,
    held_out_groups,
)
from skimbal._utils._labels import place_of_rows
from skimbal._utils._random import MAX_SEED
from skimbal._utils._warnings import warn
from skimbal.exceptions import FewerFoldsWarning
from skimbal.preprocessing import ChunkedTable


def is_name(cv, name):
    """Whether `cv` is this name; an array of splits cannot be compared with one."""
    return isinstance(cv, str) and cv == name


def take(values, rows):
    """Return some rows of an array, or None for None."""
    return None if values is None else values[rows]


def in_row_order(rows, proba):
    """Join held-out rows and their probabilities in the order of the rows.

    Parameters
    ----------
    rows : list of ndarray of int, or of one slice
        The rows of each split. A slice is all rows, of which nothing is copied.
    proba : list of ndarray of shape (n_rows, n_classes)
        Their probabilities.

    Returns
    -------
    rows : ndarray of int or slice
    proba : ndarray of shape (n_rows, n_classes)

    Examples
    --------
    >>> rows, proba = in_row_order([[3, 0], [2]], [[[0.1], [0.2]], [[0.3]]])
    >>> rows.tolist(), proba.ravel().tolist()
    ([0, 2, 3], [0.2, 0.3, 0.1])
    """
    if isinstance(rows[0], slice):
        return rows[0], proba[0]
    held_out = np.concatenate(rows)
    order = np.argsort(held_out, kind="stable")
    return held_out[order], np.concatenate(proba)[order]


def last_of(rows, n_rows, n_last):
    """Numbers of the last ones of some rows, which may be the slice of all.

    >>> last_of(slice(None), 5, 2)
    array([3, 4])
    """
    if isinstance(rows, slice):
        return np.arange(max(0, n_rows - n_last), n_rows)
    return rows[-n_last:]


def weighted_classes(y, sample_weight):
    """Return the classes that have a sample of positive weight."""
    return np.unique(y if sample_weight is None else y[sample_weight > 0])


def make_splits(cv, refit, X, y, sample_weight, rng, split_params, groups=None):
    """Return a list of (train, test) that holds out samples of every class, or raise.

    `groups` are numbers, or None; no split has samples of one group on both sides.
    """
    if cv is None or isinstance(cv, Real):
        splits = stratified_splits(cv, y, sample_weight, rng.randint(MAX_SEED), groups)
    else:
        splits = list(check_cv(cv, y, classifier=True).split(X, y, **split_params))
        if groups is not None:
            check_groups_are_whole(splits, groups, cv)
    if refit is not True:
        check_kept_classifiers(refit, cv, splits, y, sample_weight)
    held_out = np.concatenate([test for _, test in splits])
    absent = np.setdiff1d(y, weighted_classes(y[held_out], take(sample_weight, held_out)))
    if len(absent):
        raise ValueError(
            f"the splits of cv={cv!r} hold out no sample of the classes {absent.tolist()}, so "
            "their costs cannot be found; use stratified splits"
        )
    if isinstance(X, ChunkedTable):  # its rows stay in the order of their files
        splits = [(np.sort(train), np.sort(test)) for train, test in splits]
    return splits


def stratified_splits(cv, y, sample_weight, seed, groups=None):
    """Split the samples that have a weight; samples of weight 0 are in no split."""
    rows = np.arange(len(y)) if sample_weight is None else np.flatnonzero(sample_weight)
    is_fraction = isinstance(cv, Real) and not isinstance(cv, Integral)
    if groups is not None:
        splits = _group_splits(cv, is_fraction, y[rows], groups[rows], seed)
    elif is_fraction:
        splitter = StratifiedShuffleSplit(1, test_size=cv, random_state=seed)
        splits = splitter.split(rows, y[rows])
    else:
        n_folds = possible_folds(y[rows], 5 if cv is None else cv)
        splitter = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
        splits = splitter.split(rows, y[rows])
    return [(rows[train], rows[test]) for train, test in splits]


def _group_splits(cv, is_fraction, y, groups, seed):
    """Split samples in groups, a list of (train, test)."""
    classes, targets = np.unique(y, return_inverse=True)
    if not is_fraction:
        return group_folds(y, groups, possible_folds(y, 5 if cv is None else cv, groups), seed)
    check_group_counts(classes.tolist(), targets, groups, f"cv={cv!r}")
    held_out = held_out_groups(targets, groups, cv, np.random.RandomState(seed))
    if held_out is None:
        raise ValueError(
            f"cv={cv!r} finds no split of the groups with every class on both sides; use a number "
            "of folds"
        )
    is_test = np.isin(groups, held_out)
    return [(np.flatnonzero(~is_test), np.flatnonzero(is_test))]


def possible_folds(y, n_folds, groups=None):
    """Return the number of stratified folds that the class of fewest samples or groups allows.

    Samples of one group are in one fold; without groups, every sample is one.
    """
    classes, targets = np.unique(y, return_inverse=True)
    units, unit = (np.arange(len(y)), "sample") if groups is None else (groups, "group")
    counts = np.array([len(own) for own in groups_by_class(targets, units)])
    smallest, label = counts.min(), classes.tolist()[counts.argmin()]
    if smallest < 2:
        raise ValueError(
            f"class {label!r} has 1 {unit}{place_of_rows()}, but cv={n_folds} needs at least 2 of "
            f"each class (and {n_folds} for all folds); merge classes, add {unit}s or use "
            "cv='prefit'"
        )
    if smallest < n_folds:
        warn(
            f"class {label!r} has {smallest} {unit}s, but cv={n_folds} needs {n_folds} of each "
            f"class; {smallest} folds are used",
            FewerFoldsWarning,
        )
    return min(n_folds, smallest)


def check_kept_classifiers(refit, cv, splits, y, sample_weight):
    """Raise where the classifiers of the splits cannot be the final ones."""
    if refit is False and len(splits) != 1:
        raise ValueError(
            f"refit=False keeps the classifier whose probabilities decide the costs, but cv={cv!r} "
            f"makes {len(splits)} of them; use a cv with a single split, refit='ensemble' to "
            "average them or refit=True"
        )
    for train, _ in splits:
        unseen = np.setdiff1d(y, weighted_classes(y[train], take(sample_weight, train)))
        if len(unseen):
            raise ValueError(
                f"refit={refit!r} keeps the classifiers of the splits of cv={cv!r}, one of which "
                f"trains on no sample of the classes {unseen.tolist()}; use stratified splits or "
                "refit=True"
            )
