"""Checks that all layers share."""

import datetime

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from skimbal._utils._log_odds import log_odds
from skimbal._utils._validation import (
    check_cost_matrix,
    check_known_classes,
    check_labels,
    check_two_classes,
    check_weights,
    in_safe_unit,
    is_whole_number,
    takes_sample_weight,
    unknown_name_message,
)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("focl", "unknown loss 'focl'; did you mean 'focal'? Known: 'dice', 'focal'"),
        ("xyz", "unknown loss 'xyz'. Known: 'dice', 'focal'"),
        (3, "unknown loss 3. Known: 'dice', 'focal'"),
    ],
)
def test_the_message_for_an_unknown_name_suggests_similar_ones(name, message):
    assert unknown_name_message("loss", name, {"focal", "dice"}) == message


def test_cost_matrices_become_float64_arrays():
    matrix = check_cost_matrix([[0, 2], [5, 0]], 2)
    assert matrix.dtype == np.float64
    np.testing.assert_array_equal(matrix, [[0.0, 2.0], [5.0, 0.0]])


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.ones((2, 3)), r"shape \(2, 3\), but with 2 classes it must be \(2, 2\)"),
        ([[0, np.nan], [1, 0]], "NaN or infinite"),
        ([[0, -3], [1, 0]], "is -3, which is below the cost of the correct"),
        ([[2, 1], [1, 0]], r"cost_matrix\[0, 1\] is 1, which is below .* cost_matrix\[0, 0\] = 2"),
        ([[0, 0], [0, 0]], "all predictions cost the same"),
    ],
)
def test_bad_cost_matrices_are_refused(matrix, message):
    with pytest.raises(ValueError, match=message):
        check_cost_matrix(matrix, 2)


@pytest.mark.parametrize("classes", [[], ["usual"]])
def test_one_class_is_refused(classes):
    with pytest.raises(ValueError, match=f"y has {len(classes)} class .*two or more"):
        check_two_classes(classes)
    check_two_classes(["usual", "rare"])


def test_an_estimator_without_weights_is_warned_of():
    assert takes_sample_weight(LogisticRegression(), "ignored")
    with pytest.warns(UserWarning, match="KNeighborsClassifier takes no sample_weight; ignored"):
        assert not takes_sample_weight(KNeighborsClassifier(), "ignored")


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0.5, 1.5], "Unknown label type"),
        ([[0, 1], [1, 0]], "1d"),
        ([0, np.nan], "NaN"),
        (np.array(["a", 1], dtype=object), r"such as 1 \(int\) and 'a' \(str\); .*astype\(str\)"),
        (np.array([1, "a"], dtype=object), "labels are texts or numbers, all of one type"),
        (
            np.array([1, 0], dtype=object),
            r"of objects, such as 1 \(int\); .*astype\(int\)",
        ),
        (np.array([datetime.date(2024, 1, 31)]), "an array of objects, such as datetime.date"),
    ],
)
def test_bad_labels_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        check_labels(y)


def test_weights_are_checked():
    assert check_weights(None, [0, 1]) is None
    np.testing.assert_array_equal(check_weights([1, 2], [0, 1]), [1.0, 2.0])
    with pytest.raises(ValueError, match=r"[Nn]egative"):
        check_weights([1, -2], [0, 1])


def test_small_and_large_weights_in_a_safe_unit():
    for weight in (np.array([1, 2], dtype=np.float32), np.array([1.0, 2.0])):
        assert in_safe_unit(weight) is weight  # without a warning
    np.testing.assert_array_equal(in_safe_unit(np.array([1e-60, 2e-60])), [0.5, 1.0])


def test_classes_of_a_fitted_estimator_must_occur():
    fitted = LogisticRegression().fit([[0], [1], [2]], [0, 1, 2])
    check_known_classes(fitted, np.array([0, 1, 2, 3]))
    with pytest.raises(ValueError, match=r"knows the classes \[2\]"):
        check_known_classes(fitted, np.array([0, 1]))


@pytest.mark.parametrize(
    ("proba", "expected"),
    [([[0.2, 0.8]], [np.log(4)]), ([[0.2, 0.3, 0.5]], [np.log([0.2, 0.3, 0.5])])],
)
def test_log_odds_of_two_classes_and_log_probabilities_of_more(proba, expected):
    np.testing.assert_allclose(log_odds(np.log(proba)), expected)


@pytest.mark.parametrize(
    ("value", "minimum", "expected"),
    [
        (0, 0, True),
        (0, 1, False),
        (-1, 0, False),
        (np.int64(3), 3, True),
        (True, 0, False),
        (2.0, 0, False),
        ("2", 0, False),
        (None, 0, False),
    ],
)
def test_whole_numbers(value, minimum, expected):
    assert is_whole_number(value, minimum) == expected


@pytest.mark.parametrize("label", [None, np.nan])
def test_missing_labels_are_counted(label):
    y = np.array(["a", "b", label, "a"], dtype=object)
    with pytest.raises(ValueError, match=r"y contains NaN or None in 1 of 4 rows, .* row 2"):
        check_labels(y)
