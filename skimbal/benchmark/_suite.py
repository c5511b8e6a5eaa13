"""Suites: named lists of data sets with a loader, and the splits that comparisons are made on."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from sklearn.model_selection import StratifiedKFold

from skimbal._utils._validation import unknown_name_message

SPLITS = ("stratified", "official")


@dataclass(frozen=True)
class Suite:
    """A named list of data sets.

    Parameters
    ----------
    name : str
        Name of the suite; it is part of the protocol of a run.
    datasets : tuple of str
        Names of the data sets.
    load : callable
        ``load(name)`` returns X of shape (n_samples, n_features) and y of shape (n_samples,).
    load_fold : callable or None
        ``load_fold(name, fold)`` returns X_train, X_test, y_train, y_test of a published
        partition; None when the suite has none.
    folds_of : callable or None
        ``folds_of(name)`` returns the numbers of the published folds, empty when the data set
        has none.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skimbal.benchmark import Suite
    >>> suite = Suite("flowers", ("iris",), lambda name: load_iris(return_X_y=True))
    >>> X, y = suite.load("iris")
    >>> X.shape
    (150, 4)
    """

    name: str
    datasets: tuple[str, ...]
    load: Callable
    load_fold: Callable | None = None
    folds_of: Callable | None = None

    def subset(self, names):
        """This suite with the data sets `names` only, in the suite's own order."""
        for name in names:
            if name not in self.datasets:
                raise ValueError(unknown_name_message("data set", name, self.datasets))
        return replace(self, datasets=tuple(d for d in self.datasets if d in set(names)))


@dataclass(frozen=True)
class DataInfo:
    """What a run has to know of a data set before it starts."""

    n_samples: int
    n_features: int
    smallest_class: object
    smallest_count: int
    fingerprint: str


def describe(X, y):
    """Sizes of a data set and a fingerprint of its content (shape and CRC-32 of X and y)."""
    X, y = np.asarray(X, dtype=np.float64), np.asarray(y)
    classes, counts = np.unique(y, return_counts=True)
    codes = np.searchsorted(classes, y).astype(np.int64)
    checksum = zlib.crc32(codes.tobytes(), zlib.crc32(np.ascontiguousarray(X).tobytes()))
    rarest = counts.argmin()
    fingerprint = "x".join(map(str, X.shape)) + f" crc32 {checksum:08x}"
    n_samples, n_features = X.shape
    return DataInfo(
        n_samples, n_features, classes.tolist()[rarest], int(counts[rarest]), fingerprint
    )


def resolve_folds(suite, infos, split, n_folds):
    """Fold numbers of each data set under a split, or a ValueError before anything has run.

    Parameters
    ----------
    suite : Suite
    infos : dict of str to DataInfo
    split : {"stratified", "official"}
    n_folds : int

    Returns
    -------
    dict of str to list of int
        Folds count from 1, as KEEL's files do.
    """
    if split not in SPLITS:
        raise ValueError(unknown_name_message("split", split, SPLITS))
    if split == "stratified":
        return {name: _stratified_folds(name, infos[name], n_folds) for name in suite.datasets}
    return {name: _official_folds(suite, name, n_folds) for name in suite.datasets}


def _stratified_folds(name, info, n_folds):
    if info.smallest_count < n_folds:
        raise ValueError(
            f"data set {name!r}: class {info.smallest_class!r} has {info.smallest_count} samples, "
            f"but folds={n_folds} needs at least {n_folds} of each class; use fewer folds or "
            "leave the data set out"
        )
    return list(range(1, n_folds + 1))


def _official_folds(suite, name, n_folds):
    folds = list(suite.folds_of(name)) if suite.folds_of is not None else []
    if not folds:
        raise ValueError(
            f"data set {name!r} of suite {suite.name!r} has no official folds; "
            "use split='stratified' or leave the data set out"
        )
    if n_folds != 5:
        raise ValueError(
            f"folds={n_folds}, but the official partitions have 5 folds; use folds=5 or "
            "split='stratified'"
        )
    return folds


@lru_cache(maxsize=4)
def _load(suite, dataset):
    X, y = suite.load(dataset)
    return np.asarray(X), np.asarray(y)


def load_split(suite, dataset, split, n_folds, fold, trial):
    """X_train, X_test, y_train, y_test of one fold of one trial.

    The stratified split of trial t is ``StratifiedKFold(n_folds, shuffle=True, random_state=t)``;
    the official one is the same in all trials.
    """
    if split == "official":
        return suite.load_fold(dataset, fold)
    X, y = _load(suite, dataset)
    splitter = StratifiedKFold(n_folds, shuffle=True, random_state=trial)
    train, test = list(splitter.split(X, y))[fold - 1]
    return X[train], X[test], y[train], y[test]
