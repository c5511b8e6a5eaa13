"""Claims: which process runs which cell of a results file.

A claim names a lock file that its owner keeps locked. The lock is one of SQLite, so it works
wherever the results file itself can be shared. When the owner ends for any reason, the operating
system releases the lock, and the claim ends. The cell of a dead worker stays taken until its
runner has counted the death and frees the cell, or until that runner is dead, too. Otherwise
another worker could take the cell first, and the death would be lost.
"""

import contextlib
import re
import sqlite3
import uuid

from skimbal.benchmark._protocol import Cell
from skimbal.benchmark._sqlite import connect, sqlite_errors
from skimbal.benchmark._store import now

_IS_CELL = "dataset = ? AND method = ? AND fold = ? AND trial = ?"
_IS_HELD = "status = 'claimed' AND owner LIKE ?"
_CLAIM = (
    "INSERT INTO cell (dataset, method, fold, trial, status, owner, seed, attempts)"
    " VALUES (?, ?, ?, ?, 'claimed', ?, ?, 1)"
    " ON CONFLICT (dataset, method, fold, trial) DO UPDATE SET status = 'claimed',"
    " owner = excluded.owner, seed = excluded.seed, attempts = attempts + 1"
)
# claim-RUNNER-WORKER-x.lock or runner-x.lock; the folder may have lock files of other programs.
_LOCK_NAME = re.compile(r"(claim|runner)-((?P<runner>\w+)-)?(\w+-)?[0-9a-f]{32}\.lock")


class Lock:
    """A file that stays locked until it is released or this process ends."""

    def __init__(self, path):
        self.path = path
        with sqlite_errors(path):
            self._connection = connect(path, "rwc")
            try:
                _lock(self._connection)
            except sqlite3.Error:
                self._connection.close()
                raise

    def release(self):
        """Unlock and remove the file."""
        self._connection.close()
        self.path.unlink(missing_ok=True)


def runner_lock(store, runner):
    """The lock that says that a runner is alive."""
    return Lock(_runner_path(store.folder, runner))


def _runner_path(folder, runner):
    return folder / f"runner-{runner}.lock"


def is_locked(path):
    """Whether a living process holds the lock file `path`.

    The file is only read: that of another user may be read-only, and two probes of one file must
    not take each other for its owner.
    """
    try:
        with contextlib.closing(connect(path, "ro")) as probe:
            probe.execute("SELECT name FROM sqlite_master").fetchall()
    except sqlite3.Error as error:  # locked, or removed because its owner released it
        return "locked" in str(error)
    return False


def has_runner(store):
    """Whether a living process runs cells of the run: each runner holds a lock file."""
    return any(
        _LOCK_NAME.fullmatch(path.name) and is_locked(path) for path in store.folder.glob("*.lock")
    )


def _lock(connection):
    connection.execute("PRAGMA journal_mode = MEMORY")  # no second file: nothing is ever written
    connection.execute("BEGIN EXCLUSIVE")


class Claim:
    """A claimed cell. Leave its ``with`` block to give up the claim."""

    def __init__(self, store, cell, seed, lock):
        self.cell, self.seed = cell, seed
        self._store, self._lock = store, lock

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._lock.release()

    def finish(self, status, values):
        """Write the result of the cell; `values` has keys of `RESULT_COLUMNS`."""
        finish_cell(self._store, self.cell, status, values)


def finish_cell(store, cell, status, values):
    """Write the result of a cell that this process, or a dead worker of it, has claimed."""
    finish_cells(store, [(cell, status, values)])


def finish_cells(store, results):
    """Write the results of cells, given as (cell, status, values), all of them or none."""
    with store.transaction() as database:
        for cell, status, values in results:
            values = {**values, "finished": now()}
            columns = ", ".join(f"{name} = ?" for name in values)
            database.execute(
                f"UPDATE cell SET status = ?, {columns} WHERE {_IS_CELL}",
                (status, *values.values(), *cell),
            )


