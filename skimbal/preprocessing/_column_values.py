"""What the columns of a table hold, and their values as numbers or as texts."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api import types
from sklearn.utils.validation import validate_data

from skimbal._utils._texts import are_dates

# So many values are looked at to tell dates from other texts.
N_LOOKED_AT = 200
NUMBERS, TEXTS, NOTHING = "numbers", "texts", "no values"
DATES = ["period", "datetime", "datetime64", "date", "time", "timedelta", "timedelta64"]
# What pandas finds in a column of objects, missing values left aside.
HELD_BY_OBJECTS = {
    **dict.fromkeys(["integer", "floating", "mixed-integer-float", "decimal", "boolean"], NUMBERS),
    "string": TEXTS,
    "empty": NOTHING,
}
DATE_ADVICE = (
    "make numbers of them, such as the days since a date, (X[name] - pd.Timestamp('2024-01-01'))"
    ".dt.days after pd.to_datetime, or drop the column"
)


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
        return isinstance(self.values.dtype, pd.CategoricalDtype)

    @property
    def held(self):
        """The values that are not missing; of categories, those that occur."""
        if self.is_category:
            return self.values.cat.remove_unused_categories().cat.categories.to_series()
        return self.values.dropna()


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
    values = column.values
    if types.is_numeric_dtype(values.dtype) and not types.is_complex_dtype(values.dtype):
        return NUMBERS if values.notna().any() else NOTHING
    held = column.held
    if not len(held):
        return NOTHING
    kind = types.infer_dtype(held, skipna=True)
    if kind in DATES:
        raise ValueError(f"{column.name} holds dates or times; {DATE_ADVICE}")
    if kind == "interval":
        raise ValueError(
            f"{column.name} holds intervals, such as {held.iloc[0]}; make texts of them with "
            ".astype(str), or give the numbers that they were made of"
        )
    if kind not in HELD_BY_OBJECTS:
        raise ValueError(_mixed_message(column.name, held))
    if kind == "string" and not column.is_category and are_dates(_texts(held[:N_LOOKED_AT])):
        raise ValueError(
            f"{column.name} holds texts that look like dates, such as {held.iloc[0]!r}; "
            f"{DATE_ADVICE}. If they are names of categories, give it the dtype 'category'"
        )
    return HELD_BY_OBJECTS[kind]


def _mixed_message(name, held):
    examples = {type(value).__name__: value for value in reversed(held.tolist())}
    found = " and ".join(f"{value!r} ({kind})" for kind, value in sorted(examples.items())[:3])
    if len(examples) == 1:
        return (
            f"{name} holds {found}; only numbers, truth values, texts and missing values can be "
            "encoded"
        )
    return (
        f"{name} holds values of several types, such as {found}; make it texts with "
        ".astype(str), or numbers with pd.to_numeric(..., errors='coerce')"
    )


def _texts(values):
    return [str(value).strip() for value in values]


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
    texts = np.array([*map(_text, distinct), None], dtype=object)
    return texts[codes]  # the code of a missing value is -1


def _text(value):
    is_whole = isinstance(value, float | np.floating) and float(value).is_integer()
    return str(int(value) if is_whole else value)
