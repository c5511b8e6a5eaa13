"""Decisions from posteriors and misclassification costs: pure functions of arrays.

A decision has the least expected cost (Elkan 2001, https://dl.acm.org/doi/10.5555/1642194.1642224).
With one cost for each true class it is the largest posterior times cost, which is how the
evolutionary cost-sensitive deep belief network decides (Zhang et al. 2019,
https://doi.org/10.1109/TNNLS.2018.2832648).
"""

import numpy as np

from skimbal._utils._validation import check_cost_matrix


def cost_matrix_from_costs(costs):
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


def decide(proba, cost_matrix):
    r"""Index of the class with the least expected cost, for each sample.

    .. math:: d(x) = \mathrm{arg} \min_j \sum_i p_i(x) \, C_{ij}

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_classes)
        Posterior of each class, in the order of the rows of `cost_matrix`.
    cost_matrix : array-like of shape (n_classes, n_classes)
        Cost of predicting class j (column) when the truth is class i (row).

    Returns
    -------
    indices : ndarray of shape (n_samples,)
        Ties go to the lowest index.

    Raises
    ------
    ValueError
        If the cost matrix is not square, negative, not finite, all zero, of another number of
        classes than `proba`, or has a costly diagonal.

    Notes
    -----
    Equation 1 of Elkan (2001). A matrix made of one cost for each true class takes the path of
    :func:`decide_by_costs`, so that both agree to the bit, in near ties too.

    Examples
    --------
    >>> from skimbal.metrics import decide
    >>> decide([[0.95, 0.05], [0.8, 0.2]], [[0, 1], [9, 0]])
    array([0, 1])
    """
    proba = _check_proba(proba)
    matrix = check_cost_matrix(cost_matrix, proba.shape[1])
    costs = matrix.max(axis=1)
    if np.array_equal(matrix, cost_matrix_from_costs(costs)):
        return decide_by_costs(proba, costs)
    # einsum, not BLAS: the rounding of a row must not depend on how many rows there are.
    return np.einsum("ni,ij->nj", proba, matrix).argmin(axis=1)


def decide_by_costs(proba, costs):
    r"""Index of the class with the largest posterior times cost, for each sample.

    .. math:: d(x) = \mathrm{arg} \max_j \; p_j(x) \, c_j

    The same decision as :func:`decide` with ``cost_matrix_from_costs(costs)``.

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_classes)
        Posterior of each class.
    costs : array-like of shape (n_classes,) or (n_candidates, n_classes)
        Cost of an error on each true class, >= 0, or a population of such costs. Only ratios
        matter.

    Returns
    -------
    indices : ndarray of shape (n_samples,) or (n_candidates, n_samples)
        Ties go to the lowest index.

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
    proba = _check_proba(proba)
    costs = np.asarray(costs, dtype=np.float64)
    if costs.ndim not in (1, 2) or costs.shape[-1] != proba.shape[1]:
        raise ValueError(
            f"costs has shape {costs.shape}, but proba has {proba.shape[1]} classes; give one cost "
            f"a class, of shape ({proba.shape[1]},) or (n_candidates, {proba.shape[1]})"
        )
    return (proba * costs[..., np.newaxis, :]).argmax(axis=-1)


def prior_costs(class_counts):
    r"""Inverse class frequencies as costs, with geometric mean 1.

    .. math:: c_i \propto 1 / n_i

    With two classes these costs put the threshold on the posterior at the prevalence.

    Parameters
    ----------
    class_counts : array-like of shape (n_classes,)
        Number, or total weight, of the samples of each class, > 0.

    Returns
    -------
    costs : ndarray of shape (n_classes,)
        Positive, the largest for the rarest class.

    Examples
    --------
    >>> from skimbal.metrics import prior_costs
    >>> prior_costs([90, 10])
    array([0.33333333, 3.        ])
    """
    counts = _check_vector(class_counts, "class_counts")
    if not (counts > 0).all():
        raise ValueError(
            f"class_counts must be positive, got {counts.tolist()}; an absent class has no prior, "
            "so leave it out"
        )
    return normalize_costs(1.0 / counts)


def inverse_frequency_cost_matrix(class_counts):
    """Cost matrix in which an error costs the inverse frequency of its true class.

    Parameters
    ----------
    class_counts : array-like of shape (n_classes,)
        Number, or total weight, of the samples of each class, > 0.

    Returns
    -------
    cost_matrix : ndarray of shape (n_classes, n_classes)
        :func:`cost_matrix_from_costs` of :func:`prior_costs`.

    Examples
    --------
    >>> from skimbal.metrics import inverse_frequency_cost_matrix
    >>> inverse_frequency_cost_matrix([80, 20])
    array([[0. , 0.5],
           [2. , 0. ]])
    """
    return cost_matrix_from_costs(prior_costs(class_counts))


def normalize_costs(costs):
    r"""Scale costs to geometric mean 1; their decisions stay the same.

    .. math:: \log c_i \leftarrow \log c_i - \frac{1}{k} \sum_j \log c_j

    Parameters
    ----------
    costs : array-like of shape (..., n_classes)
        Costs, > 0 and finite.

    Returns
    -------
    costs : ndarray of shape (..., n_classes)
        Positive, in the same ratios.

    Examples
    --------
    >>> from skimbal.metrics import normalize_costs
    >>> normalize_costs([1.0, 16.0])
    array([0.25, 4.  ])
    """
    costs = np.asarray(costs, dtype=np.float64)
    if costs.ndim == 0 or costs.shape[-1] == 0:
        raise ValueError(f"costs has shape {costs.shape}; give one cost a class")
    if not (np.isfinite(costs).all() and (costs > 0).all()):
        raise ValueError(
            f"costs must be positive and finite, got {costs.tolist()}; a class whose errors cost "
            "nothing has no place in a cost ratio"
        )
    logarithms = np.log(costs)
    return np.exp(logarithms - logarithms.mean(axis=-1, keepdims=True))


def _check_vector(values, name):
    vector = np.asarray(values, dtype=np.float64)
    if vector.ndim != 1 or vector.size == 0:
        raise ValueError(f"{name} has shape {vector.shape}; give one number a class")
    if not np.isfinite(vector).all() or (vector < 0).any():
        raise ValueError(f"{name} must be finite and not negative, got {vector.tolist()}")
    return vector


def _check_proba(proba):
    proba = np.asarray(proba)
    if proba.ndim != 2:
        raise ValueError(
            f"proba has shape {proba.shape}; give a table of shape (n_samples, n_classes)"
        )
    return proba
