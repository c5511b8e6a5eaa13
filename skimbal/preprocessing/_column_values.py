"""What the columns of a table hold, and their values as numbers or as texts."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.utils.validation import validate_data

from skimbal._utils._cells import (
    COMPLEX,
    REFUSED,
    TEXTS,
    are_date_texts,
    held_values,
    is_category,
    kind_of_cells,
    refusal,
    refusal_of_date_texts,
)
from skimbal._utils._texts import text_of


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    name : str
        How errors name it.
    values : Series
    """

    name: str
    values: pd.Series

    @property
    def is_category(self):
        """Whether its type says that it holds categories."""
        return is_category(self.values)

    @property
    def held(self):
        """The values that are not missing; of categories, those that occur."""
        return held_values(self.values)


def as_frame(estimator, X, *, reset):
    """A table as a frame; sets or checks scikit-learn's attributes of the inputs.

    Parameters
    ----------
    estimator : estimator
    X : DataFrame or array-like of shape (n_samples, n_features)
    reset : bool
        Whether the estimator is fitted.

    Raises
    ------
    ValueError
        For other tables, several columns of one name, and other columns than in `fit`.
    """
    if not isinstance(X, pd.DataFrame):
        if hasattr(X, "__dataframe__") or hasattr(X, "__arrow_c_stream__"):
            raise ValueError(
                f"X is a {type(X).__module__}.{type(X).__name__}; give a pandas DataFrame, such as "
                "X.to_pandas()"
            )
        # In an array of texts, numbers would become texts, too.
        X = np.array(X, dtype=object) if isinstance(X, list | tuple) else X
        if getattr(getattr(X, "dtype", None), "kind", "O") == "c":
            raise ValueError(refusal("X holds", COMPLEX, np.ravel(X)))
        X = validate_data(estimator, X, reset=reset, dtype=None, ensure_all_finite=False)
        return pd.DataFrame(X)
    if not all(X.shape):
        raise ValueError(
            f"X has {X.shape[0]} sample(s) and {X.shape[1]} feature(s), while a minimum of 1 is "
            "required of each"
        )
    check_names(X.columns)
    try:
        validate_data(estimator, X, reset=reset, skip_check_array=True)
    except ValueError as error:
        raise ValueError(f"{error}{_order_advice(estimator, X)}") from error
    return X


def check_names(names):
    """Raise a ValueError for columns of one name."""
    is_twice = names.duplicated()
    if is_twice.any():
        twice = sorted({repr(name) for name in names[is_twice]})
        raise ValueError(
            f"X has several columns of the name {', '.join(twice)}; give each column a name of its "
            "own, or drop those that are not needed"
        )


def _order_advice(estimator, X):
    """What to do if only the order of the columns has changed, else an empty text."""
    before = getattr(estimator, "feature_names_in_", None)
    if before is None or sorted(before) != sorted(X.columns):
        return ""
    place = int(np.not_equal(before, X.columns).argmax())
    return (
        f"The first difference is column {place}, which was {before[place]!r} in fit and is "
        f"{X.columns[place]!r} now; X[encoder.feature_names_in_] has the order of fit"
    )


def columns_of(frame, names):
    """The columns of a frame; if they have no names, errors name them by their place."""
    return [
        Column(f"the column {name!r}" if names is not None else f"column {i}", frame.iloc[:, i])
        for i, name in enumerate(frame.columns)
    ]


def what_it_holds(column):
    """Whether a column holds numbers, texts or no values.

    Truth values are numbers.

    Parameters
    ----------
    column : Column

    Returns
    -------
    {"numbers", "texts", "no values"}

    Raises
    ------
    ValueError
        For dates, for intervals, for numbers and texts in one column, and for other objects.

    Examples
    --------
    >>> [what_it_holds(Column("c", pd.Series(v))) for v in ([1, None], [None], ["L", "M"])]
    ['numbers', 'no values', 'texts']
    """
    held = column.held
    kind, subject = kind_of_cells(held), f"{column.name} holds"
    if kind in REFUSED:
        raise ValueError(refusal(subject, kind, held))
    if kind == TEXTS and are_date_texts(column.values, held):
        raise ValueError(refusal_of_date_texts(subject, held))
    return kind


def as_numbers(columns):
    """Columns of numbers as float64 of shape (n_samples, n_columns), NaN where one is missing.

    Raises
    ------
    ValueError
        For infinite values; it names the columns.
    """
    arrays = [column.values.to_numpy(dtype=np.float64, na_value=np.nan) for column in columns]
    for column, numbers in zip(columns, arrays, strict=True):
        is_infinite = np.isinf(numbers)
        if is_infinite.any():
            raise ValueError(
                f"{column.name} holds infinite values in {is_infinite.sum()} of {len(numbers)} "
                f"rows, the first is row {is_infinite.argmax()}; replace them by NaN, which counts "
                "as missing, or by a large number"
            )
    return np.column_stack(arrays)


def as_levels(columns):
    """Columns of categories as objects of shape (n_samples, n_columns).

    Each value is its text, a whole number without a decimal point. None is a missing value.

    >>> as_levels([Column("c", pd.Series([1.0, 2.5, None]))]).ravel().tolist()
    ['1', '2.5', None]
    """
    levels = [_levels(column.values) for column in columns]
    return np.column_stack(levels)


def _levels(values):
    codes, distinct = pd.factorize(values)
    texts = np.array([*map(text_of, distinct), None], dtype=object)
    return texts[codes]  # the code of a missing value is -1
