"""Inputs of networks: standardized, as ranks, or both."""

import numpy as np
import pytest

from skimbal.ensemble import _encoding
from skimbal.ensemble._encoding import fit_encoder, make_encoder

X = np.random.default_rng(0).normal(size=(260, 6))


@pytest.mark.parametrize("encoding", ["standard", "rank", "both"])
def test_encoded_features_are_standardized(encoding):
    skewed = np.exp(3 * X)
    encoded = make_encoder(encoding, 260).fit_transform(skewed)
    assert encoded.shape == (260, 12 if encoding == "both" else 6)
    np.testing.assert_allclose(encoded.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(encoded.std(axis=0), 1)
    if encoding == "rank":
        assert abs(encoded).max() < 3.5
        order = np.argsort(skewed[:, 0])
        assert (np.diff(encoded[order, 0]) >= 0).all()


@pytest.mark.parametrize(("shape", "n_encoded"), [((20, 3), 3), ((20, 3, 5), None)])
def test_auto_encodes_only_tables(shape, n_encoded):
    inputs = np.random.default_rng(0).normal(size=shape)
    encoder = fit_encoder("auto", inputs)
    if n_encoded is None:
        assert encoder is None
    else:
        assert encoder.transform(inputs).shape == (20, n_encoded)


@pytest.fixture
def large(monkeypatch):
    """Tables of 260 rows are large."""
    monkeypatch.setattr(_encoding, "MIN_ROWS_OF_ONE_HOT", 260)


def test_auto_leaves_one_hot_columns_of_large_tables_as_they_are(large):
    table = X.copy()
    table[:, 1] = table[:, 1] > 1
    table[:, 3] = -7.0 * (table[:, 3] > 1)
    encoded = fit_encoder("auto", table).transform(table)
    assert np.array_equal(encoded[:, 1], table[:, 1])
    np.testing.assert_array_equal(encoded[:, 3], table[:, 3] / 7)
    assert abs(fit_encoder("auto", table[:200]).transform(table[:200])[:, 1].mean()) < 1e-9
    standard = fit_encoder("standard", table).transform(table)
    assert np.array_equal(encoded[:, ::2], standard[:, ::2])
    assert abs(standard[:, 1].mean()) < 1e-9


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_without_one_hot_columns_auto_is_standard(dtype, large):
    table = X.astype(dtype)
    table[:, 0] = table[:, 0] > -1  # 1 in most rows
    encoded = fit_encoder("auto", table).transform(table)
    assert encoded.dtype == dtype
    assert np.array_equal(encoded, fit_encoder("standard", table).transform(table))


@pytest.mark.parametrize("encoding", ["one-hot", "standard", "rank", "both"])
@pytest.mark.parametrize("scale", [1e-310, 1e-200, 1e-120, 1e200, 1e300])
def test_the_unit_of_a_column_changes_nothing(encoding, scale):
    """Squares of its values overflow, or vanish, in float64."""
    X = np.random.default_rng(0).normal(size=(40, 3))
    X[:, 2] = 0.0
    scaled = X * [scale, 1.0, 1.0]
    one = fit_encoder(encoding, X).transform(X)
    np.testing.assert_allclose(fit_encoder(encoding, scaled).transform(scaled), one, atol=1e-5)
