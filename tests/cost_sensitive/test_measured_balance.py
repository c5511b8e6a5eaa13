"""The measured balance: known weights come back, and what has no solution is caught."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from skimbal.cost_sensitive import _measured_balance, find_costs
from skimbal.cost_sensitive._measured_balance import (
    balance,
    clip_proba,
    measured_costs,
    measured_weights,
)
from skimbal.cost_sensitive._search_steps import log_ratio_bounds
from skimbal.metrics import normalize_costs, prior_costs


def calibrated(n_classes, n_samples=4000, seed=0):
    """Probabilities whose means are the class frequencies, and labels with just these."""
    rng = np.random.default_rng(seed)
    counts = (n_samples * normalized(0.4 ** np.arange(n_classes))).round().astype(int)
    proba = rng.dirichlet(3 * normalized(counts), size=counts.sum())
    proba = proba.clip(1e-3)
    for _ in range(500):  # to the exact means, row by row probabilities
        proba *= counts / proba.sum(axis=0)
        proba /= proba.sum(axis=1, keepdims=True)
    return np.repeat(np.arange(n_classes), counts), proba


def normalized(values):
    return values / values.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("n_classes", [2, 3, 6])
def test_calibrated_probabilities_have_weight_one(n_classes):
    y, proba = calibrated(n_classes)
    np.testing.assert_allclose(measured_weights(y, proba), 1.0, atol=1e-4)
    np.testing.assert_allclose(measured_costs(y, proba), prior_costs(np.bincount(y)), rtol=1e-3)


@pytest.mark.parametrize("weights", [[1, 9], [9, 1], [1, 5, 2], [1, 2, 4, 8, 16, 32]], ids=len)
def test_a_reweighted_model_gives_back_its_weights(weights):
    y, proba = calibrated(len(weights))
    reweighted = normalized(proba * weights)
    expected = normalize_costs(1.0 / np.array(weights))
    np.testing.assert_allclose(measured_weights(y, reweighted), expected, rtol=0.02)


@pytest.mark.parametrize("n_classes", [2, 3, 6])
def test_the_costs_of_a_balanced_model_are_equal(n_classes):
    y, proba = calibrated(n_classes)
    balanced = normalized(proba / np.bincount(y))
    costs = find_costs(y, balanced, shrinkage=1.0, max_generations=1, random_state=0).costs
    np.testing.assert_allclose(costs, 1.0, rtol=0.02)


@pytest.mark.parametrize("seed", range(8))
def test_the_balance_of_many_samples_is_found_in_a_few_steps(seed, monkeypatch):
    # The sums of many samples round, so that the curvature is almost singular, and not quite.
    monkeypatch.setattr(_measured_balance, "MAX_STEPS", 12)
    rng = np.random.default_rng(seed)
    y = np.repeat([0, 1], [45_000, 5_000])
    log_odds = rng.normal(0.5 * y - 0.25, 0.7)  # of two Gaussian classes
    p_rare = 1.0 / (1.0 + np.exp(-0.5 * log_odds / 0.7**2))
    costs = measured_costs(y, np.column_stack([1.0 - p_rare, p_rare]))
    assert costs[1] / costs[0] == pytest.approx(1.0, abs=0.1)


def test_the_adjusted_means_are_the_frequencies():
    y, proba = calibrated(3)
    share, frequency = np.full(len(y), 1 / len(y)), np.array([0.2, 0.7, 0.1])
    log_weights = balance(np.log(proba), share, frequency)
    adjusted = normalized(proba * np.exp(log_weights))
    np.testing.assert_allclose(adjusted.mean(axis=0), frequency, atol=1e-8)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_hard_probabilities_that_miss_the_frequencies_warn_and_have_weight_one(n_classes):
    y, proba = calibrated(n_classes)
    hard = np.eye(n_classes)[proba.argmax(axis=1)]
    with pytest.warns(ConvergenceWarning, match="all 0 or 1"):
        np.testing.assert_array_equal(measured_weights(y, hard), 1.0)
    with pytest.warns(ConvergenceWarning, match="all 0 or 1"):
        result = find_costs(y, hard, shrinkage=1.0, max_generations=1, random_state=0)
    np.testing.assert_allclose(result.costs, prior_costs(np.bincount(y)))


@pytest.mark.parametrize("certainty", [1.0, 0.9999, 0.9])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_perfect_classifier_is_near_weight_one_and_stays_perfect(n_classes, certainty):
    y = np.repeat(np.arange(n_classes), [90, 10, 5][:n_classes])
    proba = np.full((len(y), n_classes), (1 - certainty) / (n_classes - 1))
    proba[np.arange(len(y)), y] = certainty
    weights = measured_weights(y, proba)
    assert (np.abs(np.log(weights)) < 3).all()
    assert find_costs(y, proba, shrinkage=1.0, max_generations=1, random_state=0).score == 1.0


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_class_with_one_sample(n_classes):
    y, proba = calibrated(n_classes, 300)
    y[y == n_classes - 1] = 0
    y[-1] = n_classes - 1
    costs = measured_costs(y, normalized(proba / proba.mean(axis=0)))
    assert np.isfinite(costs).all()
    assert (np.abs(np.log(costs)) < 5).all()


def test_few_probabilities_between_0_and_1():
    y, proba = calibrated(2)
    proba[3:] = np.eye(2)[proba[3:].argmax(axis=1)]
    assert np.isfinite(np.log(measured_costs(y, proba))).all()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_classes", [2, 4])
def test_costs_are_inside_the_bounds_of_the_search(n_classes, seed):
    rng = np.random.default_rng(seed)
    y = np.r_[np.arange(n_classes), rng.integers(n_classes, size=30) ** 2 % n_classes]
    proba = normalized(rng.gamma(0.1, size=(len(y), n_classes)) + 1e-9)
    log_costs = np.log(measured_costs(y, proba))
    log_frequency = np.log(np.bincount(y) / len(y))
    bounds = log_ratio_bounds(np.vstack([np.log(clip_proba(proba)), log_frequency]))
    ratios = log_costs[1:] - log_costs[0]
    assert ((bounds[:, 0] < ratios) & (ratios < bounds[:, 1])).all()


@pytest.mark.parametrize("value", [0.5, 0.1])
def test_equal_probabilities_for_all_samples_tie_at_the_measured_costs(value):
    y = np.repeat([0, 1], [90, 10])
    costs = measured_costs(y, np.tile([1 - value, value], (100, 1)))
    assert costs[1] / costs[0] == pytest.approx((1 - value) / value, rel=0.05)


def test_the_scale_of_sample_weights_and_samples_without_weight_change_nothing():
    y, proba = calibrated(3, 400)
    balanced = normalized(proba / np.bincount(y))
    weight = np.random.default_rng(0).random(len(y)).round(1)
    expected = measured_costs(y, balanced, weight)
    for scale in (1e-300, 1e-30, 1e30, 1e307):
        np.testing.assert_allclose(measured_costs(y, balanced, weight * scale), expected)
    kept = weight > 0
    assert not kept.all()
    np.testing.assert_allclose(measured_costs(y[kept], balanced[kept], weight[kept]), expected)


def test_weighted_samples_are_as_many_samples():
    y, proba = calibrated(3, 400)
    balanced = normalized(proba / np.bincount(y))
    weight = np.random.default_rng(0).integers(1, 4, len(y))
    repeated = measured_costs(y.repeat(weight), balanced.repeat(weight, axis=0))
    np.testing.assert_allclose(measured_costs(y, balanced, weight * 1.0), repeated, rtol=0.02)
