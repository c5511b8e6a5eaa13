"""Whether files stay as they are while they are in use: by their size and time."""

import os
from pathlib import Path


def fingerprint(path):
    """Size in bytes and time of the last change, in ns; of a folder, of all files in it.

    >>> fingerprint("missing") is None
    True
    """
    try:
        if not os.path.isdir(path):
            state = os.stat(path)
            return state.st_size, state.st_mtime_ns
        states = [p.stat() for p in sorted(Path(path).rglob("*")) if p.is_file()]
    except FileNotFoundError:
        return None
    return sum(s.st_size for s in states), max((s.st_mtime_ns for s in states), default=0)


def check_unchanged(path, before):
    """Raise a ValueError if a file has another size, or another time, than before."""
    now = fingerprint(path)
    if now == before:
        return
    if now is None or before is None:
        what = "it is gone" if now is None else "it was not there"
    elif now[0] != before[0]:
        what = f"it had {before[0]} bytes and has {now[0]}"
    else:
        what = "it was written to, and has as many bytes as before"
    raise ValueError(
        f"{path} has changed while its rows were in use: {what}. Open it again, as a new "
        "ChunkedTable or memory map, when no other program writes to it"
    )
