"""Learning rates by epoch."""

import numpy as np
import pytest

from skimbal import CNN1DClassifier, MLPClassifier
from skimbal._training.schedules import SCHEDULES, learning_rate_factor


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_ends_low_and_never_exceeds_one(name):
    factors = np.array([SCHEDULES[name](epoch, 50) for epoch in range(1, 51)])
    assert factors.max() == 1.0
    assert 0 < factors[-1] < 0.02


@pytest.mark.parametrize("factor", [np.nan, -1.0, np.inf])
def test_a_factor_that_is_none_is_refused(factor):
    network = MLPClassifier(learning_rate_schedule=lambda epoch, n_epochs: factor)
    with pytest.raises(ValueError, match="learning_rate_schedule gives"):
        network.fit(np.eye(6), [0, 1] * 3)


@pytest.mark.parametrize("kind", [MLPClassifier, CNN1DClassifier])
def test_both_loops_count_on_the_epochs_of_now(kind):
    seen = []

    def schedule(epoch, n_epochs):
        seen.append((epoch, n_epochs))
        return 1.0

    X, y = np.random.default_rng(0).normal(size=(20, 8)), np.arange(20) % 2
    network = kind(max_epochs=2, learning_rate_schedule=schedule).fit(X, y)
    network.set_params(max_epochs=9).partial_fit(X, y)
    assert seen == [(1, 2), (2, 2), (3, 9)]


def test_a_schedule_of_zero_stops_the_learning():
    X = np.random.default_rng(0).normal(size=(60, 4))
    y = (X[:, 0] > 0).astype(int)
    schedule = {"learning_rate_schedule": lambda epoch, n_epochs: float(epoch <= 5)}
    short = MLPClassifier(max_epochs=5, random_state=0, optimizer="sgd", weight_decay=0.0)
    long = MLPClassifier(
        max_epochs=9, random_state=0, optimizer="sgd", weight_decay=0.0, **schedule
    )
    np.testing.assert_array_equal(short.fit(X, y).predict_proba(X), long.fit(X, y).predict_proba(X))
    assert long.net_.optimizer_.param_groups[0]["lr"] == long.learning_rate


@pytest.mark.parametrize(
    ("name", "epochs", "expected"),
    [
        ("cosine", [1, 6, 10, 99], [1.0, 0.5, *[(1 + np.cos(0.9 * np.pi)) / 2] * 2]),
        ("exponential", [1, 6, 11], [1.0, 0.01 ** (5 / 9), 0.01]),
        ("step", [1, 2, 5, 9, 10, 11], [0.2, 0.4, 1.0, 0.01, 0.0001, 0.0001]),
    ],
)
def test_factors_by_hand(name, epochs, expected):
    """Of ten epochs; beyond the last one they stay."""
    n_epochs = 10
    factors = [learning_rate_factor(SCHEDULES[name], epoch, n_epochs) for epoch in epochs]
    np.testing.assert_allclose(factors, expected)


def test_no_schedule_is_a_factor_of_one():
    assert learning_rate_factor(None, 7, 3) == 1.0
