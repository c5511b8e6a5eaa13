"""The table against brute force: sweeps, populations and gaps, with ties, zeros and weights."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, make_scorer, matthews_corrcoef

from skimbal.cost_sensitive._decision_table import DecisionTable
from skimbal.cost_sensitive._two_class_cuts import RESOLUTION, Intervals
from skimbal.metrics import decide_by_costs

from .brute_force import g_mean_of

SEEDS = range(5)


def sample(n_samples, n_classes, seed, kind="smooth"):
    """Probabilities and targets; every class occurs."""
    rng = np.random.default_rng(seed)
    targets = np.concatenate(
        [np.arange(n_classes), rng.integers(n_classes, size=n_samples - n_classes)]
    )
    proba = rng.dirichlet(np.ones(n_classes), size=n_samples)
    proba[np.arange(n_samples), targets] += 0.3
    if kind == "ties":  # as of a small forest: few values, many duplicates, zeros and ones
        proba = rng.multinomial(5, proba / proba.sum(axis=1, keepdims=True)).astype(float)
    return proba / proba.sum(axis=1, keepdims=True), targets


def make_table(proba, targets, scoring="g_mean", weight=None):
    return DecisionTable(proba, targets, scoring, np.arange(proba.shape[1]), weight)


def decide(table, log_weights):
    """Independent of the table's own decision: with costs, on probabilities."""
    return decide_by_costs(table.proba, np.exp(log_weights - np.max(log_weights)))


def all_thresholds(proba):
    """Log-weights of class 1 between and beyond all log-odds of two classes."""
    with np.errstate(divide="ignore"):
        log_odds = np.log(proba[:, 0]) - np.log(proba[:, 1])
    edges = np.unique(log_odds[np.isfinite(log_odds)])
    edges = edges[np.diff(edges, prepend=-np.inf) > 1e-9]
    return np.concatenate([edges[:1] - 1, 0.5 * (edges[1:] + edges[:-1]), edges[-1:] + 1])


@pytest.mark.parametrize("kind", ["smooth", "ties"])
@pytest.mark.parametrize("seed", SEEDS)
def test_sweep_of_two_classes_is_brute_force_over_all_thresholds(seed, kind):
    table = make_table(*sample(60, 2, seed, kind))
    found = table.sweep(np.zeros(2), 1)
    thresholds = all_thresholds(table.proba)
    expected = [g_mean_of(table.targets, decide(table, np.array([0.0, w]))) for w in thresholds]
    np.testing.assert_allclose(found.score, expected, atol=1e-15)
    np.testing.assert_allclose(found.middle[1:-1], thresholds[1:-1])


@pytest.mark.parametrize("kind", ["smooth", "ties"])
@pytest.mark.parametrize("n_classes", [3, 5])
@pytest.mark.parametrize("seed", SEEDS)
def test_sweep_is_brute_force_on_a_fine_grid_along_one_class(seed, n_classes, kind):
    rng = np.random.default_rng(seed)
    weight = rng.uniform(0.1, 2.0, size=80)
    table = make_table(*sample(80, n_classes, seed, kind), weight=weight)
    log_weights, c = rng.normal(size=n_classes), seed % n_classes
    found = table.sweep(log_weights, c)
    for w in np.linspace(found.low[0], found.high[-1], 200):
        interval = np.searchsorted(found.high, w)
        if min(abs(w - found.low[interval]), abs(w - found.high[interval])) < 1e-9:
            continue
        log_weights[c] = w
        expected = g_mean_of(table.targets, decide(table, log_weights), weight)
        assert found.score[interval] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("n_classes", [2, 3, 4])
@pytest.mark.parametrize("c", [0, 1])
def test_sweep_agrees_with_the_population(n_classes, c):
    table = make_table(*sample(50, n_classes, 0))
    log_weights = np.linspace(-0.5, 0.5, n_classes)
    found = table.sweep(log_weights, c)
    many = np.repeat(log_weights[None], len(found.score), axis=0)
    many[:, c] = found.middle
    np.testing.assert_array_equal(found.score, table.score(table.population(many)))
    np.testing.assert_array_equal(found.score, table.score_population(many))


def test_sweep_where_a_class_has_all_or_nothing():
    """No finite weight changes a decision: one interval, as wide as the two outer ones."""
    table = make_table(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0, 1]))
    found = table.sweep(np.zeros(2), 1)
    assert (found.low.tolist(), found.high.tolist(), found.score.tolist()) == ([-1], [1], [1.0])


