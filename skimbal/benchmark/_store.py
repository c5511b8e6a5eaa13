"""The results of a run in one SQLite file, safe against kills and against a second runner.

Each cell is claimed (`_claims.py`) and finished in a transaction of its own.
"""

import contextlib
import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from skimbal.benchmark._protocol import Protocol

FILE_NAME = "results.sqlite"
METRICS = ("g_mean", "accuracy", "balanced_accuracy", "macro_f1", "auc")
RESULT_COLUMNS = {
    **dict.fromkeys(METRICS, "REAL"),
    **dict.fromkeys(("confusion", "support"), "TEXT"),
    **dict.fromkeys(("fit_seconds", "predict_seconds"), "REAL"),
    "n_warnings": "INTEGER",
    **dict.fromkeys(("warnings", "error"), "TEXT"),
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
IS_FINISHED = "status IN ('done', 'failed')"


class Store:
    """The results file of one output folder.

    Parameters
    ----------
    folder : path
        The output folder. Use `create` or `open`, which check it.
    """

    def __init__(self, folder):
        self.folder = Path(folder).resolve()

    @classmethod
    def create(cls, folder, protocol):
        """The store of `folder`, made if it does not exist; ValueError if it holds another run."""
        store = cls(folder)
        store.folder.mkdir(parents=True, exist_ok=True)
        with store.transaction() as database:
            for statement in SCHEMA.split(";"):
                database.execute(statement)
            row = database.execute("SELECT protocol FROM run").fetchone()
            if row is None:
                database.execute("INSERT INTO run VALUES (?, ?)", (protocol.to_json(), _now()))
                return store
        if differences := protocol.differences(Protocol.from_json(row[0])):
            raise ValueError(
                f"{folder} holds a run with another protocol: {'; '.join(differences)}. Use "
                "another output folder, or resume that run with its own protocol"
            )
        return store

    @classmethod
    def open(cls, folder):
        """The store of `folder`; ValueError if it does not exist."""
        store = cls(folder)
        if not (store.folder / FILE_NAME).is_file():
            raise ValueError(
                f"{folder} has no {FILE_NAME}, so there is no run to resume or to report; give the "
                "output folder of a run"
            )
        return store

    @contextlib.contextmanager
    def connection(self):
        """A connection to the file."""
        path = self.folder / FILE_NAME
        with contextlib.closing(
            sqlite3.connect(path, timeout=60, isolation_level=None)
        ) as database:
            yield database

    @contextlib.contextmanager
    def transaction(self):
        """A connection whose statements take effect together, or not at all after an error."""
        with self.connection() as database:
            database.execute("BEGIN IMMEDIATE")
            yield database
            database.execute("COMMIT")

    def read(self, query):
        """The answer to a query as a DataFrame."""
        with self.connection() as database:
            return pd.read_sql_query(query, database)

    def protocol(self):
        """The protocol of the run."""
        return Protocol.from_json(self.read("SELECT protocol FROM run").protocol.iloc[0])

    def begin_session(self, environment, estimators):
        """Record that a runner started, its environment and the parameters of its methods."""
        row = (_now(), json.dumps(environment), json.dumps(estimators))
        with self.transaction() as database:
            database.execute("INSERT INTO session VALUES (?, ?, ?)", row)

    def environments(self):
        """The different environments of all runners, oldest first."""
        texts = self.read("SELECT environment FROM session ORDER BY started").environment
        return [json.loads(text) for text in texts.drop_duplicates()]

    def cells(self):
        """The finished cells as a DataFrame, one row for each, in a fixed order."""
        columns = ", ".join(["dataset, method, fold, trial, status, seed", *RESULT_COLUMNS])
        return self.read(
            f"SELECT {columns} FROM cell WHERE {IS_FINISHED} ORDER BY dataset, trial, fold, method"
        )

    def n_finished(self):
        """Number of cells that are done or failed."""
        return int(self.read(f"SELECT COUNT(*) AS n FROM cell WHERE {IS_FINISHED}").n.iloc[0])

    def forget_failures(self):
        """Remove the failed cells, so that they run again."""
        with self.transaction() as database:
            database.execute("DELETE FROM cell WHERE status = 'failed'")


def _now():
    return datetime.now(UTC).isoformat(timespec="microseconds")
