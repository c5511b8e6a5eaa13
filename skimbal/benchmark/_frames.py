"""A table as data of a comparison: inputs, labels and groups, or an error that says what is wrong.

What is wrong with the labels or the groups is an error. A column that is of no use is a warning.
"""

import difflib
import warnings

import numpy as np
import pandas as pd
from pandas.api import types
from sklearn.utils.multiclass import type_of_target

from skimbal._utils._cells import (
    COMPLEX,
    DATES,
    NUMBERS,
    OTHER_OBJECTS,
    REFUSED,
    SEVERAL_TYPES,
    examples_of,
    held_values,
    kind_of_cells,
    refusal,
)
from skimbal._utils._texts import text_of
from skimbal.benchmark._columns import column_kind, marks_among_numbers

N_NAMES_SHOWN = 12
# With more labels than this share of the rows, the column is no label.
MAX_LABEL_FRACTION = 0.5
_USELESS = {
    "empty": "have no value in any row",
    "constant": "have one value in all rows",
    "identifier": "have another text in each row, as names and numbers of things do",
    "row number": "count the rows; an order of the rows by class would show in them",
    "date": "have dates; give the methods numbers, such as an age or a weekday",
}


def split_frame(frame, target, group, drop):
    """Inputs, labels and groups of a table.

    Parameters
    ----------
    frame : DataFrame
    target : str
        Column of the labels.
    group : str or None
        Column of the groups.
    drop : iterable of str
        Columns to leave out.

    Returns
    -------
    X : DataFrame
        The other columns.
    y : ndarray of shape (n_samples,)
    groups : ndarray of shape (n_samples,) or None

    Raises
    ------
    ValueError
        If a column is missing or there twice, if labels or groups are missing or no such, or if no
        input is left.
    """
    frame = _with_text_names(frame)
    drop = [drop] if isinstance(drop, str) else list(drop)
    roles = {"target": target} | ({} if group is None else {"group": group})
    _check_roles(list(frame.columns), roles, drop)
    y = _labels(frame[str(target)])
    groups = None if group is None else _groups(frame[str(group)])
    X = frame.drop(columns=[str(name) for name in [*roles.values(), *drop]])
    X = _usable(X)
    _check_finite(X)
    _warn_of_useless(X)
    return X.reset_index(drop=True), y, groups


def _with_text_names(frame):
    if not isinstance(frame, pd.DataFrame):
        raise ValueError(f"the table is a {type(frame).__name__}; give a pandas DataFrame")
    frame = frame.set_axis([str(name) for name in frame.columns], axis="columns")
    if not len(frame):
        raise ValueError("the table has no rows; give one row for each sample")
    check_unique(frame.columns)
    return frame


def check_unique(names):
    """Raise a ValueError if a column name is there twice."""
    names = pd.Index(names)
    if twice := sorted(set(names[names.duplicated()])):
        raise ValueError(
            f"the table has several columns of the name {_shown(twice)}; rename or remove them"
        )


def _check_roles(columns, roles, drop):
    for role, name in [*roles.items(), *(("drop", name) for name in drop)]:
        if str(name) not in columns:
            raise ValueError(_missing_column(role, str(name), columns))
    used = [*roles.values(), *drop]
    if twice := sorted({str(name) for name in used if used.count(name) > 1}):
        raise ValueError(
            f"the column {_shown(twice)} is named twice as target, group or drop; name it once"
        )
    if len(columns) == len(used):
        raise ValueError("the table has no column besides target, group and drop: there is no X")


def _missing_column(role, name, columns):
    close = difflib.get_close_matches(name, columns, n=3, cutoff=0.5)
    lower = [column for column in columns if column.strip().lower() == name.strip().lower()]
    hint = f"; did you mean {' or '.join(map(repr, lower or close))}?" if lower or close else ";"
    text = f"the table has no column {name!r} for {role}{hint} its columns are {_shown(columns)}"
    if len(columns) == 1:
        text += ". If it is from a CSV file, its separator may be another one (--separator, or "
        text += "sep= of read_csv)"
    return text


def _labels(column):
    name = column.name
    n_missing = int(column.isna().sum())
    if n_missing:
        raise ValueError(
            f"the target {name!r} is missing in {n_missing} of {len(column)} rows; remove these "
            "rows or fill in their labels"
        )
    n_classes = column.nunique()
    if n_classes < 2:
        raise ValueError(
            f"the target {name!r} is {column.iloc[0]!s} in all {len(column)} rows; a classifier "
            "needs two classes or more"
        )
    y = _as_array(column)
    if type_of_target(y).startswith("continuous") or n_classes > MAX_LABEL_FRACTION * len(column):
        raise ValueError(
            f"the target {name!r} has {n_classes} different values in {len(column)} rows, such as "
            f"{column.iloc[0]!s}; labels are texts, truth values or a few whole numbers. Name "
            "another column or group its values into classes"
        )
    return y


