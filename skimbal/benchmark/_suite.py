"""Suites: named lists of data sets with a loader, and the splits of comparisons."""

import math
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Self

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.utils import _safe_indexing

from skimbal._utils._validation import unknown_name_message
from skimbal.benchmark._columns import checksum_of_frame
from skimbal.benchmark._frames import split_frame
from skimbal.benchmark._names import SPLITS


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
        and images, and y of shape (n_samples,). A DataFrame stays one: your own methods get its
        rows, and the methods of the package get them through `make_table_encoder`.
    load_fold : callable or None
        ``load_fold(name, fold)`` returns X_train, X_test, y_train, y_test of a published
        partition; None if the suite has no published folds.
    folds_of : callable or None
        ``folds_of(name)`` returns the numbers of the published folds; empty if the data set has
        no published folds.
    load_groups : callable or None
        ``load_groups(name)`` returns groups of shape (n_samples,), such as persons. The samples of
        a group are then on one side of each stratified split. None for a data set without groups.

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

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        target: str,
        group: str | None = None,
        *,
        drop: Iterable[str] = (),
        name: str = "table",
    ) -> Self:
        """A suite of one data set, a table of your own.

        Parameters
        ----------
        frame : DataFrame of shape (n_samples, n_columns)
            Columns of numbers, texts, truth values and missing values. Values of several types in
            one column, intervals and other objects become texts, for all methods.
        target : str
            Column of the labels, of which none is missing. Truth values and whole numbers stay as
            they are, other labels become texts.
        group : str or None, default=None
            Column of the groups, such as machines or patients. The samples of a group are on one
            side of each split. It is no input.
        drop : iterable of str, default=()
            Columns that are no inputs either, such as identifiers and what is known only after the
            label.
        name : str, default="table"
            Name of the suite and of its data set.

        Returns
        -------
        Suite
            It warns of columns that are of no use (identifiers, dates, constant ones), and of those
            that become texts.

        Raises
        ------
        ValueError
            If a column does not exist or is there twice, a label or a group is missing, the target
            is no label or has one class, a column has infinite values, complex numbers or lists, or
            no input is left.

        Examples
        --------
        >>> import pandas as pd
        >>> from skimbal.benchmark import Suite
        >>> table = pd.DataFrame({
        ...     "wear": [1.0, 2.5, None, 4.0], "type": ["L", "M", "L", "H"],
        ...     "machine": [1, 1, 2, 2], "failed": [False, True, False, True],
        ... })
        >>> suite = Suite.from_frame(table, "failed", "machine")
        >>> X, y = suite.load("table")
        >>> list(X), y.tolist(), suite.load_groups("table").tolist()
        (['wear', 'type'], [False, True, False, True], [0, 0, 1, 1])
        """
        X, y, groups = split_frame(frame, target, group, drop)
        load_groups = None if groups is None else partial(_given, groups)
        return cls(name, (name,), partial(_given, (X, y)), load_groups=load_groups)

    def subset(self, names: Iterable[str]) -> Self:
        """This suite with the data sets `names` only, in the order of the suite."""
        names = set(names)
        for name in names:
            if name not in self.datasets:
                raise ValueError(unknown_name_message("data set", name, self.datasets))
        return replace(self, datasets=tuple(d for d in self.datasets if d in names))


def _given(data, name):
    return data


@dataclass(frozen=True)
class DataInfo:
    """What a run must know about a data set before it starts."""

    shape: tuple[int, ...]
    smallest_class: object
    smallest_count: int
    unit: str
    fingerprint: str
    is_frame: bool = False

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
    X, y = X if _is_frame(X) else np.asarray(X, dtype=np.float64), np.asarray(y)
    vectors = {"y": y} if groups is None else {"y": y, "groups": np.asarray(groups)}
    for name, values in vectors.items():
        if X.ndim < 2 or values.shape != X.shape[:1]:
            raise ValueError(
                f"X has shape {X.shape} and {name} has shape {values.shape}; load X of shape "
                f"(n_samples, n_features), or with more axes, and {name} of shape (n_samples,)"
            )
    if _is_frame(X):
        checksum = checksum_of_frame(X)
    else:
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
        is_frame=_is_frame(X),
    )


def _is_frame(X):
    return isinstance(X, pd.DataFrame)


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
    groups = None if suite.load_groups is None else suite.load_groups(dataset)
    groups = None if groups is None else np.asarray(groups)
    return X if _is_frame(X) else np.asarray(X), np.asarray(y), groups


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
    return _safe_indexing(X, train), _safe_indexing(X, test), y[train], y[test]
