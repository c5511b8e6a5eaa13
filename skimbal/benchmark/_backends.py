"""Where cells run: checks of the options and of the address of a scheduler.

The standard library suffices, so that the command line answers at once.
"""

import socket
from urllib.parse import urlsplit

from skimbal._utils._names import unknown_name_message
from skimbal.benchmark._names import BACKENDS

# Seconds in which a scheduler must answer.
ANSWER_S = 5.0


def check_backend(backend, scheduler, n_jobs):
    """Raise a ValueError if the options for where cells run do not fit together."""
    if backend not in BACKENDS:
        raise ValueError(unknown_name_message("backend", backend, BACKENDS))
    if backend == "processes":
        if scheduler is not None:
            raise ValueError(
                f"scheduler={scheduler!r} needs backend='dask' or 'ray'; the backend 'processes' "
                "runs on this machine"
            )
        return
    if not scheduler:
        example = "tcp://10.0.0.1:8786" if backend == "dask" else "auto"
        raise ValueError(
            f"backend={backend!r} needs the address of a scheduler, such as scheduler={example!r}"
        )
    if n_jobs != 1:
        raise ValueError(
            f"jobs={n_jobs} is not usable with backend={backend!r}, which uses all workers of the "
            "cluster; leave it out"
        )


def check_answers(address):
    """Raise a ConnectionError if nothing listens at an address, a ValueError if it has no port."""
    try:
        parts = urlsplit(address if "//" in address else f"//{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not port:
        raise ValueError(
            f"the scheduler {address!r} is no address; give its host and port, such as "
            "tcp://10.0.0.1:8786"
        )
    try:
        socket.create_connection((host, port), timeout=ANSWER_S).close()
    except OSError as error:
        raise unreachable(address, error) from error


def unreachable(address, error):
    """The error for a scheduler that does not answer."""
    return ConnectionError(
        f"the scheduler {address} can't be reached ({' '.join(str(error).split())}); check the "
        "address, that the scheduler runs, and that no firewall is in between"
    )


def gone(address, reason):
    """The error for a scheduler that has answered before and ends in the middle of a run."""
    return RuntimeError(
        f"the scheduler {address} does not answer any more ({' '.join(str(reason).split())}); the "
        "finished cells are kept; start it and its workers again, then resume the run"
    )
