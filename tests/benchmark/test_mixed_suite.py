"""The suite of real tables with categories: its draws, on made data and on the real files."""

import numpy as np
import pandas as pd
import pytest
from sklearn.utils import Bunch

from skimbal.benchmark import _mixed_suite
from skimbal.benchmark._protocol import Cell, Protocol
from skimbal.benchmark._suite import describe_dataset, load_split
from skimbal.benchmark._suites import SUITES
from skimbal.datasets import _ai4i2020, _diabetes130, _kddcup99, _sources

MIXED = SUITES["mixed"]
N_STAYS, N_CONNECTIONS = 60, 200


def make_stays():
    """30 patients with one to five stays each; the row tells the stay."""
    random = np.random.default_rng(0)
    groups = random.permutation(np.repeat(np.arange(30), 1 + np.arange(30) % 5))
    data = pd.DataFrame({"row": np.arange(len(groups)), "drug": random.choice(["a", "b"], 90)})
    return Bunch(data=data, groups=groups, target=np.where(groups % 3, "later or never", "<30"))


def make_connections(**options):
    counts = {"normal": 300, "rootkit": 10, "spy": 20, "warezclient": 30, "back": 40}
    y = np.repeat(list(counts), list(counts.values()))
    return pd.DataFrame({"row": np.arange(len(y)), "flag": "SF"}), y


@pytest.fixture
def made_tables(monkeypatch):
    monkeypatch.setattr(_mixed_suite, "fetch_diabetes130", make_stays)
    monkeypatch.setattr(_mixed_suite, "load_kddcup99", make_connections)
    monkeypatch.setattr(_mixed_suite, "N_STAYS", N_STAYS)
    monkeypatch.setattr(_mixed_suite, "N_CONNECTIONS", N_CONNECTIONS)
    _mixed_suite._table.cache_clear()
    yield
    _mixed_suite._table.cache_clear()


def test_the_stays_are_those_of_patients(made_tables):
    X, y = MIXED.load("diabetes130")
    groups = MIXED.load_groups("diabetes130")
    stays = make_stays()
    assert len(X) == len(y) == len(groups) == N_STAYS
    np.testing.assert_array_equal(groups, stays.groups[X["row"]])
    np.testing.assert_array_equal(y, stays.target[X["row"]])
    assert X.index.tolist() == list(range(N_STAYS))
    # All stays of each patient but of the last one, which may be cut.
    all_counts, counts = (np.bincount(rows, minlength=30) for rows in (stays.groups, groups))
    assert np.sum((counts > 0) & (counts < all_counts)) <= 1


def test_the_rare_attacks_have_their_natural_share(made_tables):
    X, y = MIXED.load("kdd99-rare-attacks")
    _, all_labels = make_connections()
    assert len(X) == N_CONNECTIONS
    assert np.sum(y == "u2r or r2l") == N_CONNECTIONS * 60 / 400
    is_rare = np.isin(all_labels[X["row"]], ["rootkit", "spy", "warezclient"])
    np.testing.assert_array_equal(y == "u2r or r2l", is_rare)
    assert MIXED.load_groups("kdd99-rare-attacks") is None


def test_the_ten_classes_leave_out_the_others(made_tables):
    X, y = MIXED.load("kdd99-ten-classes")
    assert dict(zip(*np.unique(y, return_counts=True), strict=True)) == {
        "normal": 300,
        "warezclient": 30,
    }
    np.testing.assert_array_equal(make_connections()[1][X["row"]], y)


def test_no_patient_is_on_both_sides_of_a_split(made_tables):
    protocol = Protocol("mixed", ["m"], {}, 3, 1, "stratified", 0, {})
    stays = make_stays()
    for fold in (1, 2, 3):
        cell = Cell("diabetes130", "m", fold, 0)
        train, test, *_ = load_split(MIXED, protocol, cell)
        assert not set(stays.groups[train["row"]]) & set(stays.groups[test["row"]])


def test_a_suite_may_have_groups_for_some_of_its_sets(made_tables):
    protocol = Protocol("mixed", ["m"], {}, 3, 1, "stratified", 0, {})
    tests = [
        load_split(MIXED, protocol, Cell("kdd99-rare-attacks", "m", fold, 0))[1]["row"]
        for fold in (1, 2, 3)
    ]
    assert len(set(np.concatenate(tests))) == N_CONNECTIONS
    units = [describe_dataset(MIXED, name).unit for name in ("diabetes130", "kdd99-rare-attacks")]
    assert units == ["groups", "samples"]


def has_files():
    folder = _sources.data_folder()
    files = (_ai4i2020.LOCAL, _diabetes130.LOCAL, _kddcup99.LOCAL)
    return folder is not None and all((folder / file).is_file() for file in files)


@pytest.mark.slow
@pytest.mark.skipif(not has_files(), reason="SKIMBAL_DATA lacks one of the tables")
def test_the_real_tables():
    infos = {name: describe_dataset(MIXED, name) for name in MIXED.datasets}
    found = {name: (*info.shape, info.smallest_count) for name, info in infos.items()}
    assert found == {
        "ai4i2020": (10_000, 6, 339),
        "diabetes130": (20_000, 47, 1796),
        "kdd99-rare-attacks": (30_000, 41, 217),
        "kdd99-ten-classes": (13_127, 41, 20),
    }
    assert {info.is_frame for info in infos.values()} == {True}
    again = {name: describe_dataset(MIXED, name).fingerprint for name in MIXED.datasets}
    assert again == {name: info.fingerprint for name, info in infos.items()}
