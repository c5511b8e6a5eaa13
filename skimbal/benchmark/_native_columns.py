"""The columns of a table as numbers and categories, for methods that take both."""

from collections.abc import Sequence
from typing import Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from skimbal.benchmark._columns import column_kind

# Codes of the levels that training does not keep, and of missing values; the kept levels follow.
OTHER, MISSING, FIRST_LEVEL = 0, 1, 2


class NativeColumns(TransformerMixin, BaseEstimator):
    """Make a frame of numbers and categories of a frame of numbers, texts and missing values.

    A column is treated by its kind, which is that in the training data, as `make_table_encoder`
    does. Numbers and truth values become float64. Texts and categories become a column of the type
    category, whose values are codes: missing values have one of their own, and levels that training
    does not have share one with those that are too many. Columns without use are left out. The
    names of the columns are x0, x1 and so on, as LightGBM refuses some characters.

    Parameters
    ----------
    max_categories : int or None, default=None
        The most codes of a column, 3 or more; the rarest levels share one. None has no limit.
    impute : bool, default=False
        Put the median of the training data in place of a missing number, which is NaN otherwise.
    """

    def __init__(self, *, max_categories: int | None = None, impute: bool = False):
        self.max_categories = max_categories
        self.impute = impute

    def fit(self, X: pd.DataFrame, y: Sequence | None = None) -> Self:
        """Learn the kinds of the columns, their levels and their medians."""
        kinds = {name: column_kind(X[name]) for name in X.columns}
        self.columns_ = [name for name, kind in kinds.items() if kind in ("number", "text")]
        self.levels_ = {
            name: self._levels(X[name]) for name in self.columns_ if kinds[name] == "text"
        }
        numbers = [name for name in self.columns_ if name not in self.levels_]
        self.medians_ = {name: float(np.nanmedian(_as_numbers(X[name]))) for name in numbers}
        return self

    def _levels(self, column):
        counts = column.dropna().astype(str).value_counts()
        # A stable sort, so that levels of equal counts are in their own order.
        counts = counts.sort_index().sort_values(ascending=False, kind="stable")
        n_kept = None if self.max_categories is None else self.max_categories - FIRST_LEVEL
        return counts.index[:n_kept]

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """The columns of use, of shape (n_samples, n_columns)."""
        columns = {f"x{i}": self._column(X[name]) for i, name in enumerate(self.columns_)}
        return pd.DataFrame(columns, index=X.index)

    def _column(self, column):
        levels = self.levels_.get(column.name)
        if levels is None:
            values = _as_numbers(column)
            median = self.medians_[column.name]
            return np.where(np.isnan(values), median, values) if self.impute else values
        found = levels.get_indexer(column.astype(str))
        codes = np.where(found < 0, OTHER, found + FIRST_LEVEL)
        codes[column.isna().to_numpy()] = MISSING
        return pd.Categorical(codes, categories=range(len(levels) + FIRST_LEVEL))


def _as_numbers(column):
    return column.to_numpy(dtype=np.float64, na_value=np.nan)
