"""Robust standardization: medians, quartile ranges and the smooth limit."""

import numpy as np
import pytest
from scipy import sparse

from skimbal._training import robust
from skimbal._training.robust import robust_moments, smooth_clip, weighted_quantiles
from skimbal.preprocessing import WindowIndex, index_windows

rng = np.random.default_rng(0)
LEVELS = np.array([0.25, 0.5, 0.75])


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 99])
def test_quantiles_are_those_of_numpy(n):
    values = rng.normal(size=n).round(1)
    expected = np.quantile(values, LEVELS, method="averaged_inverted_cdf")
    np.testing.assert_allclose(weighted_quantiles(values, LEVELS), expected)
    np.testing.assert_allclose(weighted_quantiles(values, LEVELS, np.full(n, 0.1)), expected)


def test_a_whole_weight_is_so_many_copies():
    X = np.column_stack([rng.normal(size=(50, 2)), rng.random(50) < 0.3])
    times = rng.integers(1, 4, 50)
    found = robust_moments(X, times.astype(float))
    for array, expected in zip(found, robust_moments(np.repeat(X, times, axis=0)), strict=True):
        np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize(
    ("column", "center", "scale", "limit"),
    [
        ([1.0, 2.0, 3.0, 4.0, 100.0], 3.0, 2.0, 3.0),
        ([5.0, 5.0, 5.0, 5.0, 9.0], 5.0, 2.0, 3.0),  # equal quartiles: half of the whole range
        ([7.0, 7.0, 7.0, 7.0, 7.0], 7.0, 1.0, 3.0),  # constant
        ([0.0, 0.0, 0.0, 4.0, 4.0], 0.0, 4.0, np.inf),  # one-hot, in its own unit
        ([0.0, 0.0, 0.0, 1.0, 2.0], 0.0, 1.0, 3.0),  # mostly zero, but numbers
        ([-3e38, 0.0, 1.0, 2.0, 3e38], 1.0, 2.0, 3.0),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_center_scale_and_limit(column, center, scale, limit, dtype):
    found = robust_moments(np.array(column, dtype=dtype)[:, None])
    np.testing.assert_allclose(np.ravel(found), [center, scale, limit])


def test_values_stay_within_the_limit_and_small_ones_as_they_are():
    X = np.array([-1e300, -3.0, 0.0, 0.01, 3.0, 1e300])
    np.testing.assert_allclose(
        smooth_clip(X, 3.0), [-3.0, -3 / np.sqrt(2), 0.0, 0.01, 3 / np.sqrt(2), 3.0], rtol=1e-5
    )
    np.testing.assert_array_equal(smooth_clip(X, np.inf), X)


@pytest.mark.parametrize("weight", [None, rng.uniform(0.5, 2.0, 997)], ids=["plain", "weighted"])
def test_sparse_tables_have_the_moments_of_dense_ones_to_the_bit(weight, monkeypatch):
    monkeypatch.setattr(robust, "NUMBERS_AT_ONCE", 3000)
    X = rng.normal(size=(997, 20)) * (rng.random((997, 20)) < 0.6)
    for table in (X, X.astype(np.float32)):
        found = robust_moments(sparse.csr_array(table), weight)
        for array, expected in zip(found, robust_moments(table, weight), strict=True):
            np.testing.assert_array_equal(array, expected)


def test_signals_are_standardized_by_channel():
    X = rng.normal(size=(20, 3, 7)) * [[1.0], [10.0], [100.0]]
    weight = rng.integers(1, 4, 20)
    center, scale, limit = robust_moments(X, weight.astype(float))
    for channel in range(3):
        values = np.repeat(X[:, channel], weight, axis=0).ravel()
        lower, median, upper = np.quantile(values, LEVELS, method="averaged_inverted_cdf")
        assert center[channel] == pytest.approx(median)
        assert scale[channel] == pytest.approx(upper - lower)
    assert center.shape == scale.shape == limit.shape == (3, 1)


@pytest.mark.parametrize("is_list", [True, False])
@pytest.mark.parametrize("is_weighted", [True, False])
def test_windows_have_the_moments_of_their_array(is_list, is_weighted):
    recordings = rng.normal(size=(4, 2, 30)).astype(np.float32)
    recordings[:, 0, 20:] = 1e6  # in no window
    windows = WindowIndex(
        list(recordings) if is_list else recordings,
        recording=[3, 0, 0, 1, 3],
        start=[0, 5, 7, 2, 0],
        size=12,
    )
    weight = np.array([1.0, 2.0, 3.0, 1.0, 2.0]) if is_weighted else None
    for array, expected in zip(
        robust_moments(windows, weight), robust_moments(np.asarray(windows), weight), strict=True
    ):
        np.testing.assert_array_equal(array, expected)


def test_windows_of_whole_numbers_have_the_moments_of_their_array():
    recordings = [rng.integers(-99, 99, (1, n)).astype(np.int16) for n in (40, 50)]
    windows, *_ = index_windows(recordings, size=10, step=5)
    for array, expected in zip(
        robust_moments(windows), robust_moments(np.asarray(windows)), strict=True
    ):
        np.testing.assert_array_equal(array, expected)
