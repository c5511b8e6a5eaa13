"""Suites: named lists of data sets with a loader, and the splits of comparisons."""

import math
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

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
        ``load(name)`` returns X of shape (n_samples, n_features), or with more axes for signals
        and images, and y of shape (n_samples,).
    load_fold : callable or None
        ``load_fold(name, fold)`` returns X_train, X_test, y_train, y_test of a published
        partition; None if the suite has no published folds.
    folds_of : callable or None
        ``folds_of(name)`` returns the numbers of the published folds; empty if the data set has
        no published folds.
    load_groups : callable or None
        ``load_groups(name)`` returns groups of shape (n_samples,), such as persons. The samples of
        a group are then on one side of each stratified split.

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
    load_groups: Callable | None = None

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

    shape: tuple[int, ...]
    smallest_class: object
    smallest_count: int
    unit: str
    fingerprint: str

    @property
    def n_values(self):
        """Number of values of X."""
        return math.prod(self.shape)


def describe(X, y, groups=None):
    """What a run must know about a data set.

    Parameters
    ----------
    X : array-like of shape (n_samples, ...)
    y : array-like of shape (n_samples,)
    groups : array-like of shape (n_samples,) or None

    Returns
    -------
    DataInfo
        The smallest class has the fewest samples or, with groups, samples in the fewest groups.
        The fingerprint is the shape of X and the CRC-32 of X, y and the groups.

    Raises
    ------
    ValueError
        If the shapes do not agree.
    """
    X, y = np.asarray(X, dtype=np.float64), np.asarray(y)
    vectors = {"y": y} if groups is None else {"y": y, "groups": np.asarray(groups)}
    for name, values in vectors.items():
        if X.ndim < 2 or values.shape != X.shape[:1]:
            raise ValueError(
                f"X has shape {X.shape} and {name} has shape {values.shape}; load X of shape "
                f"(n_samples, n_features), or with more axes, and {name} of shape (n_samples,)"
            )
    checksum = zlib.crc32(np.ascontiguousarray(X).tobytes())
    for values in vectors.values():
        checksum = zlib.crc32(_codes(values).tobytes(), checksum)
    classes, counts = np.unique(y, return_counts=True)
    if groups is not None:
        counts = np.array([len(np.unique(vectors["groups"][y == label])) for label in classes])
    rarest = counts.argmin()
    return DataInfo(
        shape=X.shape,
        smallest_class=classes.tolist()[rarest],
        smallest_count=int(counts[rarest]),
        unit="samples" if groups is None else "groups",
        fingerprint="x".join(map(str, X.shape)) + f" crc32 {checksum:08x}",
    )


def _codes(values):
    """Whole numbers from 0 that stand for the sorted values."""
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def describe_dataset(suite, name):
    """`describe` for a data set of a suite; the errors name the data set."""
    groups = None if suite.load_groups is None else suite.load_groups(name)
    X, y = suite.load(name)
    try:
        return describe(X, y, groups)
    except ValueError as error:
        raise ValueError(f"data set {name!r} of suite {suite.name!r}: {error}") from error


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
            f"data set {name!r}: class {info.smallest_class!r} has {info.smallest_count} "
            f"{info.unit}, but folds={n_folds} needs at least {n_folds} of each class; use fewer "
            "folds or remove the data set"
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
    groups = None if suite.load_groups is None else np.asarray(suite.load_groups(dataset))
    return np.asarray(X), np.asarray(y), groups


def load_split(suite, protocol, cell):
    """X_train, X_test, y_train, y_test of a cell.

    The stratified split of trial t is ``StratifiedKFold(n_folds, shuffle=True, random_state=t)``,
    or StratifiedGroupKFold with the same parameters if the suite has groups. The official split is
    the same in all trials.
    """
    if protocol.split == "official":
        return suite.load_fold(cell.dataset, cell.fold)
    X, y, groups = _load(suite, cell.dataset)
    splitter_class = StratifiedKFold if groups is None else StratifiedGroupKFold
    splitter = splitter_class(protocol.n_folds, shuffle=True, random_state=cell.trial)
    train, test = list(splitter.split(X, y, groups))[cell.fold - 1]
    return X[train], X[test], y[train], y[test]
