"""The cost of predictions, by a matrix of misclassification costs.

Entry (i, j) of a cost matrix is the cost of predicting ``labels[j]`` if the truth is ``labels[i]``.
"""

import warnings
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.utils.multiclass import unique_labels

from skimbal._utils._labels import (
    carries_labels,
    keys_as_in,
    label_list,
    matrix_by_label,
    named_labels,
)
from skimbal._utils._validation import check_cost_matrix, regret_matrix
from skimbal.metrics._scores import OptArray, class_support, count_confusion


def expected_cost_from_confusion(confusion, cost_matrix):
    """Mean cost per sample (...,), from confusion matrices (..., n_classes, n_classes)."""
    total = np.einsum("...ij,ij->...", confusion, cost_matrix)
    return total / np.einsum("...ij->...", confusion)


def best_constant_cost(confusion, cost_matrix):
    """Mean cost per sample of the cheapest constant prediction, (...,)."""
    support = class_support(confusion)
    costs = np.einsum("...i,ij->...j", support, cost_matrix)
    return costs.min(axis=-1) / np.einsum("...i->...", support)


def expected_cost(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    cost_matrix: ArrayLike | Mapping,
    *,
    labels: OptArray = None,
    sample_weight: OptArray = None,
) -> float:
    r"""Mean misclassification cost per sample.

    .. math:: \frac{\sum_n s_n \, C_{y_n, \hat{y}_n}}{\sum_n s_n}

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        True and predicted labels.
    cost_matrix : array-like of shape (n_classes, n_classes), frame or dict
        Cost of predicting ``labels[j]`` (column) when the truth is ``labels[i]`` (row). A gain is a
        negative cost. An error costs at least as much as the correct prediction of its row. A frame
        goes by the labels of its rows and columns. A dict maps pairs (true label, predicted label)
        to costs; other errors cost 1, other correct predictions 0.
    labels : array-like of shape (n_classes,), default=None
        Labels of the rows of an array; None for the sorted labels that occur.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample.

    Returns
    -------
    cost : float
        In the unit of `cost_matrix`; lower is better. A negative cost is a gain.

    Raises
    ------
    ValueError
        If the matrix is not a cost matrix for this number of classes, or if a frame lacks a label
        that occurs.

    References
    ----------
    C. Elkan, "The Foundations of Cost-Sensitive Learning", IJCAI 2001, pp. 973-978, sec. 1.
    https://dl.acm.org/doi/10.5555/1642194.1642224

    Examples
    --------
    >>> from skimbal.metrics import expected_cost
    >>> expected_cost([0, 0, 0, 1], [0, 0, 1, 0], [[0, 1], [9, 0]])
    2.5
    """
    confusion, matrix = _count(y_true, y_pred, cost_matrix, labels, sample_weight)
    return float(expected_cost_from_confusion(confusion, matrix))


def cost_savings(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    cost_matrix: ArrayLike | Mapping,
    *,
    labels: OptArray = None,
    sample_weight: OptArray = None,
) -> float:
    r"""Fraction of the cost of the cheapest constant prediction that is saved.

    .. math:: 1 - \frac{\sum_n s_n \, R_{y_n, \hat{y}_n}}{\min_j \sum_n s_n \, R_{y_n, j}},
       \quad R_{ij} = C_{ij} - C_{ii}

    R is the cost above that of the correct prediction. It is C itself if correct predictions cost
    nothing.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        True and predicted labels.
    cost_matrix : array-like of shape (n_classes, n_classes), frame or dict
        Cost of predicting ``labels[j]`` (column) when the truth is ``labels[i]`` (row). A gain is a
        negative cost. An error costs at least as much as the correct prediction of its row. A frame
        goes by the labels of its rows and columns. A dict maps pairs (true label, predicted label)
        to costs; other errors cost 1, other correct predictions 0.
    labels : array-like of shape (n_classes,), default=None
        Labels of the rows of an array; None for the sorted labels that occur.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample.

    Returns
    -------
    savings : float
        1 if all predictions are as cheap as the correct ones, 0 if they cost as much as the best
        constant prediction, negative if they cost more. If a constant prediction is as cheap as the
        correct ones, the result is 0 for predictions that are, and minus infinity for others.

    Raises
    ------
    ValueError
        If the matrix is not a cost matrix for this number of classes, or if a frame lacks a label
        that occurs.

    Warns
    -----
    UndefinedMetricWarning
        If a constant prediction is as cheap as the correct ones.

    References
    ----------
    A. Correa Bahnsen, D. Aouada and B. Ottersten, "Example-Dependent Cost-Sensitive Decision
    Trees", Expert Systems with Applications 42(19), 2015, pp. 6609-6619, sec. 2.
    doi:10.1016/j.eswa.2015.04.042.

    Examples
    --------
    >>> from skimbal.metrics import cost_savings
    >>> cost_savings([0, 0, 0, 1], [0, 0, 1, 1], [[0, 1], [9, 0]])
    0.6666666666666667
    """
    confusion, matrix = _count(y_true, y_pred, cost_matrix, labels, sample_weight)
    matrix = regret_matrix(matrix)
    cost = float(expected_cost_from_confusion(confusion, matrix))
    constant = float(best_constant_cost(confusion, matrix))
    if constant > 0:
        return 1.0 - cost / constant
    warnings.warn(
        "cost_savings is undefined: predicting one class for every sample is already as cheap as "
        "the truth",
        UndefinedMetricWarning,
        stacklevel=2,
    )
    return 0.0 if cost == 0 else -np.inf


def _count(y_true, y_pred, cost_matrix, labels, sample_weight):
    """Confusion matrix and checked cost matrix for the same labels."""
    if carries_labels(cost_matrix):
        if labels is None:
            labels = _labels_of_costs(cost_matrix, unique_labels(y_true, y_pred))
        cost_matrix = matrix_by_label(cost_matrix, labels, "cost_matrix", is_outer=True)
    given = labels is not None
    labels, confusion = count_confusion(y_true, y_pred, labels=labels, sample_weight=sample_weight)
    shape = np.shape(cost_matrix)
    if not given and len(shape) == 2 and shape[0] == shape[1] > labels.size:
        raise ValueError(
            f"cost_matrix has {shape[0]} classes, but only the labels {labels.tolist()} occur; "
            "give the labels of its rows with labels=[...]"
        )
    return confusion, check_cost_matrix(cost_matrix, labels.size)


def _labels_of_costs(cost_matrix, occurring):
    """All labels for costs by label: those that the costs name, and for a dict those that occur."""
    named = keys_as_in(occurring, named_labels(cost_matrix, "cost_matrix"))
    occurring = label_list(occurring)
    missing = [label for label in occurring if label not in named]
    if not missing:
        return named
    if not isinstance(cost_matrix, Mapping) or len(missing) == len(occurring):
        raise ValueError(
            f"cost_matrix has costs for the labels {named}, but {missing} occur in y_true or "
            "y_pred; add them to the costs"
        )
    matrix_by_label(cost_matrix, occurring, "cost_matrix")  # warns of names that do not occur
    return named + missing
