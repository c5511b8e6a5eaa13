"""Scorers by name, scorers as functions of confusion matrices, and scores of given labels.

A search over costs scores labels that it already has. It needs no estimator, so it uses
`score_labels` or, if the score depends only on the confusion matrix, the faster `confusion_score`.
`check_label_scorer` refuses a scorer that needs more than labels before any training.
"""

import copy
import inspect
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from numbers import Real
from typing import Any

import numpy as np
import sklearn.metrics
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics._scorer import _BaseScorer, _Scorer

from skimbal._utils._labels import (
    carries_labels,
    keys_as_in,
    label_list,
    matrix_by_label,
    named_labels,
)
from skimbal._utils._validation import check_cost_matrix, unknown_name_message
from skimbal.metrics._confusion_forms import confusion_form
from skimbal.metrics._cost import expected_cost, expected_cost_from_confusion
from skimbal.metrics._minority import (
    minority_average_precision_scorer,
    minority_f1,
    minority_f1_from_confusion,
    minority_precision,
    minority_precision_from_confusion,
    minority_recall,
    minority_recall_from_confusion,
)
from skimbal.metrics._scorer_checks import check_positive_class
from skimbal.metrics._scores import (
    accuracy_from_confusion,
    balanced_accuracy,
    balanced_accuracy_from_confusion,
    check_distinct,
    count_confusion,
    g_mean,
    g_mean_from_confusion,
    macro_f1,
    macro_f1_from_confusion,
)

_OWN: dict[str, tuple[Callable, dict[str, Any]]] = {
    "accuracy": (sklearn.metrics.accuracy_score, {}),
    "balanced_accuracy": (balanced_accuracy, {}),
    "g_mean": (g_mean, {}),
    "macro_f1": (macro_f1, {}),
    "minority_f1": (minority_f1, {}),
    "minority_precision": (minority_precision, {}),
    "minority_recall": (minority_recall, {}),
    "roc_auc": (
        sklearn.metrics.roc_auc_score,
        {"response_method": ("predict_proba", "decision_function"), "multi_class": "ovr"},
    ),
}

# Functions of confusion matrices that give the same scores as these functions of labels.
_FROM_CONFUSION: dict[Callable, Callable] = {
    balanced_accuracy: balanced_accuracy_from_confusion,
    g_mean: g_mean_from_confusion,
    macro_f1: macro_f1_from_confusion,
    minority_f1: minority_f1_from_confusion,
    minority_precision: minority_precision_from_confusion,
    minority_recall: minority_recall_from_confusion,
    sklearn.metrics.accuracy_score: accuracy_from_confusion,
    sklearn.metrics.balanced_accuracy_score: balanced_accuracy_from_confusion,
}


def scorer_names() -> list[str]:
    """Names that :func:`get_scorer` knows: those of skimbal and of scikit-learn.

    Returns
    -------
    names : list of str
        Sorted.

    Examples
    --------
    >>> from skimbal.metrics import scorer_names
    >>> {"g_mean", "macro_f1", "f1_macro"} <= set(scorer_names())
    True
    """
    own = {*_OWN, "minority_average_precision"}
    return sorted(own | {*sklearn.metrics.get_scorer_names()})


def get_scorer(scoring: str | Callable) -> Callable:
    """Return the scikit-learn scorer with a name; a scorer is returned unchanged.

    Parameters
    ----------
    scoring : str or callable
        A name of :func:`scorer_names` or a callable ``scorer(estimator, X, y)``. A name that
        scikit-learn has means the same here; ``"f1"`` is F1 of the class labeled 1. The scores of
        the rarest class of `y_true`, with labels of any type, are ``"minority_f1"``,
        ``"minority_precision"``, ``"minority_recall"`` and ``"minority_average_precision"``. In
        addition to what scikit-learn does, ``"roc_auc"`` takes any number of classes, each against
        the rest, and ``"balanced_accuracy"`` warns of an absent class.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y, sample_weight=None)``; higher is better.

    Raises
    ------
    ValueError
        If the name is unknown, or `scoring` is a function of ``(y_true, y_pred)``.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from skimbal.metrics import get_scorer
    >>> X, y = [[0], [1], [2]], ["no", "no", "yes"]
    >>> get_scorer("g_mean")(DummyClassifier().fit(X, y), X, y)
    0.0
    """
    if isinstance(scoring, str):
        return _scorer_by_name(scoring)
    if isinstance(scoring, _BaseScorer):
        return scoring
    if not callable(scoring):
        raise ValueError(
            f"scoring must be a name or a scorer, got {scoring!r}; skimbal.metrics.scorer_names() "
            "lists the names"
        )
    if _is_plain_score(scoring):
        name = getattr(scoring, "__name__", repr(scoring))
        raise ValueError(
            f"{name} is a function of (y_true, y_pred), not a scorer; wrap it with "
            f"sklearn.metrics.make_scorer({name})"
        )
    return scoring


