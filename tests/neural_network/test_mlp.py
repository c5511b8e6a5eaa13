"""The perceptron: its formula, its layers, dropout."""

import numpy as np
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
