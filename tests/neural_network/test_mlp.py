"""The perceptron: its formula, its layers, dropout."""

import numpy as np
import pytest
from scipy.special import expit, softmax
from scipy.stats import norm
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from skimbal import MLPClassifier

from .networks import NETWORKS


def test_a_linear_network_is_logistic_regression(imbalanced):
    X, y = imbalanced
    network = MLPClassifier(
        hidden_layer_sizes=(),
        batch_size=300,
        max_epochs=1500,
        learning_rate=0.05,
        weight_decay=0.0,
        class_weight="balanced",
        random_state=0,
    )
    X = StandardScaler().fit_transform(X)
    reference = LogisticRegression(C=1e10, class_weight="balanced", max_iter=1000).fit(X, y)
    np.testing.assert_allclose(
        network.fit(X, y).predict_proba(X), reference.predict_proba(X), atol=2e-3
    )


def test_dropout_trains_differently_and_predicts_alike(imbalanced):
    X, y = imbalanced
    network = clone(NETWORKS[0]).set_params(dropout=0.5).fit(X, y)
    np.testing.assert_array_equal(network.predict_proba(X), network.predict_proba(X))
    assert (network.predict_proba(X) != clone(NETWORKS[0]).fit(X, y).predict_proba(X)).any()


@pytest.mark.parametrize(
    ("sizes", "n_expected"),
    [((), 6 * 2 + 2), (5, 6 * 5 + 5 + 5 * 2 + 2), ((5, 3), 35 + 5 * 3 + 3 + 3 * 2 + 2)],
)
def test_parameters_by_hand(sizes, n_expected, imbalanced):
    fitted = MLPClassifier(hidden_layer_sizes=sizes, max_epochs=1).fit(*imbalanced)
    assert sum(p.numel() for p in fitted.net_.module_.parameters()) == n_expected


@pytest.mark.parametrize(
    ("activation", "function"),
    [
        ("relu", lambda z: np.maximum(z, 0)),
        ("tanh", np.tanh),
        ("sigmoid", expit),
        ("elu", lambda z: np.where(z > 0, z, np.expm1(z))),
        ("gelu", lambda z: z * norm.cdf(z)),
    ],
)
def test_posteriors_by_hand(activation, function, imbalanced):
    X, y = imbalanced
    fitted = MLPClassifier(
        hidden_layer_sizes=(4, 3), activation=activation, max_epochs=3, random_state=0
    ).fit(X, y)
    hidden = (X - fitted.input_mean_) / fitted.input_scale_
    weights = [p.detach().double().numpy() for p in fitted.net_.module_.parameters()]
    for weight, bias in (weights[:2], weights[2:4]):
        hidden = function(hidden @ weight.T + bias)
    np.testing.assert_allclose(fitted.transform(X), hidden, rtol=1e-9, atol=1e-12)
    logits = hidden @ weights[4].T + weights[5]
    np.testing.assert_allclose(fitted.predict_proba(X), softmax(logits, axis=1), rtol=1e-9)
