"""Class frequencies that networks have seen in training, and the probabilities for them."""

import numpy as np
import pytest
import torch
from sklearn.datasets import make_classification

from skimbal import MLPClassifier
from skimbal.losses import (
    ClassBalanced,
    DeferredReweighting,
    Focal,
    IncrementalWeightedCrossEntropy,
    LogitAdjustment,
)
from skimbal.neural_network import unknown_prior

X, y = make_classification(
    200, 4, n_informative=4, n_redundant=0, n_classes=3, weights=[0.6, 0.3], random_state=0
)
COUNTS = np.bincount(y)
SHARES = COUNTS / len(y)
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
