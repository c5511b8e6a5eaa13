"""The order of the axes, short recordings, and what is no list of recordings."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from skimbal._utils._recordings import (
    check_collection,
    check_one_shape,
    check_order_of_axes,
    is_channels_last,
    pad_short,
    pad_to,
    transpose_advice,
)


@pytest.mark.parametrize(
    ("n_channels", "length"),
    [(1, 1), (3, 1), (64, 128), (9, 128), (3, 20), (306, 100), (128, 32), (96, 20), (256, 50)],
)
def test_ordinary_signals_have_their_channels_first(n_channels, length):
    assert not is_channels_last(n_channels, length)


@pytest.mark.parametrize(
    ("length", "n_channels"),
    [(300, 3), (10117, 2), (128, 9), (50, 9), (20, 3), (100, 12), (1000, 64), (30, 1)],
)
def test_long_first_axes_are_no_channels(length, n_channels):
    assert is_channels_last(length, n_channels)
    assert not is_channels_last(n_channels, length)


def test_the_longest_recording_decides_on_the_axes():
    assert transpose_advice([(64, 1000), (64, 5)]) == ""
    assert "(10117, 2) look like (length, channels)" in transpose_advice([(9521, 2), (10117, 2)])
    assert transpose_advice([]) == transpose_advice([(5,), None]) == ""


def test_swapped_axes_are_an_error_only_where_a_window_does_not_fit():
    check_order_of_axes([(300, 3)], 3)
    check_order_of_axes([(2, 3)], 100)
    with pytest.raises(ValueError, match=r"transpose each.*append zeros with np.pad"):
        check_order_of_axes([(300, 3)], 4)


@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.float64])
def test_zeros_are_appended(dtype):
    padded = pad_to(np.ones((2, 3), dtype), 5)
    assert padded.dtype == dtype
    assert padded.tolist() == [[1, 1, 1, 0, 0]] * 2
    whole = np.ones((2, 7), dtype)
    assert pad_short([whole], 5)[0] is whole
    assert pad_short(np.ones((4, 2, 3)), 5).shape == (4, 2, 5)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros(5), r"X has shape \(5,\).*give Y"),
        ([1.0, 2], r"X has shape \(2,\).*give Y"),
        (pd.Series([1.0, 2.0]), r"X has shape \(2,\)"),
        ("a.wav", "the name 'a.wav'; read the file"),
        (["a.wav", "b.wav"], "holds names or text; read the files"),
        ({0: np.zeros((1, 5))}, r"list\(X.values\(\)\)"),
        ((x for x in np.zeros((3, 5))), r"list\(X\)"),
    ],
)
def test_what_is_no_collection(X, message):
    with pytest.raises(ValueError, match=message):
        check_collection(X, "give Y")


@pytest.mark.parametrize(
    "X",
    [
        np.zeros((2, 3)),
        [[1.0], [2.0]],
        [],
        pd.DataFrame({"a": [1.0]}),
        sparse.dok_matrix((2, 2)),
        [np.zeros((1, 4)), np.zeros((1, 3))],
    ],
    ids=lambda X: type(X).__name__,
)
def test_collections_pass(X):
    check_collection(X, "")


def as_objects(samples):
    objects = np.empty(len(samples), dtype=object)
    objects[:] = samples
    return objects


@pytest.mark.parametrize("wrap", [list, tuple, as_objects, lambda X: pd.Series(list(X))])
def test_samples_of_one_shape(wrap):
    equal = [np.zeros((2, 4)), np.ones((2, 4))]
    np.testing.assert_array_equal(np.asarray(check_one_shape(wrap(equal), "Net", "")), equal)
    unequal = [*equal, np.zeros((2, 5))]
    message = r"sample 0 has \(2, 4\) and sample 2 has \(2, 5\). Net takes.*; cut them"
    with pytest.raises(ValueError, match=message):
        check_one_shape(wrap(unequal), "Net", "cut them")


def test_samples_with_rows_of_different_lengths():
    with pytest.raises(ValueError, match="sample 1 of X has rows of different lengths"):
        check_one_shape([[[1.0, 2.0], [1.0, 2.0]], [[1.0], [2.0, 3.0]]], "Net", "")


def test_a_table_is_not_touched():
    table = np.zeros((3, 4))
    assert check_one_shape(table, "Net", "") is table
