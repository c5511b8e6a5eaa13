"""Recordings as a list or as an array: what they become, and what is refused."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from skimbal.ensemble._recordings import is_list, validate_recordings

LIST = [np.zeros((2, 5)), np.ones((2, 7))]
ARRAY = np.arange(24.0).reshape(3, 2, 4)


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (LIST, True),
        (tuple(LIST), True),
        ([[1.0, 2.0], [3.0]], True),
        ([], True),
        (ARRAY, False),
        (ARRAY.tolist(), False),
        ([[1.0, 2.0], [3.0, 4.0]], False),
        ("text", False),
    ],
)
def test_a_list_of_recordings_is_told_from_an_array(X, expected):
    assert is_list(X) is expected


@pytest.mark.parametrize(
    ("X", "n_channels", "n_features"), [(LIST, 2, None), (ARRAY, 2, None), (ARRAY[:, 0], 1, 4)]
)
def test_attributes_of_the_inputs(X, n_channels, n_features):
    estimator = BaseEstimator()
    estimator.n_features_in_ = 99  # of an earlier fit
    recordings = validate_recordings(estimator, X, reset=True)
    assert [recording.shape[0] for recording in recordings] == [n_channels] * len(X)
    assert estimator.n_channels_in_ == n_channels
    assert getattr(estimator, "n_features_in_", None) == n_features


@pytest.mark.parametrize("X", [LIST, ARRAY], ids=["list", "array"])
def test_numbers_are_not_copied(X):
    recordings = validate_recordings(BaseEstimator(), X, reset=True)
    assert all(np.shares_memory(a, b) for a, b in zip(recordings, X, strict=True))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([], "X has 0 samples; give at least one recording"),
        ([LIST[0], LIST[1][:1]], "recording 1 has 1 channels and recording 0 has 2"),
        ([LIST[0], np.full((2, 3), np.inf)], "recording 1: .*infinity"),
        ([np.zeros((1, 2, 3))], r"recording 0 is float64 of shape \(1, 2, 3\)"),
        (np.zeros((2, 2, 2, 2)), r"X has shape \(2, 2, 2, 2\); recordings are"),
    ],
)
def test_bad_recordings(X, message):
    with pytest.raises(ValueError, match=message):
        validate_recordings(BaseEstimator(), X, reset=True)


def test_other_channels_than_in_the_fit():
    estimator = BaseEstimator()
    validate_recordings(estimator, LIST, reset=True)
    with pytest.raises(ValueError, match=r"have 1 channels, but .* recordings of 2 channels"):
        validate_recordings(estimator, [LIST[0][:1]], reset=False)
