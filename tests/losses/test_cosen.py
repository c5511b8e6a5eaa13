"""CoSen: the formula, the target of the costs, and networks that learn them."""

import math
import pickle
from itertools import pairwise

import numpy as np
import pytest
import torch
from sklearn.datasets import make_classification

from skimbal import CNN1DClassifier, MLPClassifier
from skimbal.losses import CoSen, cross_entropy
from skimbal.losses._cosen import (
    MIN_COST,
    cosen_cross_entropy,
    last_of_each_class,
    separability,
)
from skimbal.metrics import g_mean
from skimbal.neural_network import fit_population

from .contract import LossContract, make_batch

X, y = make_classification(
    240, 5, n_informative=4, n_redundant=0, n_classes=3, weights=[0.7, 0.2], random_state=0
)
SETTINGS = {"hidden_layer_sizes": (8,), "batch_size": 32, "max_epochs": 6, "random_state": 0}
RNG = np.random.default_rng(0)


class TestTightBells(LossContract):
    @pytest.fixture
    def loss(self):
        return CoSen(sigma_separability=0.2, sigma_confusion=math.inf, step=1, n_kept=2)


def bind(n_classes=3, **params):
    return CoSen(**params).bind(np.ones(n_classes)).double()


def observed(bound, n=60, seed=0, sample_weight=None):
    """Show a bound loss random logits and features."""
    rng = torch.Generator().manual_seed(seed)
    logits = torch.randn(n, 3, generator=rng, dtype=torch.float64)
    target = torch.randint(3, (n,), generator=rng).clamp(max=1) + (torch.arange(n) % 10 == 0)
    features = torch.randn(n, 4, generator=rng, dtype=torch.float64) + target[:, None]
    bound.observe(logits, target, sample_weight, features)
    return logits, target, features


def test_formula_by_hand():
    cost = torch.tensor([[1.0, 0.5], [0.25, 0.1]])
    logits, target = torch.tensor([[0.3, -0.2], [1.0, 2.0]]), torch.tensor([0, 1])
    expected = [
        -math.log(math.exp(0.3) / (math.exp(0.3) + 0.5 * math.exp(-0.2))),
        -math.log(0.1 * math.exp(2.0) / (0.25 * math.exp(1.0) + 0.1 * math.exp(2.0))),
    ]
    torch.testing.assert_close(cosen_cross_entropy(logits, target, cost), torch.tensor(expected))


