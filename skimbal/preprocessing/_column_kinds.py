"""How each column of a table is encoded, by what it holds."""

import numpy as np
from sklearn.utils import check_array

from skimbal._utils._cells import MIN_IDENTIFIERS, NOTHING, NUMBERS, TEXTS, are_all_different
from skimbal._utils._texts import is_number
from skimbal._utils._validation import is_whole_number
from skimbal._utils._warnings import warn
from skimbal.preprocessing._column_values import as_levels, what_it_holds

NUMBER, ONE_HOT, TARGET, LEFT_OUT = "number", "one-hot", "target", "left out"
BOTH = "one-hot and target"
# The kinds of columns that each encoder gets, in the order of the result.
KINDS_OF_ENCODER = {NUMBER: [NUMBER], ONE_HOT: [ONE_HOT, BOTH], TARGET: [TARGET, BOTH]}
# What becomes of categories of many levels, by `high_cardinality`.
WIDE_KINDS = {"target": TARGET, "both": BOTH, "most_frequent": ONE_HOT}
# A column with so few texts that are no numbers is taken for one of numbers with marks.
MAX_MARKS = 3


def check_categorical_features(given, n_features, names):
    """A mask of the categorical columns, or None where their types decide.

    Parameters
    ----------
    given : "from_dtype", None or array-like of bool, int or str
    n_features : int
    names : list of str or None
        Of the columns of a frame.

    Returns
    -------
    ndarray of bool of shape (n_features,) or None
    """
    if isinstance(given, str) and given == "from_dtype":
        return None
    mask = np.zeros(n_features, dtype=bool)
    if given is None or np.size(given) == 0:
        return mask
    where = f"categorical_features={given!r}"
    if isinstance(given, str):
        raise ValueError(f"{where} must be 'from_dtype', None or a list, such as [{given!r}]")
    given = check_array(given, ensure_2d=False, dtype=None)
    if given.dtype.kind == "b" and given.shape == mask.shape:
        return given
    if given.dtype.kind in "iu" and ((given >= -n_features) & (given < n_features)).all():
        mask[given] = True
        return mask
    if given.dtype.kind in "OU" and names is not None:
        unknown = [str(name) for name in given if name not in names]
        if unknown:
            raise ValueError(f"{where} has the names {unknown}, but the columns of X are {names}")
        return np.isin(names, given)
    allowed = f"names of columns, indices from 0 to {n_features - 1}, or {n_features} truth values"
    raise ValueError(f"{where} does not fit X; give {allowed} (names need a DataFrame)")


def check_held(columns, held, mask):
    """Raise a ValueError for columns of texts that a mask does not name as categories."""
    names = [
        column.name
        for column, kind, is_named in zip(columns, held, mask, strict=True)
        if kind == TEXTS and not is_named
    ]
    if names:
        raise ValueError(
            f"{names[0]} holds texts, but categorical_features does not name it"
            f"{f', nor {len(names) - 1} more' if len(names) > 1 else ''}; name all columns of "
            "categories, or use categorical_features='from_dtype' and give columns of codes the "
            "dtype 'category' (X.astype({name: 'category'}))"
        )


def categories_by_type(columns, held):
    """Mask of the columns that hold texts or have the type of categories."""
    return np.array(
        [column.is_category or kind == TEXTS for column, kind in zip(columns, held, strict=True)],
        dtype=bool,
    )


def n_one_hot(counts, min_frequency, n_samples):
    """Columns that levels with these counts become: the rare ones share one.

    >>> n_one_hot(np.array([40, 9, 1, 2]), min_frequency=5, n_samples=52)
    3
    """
    fewest = min_frequency if is_whole_number(min_frequency, 0) else min_frequency * n_samples
    is_rare = counts < fewest
    return int(np.sum(~is_rare) + is_rare.any())


