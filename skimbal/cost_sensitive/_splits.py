"""The splits whose held-out samples decide the costs: one list, which everything uses."""

from numbers import Integral, Real

import numpy as np
from sklearn.model_selection import StratifiedKFold, StratifiedShuffleSplit, check_cv

from skimbal._utils._random import MAX_SEED
from skimbal._utils._warnings import warn
from skimbal.exceptions import FewerFoldsWarning


def take(values, rows):
    """Return some rows of an array, or None for None."""
    return None if values is None else values[rows]


def weighted_classes(y, sample_weight):
    """Return the classes that have a sample of positive weight."""
    return np.unique(y if sample_weight is None else y[sample_weight > 0])


def make_splits(cv, refit, X, y, sample_weight, rng, split_params):
    """Return a list of (train, test) that holds out samples of every class, or raise."""
    if cv is None or isinstance(cv, Real):
        splits = stratified_splits(cv, y, sample_weight, rng.randint(MAX_SEED))
    else:
        splits = list(check_cv(cv, y, classifier=True).split(X, y, **split_params))
    if refit is not True:
        check_kept_classifiers(refit, cv, splits, y, sample_weight)
    held_out = np.concatenate([test for _, test in splits])
    absent = np.setdiff1d(y, weighted_classes(y[held_out], take(sample_weight, held_out)))
    if len(absent):
        raise ValueError(
            f"the splits of cv={cv!r} hold out no sample of the classes {absent.tolist()}, so "
            "their costs cannot be found; use stratified splits"
        )
    return splits


def stratified_splits(cv, y, sample_weight, seed):
    """Split the samples that have a weight; samples of weight 0 are in no split."""
    rows = np.arange(len(y)) if sample_weight is None else np.flatnonzero(sample_weight)
    if isinstance(cv, Real) and not isinstance(cv, Integral):
        splitter = StratifiedShuffleSplit(1, test_size=cv, random_state=seed)
    else:
        n_folds = possible_folds(y[rows], 5 if cv is None else cv)
        splitter = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    return [(rows[train], rows[test]) for train, test in splitter.split(rows, y[rows])]


def possible_folds(y, n_folds):
    """Return the number of stratified folds that the smallest class allows."""
    classes, counts = np.unique(y, return_counts=True)
    smallest, label = counts.min(), classes.tolist()[counts.argmin()]
    if smallest < 2:
        raise ValueError(
            f"class {label!r} has 1 sample, but cv={n_folds} needs at least 2 of each class (and "
            f"{n_folds} for all folds); merge classes, add samples or use cv='prefit'"
        )
    if smallest < n_folds:
        warn(
            f"class {label!r} has {smallest} samples, but cv={n_folds} needs {n_folds} of each "
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
