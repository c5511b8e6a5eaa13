"""Probabilities averaged over several fitted classifiers."""

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted

from skimbal import MLPClassifier
from skimbal.cost_sensitive import PosteriorEnsemble

SMALL = {"hidden_layer_sizes": (4,), "max_epochs": 3, "random_state": 0}


@pytest.fixture(params=[2, 3])
def data(request):
    options = {"n_informative": 4, "n_redundant": 0, "weights": [0.6, 0.3], "random_state": 0}
    return make_classification(90, 5, n_classes=request.param, **options)


def test_the_ensemble_is_the_mean_of_its_members(data):
    X, y = data
    one, two = (LogisticRegression().fit(X[k::2], y[k::2]) for k in range(2))
    ensemble = PosteriorEnsemble([one, two])
    mean = (one.predict_proba(X) + two.predict_proba(X)) / 2
    np.testing.assert_allclose(ensemble.predict_proba(X), mean, rtol=1e-12)
    np.testing.assert_allclose(ensemble.predict_log_proba(X), np.log(mean), rtol=1e-9)
    np.testing.assert_array_equal(ensemble.predict(X), one.classes_[mean.argmax(axis=1)])
    lean = ensemble.decision_function(X)
    expected = np.log(mean[:, 1] / mean[:, 0]) if mean.shape[1] == 2 else np.log(mean)
    np.testing.assert_allclose(lean, expected, rtol=1e-9, atol=1e-12)
    assert ensemble.n_features_in_ == 5
    assert not hasattr(ensemble, "feature_names_in_")
    assert not hasattr(ensemble, "transform")


def test_only_what_the_members_can_do_is_offered(data):
    X, y = data
    boosted = HistGradientBoostingClassifier(max_iter=2).fit(X, y)  # no log-probabilities
    ensemble = PosteriorEnsemble([boosted, boosted])
    assert hasattr(boosted, "decision_function")
    assert not hasattr(ensemble, "decision_function")
    check_is_fitted(ensemble)


def test_log_probabilities_of_certain_members_are_finite_where_one_doubts():
    class Certain(LogisticRegression):
        classes_ = np.array([0, 1])

        def predict_log_proba(self, X):
            return np.tile([0.0, -1000.0], (len(X), 1))

    class Doubtful(LogisticRegression):
        classes_ = np.array([0, 1])

        def predict_log_proba(self, X):
            return np.log(np.tile([0.5, 0.5], (len(X), 1)))

    logs = PosteriorEnsemble([Certain(), Doubtful()]).predict_log_proba(np.zeros((1, 1)))
    np.testing.assert_allclose(logs, np.log([[0.75, 0.25]]), rtol=1e-12)


def test_activations_stand_side_by_side(data):
    X, y = data
    networks = [MLPClassifier(**SMALL).fit(X[k::2], y[k::2]) for k in range(2)]
    ensemble = PosteriorEnsemble(networks)
    assert ensemble.transform(X).shape == (90, 8) == (90, ensemble._n_features_out)
    np.testing.assert_array_equal(ensemble.transform(X)[:, 4:], networks[1].transform(X))
