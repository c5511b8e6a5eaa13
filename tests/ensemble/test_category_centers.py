"""Category centers: means of features, distances, and the network that gives the features."""

import numpy as np
import pytest
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as make_imbalanced_pipeline
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skimbal import CNN1DClassifier, DBNClassifier, MLPClassifier
from skimbal._fitting import Fit, has_fit_coroutine, run_fits
from skimbal.ensemble import CategoryCentersClassifier
from skimbal.ensemble._category_centers import (
    center_log_proba,
    class_centers,
    within_class_variance,
)
from skimbal.metrics import g_mean

RNG = np.random.default_rng(0)
y = np.repeat(["a", "b", "c"], [60, 25, 10])
TARGETS = np.unique(y, return_inverse=True)[1]
X = RNG.normal(size=(95, 4)) + TARGETS[:, None] * [1.5, -0.5, 0.2, 1.0]
WEIGHT = RNG.integers(1, 4, size=95)
NET = MLPClassifier(hidden_layer_sizes=(8,), max_epochs=8, random_state=0)


class Identity(ClassifierMixin, BaseEstimator):
    """The inputs are the features."""

    def __init__(self, features=None):
        self.features = features

    def fit(self, X, y, sample_weight=None, groups=None):
        self.classes_ = np.unique(y)
        self.given_ = sample_weight, groups
        return self

    def transform(self, X):
        return X if self.features is None else self.features

    def predict(self, X):
        raise AssertionError("the centers predict")


class Untrainable(Identity):
    def fit(self, X, y, sample_weight=None):
        raise AssertionError("trained")


class Unweighted(Identity):
    def fit(self, X, y):
        return super().fit(X, y)


def test_centers_are_those_of_nearest_centroid():
    fitted = CategoryCentersClassifier(Identity()).fit(X, y)
    nearest = NearestCentroid().fit(X, y)
    np.testing.assert_allclose(fitted.centers_, nearest.centroids_)
    np.testing.assert_array_equal(fitted.predict(X), nearest.predict(X))


def test_weights_are_repetition():
    weighted = CategoryCentersClassifier(Identity()).fit(X, y, sample_weight=WEIGHT)
    repeated = CategoryCentersClassifier(Identity()).fit(X.repeat(WEIGHT, axis=0), y.repeat(WEIGHT))
    np.testing.assert_allclose(weighted.centers_, repeated.centers_)
    assert weighted.variance_ == pytest.approx(repeated.variance_)
    scaled = CategoryCentersClassifier(Identity()).fit(X, y, sample_weight=1e300 * WEIGHT)
    np.testing.assert_allclose(scaled.predict_proba(X), weighted.predict_proba(X))
    np.testing.assert_array_equal(weighted.estimator_.given_[0], WEIGHT)


def test_samples_without_weight_change_nothing():
    weight = np.where(TARGETS == 2, 0.0, 1.0)
    without = CategoryCentersClassifier(Identity()).fit(X, y, sample_weight=weight)
    assert without.classes_.tolist() == ["a", "b"]
    alone = CategoryCentersClassifier(Identity()).fit(X[TARGETS < 2], y[TARGETS < 2])
    np.testing.assert_allclose(without.predict_proba(X), alone.predict_proba(X))


def test_the_variance_is_that_of_a_spherical_gaussian():
    deviations = X - np.stack([X[c == TARGETS].mean(axis=0) for c in range(3)])[TARGETS]
    expected = (deviations**2).sum() / deviations.size
    variance = within_class_variance(X, TARGETS, class_centers(X, TARGETS))
    assert variance == pytest.approx(expected)


def test_probabilities_are_those_of_gaussians_of_equal_frequency():
    fitted = CategoryCentersClassifier(Identity()).fit(X, y)
    squares = ((X[:, None] - fitted.centers_) ** 2).sum(axis=2)
    density = np.exp(-squares / (2 * fitted.variance_))
    expected = density / density.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(fitted.predict_proba(X), expected)
    np.testing.assert_allclose(np.exp(fitted.decision_function(X)), expected)
    two = CategoryCentersClassifier(Identity()).fit(X[TARGETS < 2], y[TARGETS < 2])
    proba = two.predict_proba(X)
    np.testing.assert_allclose(two.decision_function(X), np.log(proba[:, 1] / proba[:, 0]))


def test_features_move_scale_and_turn_with_the_centers():
    turn = np.linalg.qr(RNG.normal(size=(4, 4)))[0]
    moved = 3.0 * X @ turn + 5.0
    plain = CategoryCentersClassifier(Identity()).fit(X, y).predict_proba(X)
    other = CategoryCentersClassifier(Identity()).fit(moved, y).predict_proba(moved)
    np.testing.assert_allclose(other, plain)


@pytest.mark.parametrize("spread", [0.0, 1e-200, 1e-9])
def test_classes_that_are_points(spread):
    features = np.array([[0.0, 0.0], [0.0, spread], [1.0, 0.0], [1.0, 0.0]])
    fitted = CategoryCentersClassifier(Identity()).fit(features, [0, 0, 1, 1])
    assert fitted.variance_ > 0
    assert np.isfinite(fitted.predict_log_proba(features)).all()
    assert fitted.predict([[0.2, 0.0], [0.8, 0.0]]).tolist() == [0, 1]
    same = CategoryCentersClassifier(Identity()).fit(np.zeros((4, 2)), [0, 0, 1, 1])
    np.testing.assert_allclose(same.predict_proba(np.zeros((1, 2))), [[0.5, 0.5]])


def test_log_probabilities_far_from_all_centers_are_finite():
    log_proba = center_log_proba(np.full((1, 2), 1e6), np.array([[0.0, 0.0], [1.0, 1.0]]), 1e-3)
    assert np.isfinite(log_proba).all()
    assert log_proba[0, 1] == 0.0


