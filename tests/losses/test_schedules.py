"""The shares of the class weights in an epoch: by hand, at their ends, and of extreme lengths."""

import math

import pytest

from skimbal.losses._schedules import RAMPS, deferred


@pytest.mark.parametrize(
    ("ramp", "epoch", "expected"),
    [
        ("exponential", 200, 1.0),
        ("exponential", 180, math.exp(-1)),
        ("exponential", 160, math.exp(-2)),
        ("linear", 200, 1.0),
        ("linear", 195, 0.75),
        ("linear", 180, 0.0),
        ("linear", 1, 0.0),
        ("cosine", 200, 1.0),
        ("cosine", 190, 0.5),
        ("cosine", 180, 0.0),
        ("cosine", 3, 0.0),
        ("step", 181, 1.0),
        ("step", 180, 0.0),
    ],
)
def test_ramps_by_hand(ramp, epoch, expected):
    assert RAMPS[ramp](epoch, 200, 20.0) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("ramp", sorted(RAMPS))
def test_ramps_rise_to_one(ramp):
    values = [RAMPS[ramp](epoch, 50, 7.5) for epoch in range(1, 51)]
    assert values == sorted(values)
    assert all(0.0 <= value <= 1.0 for value in values)
    assert values[-1] == RAMPS[ramp](60, 50, 7.5) == 1.0


@pytest.mark.parametrize("ramp", sorted(RAMPS))
def test_ramps_of_extreme_lengths(ramp):
    for epoch in (1, 25, 49):
        assert RAMPS[ramp](epoch, 50, math.inf) == 1.0
        assert RAMPS[ramp](epoch, 50, 1e-300) == 0.0
    assert RAMPS[ramp](50, 50, 1e-300) == 1.0
    assert RAMPS[ramp](1, math.inf, 20.0) == 0.0


@pytest.mark.parametrize(
    ("start", "n_epochs", "first"),
    [(0.8, 200, 161), (0.6, 5, 4), (0.0, 9, 1), (0.5, 3, 3), (1.0, 9, 9), (0.8, 3, 3), (0.8, 1, 1)],
)
def test_first_deferred_epoch(start, n_epochs, first):
    for epoch in range(1, n_epochs + 3):
        assert deferred(epoch, n_epochs, start) == float(epoch >= first)
