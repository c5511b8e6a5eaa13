"""Suites: named lists of data sets with a loader, and the splits of comparisons."""

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self

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
        partition; None if the suite has no published folds.
    folds_of : callable or None
        ``folds_of(name)`` returns the numbers of the published folds; empty if the data set has
        no published folds.

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

    def subset(self, names: Iterable[str]) -> Self:
        """This suite with the data sets `names` only, in the order of the suite."""
        names = set(names)
        for name in names:
            if name not in self.datasets:
                raise ValueError(unknown_name_message("data set", name, self.datasets))
        return replace(self, datasets=tuple(d for d in self.datasets if d in names))


@dataclass(frozen=True)
class DataInfo:
    """What a run must know about a data set before it starts."""

    n_values: int
    smallest_class: object
    smallest_count: int
    fingerprint: str


def describe(X, y):
    """Size of a data set and a fingerprint of its content (shape and CRC-32 of X and y)."""
    X, y = np.asarray(X, dtype=np.float64), np.asarray(y)
    classes, counts = np.unique(y, return_counts=True)
    codes = np.searchsorted(classes, y).astype(np.int64)
    checksum = zlib.crc32(codes.tobytes(), zlib.crc32(np.ascontiguousarray(X).tobytes()))
    rarest = counts.argmin()
    fingerprint = "x".join(map(str, X.shape)) + f" crc32 {checksum:08x}"
    return DataInfo(X.size, classes.tolist()[rarest], int(counts[rarest]), fingerprint)


def resolve_folds(suite, infos, split, n_folds):
    """Fold numbers of each data set under a split, or a ValueError before anything runs.

    Parameters
    ----------
    suite : Suite
    infos : dict of str to DataInfo
    split : {"stratified", "official"}
    n_folds : int

    Returns
    -------
    dict of str to list of int
        Folds are counted from 1, as in KEEL's files.
    """
    if split not in SPLITS:
        raise ValueError(unknown_name_message("split", split, SPLITS))
    folds_of = _stratified_folds if split == "stratified" else _official_folds
    return {name: folds_of(suite, name, infos[name], n_folds) for name in suite.datasets}


def _stratified_folds(suite, name, info, n_folds):
    if info.smallest_count < n_folds:
        raise ValueError(
            f"data set {name!r}: class {info.smallest_class!r} has {info.smallest_count} samples, "
            f"but folds={n_folds} needs at least {n_folds} of each class; use fewer folds or "
            "remove the data set"
        )
    return list(range(1, n_folds + 1))


def _official_folds(suite, name, info, n_folds):
    folds = list(suite.folds_of(name)) if suite.folds_of is not None else []
    if not folds:
        raise ValueError(
            f"data set {name!r} of suite {suite.name!r} has no official folds; "
            "use split='stratified' or remove the data set"
        )
    if n_folds != 5:
        raise ValueError(
            f"folds={n_folds} was given, but the official partitions have 5 folds; use folds=5 or "
            "split='stratified'"
        )
    return folds


@lru_cache(maxsize=4)
def _load(suite, dataset):
    X, y = suite.load(dataset)
    return np.asarray(X), np.asarray(y)


def load_split(suite, protocol, cell):
    """X_train, X_test, y_train, y_test of a cell.

    The stratified split of trial t is ``StratifiedKFold(n_folds, shuffle=True, random_state=t)``.
    The official split is the same in all trials.
    """
    if protocol.split == "official":
        return suite.load_fold(cell.dataset, cell.fold)
    X, y = _load(suite, cell.dataset)
    splitter = StratifiedKFold(protocol.n_folds, shuffle=True, random_state=cell.trial)
    train, test = list(splitter.split(X, y))[cell.fold - 1]
    return X[train], X[test], y[train], y[test]
