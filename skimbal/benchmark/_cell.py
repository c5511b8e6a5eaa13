"""Cells: fit a method on training folds, score it on the test folds, keep what was said."""

import json
import time
import traceback
import warnings
from collections import Counter
from contextlib import contextmanager
from functools import partial

import numpy as np
from sklearn.metrics import confusion_matrix, roc_auc_score

from skimbal._fitting import Fit, run_fits
from skimbal.metrics import (
    accuracy_from_confusion,
    balanced_accuracy_from_confusion,
    g_mean_from_confusion,
    macro_f1_from_confusion,
)

MAX_DISTINCT_WARNINGS = 20
MAX_WARNING_LENGTH = 300


def evaluate(make, random_states, splits):
    """Fit and score a method on several splits, and record the error of each where it fails.

    The networks of all splits are trained together, where the method has any.

    Parameters
    ----------
    make : callable
        ``make(random_state)`` returns an unfitted classifier.
    random_states : list of int
        One for each split.
    splits : list of tuple of ndarray
        X_train and X_test of shape (n_samples, n_features), y_train and y_test.

    Returns
    -------
    list of (status, values)
        The status is "done" or "failed"; values are columns of the results file. The confusion
        matrix has the classes in sorted order; the time of the fits is shared out evenly.
    """
    caught: list[list] = [[] for _ in splits]
    start = time.perf_counter()
    with _recorded_warnings() as shared:  # by networks that are trained together
        outcomes = run_fits(
            [
                _make_and_fit(make, random_state, X, y)
                for random_state, (X, _, y, _) in zip(random_states, splits, strict=True)
            ],
            scopes=[partial(_recorded_warnings, own) for own in caught],
        )
    fit_seconds = (time.perf_counter() - start) / len(splits)
    return [
        _score(outcome, fit_seconds, [*own, *shared], *split)
        for outcome, own, split in zip(outcomes, caught, splits, strict=True)
    ]


@contextmanager
def _recorded_warnings(seen=None):
    """Record warnings in a list, one that is given or a new one."""
    seen = [] if seen is None else seen
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield seen
        finally:
            seen += caught


def _make_and_fit(make, random_state, X, y):
    return (yield from Fit(make(random_state), X, y).coroutine())


def _score(outcome, fit_seconds, caught, X_train, X_test, y_train, y_test):
    """Score a fitted classifier, or record the error in its place."""
    classes = np.unique(np.concatenate([y_train, y_test]))
    support = [int(np.sum(y_test == label)) for label in classes]
    values = {"support": json.dumps(support)}
    with _recorded_warnings() as new:
        try:
            if isinstance(outcome, Exception):
                raise outcome
            values |= {"fit_seconds": fit_seconds, **_scores(outcome, classes, X_test, y_test)}
            status = "done"
        except Exception:
            values["error"] = traceback.format_exc()
            status = "failed"
    return status, values | _summary_of_warnings([*caught, *new])


def _scores(classifier, classes, X_test, y_test):
    start = time.perf_counter()
    y_pred = classifier.predict(X_test)
    predict_seconds = time.perf_counter() - start
    confusion = confusion_matrix(y_test, y_pred, labels=classes)
    if confusion.sum() != len(y_test):
        unknown = sorted(set(np.unique(y_pred).tolist()) - set(classes.tolist()))
        raise ValueError(f"the method predicted labels that the data does not have: {unknown}")
    return {
        **scores_of_confusion(confusion),
        "auc": area_under_curve(classifier, classes, X_test, y_test),
        "confusion": json.dumps(confusion.tolist()),
        "predict_seconds": predict_seconds,
    }


def scores_of_confusion(confusion):
    """The scores that are functions of the confusion matrix, by name.

    Examples
    --------
    >>> scores_of_confusion([[8, 2], [1, 3]])["accuracy"]
    0.7857142857142857
    """
    confusion = np.asarray(confusion, dtype=np.float64)
    functions = {
        "g_mean": g_mean_from_confusion,
        "accuracy": accuracy_from_confusion,
        "balanced_accuracy": balanced_accuracy_from_confusion,
        "macro_f1": macro_f1_from_confusion,
    }
    return {name: float(function(confusion)) for name, function in functions.items()}


def area_under_curve(classifier, classes, X, y):
    """Area under the ROC curve; the mean over one-against-rest curves for more than two classes.

    None where it does not exist: a class is absent from `y` or from the training data, or the
    classifier gives labels only.
    """
    if len(np.unique(y)) < len(classes) or list(classifier.classes_) != list(classes):
        return None
    if hasattr(classifier, "predict_proba"):
        scores = classifier.predict_proba(X)
    elif hasattr(classifier, "decision_function") and len(classes) == 2:
        return float(roc_auc_score(y == classes[1], classifier.decision_function(X)))
    else:
        return None
    areas = [roc_auc_score(y == label, scores[:, column]) for column, label in enumerate(classes)]
    return float(np.mean(areas))


def _summary_of_warnings(caught):
    texts = Counter(f"{w.category.__name__}: {w.message}"[:MAX_WARNING_LENGTH] for w in caught)
    return {
        "n_warnings": texts.total(),
        "warnings": json.dumps(dict(texts.most_common(MAX_DISTINCT_WARNINGS))),
    }
