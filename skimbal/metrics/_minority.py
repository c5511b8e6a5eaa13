"""Scores of the rarest class in the truth, whatever its label.

scikit-learn's "f1", "precision", "recall" and "average_precision" are those of the class labeled 1.
These are those of the class with the smallest weight in `y_true`; of the last one in a tie.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score
from sklearn.metrics._scorer import _Scorer
from sklearn.utils.validation import column_or_1d

from skimbal.metrics._scores import (
    _divide,
    _warn_absent,
    class_support,
    count_confusion,
    predicted_support,
)


def _rarest(support):
    """Index of the smallest entry along the last axis; the last one in a tie."""
    return support.shape[-1] - 1 - support[..., ::-1].argmin(axis=-1)


def _of_rarest(confusion):
    """True positives, support and predictions of the rarest class of each matrix."""
    support, predicted = class_support(confusion), predicted_support(confusion)
    column = np.asarray(_rarest(support))[..., np.newaxis]
    hits = confusion.diagonal(axis1=-2, axis2=-1)
    return [np.take_along_axis(v, column, axis=-1)[..., 0] for v in (hits, support, predicted)]


def minority_f1_from_confusion(confusion: NDArray) -> NDArray[np.float64]:
    """F1 of the rarest class in the truth, the last one in a tie."""
    hits, support, predicted = _of_rarest(confusion)
    return _divide(2.0 * hits, support + predicted, 0.0)


def minority_precision_from_confusion(confusion: NDArray) -> NDArray[np.float64]:
    """Precision of the rarest class in the truth; 0 where it is never predicted."""
    hits, _, predicted = _of_rarest(confusion)
    return _divide(hits, predicted, 0.0)


def minority_recall_from_confusion(confusion: NDArray) -> NDArray[np.float64]:
    """Recall of the rarest class in the truth; 0 where it is absent."""
    hits, support, _ = _of_rarest(confusion)
    return _divide(hits, support, 0.0)


def _score(from_confusion, name, y_true, y_pred, labels, sample_weight):
    labels, confusion = count_confusion(y_true, y_pred, labels=labels, sample_weight=sample_weight)
    _warn_absent(name, labels, confusion)
    return 0.0 if labels.size == 1 else float(from_confusion(confusion))


def minority_f1(y_true, y_pred, *, labels=None, sample_weight=None):
    """F1 of the rarest class in `y_true` (the last label in a tie).

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        True and predicted labels.
    labels : array-like of shape (n_classes,), default=None
        All labels; None for those that occur.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample.

    Returns
    -------
    score : float
        In [0, 1]. If only one label occurs, it is 0, with a warning.

    Warns
    -----
    AbsentClassWarning
        If a class is absent from `y_true`.

    Examples
    --------
    >>> from skimbal.metrics import get_scorer
    >>> from sklearn.dummy import DummyClassifier
    >>> X, y = [[0], [1], [2], [3]], ["rare", "usual", "usual", "usual"]
    >>> rare = DummyClassifier(strategy="constant", constant="rare").fit(X, y)
    >>> get_scorer("minority_f1")(rare, X, y)
    0.4
    """
    return _score(minority_f1_from_confusion, "minority_f1", y_true, y_pred, labels, sample_weight)


def minority_precision(y_true, y_pred, *, labels=None, sample_weight=None):
    """Precision of the rarest class in `y_true`, as `minority_f1`; 0 if it is never predicted."""
    function, name = minority_precision_from_confusion, "minority_precision"
    return _score(function, name, y_true, y_pred, labels, sample_weight)


def minority_recall(y_true, y_pred, *, labels=None, sample_weight=None):
    """Recall of the rarest class in `y_true`, as `minority_f1`."""
    function, name = minority_recall_from_confusion, "minority_recall"
    return _score(function, name, y_true, y_pred, labels, sample_weight)


def minority_average_precision(y_true, y_score, *, labels=None, sample_weight=None):
    """Average precision of the rarest class in `y_true` (the last label in a tie).

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels.
    y_score : array-like of shape (n_samples,) or (n_samples, n_classes)
        Scores of the second of two labels, or a column of scores for each label.
    labels : array-like of shape (n_classes,), default=None
        The sorted labels; None for those of `y_true`.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample.

    Returns
    -------
    score : float
        In [0, 1]; 0, with a warning, if the rarest label is absent.

    Examples
    --------
    >>> from skimbal.metrics._minority import minority_average_precision
    >>> minority_average_precision(["rare", "usual", "usual"], [0.6, 0.9, 0.1])
    0.5
    """
    y_true, y_score = column_or_1d(y_true), np.asarray(y_score, dtype=np.float64)
    labels, confusion = count_confusion(y_true, y_true, labels=labels, sample_weight=sample_weight)
    _warn_absent("minority_average_precision", labels, confusion)
    n_columns = 2 if y_score.ndim == 1 else y_score.shape[1]
    if n_columns != max(labels.size, 2):
        raise ValueError(
            f"y_score has shape {y_score.shape}, but there are {labels.size} labels; give one "
            "column for each label, and labels=... if some of them are missing from y_true"
        )
    rarest = int(_rarest(confusion.diagonal()))
    is_rare = y_true == labels[rarest]
    if labels.size == 1 or not is_rare.any():
        return 0.0
    if y_score.ndim == 1:  # of the second label
        y_score = np.column_stack([-y_score, y_score])
    score = y_score[:, rarest]
    return float(average_precision_score(is_rare, score, sample_weight=sample_weight))


def with_unknown_labels(y_true, y_score, labels):
    """Add a constant column of scores for each true label that a classifier does not know.

    Returns
    -------
    y_score : ndarray of shape (n_samples,) or (n_samples, n_labels)
    labels : ndarray of shape (n_labels,)

    Raises
    ------
    ValueError
        If the classifier knows none of the true labels.
    """
    true, known = np.unique(y_true), np.asarray(labels).tolist()
    unknown = true[[label not in known for label in true.tolist()]]
    if unknown.size == true.size:
        raise ValueError(
            f"the classifier knows the classes {known}, but y has {true.tolist()}; give the labels "
            "of the training"
        )
    if not unknown.size:
        return y_score, labels
    y_score = np.asarray(y_score, dtype=np.float64)
    if y_score.ndim == 1:  # of the second label
        y_score = np.column_stack([-y_score, y_score])
    y_score = np.column_stack([y_score, np.zeros((len(y_score), unknown.size))])
    labels = np.concatenate([labels, unknown])
    order = np.argsort(labels)
    return y_score[:, order], labels[order]


def average_precision_of_rarest(y_true, y_score, *, labels, sample_weight=None):
    """`minority_average_precision` for a classifier with these labels, in a fold that has others.

    A label that the classifier does not know has a constant score, so its average precision is its
    frequency.
    """
    y_score, labels = with_unknown_labels(y_true, y_score, labels)
    return minority_average_precision(y_true, y_score, labels=labels, sample_weight=sample_weight)


class LabeledScorer(_Scorer):
    """scikit-learn's scorer for functions of scores, which need the labels of their columns."""

    def _score(self, method_caller, estimator, X, y_true, **kwargs):
        kwargs = {"labels": estimator.classes_, **kwargs}
        return super()._score(method_caller, estimator, X, y_true, **kwargs)


minority_average_precision_scorer = LabeledScorer(
    average_precision_of_rarest, 1, {}, ("predict_proba", "decision_function")
)
