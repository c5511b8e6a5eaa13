"""What the cells of a column are."""

import datetime
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from skimbal._utils._cells import are_date_texts, held_values, kind_of_cells

DAY = datetime.date(2024, 1, 31)
STAMPS = pd.date_range("2024-01-31", periods=3)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2.5, None], "numbers"),
        ([True, None], "numbers"),
        ([True, 1], "numbers"),
        ([Decimal("1.5"), Fraction(1, 3)], "numbers"),
        (pd.array([1, None], dtype="Int64"), "numbers"),
        (pd.array([True, None], dtype="boolean"), "numbers"),
        (pd.Categorical([1, 2, 1]), "numbers"),
        (pd.arrays.SparseArray([0.0, 1.0]), "numbers"),
        (["a", None, np.nan, pd.NA], "texts"),
        (pd.array(["a", None], dtype="string"), "texts"),
        (pd.Categorical(["a", None]), "texts"),
        ([None, np.nan, pd.NA, pd.NaT], "no values"),
        (STAMPS, "dates or times"),
        (STAMPS.tz_localize("UTC"), "dates or times"),
        (pd.Categorical(STAMPS), "dates or times"),
        (STAMPS.to_period("D"), "dates or times"),
        (STAMPS - STAMPS[0], "dates or times"),
        ([DAY, None], "dates or times"),
        ([DAY, pd.NaT, pd.Timestamp("2024")], "dates or times"),
        ([datetime.time(12)], "dates or times"),
        ([np.datetime64("2024"), np.timedelta64(1, "D")], "dates or times"),
        (pd.interval_range(0, 3), "intervals"),
        (pd.cut([1, 2, 3], 2), "intervals"),
        ([1j, 2.0], "values of several types"),
        ([1j, 2j], "complex numbers"),
        (np.array([1j, 2j]), "complex numbers"),
        ([1, "a"], "values of several types"),
        ([DAY, 1], "values of several types"),
        ([[1, 2], None], "other objects"),
        ([{"a": 1}, 1.0, "a"], "other objects"),
        ([np.arange(2)] * 2, "other objects"),
        ([b"a"], "other objects"),
    ],
    ids=str,
)
def test_kinds_of_series_and_of_arrays(values, kind):
    column = pd.Series(values, dtype=object) if isinstance(values, list) else pd.Series(values)
    assert kind_of_cells(held_values(column)) == kind
    if not isinstance(values, pd.Categorical):
        assert kind_of_cells(held_values(column.astype(object).to_numpy())) == kind


def test_categories_that_do_not_occur_do_not_count():
    column = pd.Series(pd.Categorical([1, 2], categories=[1, 2, "many"]))
    assert kind_of_cells(held_values(column)) == "numbers"


def test_the_first_200_texts_decide_on_dates():
    texts = pd.Series(["2024-01-31 "] * 200 + ["soon"])
    assert are_date_texts(texts, texts)
    assert not are_date_texts(texts[1:], texts[1:])
    assert not are_date_texts(texts.astype("category"), texts)