def _as_array(column):
    """Truth values and whole numbers as such, everything else as texts."""
    if types.is_bool_dtype(column.dtype):
        return column.to_numpy(dtype=bool)
    if types.is_numeric_dtype(column.dtype):
        values = column.to_numpy(dtype=np.float64)
        is_whole = np.isfinite(values).all() and (values == np.round(values)).all()
        return values.astype(np.int64) if is_whole else values
    return column.astype(str).to_numpy(dtype=str)


def _groups(column):
    n_missing = int(column.isna().sum())
    if n_missing:
        raise ValueError(
            f"the group {column.name!r} is missing in {n_missing} of {len(column)} rows; remove "
            "these rows or give each of them a group of its own"
        )
    return pd.factorize(column, sort=False)[0]


def _usable(X):
    """Columns that all methods read alike: numbers, truth values, texts, categories and dates.

    Objects that are all numbers, such as decimals, become floats. Values of several types,
    intervals and other objects become texts, with a warning.
    """
    X = X.copy(deep=False)
    read_as_texts: dict[str, list] = {}
    for name in X.columns:
        held = held_values(X[name])
        kind = kind_of_cells(held)
        _check_cells(name, kind, held)
        if kind == NUMBERS and X[name].dtype == object and not _are_truth_values(held):
            X[name] = X[name].to_numpy(dtype=np.float64, na_value=np.nan)
        elif kind in REFUSED and kind != DATES:
            X[name] = X[name].astype(object).map(text_of, na_action="ignore")
            read_as_texts.setdefault(kind, []).append((name, held))
    for kind, columns in read_as_texts.items():
        names = [name for name, _ in columns]
        way_out = "if these should be numbers, make numbers of them with pandas.to_numeric"
        _warn(
            f"the columns {_shown(names)} hold {kind}, such as {examples_of(columns[0][1])}, "
            f"so all methods read them as texts{'; ' + way_out if kind == SEVERAL_TYPES else ''}"
        )
    return X


def _check_cells(name, kind, held):
    """Raise a ValueError for complex numbers, and for lists and the like."""
    found = held.tolist() if kind == OTHER_OBJECTS else ()
    if kind == COMPLEX or any(isinstance(value, _NO_VALUES) for value in found):
        message = refusal(f"the column {name!r} holds", kind, held)
        raise ValueError(f"{message}, or drop the column")


_NO_VALUES = (list, tuple, dict, set, np.ndarray, bytes)


def _are_truth_values(held):
    return all(isinstance(value, bool | np.bool_) for value in held)


def _check_finite(X):
    for name in X.columns:
        if types.is_numeric_dtype(X[name].dtype):
            values = X[name].to_numpy(dtype=np.float64, na_value=np.nan)
            if n_infinite := int(np.isinf(values).sum()):
                raise ValueError(
                    f"the column {name!r} is infinite in {n_infinite} rows; leave these values "
                    "empty or drop the column"
                )


def _warn_of_useless(X):
    kinds = {name: column_kind(X[name]) for name in X.columns}
    for kind, reason in _USELESS.items():
        if names := [name for name, found in kinds.items() if found == kind]:
            _warn(
                f"the columns {_shown(names)} {reason}. The methods of skimbal leave them out; "
                "drop them to do so for all methods"
            )
    if set(kinds.values()) <= set(_USELESS):
        raise ValueError("no column of the table is of use: each is constant, a date or a name")
    for name, kind in kinds.items():
        marks = marks_among_numbers(X[name]) if kind in ("text", "identifier") else []
        if marks:
            _warn(
                f"the column {name!r} has numbers, but also {_shown(marks)}, so it is read as "
                "texts; if these mark missing values, say so (--missing, or na_values= of "
                "read_csv)"
            )


def _warn(text):
    warnings.warn(text, UserWarning, stacklevel=5)


def _shown(names):
    shown = ", ".join(map(repr, list(names)[:N_NAMES_SHOWN]))
    n_more = len(names) - N_NAMES_SHOWN
    return shown if n_more <= 0 else f"{shown} and {n_more} more"
