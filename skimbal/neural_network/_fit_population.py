"""Fit many estimators at once, and out-of-fold posteriors; networks of a kind train as one."""

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import check_cv
from sklearn.utils import _safe_indexing, column_or_1d, indexable
from sklearn.utils.validation import _check_sample_weight, _num_samples

from skimbal._fitting import Fit, run_fits, split_by_memory


def fit_population(
    estimators, X, y, subsets=None, *, sample_weight=None, n_jobs=None, memory_limit=None, verbose=0
):
    """Fit clones of estimators, each on rows of its own, and train their networks together.

    Networks of one structure train as one batched computation: same layers, loss, optimiser and
    batch size, on about as many rows. Seeds, initial weights, class weights, learning rates, weight
    decay and the epochs may differ. An `MLPClassifier` or `DBNClassifier` that is fitted like this
    is the same to the last bit as one fitted by itself. Also the networks inside pipelines and
    inside cost-sensitive classifiers are trained together. Estimators without networks are fitted
    one by one.

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
    n_jobs : int, default=None
        Processes, by joblib; each trains a part of the networks. Results don't depend on it.
    memory_limit : int, default=None
        Bytes that the networks in training may take; more of them take turns. None is a quarter of
        the memory that is free.
    verbose : int, default=0
        Above 0, a line for each group of networks says how it is trained.

    Returns
    -------
    list of fitted estimators
        In the order of `estimators` and `subsets`.

    Raises
    ------
    ValueError
        For numbers of estimators and subsets that differ, rows that X does not have, and whatever
        the fits raise.

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
    X, y, sample_weight = _check_data(X, y, sample_weight)
    estimators, subsets = _matched(estimators, subsets, _num_samples(X))
    fits = [
        Fit.on_rows(clone(estimator), X, y, rows, {"sample_weight": sample_weight})
        for estimator, rows in zip(estimators, subsets, strict=True)
    ]
    fitted = []
    for turn in split_by_memory(fits, X, subsets, memory_limit):
        fitted += run_fits(
            turn, n_jobs=n_jobs, memory_limit=memory_limit, report=print if verbose else None
        )
        for outcome in fitted:
            if isinstance(outcome, Exception):
                raise outcome
    return fitted


def cross_fit(
    estimator, X, y, splits, *, sample_weight=None, n_jobs=None, memory_limit=None, verbose=0
):
    """Return posteriors of samples that the estimator did not train on.

    As scikit-learn's `cross_val_predict` with ``method="predict_proba"``, but the networks of all
    splits are trained together (`fit_population`), splits may overlap, and need not hold out every
    sample.

    Parameters
    ----------
    estimator : classifier with `predict_proba`
        Cloned for each split.
    X : array-like of shape (n_samples, ...)
        Inputs.
    y : array-like of shape (n_samples,)
        Labels.
    splits : splitter, int or iterable of (train, test)
        As scikit-learn's `cv`; an integer is the number of stratified folds, not shuffled.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples in the training.
    n_jobs : int, default=None
        Processes, as in `fit_population`.
    memory_limit : int, default=None
        Bytes, as in `fit_population`.
    verbose : int, default=0
        As in `fit_population`.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        Posteriors in the order of the sorted labels, the mean over the splits that hold a sample
        out; a row of NaN for one that none does. A class that a split does not train on has
        posterior 0 there.

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
    X, y, sample_weight = _check_data(X, y, sample_weight)
    splits = list(check_cv(splits, y, classifier=True).split(X, y))
    fitted = fit_population(
        estimator,
        X,
        y,
        [train for train, _ in splits],
        sample_weight=sample_weight,
        n_jobs=n_jobs,
        memory_limit=memory_limit,
        verbose=verbose,
    )
    classes = np.unique(y)
    total = np.zeros((len(y), len(classes)))
    n_held_out = np.zeros(len(y))
    for classifier, (_, test) in zip(fitted, splits, strict=True):
        columns = np.searchsorted(classes, classifier.classes_)
        total[np.ix_(test, columns)] += classifier.predict_proba(_safe_indexing(X, test))
        n_held_out[test] += 1
    never = n_held_out == 0
    total[never] = np.nan
    return total / np.maximum(n_held_out, 1)[:, None]


def _check_data(X, y, sample_weight):
    X, y = indexable(X, column_or_1d(y, warn=True))
    if sample_weight is not None:
        sample_weight = _check_sample_weight(sample_weight, y, ensure_non_negative=True)
    return X, y, sample_weight


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
            "all subsets, or as many as there are subsets"
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
