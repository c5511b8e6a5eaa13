"""A claim lives as long as its owner."""

import contextlib
import sqlite3
import subprocess
import sys
import uuid

import pytest

from skimbal.benchmark._claims import (
    Lock,
    claim_cell,
    count_death,
    free_cells,
    is_locked,
    remove_locks,
    runner_lock,
)
from skimbal.benchmark._protocol import Cell, Protocol
from skimbal.benchmark._sqlite import connect
from skimbal.benchmark._store import Store

CELL = Cell("a", "m", 1, 0)
PROTOCOL = Protocol("s", ["m", "k"], {"a": [1, 2], "b": [1, 2]}, 2, 1, "stratified", 0, {"a": "1"})
HOLD_A_CLAIM = """
import sys
from skimbal.benchmark._claims import claim_cell
from skimbal.benchmark._protocol import Cell
from skimbal.benchmark._store import Store
claim = claim_cell(Store(sys.argv[1]), Cell("a", "m", 1, 0), 0)
print("claimed", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def store(tmp_path):
    return Store.create(tmp_path, PROTOCOL)


def test_a_claimed_cell_cannot_be_claimed_again(store):
    with claim_cell(store, CELL, 0):
        assert claim_cell(store, CELL, 0) is None


def test_a_claim_given_up_is_free_again(store):
    with claim_cell(store, CELL, 0):
        pass
    with claim_cell(store, CELL, 0) as claim:
        assert claim is not None
    assert store.n_finished() == 0


@pytest.mark.parametrize("status", ["done", "failed"])
def test_a_finished_cell_stays_finished(store, status):
    with claim_cell(store, CELL, 7) as claim:
        claim.finish(status, {"g_mean": 0.25})
    assert claim_cell(store, CELL, 7) is None
    assert store.n_finished() == 1
    row = store.cells().iloc[0]
    assert tuple(row[list(Cell._fields)]) == CELL
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
        assert claim_cell(store, CELL, 0) is None
        owner.kill()
        owner.wait()
    with claim_cell(store, CELL, 0) as claim:
        assert claim is not None
    assert list(store.folder.glob("claim-*")) != []
    remove_locks(store)
    assert list(store.folder.glob("claim-*")) == []


def test_the_cell_of_a_dead_worker_is_taken_until_its_runner_frees_it(store):
    lock = runner_lock(store, "r")
    with claim_cell(store, CELL, 0, "r-one"):
        pass  # the lock of a worker that dies is released, too
    assert claim_cell(store, CELL, 0, "r-two") is None
    assert claim_cell(store, CELL, 0, "other-one") is None
    assert count_death(store, "r-one") == {CELL: 1}
    assert claim_cell(store, CELL, 0, "r-two") is None
    free_cells(store, "r-one")
    with claim_cell(store, CELL, 0, "r-two") as claim:
        assert claim is not None
    lock.release()


def test_the_cell_of_a_dead_worker_is_free_when_its_runner_is_dead(store):
    lock = runner_lock(store, "r")
    with claim_cell(store, CELL, 0, "r-one"):
        pass
    lock.release()
    with claim_cell(store, CELL, 0, "other-one") as claim:
        assert claim is not None


@pytest.mark.parametrize("owner", ["x", "x-y.lock", "../../x-y", b"\xff"])
def test_a_claim_of_an_owner_that_no_process_has_is_free(owner, store):
    with claim_cell(store, CELL, 0), store.transaction() as database:
        database.execute("UPDATE cell SET owner = ?", [owner])
    with claim_cell(store, CELL, 0) as claim:
        assert claim is not None


def test_a_claim_that_fails_midway_leaves_nothing(store):
    with pytest.raises(sqlite3.IntegrityError):
        claim_cell(store, CELL, None)
    assert len(store.read("SELECT * FROM cell")) == 0
    assert list(store.folder.glob("claim-*")) == []


def test_a_lock_is_held_until_released(tmp_path):
    path = tmp_path / "x.lock"
    lock = Lock(path)
    assert is_locked(path)
    path.chmod(0o444)  # as that of another user
    assert is_locked(path)
    lock.release()
    assert not is_locked(path)
    assert not path.exists()


def test_only_the_locks_of_dead_processes_are_removed(store):
    foreign = [store.folder / name for name in ("poetry.lock", "claim-x.lock", "runner-x.lock")]
    runner, worker = uuid.uuid4().hex, uuid.uuid4().hex
    dead = [store.folder / f"claim-{runner}-{worker}-{worker}.lock"]
    dead += [store.folder / f"runner-{worker}.lock"]
    for path in foreign + dead:
        path.touch()
    lock = runner_lock(store, runner)
    with claim_cell(store, CELL, 0, f"{runner}-{worker}"):
        remove_locks(store)
        assert claim_cell(store, CELL, 0) is None
        assert len(list(store.folder.glob("*.lock"))) == len(foreign) + 2
    assert lock.path.exists()
    lock.release()
    assert sorted(store.folder.glob("*.lock")) == sorted(foreign)


def test_two_probes_do_not_take_each_other_for_the_owner(tmp_path):
    path = tmp_path / "x.lock"
    path.touch()
    with contextlib.closing(connect(path, "ro")) as probe:
        probe.execute("BEGIN")
        probe.execute("SELECT name FROM sqlite_master").fetchall()
        assert not is_locked(path)