def claim_cell(store, cell, seed, worker="runner"):
    """Claim a cell for this process, and count the attempt.

    The name of a worker begins with the name of its runner and a hyphen.

    Returns
    -------
    Claim or None
        None if the cell is finished, if a living process holds it, or if the worker that held it
        is dead and its runner has not freed the cell.
    """
    with store.connection() as database:  # most cells are taken, and this check is cheap
        if not _is_free(database, store.folder, cell):
            return None
    with contextlib.ExitStack() as stack:
        lock = Lock(store.folder / f"claim-{worker}-{uuid.uuid4().hex}.lock")
        stack.callback(lock.release)
        with store.transaction() as database:
            if not _is_free(database, store.folder, cell):
                return None
            database.execute(_CLAIM, (*cell, lock.path.name, seed))
        stack.pop_all()  # the claim keeps the lock
        return Claim(store, cell, seed, lock)


def claim_for(store, cells, seeds, worker):
    """Claim cells for a worker on another machine, and count the attempt.

    No lock file is made. The claims last until the cells are finished or freed, or until the runner
    ends, by whose name the name of the worker begins.

    Returns
    -------
    list of Cell
        Those that were free.
    """
    owner = f"claim-{worker}-{uuid.uuid4().hex}.lock"
    claimed = []
    with store.transaction() as database:
        for cell, seed in zip(cells, seeds, strict=True):
            if _is_free(database, store.folder, cell):
                database.execute(_CLAIM, (*cell, owner, seed))
                claimed.append(cell)
    return claimed


def give_up(store, worker):
    """Free the cells of a worker that did not try them; the attempt does not count."""
    with store.transaction() as database:
        database.execute(
            f"UPDATE cell SET owner = '', attempts = attempts - 1 WHERE {_IS_HELD}",
            [f"claim-{worker}-%"],
        )


def attempts(store, cells):
    """How often each of the unfinished cells of one data set and method was claimed, as a dict."""
    query = "SELECT fold, trial, attempts FROM cell WHERE status = 'claimed'"
    found = store.read(f"{query} AND dataset = ? AND method = ?", cells[0][:2])
    counts = {(row.fold, row.trial): row.attempts for row in found.itertuples()}
    return {cell: counts.get((cell.fold, cell.trial), 0) for cell in cells}


def count_death(store, worker):
    """Count the death of a worker for the cells that it held; they stay taken.

    Returns
    -------
    dict of Cell to int
        The deaths of each of these cells.
    """
    owner = [f"claim-{worker}-%"]
    with store.transaction() as database:
        database.execute(f"UPDATE cell SET deaths = deaths + 1 WHERE {_IS_HELD}", owner)
        rows = database.execute(
            f"SELECT dataset, method, fold, trial, deaths FROM cell WHERE {_IS_HELD}", owner
        ).fetchall()
    return {Cell(*row[:4]): row[4] for row in rows}


def free_cells(store, worker):
    """Let other workers claim the cells of a dead worker."""
    with store.transaction() as database:
        database.execute(f"UPDATE cell SET owner = '' WHERE {_IS_HELD}", [f"claim-{worker}-%"])


def _is_free(database, folder, cell):
    query = f"SELECT status, owner FROM cell WHERE {_IS_CELL}"
    row = database.execute(query, cell).fetchone()
    if row is None:
        return True
    status, owner = row
    if status != "claimed":
        return False
    name = _LOCK_NAME.fullmatch(str(owner))
    if name is None:  # the cell was freed, or the file is damaged
        return True
    return not (is_locked(folder / owner) or is_locked(_runner_path(folder, name["runner"])))


def remove_locks(store):
    """Remove the lock files of processes that are dead, and no other files."""
    for path in store.folder.glob("*.lock"):
        if _LOCK_NAME.fullmatch(path.name) and not is_locked(path):
            path.unlink(missing_ok=True)
