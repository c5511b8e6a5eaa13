"""SQLite files: connections, and errors that name the file and say what to do."""

import contextlib
import sqlite3

# Prefixes of SQLite's names of errors. Nothing that was committed is lost by any of them.
_ADVICE = {
    "SQLITE_FULL": "free some space there, then resume the run; no finished cell is lost",
    "SQLITE_IOERR": "check the disk and its free space, then resume the run",
    "SQLITE_READONLY": "make the file and its folder writable, or copy the folder to another place",
    "SQLITE_CANTOPEN": "check that its folder exists and is writable, and that it is no folder",
    "SQLITE_PERM": "make the file readable and writable",
    "SQLITE_BUSY": "another process holds it; try again when that process has ended",
    "SQLITE_CORRUPT": "the file is damaged; restore a copy of it, or use another output folder",
    "SQLITE_NOTADB": "the file is damaged; restore a copy of it, or use another output folder",
}
_OTHER_ADVICE = (
    "the file is damaged or was written by another version of skimbal; restore a copy of it, or "
    "use another output folder"
)


def connect(path, mode, timeout=0):
    """A connection in autocommit mode; `mode` is that of SQLite's URIs, such as "rw" or "rwc"."""
    return sqlite3.connect(
        f"{path.as_uri()}?mode={mode}", uri=True, timeout=timeout, isolation_level=None
    )


@contextlib.contextmanager
def sqlite_errors(path):
    """Raise an error of SQLite as an OSError that names the file and says what to do.

    A broken constraint is an error of the caller and stays what it is.
    """
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except (sqlite3.Error, UnicodeDecodeError) as error:  # the latter if a name is no text
        name = getattr(error, "sqlite_errorname", "")
        advice = (text for prefix, text in _ADVICE.items() if name.startswith(prefix))
        raise OSError(f"{path} can't be used ({error}); {next(advice, _OTHER_ADVICE)}") from error
