"""Expected improvement."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from skimbal.model_selection._acquisition import log_expected_gain, log_expected_improvement


@pytest.mark.parametrize("z", [-6.0, -1.5, -0.5, 0.0, 2.0])
def test_expected_gain_is_the_mean_of_what_exceeds_zero(z):
    gain, _ = quad(lambda t: (z + t) * norm.pdf(t), -z, np.inf, epsabs=0)
    assert log_expected_gain(z)[0] == pytest.approx(np.log(gain), abs=1e-6)


def test_expected_gain_at_zero_is_the_density_there():
    assert np.exp(log_expected_gain(0.0)[0]) == pytest.approx(1 / np.sqrt(2 * np.pi))


def test_expected_gain_far_below_is_the_density_over_z_squared():
    log_h, slope = log_expected_gain(np.array([-1e3, -1e4]))
    expected = norm.logpdf([-1e3, -1e4]) - 2 * np.log([1e3, 1e4])
    np.testing.assert_allclose(log_h, expected, rtol=1e-9)
    np.testing.assert_allclose(slope, [1e3, 1e4], rtol=1e-2)


def test_slope_of_the_expected_gain():
    z = np.array([-20.0, -3.0, -0.9, 0.0, 1.5])
    numeric = (log_expected_gain(z + 1e-5)[0] - log_expected_gain(z - 1e-5)[0]) / 2e-5
    np.testing.assert_allclose(log_expected_gain(z)[1], numeric, rtol=1e-6)


def test_expected_improvement_scales_with_the_losses():
    one = log_expected_improvement(0.3, 0.2, 0.1)
    ten = log_expected_improvement(3.0, 2.0, 1.0)
    assert ten - one == pytest.approx(np.log(10))
