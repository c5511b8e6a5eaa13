r"""Expected improvement, by which the Bayesian search chooses its next candidate.

.. math:: EI(u) = E[\max(y^* - \xi - y(u), 0)] = \sigma(u) \, h(z), \quad
    z = \frac{y^* - \xi - \mu(u)}{\sigma(u)}, \quad h(z) = \varphi(z) + z \Phi(z)

(D. R. Jones, M. Schonlau and W. J. Welch 1998, Efficient Global Optimization of Expensive
Black-Box Functions, eq. 15, doi:10.1023/A:1008306431147). Its logarithm is maximized, because it
has slopes where the improvement itself is 0 in float64 (S. Ament et al. 2023, Unexpected
Improvements to Expected Improvement for Bayesian Optimization, arXiv:2310.20708).
"""

import numpy as np
from scipy.optimize import minimize
from scipy.special import erfcx, log_ndtr, ndtr

MAX_CLIMB_ITERATIONS = 25
HALF_LOG_2_PI = 0.5 * np.log(2.0 * np.pi)


def log_expected_gain(z):
    r"""Logarithm of :math:`h(z) = \varphi(z) + z \Phi(z)`, and its derivative by z.

    `h` is the expected improvement in standard deviations. Below z = -1 its two terms cancel, so
    there it is computed by the scaled complementary error function.
    """
    z = np.maximum(z, -1e6)
    below = np.minimum(z, -1.0)
    mills = np.sqrt(np.pi / 2) * erfcx(-below / np.sqrt(2))  # Phi(z) / phi(z)
    log_below = -0.5 * below**2 - HALF_LOG_2_PI + np.log1p(below * mills)
    above = np.maximum(z, -1.0)
    h_above = np.exp(-0.5 * above**2 - HALF_LOG_2_PI) + above * ndtr(above)
    log_h = np.where(z < -1.0, log_below, np.log(h_above))
    return log_h, np.exp(log_ndtr(z) - log_h)


def log_expected_improvement(mean, std, target):
    r"""Logarithm of the expected improvement on `target`, :math:`\log \sigma + \log h(z)`."""
    return np.log(std) + log_expected_gain((target - mean) / std)[0]


def improvement_of(posterior, points, target):
    """Logarithm of the expected improvement of the process at points (n_points, n_dims)."""
    mean, std = posterior.predict(points)
    return log_expected_improvement(mean, std, target)


def climb(posterior, starts, target, is_real):
    """Climb the expected improvement from all rows of `starts` at once; returns the ends.

    Only the real dimensions, where the array `is_real` is True, are changed.
    """

    def negative_sum(flat):
        points = starts.copy()
        points[:, is_real] = flat.reshape(len(starts), -1)
        mean, std, d_mean, d_std = posterior.predict_with_gradients(points)
        z = (target - mean) / std
        log_h, slope = log_expected_gain(z)
        factors = ((1.0 - z * slope) / std, -slope / std)
        gradient = factors[0][:, None] * d_std + factors[1][:, None] * d_mean
        return -(np.log(std) + log_h).sum(), -gradient[:, is_real].ravel()

    climbed = minimize(
        negative_sum,
        starts[:, is_real].ravel(),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, 1.0)] * starts[:, is_real].size,
        options={"maxiter": MAX_CLIMB_ITERATIONS},
    )
    ends = starts.copy()
    ends[:, is_real] = climbed.x.reshape(len(starts), -1)
    return ends
