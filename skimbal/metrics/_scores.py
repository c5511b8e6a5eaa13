"""Scores for imbalanced classes, as functions of confusion matrices and of labels.

Every score is a vectorized function of weighted confusion matrices of shape
(..., n_classes, n_classes). Rows are the true classes and columns the predicted ones, as in
:func:`sklearn.metrics.confusion_matrix`. So a search over decisions can score thousands of matrices
in one call. The functions of labels count a confusion matrix and call these functions.
"""

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import confusion_matrix
from sklearn.utils import check_consistent_length
from sklearn.utils.multiclass import unique_labels
from sklearn.utils.validation import _check_sample_weight, column_or_1d

from skimbal._utils._labels import labels_as_in
from skimbal._utils._validation import in_safe_unit
from skimbal.exceptions import AbsentClassWarning

OptArray = ArrayLike | None


def _sum_last(values):
    """Sum over the last axis."""
    # Adding slices is up to 30 times faster than np.sum over a short last axis.
    first, *others = (values[..., j] for j in range(values.shape[-1]))
    return sum(others, first)


def class_support(confusion):
    """Weight of the samples of each true class, (..., n_classes): the sums of the rows."""
    return _sum_last(confusion)


def predicted_support(confusion):
    """Weight of the samples predicted as each class, (..., n_classes): the sums of the columns."""
    return _sum_last(confusion.swapaxes(-1, -2))


def _hits(confusion):
    return confusion.diagonal(axis1=-2, axis2=-1)


def _divide(numerator, denominator, empty):
    """Quotient, or `empty` where the denominator is zero; no warnings."""
    if denominator.all():
        return numerator / denominator
    quotient = np.full(np.shape(denominator), empty, dtype=np.float64)
    return np.divide(numerator, denominator, out=quotient, where=denominator != 0)[()]


def recall_from_confusion(confusion: NDArray) -> NDArray[np.float64]:
    """Recall of each class, from confusion matrices.

    Parameters
    ----------
    confusion : ndarray of shape (..., n_classes, n_classes)
        Weighted confusion matrices; rows are the true classes, columns the predicted ones.

    Returns
    -------
    recalls : ndarray of shape (..., n_classes)
        In [0, 1]; NaN for a class absent from the truth.

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal.metrics import recall_from_confusion
    >>> recall_from_confusion(np.array([[8, 2], [1, 3]]))
    array([0.8 , 0.75])
    """
    return _divide(_hits(confusion), class_support(confusion), np.nan)


def precision_from_confusion(confusion: NDArray) -> NDArray[np.float64]:
    """Precision (..., n_classes) of each class; NaN for a class that is never predicted."""
    return _divide(_hits(confusion), predicted_support(confusion), np.nan)


def g_mean_from_confusion(confusion: NDArray) -> NDArray[np.float64]:
    r"""Geometric mean of the recalls of the classes present in the truth.

    .. math:: G = \Big( \prod_{c \in P} R_c \Big)^{1 / |P|}

    Parameters
    ----------
    confusion : ndarray of shape (..., n_classes, n_classes)
        Weighted confusion matrices; rows are the true classes, columns the predicted ones.

    Returns
    -------
    scores : ndarray of shape (...,)
        In [0, 1]. Exactly 0 if a present class is never recognized, NaN for an empty matrix.

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal.metrics import g_mean_from_confusion
    >>> g_mean_from_confusion(np.array([[8, 0], [3, 1]])).item()
    0.5
    """
    support = class_support(confusion)
    recalls = _divide(_hits(confusion), support, 1.0)
    if recalls.shape[-1] == 2:
        product = recalls[..., 0] * recalls[..., 1]
        if support.all():
            return np.sqrt(product)
        n_present = (support != 0).sum(axis=-1)
        mean = np.where(n_present == 2, np.sqrt(product), product)
    else:
        n_present = (support != 0).sum(axis=-1)
        # Taking the roots first keeps the product of many recalls from underflowing.
        roots = recalls ** (1.0 / np.maximum(n_present, 1))[..., np.newaxis]
        mean = roots.prod(axis=-1)
    return mean[()] if n_present.all() else np.where(n_present == 0, np.nan, mean)[()]


