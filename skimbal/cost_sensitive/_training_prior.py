"""Class frequencies that a classifier predicts for, from what it and its parts say."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline

from skimbal.cost_sensitive._base import BaseCostClassifier
from skimbal.cost_sensitive._posterior_ensemble import PosteriorEnsemble
from skimbal.cost_sensitive._stated_balance import (
    balancing_parameters,
    gives_data_prior,
    stated_balance,
)
from skimbal.losses import class_weight_vector
from skimbal.neural_network import BaseNetClassifier, unknown_prior


def unknown_balance(estimator, classes) -> str | None:
    """What keeps the class frequencies that a classifier predicts for from being known, in words.

    Parameters
    ----------
    estimator : classifier
        Fitted or not. A pipeline must not resample, because it does not keep the new labels.
    classes : array-like of shape (n_classes,)
        The labels.

    Returns
    -------
    str or None
        None if the frequencies are known.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skimbal.cost_sensitive import unknown_balance
    >>> unknown_balance(LogisticRegression(class_weight="balanced"), [0, 1]) is None
    True
    """
    reason = stated_balance(estimator, classes)
    own = balancing_parameters(estimator, classes)
    if isinstance(estimator, FrozenEstimator):
        return unknown_balance_of_frozen(estimator, classes)
    if reason is None:
        return None
    if isinstance(estimator, BaseNetClassifier):
        return unknown_prior(estimator)
    if own:
        return None if own == ["class_weight"] else reason
    reasons = [unknown_balance(part, classes) for part in deciding_parts(estimator)] or [reason]
    return next((text for text in reasons if text is not None), None)


def unknown_balance_of_frozen(estimator, classes):
    """Of classifiers that were fitted before, only networks keep what they have seen."""
    network = estimator.estimator
    if isinstance(network, BaseNetClassifier) and not gives_data_prior(network):
        return unknown_prior(network)
    return f"{estimator!r} was fitted before, on labels that are not known"


def training_prior(estimator, classes: NDArray, class_counts: ArrayLike) -> NDArray[np.float64]:
    r"""Class frequencies whose posteriors a fitted classifier estimates.

    They are the counts of the samples that it was fitted on, times its class weights, which a
    network has in `training_prior_`. Pipelines, searches and the cost-sensitive classifiers are
    looked into.

    .. math:: \pi_c \propto n_c \, w_c

    Parameters
    ----------
    estimator : fitted classifier
        Its `unknown_balance` is None.
    classes : ndarray of shape (n_classes,)
        The labels, sorted; those that it does not know have the frequency 0.
    class_counts : array-like of shape (n_classes,)
        Sample-weighted number of the samples that it was fitted on.

    Returns
    -------
    ndarray of shape (n_classes,)
        Adds up to 1.

    Raises
    ------
    ValueError
        If the frequencies are not known; it says why.

    References
    ----------
    C. Elkan 2001, The Foundations of Cost-Sensitive Learning, IJCAI, section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skimbal.cost_sensitive import training_prior
    >>> classifier = LogisticRegression(class_weight={1: 3}).fit([[0], [1], [2]], [0, 0, 1])
    >>> training_prior(classifier, np.array([0, 1]), [2, 1])
    array([0.4, 0.6])
    """
    reason = unknown_balance(estimator, classes)
    if reason is not None:
        raise ValueError(f"the class frequencies of the training are not known: {reason}")
    counts = np.asarray(class_counts, dtype=np.float64)
    if gives_data_prior(estimator):
        return counts / counts.sum()
    if isinstance(estimator, FrozenEstimator):
        estimator = estimator.estimator
    if isinstance(estimator, BaseNetClassifier) and estimator.training_prior_ is not None:
        prior = np.zeros(len(classes))
        prior[np.searchsorted(classes, estimator.classes_)] = estimator.training_prior_
        return prior
    own = balancing_parameters(estimator, classes)
    if stated_balance(estimator, classes) is not None and not own:
        parts = [training_prior(part, classes, counts) for part in deciding_parts(estimator)]
        return np.mean(parts, axis=0)
    weights = own_class_weights(estimator, classes, counts) if own else 1.0
    prior = counts * weights
    return prior / prior.sum()


def own_class_weights(estimator, classes, counts):
    """The class weights of a classifier, as an array in the order of the classes."""
    given = estimator.class_weight
    given = "balanced" if given == "balanced_subsample" else given  # of forests
    return class_weight_vector(given, classes, counts)


def deciding_parts(estimator):
    """Return the classifiers that were fitted on the same labels and give the probabilities.

    An empty list for other estimators: boosting and voting, for example, and pipelines that
    resample.
    """
    if isinstance(estimator, Pipeline):
        *steps, last = [step for _, step in estimator.steps]
        return [] if any(hasattr(step, "fit_resample") for step in steps) else [last]
    if isinstance(estimator, BaseSearchCV):
        return [getattr(estimator, "best_estimator_", estimator.estimator)]
    if isinstance(estimator, PosteriorEnsemble):
        return estimator.estimators_
    if isinstance(estimator, BaseCostClassifier):
        one = getattr(estimator, "estimator_", None) or estimator._base_estimator()
        return getattr(estimator, "estimators_", [one])  # the members of an ensemble
    return []