@pytest.mark.parametrize(
    "network",
    [
        NET,
        make_pipeline(StandardScaler(), NET),
        make_imbalanced_pipeline(RandomOverSampler(random_state=0), NET),
        DBNClassifier(hidden_layer_sizes=(4,), pretrain_epochs=1, max_epochs=2, random_state=0),
        CNN1DClassifier(n_filters=(3,), max_epochs=2, random_state=0),
        FrozenEstimator(clone(NET).fit(X, y)),
        LinearDiscriminantAnalysis(),
    ],
    ids=lambda network: type(network).__name__,
)
def test_features_are_those_of_the_fitted_network(network):
    fitted = CategoryCentersClassifier(network).fit(X, y)
    features = clone(network).fit(X, y).transform(X)
    expected = [features[c == TARGETS].mean(axis=0) for c in range(3)]
    np.testing.assert_allclose(fitted.centers_, expected, rtol=1e-6)
    assert fitted.n_features_in_ == 4


def test_windows_are_inputs():
    windows = X[:, None, :]
    network = CNN1DClassifier(n_filters=(3,), max_epochs=2, random_state=0)
    fitted = CategoryCentersClassifier(network).fit(windows, y)
    assert fitted.predict(windows).shape == (95,)
    assert not hasattr(fitted, "n_features_in_")


def test_networks_of_folds_are_trained_together():
    estimators = [CategoryCentersClassifier(NET), CategoryCentersClassifier(make_pipeline(NET))]
    assert all(map(has_fit_coroutine, estimators))
    lines = []
    folds = [np.arange(95) % 3 != 0, np.arange(95) % 3 != 1]
    fits = [
        Fit(clone(e), X[fold], y[fold]).coroutine()
        for e, fold in zip(estimators, folds, strict=True)
    ]
    fitted = run_fits(fits, report=lines.append)
    assert len(lines) == 1
    assert lines[0].startswith("2 ")
    for estimator, fold, own in zip(estimators, folds, fitted, strict=True):
        alone = clone(estimator).fit(X[fold], y[fold])
        np.testing.assert_array_equal(own.predict_proba(X), alone.predict_proba(X))


def test_the_default_is_a_network():
    assert CategoryCentersClassifier().fit(X, y).estimator_.get_params() == (
        MLPClassifier().get_params()
    )


def test_rare_classes_are_found_more_often_than_by_the_last_layer():
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1], [950, 50])
    inputs = rng.normal(size=(1000, 3)) + labels[:, None]
    network = MLPClassifier(hidden_layer_sizes=(16,), max_epochs=20, random_state=0)
    fitted = CategoryCentersClassifier(network).fit(inputs[::2], labels[::2])
    by_centers = g_mean(labels[1::2], fitted.predict(inputs[1::2]))
    by_last_layer = g_mean(labels[1::2], fitted.estimator_.predict(inputs[1::2]))
    assert by_centers > by_last_layer + 0.2


def test_a_classifier_without_weights_warns():
    with pytest.warns(UserWarning, match="weights the samples only in the class centers") as seen:
        fitted = CategoryCentersClassifier(Unweighted()).fit(X, y, WEIGHT)
    assert seen[0].filename == __file__
    np.testing.assert_allclose(fitted.centers_, class_centers(X, TARGETS, WEIGHT))


def test_groups_and_metadata_reach_the_classifier():
    groups = np.arange(95) % 5
    fitted = CategoryCentersClassifier(Identity()).fit(X, y, groups=groups)
    np.testing.assert_array_equal(fitted.estimator_.given_[1], groups)
    with config_context(enable_metadata_routing=True):
        inner = Identity().set_fit_request(sample_weight=True, groups=False)
        outer = CategoryCentersClassifier(inner).fit(X, y, sample_weight=WEIGHT)
        np.testing.assert_array_equal(outer.estimator_.given_[0], WEIGHT)
        assert outer.estimator_.given_[1] is None


@pytest.mark.parametrize(
    ("labels", "params", "message"),
    [
        (np.zeros(95), {}, "needs samples of two or more classes"),
        (y, {"sample_weight": np.where(y == "a", 1.0, 0.0)}, "1 class with a positive"),
        (y, {"sample_weight": -np.ones(95)}, "[Nn]egative"),
        (y, {"groups": np.arange(3)}, "groups has shape"),
        (np.linspace(0, 1, 95), {}, "Unknown label type"),
    ],
)
def test_bad_data_is_refused_before_training(labels, params, message):
    classifier = CategoryCentersClassifier(Untrainable())
    with pytest.raises(ValueError, match=message):
        classifier.fit(X, labels, **params)
    assert vars(classifier) == {"estimator": classifier.estimator}


@pytest.mark.parametrize("estimator", [LogisticRegression(), StandardScaler(), 3])
def test_an_estimator_without_features_is_refused(estimator):
    with pytest.raises(ValueError, match=r"The 'estimator' parameter .* must be .*transform"):
        CategoryCentersClassifier(estimator).fit(X, y)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (np.ones((95, 2, 2)), r"shape \(95, 2, 2\) for 95 samples"),
        (np.ones((94, 2)), r"shape \(94, 2\) for 95 samples"),
        (np.where(np.arange(190).reshape(95, 2) == 7, np.nan, 1.0), "NaN or infinite features"),
    ],
)
def test_bad_features_leave_nothing_half_fitted(features, message):
    classifier = CategoryCentersClassifier(Identity(features))
    with pytest.raises(ValueError, match=message):
        classifier.fit(X, y)
    assert vars(classifier) == {"estimator": classifier.estimator}
