"""Cells: fit a method on training folds, score it on the test folds, record its warnings."""

import json
import signal
import threading
import time
import traceback
import warnings
from collections import Counter
from contextlib import contextmanager
from functools import partial

import numpy as np
from sklearn.metrics import (
    average_precision_score,
    confusion_matrix,
    log_loss,
    roc_auc_score,
)

from skimbal._fitting import Fit, run_fits
from skimbal.benchmark._memory import PeakMemory
from skimbal.benchmark._names import RANK_METRICS
from skimbal.metrics import (
    accuracy_from_confusion,
    balanced_accuracy_from_confusion,
    g_mean_from_confusion,
    macro_f1_from_confusion,
)

_FROM_CONFUSION = {
    "g_mean": g_mean_from_confusion,
    "accuracy": accuracy_from_confusion,
    "balanced_accuracy": balanced_accuracy_from_confusion,
    "macro_f1": macro_f1_from_confusion,
}
MAX_DISTINCT_WARNINGS = 20
MAX_WARNING_LENGTH = 300


def evaluate(make, random_states, splits):
    """Fit and score a method on several splits; record the error of a split that fails.

    The networks of all splits are trained together. Whatever a method raises is a failure,
    SystemExit included.

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
        matrix has the classes in sorted order. Each split has an equal share of the fit time. The
        memory is that of all splits together.
    """
    try:
        return _evaluate_together(make, random_states, splits)
    except BaseException as error:
        if _is_interrupt(error):
            raise
        if len(splits) > 1:  # a single fit ended all of them: the others don't fail with it
            pairs = zip(random_states, splits, strict=True)
            return [evaluate(make, [seed], [split])[0] for seed, split in pairs]
        return [_score(error, {}, [], *splits[0])]


def _evaluate_together(make, random_states, splits):
    warned: list[list] = [[] for _ in splits]
    start, cpu_start = time.perf_counter(), time.process_time()
    # The warnings of networks that are trained together.
    with PeakMemory() as memory, _recorded_warnings() as shared:
        outcomes = run_fits(
            [
                _make_and_fit(make, random_state, X, y)
                for random_state, (X, _, y, _) in zip(random_states, splits, strict=True)
            ],
            scopes=[partial(_recorded_warnings, own) for own in warned],
        )
    used = {
        "fit_seconds": (time.perf_counter() - start) / len(splits),
        "fit_cpu_seconds": (time.process_time() - cpu_start) / len(splits),
        "fit_mib": memory.mib,
    }
    return [
        _score(outcome, used, [*own, *shared], *split)
        for outcome, own, split in zip(outcomes, warned, splits, strict=True)
    ]


def _is_interrupt(error):
    """Whether the user interrupts, which only the main thread notices.

    A worker ignores SIGINT: there a method has raised the error.
    """
    is_ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    is_main = threading.current_thread() is threading.main_thread()
    return isinstance(error, KeyboardInterrupt) and is_main and not is_ignored


@contextmanager
def _recorded_warnings(record=None):
    """Append warnings to a list, a given one or a new one."""
    record = [] if record is None else record
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield record
        finally:
            record += caught


def _make_and_fit(make, random_state, X, y):
    return (yield from Fit(make(random_state), X, y).coroutine())


def _score(outcome, used, warned, X_train, X_test, y_train, y_test):
    """Score a fitted classifier, or record the error that replaced it."""
    classes = np.unique(np.concatenate([y_train, y_test]))
    support = [int(np.sum(y_test == label)) for label in classes]
    values = {"support": json.dumps(support)}
    with _recorded_warnings() as new:
        try:
            if isinstance(outcome, BaseException):
                raise outcome
            rarest = min(classes, key=lambda label: np.sum(y_train == label))
            values |= {**used, **_scores(outcome, classes, rarest, X_test, y_test)}
            status = "done"
        except BaseException as error:
            if _is_interrupt(error):
                raise
            # A message may quote a file name that is no text, which no file of ours could hold.
            text = traceback.format_exc().encode("utf-8", "backslashreplace")
            values["error"] = text.decode("utf-8")
            status = "failed"
    return status, values | _summary_of_warnings([*warned, *new])


def _scores(classifier, classes, rarest, X_test, y_test):
    start = time.perf_counter()
    y_pred = classifier.predict(X_test)
    predict_seconds = time.perf_counter() - start
    confusion = confusion_matrix(y_test, y_pred, labels=classes)
    if confusion.sum() != len(y_test):
        unknown_labels = sorted(set(np.unique(y_pred).tolist()) - set(classes.tolist()))
        raise ValueError(
            f"the method predicted the labels {unknown_labels}, which the data does not have"
        )
    return {
        **scores_of_confusion(confusion),
        **_scores_of_values(classifier, classes, rarest, X_test, y_test),
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
    return {name: float(function(confusion)) for name, function in _FROM_CONFUSION.items()}


def _scores_of_values(classifier, classes, rarest, X, y):
    """The scores of probabilities or decision values: area under the ROC curve and so on.

    The area of several classes and the average precision are means over the curves of each class
    against the rest. The area of two classes is that of one curve, as both are equal. The average
    precision of two classes is the mean over both, which differ; another one is that of the rarest
    class. The log loss needs probabilities. There are none if a class is missing in `y` or in the
    training data, or the classifier predicts labels only.
    """
    values: dict = dict.fromkeys((*RANK_METRICS, "log_loss"))
    if not len(np.unique(y)) == len(classes) == len(classifier.classes_):
        return values
    if hasattr(classifier, "predict_proba"):
        scores = classifier.predict_proba(X)
        values["log_loss"] = float(log_loss(y, scores, labels=classes))
    elif len(classes) == 2 and hasattr(classifier, "decision_function"):
        decision = classifier.decision_function(X)
        scores = np.column_stack([-decision, decision])
    else:
        return values
    of_curve = scores[:, 1] if len(classes) == 2 else scores
    is_class = np.asarray(y)[:, None] == classes
    precisions = average_precision_score(is_class, scores, average=None)
    ranks = {
        "auc": roc_auc_score(y, of_curve, multi_class="ovr"),
        "average_precision": np.mean(precisions),
        "rare_average_precision": precisions[classes == rarest][0],
    }
    # The sums of perfect scores may round to 1 + 2e-16, and no score above 1 can be stored.
    return values | {name: min(1.0, float(value)) for name, value in ranks.items()}


def _summary_of_warnings(caught):
    texts = Counter(f"{w.category.__name__}: {w.message}"[:MAX_WARNING_LENGTH] for w in caught)
    return {
        "n_warnings": texts.total(),
        "warnings": json.dumps(dict(texts.most_common(MAX_DISTINCT_WARNINGS))),
    }
