"""The results file of a run: its protocol, and runs that do not fit it."""

import contextlib
import shutil
import sqlite3
from dataclasses import replace

import numpy as np
import pytest

from skimbal.benchmark import _store as stores
from skimbal.benchmark._claims import Lock, claim_cell
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


def test_a_protocol_of_a_version_that_left_out_no_methods(store):
    execute(store.path, "UPDATE run SET protocol = json_remove(protocol, '$.left_out')")
    assert store.protocol() == PROTOCOL


def test_a_loop_of_links_is_no_folder(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError, match=r"the output folder can't be made .*; give a folder"):
        Store.create(tmp_path / "loop", PROTOCOL)
    with pytest.raises(ValueError, match=r"has no results\.sqlite"):
        Store.open(tmp_path / "loop")


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"has no results\.sqlite"):
        Store.open(tmp_path)


def execute(path, script):
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.executescript(script)


def version(path):
    with contextlib.closing(sqlite3.connect(path)) as database:
        return database.execute("PRAGMA user_version").fetchone()[0]


# ---------------------------------------------------------------- versions


@pytest.fixture
def old_folder(tmp_path):
    """A folder of the first version, with a finished and a claimed cell."""
    path = tmp_path / stores.FILE_NAME
    execute(path, stores._FIRST_SCHEMA)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("INSERT INTO run VALUES (?, '2026')", [PROTOCOL.to_json()])
        insert = "INSERT INTO cell (dataset, method, fold, trial, status, owner, seed, g_mean)"
        database.execute(insert + " VALUES ('a', 'm', 1, 0, 'done', 'claim-x.lock', 3, 0.5)")
        database.execute(insert + " VALUES ('a', 'm', 2, 0, 'claimed', 'claim-x.lock', 4, NULL)")
    return tmp_path


def test_a_store_of_the_first_version_is_read_as_it_is(old_folder):
    store = Store.open(old_folder)
    assert store.protocol() == PROTOCOL
    assert store.cells().g_mean.tolist() == [0.5]
    assert version(store.path) == 0


def test_a_store_of_the_first_version_is_migrated_when_a_run_resumes(old_folder):
    store = Store.create(old_folder, PROTOCOL)
    assert version(store.path) == stores.SCHEMA_VERSION
    assert store.cells().g_mean.tolist() == [0.5]
    done, claimed = PROTOCOL.cells()[0], PROTOCOL.cells()[2]
    assert claim_cell(store, done, 3) is None
    with claim_cell(store, claimed, 4) as claim:
        assert claim is not None
    assert store.read("SELECT attempts FROM cell ORDER BY fold").attempts.tolist() == [0, 1]
    assert Store.create(old_folder, PROTOCOL).n_finished() == 1


@pytest.fixture
def folder_of_version_2(old_folder):
    """The same folder as the second version wrote it: with counters, without average precision."""
    counters = "".join(
        f"ALTER TABLE cell ADD COLUMN {name} {kind};" for name, kind in stores._ADDED[2].items()
    )
    execute(old_folder / stores.FILE_NAME, counters + "PRAGMA user_version = 2")
    return old_folder


@pytest.fixture
def folder_of_version_3(folder_of_version_2):
    """The same folder as the third version wrote it, with an average precision."""
    execute(
        folder_of_version_2 / stores.FILE_NAME,
        "ALTER TABLE cell ADD COLUMN average_precision REAL;"
        "UPDATE cell SET average_precision = 0.75 WHERE status = 'done';"
        "PRAGMA user_version = 3",
    )
    return folder_of_version_2


@pytest.mark.parametrize("is_migrated", [False, True])
def test_a_store_without_average_precision_has_an_empty_one(is_migrated, folder_of_version_2):
    folder = folder_of_version_2
    store = Store.create(folder, PROTOCOL) if is_migrated else Store.open(folder)
    cells = store.cells()
    assert cells.g_mean.tolist() == [0.5]
    assert cells.average_precision.isna().all()
    assert version(store.path) == (stores.SCHEMA_VERSION if is_migrated else 2)
    assert store.read("SELECT attempts FROM cell").attempts.tolist() == [0, 0]


def test_a_store_of_version_2_takes_average_precisions_when_its_run_resumes(folder_of_version_2):
    store = Store.create(folder_of_version_2, PROTOCOL)
    with claim_cell(store, PROTOCOL.cells()[2], 4) as claim:
        claim.finish("done", {"average_precision": 0.25})
    assert store.cells().average_precision.dropna().tolist() == [0.25]
    assert Store.create(folder_of_version_2, PROTOCOL).n_finished() == 2


