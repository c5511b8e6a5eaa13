"""One cell: fit a method on a training fold, score it on the test fold, keep what was said."""

import json
import time
import traceback
import warnings
from collections import Counter

import numpy as np
from sklearn.metrics import confusion_matrix, roc_auc_score

from skimbal.metrics import (
    accuracy_from_confusion,
    balanced_accuracy_from_confusion,
    g_mean_from_confusion,
    macro_f1_from_confusion,
)

MAX_DISTINCT_WARNINGS = 20
MAX_WARNING_LENGTH = 300


def evaluate(make, random_state, X_train, X_test, y_train, y_test):
    """Fit and score a method, and record its error where it fails.

    Parameters
    ----------
    make : callable
        ``make(random_state)`` returns an unfitted classifier.
    random_state : int
    X_train, X_test : ndarray of shape (n_samples, n_features)
    y_train, y_test : ndarray of shape (n_samples,)

    Returns
    -------
    status : {"done", "failed"}
    values : dict
        Columns of the results file; the confusion matrix has the classes in sorted order.
    """
    classes = np.unique(np.concatenate([y_train, y_test]))
    support = [int(np.sum(y_test == label)) for label in classes]
    values = {"support": json.dumps(support)}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            values |= _fit_and_score(make(random_state), classes, X_train, X_test, y_train, y_test)
            status = "done"
        except Exception:
            values["error"] = traceback.format_exc()
            status = "failed"
    return status, values | _summary_of_warnings(caught)


def _fit_and_score(classifier, classes, X_train, X_test, y_train, y_test):
    start = time.perf_counter()
    classifier.fit(X_train, y_train)
    fitted = time.perf_counter()
    y_pred = classifier.predict(X_test)
    predicted = time.perf_counter()
    confusion = confusion_matrix(y_test, y_pred, labels=classes)
    if confusion.sum() != len(y_test):
        unknown = sorted(set(np.unique(y_pred).tolist()) - set(classes.tolist()))
        raise ValueError(f"the method predicted labels that the data does not have: {unknown}")
    return {
        **scores_of_confusion(confusion),
        "auc": area_under_curve(classifier, classes, X_test, y_test),
        "confusion": json.dumps(confusion.tolist()),
        "fit_seconds": fitted - start,
        "predict_seconds": predicted - fitted,
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