def test_weights_that_do_not_add_up_leave_no_residue():
    """0.1 + 0.2 + 0.3 - 0.3 - 0.2 - 0.1 is not 0; the G-mean of a missed class is."""
    p = np.array([0.6, 0.7, 0.8, 0.9])
    weight = np.array([0.1, 0.2, 0.3, 1.0])
    table = make_table(np.column_stack([p, 1 - p]), np.array([0, 0, 0, 1]), weight=weight)
    for c, sign in ((0, 1.0), (1, -1.0)):
        scores = table.sweep(np.zeros(2), c).score
        assert scores[0] == 0.0
        assert scores[-1] == 0.0
        ends = np.array([[0.0, sign * 50.0], [0.0, -sign * 50.0]])
        assert table.score_population(ends).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("kind", ["smooth", "ties"])
@pytest.mark.parametrize("n_classes", range(2, 7))
@pytest.mark.parametrize("weighted", [False, True])
def test_population_is_the_confusion_matrix_of_the_decisions(n_classes, kind, weighted):
    rng = np.random.default_rng(n_classes)
    weight = rng.uniform(0.5, 2.0, size=70) if weighted else None
    table = make_table(*sample(70, n_classes, n_classes, kind), weight=weight)
    log_weights = rng.normal(scale=2.0, size=(20, n_classes))
    labels = range(n_classes)
    for log_weight, confusion in zip(log_weights, table.population(log_weights), strict=True):
        predicted = decide(table, log_weight)
        expected = confusion_matrix(table.targets, predicted, labels=labels, sample_weight=weight)
        np.testing.assert_allclose(confusion, expected, atol=1e-12)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_population_in_chunks_is_the_population(n_classes, monkeypatch):
    table = make_table(*sample(30, n_classes, 0))
    log_weights = np.random.default_rng(0).normal(size=(9, n_classes))
    whole, gap = table.population(log_weights), table.gap(log_weights)
    monkeypatch.setattr("skimbal.cost_sensitive._decision_table.CHUNK_ENTRIES", 1)
    np.testing.assert_array_equal(table.population(log_weights), whole)
    np.testing.assert_array_equal(table.gap(log_weights), gap)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_scorer_without_fast_path_scores_the_same_matrices(weighted):
    rng = np.random.default_rng(0)
    weight = rng.uniform(0.5, 2.0, size=40) if weighted else None
    table = make_table(*sample(40, 3, 0), make_scorer(matthews_corrcoef), weight)
    log_weights = rng.normal(size=(10, 3))
    expected = [
        matthews_corrcoef(table.targets, decide(table, w), sample_weight=weight)
        for w in log_weights
    ]
    np.testing.assert_allclose(table.score_population(log_weights), expected, atol=1e-12)


def test_nan_is_the_worst_score():
    table = make_table(*sample(20, 2, 0))
    assert table.score(np.zeros((1, 2, 2))).tolist() == [-np.inf]


@pytest.mark.parametrize("n_classes", [2, 3, 6])
@pytest.mark.parametrize("seed", SEEDS)
def test_gap_is_zero_exactly_where_no_class_is_missed(seed, n_classes):
    table = make_table(*sample(5 * n_classes, n_classes, seed))
    scale = 4.0 / n_classes
    log_weights = np.random.default_rng(seed).normal(scale=scale, size=(200, n_classes))
    hits = table.population(log_weights).diagonal(axis1=1, axis2=2)
    is_missed = (hits == 0).any(axis=1)
    assert 0 < is_missed.sum() < 200
    np.testing.assert_array_equal(table.gap(log_weights) > 0, is_missed)


def test_gap_by_hand():
    """Class 1 is found when its log-weight grows by log 4; class 2 can't be found at all."""
    proba = np.array([[0.8, 0.2, 0.0], [0.8, 0.2, 0.0], [0.9, 0.1, 0.0], [0.9, 0.1, 0.0]])
    table = make_table(proba, np.array([0, 1, 1, 2]))
    np.testing.assert_allclose(
        table.gap(np.array([[0, 0, 0], [0, 1, 9]])), [np.log(4), np.log(4) - 1]
    )


def test_widest_best_joins_neighbors_and_measures_in_log_odds():
    intervals = Intervals(
        low=np.array([0.0, 1.0, 3.0, 4.0, 5.5]),
        high=np.array([1.0, 3.0, 4.0, 5.5, 7.5]),
        score=np.array([0.2, 0.9, 0.1, 0.9, 0.9 - RESOLUTION / 10]),
    )
    assert intervals.widest_best() == (5.75, 0.9)