def test_only_ratios_within_a_row_matter():
    logits, target = make_batch()
    cost = torch.rand(3, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 0.1
    scaled = torch.tensor([[2.0], [0.1], [7.0]], dtype=torch.float64) * cost
    torch.testing.assert_close(
        cosen_cross_entropy(logits, target, scaled), cosen_cross_entropy(logits, target, cost)
    )
    equal = torch.full((3, 3), 0.3, dtype=torch.float64)
    torch.testing.assert_close(
        cosen_cross_entropy(logits, target, equal), cross_entropy(logits, target)
    )


def naive_separability(features, target, n_classes):
    result = np.ones((n_classes, n_classes))
    for p in range(n_classes):
        for q in range(n_classes):
            ratios = []
            for i in np.flatnonzero(target == p):
                near = {
                    c: min(
                        (
                            math.dist(features[i], features[j])
                            for j in np.flatnonzero(target == c)
                            if i != j
                        ),
                        default=math.inf,
                    )
                    for c in (p, q)
                }
                is_known = math.isfinite(near[p]) and near[p] < near[q]
                ratios.append(near[p] / near[q] if is_known else 1.0)
            result[p, q] = np.mean(ratios)
    return result


@pytest.mark.parametrize("scale", [1.0, 1e3])
def test_separability_is_that_of_a_loop(scale):
    target = RNG.integers(0, 3, size=40)
    features = RNG.normal(size=(40, 2)) + 2.0 * target[:, None]
    computed = separability(scale * torch.as_tensor(features), torch.as_tensor(target), 3)
    np.testing.assert_allclose(computed, naive_separability(features, target, 3), rtol=1e-6)


def test_separability_of_far_mixed_and_lone_classes():
    points = torch.randn(20, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    features = torch.cat([points, points, points + 1e3, points[:1]])
    target = torch.tensor([0] * 20 + [1] * 20 + [2] * 20 + [3])
    result = separability(features, target, 5)
    assert (result[[0, 2], [2, 1]] < 0.01).all()
    np.testing.assert_allclose(result[[0, 1], [1, 0]], 1.0)  # on top of one another
    np.testing.assert_allclose(result[3], 1.0)  # one sample
    np.testing.assert_allclose(result[4], 1.0)  # none
    np.testing.assert_allclose(result.diagonal(), 1.0)


def test_target_by_hand():
    values = {"mu_separability": 0.9, "sigma_separability": 0.5, "mu_confusion": 0.8}
    bound = bind(**values, sigma_confusion=0.7, n_kept=60)
    logits, target, features = observed(bound)
    truth, predicted = target.numpy(), logits.argmax(dim=1).numpy()
    share = np.bincount(truth) / len(truth)
    mixing = naive_separability(features.numpy(), truth, 3)
    for p in range(3):
        for q in range(3):
            rate = np.mean(predicted[truth == p] == q)
            expected = max(share[p], share[q])
            expected *= math.exp(-((mixing[p, q] - 0.9) ** 2) / (2 * 0.5**2))
            expected *= math.exp(-((rate - 0.8) ** 2) / (2 * 0.7**2))
            assert bound.target_costs()[p, q].item() == pytest.approx(expected, rel=1e-6)
    assert share.min() == pytest.approx(bound.confusion.sum(dim=1).min() / 60)


def test_a_step_goes_part_of_the_way_and_forgets_the_epoch():
    bound = bind(step=0.25)
    observed(bound)
    expected = 1.0 + 0.25 * (bound.target_costs() - 1.0)
    bound.set_epoch(2, 10)
    torch.testing.assert_close(bound.cost, expected)
    before = bound.cost.clone()
    bound.set_epoch(3, 10)  # nothing was observed
    assert torch.equal(bound.cost, before)


def test_infinite_widths_leave_the_frequencies():
    bound = bind(sigma_separability=math.inf, sigma_confusion=math.inf, step=1)
    _, target, _ = observed(bound)
    bound.set_epoch(2, 10)
    share = np.bincount(target) / len(target)
    np.testing.assert_allclose(bound.cost, np.maximum.outer(share, share))


@pytest.mark.parametrize("step", [0.1, 1])
def test_costs_stay_above_0_and_at_most_1(step):
    bound = bind(step=step, sigma_separability=0.01, sigma_confusion=0.01)
    for epoch in range(1, 40):
        observed(bound, seed=epoch)
        bound.set_epoch(epoch + 1, 40)
        assert bound.cost.min() > 0.999 * MIN_COST
        assert bound.cost.max() <= 1.0


def test_costs_of_a_missing_class_stay():
    bound = bind(step=1)
    logits, target = make_batch()
    rows = target < 2
    bound.observe(logits[rows], target[rows], None, logits[rows])
    bound.set_epoch(2, 3)
    np.testing.assert_array_equal(bound.cost[2], 1.0)
    np.testing.assert_array_equal(bound.cost[:, 2], 1.0)
    assert (bound.cost[:2, :2] < 1.0).all()


def test_confusions_are_weighted_and_weights_of_0_leave_no_trace():
    logits, target = make_batch()
    times = torch.arange(12) % 3
    weighted, scaled = bind(), bind()
    weighted.observe(logits, target, times.double(), logits)
    scaled.observe(logits, target, 5.0 * times.double(), logits)
    rates = torch.zeros(3, 3, dtype=torch.float64)
    for row, t, n in zip(logits.argmax(dim=1), target, times, strict=True):
        rates[t, row] += n
    torch.testing.assert_close(weighted.confusion / weighted.confusion.sum(), rates / rates.sum())
    torch.testing.assert_close(scaled.confusion, weighted.confusion)
    assert len(weighted.kept_target) == (times > 0).sum()
    nothing = bind()
    nothing.observe(logits, target, torch.zeros(12), logits)
    assert len(nothing.kept_target) == 0


def test_the_last_features_are_kept():
    bound = bind(n_kept=4)
    batches = [observed(bound, seed=seed) for seed in (1, 2)]
    features = torch.cat([batch[2] for batch in batches])
    target = torch.cat([batch[1] for batch in batches])
    expected = [features[target == c][-4:] for c in range(3)]
    torch.testing.assert_close(bound.kept_features, torch.cat(expected))
    assert last_of_each_class(target, 3, 1).tolist() == [
        int((target == c).nonzero().max()) for c in range(3)
    ]


def test_without_steps_it_is_cross_entropy():
    plain = MLPClassifier(**SETTINGS).fit(X, y).predict_proba(X)
    still = MLPClassifier(loss=CoSen(step=0), **SETTINGS).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(still, plain, atol=1e-5)


def test_networks_learn_their_own_costs_in_any_population():
    network = MLPClassifier(loss="cosen", **SETTINGS)
    subsets = [np.arange(240) % 3 != fold for fold in range(3)]
    together = fit_population([network] * 3, X, y, [np.flatnonzero(s) for s in subsets])
    costs = [fitted.net_.criterion_.cost for fitted in together]
    for subset, fitted, cost in zip(subsets, together, costs, strict=True):
        alone = MLPClassifier(loss="cosen", **SETTINGS).fit(X[subset], y[subset])
        assert torch.equal(alone.net_.criterion_.cost, cost)
        np.testing.assert_array_equal(alone.predict_proba(X), fitted.predict_proba(X))
    assert not any(torch.equal(*pair) for pair in pairwise(costs))


@pytest.mark.parametrize("mixup", [0.0, 1.0])
@pytest.mark.parametrize("kind", ["dense", "sequential"])
def test_costs_are_learned_by_every_kind_of_network(kind, mixup):
    if kind == "dense":
        network = MLPClassifier(loss="cosen", mixup=mixup, **SETTINGS)
    else:
        network = CNN1DClassifier(
            n_filters=(4,), loss="cosen", mixup=mixup, batch_size=32, max_epochs=6, random_state=0
        )
    weight = RNG.uniform(0.5, 2.0, size=240)
    fitted = network.fit(X, y, sample_weight=weight)
    cost = fitted.net_.criterion_.cost
    assert (cost < 1.0).all()
    ratio = cost / cost.diagonal()[:, None]
    assert ratio[2, 0] > 1.0  # the rarest class against the most frequent one
    twin = pickle.loads(pickle.dumps(fitted))
    assert torch.equal(twin.net_.criterion_.cost, cost)
    np.testing.assert_array_equal(fitted.class_weight_, 1.0)


def test_partial_fit_goes_on_learning_costs():
    network = MLPClassifier(loss="cosen", **SETTINGS)
    costs = []
    for _ in range(4):
        network.partial_fit(X, y, classes=[0, 1, 2])
        costs.append(network.net_.criterion_.cost.clone())
    assert (costs[0] == 1.0).all()
    for before, after in pairwise(costs):
        assert (after < before).any()


def test_a_rare_class_is_found_more_often():
    inputs, labels = make_classification(2000, weights=[0.95], class_sep=0.5, random_state=1)
    scores = []
    for loss in ("cosen", "cross_entropy"):
        network = MLPClassifier(loss=loss, max_epochs=20, random_state=0)
        network.fit(inputs[::2], labels[::2])
        scores.append(g_mean(labels[1::2], network.predict(inputs[1::2])))
    assert scores[0] > scores[1] + 0.03


@pytest.mark.parametrize(
    "params",
    [
        {"step": -0.1},
        {"step": 1.5},
        {"n_kept": 1},
        {"n_kept": 2.5},
        {"sigma_confusion": 0.0},
        {"sigma_separability": -1.0},
        {"mu_confusion": math.inf},
        {"mu_separability": "1"},
    ],
    ids=str,
)
def test_bad_parameters_are_refused_before_training(params):
    with pytest.raises(ValueError, match=f"The '{next(iter(params))}' parameter of CoSen must be"):
        MLPClassifier(loss=CoSen(**params), **SETTINGS).fit(X, y)
