"""The errors of estimators that take numbers and are given a table with other columns."""

import re
from collections.abc import Mapping
from contextlib import contextmanager

import numpy as np
from scipy.sparse import issparse
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from skimbal._utils._cells import (
    DATES,
    OTHER_OBJECTS,
    REFUSED,
    SEVERAL_TYPES,
    TEXTS,
    are_date_texts,
    held_values,
    kind_of_cells,
    refusal,
    refusal_of_date_texts,
)

N_NAMES_SHOWN = 12
# What NumPy, pandas and scikit-learn say where values can't become numbers.
CONVERSION = re.compile(
    "could not convert|argument must be a string or a|Complex data not supported|with a sequence"
    "|could not be promoted|did not contain a loop with"
)


@contextmanager
def numbers_needed(estimator, X, place=""):
    """Name the columns that are no numbers or miss some, around a validation of numbers.

    Parameters
    ----------
    estimator : estimator
    X : DataFrame or array-like of shape (n_samples, ...)
    place : str, default=""
        What errors begin with, such as "X['table']: " for one of several inputs.

    Raises
    ------
    ValueError
        In place of a TypeError or ValueError in the block, if X has such columns, or is a frame
        with missing values. For dates also where NumPy would take them for numbers, the nanoseconds
        since 1970.
    """
    if any(getattr(dtype, "kind", "O") in "mM" for dtype in _dtypes(X)):
        found = complaint(X, type(estimator).__name__) or refusal("X holds", DATES, X)
        raise ValueError(place + found)
    try:
        yield
    except (TypeError, ValueError) as error:
        name = type(estimator).__name__
        found = complaint(X, name)
        if found is None and "contains NaN" in str(error):
            found = complaint_of_missing(X, name)
        if found is None:
            raise
        raise ValueError(place + found) from error


@contextmanager
def conversion_named(estimator, X):
    """Name the columns that are no numbers, around the `fit` of an estimator of any package.

    Parameters
    ----------
    estimator : estimator
        What a pipeline does with texts is left to its steps, also that of a meta-estimator.
    X : DataFrame or array-like of shape (n_samples, ...)

    Raises
    ------
    ValueError
        In place of an error in the block that says that values of X can't become numbers.
    """
    try:
        yield
    except (TypeError, ValueError) as error:
        found = None
        if CONVERSION.search(str(error)):
            while isinstance(estimator, FrozenEstimator):
                estimator = estimator.estimator
            name, with_texts = type(estimator).__name__, not _has_pipeline(estimator)
            found = complaint(X, name, with_texts=with_texts, error=str(error))
        if found is None:
            raise
        raise ValueError(found) from error


def _has_pipeline(part):
    """Whether an estimator, or a list of them, is a pipeline or has one inside."""
    if isinstance(part, list | tuple):
        return any(map(_has_pipeline, part))
    if isinstance(part, Pipeline | type) or not hasattr(part, "get_params"):
        return isinstance(part, Pipeline)
    return any(map(_has_pipeline, part.get_params(deep=False).values()))


def _dtypes(X):
    """Types of the columns of a frame, or of an array."""
    if hasattr(X, "iloc") and hasattr(X, "columns"):
        return set(X.dtypes)
    return [X.dtype] if hasattr(X, "dtype") else []


