r"""A Gaussian process on the unit cube for the Bayesian search.

The covariance of two losses is :math:`s^2 k(r)`. :math:`k` is the Matern function of smoothness 5/2
and :math:`r^2 = \sum_d \delta_d^2 / l_d^2`. :math:`\delta_d` is the difference along a real or
integer dimension, and 0 or 1 along a categorical one. Noise of variance :math:`s^2 \eta` is added.
The mean and :math:`s^2` have a closed form for given length scales :math:`l_d` and :math:`\eta`, so
the model is fitted by gradient descent on the logarithms of the length scales and of :math:`\eta`.
Formulas: C. E. Rasmussen and C. K. I. Williams 2006, Gaussian Processes for Machine Learning, eqs.
2.25, 2.26, 4.17 and 5.9.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.linalg.lapack import dpotri
from scipy.optimize import minimize
from scipy.spatial.distance import cdist

ROOT_5 = np.sqrt(5.0)
# Bounds and normal priors (mean, standard deviation) of the logarithms of the length scales, in
# widths of the cube, and of the noise, in shares of s^2. The priors keep the model from overfitting
# to a dozen losses and fade with more of them.
LENGTH_BOUNDS = (np.log(0.02), np.log(20.0))
LENGTH_PRIOR = (np.log(0.6), 1.0)
NOISE_BOUNDS = (np.log(1e-7), np.log(1.0))
NOISE_PRIOR = (np.log(1e-4), 3.0)
MAX_ITERATIONS = 15  # of one fit; the next fit starts where it ended
MIN_VARIANCE = 1e-12  # of the posterior, in shares of s^2: keeps its root and 1 / std finite


def matern_52(squared_distances):
    r"""Matern covariance of smoothness 5/2, :math:`(1 + a + a^2/3) e^{-a}`, a = sqrt(5) r."""
    a = ROOT_5 * np.sqrt(squared_distances)
    return (1.0 + a + a * a / 3.0) * np.exp(-a)


def matern_52_slope(squared_distances):
    r"""Derivative of `matern_52` by the squared distance, :math:`-(5/6) (1 + a) e^{-a}`."""
    a = ROOT_5 * np.sqrt(squared_distances)
    return -(5.0 / 6.0) * (1.0 + a) * np.exp(-a)


def squared_differences(points, is_categorical):
    """Array (n_dims, n, n): squared difference of each two points, or 0 and 1 for categories."""
    differences = points.T[:, :, None] - points.T[:, None, :]
    return np.where(is_categorical[:, None, None], differences != 0, differences**2)


def negative_log_posterior(theta, differences, losses):
    r"""Negative logarithm of the posterior density of the hyperparameters, and its gradient.

    Up to a constant, :math:`\frac n2 \log s^2 + \frac12 \log |K| - \log p(\theta)` with
    :math:`K = k + \eta I`, the generalized least squares mean :math:`m` and
    :math:`s^2 = (y - m)^T K^{-1} (y - m) / n`. At these two the derivatives by them vanish, so that
    the gradient is that at fixed mean and :math:`s^2`.

    Parameters
    ----------
    theta : ndarray of shape (n_dims + 1,)
        Logarithms of the length scales and of the noise share.
    differences : ndarray of shape (n_dims, n, n)
        From `squared_differences`.
    losses : ndarray of shape (n,)
        Losses, not all equal.

    Returns
    -------
    value : float
        inf where K is singular in float64.
    gradient : ndarray of shape (n_dims + 1,)
    """
    n = len(losses)
    precisions = np.exp(-2.0 * theta[:-1])
    noise = np.exp(theta[-1])
    flat = differences.reshape(len(precisions), -1)
    distances = (precisions @ flat).reshape(n, n)
    a = ROOT_5 * np.sqrt(distances)
    decay = np.exp(-a)
    K = (1.0 + a + a * a / 3.0) * decay
    K.flat[:: n + 1] += noise
    try:
        lower = cholesky(K, lower=True, check_finite=False)
    except np.linalg.LinAlgError:
        return np.inf, np.zeros_like(theta)
    inverse = _inverse(lower)
    mean = inverse.sum(axis=0) @ losses / inverse.sum()
    weights = inverse @ (losses - mean)
    variance = (losses - mean) @ weights / n
    value = 0.5 * n * np.log(variance) + np.log(np.diagonal(lower)).sum()
    outer = inverse - np.outer(weights, weights) / variance
    gradient = np.empty_like(theta)
    # The derivative of K by log l_d is -2 slope(r^2) delta_d^2 / l_d^2.
    gradient[:-1] = (5.0 / 6.0) * precisions * (flat @ (outer * (1.0 + a) * decay).ravel())
    gradient[-1] = 0.5 * noise * np.trace(outer)
    means, deviations = _prior_of(len(theta))
    scaled = (theta - means) / deviations
    return value + 0.5 * scaled @ scaled, gradient + scaled / deviations


def fit_hyperparameters(differences, losses, start=None):
    """Hyperparameters of highest posterior density near a start, shape (n_dims + 1,).

    `start` is where an earlier fit ended; the means of the priors are taken where they are better.
    """
    theta, _ = _prior_of(len(differences) + 1)
    value = negative_log_posterior(theta, differences, losses)[0]
    if start is not None and negative_log_posterior(start, differences, losses)[0] < value:
        theta = start
    bounds = [LENGTH_BOUNDS] * len(differences) + [NOISE_BOUNDS]
    fitted = minimize(
        negative_log_posterior,
        theta,
        args=(differences, losses),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": MAX_ITERATIONS, "maxls": 10},
    )
    return fitted.x if np.isfinite(fitted.fun) else theta


def _prior_of(n_parameters):
    means = np.full(n_parameters, LENGTH_PRIOR[0])
    deviations = np.full(n_parameters, LENGTH_PRIOR[1])
    means[-1], deviations[-1] = NOISE_PRIOR
    return means, deviations


def _inverse(lower):
    """Inverse of the matrix whose Cholesky factor is `lower`; LAPACK fills one triangle."""
    triangle = dpotri(lower, lower=1)[0]
    return np.tril(triangle) + np.tril(triangle, -1).T


@dataclass(frozen=True)
class Posterior:
    """What the process says about losses that it has not seen.

    Attributes
    ----------
    points : ndarray of shape (n, n_dims)
        The points whose losses are known.
    losses : ndarray of shape (n,)
        These losses.
    theta : ndarray of shape (n_dims + 1,)
        Logarithms of the length scales and of the noise share.
    is_categorical : ndarray of bool, shape (n_dims,)
        Dimensions whose values are equal or not, and nothing between.
    mean, variance : float
        Mean and variance of the process.
    lower : ndarray of shape (n, n)
        Cholesky factor of K.
    weights : ndarray of shape (n,)
        K^{-1} (losses - mean).
    """

    points: np.ndarray
    losses: np.ndarray
    theta: np.ndarray
    is_categorical: np.ndarray
    mean: float
    variance: float
    lower: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, points, losses, theta, is_categorical):
        """Posterior of the hyperparameters `theta` after `losses`, which are not all equal."""
        distances = _scaled_distances(points, points, theta, is_categorical)
        K = matern_52(distances)
        K.flat[:: len(K) + 1] += np.exp(theta[-1])
        lower = cholesky(K, lower=True, check_finite=False)
        ones = cho_solve((lower, True), np.ones(len(losses)))
        mean = ones @ losses / ones.sum()
        weights = cho_solve((lower, True), losses - mean)
        variance = (losses - mean) @ weights / len(losses)
        return cls(points, losses, theta, is_categorical, mean, variance, lower, weights)

    def predict(self, points):
        """Mean and standard deviation of the loss without noise, each of shape (n_points,)."""
        distances = _scaled_distances(points, self.points, self.theta, self.is_categorical)
        covariances = matern_52(distances)
        solved = solve_triangular(self.lower, covariances.T, lower=True, check_finite=False)
        shares = 1.0 - np.einsum("ij,ij->j", solved, solved)
        std = np.sqrt(self.variance * np.maximum(shares, MIN_VARIANCE))
        return self.mean + covariances @ self.weights, std

    def predict_with_gradients(self, points):
        """`predict`, and the gradients of both by the points, each of shape (n_points, n_dims).

        Along categorical dimensions the gradients are 0.
        """
        distances = _scaled_distances(points, self.points, self.theta, self.is_categorical)
        covariances = matern_52(distances)
        solved = cho_solve((self.lower, True), covariances.T).T
        shares = np.maximum(1.0 - (covariances * solved).sum(axis=1), MIN_VARIANCE)
        std = np.sqrt(self.variance * shares)
        slopes = matern_52_slope(distances)
        precisions = np.where(self.is_categorical, 0.0, np.exp(-2.0 * self.theta[:-1]))
        gradients = []
        for factors in (slopes * self.weights, slopes * solved):
            # sum_i factors_i (u - u_i) for each point u
            summed = factors.sum(axis=1)[:, None] * points - factors @ self.points
            gradients.append(2.0 * precisions * summed)
        mean = self.mean + covariances @ self.weights
        return mean, std, gradients[0], -self.variance * gradients[1] / std[:, None]


def _scaled_distances(a, b, theta, is_categorical):
    """Squared distances in length scales between the rows of `a` and `b`, shape (n_a, n_b)."""
    precisions = np.exp(-2.0 * theta[:-1])
    scales = np.sqrt(precisions[~is_categorical])
    distances = cdist(a[:, ~is_categorical] * scales, b[:, ~is_categorical] * scales, "sqeuclidean")
    for dim in np.flatnonzero(is_categorical):
        distances += precisions[dim] * (a[:, dim, None] != b[None, :, dim])
    return distances