@pytest.mark.parametrize("is_migrated", [False, True])
def test_a_store_without_log_losses_has_empty_ones(is_migrated, folder_of_version_3):
    folder = folder_of_version_3
    store = Store.create(folder, PROTOCOL) if is_migrated else Store.open(folder)
    cells = store.cells()
    assert cells.average_precision.tolist() == [0.75]
    added = ["rare_average_precision", "log_loss", "fit_cpu_seconds"]
    assert cells[added].isna().all(axis=None)
    assert version(store.path) == (stores.SCHEMA_VERSION if is_migrated else 3)


def test_a_store_of_version_3_takes_log_losses_when_its_run_resumes(folder_of_version_3):
    store = Store.create(folder_of_version_3, PROTOCOL)
    values = {"rare_average_precision": 0.25, "log_loss": 1.5, "fit_cpu_seconds": 2.0}
    with claim_cell(store, PROTOCOL.cells()[2], 4) as claim:
        claim.finish("done", values)
    assert store.cells()[list(values)].dropna().to_dict("records") == [values]
    assert Store.create(folder_of_version_3, PROTOCOL).n_finished() == 2


def test_a_new_store_has_the_present_version(store):
    assert version(store.path) == stores.SCHEMA_VERSION


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("PRAGMA user_version = 99", "has version 99, but .* knows 5 at most; update skimbal"),
        ("ALTER TABLE cell DROP COLUMN macro_f1", "has no macro_f1 in its table cell"),
        ("ALTER TABLE run RENAME TO runs", "has no created, protocol in its table run"),
        ("ALTER TABLE cell DROP COLUMN deaths", "has no deaths in its table cell"),
        ("ALTER TABLE cell DROP COLUMN average_precision", "has no average_precision in its table"),
        ("ALTER TABLE cell DROP COLUMN log_loss", "has no log_loss in its table"),
        ("DROP TABLE session", "has no environment, estimators, started in its table session"),
    ],
)
def test_tables_of_another_version_are_refused(script, message, store):
    check_refusal(store.folder, script, message)


def test_a_store_of_the_first_version_without_a_column_is_refused(old_folder):
    check_refusal(old_folder, "ALTER TABLE cell DROP COLUMN auc", "has no auc in its table cell")
    assert version(old_folder / stores.FILE_NAME) == 0


def check_refusal(folder, script, message):
    execute(folder / stores.FILE_NAME, script)
    for use in (Store.open, lambda folder: Store.create(folder, PROTOCOL)):
        with pytest.raises(ValueError, match=message) as raised:
            use(folder)
        assert str(folder / stores.FILE_NAME) in str(raised.value)


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM run",
        "UPDATE run SET protocol = '{'",
        "UPDATE run SET protocol = '[1]'",
        "UPDATE run SET protocol = json_remove(protocol, '$.seed')",
        "UPDATE run SET protocol = json_set(protocol, '$.more', 1)",
        "UPDATE run SET protocol = json_set(protocol, '$.folds', 3)",
        "UPDATE run SET protocol = json_set(protocol, '$.folds.a', 3)",
        "UPDATE run SET protocol = json_set(protocol, '$.folds', json('{}'))",
        "UPDATE run SET protocol = json_set(protocol, '$.methods', 'm')",
        "UPDATE run SET protocol = json_set(protocol, '$.methods', json('[]'))",
        "UPDATE run SET protocol = json_set(protocol, '$.n_trials', 1.5)",
        "UPDATE run SET protocol = json_set(protocol, '$.seed', 'x')",
        "UPDATE run SET protocol = json_set(protocol, '$.left_out', 3)",
    ],
)
def test_a_protocol_that_cannot_be_read_is_refused(change, store):
    with claim_cell(store, PROTOCOL.cells()[0], 0):
        execute(store.path, change)
    for use in (lambda: store.protocol(), lambda: Store.create(store.folder, PROTOCOL)):
        with pytest.raises(ValueError, match=r"has no protocol that can be read .* restore a copy"):
            use()


def test_an_environment_that_cannot_be_read_is_refused(store):
    store.begin_session({"numpy": "2"}, {})
    execute(store.path, "UPDATE session SET environment = '{'")
    with pytest.raises(ValueError, match="has an environment that can't be read"):
        store.environments()


def test_the_database_of_another_program_is_refused_and_not_changed(tmp_path):
    path = tmp_path / stores.FILE_NAME
    execute(path, "CREATE TABLE notes (text)")
    check_refusal(tmp_path, "INSERT INTO notes VALUES (1)", "has no .* in its table run")
    with contextlib.closing(sqlite3.connect(path)) as database:
        tables = database.execute("SELECT name FROM sqlite_master").fetchall()
    assert tables == [("notes",)]


