"""The search on parts of many samples against that on all of them."""

import warnings

import numpy as np
import pytest
from sklearn.metrics import f1_score, make_scorer, matthews_corrcoef

from skimbal.cost_sensitive import _large_search as module
from skimbal.cost_sensitive import find_costs
from skimbal.cost_sensitive._decision_table import DecisionTable
from skimbal.cost_sensitive._part_table import (
    PartTable,
    box_around,
    decisions_and_leads,
    representatives,
)
from skimbal.metrics import decide_by_costs, g_mean, prior_costs


def sample(n, n_classes, seed, *, is_hard=False):
    """Targets with an imbalance of 100, and probabilities; every class occurs."""
    rng = np.random.default_rng(seed)
    prior = np.geomspace(1.0, 0.01, n_classes)
    targets = rng.choice(n_classes, size=n, p=prior / prior.sum())
    targets[:n_classes] = np.arange(n_classes)
    logits = np.log(prior) + rng.normal(size=(n, n_classes)) + 2.0 * np.eye(n_classes)[targets]
    proba = np.exp(logits)
    if is_hard:
        proba = rng.multinomial(3, proba / proba.sum(axis=1, keepdims=True)).astype(float)
    return targets, proba / proba.sum(axis=1, keepdims=True)


@pytest.fixture
def small_parts(monkeypatch):
    """Parts as small for a thousand samples as the true ones are for a million."""
    sizes = {"LARGE": 500, "SAMPLE_ROWS": 300, "BOX_ROWS": 200, "EXACT_OPEN": 150}
    for name, size in sizes.items():
        monkeypatch.setattr(module, name, size)


@pytest.mark.parametrize("is_hard", [False, True])
@pytest.mark.parametrize("is_weighted", [False, True])
def test_representatives_keep_rare_cells_and_the_weight_of_each(is_weighted, is_hard):
    targets, proba = sample(2000, 4, 0, is_hard=is_hard)
    weight = np.random.default_rng(1).uniform(0.0, 2.0, 2000) if is_weighted else np.ones(2000)
    decided, lead = decisions_and_leads(proba, np.zeros(4))
    rows, chosen_weight = representatives(targets, decided, lead, weight, 300)
    cells, of_rows = targets * 4 + decided, (targets * 4 + decided)[rows]
    counts, chosen = np.bincount(cells, minlength=16), np.bincount(of_rows, minlength=16)
    assert 0.8 * 300 < len(rows) <= 300
    np.testing.assert_array_equal(chosen, np.minimum(counts, chosen.max()))
    np.testing.assert_allclose(
        np.bincount(of_rows, chosen_weight, 16), np.bincount(cells, weight, 16), rtol=1e-12
    )


def test_no_sample_without_weight_represents_others():
    weight = np.repeat([0.0, 1.0, 0.0, 3.0], 50)
    one = np.zeros(200, dtype=np.uint8)
    rows, chosen = representatives(one, one, np.arange(200.0), weight, 40)
    assert (weight[rows] > 0).all()
    assert (rows >= 150).mean() == pytest.approx(0.75)
    assert chosen.sum() == pytest.approx(weight.sum())


@pytest.mark.parametrize("n_classes", [3, 5])
@pytest.mark.parametrize("seed", range(3))
def test_scores_in_a_box_are_those_of_all_samples(n_classes, seed):
    targets, proba = sample(1000, n_classes, seed)
    table = DecisionTable(proba, targets, "g_mean", np.arange(n_classes))
    center = np.log(prior_costs(table.counts))
    box = box_around(table, center, 200)
    assert len(box.targets) == 200
    low, high = np.array([box.limits(c) for c in range(n_classes)]).T
    inside = np.random.default_rng(seed).uniform(low, high, (50, n_classes))
    np.testing.assert_array_equal(box.population(inside), table.population(inside))
    # A sweep has the same scores as that of all samples, where it lies in the box.
    c = seed % n_classes
    found, expected = box.sweep(inside[0], c), table.sweep(inside[0], c)
    assert found.low[0] == low[c]
    assert found.high[-1] == high[c]
    places = expected.high.searchsorted(found.middle)
    np.testing.assert_allclose(found.score, expected.score[places], atol=1e-15)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("is_hard", [False, True])