def check_levels(column, levels, held):
    """Raise a ValueError for a category that differs in each row; warn of texts of numbers."""
    values = [text for text in levels if text is not None]
    distinct = set(values)
    if are_all_different(len(distinct), len(values)):
        raise ValueError(
            f"{column.name} is a category with {len(distinct)} levels in {len(values)} rows, so "
            "each row has a level of its own and nothing can be learned from it; drop the column "
            "if it is a name or a number of the row, keep a part of it that repeats (such as its "
            "first letters), or make numbers of it"
        )
    if held == TEXTS and not column.is_category:
        warn_of_numbers(column, distinct)


def warn_of_numbers(column, distinct):
    """Warn of texts that seem to be numbers: with a few marks, or with decimal points."""
    marks = sorted(text for text in distinct if not is_number(text))
    if len(distinct) - len(marks) < MIN_IDENTIFIERS or len(marks) > MAX_MARKS:
        return
    if not marks and not any("." in text for text in distinct):
        return  # whole numbers are often codes
    but = f", but for {marks}," if marks else ""
    advice = f"make NaN of {marks} (pandas.read_csv(..., na_values={marks}))" if marks else ""
    warn(
        f"{column.name} holds texts that are numbers{but} and counts as a category; if it is a "
        f"column of numbers, {advice or 'make numbers of them with pd.to_numeric'}, else give it "
        "the dtype 'category'"
    )


def kinds_of(columns, held, is_category, *, max_one_hot, min_frequency, wide_kind):
    """How each column is encoded.

    Parameters
    ----------
    columns : list of Column
    held : list of {"numbers", "texts", "no values"}
    is_category : ndarray of bool of shape (n_columns,)
    max_one_hot : int or None
    min_frequency : int or float
    wide_kind : str
        The kind of categories that would become more than `max_one_hot` one-hot columns.

    Returns
    -------
    ndarray of str of shape (n_columns,)
    """
    kinds = []
    for column, what, is_own in zip(columns, held, is_category, strict=True):
        if what == NOTHING:
            kinds.append(LEFT_OUT)
        elif not is_own:
            kinds.append(NUMBER)
        else:
            levels = as_levels([column])[:, 0]
            check_levels(column, levels, what)
            counts = np.unique(levels.astype(str), return_counts=True)[1]
            n_columns = n_one_hot(counts, min_frequency, len(levels))
            is_wide = max_one_hot is not None and n_columns > max_one_hot
            kinds.append(wide_kind if is_wide else ONE_HOT)
    return np.array(kinds)


def of_encoder(kinds, encoder):
    """Mask of the columns that an encoder gets.

    >>> of_encoder(np.array(["number", "one-hot", "one-hot and target"]), "one-hot").tolist()
    [False, True, True]
    """
    return np.isin(kinds, KINDS_OF_ENCODER[encoder])


def check_changes(columns, held, kinds, levels):
    """Raise a ValueError for columns that hold something else than in `fit`.

    Parameters
    ----------
    columns : list of Column
    held : list of {"numbers", "texts", "no values"}
        What they held in `fit`.
    kinds : ndarray of str
    levels : dict of int to list of str
        The levels of the categories in `fit`.
    """
    for i, (column, before) in enumerate(zip(columns, held, strict=True)):
        if kinds[i] == LEFT_OUT:
            continue
        now = what_it_holds(column)
        if kinds[i] == NUMBER and now == TEXTS:
            raise ValueError(
                f"{column.name} held numbers in fit and holds texts now, such as "
                f"{column.held.iloc[0]!r}; make numbers of them with pd.to_numeric, or truth "
                "values with Series.map({'yes': True, 'no': False})"
            )
        has_new_type = i in levels and (before, now) == (TEXTS, NUMBERS)
        if has_new_type and not set(as_levels([column])[:, 0]) & set(levels[i]):
            raise ValueError(
                f"{column.name} held texts in fit, such as {levels[i][0]!r}, and holds numbers "
                f"now, such as {column.held.tolist()[0]!r}, none of which is among those texts; "
                "give the values as they were in fit"
            )
