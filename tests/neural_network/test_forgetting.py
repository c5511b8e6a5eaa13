"""Class weights, losses and costs that follow the class frequencies of a stream."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone

from skimbal import (
    CNN1DClassifier,
    CNN2DClassifier,
    DBNClassifier,
    MLPClassifier,
    ResNetClassifier,
)
from skimbal.exceptions import NonFiniteLossError
from skimbal.losses import Focal
from skimbal.metrics import inverse_frequency_cost_matrix
from skimbal.neural_network._forgetting import limited

RNG = np.random.default_rng(0)
y = (RNG.random(400) < np.repeat([0.1, 0.8], 200)).astype(int)  # the rare class changes
X = RNG.normal(size=(400, 4)) + y[:, None]
HALF_LIFE = 40.0
MLP = {"hidden_layer_sizes": (4,), "random_state": 0, "forgetting_half_life": HALF_LIFE}


def decayed(labels, half_life=HALF_LIFE):
    """Counts of two classes, sample by sample."""
    counts = np.zeros(2)
    for label in labels:
        counts *= 0.5 ** (1.0 / half_life)
        counts[label] += 1.0
    return counts


def stream(network, *cuts, X=X):
    for rows in np.split(np.arange(400), cuts):
        network.partial_fit(X[rows], y[rows], classes=[0, 1])
    return network


@pytest.mark.parametrize("cuts", [(), (100, 200, 300), (1, 2, 399), range(50, 400, 50)])
def test_the_frequencies_do_not_depend_on_the_batches(cuts):
    network = stream(MLPClassifier(**MLP), *cuts)
    counts = decayed(y)
    np.testing.assert_allclose(network.class_frequencies_, counts / counts.sum())


def test_weights_and_costs_by_hand():
    counts = decayed(y) + 1.0
    network = stream(MLPClassifier(**MLP, class_weight="balanced"), 150, 300)
    np.testing.assert_allclose(network.class_weight_, counts.sum() / (2 * counts), rtol=1e-6)
    network = stream(MLPClassifier(**MLP, cost_matrix="inverse_frequency"), 150, 300)
    np.testing.assert_allclose(network.cost_matrix_, inverse_frequency_cost_matrix(counts))
    assert network.class_weight_.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("params", "number"),
    [
        ({"class_weight": "effective"}, lambda loss: loss.class_weight),
        ({"loss": "balanced_softmax"}, lambda loss: loss.per_sample.shift),
        ({"loss": "ldam"}, lambda loss: loss.per_sample.margin),
        ({"loss": Focal(alpha="balanced")}, lambda loss: loss.class_weight),
        ({"loss": "incremental_weighted_cross_entropy"}, lambda loss: loss.final_weight),
    ],
)
def test_losses_follow_the_counts(params, number):
    network = MLPClassifier(**MLP, **params).partial_fit(X[:200], y[:200], classes=[0, 1])
    first = number(network.net_.criterion_).clone()
    second = number(network.partial_fit(X[200:], y[200:]).net_.criterion_)
    assert (first.diff() > 0) != (second.diff() > 0)  # the other class is the rare one


NETWORKS = [
    (MLPClassifier(hidden_layer_sizes=(4,)), (4,)),
    (DBNClassifier(hidden_layer_sizes=(4,), pretrain_epochs=1), (4,)),
    (CNN1DClassifier(n_filters=(2,)), (1, 4)),
    (CNN2DClassifier(n_filters=(2,)), (1, 2, 2)),
    (ResNetClassifier(depth=8, augmentation=()), (1, 2, 2)),
]


@pytest.mark.parametrize(("network", "shape"), NETWORKS)
def test_a_first_batch_of_one_class_and_every_network(network, shape):
    inputs = X.reshape(400, *shape)
    order = np.argsort(y[:40], kind="stable")
    network = clone(network).set_params(
        class_weight="balanced", forgetting_half_life=20.0, random_state=0
    )
    assert y[order[:20]].max() == 0
    network.partial_fit(inputs[order[:20]], y[order[:20]], classes=[0, 1])
    assert np.isfinite(network.class_weight_).all()
    assert network.class_frequencies_.tolist() == [1.0, 0.0]
    network.partial_fit(inputs[order[20:]], y[order[20:]])
    assert network.class_frequencies_[1] > 0
    assert np.isfinite(network.predict_proba(inputs)).all()


def test_none_keeps_the_first_counts():
    network = MLPClassifier(**MLP | {"forgetting_half_life": None}, class_weight="balanced")
    network.partial_fit(X[:200], y[:200], classes=[0, 1], class_counts=[9, 1])
    before = network.class_weight_
    network.partial_fit(X[200:], y[200:])
    np.testing.assert_array_equal(network.class_weight_, before)
    np.testing.assert_allclose(network.class_frequencies_, [0.9, 0.1])


def test_a_long_half_life_is_the_counts_of_all_samples():
    network = stream(MLPClassifier(**MLP | {"forgetting_half_life": 1e12}), 200)
    np.testing.assert_allclose(network.class_frequencies_, np.bincount(y) / 400)


def test_counts_that_are_given_come_before_the_stream():
    network = MLPClassifier(**MLP)
    network.partial_fit(X[:40], y[:40], classes=[0, 1], class_counts=[5.0, 15.0])
    expected = 0.5 * np.array([5.0, 15.0]) + decayed(y[:40])
    np.testing.assert_allclose(network.class_frequencies_, expected / expected.sum())


def test_a_fit_is_forgotten_as_a_long_stream():
    network = MLPClassifier(**MLP, max_epochs=2, class_weight="balanced")
    many = np.arange(400).repeat(5)
    network.fit(X[many], y[many])
    plain = MLPClassifier(**MLP | {"forgetting_half_life": None}, max_epochs=2)
    plain.set_params(class_weight="balanced").fit(X[many], y[many])
    np.testing.assert_array_equal(network.predict_proba(X), plain.predict_proba(X))
    network.partial_fit(X[:40], y[:40])
    start = limited(np.bincount(y) * 5.0, HALF_LIFE)
    assert start.sum() == pytest.approx(decayed(np.zeros(4000, int)).sum())
    expected = 0.5 * start + decayed(y[:40])
    np.testing.assert_allclose(network.class_frequencies_, expected / expected.sum())
    np.testing.assert_allclose(network.fit(X, y).class_frequencies_, np.bincount(y) / 400)


def test_sample_weights_count():
    weight = np.where(y == 1, 3.0, 1.0)
    network = MLPClassifier(**MLP).partial_fit(X, y, classes=[0, 1], sample_weight=weight)
    expected = decayed(y) * [1.0, 3.0]
    np.testing.assert_allclose(network.class_frequencies_, expected / expected.sum())


def test_it_goes_on_after_pickling():
    network = stream(MLPClassifier(**MLP, class_weight="balanced"), 200)
    copy = pickle.loads(pickle.dumps(network))
    for each in (network, copy):
        each.partial_fit(X[:50], y[:50])
    np.testing.assert_array_equal(copy.predict_proba(X), network.predict_proba(X))


def test_a_call_that_fails_changes_nothing():
    network = stream(MLPClassifier(**MLP, class_weight="balanced", optimizer="sgd"), 200)
    before, proba = network.class_frequencies_, network.predict_proba(X)
    loss = network.net_.criterion_
    network.net_.optimizer_.param_groups[0]["lr"] = 1e30
    with pytest.raises(NonFiniteLossError):
        network.partial_fit(X[:200], y[:200])
    assert network.net_.criterion_ is loss
    np.testing.assert_array_equal(network.class_frequencies_, before)
    np.testing.assert_allclose(network._class_counts, decayed(y) + 1.0)
    np.testing.assert_array_equal(network.predict_proba(X), proba)


class Trained(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(1))

    def forward(self, logits, target):
        return torch.nn.functional.cross_entropy(self.factor * logits, target, reduction="none")


def test_a_loss_with_parameters_is_refused():
    network = MLPClassifier(**MLP, loss=Trained(), class_weight="balanced")
    with pytest.raises(ValueError, match="parameters that are trained"):
        network.partial_fit(X, y, classes=[0, 1])
    assert not hasattr(network, "net_")


@pytest.mark.parametrize("half_life", [0, -1.0, "long"])
def test_bad_half_lives_are_refused(half_life):
    with pytest.raises(ValueError, match="forgetting_half_life"):
        MLPClassifier(forgetting_half_life=half_life).partial_fit(X, y, classes=[0, 1])


def test_probabilities_for_the_frequencies_that_the_stream_has_now():
    network = stream(MLPClassifier(**MLP, class_weight="balanced", probabilities="data"), 200)
    counts = decayed(y) + 1.0
    balanced = clone(network).set_params(probabilities="training")
    odds = stream(balanced, 200).decision_function(X) + np.log(counts[1] / counts[0])
    np.testing.assert_allclose(network.decision_function(X), odds, atol=1e-6)
