"""The results file of a run: its protocol, and runs that do not fit it."""

from dataclasses import replace

import pytest

from skimbal.benchmark._protocol import Protocol
from skimbal.benchmark._store import Store

PROTOCOL = Protocol("s", ["m", "k"], {"a": [1, 2], "b": [1, 2]}, 2, 1, "stratified", 0, {"a": "1"})


@pytest.fixture
def store(tmp_path):
    return Store.create(tmp_path, PROTOCOL)


def test_the_protocol_survives_the_file(store):
    assert Store.open(store.folder).protocol() == PROTOCOL
    assert len(PROTOCOL.cells()) == len(set(PROTOCOL.cells())) == 8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"suite": "t"}, "suite is s in the folder and t here"),
        ({"n_folds": 3}, "folds is 2 in the folder and 3 here"),
        ({"n_trials": 4}, "trials is 1 in the folder and 4 here"),
        ({"split": "official"}, "split is stratified in the folder and official here"),
        ({"seed": 5}, "seed is 0 in the folder and 5 here"),
        ({"methods": ["m"]}, "methods only in the folder: k"),
        ({"methods": [*"mkpqrstu"]}, "methods only here: p, q, r, s, t and 1 more"),
        ({"folds": {"b": [1, 2]}}, "data sets only in the folder: a"),
        ({"folds": {"a": [1, 2], "b": [2]}}, "other folds than in the folder for b"),
        ({"fingerprints": {"a": "2"}}, "other data than in the folder for a"),
    ],
)
def test_another_protocol_is_refused_with_the_difference(store, change, message):
    with pytest.raises(ValueError, match=message):
        Store.create(store.folder, replace(PROTOCOL, **change))
    assert store.protocol() == PROTOCOL


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"has no results\.sqlite"):
        Store.open(tmp_path)
