"""Decisions from predicted probabilities and misclassification costs: pure functions of arrays.

A decision is the class with the lowest expected cost (Elkan 2001). With one cost for each true
class, it is the class with the largest product of probability and cost.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skimbal._utils._labels import (
    carries_labels,
    column_labels,
    matrix_by_label,
    named_labels,
    sorted_by_label,
    vector_by_label,
)
from skimbal._utils._validation import check_cost_matrix, regret_matrix


def cost_matrix_from_costs(costs: ArrayLike | Mapping) -> NDArray[np.float64]:
    """Cost matrix in which every error on class i costs ``costs[i]``.

    Parameters
    ----------
    costs : array-like of shape (n_classes,)
        Cost of an error on each true class, >= 0.

    Returns
    -------
    cost_matrix : ndarray of shape (n_classes, n_classes)
        ``costs[i]`` at (i, j) for i != j, 0 on the diagonal; rows are the true classes.

    Examples
    --------
    >>> from skimbal.metrics import cost_matrix_from_costs
    >>> cost_matrix_from_costs([1.0, 9.0])
    array([[0., 1.],
           [9., 0.]])
    """
    costs = _check_vector(costs, "costs")
    matrix = np.repeat(costs[:, np.newaxis], costs.size, axis=1)
    np.fill_diagonal(matrix, 0.0)
    return matrix


def decide(proba: ArrayLike, cost_matrix: ArrayLike | Mapping) -> NDArray[np.intp]:
    r"""Index of the class with the lowest expected cost, for each sample.

    .. math:: d(x) = \mathrm{arg} \min_j \sum_i p_i(x) \, C_{ij}

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_classes)
        Probability of each class, in the order of the rows of `cost_matrix`.
    cost_matrix : array-like of shape (n_classes, n_classes), frame or dict
        Cost of predicting class j (column) when the truth is class i (row); a gain is a negative
        cost. Costs by label go to the columns of a frame `proba` by name; for an array they are in
        the order of the sorted labels.

    Returns
    -------
    indices : ndarray of shape (n_samples,)
        Ties go to the lowest index.

    Raises
    ------
    ValueError
        If the cost matrix is not square, not finite, or has another number of classes than `proba`;
        if an error costs less than the correct prediction; or if all predictions cost the same.

    Notes
    -----
    If the matrix has one cost for each true class, the function calls :func:`decide_by_costs`, so
    that both agree to the bit, even in near ties.

    References
    ----------
    C. Elkan, "The Foundations of Cost-Sensitive Learning", IJCAI 2001, pp. 973-978, eq. 1.
    https://dl.acm.org/doi/10.5555/1642194.1642224

    Examples
    --------
    >>> from skimbal.metrics import decide
    >>> decide([[0.95, 0.05], [0.8, 0.2]], [[0, 1], [9, 0]])
    array([0, 1])
    """
    if carries_labels(cost_matrix):
        classes = _classes_of(proba, cost_matrix, "cost_matrix")
        cost_matrix = matrix_by_label(cost_matrix, classes, "cost_matrix", is_outer=True)
    proba = _check_proba(proba)
    matrix = regret_matrix(check_cost_matrix(cost_matrix, proba.shape[1]))
    costs = matrix.max(axis=1)
    if np.array_equal(matrix, cost_matrix_from_costs(costs)):
        return decide_by_costs(proba, costs)
    # einsum, not BLAS: the rounding of a row must not depend on the number of rows.
    return np.einsum("ni,ij->nj", proba, matrix).argmin(axis=1)


def decide_by_costs(proba: ArrayLike, costs: ArrayLike | Mapping) -> NDArray[np.intp]:
    r"""Index of the class with the largest probability times cost, for each sample.

    .. math:: d(x) = \mathrm{arg} \max_j \; p_j(x) \, c_j

    This is the decision of :func:`decide` with ``cost_matrix_from_costs(costs)``.

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_classes)
        Probability of each class.
    costs : array-like of shape (n_classes,) or (n_candidates, n_classes)
        Cost of an error on each true class, >= 0, or a population of such costs. Only ratios
        matter. The costs of a dict or a Series go by label, as in :func:`decide`.

    Returns
    -------
    indices : ndarray of shape (n_samples,) or (n_candidates, n_samples)
        Ties go to the lowest index.

    References
    ----------
    C. Zhang, K. C. Tan, H. Li and G. S. Hong, "A Cost-Sensitive Deep Belief Network for Imbalanced
    Classification", IEEE Transactions on Neural Networks and Learning Systems 30(1), 2019, pp.
    109-122, sec. III. doi:10.1109/TNNLS.2018.2832648.

    Examples
    --------
    >>> from skimbal.metrics import decide_by_costs
    >>> proba = [[0.95, 0.05], [0.8, 0.2]]
    >>> decide_by_costs(proba, [1, 9])
    array([0, 1])
    >>> decide_by_costs(proba, [[1, 1], [1, 9], [1, 99]])
    array([[0, 0],
           [0, 1],
           [1, 1]])
    """
    if carries_labels(costs):
        classes = _classes_of(proba, costs, "costs")
        costs = vector_by_label(costs, classes, "costs", is_outer=True)
    proba = _check_proba(proba)
    costs = np.asarray(costs, dtype=np.float64)
    if costs.ndim not in (1, 2) or costs.shape[-1] != proba.shape[1]:
        raise ValueError(
            f"costs has shape {costs.shape}, but proba has {proba.shape[1]} classes; give one cost "
            f"for each class, shape ({proba.shape[1]},) or (n_candidates, {proba.shape[1]})"
        )
    if proba.shape[1] == 2:  # several times as fast as argmax
        first, second = proba.T
        is_second = second * costs[..., 1, np.newaxis] > first * costs[..., 0, np.newaxis]
        return is_second.astype(np.intp)
    return (proba * costs[..., np.newaxis, :]).argmax(axis=-1)


def prior_costs(class_counts: ArrayLike | Mapping) -> NDArray[np.float64]:
    r"""Inverse class frequencies as costs, with geometric mean 1.

    .. math:: c_i \propto 1 / n_i

    With two classes, these costs put the threshold on the probability of a class at its frequency.

    Parameters
    ----------
    class_counts : array-like of shape (n_classes,), dict or Series
        Number, or total weight, of the samples of each class, > 0.

    Returns
    -------
    costs : ndarray of shape (n_classes,)
        Positive; the rarest class has the largest. The costs for counts by label are in the order
        of the sorted labels, that of `classes_`.

    References
    ----------
    N. Japkowicz and S. Stephen, "The Class Imbalance Problem: A Systematic Study", Intelligent Data
    Analysis 6(5), 2002, pp. 429-449 (cost-modifying). doi:10.3233/IDA-2002-6504.

    Examples
    --------
    >>> from skimbal.metrics import prior_costs
    >>> prior_costs([90, 10])
    array([0.33333333, 3.        ])
    """
    counts = _check_vector(class_counts, "class_counts")
    if not (counts > 0).all():
        raise ValueError(
            f"class_counts must be positive, got {counts.tolist()}; leave absent classes out"
        )
    return normalize_costs(1.0 / counts)


def inverse_frequency_cost_matrix(class_counts: ArrayLike | Mapping) -> NDArray[np.float64]:
    """Cost matrix in which an error costs the inverse frequency of the true class.

    Parameters
    ----------
    class_counts : array-like of shape (n_classes,)
        Number, or total weight, of the samples of each class, > 0.

    Returns
    -------
    cost_matrix : ndarray of shape (n_classes, n_classes)
        :func:`cost_matrix_from_costs` of :func:`prior_costs`.

    References
    ----------
    N. Japkowicz and S. Stephen, "The Class Imbalance Problem: A Systematic Study", Intelligent Data
    Analysis 6(5), 2002, pp. 429-449 (cost-modifying). doi:10.3233/IDA-2002-6504.

    Examples
    --------
    >>> from skimbal.metrics import inverse_frequency_cost_matrix
    >>> inverse_frequency_cost_matrix([80, 20])
    array([[0. , 0.5],
           [2. , 0. ]])
    """
    return cost_matrix_from_costs(prior_costs(class_counts))


def normalize_costs(costs: ArrayLike | Mapping) -> NDArray[np.float64]:
    r"""Scale costs to geometric mean 1, which changes no decision.

    .. math:: \log c_i \leftarrow \log c_i - \frac{1}{k} \sum_j \log c_j

    Parameters
    ----------
    costs : array-like of shape (..., n_classes), dict or Series
        Costs, > 0 and finite.

    Returns
    -------
    costs : ndarray of shape (..., n_classes)
        Costs in the same ratios. Costs by label come in the order of the sorted labels.

    Examples
    --------
    >>> from skimbal.metrics import normalize_costs
    >>> normalize_costs([1.0, 16.0])
    array([0.25, 4.  ])
    """
    costs = np.asarray(sorted_by_label(costs, "costs"), dtype=np.float64)
    if costs.ndim == 0 or costs.shape[-1] == 0:
        raise ValueError(f"costs has shape {costs.shape}; give one cost for each class")
    if not (np.isfinite(costs).all() and (costs > 0).all()):
        raise ValueError(
            f"costs must be positive and finite, got {costs.tolist()}; leave out classes whose "
            "errors cost nothing"
        )
    logarithms = np.log(costs)
    return np.exp(logarithms - logarithms.mean(axis=-1, keepdims=True))


def _classes_of(proba, costs, name):
    """The labels of the columns: those of a frame, or for an array those of the costs, sorted."""
    columns = column_labels(proba)
    return named_labels(costs, name) if columns is None else columns


def _check_vector(values, name) -> NDArray[np.float64]:
    vector = np.asarray(sorted_by_label(values, name), dtype=np.float64)
    if vector.ndim != 1 or vector.size == 0:
        raise ValueError(f"{name} has shape {vector.shape}; give one number for each class")
    if not np.isfinite(vector).all() or (vector < 0).any():
        raise ValueError(f"{name} must be finite and not negative, got {vector.tolist()}")
    return vector


def _check_proba(proba) -> NDArray:
    proba = np.asarray(proba)
    if proba.ndim != 2:
        raise ValueError(
            f"proba has shape {proba.shape}; give a table of shape (n_samples, n_classes)"
        )
    return proba
