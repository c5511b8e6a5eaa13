"""What predictions cost, by a matrix of misclassification costs.

Entry (i, j) of a cost matrix is the cost of predicting ``labels[j]`` when the truth is
``labels[i]``.

References
----------
C. Elkan, "The foundations of cost-sensitive learning", IJCAI 2001, pp. 973-978,
https://dl.acm.org/doi/10.5555/1642194.1642224
"""

import warnings

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning

from skimbal._utils._validation import check_cost_matrix
from skimbal.metrics._scores import class_support, count_confusion


def expected_cost_from_confusion(confusion, cost_matrix):
    """Mean cost a sample, from confusion matrices.

    Parameters
    ----------
    confusion : ndarray of shape (..., n_classes, n_classes)
        Confusion matrices, weighted; rows are the truth, columns the predictions.
    cost_matrix : ndarray of shape (n_classes, n_classes)
        Cost of predicting class j (column) when the truth is class i (row).

    Returns
    -------
    costs : ndarray of shape (...,)
        >= 0, in the unit of `cost_matrix`; lower is better.

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal.metrics import expected_cost_from_confusion
    >>> expected_cost_from_confusion(np.array([[8, 1], [0, 1]]), np.array([[0, 2], [5, 0]])).item()
    0.2
    """
    total = np.einsum("...ij,ij->...", confusion, cost_matrix)
    return total / np.einsum("...ij->...", confusion)


def best_constant_cost(confusion, cost_matrix):
    """Mean cost a sample if all are predicted as the one class that makes this cheapest, (...,)."""
    support = class_support(confusion)
    costs = np.einsum("...i,ij->...j", support, cost_matrix)
    return costs.min(axis=-1) / np.einsum("...i->...", support)


def expected_cost(y_true, y_pred, cost_matrix, *, labels=None, sample_weight=None):
    r"""Mean misclassification cost a sample.

    .. math:: \frac{\sum_n s_n \, C_{y_n, \hat{y}_n}}{\sum_n s_n}

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        True and predicted labels.
    cost_matrix : array-like of shape (n_classes, n_classes)
        Cost of predicting ``labels[j]`` (column) when the truth is ``labels[i]`` (row); not
        negative, 0 on the diagonal.
    labels : array-like of shape (n_classes,), default=None
        The labels of the rows; None for the sorted labels that occur.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample.

    Returns
    -------
    cost : float
        >= 0, in the unit of `cost_matrix`; lower is better.

    Raises
    ------
    ValueError
        If the matrix is no cost matrix of that many classes.

    Examples
    --------
    >>> from skimbal.metrics import expected_cost
    >>> expected_cost([0, 0, 0, 1], [0, 0, 1, 0], [[0, 1], [9, 0]])
    2.5
    """
    confusion, matrix = _count(y_true, y_pred, cost_matrix, labels, sample_weight)
    return float(expected_cost_from_confusion(confusion, matrix))


def cost_savings(y_true, y_pred, cost_matrix, *, labels=None, sample_weight=None):
    r"""Fraction of the cost that is saved against the cheapest constant prediction.

    .. math:: 1 - \frac{\sum_n s_n \, C_{y_n, \hat{y}_n}}{\min_j \sum_n s_n \, C_{y_n, j}}

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        True and predicted labels.
    cost_matrix : array-like of shape (n_classes, n_classes)
        Cost of predicting ``labels[j]`` (column) when the truth is ``labels[i]`` (row); not
        negative, 0 on the diagonal.
    labels : array-like of shape (n_classes,), default=None
        The labels of the rows; None for the sorted labels that occur.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample.

    Returns
    -------
    savings : float
        1 where nothing is lost, 0 where one class for everyone is as good, negative where that is
        better. Where a constant prediction costs nothing it is 0 for predictions that cost
        nothing either, minus infinity for others.

    Raises
    ------
    ValueError
        If the matrix is no cost matrix of that many classes.

    Warns
    -----
    UndefinedMetricWarning
        If a constant prediction costs nothing.

    Examples
    --------
    >>> from skimbal.metrics import cost_savings
    >>> cost_savings([0, 0, 0, 1], [0, 0, 1, 1], [[0, 1], [9, 0]])
    0.6666666666666667
    """
    confusion, matrix = _count(y_true, y_pred, cost_matrix, labels, sample_weight)
    cost = float(expected_cost_from_confusion(confusion, matrix))
    constant = float(best_constant_cost(confusion, matrix))
    if constant > 0:
        return 1.0 - cost / constant
    warnings.warn(
        "cost_savings: one class for every sample costs nothing here, so there is nothing to save",
        UndefinedMetricWarning,
        stacklevel=2,
    )
    return 0.0 if cost == 0 else -np.inf


def _count(y_true, y_pred, cost_matrix, labels, sample_weight):
    """Confusion matrix and checked cost matrix of the same labels."""
    given = labels is not None
    labels, confusion = count_confusion(y_true, y_pred, labels=labels, sample_weight=sample_weight)
    shape = np.shape(cost_matrix)
    if not given and len(shape) == 2 and shape[0] == shape[1] > labels.size:
        raise ValueError(
            f"cost_matrix has {shape[0]} classes, but only the labels {labels.tolist()} occur; "
            "name the labels of its rows with labels=[...]"
        )
    return confusion, check_cost_matrix(cost_matrix, labels.size)
