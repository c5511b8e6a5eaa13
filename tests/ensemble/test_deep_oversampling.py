"""Deep over-sampling as a classifier: the network that it trains, and what it refuses."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

from skimbal import CNN1DClassifier, MLPClassifier
from skimbal.ensemble import DeepOversamplingClassifier
from skimbal.exceptions import BalancedTwiceWarning
from skimbal.losses import DeepOversampling

SMALL = MLPClassifier(hidden_layer_sizes=(8, 4), max_epochs=5, batch_size=64, random_state=3)


def make_data(n_samples=200):
    return make_classification(n_samples, weights=[0.85], random_state=0)


def test_is_a_network_with_the_loss():
    X, y = make_data()
    classifier = DeepOversamplingClassifier(SMALL, n_neighbors=3, n_draws=2, random_state=0)
    network = classifier.fit(X, y).estimator_
    loss = network.loss
    assert isinstance(loss, DeepOversampling)
    assert (loss.n_neighbors, loss.n_draws, loss.clustering) == (3, 2, 0.1)
    by_hand = MLPClassifier(**network.get_params(deep=False)).fit(X, y)
    np.testing.assert_array_equal(classifier.predict_proba(X), by_hand.predict_proba(X))
    assert SMALL.loss == "cross_entropy"


def test_one_neighbor_is_a_network_with_balanced_weights():
    X, y = make_data()
    ours = DeepOversamplingClassifier(SMALL, n_neighbors=1).fit(X, y)
    plain = MLPClassifier(**SMALL.get_params()).set_params(class_weight="balanced").fit(X, y)
    np.testing.assert_allclose(ours.predict_proba(X), plain.predict_proba(X), atol=1e-4)


def test_clustering_pulls_the_features_of_the_rare_class_together():
    X, y = make_data()
    network = MLPClassifier(hidden_layer_sizes=(8,), max_epochs=60, random_state=0)

    def scatter(clustering):
        model = DeepOversamplingClassifier(network, clustering=clustering, random_state=0)
        features = model.fit(X, y).estimator_.transform(X)
        return features[y == 1].var(axis=0).sum() / features.var(axis=0).sum()

    assert scatter(10.0) < 0.8 * scatter(0.0)


def test_takes_signals():
    X = np.random.default_rng(0).normal(size=(60, 2, 16))
    y = np.repeat([0, 1, 2], [40, 12, 8])
    network = CNN1DClassifier(n_filters=(4,), max_epochs=2)
    model = DeepOversamplingClassifier(network, random_state=0).fit(X, y)
    assert model.predict_proba(X).shape == (60, 3)
    assert model.estimator_.transform(X).shape == (60, 4)


def test_classes_smaller_than_a_cluster_are_named_in_a_warning():
    X, y = make_data(40)
    y = np.where(np.arange(40) < 3, "rare", "usual")
    with pytest.warns(UserWarning, match=r"n_neighbors=5.*\{'rare': 3\}"):
        DeepOversamplingClassifier(SMALL).fit(X, y)


def test_the_loss_with_a_sampler_counts_the_balance_twice():
    network = clone(SMALL).set_params(loss="deep_oversampling", sampler="balanced")
    with pytest.warns(BalancedTwiceWarning, match="sampler='balanced' changes"):
        network.fit(*make_data())


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (DeepOversamplingClassifier(LogisticRegression()), "no network of this package"),
        (DeepOversamplingClassifier(MLPClassifier(loss="focal")), "loss='focal'"),
        (DeepOversamplingClassifier(MLPClassifier(class_weight="balanced")), "class_weight="),
        (DeepOversamplingClassifier(MLPClassifier(sampler="balanced")), "sampler='balanced'"),
        (DeepOversamplingClassifier(n_neighbors=0), "'n_neighbors' .* Got 0"),
        (DeepOversamplingClassifier(clustering=-1.0), "'clustering' .* Got -1"),
    ],
)
def test_bad_parameters(model, message):
    with pytest.raises(ValueError, match=message):
        model.fit(*make_data())
    assert not hasattr(model, "classes_")