def balanced_accuracy_from_confusion(confusion: NDArray) -> NDArray[np.float64]:
    """Mean recall of the classes present in the truth.

    Parameters
    ----------
    confusion : ndarray of shape (..., n_classes, n_classes)
        Weighted confusion matrices; rows are the true classes, columns the predicted ones.

    Returns
    -------
    scores : ndarray of shape (...,)
        In [0, 1]; NaN for an empty matrix.

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal.metrics import balanced_accuracy_from_confusion
    >>> balanced_accuracy_from_confusion(np.array([[8, 2], [1, 3]])).item()
    0.775
    """
    support = class_support(confusion)
    total = _sum_last(_divide(_hits(confusion), support, 0.0))
    if support.all():
        return total / support.shape[-1]
    return _divide(total, (support != 0).sum(axis=-1), np.nan)


def accuracy_from_confusion(confusion: NDArray) -> NDArray[np.float64]:
    """Fraction of the weight that is predicted correctly.

    Parameters
    ----------
    confusion : ndarray of shape (..., n_classes, n_classes)
        Weighted confusion matrices; rows are the true classes, columns the predicted ones.

    Returns
    -------
    scores : ndarray of shape (...,)
        In [0, 1]; NaN for an empty matrix.

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal.metrics import accuracy_from_confusion
    >>> accuracy_from_confusion(np.array([[8, 2], [1, 9]])).item()
    0.85
    """
    total = _sum_last(class_support(confusion))
    return _divide(_sum_last(_hits(confusion)), total, np.nan)


def _f1_per_class(confusion, occurrences):
    """F1 of each class; `occurrences` is the sum of its row and its column."""
    return _divide(2.0 * _hits(confusion), occurrences, 0.0)


def f1_from_confusion(confusion: NDArray, positive: int) -> NDArray[np.float64]:
    """F1 = 2 TP / (2 TP + FN + FP) of one class; 0 if it does not occur and is not predicted."""
    occurrences = class_support(confusion) + predicted_support(confusion)
    hits = confusion[..., positive, positive]
    return _divide(2.0 * hits, occurrences[..., positive], 0.0)


def macro_f1_from_confusion(confusion: NDArray) -> NDArray[np.float64]:
    """Mean F1 of the classes present in the truth or the predictions.

    Parameters
    ----------
    confusion : ndarray of shape (..., n_classes, n_classes)
        Weighted confusion matrices; rows are the true classes, columns the predicted ones.

    Returns
    -------
    scores : ndarray of shape (...,)
        In [0, 1]; NaN for an empty matrix.

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal.metrics import macro_f1_from_confusion
    >>> macro_f1_from_confusion(np.array([[8, 2], [2, 3]])).item()
    0.7
    """
    occurrences = class_support(confusion) + predicted_support(confusion)
    total = _sum_last(_f1_per_class(confusion, occurrences))
    if occurrences.all():
        return total / occurrences.shape[-1]
    return _divide(total, (occurrences != 0).sum(axis=-1), np.nan)


def count_confusion(
    y_true, y_pred, *, labels=None, sample_weight=None
) -> tuple[NDArray, NDArray[np.float64]]:
    """Labels and weighted confusion matrix.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        True and predicted labels.
    labels : array-like of shape (n_classes,), default=None
        All labels, in the order of the matrix; None for the sorted labels that occur.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample.

    Returns
    -------
    labels : ndarray of shape (n_classes,)
    confusion : ndarray of shape (n_classes, n_classes), float64
        Rows are the true classes, columns the predicted ones.

    Raises
    ------
    ValueError
        If the lengths differ, there is no sample, `labels` has a duplicate, or `labels` lacks a
        label that occurs.
    """
    y_true, y_pred = column_or_1d(y_true), column_or_1d(y_pred)
    check_consistent_length(y_true, y_pred)
    if y_true.size == 0:
        raise ValueError("y_true has no samples, but a score needs at least one; give samples")
    if sample_weight is not None:
        sample_weight = in_safe_unit(
            _check_sample_weight(sample_weight, y_true, ensure_non_negative=True)
        )
    occurring = unique_labels(y_true, y_pred)
    labels = occurring if labels is None else _check_labels(labels, occurring)
    if labels.size == 1:
        weight = y_true.size if sample_weight is None else sample_weight.sum()
        return labels, np.array([[weight]], dtype=np.float64)
    confusion = confusion_matrix(y_true, y_pred, labels=labels, sample_weight=sample_weight)
    return labels, confusion.astype(np.float64)


