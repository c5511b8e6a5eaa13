"""Bags of rows, class by class."""

from collections import Counter

import numpy as np
import pytest
from imblearn.under_sampling import RandomUnderSampler

from skimbal.ensemble._bags import bag_sizes, draw_bag, out_of_bag

y = np.repeat(["a", "b", "c"], [50, 20, 5])
two = np.repeat([0, 1], [90, 10])
ROWS = {label: np.flatnonzero(y == label) for label in "abc"}


@pytest.mark.parametrize(
    ("labels", "strategy"),
    [
        (y, "auto"), (y, "majority"), (y, "not majority"), (y, "all"), (y, {"a": 30, "b": 7}),
        (two, 0.5), (two, "auto"), (y, lambda labels: {"a": 11}),
    ],
    ids=[
        "three-auto", "three-majority", "three-not-majority", "three-all", "three-counts",
        "two-ratio", "two-auto", "three-callable",
    ],
)  # fmt: skip
def test_sizes_are_those_of_imbalanced_learn(labels, strategy):
    sampler = RandomUnderSampler(sampling_strategy=strategy, random_state=0)
    _, resampled = sampler.fit_resample(labels[:, None], labels)
    assert bag_sizes(labels, strategy) == Counter(resampled.tolist())


def test_none_keeps_the_sizes():
    assert bag_sizes(y, None) == {"a": 50, "b": 20, "c": 5}


@pytest.mark.parametrize("replacement", [True, False])
def test_a_bag_has_the_sizes_asked_for(replacement):
    sizes = {"a": 10, "b": 20, "c": 5}
    bag = draw_bag(ROWS, sizes, replacement=replacement, rng=np.random.default_rng(0))
    assert Counter(y[bag].tolist()) == sizes
    assert (len(set(bag.tolist())) == len(bag)) == (not replacement)


def test_rows_are_drawn_evenly():
    rng = np.random.default_rng(0)
    counts = np.zeros(75)
    for _ in range(4000):
        np.add.at(counts, draw_bag(ROWS, {"a": 5, "b": 5, "c": 5}, replacement=True, rng=rng), 1)
    for label, rows in ROWS.items():
        expected = 4000 * 5 / len(rows)
        assert abs(counts[rows] - expected).max() < 5 * expected**0.5, label


def test_out_of_bag_is_what_no_draw_has():
    is_out = out_of_bag([np.array([0, 0, 2]), np.array([1])], 4)
    np.testing.assert_array_equal(is_out, [[0, 1, 0, 1], [1, 0, 1, 1]])
