"""The cuts of two classes against the running sums of a stable sort, with ties and infinities."""

import tracemalloc

import numpy as np
import pytest

from skimbal.cost_sensitive import _two_class_cuts as module
from skimbal.cost_sensitive import find_costs
from skimbal.cost_sensitive._find_costs import labels_and_positions
from skimbal.cost_sensitive._two_class_cuts import TwoClassCuts, thinned
from skimbal.metrics import g_mean_from_confusion


def sample(seed, n=300):
    """Log-odds of few values, some of them infinite, and classes."""
    rng = np.random.default_rng(seed)
    targets = (rng.random(n) < 0.3).astype(int)
    odds = np.round(rng.normal(size=n) - targets, 1 + seed % 3)
    odds[:6] = [-np.inf, np.inf] * 3
    return odds, targets


def confusion_of(odds, targets, weight, log_ratio):
    """Confusion matrix from its definition."""
    given = odds < log_ratio
    cells = [[(targets == c) & (given == d) for d in (False, True)] for c in (0, 1)]
    return np.array([[weight[cell].sum() for cell in row] for row in cells])


@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_the_confusion_of_a_cut_is_that_of_its_decisions(seed, is_weighted):
    odds, targets = sample(seed)
    weight = np.random.default_rng(seed).uniform(0.5, 2.0, len(odds)) if is_weighted else None
    cuts = TwoClassCuts(odds.copy(), targets, weight)
    log_ratios = np.random.default_rng(1).normal(scale=2.0, size=20)
    found = cuts.confusion(cuts.cut_of(log_ratios))
    ones = np.ones(len(odds)) if weight is None else weight
    expected = [confusion_of(odds, targets, ones, ratio) for ratio in log_ratios]
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_weights_of_one_change_nothing(seed):
    odds, targets = sample(seed)
    plain = TwoClassCuts(odds.copy(), targets).sweep(g_mean_from_confusion)
    weighted = TwoClassCuts(odds.copy(), targets, np.ones(len(odds))).sweep(g_mean_from_confusion)
    for name in ("low", "high", "score"):
        np.testing.assert_array_equal(getattr(plain, name), getattr(weighted, name))


@pytest.mark.parametrize("seed", range(4))
def test_chunks_change_nothing(seed, monkeypatch):
    odds, targets = sample(seed)
    whole = TwoClassCuts(odds.copy(), targets).sweep(g_mean_from_confusion)
    monkeypatch.setattr(module, "CHUNK", 7)
    parts = TwoClassCuts(odds.copy(), targets).sweep(g_mean_from_confusion)
    for name in ("low", "high", "score"):
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))


@pytest.mark.parametrize("scoring", ["g_mean", "accuracy", "f1_macro"])
@pytest.mark.parametrize("seed", range(4))
def test_thinned_candidates_find_the_same_costs(seed, scoring, monkeypatch):
    odds, targets = sample(seed)
    proba = np.column_stack([1 / (1 + np.exp(-odds)), 1 / (1 + np.exp(odds))])
    whole = find_costs(targets, proba, scoring=scoring)
    monkeypatch.setattr(module, "MAX_KEPT", 10)
    few = find_costs(targets, proba, scoring=scoring)
    assert len(few.scores) < len(whole.scores)
    np.testing.assert_array_equal(few.costs, whole.costs)
    assert few.score == whole.score
    assert few.scores.max() == whole.scores.max()


@pytest.mark.parametrize("chunk", [1, 2, 3, 100])
def test_thinning_keeps_both_ends_and_the_neighbors_of_the_best(chunk, monkeypatch):
    monkeypatch.setattr(module, "MAX_KEPT", 2)
    monkeypatch.setattr(module, "CHUNK", chunk)
    scores = np.array([0.0, 1, -1, 2, 9, 9, -1, 3, 4, 5])
    kept = thinned(scores >= 0, lambda cuts: scores[cuts])
    assert kept.tolist() == [0, 3, 4, 5, 7, 9]


@pytest.mark.parametrize("labels", [[3, 1], [1.5, -2.0], [True, False], ["b", "a"], [7, 300, 5]])
def test_labels_are_found_as_numpy_finds_them(labels):
    y = np.array(labels)[np.random.default_rng(0).integers(len(labels), size=50)]
    found, positions = labels_and_positions(y)
    expected, inverse = np.unique(y, return_inverse=True)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(positions, inverse)
    assert found.dtype == expected.dtype
    assert positions.dtype == np.uint8


def test_memory_of_a_search_is_less_than_one_and_a_half_times_the_probabilities():
    n = 2_000_000
    rng = np.random.default_rng(0)
    y = (rng.random(n) < 0.1).astype(int)
    proba = rng.dirichlet(np.ones(2), size=n)
    find_costs(y[:100], proba[:100])
    tracemalloc.start()
    find_costs(y, proba)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * proba.nbytes
