"""Fit many estimators at once, and cross-fit one; networks of one structure train as one."""

from collections.abc import Generator, Sequence
from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.model_selection import check_cv
from sklearn.utils import _safe_indexing, column_or_1d, indexable
from sklearn.utils.validation import _num_samples

from skimbal._fitting import Fit, run_fits, split_by_memory
from skimbal._utils._groups import check_groups, group_folds, groups_params
from skimbal._utils._labels import check_label_parameters, proba_by_class
from skimbal._utils._number_columns import conversion_named
from skimbal._utils._table_rows import row_by_row
from skimbal._utils._validation import (
    check_known_classes,
    check_probabilities,
    check_weights,
)


def fit_population(
    estimators,
    X,
    y: ArrayLike,
    subsets: Sequence[ArrayLike] | None = None,
    *,
    sample_weight: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    n_jobs: int | None = None,
    memory_limit: int | None = None,
    verbose: int = 0,
) -> list:
    """Fit clones of estimators, each on rows of its own, and train their networks together.

    Networks of one structure train as one batched computation: the same layers, loss, optimizer
    and batch size, and about the same number of rows. Seeds, initial weights, class weights,
    learning rates, weight decay and the number of epochs may differ. An `MLPClassifier` or
    `DBNClassifier` that is fitted this way equals to the last bit one that is fitted by itself.
    Networks inside pipelines and inside cost-sensitive classifiers are trained together, too.
    Estimators without networks are fitted one by one.

    Parameters
    ----------
    estimators : estimator or list of estimator
        One for every subset, or a list of as many as there are subsets. They are cloned.
    X : array-like of shape (n_samples, ...)
        Training inputs.
    y : array-like of shape (n_samples,)
        Labels.
    subsets : list of array-like of int or bool, or None, default=None
        Rows of each fit, as indices (which may repeat) or as a mask. None is all rows.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples, given to every `fit`.
    groups : array-like of shape (n_samples,), default=None
        The group of each sample, given to the fits that take groups.
    n_jobs : int, default=None
        Processes, by joblib; each trains a part of the networks. Results don't depend on it.
    memory_limit : int, default=None
        Bytes that the networks in training may take. If they need more, they take turns. None is
        a quarter of the free memory.
    verbose : int, default=0
        Above 0, a line for each group of networks says how it is trained.

    Returns
    -------
    list of fitted estimators
        In the order of `estimators` and `subsets`.

    Raises
    ------
    ValueError
        If the numbers of estimators and subsets differ, a subset has rows that X does not have, or
        `memory_limit` is below 1, weights or costs name a label that is not in y and leave a class
        of y out; and what the fits raise.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skimbal import MLPClassifier
    >>> from skimbal.neural_network import fit_population
    >>> X, y = make_classification(200, weights=[0.9], random_state=0)
    >>> networks = [
    ...     MLPClassifier(max_epochs=5, class_weight={1: weight}, random_state=0)
    ...     for weight in (1, 3, 9)
    ... ]
    >>> fitted = fit_population(networks, X, y)
    >>> [network.class_weight_.tolist() for network in fitted]
    [[1.0, 1.0], [1.0, 3.0], [1.0, 9.0]]
    """
    _check_memory_limit(memory_limit)
    X, y, params = _check_data(X, y, sample_weight)
    groups = check_groups(groups, y)
    estimators, subsets = _matched(estimators, subsets, _num_samples(X))
    for estimator in {id(estimator): estimator for estimator in estimators}.values():
        check_label_parameters(estimator, y)
    fits = [
        Fit.on_rows(clone(estimator), X, y, rows, params | groups_params(estimator, groups))
        for estimator, rows in zip(estimators, subsets, strict=True)
    ]
    fitted = []
    for turn in split_by_memory(fits, estimators, X, subsets, memory_limit):
        fitted += run_fits(
            turn, n_jobs=n_jobs, memory_limit=memory_limit, report=print if verbose else None
        )
        for outcome in fitted:
            if isinstance(outcome, Exception):
                raise outcome
    return fitted


