"""The suite of real tables with numbers and categories, one of them with groups.

The draws have a fixed seed, so that every run has the same rows.
"""

from functools import lru_cache

import numpy as np
from sklearn.model_selection import train_test_split

from skimbal.benchmark._suite import Suite
from skimbal.datasets import fetch_diabetes130, load_ai4i2020, load_kddcup99

N_STAYS = 20_000
N_CONNECTIONS = 30_000
# The two rare kinds of attacks of the KDD Cup 1999: to become root, and to get in from outside.
U2R = ("buffer_overflow", "loadmodule", "perl", "rootkit")
R2L = ("ftp_write", "guess_passwd", "imap", "multihop", "phf", "spy", "warezclient", "warezmaster")
RARE, OTHERS = "u2r or r2l", "others"
TEN_CLASSES = (
    *("normal", "neptune", "satan", "warezclient", "ipsweep", "portsweep", "nmap"),
    *("guess_passwd", "buffer_overflow", "warezmaster"),
)
MAX_PER_CLASS = 5000


def _ai4i2020():
    return *load_ai4i2020(as_frame=True, return_X_y=True), None


def _diabetes130():
    """Stays of patients in random order, until there are 20,000."""
    stays = fetch_diabetes130()
    patients, codes = np.unique(stays.groups, return_inverse=True)
    place = np.random.default_rng(0).permutation(len(patients))[codes]
    rows = np.sort(np.argsort(place, kind="stable")[:N_STAYS])
    return *_rows(stays.data, stays.target, rows), stays.groups[rows]


def _kdd99_rare_attacks():
    """Distinct connections, drawn with the share of rare attacks that all of them have."""
    X, y = load_kddcup99(as_frame=True, return_X_y=True)
    y = np.where(np.isin(y, U2R + R2L), RARE, OTHERS)
    rows, _ = train_test_split(
        np.arange(len(y)), train_size=N_CONNECTIONS, stratify=y, random_state=0
    )
    return *_rows(X, y, np.sort(rows)), None


def _kdd99_ten_classes():
    X, y = load_kddcup99(
        max_per_class=MAX_PER_CLASS, random_state=0, as_frame=True, return_X_y=True
    )
    return *_rows(X, y, np.flatnonzero(np.isin(y, TEN_CLASSES))), None


def _rows(X, y, rows):
    return X.iloc[rows].reset_index(drop=True), y[rows]


_TABLES = {
    "ai4i2020": _ai4i2020,
    "diabetes130": _diabetes130,
    "kdd99-rare-attacks": _kdd99_rare_attacks,
    "kdd99-ten-classes": _kdd99_ten_classes,
}


@lru_cache(maxsize=1)
def _table(name):
    return _TABLES[name]()


def _load(name):
    X, y, _ = _table(name)
    return X, y


def _load_groups(name):
    return _table(name)[2]


MIXED_SUITE = Suite("mixed", tuple(_TABLES), _load, load_groups=_load_groups)
