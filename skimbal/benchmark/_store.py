"""The results of a run in one SQLite file, safe against kills and against a second runner.

Each cell is claimed and finished in a transaction of its own. A claim names a lock file that its
owner keeps locked (through SQLite, so wherever the results file itself is safe to share); the
operating system drops the lock when the owner ends, however it ends, and the claim with it.
"""

import contextlib
import json
import sqlite3
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from skimbal.benchmark._protocol import Cell, Protocol

FILE_NAME = "results.sqlite"
METRICS = ("g_mean", "accuracy", "balanced_accuracy", "macro_f1", "auc")
RESULT_COLUMNS = {
    **dict.fromkeys(METRICS, "REAL"),
    "confusion": "TEXT",
    "support": "TEXT",
    "fit_seconds": "REAL",
    "predict_seconds": "REAL",
    "n_warnings": "INTEGER",
    "warnings": "TEXT",
    "error": "TEXT",
}
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS run (protocol TEXT NOT NULL, created TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS session (
    started TEXT NOT NULL, environment TEXT NOT NULL, estimators TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS cell (
    dataset TEXT, method TEXT, fold INTEGER, trial INTEGER,
    status TEXT NOT NULL CHECK (status IN ('claimed', 'done', 'failed')),
    owner TEXT NOT NULL, seed INTEGER NOT NULL,
    {", ".join(f"{name} {kind}" for name, kind in RESULT_COLUMNS.items())},
    PRIMARY KEY (dataset, method, fold, trial));
"""
IS_CELL = "dataset = ? AND method = ? AND fold = ? AND trial = ?"


class Lock:
    """A file that stays locked until it is released or this process ends."""

    def __init__(self, path):
        self.path = path
        self._connection = _connect(path, "rwc")
        _lock(self._connection)

    def release(self):
        """Unlock and remove the file."""
        self._connection.close()
        self.path.unlink(missing_ok=True)


def is_locked(path):
    """Whether a living process holds the lock file `path`."""
    try:
        with contextlib.closing(_connect(path, "rw")) as probe:
            _lock(probe)
    except sqlite3.OperationalError as error:  # locked, or gone: its owner released it
        return "locked" in str(error)
    return False


def _connect(path, mode):
    return sqlite3.connect(
        f"{path.as_uri()}?mode={mode}", uri=True, timeout=0, isolation_level=None
    )


def _lock(connection):
    connection.execute("PRAGMA journal_mode = MEMORY")  # no second file: nothing is ever written
    connection.execute("BEGIN EXCLUSIVE")


class Store:
    """The results file of one output folder.

    Parameters
    ----------
    folder : path
        The output folder; use `create` or `open`, which check it.
    """

    def __init__(self, folder):
        self.folder = Path(folder).resolve()

    @classmethod
    def create(cls, folder, protocol):
        """The store of `folder`, made if there is none; ValueError if it holds another run."""
        store = cls(folder)
        store.folder.mkdir(parents=True, exist_ok=True)
        with store._transaction() as database:
            for statement in SCHEMA.split(";"):
                database.execute(statement)
            row = database.execute("SELECT protocol FROM run").fetchone()
            if row is None:
                database.execute("INSERT INTO run VALUES (?, ?)", (protocol.to_json(), _now()))
                return store
        if differences := protocol.differences(Protocol.from_json(row[0])):
            raise ValueError(
                f"{folder} holds a run with another protocol: {'; '.join(differences)}. Use "
                "another output folder, or resume that run as it was"
            )
        return store

    @classmethod
    def open(cls, folder):
        """The store of `folder`; ValueError if there is none."""
        store = cls(folder)
        if not (store.folder / FILE_NAME).is_file():
            raise ValueError(
                f"{folder} has no {FILE_NAME}, so there is no run to go on with or to report; "
                "give the folder that was the output folder of a run"
            )
        return store

    def _connection(self):
        path = self.folder / FILE_NAME
        return contextlib.closing(sqlite3.connect(path, timeout=60, isolation_level=None))

    @contextlib.contextmanager
    def _transaction(self):
        with self._connection() as database:
            database.execute("BEGIN IMMEDIATE")
            yield database
            database.execute("COMMIT")

    def _rows(self, query):
        with self._connection() as database:
            return pd.read_sql_query(query, database)

    def protocol(self):
        """The protocol of the run."""
        return Protocol.from_json(self._rows("SELECT protocol FROM run").protocol.iloc[0])

    def begin_session(self, environment, estimators):
        """Record that a runner started to work, its versions and its methods' parameters."""
        row = (_now(), json.dumps(environment), json.dumps(estimators))
        with self._transaction() as database:
            database.execute("INSERT INTO session VALUES (?, ?, ?)", row)

    def environments(self):
        """The different environments that runners worked in, oldest first."""
        texts = self._rows("SELECT environment FROM session ORDER BY started").environment
        return [json.loads(text) for text in texts.drop_duplicates()]

    def claim(self, cell, seed):
        """Claim `cell` for this process.

        Returns
        -------
        Claim or None
            None when the cell is finished or a living process holds it.
        """
        with self._connection() as database:  # most cells are taken; find out at little cost
            if not self._is_free(database, cell):
                return None
        lock = Lock(self.folder / f"claim-{uuid.uuid4().hex}.lock")
        try:
            with self._transaction() as database:
                if not self._is_free(database, cell):
                    lock.release()
                    return None
                database.execute(
                    "INSERT OR REPLACE INTO cell"
                    " (dataset, method, fold, trial, status, owner, seed)"
                    " VALUES (?, ?, ?, ?, 'claimed', ?, ?)",
                    (*cell, lock.path.name, seed),
                )
        except BaseException:
            lock.release()
            raise
        return Claim(self, cell, lock)

    def _is_free(self, database, cell):
        query = f"SELECT status, owner FROM cell WHERE {IS_CELL}"
        row = database.execute(query, cell).fetchone()
        if row is None:
            return True
        status, owner = row
        return status == "claimed" and not is_locked(self.folder / owner)

    def finish(self, cell, status, values):
        """Write the result of a claimed cell; `values` has keys of `RESULT_COLUMNS`."""
        columns = ", ".join(f"{name} = ?" for name in values)
        with self._transaction() as database:
            database.execute(
                f"UPDATE cell SET status = ?, {columns} WHERE {IS_CELL}",
                (status, *values.values(), *cell),
            )

    def finished(self):
        """The set of cells that are done or failed."""
        rows = self._rows(
            "SELECT dataset, method, fold, trial FROM cell WHERE status IN ('done', 'failed')"
        )
        return {Cell(*row) for row in rows.itertuples(index=False)}

    def n_finished(self):
        """Number of cells that are done or failed."""
        rows = self._rows("SELECT COUNT(*) AS n FROM cell WHERE status IN ('done', 'failed')")
        return int(rows.n.iloc[0])

    def forget_failures(self):
        """Make the failed cells open again."""
        with self._transaction() as database:
            database.execute("DELETE FROM cell WHERE status = 'failed'")

    def remove_locks(self):
        """Remove the lock files that killed processes left; right only when no cell is open."""
        for path in self.folder.glob("claim-*.lock"):
            path.unlink(missing_ok=True)

    def cells(self):
        """The finished cells as a DataFrame, one row each, in a fixed order."""
        columns = ", ".join(["dataset, method, fold, trial, status, seed", *RESULT_COLUMNS])
        return self._rows(
            f"SELECT {columns} FROM cell WHERE status IN ('done', 'failed') "
            "ORDER BY dataset, trial, fold, method"
        )


class Claim:
    """A claimed cell: finish it, and leave the ``with`` block to give up the claim."""

    def __init__(self, store, cell, lock):
        self._store, self._cell, self._lock = store, cell, lock

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._lock.release()

    def finish(self, status, values):
        """Write the result of the cell."""
        self._store.finish(self._cell, status, values)


def _now():
    return datetime.now(UTC).isoformat(timespec="microseconds")