def cross_fit(
    estimator,
    X,
    y: ArrayLike,
    splits,
    *,
    sample_weight: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    n_jobs: int | None = None,
    memory_limit: int | None = None,
    verbose: int = 0,
) -> NDArray[np.float64]:
    """Return the predicted probabilities of samples that the estimator did not train on.

    This is scikit-learn's `cross_val_predict` with ``method="predict_proba"``, with three
    differences: the networks of all splits are trained together (`fit_population`), splits may
    overlap, and splits need not hold out every sample.

    Parameters
    ----------
    estimator : classifier with `predict_proba`
        Cloned for each split.
    X : array-like of shape (n_samples, ...)
        Inputs.
    y : array-like of shape (n_samples,)
        Labels.
    splits : splitter, int or iterable of (train, test)
        As scikit-learn's `cv`; an integer is the number of stratified folds, not shuffled, which
        leave groups whole.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples in the training.
    groups : array-like of shape (n_samples,), default=None
        The group of each sample, given to the splitter and to the fits that take groups.
    n_jobs : int, default=None
        Processes, as in `fit_population`.
    memory_limit : int, default=None
        Bytes, as in `fit_population`.
    verbose : int, default=0
        As in `fit_population`.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        Probabilities in the order of the sorted labels: the mean over the splits that hold a
        sample out, and a row of NaN for a sample that no split holds out. A class that a split
        does not train on has probability 0 in that split.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skimbal import MLPClassifier
    >>> from skimbal.neural_network import cross_fit
    >>> X, y = make_classification(200, weights=[0.9], random_state=0)
    >>> proba = cross_fit(MLPClassifier(max_epochs=5, random_state=0), X, y, 5)
    >>> proba.shape
    (200, 2)
    """
    _check_memory_limit(memory_limit)
    X, labels, params = _check_data(X, y, sample_weight)
    check_label_parameters(estimator, labels)
    groups = check_groups(groups, labels)
    params = params | groups_params(estimator, groups)
    if groups is not None and (splits is None or isinstance(splits, Integral)):
        splits = group_folds(labels, groups, 5 if splits is None else splits)
    else:
        given = {} if groups is None else {"groups": groups}
        splits = list(check_cv(splits, labels, classifier=True).split(X, labels, **given))
    classes = np.unique(labels)
    total = np.zeros((len(labels), len(classes)))
    n_held_out = np.zeros(len(labels))
    subsets = [train for train, _ in splits]
    for turn in split_by_memory(splits, [estimator], X, subsets, memory_limit):
        (outcome,) = run_fits(
            [cross_fit_coroutine([estimator] * len(turn), X, labels, turn, params, classes)],
            n_jobs=n_jobs,
            memory_limit=memory_limit,
            report=print if verbose else None,
        )
        if isinstance(outcome, Exception):
            raise outcome
        for proba, (_, test) in zip(outcome[0], turn, strict=True):
            total[test] += proba
            n_held_out[test] += 1
    total[n_held_out == 0] = np.nan
    return total / np.maximum(n_held_out, 1)[:, None]


