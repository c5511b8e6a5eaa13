"""Frames with categories for the methods that take them as such."""

import numpy as np
import pandas as pd
import pytest

from skimbal.benchmark import make_table_encoder
from skimbal.benchmark._native_columns import NativeColumns
from skimbal.benchmark._table_encoder import make_scaled_encoder

TRAIN = pd.DataFrame(
    {
        "x [K]": [1.0, 2.0, None, 9.0, 2.0, 2.0],
        "b": [True, False, True, True, False, False],
        "t": ["u", None, "v", "u", "w", "v"],
        "c": pd.Categorical(["1", "1", None, "2", "1", "1"]),
        "same": [3] * 6,
        "when": [f"2024-01-0{day}" for day in range(1, 7)],
    }
)
NEW = pd.DataFrame(
    {"c": ["2", "3"], "when": ["", ""], "t": ["w", "new"], "same": [4, 4], "b": [1, 0]}
).assign(**{"x [K]": [np.nan, 5.0]})


def codes(frame):
    return [frame[name].astype(float).tolist() for name in frame]


def test_the_columns_by_hand():
    columns = NativeColumns().fit(TRAIN)
    made = columns.transform(TRAIN)
    assert list(made) == ["x0", "x1", "x2", "x3"]
    assert made.dtypes.map(str).tolist() == ["float64", "float64", "category", "category"]
    assert made["x2"].cat.categories.tolist() == [0, 1, 2, 3, 4]
    # u and v are twice each, in their own order, then w; 0 is another value, 1 a missing one.
    assert codes(made)[1:] == [[1, 0, 1, 1, 0, 0], [2, 1, 3, 2, 4, 3], [2, 2, 1, 3, 2, 2]]
    np.testing.assert_array_equal(made["x0"], TRAIN["x [K]"])
    new = columns.transform(NEW)
    np.testing.assert_array_equal(new["x0"], [np.nan, 5])
    assert codes(new)[1:] == [[1, 0], [4, 0], [3, 0]]


def test_the_rarest_levels_share_a_code():
    made = NativeColumns(max_categories=4).fit(TRAIN).transform(TRAIN)
    assert made["x2"].cat.categories.tolist() == [0, 1, 2, 3]
    assert codes(made)[2] == [2, 1, 3, 2, 0, 3]


def test_missing_numbers_become_the_median_of_the_training_rows():
    made = NativeColumns(impute=True).fit(TRAIN).transform(NEW)
    assert made["x0"].tolist() == [2.0, 5.0]


@pytest.mark.parametrize("rows", [slice(None), slice(3)])
def test_the_scaled_encoder_standardizes_numbers_and_nothing_else(rows):
    """The encoder of scikit-learn's StandardScaler, by the mean and standard deviation."""
    plain = make_table_encoder().fit(TRAIN[rows]).transform(TRAIN)
    made = make_scaled_encoder().fit(TRAIN[rows]).transform(TRAIN)
    numbers = plain[rows, :2]
    expected = plain.copy()
    expected[:, :2] = (plain[:, :2] - numbers.mean(axis=0)) / numbers.std(axis=0)
    np.testing.assert_allclose(made, expected, atol=1e-12)