@pytest.mark.parametrize(
    "scoring", ["g_mean", "f1_macro", make_scorer(matthews_corrcoef)], ids=["g", "f1", "own"]
)
def test_costs_of_parts_are_about_as_good_as_those_of_all(scoring, is_hard, monkeypatch):
    targets, proba = sample(1500, 4, 0, is_hard=is_hard)
    options = {"scoring": scoring, "max_generations": 20, "random_state": 0}
    parts = find_costs(targets, proba, **options)
    again = find_costs(targets, proba, **options)
    monkeypatch.setattr(module, "LARGE", len(targets))
    whole = find_costs(targets, proba, **options)
    np.testing.assert_array_equal(parts.costs, again.costs)
    assert len(parts.scores) < len(whole.scores)
    assert parts.score == pytest.approx(whole.score, abs=0.02)
    assert parts.score == pytest.approx(parts.scores.max(), abs=1e-12)


@pytest.mark.usefixtures("small_parts")
def test_the_scores_of_candidates_are_those_of_all_samples():
    targets, proba = sample(1500, 4, 0)
    found = find_costs(targets, proba, max_generations=20, random_state=0)
    some = np.random.default_rng(0).integers(len(found.scores), size=50)
    for costs, score in zip(found.candidates[some], found.scores[some], strict=True):
        decided = decide_by_costs(proba, costs)
        assert g_mean(targets, decided) == pytest.approx(score, abs=1e-12)


@pytest.mark.usefixtures("small_parts")
def test_weights_of_parts_count_samples():
    targets, proba = sample(800, 3, 0)
    weight = np.random.default_rng(0).integers(0, 4, len(targets))
    options = {"max_generations": 20, "random_state": 0}
    weighted = find_costs(targets, proba, sample_weight=weight, **options)
    repeated = find_costs(targets.repeat(weight), proba.repeat(weight, axis=0), **options)
    assert weighted.score == pytest.approx(repeated.score, abs=0.02)
    decided = decide_by_costs(proba, weighted.costs)
    assert weighted.score == pytest.approx(g_mean(targets, decided, sample_weight=weight))


def test_a_box_of_ties_is_none():
    proba = np.full((600, 3), 1 / 3)
    table = DecisionTable(proba, np.arange(600) % 3, "g_mean", np.arange(3))
    assert box_around(table, np.zeros(3), 100) is None
    assert isinstance(box_around(table, np.zeros(3), 600), PartTable)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("n_leaves", [1, 2, 4])
def test_many_samples_with_the_probabilities_of_a_few_leaves(n_leaves):
    """Boxes may have no sample of which a class can be taken over."""
    rng = np.random.default_rng(0)
    targets = rng.choice(3, 1500, p=[0.7, 0.2, 0.1])
    leaves = np.array([[0.7, 0.2, 0.1], [0.6, 0.1, 0.3], [0.5, 0.45, 0.05], [0.9, 0.06, 0.04]])
    leaf = (rng.random(1500) + targets) * n_leaves // 3
    proba = leaves[leaf.astype(int)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # one leaf: the probabilities are constant
        found = find_costs(targets, proba, scoring="f1_macro", max_generations=5, random_state=0)
    decided = decide_by_costs(proba, found.costs)
    assert found.score == pytest.approx(f1_score(targets, decided, average="macro"))


def test_a_sweep_in_a_box_has_an_interval_where_no_sample_can_be_taken_over():
    table = DecisionTable(np.full((6, 3), 1 / 3), np.arange(6) % 3, "accuracy", np.arange(3))
    center = np.array([0.0, 5.0, 0.0])
    found = PartTable(table, np.arange(6), np.ones(6), 0.0, center, 0.5).sweep(center, 1)
    np.testing.assert_allclose([found.low, found.high, found.score], [[4.5], [5.5], [1 / 3]])
