"""Moments per feature and per channel, weighted, and of channels that are constant."""

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from skimbal import MLPClassifier
from skimbal._training.inputs import channel_moments


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_by_hand():
    mean, scale = channel_moments(np.array([[0.0, 5.0], [4.0, 5.0]]), np.array([3.0, 1.0]))
    np.testing.assert_allclose(mean, [1.0, 5.0])
    np.testing.assert_allclose(scale, [3**0.5, 1.0])


@pytest.mark.parametrize("weighted", [False, True])
def test_tables_as_scikit_learn(rng, weighted):
    X = rng.normal(3.0, [0.1, 1.0, 50.0], size=(40, 3))
    weight = rng.random(40) if weighted else None
    reference = StandardScaler().fit(X, sample_weight=weight)
    mean, scale = channel_moments(X, weight)
    np.testing.assert_allclose(mean, reference.mean_)
    np.testing.assert_allclose(scale, reference.scale_)


@pytest.mark.parametrize("shape", [(20, 3, 7), (20, 3, 4, 5)])
def test_channels_of_signals_and_images(rng, shape):
    X = rng.normal(2.0, 3.0, size=shape)
    mean, scale = channel_moments(X)
    axes = (0, *range(2, X.ndim))
    assert mean.shape == scale.shape == (3, *[1] * (X.ndim - 2))
    np.testing.assert_allclose(mean.ravel(), X.mean(axes))
    np.testing.assert_allclose(scale.ravel(), X.std(axes))
    standardized = (X - mean) / scale
    np.testing.assert_allclose(standardized.mean(axes), 0.0, atol=1e-12)
    np.testing.assert_allclose(standardized.std(axes), 1.0)


def test_integer_sample_weights_are_repetition(rng):
    X, times = rng.normal(size=(10, 2, 3)), rng.integers(0, 4, 10)
    repeated = channel_moments(np.repeat(X, times, axis=0))
    np.testing.assert_allclose(channel_moments(X, times.astype(float)), repeated)


def test_scale_of_the_sample_weights_does_not_matter(rng):
    X, weight = rng.normal(size=(10, 2)), rng.random(10)
    np.testing.assert_allclose(channel_moments(X, 1e-6 * weight), channel_moments(X, weight))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [0.0, 0.1, -1e6, 1e-20, 123456.789])
def test_constant_channel_has_scale_one(value, dtype):
    X = np.full((997, 2), value, dtype=dtype)
    X[:, 1] += np.arange(997) % 2 + np.abs(X[0, 0])
    mean, scale = channel_moments(X)
    assert scale[0] == 1.0
    assert mean[0] == pytest.approx(X[0, 0])
    assert 0.0 < scale[1] < 1.0


def test_small_spread_is_not_taken_for_a_constant(rng):
    X = 1.0 + 1e-9 * rng.normal(size=(100, 1))
    np.testing.assert_allclose(channel_moments(X)[1], X.std(axis=0), rtol=1e-6)


def test_network_does_not_depend_on_the_units_of_its_inputs(rng):
    X = rng.normal(size=(60, 3))
    y = (X[:, 0] > 0.3).astype(int)
    factors, offsets = [2.0**10, 1.0, 2.0**-20], [64.0, 0.0, 0.0]
    network = MLPClassifier(hidden_layer_sizes=(5,), max_epochs=5, random_state=0)
    proba = network.fit(X, y).predict_proba(X)
    scaled = X * factors + offsets
    np.testing.assert_allclose(network.fit(scaled, y).predict_proba(scaled), proba, atol=1e-6)
    raw = network.set_params(standardize=False).fit(scaled, y).predict_proba(scaled)
    assert np.abs(raw - proba).max() > 0.05