def cross_fit_coroutine(
    estimators: list,
    X,
    y: NDArray,
    splits: list,
    params: dict,
    classes: NDArray,
    *,
    refit=None,
    is_checked: bool = False,
) -> Generator[list, list, tuple[list, list]]:
    """Fit estimators on splits that are validated already (a generator, see `skimbal._fitting`).

    Parameters
    ----------
    estimators : list of classifier with `predict_proba`
        One for each split. They are cloned.
    X : array-like of shape (n_samples, ...)
        Inputs.
    y : ndarray of shape (n_samples,)
        Labels.
    splits : list of (train, test)
        Row numbers.
    params : dict
        Parameters of `fit`. Arrays with one entry a sample are cut to the rows of the split.
    classes : ndarray of shape (n_classes,)
        The sorted labels.
    refit : classifier, default=None
        Fitted on all samples together with the others. It is cloned.
    is_checked : bool, default=False
        Whether X and y are arrays that the estimators need not validate again.

    Returns
    -------
    proba : list of ndarray of shape (n_test, n_classes)
        The probabilities of the samples that each split holds out.
    fitted : list of fitted classifier
        In the order of the splits, then that of `refit`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skimbal._fitting import run_fit
    >>> from skimbal.neural_network import cross_fit_coroutine
    >>> X, y = np.array([[0.0], [1.0], [0.2], [1.1]]), np.array([0, 1, 0, 1])
    >>> halves = [([0, 1], [2, 3]), ([2, 3], [0, 1])]
    >>> proba, fitted = run_fit(cross_fit_coroutine([GaussianNB()] * 2, X, y, halves, {}, [0, 1]))
    >>> [own.shape for own in proba]
    [(2, 2), (2, 2)]
    """
    fits: list = [
        Fit.on_rows(clone(estimator), X, y, train, params, is_checked=is_checked)
        for estimator, (train, _) in zip(estimators, splits, strict=True)
    ]
    if refit is not None:
        fits.append(Fit(clone(refit), X, y, params, is_checked, is_part=True))
    fitted = yield fits
    proba = [
        class_probabilities(classifier, _safe_indexing(X, test), classes)
        for classifier, (_, test) in zip(fitted, splits, strict=False)
    ]
    return proba, fitted


def class_probabilities(estimator, X, classes: ArrayLike) -> NDArray[np.float64]:
    """Return the predicted probabilities of a fitted classifier, for classes that are given.

    Parameters
    ----------
    estimator : fitted classifier with `predict_proba`
        It may have seen fewer classes, but no others.
    X : array-like of shape (n_samples, ...)
        Inputs.
    classes : array-like of shape (n_classes,)
        Sorted labels.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        Probabilities in the order of `classes`; 0 for a class that the estimator has not seen.

    Raises
    ------
    ValueError
        If the estimator knows classes that are not among `classes`, or its
        probabilities are not a finite table with a column for each of its classes.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skimbal.neural_network import class_probabilities
    >>> classifier = GaussianNB().fit([[0.0], [1.0]], ["a", "c"])
    >>> class_probabilities(classifier, [[0.0]], ["a", "b", "c"])
    array([[1., 0., 0.]])
    """
    check_known_classes(estimator, classes)
    with conversion_named(estimator, X):
        seen = estimator.predict_proba(X)
    check_probabilities(np.asarray(seen), estimator, len(estimator.classes_))
    return proba_by_class(seen, estimator.classes_, np.asarray(classes))


def _check_memory_limit(value):
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if value is not None and not (is_number and 1 <= value < float("inf")):
        raise ValueError(
            f"memory_limit={value!r} is not usable; give a number of bytes >= 1, or None for a "
            "quarter of the free memory"
        )


def _check_data(X, y, sample_weight):
    X, y = indexable(X, column_or_1d(y, warn=True))
    return row_by_row(X), y, {"sample_weight": check_weights(sample_weight, y)}


def _matched(estimators, subsets, n_samples):
    """Bring estimators and subsets to lists of one length, and the subsets to indices."""
    if subsets is None:
        many = isinstance(estimators, list | tuple)
        subsets = [np.arange(n_samples)] * (len(estimators) if many else 1)
    subsets = [_rows(subset, n_samples) for subset in subsets]
    if not isinstance(estimators, list | tuple):
        estimators = [estimators] * len(subsets)
    if len(estimators) != len(subsets):
        raise ValueError(
            f"got {len(estimators)} estimators and {len(subsets)} subsets; give one estimator for "
            "all subsets, or one for each subset"
        )
    return estimators, subsets


def _rows(subset, n_samples):
    rows = np.asarray(subset)
    if rows.dtype == bool and rows.shape == (n_samples,):
        return np.flatnonzero(rows)
    if rows.ndim != 1 or rows.dtype.kind not in "iu":
        raise ValueError(
            f"a subset has type {rows.dtype} and shape {rows.shape}; give row numbers, or a mask "
            f"of shape ({n_samples},)"
        )
    if len(rows) and (rows.min() < -n_samples or rows.max() >= n_samples):
        raise ValueError(
            f"a subset has rows from {rows.min()} to {rows.max()}, but X has {n_samples} samples"
        )
    return rows
