"""Probabilities of the training samples from classifiers that have not seen them, as cheap as can.

Some classifiers keep them in a fit: ensembles the out-of-bag ones, extreme learning machines the
leave-one-out ones. All others are fitted on folds as well.
"""

import numpy as np
from numpy.typing import NDArray

from skimbal._fitting import Fit
from skimbal._utils._labels import proba_by_class
from skimbal.ensemble._balanced_bagging import BalancedBaggingNetClassifier
from skimbal.ensemble._elm_base import BaseELMClassifier
from skimbal.neural_network import cross_fit_coroutine

OUT_OF_BAG, LEAVE_ONE_OUT = "out of bag", "leave-one-out"


def held_out_attribute(estimator, groups):
    """The attribute that a fit will have with held-out probabilities, and what they are, or None.

    scikit-learn's ensembles draw single samples, so with groups theirs are not held out. What is
    in a pipeline is not asked, because its first steps see all samples and may change them.

    Parameters
    ----------
    estimator : classifier
        Not fitted.
    groups : ndarray of shape (n_samples,) or None

    Returns
    -------
    tuple of str or None

    Examples
    --------
    >>> from sklearn.ensemble import ExtraTreesClassifier
    >>> held_out_attribute(ExtraTreesClassifier(bootstrap=True, oob_score=True), None)
    ('oob_decision_function_', 'out of bag')
    >>> held_out_attribute(ExtraTreesClassifier(), None) is None
    True
    """
    if isinstance(estimator, BalancedBaggingNetClassifier):
        is_kept = estimator.oob_score or estimator.tune_costs
        return ("oob_proba_", OUT_OF_BAG) if is_kept else None
    if isinstance(estimator, BaseELMClassifier):
        return "loo_proba_", LEAVE_ONE_OUT
    is_bagged = bool(getattr(estimator, "bootstrap", False) and getattr(estimator, "oob_score", 0))
    is_foreign = type(estimator).__module__.startswith(("sklearn.", "imblearn."))
    if is_bagged and is_foreign and groups is None:
        return "oob_decision_function_", OUT_OF_BAG
    return None


def known_or_nan(proba):
    """Probabilities in which a row without any is NaN: forests leave such rows 0.

    >>> known_or_nan(np.array([[0.2, 0.8], [0.0, 0.0]])).tolist()
    [[0.2, 0.8], [nan, nan]]
    """
    return np.where(proba.any(axis=1)[:, None], proba, np.nan)


def held_out_coroutine(estimator, X, y, groups, splits, params, classes):
    """Fit a classifier; a generator, see `skimbal._fitting`.

    Parameters
    ----------
    estimator : classifier
        Not fitted. It is cloned for the folds, and fitted in place where there are none.
    X : array-like of shape (n_samples, ...)
    y : ndarray of shape (n_samples,)
    groups : ndarray of int of shape (n_samples,) or None
    splits : list of (train, test)
        The folds, used where a fit keeps no held-out probabilities.
    params : dict
        Parameters of `fit`.
    classes : ndarray of shape (n_classes,)
        The sorted labels.

    Returns
    -------
    fitted : classifier
        Fitted on all samples.
    held_out : ndarray of shape (n_samples, n_classes)
        Rows without held-out probabilities are NaN.
    source : str
        What these are.
    """
    kept = held_out_attribute(estimator, groups)
    if kept is not None:
        attribute, source = kept
        fitted = yield from Fit(estimator, X, y, params, is_part=True).coroutine()
        own = known_or_nan(np.asarray(getattr(fitted, attribute)))
        return fitted, proba_by_class(own, fitted.classes_, classes), source
    parts, classifiers = yield from cross_fit_coroutine(
        [estimator] * len(splits), X, y, splits, params, classes, refit=estimator
    )
    held_out: NDArray = np.full((len(y), len(classes)), np.nan)
    for (_, test), proba in zip(splits, parts, strict=True):
        held_out[test] = proba
    return classifiers[-1], held_out, f"{len(splits)} folds"
