"""What the displays share before they draw: named cases, labels, probabilities, scores."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d

from skimbal._utils._labels import columns_by_label
from skimbal._utils._validation import check_probabilities
from skimbal.metrics import confusion_score, get_scorer, score_labels


def named_cases(given, name, kind="estimator"):
    """Cases by name as a dict: a dict as it is, a list numbered, one thing by its class.

    >>> named_cases({"a": 1}, "estimators")
    {'a': 1}
    >>> named_cases([1.0, 2.0], "results", "run")
    {'run 1': 1.0, 'run 2': 2.0}
    """
    if isinstance(given, Mapping):
        cases = {str(key): value for key, value in given.items()}
    elif isinstance(given, list | tuple):
        cases = {f"{kind} {i}": value for i, value in enumerate(given, 1)}
    else:
        cases = {type(given).__name__: given}
    if not cases:
        raise ValueError(f"{name} is empty; give at least one, or a dict of names and what to draw")
    return cases


def check_labels_of_display(y_true: ArrayLike) -> tuple[NDArray, NDArray, NDArray]:
    """Sorted labels, the index of the label of each sample, and the number of each label."""
    y_true = column_or_1d(y_true)
    classes, targets, counts = np.unique(y_true, return_inverse=True, return_counts=True)
    if len(classes) < 2:
        raise ValueError(
            f"y has only the labels {classes.tolist()}; give samples of at least two classes"
        )
    return classes, targets, counts


def check_proba(proba: Any, y_true: ArrayLike, classes: NDArray) -> NDArray[np.float64]:
    """Probabilities (n_samples, n_classes) that fit the labels; one column is the second class."""
    proba = np.asarray(columns_by_label(proba, classes), dtype=np.float64)
    if proba.ndim == 1 and len(classes) == 2:
        proba = np.column_stack([1.0 - proba, proba])
    check_consistent_length(y_true, proba)
    if proba.shape[1:] != (len(classes),):
        raise ValueError(
            f"the probabilities have shape {proba.shape}, but y has the {len(classes)} classes "
            f"{classes.tolist()}; give one column for each class"
        )
    if not (np.isfinite(proba).all() and (proba >= 0).all() and (proba <= 1 + 1e-9).all()):
        raise ValueError("the probabilities must be finite and in [0, 1]")
    return proba


def predicted_probabilities(estimator: Any, X: ArrayLike, classes: NDArray) -> NDArray:
    """Probabilities of a fitted classifier for the classes of y."""
    check_is_fitted(estimator)
    if not hasattr(estimator, "predict_proba"):
        raise ValueError(
            f"{type(estimator).__name__} has no predict_proba; give a classifier that predicts "
            "probabilities, or wrap it in CalibratedClassifierCV"
        )
    known = np.asarray(estimator.classes_)
    if not np.array_equal(known, classes):
        raise ValueError(
            f"the classifier knows the classes {known.tolist()}, but y has {classes.tolist()}; "
            "give samples of each class that the classifier knows"
        )
    proba = np.asarray(columns_by_label(estimator.predict_proba(X), known))
    check_probabilities(proba, estimator, len(known))
    return proba


def innermost(estimator):
    """The last step of a pipeline, the best estimator of a search, the classifier in a wrapper."""
    while True:
        if isinstance(estimator, Pipeline):
            estimator = estimator.steps[-1][1]
        elif hasattr(estimator, "history_"):
            return estimator
        elif hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif hasattr(estimator, "estimator_"):
            estimator = estimator.estimator_
        else:
            return estimator


def score_name(scoring: Any) -> str:
    """How a score is called in a picture.

    >>> score_name("g_mean"), score_name("minority_precision"), score_name("roc_auc")
    ('G-mean', 'precision of the rarest class', 'roc auc')
    """
    names = {
        "g_mean": "G-mean",
        "macro_f1": "macro F1",
        "minority_f1": "F1 of the rarest class",
        "minority_precision": "precision of the rarest class",
        "minority_recall": "recall of the rarest class",
    }
    if isinstance(scoring, str):
        return names.get(scoring, scoring.replace("_", " "))
    function = getattr(scoring, "_score_func", scoring)
    return score_name(getattr(function, "__name__", type(scoring).__name__))


def score_decisions(scoring, classes, targets, decisions, confusions, sample_weight=None):
    """Scores of decisions (n_decisions, n_samples), from their confusion matrices where possible.

    `decisions` is a function that returns the decisions with a number, as indices of classes.
    """
    from_confusion = confusion_score(scoring, classes)
    if from_confusion is not None:
        return np.asarray(from_confusion(confusions), dtype=np.float64)
    scorer, y_true = get_scorer(scoring), classes[targets]
    return np.array(
        [
            score_labels(scorer, classes, y_true, classes[decisions(i)], sample_weight)
            for i in range(len(confusions))
        ]
    )


def scoring_list(scoring):
    """One score or several as a list; a ValueError for unknown names and for none."""
    listed = list(scoring) if isinstance(scoring, list | tuple) else [scoring]
    if not listed:
        raise ValueError("scoring is empty; give the name of a score, such as 'g_mean'")
    for each in listed:
        get_scorer(each)
    return listed