def _scorer_by_name(name):
    if name == "minority_average_precision":
        return copy.deepcopy(minority_average_precision_scorer)  # with metadata requests of its own
    if name in _OWN:
        function, options = _OWN[name]
        return sklearn.metrics.make_scorer(function, **options)
    if name in sklearn.metrics.get_scorer_names():
        return sklearn.metrics.get_scorer(name)
    raise ValueError(unknown_name_message("scorer", name, scorer_names()))


def _is_plain_score(function):
    """Whether a callable takes (y_true, y_pred) and not (estimator, X, y)."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    kinds = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
    given = [parameter for parameter in parameters if parameter.kind in kinds]
    names = [parameter.name for parameter in given]
    takes_more = any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters)
    if names[:1] == ["y_true"] or (len(names) < 3 and not takes_more):
        return True
    # Of a scorer, the third are the true labels; of a score, it is an option such as the weights.
    return len(names) > 2 and given[2].default is not given[2].empty and not _is_target(names[2])


def _is_target(name):
    return name.lower().startswith(("y", "target"))


def make_cost_scorer(cost_matrix: ArrayLike | Mapping, labels: ArrayLike | None = None) -> Callable:
    """Make a scorer of the expected cost, negated so that higher is better.

    Parameters
    ----------
    cost_matrix : array-like of shape (n_classes, n_classes), frame or dict
        Cost of predicting ``labels[j]`` (column) when the truth is ``labels[i]`` (row). A frame
        goes by the labels of its rows and columns. A dict maps pairs (true label, predicted label)
        to costs; other errors cost 1.
    labels : array-like of shape (n_classes,), default=None
        The labels of the rows of an array. A frame or a dict needs none.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y, sample_weight=None)``: minus :func:`expected_cost`.

    Raises
    ------
    ValueError
        If the matrix is not a cost matrix for this number of classes, or an array has no labels.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from skimbal.metrics import make_cost_scorer
    >>> X, y = [[0], [1], [2], [3]], ["no", "no", "no", "yes"]
    >>> scorer = make_cost_scorer([[0, 1], [9, 0]], labels=["no", "yes"])
    >>> scorer(DummyClassifier().fit(X, y), X, y)
    -2.25
    >>> scorer = make_cost_scorer({("yes", "no"): 9})
    >>> scorer(DummyClassifier().fit(X, y), X, y)
    -2.25
    """
    options: dict[str, Any] = {}
    if labels is not None or not isinstance(cost_matrix, Mapping):
        rows = options["labels"] = _labels_of_rows(cost_matrix, labels)
        cost_matrix = matrix_by_label(cost_matrix, rows, "cost_matrix", is_outer=True)
        cost_matrix = check_cost_matrix(cost_matrix, rows.size)
    return sklearn.metrics.make_scorer(
        expected_cost, greater_is_better=False, cost_matrix=cost_matrix, **options
    )


def _labels_of_rows(cost_matrix, labels):
    """The labels that are given, or those of a frame, as an array."""
    if labels is None and carries_labels(cost_matrix):
        labels = named_labels(cost_matrix, "cost_matrix")
    if labels is None:
        raise ValueError(
            "labels is None, but an array of costs has no labels; give the labels of its rows, or "
            "give the costs as a frame or a dict"
        )
    return check_distinct(labels)


class _ConfusionScore:
    """Score of labels made from a vectorized function of confusion matrices."""

    def __init__(self, function, name):
        self.function = function
        self.__name__ = name

    def __call__(self, y_true, y_pred, *, labels=None, sample_weight=None):
        _, confusion = count_confusion(y_true, y_pred, labels=labels, sample_weight=sample_weight)
        return float(self.function(confusion))


def make_confusion_scorer(
    function: Callable, *, name: str | None = None, labels: ArrayLike | None = None
) -> Callable:
    """Make a scorer from a vectorized function of confusion matrices.

    A search over costs can score a whole population with such a function in one call.

    Parameters
    ----------
    function : callable
        Takes weighted confusion matrices of shape (..., n_classes, n_classes), whose rows are the
        true classes. Returns scores of shape (...,); higher is better.
    name : str, default=None
        Name of the scorer; None for that of the function.
    labels : array-like of shape (n_classes,), default=None
        Labels of rows and columns, for a function that depends on the order of the classes. None
        for the sorted labels that occur.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y, sample_weight=None)``.

    Raises
    ------
    ValueError
        If the function is not vectorized. It is tried on stacks of matrices.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyClassifier
    >>> from skimbal.metrics import make_confusion_scorer
    >>> def worst_recall(confusion):
    ...     support = np.maximum(confusion.sum(axis=-1), 1)
    ...     return (confusion.diagonal(axis1=-2, axis2=-1) / support).min(axis=-1)
    >>> scorer = make_confusion_scorer(worst_recall)
    >>> X, y = [[0], [1], [2]], ["no", "no", "yes"]
    >>> scorer(DummyClassifier().fit(X, y), X, y)
    0.0
    """
    name = name or getattr(function, "__name__", type(function).__name__)
    options = {} if labels is None else {"labels": np.asarray(labels)}
    n_classes = len(options.get("labels", (0, 1)))
    stack = np.arange(1.0, 1.0 + 6 * n_classes**2).reshape(2, 3, n_classes, n_classes)
    for confusion in (stack, stack[0], stack[0, 0]):
        shape = np.shape(function(confusion))
        if shape != confusion.shape[:-2]:
            raise ValueError(
                f"{name} returned shape {shape} for confusion matrices of shape {confusion.shape}; "
                f"it must return {confusion.shape[:-2]}, one score for each matrix; index the "
                "matrices from the end, as in confusion[..., 1, 1]"
            )
    return sklearn.metrics.make_scorer(_ConfusionScore(function, name), **options)


def confusion_score(
    scorer: str | Callable, classes: ArrayLike | None = None
) -> Callable[[NDArray], NDArray] | None:
    """Return a vectorized function of confusion matrices with the same score, if one is known.

    Parameters
    ----------
    scorer : str or callable
        As for :func:`get_scorer`.
    classes : array-like of shape (n_classes,), default=None
        Labels of the rows and columns. They are needed for scorers with labels, such as ``"f1"`` of
        scikit-learn and those of :func:`make_cost_scorer`.

    Returns
    -------
    function : callable or None
        Maps matrices (..., n_classes, n_classes), whose rows are the true classes, to scores
        (...,); higher is better. None if no such function is known; use :func:`score_labels`.

    Raises
    ------
    ValueError
        If the scorer has labels that are not among `classes`.

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal.metrics import confusion_score
    >>> confusion_score("accuracy")(np.array([[[3, 1], [0, 4]], [[4, 0], [0, 4]]]))
    array([0.875, 1.   ])
    >>> confusion_score("roc_auc") is None
    True
    """
    scorer = get_scorer(scorer)
    if classes is not None:
        check_positive_class(scorer, classes)
    # make_scorer keeps its arguments in private attributes; without them, the slow path is taken.
    function = getattr(scorer, "_score_func", None)
    options = getattr(scorer, "_kwargs", {})
    if getattr(scorer, "_response_method", "predict") != "predict":
        return None
    score = _plain_confusion_score(function, options, classes)
    is_negated = score is not None and getattr(scorer, "_sign", 1) < 0
    return partial(_negated, score) if is_negated else score


def _plain_confusion_score(function, options, classes):
    """The score as a function of the confusion matrix, without the sign of the scorer."""
    if function is expected_cost and set(options) == {"cost_matrix"}:
        if classes is None:
            return None
        matrix = matrix_by_label(options["cost_matrix"], classes, "cost_matrix")
        matrix = check_cost_matrix(matrix, len(matrix))
        return partial(expected_cost_from_confusion, cost_matrix=matrix)
    if function is expected_cost and set(options) == {"cost_matrix", "labels"}:
        order = _positions(options["labels"], classes)
        matrix = options["cost_matrix"][np.ix_(order, order)]
        return partial(expected_cost_from_confusion, cost_matrix=matrix)
    if isinstance(function, _ConfusionScore) and set(options) <= {"labels"}:
        if not options:
            return function.function
        order = np.argsort(_positions(options["labels"], classes))
        return partial(_on_reordered, function.function, order)
    if function in _FROM_CONFUSION and not options:
        return _FROM_CONFUSION[function]
    return confusion_form(function, options, classes)


def _positions(labels, classes):
    """Index in `labels` of each class."""
    if classes is None:
        return np.arange(len(labels))
    labels, classes = keys_as_in(classes, labels), label_list(classes)
    missing = [label for label in classes if label not in labels]
    if missing:
        raise ValueError(
            f"the scorer has the labels {labels}, but the classes {missing} occur too; make it "
            "with all labels"
        )
    return np.array([labels.index(label) for label in classes])


def _on_reordered(function, order, confusion):
    return function(confusion[..., order[:, np.newaxis], order])


def _negated(score, confusion):
    return -score(confusion)


class _FixedLabelClassifier(ClassifierMixin, BaseEstimator):
    """Classifier that predicts its input, and that records requests for probabilities."""

    def __init__(self, classes):
        self.classes = classes
        self.classes_ = np.asarray(classes)
        self.requested_ = None

    def __sklearn_is_fitted__(self):
        return True

    def predict(self, X):
        """Return the samples, which are the labels."""
        return np.asarray(X)

    def __getattr__(self, name):
        if name in ("predict_proba", "predict_log_proba", "decision_function"):
            self.requested_ = self.requested_ or name
        raise AttributeError(name)


def score_labels(
    scorer: str | Callable,
    classes: ArrayLike,
    y_true: ArrayLike,
    y_pred: ArrayLike,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Score labels with any scikit-learn scorer that takes labels.

    Parameters
    ----------
    scorer : str or callable
        As for :func:`get_scorer`.
    classes : array-like of shape (n_classes,)
        All labels: the ``classes_`` of the classifier.
    y_true, y_pred : array-like of shape (n_samples,)
        True and predicted labels.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample.

    Returns
    -------
    score : float
        The score; higher is better.

    Raises
    ------
    ValueError
        If the scorer needs more than labels, fails, or does not return a number.

    Examples
    --------
    >>> from skimbal.metrics import score_labels
    >>> score_labels("matthews_corrcoef", [0, 1], [0, 0, 1, 1], [0, 0, 1, 1])
    1.0
    """
    scorer = get_scorer(scorer)
    proxy = _FixedLabelClassifier(classes)
    options = {} if sample_weight is None else {"sample_weight": sample_weight}
    try:
        score = _call_scorer(scorer, proxy, np.asarray(y_pred), np.asarray(y_true), options)
    except Exception as error:
        raise ValueError(_failure_message(scorer, proxy.requested_, error, options)) from error
    if hasattr(score, "item"):
        with suppress(ValueError, RuntimeError):  # an array or a tensor of several entries
            score = score.item()
    if not isinstance(score, Real):
        raise ValueError(f"scorer {scorer!r} returned {score!r}, but a score must be one number")
    return float(score)


