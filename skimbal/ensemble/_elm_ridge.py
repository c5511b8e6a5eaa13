r"""Weighted ridge regression without intercept, and its leave-one-out predictions in closed form.

.. math:: \min_\beta \; \|\beta\|^2 + C \sum_i w_i \|t_i - h_i \beta\|^2

(Zong, Huang & Chen 2013, doi:10.1016/j.neucom.2012.08.010). With :math:`\tilde t_i = \sqrt{w_i}
t_i` and :math:`\tilde h_i = \sqrt{w_i} h_i`, the residuals are :math:`\tilde e = R \tilde t`. If
the samples of a unit G are left out, their residuals are :math:`R_{GG}^{-1} \tilde e_G` (the PRESS
residuals; for one sample :math:`\tilde e_i / R_{ii}`). The *primal* form has a matrix as large as
the number of features, the *dual* form as large as the number of samples.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack


@dataclass(frozen=True)
class Ridge:
    """A fitted weighted ridge regression.

    Attributes
    ----------
    coefficients : ndarray of shape (n_columns, n_targets)
        Of the features (primal), or of the kernel values with the samples (dual).
    left_out : ndarray of shape (n_samples, n_targets)
        Prediction of each sample by the regression without its unit.
    """

    coefficients: NDArray[np.float64]
    left_out: NDArray[np.float64]


def inverse_of_positive(matrix, C):
    """Inverse of a positive definite matrix, which is overwritten, or an error about C."""
    factor, status = lapack.dpotrf(matrix.T, lower=0, overwrite_a=True)
    if status == 0:
        inverse, status = lapack.dpotri(factor, lower=0, overwrite_c=True)
    if status != 0:
        raise ValueError(
            f"with C={C:g} the regression is singular in double precision; use a smaller C, which "
            "regularizes more"
        )
    np.copyto(inverse, inverse.T, where=np.tri(len(inverse), k=-1, dtype=bool))
    return inverse


def add_to_diagonal(matrix, value):
    """Add a value to the diagonal of a matrix, in place, and return the matrix."""
    matrix[np.diag_indices(len(matrix))] += value
    return matrix


def left_out_residuals(residuals, units, diagonal, block):
    """Residuals of samples when their unit is left out.

    Parameters
    ----------
    residuals : ndarray of shape (n_samples, n_targets)
        Residuals e = R t.
    units : ndarray of int of shape (n_samples,)
        Samples of one unit are left out together.
    diagonal : ndarray of shape (n_samples,)
        The diagonal of R.
    block : callable
        Returns R_GG for rows G.
    """
    left_out = residuals / diagonal[:, None]
    order = np.argsort(units, kind="stable")
    starts = np.flatnonzero(np.diff(units[order], prepend=-1))
    for rows in np.split(order, starts[1:]):
        if len(rows) > 1:
            left_out[rows] = np.linalg.solve(block(rows), residuals[rows])
    return left_out


def dual_ridge(kernel, weight, targets, C, units):
    """Fit the dual form.

    Parameters
    ----------
    kernel : ndarray of shape (n_samples, n_samples)
        Products of the features of two samples.
    weight : ndarray of shape (n_samples,)
        Weights, > 0.
    targets : ndarray of shape (n_samples, n_targets)
    C : float > 0
        Weight of the errors against the norm of the coefficients.
    units : ndarray of int of shape (n_samples,)
        Samples of one unit are left out together.

    Returns
    -------
    Ridge
    """
    root = np.sqrt(weight)
    inverse = inverse_of_positive(add_to_diagonal(kernel * root * root[:, None], 1.0 / C), C)
    scaled = inverse @ (root[:, None] * targets)  # C times the residuals, as the inverse is C R
    left_out = left_out_residuals(
        scaled, units, inverse.diagonal(), lambda rows: inverse[np.ix_(rows, rows)]
    )
    return Ridge(root[:, None] * scaled, targets - left_out / root[:, None])


def primal_ridge(features, weight, targets, C, units):
    """Fit the primal form; `features` has shape (n_samples, n_columns), see `dual_ridge`."""
    root = np.sqrt(weight)[:, None]
    scaled = root * features
    inverse = inverse_of_positive(add_to_diagonal(scaled.T @ scaled, 1.0 / C), C)
    coefficients = inverse @ (scaled.T @ (root * targets))
    residuals = root * (targets - features @ coefficients)
    projected = scaled @ inverse
    diagonal = 1.0 - np.einsum("ij,ij->i", projected, scaled)
    left_out = left_out_residuals(
        residuals,
        units,
        diagonal,
        lambda rows: np.eye(len(rows)) - projected[rows] @ scaled[rows].T,
    )
    return Ridge(coefficients, targets - left_out / root)


def node_ridge(features, weight, targets, C, units):
    """Fit the form with the smaller matrix; the coefficients are those of the features."""
    if len(features) > features.shape[1]:
        return primal_ridge(features, weight, targets, C, units)
    dual = dual_ridge(features @ features.T, weight, targets, C, units)
    return Ridge(features.T @ dual.coefficients, dual.left_out)


def press(ridge, weight, targets):
    """Weighted sum of the squared leave-one-out errors."""
    return float(weight @ ((targets - ridge.left_out) ** 2).sum(axis=1))
