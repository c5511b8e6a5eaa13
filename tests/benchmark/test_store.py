"""The results file: claims live as long as their owners, and protocols don't mix."""

import sqlite3
import subprocess
import sys
from dataclasses import replace

import pytest

from skimbal.benchmark._protocol import Cell, Protocol, cell_seed
from skimbal.benchmark._store import Lock, Store, is_locked

CELL = Cell("a", "m", 1, 0)
PROTOCOL = Protocol("s", ["m", "k"], {"a": [1, 2], "b": [1, 2]}, 2, 1, "stratified", 0, {"a": "1"})
HOLD_A_CLAIM = """
import sys
from skimbal.benchmark._protocol import Cell
from skimbal.benchmark._store import Store
claim = Store(sys.argv[1]).claim(Cell("a", "m", 1, 0), 0)
print("claimed", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def store(tmp_path):
    return Store.create(tmp_path, PROTOCOL)


def test_a_claimed_cell_cannot_be_claimed_again(store):
    with store.claim(CELL, 0):
        assert store.claim(CELL, 0) is None


def test_a_claim_given_up_is_free_again(store):
    with store.claim(CELL, 0):
        pass
    with store.claim(CELL, 0) as claim:
        assert claim is not None
    assert store.finished() == set()


@pytest.mark.parametrize("status", ["done", "failed"])
def test_a_finished_cell_stays_finished(store, status):
    with store.claim(CELL, 7) as claim:
        claim.finish(status, {"g_mean": 0.25})
    assert store.claim(CELL, 7) is None
    assert store.finished() == {CELL}
    row = store.cells().iloc[0]
    assert (row.status, row.g_mean, row.seed) == (status, 0.25, 7)


def test_a_claim_dies_with_its_process(store):
    owner = subprocess.Popen(
        [sys.executable, "-c", HOLD_A_CLAIM, str(store.folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with owner:
        assert owner.stdout.readline() == "claimed\n"
        assert store.claim(CELL, 0) is None
        owner.kill()
        owner.wait()
    with store.claim(CELL, 0) as claim:
        assert claim is not None
    store.remove_locks()
    assert list(store.folder.glob("claim-*")) == []


def test_a_claim_that_fails_midway_leaves_nothing(store):
    with pytest.raises(sqlite3.IntegrityError):
        store.claim(CELL, None)
    assert len(store._rows("SELECT * FROM cell")) == 0
    assert list(store.folder.glob("claim-*")) == []


def test_a_lock_is_held_until_released(tmp_path):
    path = tmp_path / "x.lock"
    lock = Lock(path)
    assert is_locked(path)
    lock.release()
    assert not is_locked(path)
    assert not path.exists()


def test_the_protocol_survives_the_file(store):
    assert Store.open(store.folder).protocol() == PROTOCOL
    assert len(PROTOCOL.cells()) == len(set(PROTOCOL.cells())) == 8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"suite": "t"}, "suite is s there and t here"),
        ({"n_folds": 3}, "folds is 2 there and 3 here"),
        ({"n_trials": 4}, "trials is 1 there and 4 here"),
        ({"split": "official"}, "split is stratified there and official here"),
        ({"seed": 5}, "seed is 0 there and 5 here"),
        ({"methods": ["m"]}, "methods only there: k"),
        ({"methods": [*"mkpqrstu"]}, "methods only here: p, q, r, s, t and 1 more"),
        ({"folds": {"b": [1, 2]}}, "data sets only there: a"),
        ({"folds": {"a": [1, 2], "b": [2]}}, "other folds than there in b"),
        ({"fingerprints": {"a": "2"}}, "other data than there in a"),
    ],
)
def test_another_protocol_is_refused_with_the_difference(store, change, message):
    with pytest.raises(ValueError, match=message):
        Store.create(store.folder, replace(PROTOCOL, **change))
    assert store.protocol() == PROTOCOL


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"has no results\.sqlite"):
        Store.open(tmp_path)


def test_seeds_depend_on_set_fold_trial_and_seed_alone():
    variants = [
        (0, CELL),
        (1, CELL),
        (0, CELL._replace(dataset="b")),
        (0, CELL._replace(fold=2)),
        (0, CELL._replace(trial=1)),
    ]
    seeds = [cell_seed(*variant) for variant in variants]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert cell_seed(0, CELL._replace(method="k")) == seeds[0]


def test_seeds_are_the_same_on_every_machine_and_day():
    assert cell_seed(0, Cell("ecoli3", "dbn", 1, 0)) == 1973065521