def check_distinct(labels: ArrayLike) -> NDArray:
    """Return a list of labels as an array, or raise a ValueError if it has duplicates."""
    labels = np.asarray(labels)
    if labels.ndim != 1 or np.unique(labels).size != labels.size:
        raise ValueError(f"labels must be a list of distinct labels, got {labels.tolist()}")
    return labels


def _check_labels(labels, occurring):
    labels = check_distinct(labels_as_in(occurring, labels))
    unknown = np.setdiff1d(occurring, labels)
    if unknown.size:
        raise ValueError(
            f"labels is {labels.tolist()}, but {unknown.tolist()} occur in y_true or y_pred; "
            "add them to labels"
        )
    return labels


def _warn_absent(
    score, labels, confusion, consequence="the score is over the classes that are present"
):
    """Warn if a class is absent from the truth, or if there is only one class."""
    present = class_support(confusion) != 0
    if not present.all():
        what = f"the classes {labels[~present].tolist()} are absent from y_true"
    elif labels.size == 1:
        what = f"y_true holds the class {labels.tolist()[0]!r} only"
    else:
        return
    warnings.warn(
        f"{score}: {what}; {consequence}. Use stratified folds or fewer folds, so that every fold "
        "has all classes",
        AbsentClassWarning,
        stacklevel=3,
    )


def g_mean(
    y_true: ArrayLike, y_pred: ArrayLike, *, labels: OptArray = None, sample_weight: OptArray = None
) -> float:
    r"""Geometric mean of the recalls of the classes present in the truth.

    .. math:: G = \Big( \prod_{c \in P} R_c \Big)^{1 / |P|}, \quad R_c = TP_c / (TP_c + FN_c)

    It is 0 if one class is never recognized. For two classes it is the square root of sensitivity
    times specificity.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        True and predicted labels.
    labels : array-like of shape (n_classes,), default=None
        All labels. A label that is absent from `y_true` gives a warning. None for those that occur.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample.

    Returns
    -------
    score : float
        In [0, 1].

    Warns
    -----
    AbsentClassWarning
        If a class is absent from `y_true`, or `y_true` and `y_pred` hold only one class. The score
        is then over the present classes; imbalanced-learn gives 0.

    References
    ----------
    M. Kubat and S. Matwin, "Addressing the curse of imbalanced training sets: one-sided
    selection", ICML 1997, pp. 179-186.

    Examples
    --------
    >>> from skimbal.metrics import g_mean
    >>> g_mean(["no", "no", "yes", "yes"], ["no", "no", "yes", "no"])
    0.7071067811865476
    """
    labels, confusion = count_confusion(y_true, y_pred, labels=labels, sample_weight=sample_weight)
    _warn_absent("g_mean", labels, confusion)
    return float(g_mean_from_confusion(confusion))


def balanced_accuracy(
    y_true: ArrayLike, y_pred: ArrayLike, *, labels: OptArray = None, sample_weight: OptArray = None
) -> float:
    """Mean recall of the classes present in the truth.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        True and predicted labels.
    labels : array-like of shape (n_classes,), default=None
        All labels. A label that is absent from `y_true` gives a warning. None for those that occur.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample.

    Returns
    -------
    score : float
        In [0, 1].

    Warns
    -----
    AbsentClassWarning
        If a class is absent from `y_true`, or `y_true` and `y_pred` hold only one class.

    References
    ----------
    K. H. Brodersen, C. S. Ong, K. E. Stephan and J. M. Buhmann, "The Balanced Accuracy and Its
    Posterior Distribution", ICPR 2010, pp. 3121-3124. doi:10.1109/ICPR.2010.764.

    Examples
    --------
    >>> from skimbal.metrics import balanced_accuracy
    >>> balanced_accuracy(["no", "no", "yes", "yes"], ["no", "no", "yes", "no"])
    0.75
    """
    labels, confusion = count_confusion(y_true, y_pred, labels=labels, sample_weight=sample_weight)
    _warn_absent("balanced_accuracy", labels, confusion)
    return float(balanced_accuracy_from_confusion(confusion))


