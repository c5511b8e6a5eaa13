"""Scorers tried on a few labels, so that one which can't score them is refused before any fit."""

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import sklearn.metrics
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics._scorer import _BaseScorer

# Ours for the rarest class, by scikit-learn's functions for the class that is labeled 1.
MINORITY: dict[Callable, str] = {
    sklearn.metrics.f1_score: "minority_f1",
    sklearn.metrics.precision_score: "minority_precision",
    sklearn.metrics.recall_score: "minority_recall",
    sklearn.metrics.average_precision_score: "minority_average_precision",
}
CHECKED_PACKAGES = ("sklearn", "skimbal")


def check_positive_class(scorer: Any, classes: Any) -> None:
    """Raise a ValueError where a scorer is of one class, by its label, and no class has this label.

    Parameters
    ----------
    scorer : callable
        A scorer; one that scikit-learn's `make_scorer` has not made is passed.
    classes : array-like of shape (n_classes,)
        The labels.
    """
    function, labels = getattr(scorer, "_score_func", None), np.asarray(classes).tolist()
    if function is None or len(labels) != 2:
        return
    parameters = inspect.signature(function).parameters
    given = {name: parameter.default for name, parameter in parameters.items()} | scorer._kwargs
    label = given.get("pos_label")
    is_of_one_class = (
        given.get("average", "binary") == "binary"
        or function is sklearn.metrics.average_precision_score
    )
    if label is None or not is_of_one_class or label in labels:
        return
    name = getattr(function, "__name__", repr(function))
    own = f"use {MINORITY[function]!r} for the rarest class, or " if function in MINORITY else ""
    raise ValueError(
        f"{name} scores one class, but pos_label={label!r} is not among the classes {labels}; "
        f"{own}name the class with make_scorer({name}, pos_label=...)"
    )


class _TriedClassifier(ClassifierMixin, BaseEstimator):
    """Classifier of any inputs that predicts every class, not always the right one."""

    def __init__(self, classes):
        self.classes = classes
        self.classes_ = np.asarray(classes)

    def __sklearn_is_fitted__(self):
        return True

    def predict_proba(self, X):
        """Return probabilities that favor the class of the next sample."""
        n_classes = len(self.classes_)
        proba = np.full((len(X), n_classes), 0.5 / n_classes)
        proba[np.arange(len(X)), np.arange(1, len(X) + 1) // 2 % n_classes] += 0.5
        return proba

    def predict(self, X):
        """Return the labels of the largest probabilities."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def decision_function(self, X):
        """Return the log-odds of two classes, or the log-probabilities of more."""
        logs = np.log(self.predict_proba(X))
        return logs[:, 1] - logs[:, 0] if len(self.classes_) == 2 else logs


def check_class_scorer(scorer: Any, classes: Any) -> None:
    """Raise a ValueError where a scorer of scikit-learn or skimbal can't score these classes.

    Parameters
    ----------
    scorer : callable
        A scorer. Only those that `make_scorer` has made of functions of scikit-learn and skimbal
        are tried; others may need more than labels.
    classes : array-like of shape (n_classes,)
        The sorted labels.

    Examples
    --------
    >>> from skimbal.metrics import check_class_scorer, get_scorer
    >>> check_class_scorer(get_scorer("minority_average_precision"), ["no", "yes"])
    >>> check_class_scorer(get_scorer("average_precision"), [0, 1])
    """
    if not isinstance(scorer, _BaseScorer):
        return
    check_positive_class(scorer, classes)
    function = scorer._score_func
    if (getattr(function, "__module__", None) or "").split(".")[0] not in CHECKED_PACKAGES:
        return
    y = np.repeat(np.asarray(classes), 2)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scorer(_TriedClassifier(classes), np.zeros((len(y), 1)), y)
    except (TypeError, ValueError) as error:
        name = getattr(function, "__name__", repr(function))
        raise ValueError(
            f"{name} can't score the classes {np.asarray(classes).tolist()}: {error}; use a score "
            "that takes them, such as 'macro_f1' or 'g_mean'"
        ) from error
