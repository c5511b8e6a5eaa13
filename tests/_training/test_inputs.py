"""Moments per feature and per channel, weighted, and of channels that are constant."""

import numpy as np
import pytest
import torch
from sklearn.preprocessing import StandardScaler

from skimbal import MLPClassifier
from skimbal._training import inputs as inputs_module
from skimbal._training.inputs import (
    WindowInputs,
    blocks_of_rows,
    channel_moments,
    is_windows,
    slices_of,
    to_tensors,
)
from skimbal.preprocessing import index_windows


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


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [1e12, 1e20, -3.3e30, 1e38])
def test_a_large_constant_is_near_zero_after_standardization(rng, value, dtype):
    """The mean is off by its rounding, which is a large number here."""
    X = np.column_stack([np.full(997, value), rng.normal(size=997)]).astype(dtype)
    mean, scale = channel_moments(X, rng.uniform(0.5, 2.0, size=997))
    assert np.abs((X[:, 0] - mean[0]) / scale[0]).max() <= 1.0
    assert scale[1] == pytest.approx(1.0, abs=0.1)


def test_small_spread_is_not_taken_for_a_constant(rng):
    X = 1.0 + 1e-9 * rng.normal(size=(100, 1))
    np.testing.assert_allclose(channel_moments(X)[1], X.std(axis=0), rtol=1e-6)


@pytest.mark.parametrize("shape", [(30, 3), (30, 3, 7)])
@pytest.mark.parametrize("scale", [1e-310, 1e-200, 1e-120, 1e-40, 1e40, 1e200, 1e300])
def test_squares_that_vanish_or_overflow(rng, shape, scale):
    """A channel of small numbers is no constant; one that is constant, or common, stays as it is.

    Large numbers come to it if torch's default type is float64.
    """
    X = rng.normal(2.0, 3.0, size=shape)
    X[:, 1] = 0.0
    factors = np.array([scale, 1.0, 1.0]).reshape(-1, *[1] * (X.ndim - 2))
    (mean, deviation), (mean_of_small, small) = channel_moments(X), channel_moments(factors * X)
    np.testing.assert_allclose(small / factors, deviation, rtol=1e-6)
    np.testing.assert_allclose(mean_of_small / factors, mean, rtol=1e-6)


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


RECORDINGS = [np.random.default_rng(i).normal(size=(2, 40)).astype(np.float32) for i in range(2)]
WINDOWS = index_windows(RECORDINGS, size=8, step=4)
ARRAY = torch.as_tensor(2.0 * np.asarray(WINDOWS))


@pytest.mark.parametrize(
    "rows",
    [
        3,
        np.int64(3),
        torch.tensor(3),
        slice(2, 7),
        slice(None, None, 3),
        [5, 0, 5],
        np.array([1, 2]),
        torch.tensor([4, 1]),
    ],
    ids=repr,
)
def test_windows_are_taken_as_from_their_array(rows):
    inputs = WindowInputs(WINDOWS, lambda X: 2.0 * X)
    assert inputs.shape == ARRAY.shape
    assert len(inputs) == len(ARRAY)
    assert torch.equal(inputs[rows], ARRAY[rows])
    assert inputs.to("cpu")[rows].dtype == torch.float32


@pytest.mark.parametrize(("n_numbers", "n_slices"), [(10**6, 1), (16, 18), (48, 6), (1, 18)])
def test_windows_are_cut_into_slices_of_so_many_numbers(n_numbers, n_slices, monkeypatch):
    monkeypatch.setattr(inputs_module, "NUMBERS_AT_ONCE", n_numbers)
    slices = slices_of(WINDOWS)
    assert len(slices) == n_slices
    rows = [row for part in slices for row in range(part.start, part.stop)]
    assert rows == list(range(len(WINDOWS)))
    together = np.concatenate([part for _, part in blocks_of_rows(WINDOWS)])
    np.testing.assert_array_equal(together, np.asarray(WINDOWS))
    mean, scale = channel_moments(WINDOWS)
    np.testing.assert_allclose(mean.ravel(), np.asarray(WINDOWS).mean(axis=(0, 2)), atol=1e-7)
    np.testing.assert_allclose(scale.ravel(), np.asarray(WINDOWS).std(axis=(0, 2)), rtol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_floats_take_torchs_default_type_and_labels_stay_whole(dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        X, target, weight = to_tensors(np.eye(2), np.array([0, 1]), np.ones(2), device="cpu")
        assert (X.dtype, target.dtype, weight.dtype) == (dtype, torch.int64, dtype)
        assert len(to_tensors(np.eye(2), np.array([0, 1]), None, device="cpu")) == 2
    finally:
        torch.set_default_dtype(before)


@pytest.mark.parametrize(("given", "expected"), [(WINDOWS, True), (np.eye(2), False)])
def test_windows_are_known(given, expected):
    assert is_windows(given) == expected
