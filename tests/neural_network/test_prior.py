"""Class frequencies that networks have seen in training, and the probabilities for them."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.metrics import log_loss

from skimbal import (
    CNN1DClassifier,
    CNN2DClassifier,
    DBNClassifier,
    ECSDBNClassifier,
    FixedCostClassifier,
    MLPClassifier,
    ResNetClassifier,
)
from skimbal.ensemble import PriorCorrectedClassifier
from skimbal.losses import (
    ClassBalanced,
    DeferredReweighting,
    Focal,
    IncrementalWeightedCrossEntropy,
    LogitAdjustment,
)
from skimbal.metrics import correct_prior, decide
from skimbal.neural_network import unknown_prior

X, y = make_classification(
    200, 4, n_informative=4, n_redundant=0, n_classes=3, weights=[0.6, 0.3], random_state=0
)
COUNTS = np.bincount(y)
SHARES = COUNTS / len(y)
TINY = {"max_epochs": 2, "random_state": 0, "class_weight": "balanced"}
NETWORKS = [
    MLPClassifier(hidden_layer_sizes=(4,), **TINY),
    DBNClassifier(hidden_layer_sizes=(4,), pretrain_epochs=1, **TINY),
    CNN1DClassifier(n_filters=(2,), **TINY),
    CNN2DClassifier(n_filters=(2,), **TINY),
    ResNetClassifier(depth=8, **TINY, augmentation=()),
]
SHAPES = {
    MLPClassifier: (4,),
    DBNClassifier: (4,),
    CNN1DClassifier: (1, 4),
    CNN2DClassifier: (1, 2, 2),
    ResNetClassifier: (1, 2, 2),
}
COSTS = np.array([[0.0, 1.0, 1.0], [3.0, 0.0, 3.0], [8.0, 8.0, 0.0]])


def fit(**params):
    params = {"hidden_layer_sizes": (4,), "max_epochs": 3, "random_state": 0} | params
    return MLPClassifier(**params).fit(X, y)


def shares(numbers):
    return np.asarray(numbers) / np.sum(numbers)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, SHARES),
        ({"class_weight": "balanced"}, np.ones(3)),
        ({"class_weight": {0: 1, 1: 2, 2: 4}}, COUNTS * [1, 2, 4]),
        ({"sampler": "balanced"}, np.ones(3)),
        ({"sampler": "sqrt"}, np.sqrt(COUNTS)),
        ({"sampler": "progressive"}, np.ones(3)),
        ({"sampler": "two_phase"}, SHARES),
        ({"sampler": "balanced", "class_weight": [1, 2, 3]}, [1, 2, 3]),
        ({"loss": "balanced_softmax"}, np.ones(3)),
        ({"loss": LogitAdjustment(tau=0.5)}, np.sqrt(COUNTS)),
        ({"loss": LogitAdjustment(tau=2)}, 1 / COUNTS),
        ({"loss": "balanced_softmax", "class_weight": [1, 2, 3]}, [1, 2, 3]),
        ({"loss": "balanced_softmax", "sampler": "balanced"}, 1 / COUNTS),
        ({"loss": IncrementalWeightedCrossEntropy(T=1)}, np.ones(3)),
        ({"loss": DeferredReweighting(weights="balanced")}, np.ones(3)),
        ({"loss": ClassBalanced(beta=0.0)}, SHARES),
        ({"loss": "cost_weighted_cross_entropy", "cost_matrix": COSTS}, COUNTS * [1, 3, 8]),
    ],
)
def test_what_the_training_has_seen(params, expected):
    np.testing.assert_allclose(fit(**params).training_prior_, shares(expected), rtol=1e-6)


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"loss": "dice"}, "estimates no posteriors"),
        ({"loss": Focal(gamma=1)}, "estimates no posteriors"),
        ({"loss": ClassBalanced(loss="focal")}, "estimates no posteriors"),
        ({"loss": torch.nn.CrossEntropyLoss()}, "estimates no posteriors"),
        ({"sampler": "dynamic"}, "scores on validation data"),
    ],
)
def test_what_is_not_known(params, reason):
    assert reason in unknown_prior(MLPClassifier(**params))
    assert fit(**params).training_prior_ is None


def test_sample_weights_count():
    weight = np.where(y == 2, 3.0, 1.0)
    network = MLPClassifier(hidden_layer_sizes=(2,), max_epochs=1).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(network.training_prior_, shares(COUNTS * [1, 1, 3]))


def test_streams_keep_the_counts_that_they_were_given():
    network = MLPClassifier(hidden_layer_sizes=(2,), class_weight="balanced")
    network.partial_fit(X, y, classes=[0, 1, 2], class_counts=[50, 30, 20])
    np.testing.assert_allclose(network.training_prior_, np.full(3, 1 / 3), rtol=1e-6)
    network = MLPClassifier(hidden_layer_sizes=(2,)).partial_fit(X, y, classes=[0, 1, 2])
    np.testing.assert_allclose(network.training_prior_, SHARES)


# ---------------------------------------------------------------- probabilities="data"


def test_the_default_changes_nothing():
    plain = fit(class_weight="balanced")
    same = fit(class_weight="balanced", probabilities="training")
    np.testing.assert_array_equal(same.predict_proba(X), plain.predict_proba(X))
    inputs = ((X - plain.input_mean_) / plain.input_scale_).astype(np.float32)
    np.testing.assert_allclose(plain.predict_proba(X), plain.net_.predict_proba(inputs), atol=1e-6)


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: type(network).__name__)
def test_probabilities_for_the_frequencies_of_the_data(network):
    inputs = X.reshape(200, *SHAPES[type(network)])
    balanced = clone(network).fit(inputs, y)
    corrected = clone(network).set_params(probabilities="data").fit(inputs, y)
    expected = correct_prior(balanced.predict_proba(inputs), np.ones(3), COUNTS)
    np.testing.assert_allclose(corrected.predict_proba(inputs), expected, rtol=1e-5)
    np.testing.assert_allclose(corrected.predict_log_proba(inputs), np.log(expected), atol=1e-5)
    np.testing.assert_array_equal(corrected.predict(inputs), expected.argmax(axis=1))
    np.testing.assert_array_equal(corrected.transform(inputs), balanced.transform(inputs))


@pytest.mark.parametrize(
    "params",
    [
        {"sampler": "balanced"},
        {"loss": "balanced_softmax"},
        {"loss": LogitAdjustment(tau=2)},
        {"class_weight": {2: 20.0}},
        {"loss": "balanced_softmax", "sampler": "sqrt", "class_weight": [1, 3, 9]},
    ],
)
def test_the_mean_probabilities_are_the_frequencies(params):
    """Of a model without hidden units, which is calibrated on its training samples."""
    settings = {"hidden_layer_sizes": (), "max_epochs": 60, "learning_rate": 0.1}
    settings["batch_size"] = 200
    mean = fit(**settings, **params).predict_proba(X).mean(axis=0)
    assert np.abs(mean - SHARES).max() > 0.1
    mean = fit(**settings, **params, probabilities="data").predict_proba(X).mean(axis=0)
    np.testing.assert_allclose(mean, SHARES, atol=0.04)


def test_costs_decide_on_the_corrected_probabilities():
    network = fit(class_weight="balanced", cost_matrix=COSTS, probabilities="data")
    np.testing.assert_array_equal(
        network.predict(X), network.classes_[decide(network.predict_proba(X), COSTS)]
    )


@pytest.mark.filterwarnings("error::skimbal.exceptions.BalancedTwiceWarning")
def test_the_balance_counts_once():
    network = fit(class_weight="balanced", probabilities="data", cost_matrix="inverse_frequency")
    np.testing.assert_array_equal(network.predict(X), fit(class_weight="balanced").predict(X))
    FixedCostClassifier(network).fit(X, y)


def test_early_stopping_scores_the_corrected_probabilities():
    params = {"class_weight": "balanced", "scoring": "neg_log_loss", "max_epochs": 4}
    network = fit(**params, probabilities="data")
    expected = -log_loss(y, network.predict_proba(X))
    assert network.history_.train_score.iloc[-1] == pytest.approx(expected, abs=1e-5)
    assert fit(**params).history_.train_score.iloc[-1] != pytest.approx(expected, abs=1e-3)


def test_it_can_be_chosen_after_the_training():
    network = fit(class_weight="balanced")
    direct = fit(class_weight="balanced", probabilities="data").predict_proba(X)
    np.testing.assert_array_equal(network.set_params(probabilities="data").predict_proba(X), direct)
    unknown = fit(loss="dice").set_params(probabilities="data")
    with pytest.raises(ValueError, match=r"Dice.* estimates no posteriors"):
        unknown.predict(X)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"loss": "dice"}, "loss=Dice.* estimates no posteriors.*PriorCorrectedClassifier"),
        ({"sampler": "dynamic"}, "scores on validation data"),
        ({"class_weight": {1: 0.0}}, r"the classes \[1\] have weight 0"),
    ],
)
def test_what_cannot_be_corrected_is_refused(params, message):
    with pytest.raises(ValueError, match=f"probabilities='data' can't be computed: .*{message}"):
        fit(**params, probabilities="data")


def test_a_correction_around_it_corrects_nothing():
    network = MLPClassifier(
        hidden_layer_sizes=(4,), max_epochs=3, class_weight="balanced", probabilities="data",
        random_state=0,
    )  # fmt: skip  # one line of settings
    twice = PriorCorrectedClassifier(network).fit(X, y)
    np.testing.assert_allclose(twice.predict_proba(X), clone(network).fit(X, y).predict_proba(X))


def test_belief_networks_with_found_costs_pass_it_on():
    network = ECSDBNClassifier(
        hidden_layer_sizes=(4,), max_epochs=2, pretrain_epochs=1, class_weight="balanced",
        cost_cv="train", refit=True, max_generations=1, shrinkage=0.0, random_state=0,
    )  # fmt: skip  # as a table
    balanced = clone(network).fit(X, y).predict_proba(X)
    corrected = network.set_params(probabilities="data").fit(X, y).predict_proba(X)
    np.testing.assert_allclose(corrected, correct_prior(balanced, np.ones(3), COUNTS), rtol=1e-5)
