"""Values by label as pure functions; `tests/test_values_by_label.py` tests the places."""

import numpy as np
import pandas as pd
import pytest

from skimbal._utils._labels import (
    as_mapping,
    carries_labels,
    check_label_parameters,
    columns_by_label,
    matrix_by_label,
    named_labels,
    part_of_larger_fit,
    sorted_by_label,
    vector_by_label,
)
from skimbal.exceptions import UnknownLabelWarning
from skimbal.model_selection import ClassWeights, CostMatrix

CLASSES = np.array(["a", "b", "c"])


class ColumnsOnly:
    """A frame without an index, as that of polars, whose columns have texts as names."""

    def __init__(self, values, columns):
        self.values, self.columns, self.shape = np.array(values), columns, np.shape(values)

    def __array__(self, dtype=None, copy=None):
        return self.values


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([1, 2], False),
        ((1, 2), False),
        (np.ones(2), False),
        ("balanced", False),
        (None, False),
        ({}, True),
        (ClassWeights(["a", "b"]), True),
        (CostMatrix(["a", "b"]), True),
        (pd.Series([1.0]), True),
        (pd.DataFrame([[1.0]]), True),
        (ColumnsOnly([[1.0]], ["a"]), False),
    ],
)
def test_what_carries_labels(given, expected):
    assert carries_labels(given) is expected


def test_arrays_are_returned_unchanged():
    array = np.eye(3)
    for function in (vector_by_label, matrix_by_label):
        assert function(array, CLASSES, "x") is array
    assert sorted_by_label(array, "x") is array
    assert as_mapping(array, "costs") is array


def test_values_of_one_frame():
    given = pd.DataFrame({"y": list("aabccc")}).value_counts()  # an index of tuples
    assert vector_by_label(given, CLASSES, "x", None).tolist() == [2, 1, 3]
    row = pd.DataFrame([[3, 1, 2]], columns=list("cab"))
    assert vector_by_label(row, CLASSES, "x").tolist() == [1, 2, 3]


def test_sorted_by_label():
    assert sorted_by_label(pd.Series({"c": 3, "a": 1}), "x").tolist() == [1, 3]
    assert named_labels({("c", "a"): 1, ("a", "b"): 2}, "x") == ["a", "b", "c"]
    with pytest.raises(ValueError, match="have no common order"):
        named_labels({1: 2.0, "a": 3.0}, "x")


def test_columns_of_a_frame_without_an_index():
    proba = ColumnsOnly([[0.3, 0.7]], ["7", "5"])
    assert columns_by_label(proba, [5, 7]).tolist() == [[0.7, 0.3]]


@pytest.mark.parametrize("columns", [["a", "a", "b"], ["a", "b"], ["a", "b", "d"], [0, 1, 2]])
def test_columns_that_do_not_fit(columns):
    with pytest.raises(
        ValueError, match=r"has the columns .*, but the classes are \['a', 'b', 'c'"
    ):
        columns_by_label(pd.DataFrame(np.ones((2, len(columns))), columns=columns), CLASSES)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (pd.Series([1, 2, 3]), r"names the labels \[0, 1, 2\], but the classes are"),
        (pd.Series([1, 2], ["a", "a"]), r"\['a'\] more than once"),
        (pd.DataFrame(np.ones((2, 2)), ["a", "b"], ["a", "b"]), "one value for each class"),
        ({("a", "b"): 2.0}, r"has the key .*give single labels"),
    ],
)
def test_vectors_that_do_not_fit(given, message):
    with pytest.raises(ValueError, match=message):
        vector_by_label(given, CLASSES, "x")


@pytest.mark.parametrize("labels", [[0, 1], [0.0, 1.0], [False, True]])
def test_types_of_labels(labels):
    assert vector_by_label({0: 2.0, 1: 3.0}, labels, "x").tolist() == [2.0, 3.0]
    with pytest.raises(ValueError, match="with the type that they have in y"):
        vector_by_label({str(label): 2.0 for label in labels}, labels, "x")


def test_what_is_said_of_labels_that_no_class_has():
    for named in ("d", "abcd"):
        given = dict.fromkeys(named, 2.0)
        with pytest.warns(UnknownLabelWarning, match=r"x names the labels \['d'\]"):
            vector_by_label(given, CLASSES, "x")
        with pytest.raises(ValueError, match=r"x names the labels \['d'\]"):
            vector_by_label(given, CLASSES, "x", is_outer=True)
        with part_of_larger_fit():
            vector_by_label(given, CLASSES, "x", is_outer=True)
    with pytest.warns(UnknownLabelWarning):
        vector_by_label(pd.Series(dict.fromkeys("abcd", 2.0)), CLASSES, "x")
    with pytest.raises(ValueError, match="write the labels as in y"):
        vector_by_label(pd.Series({"d": 2.0}), CLASSES, "x")


def test_series_of_weights_are_dicts_in_a_search():
    series = pd.Series({"a": 1.0})
    assert as_mapping(series, "model__class_weight") == {"a": 1.0}
    assert as_mapping(series, "model__bins") is series
    frame = pd.DataFrame([[0, 2], [1, 0]], ["a", "b"], ["a", "b"])
    assert as_mapping(frame, "costs")["a", "b"] == 2
    matrix = CostMatrix(["a", "b"])
    assert as_mapping(matrix, "cost_matrix") is matrix


@pytest.mark.parametrize("y", [None, np.ones((3, 2)), np.array(["a", 1], dtype=object)])
def test_targets_that_are_no_labels_are_not_checked(y):
    class Model:
        def get_params(self, deep=True):
            return {"class_weight": {"z": 1.0}}

    check_label_parameters(Model(), y)
    with pytest.raises(ValueError, match="class_weight names"):
        check_label_parameters(Model(), ["a", "b"])