def _call_scorer(scorer, proxy, y_pred, y_true, options):
    """Call a scorer; those that `make_scorer` makes of functions of labels without their checks.

    The checks of the labels take about 1 ms, and a search over costs makes thousands of calls.
    """
    if type(scorer) is _Scorer and scorer._response_method == "predict":
        options = scorer._kwargs | options
        return scorer._sign * scorer._score_func(y_true, y_pred, **options)
    return scorer(proxy, y_pred, y_true, **options)


def _failure_message(scorer, requested, error, options):
    """Why a scorer could not score labels, and what to do."""
    if requested is not None:
        return (
            f"scorer {scorer!r} needs probabilities ({requested}), but costs choose labels; "
            "use a scorer of labels such as g_mean"
        )
    if options and isinstance(error, TypeError) and "sample_weight" in str(error):
        return (
            f"scorer {scorer!r} takes no sample_weight ({error}); give its function a parameter "
            "sample_weight, or fit without weights"
        )
    return (
        f"scorer {scorer!r} failed with {type(error).__name__}: {error}; a search over costs gives "
        "a scorer arrays of labels and no inputs; what else a score needs, such as amounts, is "
        "metadata, as in make_scorer(...).set_score_request(amount=True)"
    )


def check_label_scorer(
    scorer: str | Callable, classes: ArrayLike = (0, 1), *, is_weighted: bool = False
) -> Callable:
    """Return the scorer, or raise an error if it needs more than labels.

    The scorer is tried on a few labels, so a wrong one is refused before any training.

    Parameters
    ----------
    scorer : str or callable
        As for :func:`get_scorer`.
    classes : array-like of shape (n_classes,), default=(0, 1)
        Labels to try it on.
    is_weighted : bool, default=False
        Whether it must take sample weights.

    Returns
    -------
    scorer : callable
        The scorer, or the one with this name.

    Raises
    ------
    ValueError
        If the name is unknown, or the scorer needs more than labels, does not take these classes
        or weights, or does not return a finite number.

    Examples
    --------
    >>> from skimbal.metrics import check_label_scorer
    >>> check_label_scorer("g_mean")
    make_scorer(g_mean, response_method='predict')
    """
    scorer = get_scorer(scorer)
    if getattr(scorer, "_response_method", None) == "predict":
        check_positive_class(scorer, classes)
    y_true = np.repeat(np.asarray(classes), 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        weight = np.ones(len(y_true)) if is_weighted else None
        score = score_labels(scorer, classes, y_true, np.roll(y_true, 1), weight)
    if not np.isfinite(score):
        raise ValueError(
            f"scorer {scorer!r} returned {score} on labels of every class; use a scorer of "
            "labels such as g_mean"
        )
    return scorer