def complaint(X, name, *, with_texts=True, error=""):
    """What is said of columns that are no numbers to an estimator; None without any.

    All columns of one kind are named, those first that no encoding takes.

    Parameters
    ----------
    X : DataFrame or array-like of shape (n_samples, n_features)
    name : str
        Of the estimator.
    with_texts : bool, default=True
        Whether texts are among them.
    error : str, default=""
        If it quotes a text that is no number, only columns with this text are named. Others may be
        fine for the estimator, and the text may be a parameter.

    Examples
    --------
    >>> complaint(np.array([[1, "a"], [2, "b"]], dtype=object), "MLPClassifier")[:70]
    'MLPClassifier takes numbers, but column 1 holds texts or categories; e'
    """
    found: dict[str, list] = {}
    has_names = hasattr(X, "columns")
    wanted = [*REFUSED, TEXTS] if with_texts else [*REFUSED]
    if not has_names:  # of arrays, scikit-learn's checks want NumPy's own error
        wanted.remove(OTHER_OBJECTS)
    for label, values in _columns(X):
        held = held_values(values)
        kind = kind_of_cells(held)
        is_fine = kind in (TEXTS, SEVERAL_TYPES) and _become_numbers(values)
        if kind in wanted and not is_fine and _may_cause(error, held):
            found.setdefault(kind, []).append((label, values, held))
    for kind in wanted:
        if kind in found:
            return f"{name} takes numbers, but {_said_of(kind, found[kind], name, has_names)}"
    return None


def _may_cause(error, held):
    """Whether values can be the reason of an error, which quotes the text that is no number."""
    if "could not convert string" not in error:
        return True
    texts = {value for value in held.tolist() if isinstance(value, str)}
    return any(repr(str(text)) in error for text in texts)


def complaint_of_missing(X, name):
    """What is said of the columns of a frame with missing values; None without any.

    >>> import pandas as pd
    >>> complaint_of_missing(pd.DataFrame({"a": [1.0, None], "b": [1, 2]}), "MLPClassifier")[:60]
    "Input X contains NaN: the column 'a' holds missing values; f"
    """
    if not hasattr(X, "iloc"):
        return None
    labels = [label for label, values in _columns(X) if values.isna().any()]
    if not labels:
        return None
    return (
        f"Input X contains NaN: {_subject(labels, True)} missing values; fill them in a pipeline, "
        f"make_pipeline(skimbal.preprocessing.TableEncoder(), {name}(...)) or with a SimpleImputer"
    )


def _said_of(kind, columns, name, has_names):
    labels, (_, values, held) = [label for label, *_ in columns], columns[0]
    subject = _subject(labels, has_names)
    if kind != TEXTS:
        return refusal(subject, kind, held)
    if are_date_texts(values, held):
        return refusal_of_date_texts(_subject(labels[:1], has_names), held)
    return (
        f"{subject} texts or categories; encode them in a pipeline, "
        f"make_pipeline(skimbal.preprocessing.TableEncoder(), {name}(...))"
    )


def _subject(labels, has_names):
    """Such as "the column 'a' holds", or "columns 0, 1 hold" where columns have no names."""
    shown, n_more = ", ".join(labels[:N_NAMES_SHOWN]), len(labels) - N_NAMES_SHOWN
    more = f" and {n_more} more" if n_more > 0 else ""
    noun, verb = ("column", "holds") if len(labels) == 1 else ("columns", "hold")
    return f"{'the ' if has_names else ''}{noun} {shown}{more} {verb}"


def _columns(X):
    """Yield what errors call each column of a table, and its values; nothing for other inputs."""
    if hasattr(X, "iloc") and hasattr(X, "columns"):
        for i, name in enumerate(X.columns):
            yield repr(name), X.iloc[:, i]
        return
    if issparse(X) or isinstance(X, Mapping):
        return
    try:  # in an array of texts, numbers would become texts, too
        array = np.array(X, dtype=object) if isinstance(X, list | tuple) else np.asarray(X)
    except (TypeError, ValueError):  # nothing that could be a table
        return
    if array.ndim == 2:
        # `columns` of Arrow's tables are the values.
        names = getattr(X, "column_names", getattr(X, "columns", range(array.shape[1])))
        yield from zip(map(repr, names), array.T, strict=True)


def _become_numbers(values):
    try:
        if hasattr(values, "to_numpy"):
            values.to_numpy(dtype=np.float64, na_value=np.nan)
        else:
            values.astype(np.float64)
    except (TypeError, ValueError):
        return False
    return True