# ---------------------------------------------------------------- errors of SQLite


USES = {
    "create": lambda store: Store.create(store.folder, PROTOCOL),
    "open": lambda store: Store.open(store.folder),
    "read": lambda store: store.cells(),
    "write": lambda store: store.forget_failures(),
    "claim": lambda store: claim_cell(store, PROTOCOL.cells()[0], 0),
}


class RefusingConnection:
    """Stands for a connection on a disk that refuses every statement."""

    def __init__(self, error):
        self.error = error

    def execute(self, *arguments):
        raise self.error

    def close(self):
        pass


def sqlite_error(name):
    error = sqlite3.OperationalError("refused")
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("SQLITE_FULL", "free some space there, then resume the run; no finished cell is lost"),
        ("SQLITE_IOERR_WRITE", "check the disk"),
        ("SQLITE_READONLY_DIRECTORY", "make the file and its folder writable"),
        ("SQLITE_CANTOPEN", "check that its folder exists"),
        ("SQLITE_BUSY", "another process holds it"),
        ("SQLITE_CORRUPT", "the file is damaged; restore a copy"),
        ("SQLITE_ERROR", "written by another version of skimbal"),
        ("", "written by another version of skimbal"),
    ],
)
@pytest.mark.parametrize("use", USES)
def test_an_error_of_sqlite_names_the_file_and_what_to_do(use, name, advice, store, monkeypatch):
    connection = RefusingConnection(sqlite_error(name))
    monkeypatch.setattr(stores, "connect", lambda *arguments, **options: connection)
    with pytest.raises(OSError, match=rf"{store.path} can't be used \(refused\); .*{advice}"):
        USES[use](store)


def overwrite(store):
    store.path.write_bytes(b"no database, however long it may be" * 9)


def cut(store):
    store.path.write_bytes(store.path.read_bytes()[:5000])


def remove_folder(store):
    shutil.rmtree(store.folder)


def remove_file(store):
    store.path.unlink()


def put_a_folder_in_place(store):
    store.path.unlink()
    store.path.mkdir()


@pytest.mark.parametrize("use", ["read", "write", "claim"])
@pytest.mark.parametrize(
    "damage", [overwrite, cut, remove_folder, remove_file, put_a_folder_in_place]
)
def test_a_damaged_store_is_an_error_of_one_line(damage, use, store):
    damage(store)
    with pytest.raises(OSError, match=r"results\.sqlite can't be used .*; ") as raised:
        USES[use](store)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("use", ["create", "open"])
@pytest.mark.parametrize("damage", [overwrite, cut])
def test_a_damaged_store_is_not_opened(damage, use, store):
    damage(store)
    with pytest.raises((OSError, ValueError), match=r"results\.sqlite .*damaged.*; restore a copy"):
        USES[use](store)


def test_flipped_bits_are_refused_or_harmless(store):
    for cell in PROTOCOL.cells():
        with claim_cell(store, cell, 5) as claim:
            claim.finish("failed", {"error": "x" * 200, "support": "[4, 1]"})
    content, right = store.path.read_bytes(), store.cells()
    rng = np.random.default_rng(0)
    n_harmless = 0
    for position in rng.integers(len(content), size=150):
        damaged = bytearray(content)
        damaged[position] ^= 1 << rng.integers(8)
        store.path.write_bytes(damaged)
        try:
            opened = Store.open(store.folder)
            opened.protocol()
            found = opened.cells()
        except (OSError, ValueError) as error:
            assert "results.sqlite" in str(error)  # noqa: PT017 - some bits have no meaning
            continue
        keys = ["dataset", "method", "fold", "trial"]
        assert found[keys].equals(right[keys])
        n_harmless += 1
    assert n_harmless > 0


def test_a_lock_in_a_removed_folder_is_an_error_of_one_line(tmp_path):
    with pytest.raises(OSError, match=r"x\.lock can't be used .* check that its folder exists"):
        Lock(tmp_path / "gone" / "x.lock")


def test_a_name_that_is_no_text_is_an_error_of_one_line(store):
    content = store.path.read_bytes()
    assert content.count(b"dataset TEXT") == 1
    store.path.write_bytes(content.replace(b"dataset TEXT", b"data\xccet TEXT"))
    with pytest.raises(OSError, match=r"results\.sqlite can't be used .*; the file is damaged"):
        Store.open(store.folder)


def test_a_broken_constraint_stays_what_it_is(store):
    with pytest.raises(sqlite3.IntegrityError), store.transaction() as database:
        database.execute("INSERT INTO run VALUES (NULL, NULL)")
    assert store.protocol() == PROTOCOL
