"""The results of a run in one SQLite file, safe against kills and against a second runner.

Each cell is claimed (`_claims.py`) and finished in a transaction of its own.
"""

import contextlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from skimbal.benchmark._names import METRICS
from skimbal.benchmark._protocol import Protocol
from skimbal.benchmark._sqlite import connect, sqlite_errors

FILE_NAME = "results.sqlite"
RESULT_COLUMNS = {
    **dict.fromkeys(METRICS, "REAL"),
    **dict.fromkeys(("confusion", "support"), "TEXT"),
    "log_loss": "REAL",
    **dict.fromkeys(("fit_seconds", "fit_cpu_seconds", "predict_seconds", "fit_mib"), "REAL"),
    "n_warnings": "INTEGER",
    **dict.fromkeys(("warnings", "error", "finished"), "TEXT"),
}
# The version is in the header of the file (PRAGMA user_version); the first one left it at 0.
SCHEMA_VERSION = 5
# Columns of the table of cells that a version added: how often a cell was claimed, and how often
# its worker died while the runner lived; the average precision; that of the rarest class, the log
# loss and the processor time; the memory of the fit, and when the cell was finished.
_ADDED = {
    2: {"attempts": "INTEGER NOT NULL DEFAULT 0", "deaths": "INTEGER NOT NULL DEFAULT 0"},
    3: {"average_precision": "REAL"},
    4: dict.fromkeys(("rare_average_precision", "log_loss", "fit_cpu_seconds"), "REAL"),
    5: {"fit_mib": "REAL", "finished": "TEXT"},
}
_LATER = {name for names in _ADDED.values() for name in names}
_FIRST_RESULTS = {name: kind for name, kind in RESULT_COLUMNS.items() if name not in _LATER}
_FIRST_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS run (protocol TEXT NOT NULL, created TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS session (
    started TEXT NOT NULL, environment TEXT NOT NULL, estimators TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS cell (
    dataset TEXT, method TEXT, fold INTEGER, trial INTEGER,
    status TEXT NOT NULL CHECK (status IN ('claimed', 'done', 'failed')),
    owner TEXT NOT NULL, seed INTEGER NOT NULL,
    {", ".join(f"{name} {kind}" for name, kind in _FIRST_RESULTS.items())},
    PRIMARY KEY (dataset, method, fold, trial));
"""
_COLUMNS = {
    "run": {"protocol", "created"},
    "session": {"started", "environment", "estimators"},
    "cell": {"dataset", "method", "fold", "trial", "status", "owner", "seed", *_FIRST_RESULTS},
}
IS_FINISHED = "status IN ('done', 'failed')"


class Store:
    """The results file of one output folder.

    Parameters
    ----------
    folder : path
        The output folder. Use `create` or `open`, which check it.
    """

    def __init__(self, folder):
        self.folder = Path(os.path.realpath(folder))  # `resolve` raises for a loop of links
        self.path = self.folder / FILE_NAME

    @classmethod
    def create(cls, folder, protocol):
        """The store of `folder`, made or migrated if needed; ValueError if it holds another run."""
        store = cls(folder)
        try:
            store.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OSError(
                f"the output folder can't be made ({error}); give a folder that can be written"
            ) from error
        with store.transaction("rwc") as database:
            version = _version(store.path, database)
            if database.execute("SELECT 1 FROM sqlite_master").fetchone() is not None:
                _check_tables(store.path, database, version)
            if version < SCHEMA_VERSION:
                for statement in (*_FIRST_SCHEMA.split(";"), *_migration(version)):
                    database.execute(statement)
            row = database.execute("SELECT protocol FROM run").fetchone()
            if row is None and database.execute("SELECT 1 FROM cell").fetchone() is None:
                database.execute("INSERT INTO run VALUES (?, ?)", (protocol.to_json(), now()))
                return store
        if differences := protocol.differences(store.protocol()):
            raise ValueError(
                f"{folder} holds a run with another protocol: {'; '.join(differences)}. Use "
                "another output folder, or resume that run with its own protocol"
            )
        return store

    @classmethod
    def open(cls, folder):
        """The store of `folder`; ValueError if it does not exist or is another version's."""
        store = cls(folder)
        if not store.path.is_file():
            raise ValueError(
                f"{folder} has no {FILE_NAME}, so there is no run to resume or to report; give the "
                "output folder of a run"
            )
        with store.connection() as database:
            _check_tables(store.path, database, _version(store.path, database))
        return store

    @contextlib.contextmanager
    def connection(self, mode="rw"):
        """A connection to the file; an error of SQLite is an OSError that says what to do."""
        with (
            sqlite_errors(self.path),
            contextlib.closing(connect(self.path, mode, timeout=60)) as database,
        ):
            yield database

    @contextlib.contextmanager
    def transaction(self, mode="rw"):
        """A connection whose statements take effect together, or not at all after an error."""
        with self.connection(mode) as database:
            database.execute("BEGIN IMMEDIATE")
            yield database
            database.execute("COMMIT")

    def read(self, query, values=()):
        """The answer to a query as a DataFrame."""
        with self.connection() as database:
            cursor = database.execute(query, values)
            names = [column[0] for column in cursor.description]
            return pd.DataFrame.from_records(cursor.fetchall(), columns=names, coerce_float=True)

    def protocol(self):
        """The protocol of the run; ValueError if the file has none that this version knows."""
        texts = self.read("SELECT protocol FROM run").protocol
        try:
            return Protocol.from_json(texts.iloc[0])
        except (IndexError, TypeError, ValueError) as error:
            raise _unusable(self.path, f"has no protocol that can be read ({error})") from error

    def begin_session(self, environment, estimators):
        """Record that a runner started, its environment and the parameters of its methods."""
        row = (now(), json.dumps(environment), json.dumps(estimators))
        with self.transaction() as database:
            database.execute("INSERT INTO session VALUES (?, ?, ?)", row)

    def environments(self):
        """The different environments of all runners, oldest first."""
        texts = self.read("SELECT environment FROM session ORDER BY started").environment
        try:
            return [dict(json.loads(text)) for text in texts.drop_duplicates()]
        except (TypeError, ValueError) as error:
            raise _unusable(self.path, "has an environment that can't be read") from error

    def cells(self):
        """The finished cells as a DataFrame, one row for each, in a fixed order.

        A column that the version of the file does not have is empty.
        """
        existing = set(self.read("PRAGMA table_info(cell)")["name"])
        results = [name if name in existing else f"NULL AS {name}" for name in RESULT_COLUMNS]
        columns = ", ".join(["dataset, method, fold, trial, status, seed", *results])
        return self.read(
            f"SELECT {columns} FROM cell WHERE {IS_FINISHED} ORDER BY dataset, trial, fold, method"
        )

    def n_finished(self):
        """Number of cells that are done or failed."""
        return int(self.read(f"SELECT COUNT(*) AS n FROM cell WHERE {IS_FINISHED}").n.iloc[0])

    def forget(self, cells):
        """Remove cells, given as (dataset, method, fold, trial), so that they run again."""
        with self.transaction() as database:
            database.executemany(
                "DELETE FROM cell WHERE dataset IS ? AND method IS ? AND fold IS ? AND trial IS ?",
                cells,
            )

    def forget_failures(self):
        """Remove the failed cells, so that they run again."""
        with self.transaction() as database:
            database.execute("DELETE FROM cell WHERE status = 'failed'")


def _migration(version):
    """Statements that bring the tables of a version up to date."""
    for number, columns in _ADDED.items():
        if number > version:
            for name, kind in columns.items():
                yield f"ALTER TABLE cell ADD COLUMN {name} {kind}"
    yield f"PRAGMA user_version = {SCHEMA_VERSION}"


def _version(path, database):
    """Version of the tables; ValueError if a newer version of skimbal has written them."""
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        raise ValueError(
            f"{path} has version {version}, but this version of skimbal knows {SCHEMA_VERSION} at "
            "most; update skimbal, or use another output folder"
        )
    return version


def _check_tables(path, database, version):
    """Raise a ValueError if the file is damaged, or if a table lacks a column."""
    (found,) = database.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise _unusable(path, f"is damaged ({' '.join(found.split())})")
    added = {name for number, names in _ADDED.items() if number <= version for name in names}
    for table, columns in _COLUMNS.items():
        existing = {row[1] for row in database.execute(f"PRAGMA table_info({table})")}
        if missing := (columns | (added if table == "cell" else set())) - existing:
            raise _unusable(path, f"has no {', '.join(sorted(missing))} in its table {table}")


def _unusable(path, reason):
    return ValueError(
        f"{path} {reason}, so it is damaged or another version of skimbal has written it; restore "
        "a copy of it, or use another output folder"
    )


def now():
    """The time as text, in UTC, with microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds")
