"""Four tables of numbers and categories, whose test rows no default is chosen on.

    python tests/performance/mixed_tables.py --out tables.csv    # lists them

The test rows of a table are fixed. The defaults are chosen on the other rows, the development rows,
which are split anew into rows to fit and rows to score. Codes are one-hot, numbers as they are.

* "AI4I 2020": states of a milling machine. Does it fail?
* "diabetes130": 20,000 visits in hospitals. Is the patient readmitted within 30 days? All visits of
  a patient are in one part. Codes of fewer than 10 rows to fit are one code.
* "KDD99 rare": 30,000 different connections. Is it a rare attack (u2r or r2l)? They have the same
  share as in the file.
* "KDD99 ten classes": 12,000 normal connections, 7,000 of neptune, and all of eight other attacks.
"""

import argparse
import os
from dataclasses import dataclass
from zipfile import ZipFile

import numpy as np
import pandas as pd
from _tiny import parse_arguments
from sklearn.compose import make_column_transformer
from sklearn.model_selection import GroupShuffleSplit, train_test_split
from sklearn.preprocessing import OneHotEncoder
from weighted_stopping import ARCHIVE, CODES, MEMBER

from skimbal.datasets import load_ai4i2020, load_kddcup99

RARE = ["buffer_overflow", "loadmodule", "perl", "rootkit"]
RARE += [
    "ftp_write",
    "guess_passwd",
    "imap",
    "multihop",
    "phf",
    "spy",
    "warezclient",
    "warezmaster",
]
TEN = ["buffer_overflow", "guess_passwd", "ipsweep", "nmap", "portsweep", "satan"]
TEN += ["warezclient", "warezmaster", "normal", "neptune"]
N_VISITS = 20_000
N_CONNECTIONS = 30_000
N_LARGEST = {"normal": 12_000, "neptune": 7_000}
TEST_SHARE = {"AI4I 2020": 0.3, "diabetes130": 0.25, "KDD99 rare": 0.4, "KDD99 ten classes": 0.4}
DRAW = 2026  # the seed of the rows, and of those that are for the final test


@dataclass
class Table:
    """Rows of a table.

    Attributes
    ----------
    X : DataFrame or ndarray
    y : ndarray
    groups : ndarray or None
    """

    X: object
    y: np.ndarray
    groups: np.ndarray | None = None

    def take(self, rows):
        """Some of the rows."""
        X = self.X.iloc[rows] if isinstance(self.X, pd.DataFrame) else self.X[rows]
        return Table(X, self.y[rows], None if self.groups is None else self.groups[rows])


def machine(as_frame=False):
    """States of the milling machine."""
    X, y = load_ai4i2020(return_X_y=True, as_frame=as_frame)
    return Table(X, (y == "failure").astype(int))


def visits(as_frame=True):
    """Visits of random patients, codes as texts."""
    with ZipFile(f"{os.environ['SKIMBAL_DATA']}/{ARCHIVE}").open(MEMBER) as file:
        table = pd.read_csv(file, na_values="?", low_memory=False)
    rng = np.random.default_rng(DRAW)
    place = dict(
        zip(rng.permutation(table["patient_nbr"].unique()), range(len(table)), strict=False)
    )
    table = table.loc[table["patient_nbr"].map(place).sort_values(kind="stable").index[:N_VISITS]]
    X = table.drop(columns=["encounter_id", "patient_nbr", "readmitted"])
    X = X.astype(dict.fromkeys(CODES, str)).loc[:, X.nunique() > 1]
    y = (table["readmitted"] == "<30").to_numpy().astype(int)
    return Table(X, y, table["patient_nbr"].to_numpy())


def connections(as_frame):
    """All connections."""
    X, y = load_kddcup99(return_X_y=True, as_frame=as_frame)
    return Table(X, np.asarray(y))


def rare_attacks(as_frame=False):
    """Connections in which rare attacks have their share of the file."""
    table = connections(as_frame)
    rows = np.random.default_rng(DRAW).permutation(len(table.y))[:N_CONNECTIONS]
    table = table.take(rows)
    return Table(table.X, np.isin(table.y, RARE).astype(int))


def ten_classes(as_frame=False):
    """Connections of ten classes."""
    table, rng = connections(as_frame), np.random.default_rng(DRAW)
    rows = [rng.permutation(np.flatnonzero(table.y == name))[: N_LARGEST.get(name)] for name in TEN]
    return table.take(rng.permutation(np.concatenate(rows)))


TABLES = {
    "AI4I 2020": machine,
    "diabetes130": visits,
    "KDD99 rare": rare_attacks,
    "KDD99 ten classes": ten_classes,
}


def split(table, share, seed):
    """Split a table in two: groups stay whole, or classes keep their shares."""
    if table.groups is not None:
        splitter = GroupShuffleSplit(1, test_size=share, random_state=seed)
        train, test = next(splitter.split(table.y, groups=table.groups))
    else:
        rows = np.arange(len(table.y))
        train, test = train_test_split(rows, test_size=share, stratify=table.y, random_state=seed)
    return table.take(train), table.take(test)


def load_parts(name, as_frame=None):
    """The development rows of a table and its test rows.

    Parameters
    ----------
    name : str
    as_frame : bool or None, default=None
        Whether categories stay categories; None leaves those of diabetes130 only.
    """
    make = TABLES[name]
    return split(make() if as_frame is None else make(as_frame), TEST_SHARE[name], DRAW)


def encoded(train, *others):
    """The inputs as arrays in single precision, encoded by the first table."""
    if isinstance(train.X, np.ndarray):
        return [table.X.astype(np.float32) for table in (train, *others)]
    texts = train.X.columns.difference(train.X.select_dtypes("number").columns)
    encoder = make_column_transformer(
        (
            OneHotEncoder(
                min_frequency=10, handle_unknown="infrequent_if_exist", sparse_output=False
            ),
            texts,
        ),
        remainder="passthrough",
    ).fit(train.X)
    return [encoder.transform(table.X).astype(np.float32) for table in (train, *others)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True)
    arguments = parse_arguments(parser, globals(), TABLES={"diabetes130": visits}, N_VISITS=500)
    rows = []
    for name in TABLES:
        for part, table in zip(("development", "test"), load_parts(name), strict=True):
            classes, counts = np.unique(table.y, return_counts=True)
            rows.append((name, part, len(table.y), table.X.shape[1], len(classes), counts.min()))
    columns = ["table", "part", "n_rows", "n_columns", "n_classes", "n_rarest"]
    table = pd.DataFrame(rows, columns=columns)
    table.to_csv(arguments.out, index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
