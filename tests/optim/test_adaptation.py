import numpy as np
import pytest

from skimbal.optim._adaptation import (
    arithmetic_mean,
    lehmer_mean,
    moved_toward,
    sample_crossover_rates,
    sample_mutation_factors,
)


@pytest.mark.parametrize("mu_cr", [0.0, 0.3, 1.0])
def test_crossover_rates_stay_in_the_unit_interval(mu_cr):
    rates = sample_crossover_rates(np.random.default_rng(0), mu_cr, 100_000)
    assert rates.min() >= 0.0
    assert rates.max() <= 1.0


def test_crossover_rates_are_normal_with_deviation_a_tenth():
    rates = sample_crossover_rates(np.random.default_rng(0), 0.5, 100_000)
    assert rates.mean() == pytest.approx(0.5, abs=0.002)
    assert rates.std() == pytest.approx(0.1, abs=0.001)


@pytest.mark.parametrize("mu_f", [1e-6, 0.05, 0.5, 1.0])
def test_mutation_factors_are_never_above_one_nor_zero(mu_f):
    factors = sample_mutation_factors(np.random.default_rng(0), mu_f, 100_000)
    assert factors.min() > 0.0
    assert factors.max() == 1.0


@pytest.mark.parametrize("mu_f", [0.05, 0.5, 1.0])
def test_mutation_factors_follow_the_cauchy_law_given_that_they_are_positive(mu_f):
    def cauchy_cdf(value):
        return 0.5 + np.arctan((value - mu_f) / 0.1) / np.pi

    factors = sample_mutation_factors(np.random.default_rng(1), mu_f, 200_000)
    for value in (0.02, 0.1, 0.4, 0.5, 0.6, 0.99):
        expected = (cauchy_cdf(value) - cauchy_cdf(0.0)) / (1.0 - cauchy_cdf(0.0))
        assert (factors <= value).mean() == pytest.approx(expected, abs=0.005)
    share_of_ones = (1.0 - cauchy_cdf(1.0)) / (1.0 - cauchy_cdf(0.0))
    assert (factors == 1.0).mean() == pytest.approx(share_of_ones, abs=0.005)


class ScriptedCauchy:
    """Stands in for the generator: gives the scripted draws, batch by batch."""

    def __init__(self, *batches):
        self.batches = list(batches)

    def standard_cauchy(self, size):
        batch = np.array(self.batches.pop(0))
        assert batch.shape == (size,)
        return batch


def test_factors_that_are_not_positive_are_drawn_again_until_they_are():
    # mu + 0.1 z: 0.6, -0.5, 0 (not positive either), 2.5; then -0.1 and 0.4; then 0.7.
    rng = ScriptedCauchy([1.0, -10.0, -5.0, 20.0], [-6.0, -1.0], [2.0])
    factors = sample_mutation_factors(rng, 0.5, 4)
    np.testing.assert_allclose(factors, [0.6, 0.7, 0.4, 1.0], rtol=1e-12)
    assert rng.batches == []


def test_means_by_hand():
    values = np.array([0.2, 0.4, 0.9])
    assert arithmetic_mean(values) == pytest.approx(0.5)
    assert lehmer_mean(values) == pytest.approx((0.04 + 0.16 + 0.81) / 1.5)


def test_lehmer_mean_is_between_the_arithmetic_mean_and_the_greatest():
    rng = np.random.default_rng(0)
    for n_values in (2, 3, 10, 100):
        values = 1.0 - rng.random(n_values)
        assert arithmetic_mean(values) < lehmer_mean(values) < values.max()
    assert lehmer_mean(np.array([0.3])) == pytest.approx(0.3)
    assert lehmer_mean(np.full(5, 0.7)) == pytest.approx(0.7)


def test_lehmer_mean_scales_and_ignores_the_order():
    values = np.array([0.1, 0.5, 0.8])
    assert lehmer_mean(0.5 * values[::-1]) == pytest.approx(0.5 * lehmer_mean(values))


def test_moved_toward():
    assert moved_toward(0.5, 0.9, 0.1) == pytest.approx(0.54)
    assert moved_toward(0.5, 0.9, 0.0) == 0.5
    assert moved_toward(0.5, 0.9, 1.0) == 0.9