def macro_f1(
    y_true: ArrayLike, y_pred: ArrayLike, *, labels: OptArray = None, sample_weight: OptArray = None
) -> float:
    r"""Mean F1 of the classes that occur in the truth or the predictions.

    .. math:: \frac{1}{k} \sum_c \frac{2 \, TP_c}{2 \, TP_c + FN_c + FP_c}

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        True and predicted labels.
    labels : array-like of shape (n_classes,), default=None
        All labels. Those that do not occur at all do not count. None for those that occur.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample.

    Returns
    -------
    score : float
        In [0, 1]; ``f1_score(average="macro", zero_division=0)`` of scikit-learn.

    Warns
    -----
    AbsentClassWarning
        If a class is absent from `y_true`, or `y_true` and `y_pred` hold only one class. A class
        that is predicted but absent has F1 0.

    References
    ----------
    M. Sokolova and G. Lapalme, "A Systematic Analysis of Performance Measures for Classification
    Tasks", Information Processing & Management 45(4), 2009, pp. 427-437, table 3.
    doi:10.1016/j.ipm.2009.03.002. The mean of the F1 scores: J. Opitz and S. Burst, "Macro F1 and
    Macro F1", 2019, arXiv:1911.03347.

    Examples
    --------
    >>> from skimbal.metrics import macro_f1
    >>> macro_f1(["a", "a", "b", "b"], ["a", "a", "b", "a"])
    0.7333333333333334
    """
    labels, confusion = count_confusion(y_true, y_pred, labels=labels, sample_weight=sample_weight)
    _warn_absent("macro_f1", labels, confusion, "those that are predicted count as 0")
    return float(macro_f1_from_confusion(confusion))


def recall_per_class(
    y_true: ArrayLike, y_pred: ArrayLike, *, labels: OptArray = None, sample_weight: OptArray = None
) -> NDArray[np.float64]:
    """Recall of each class: the fraction of its samples that are predicted as this class.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        True and predicted labels.
    labels : array-like of shape (n_classes,), default=None
        All labels, in the order of the result; None for the sorted labels that occur.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample.

    Returns
    -------
    recalls : ndarray of shape (n_classes,)
        In [0, 1]; NaN for a class absent from `y_true`.

    References
    ----------
    M. Sokolova and G. Lapalme, "A Systematic Analysis of Performance Measures for Classification
    Tasks", Information Processing & Management 45(4), 2009, pp. 427-437, table 2.
    doi:10.1016/j.ipm.2009.03.002.

    Examples
    --------
    >>> from skimbal.metrics import recall_per_class
    >>> recall_per_class([0, 0, 1, 1], [0, 0, 1, 0], labels=[0, 1, 2])
    array([1. , 0.5, nan])
    """
    _, confusion = count_confusion(y_true, y_pred, labels=labels, sample_weight=sample_weight)
    return recall_from_confusion(confusion)


def precision_per_class(
    y_true: ArrayLike, y_pred: ArrayLike, *, labels: OptArray = None, sample_weight: OptArray = None
) -> NDArray[np.float64]:
    """Precision of each class: the fraction of its predictions that are correct.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        True and predicted labels.
    labels : array-like of shape (n_classes,), default=None
        All labels, in the order of the result; None for the sorted labels that occur.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample.

    Returns
    -------
    precisions : ndarray of shape (n_classes,)
        In [0, 1]; NaN for a class that is never predicted.

    References
    ----------
    M. Sokolova and G. Lapalme, "A Systematic Analysis of Performance Measures for Classification
    Tasks", Information Processing & Management 45(4), 2009, pp. 427-437, table 2.
    doi:10.1016/j.ipm.2009.03.002.

    Examples
    --------
    >>> from skimbal.metrics import precision_per_class
    >>> precision_per_class([0, 0, 0, 1], [0, 0, 1, 1], labels=[0, 1, 2])
    array([1. , 0.5, nan])
    """
    _, confusion = count_confusion(y_true, y_pred, labels=labels, sample_weight=sample_weight)
    return precision_from_confusion(confusion)
