"""Tables from files: CSV and Parquet, with an error of one line for a file that can't be used."""

import os
from pathlib import Path

import pandas as pd

from skimbal._utils._extras import how_to_install
from skimbal.benchmark._frames import check_unique

PARQUET = {".parquet", ".pq"}
TAB_SEPARATED = {".tsv", ".tab"}
WORKBOOKS = {".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"}


def read_table(path, *, separator=None, missing=()):
    """Read a table.

    Parameters
    ----------
    path : path
        A name that ends in .parquet or .pq is a Parquet file. Every other one is a CSV file in
        UTF-8 whose first line has the names of the columns; it may be compressed.
    separator : str or None, default=None
        Separator of a CSV file; None is a tab for .tsv and .tab, else a comma.
    missing : iterable of str, default=()
        Texts that mark a missing value, besides those of pandas (empty, NA, NaN, null and others).

    Returns
    -------
    DataFrame

    Raises
    ------
    ValueError
        If the file does not exist, can't be read, is a workbook, or has no rows or a column name
        twice.
    """
    path = Path(path)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise ValueError(f"the data file {os.fspath(path)!r} {what}; give a CSV or a Parquet file")
    if path.suffix.lower() in WORKBOOKS:
        raise _unreadable(path, "it is a workbook; save its sheet as CSV")
    if separator == "":
        raise ValueError("the separator is an empty text; give a character, such as ';'")
    read = _read_parquet if path.suffix.lower() in PARQUET else _read_csv
    try:
        return read(path, separator, list(missing))
    except UnicodeDecodeError as error:
        raise _unreadable(path, "it is not in UTF-8; save it as UTF-8") from error
    except pd.errors.EmptyDataError as error:
        raise _unreadable(path, "it is empty; its first line must name the columns") from error
    except (OSError, ValueError, KeyError) as error:
        raise _unreadable(path, " ".join(str(error).split())) from error


def _unreadable(path, reason):
    return ValueError(f"the data file {os.fspath(path)!r} can't be read: {reason}")


def _read_csv(path, separator, missing):
    if separator is None:
        suffixes = {suffix.lower() for suffix in path.suffixes}
        separator = "\t" if suffixes & TAB_SEPARATED else ","
    options = {"sep": separator, "encoding": "utf-8-sig"}
    header = pd.read_csv(path, header=None, nrows=1, dtype=str, keep_default_na=False, **options)
    # pandas would rename the second of two equal names.
    check_unique([name for name in header.iloc[0] if name])
    frame = pd.read_csv(path, na_values=missing or None, low_memory=False, **options)
    if not isinstance(frame.index, pd.RangeIndex):
        raise ValueError("its rows have more values than its first line has names")
    return frame


def _read_parquet(path, separator, missing):
    try:
        frame = pd.read_parquet(path)
    except ImportError as error:
        raise ValueError(f"Parquet needs pyarrow: {how_to_install('tables')}") from error
    frame = frame if isinstance(frame.index, pd.RangeIndex) else frame.reset_index()
    return frame.replace(missing, None) if missing else frame
