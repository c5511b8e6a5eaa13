"""Where cells run: checks of the options and of the address of a scheduler.

The standard library suffices, so that the command line answers at once.
"""

import contextlib
import os
import socket
from urllib.parse import urlsplit

from skimbal._utils._names import unknown_name_message
from skimbal.benchmark._names import BACKENDS

# Seconds in which a scheduler must answer.
ANSWER_S = 5.0
# Bytes; the greeting of a scheduler of dask has some hundred.
MAX_GREETING = 2**20


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


def check_answers(address, backend=None):
    """Raise a ConnectionError if no scheduler answers at an address within seconds.

    Parameters
    ----------
    address : str
    backend : {"dask", "ray"} or None, default=None
        What must listen there; None takes anything. The packages themselves wait for minutes when
        something else listens at the address.

    Raises
    ------
    ConnectionError
        If nothing listens there, or something else than a scheduler.
    ValueError
        If the address has no host or no port.
    """
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
        with socket.create_connection((host, port), timeout=ANSWER_S) as connection:
            is_right = backend is None or _speaks(connection, backend, parts.scheme)
    except OSError as error:
        raise unreachable(address, error) from error
    if not is_right:
        raise unreachable(address, f"what listens there is no scheduler of {backend}")


def _speaks(connection, backend, scheme):
    """Whether the other end begins as a scheduler does; encrypted ones are not asked."""
    if backend == "dask":
        if scheme not in ("", "tcp"):
            return True
        # It begins with the size of its first message, in 8 bytes.
        return 0 < int.from_bytes(_first_bytes(connection, 8), "little") < MAX_GREETING
    if os.environ.get("RAY_USE_TLS", "0").lower() in ("1", "true"):
        return True
    # gRPC is HTTP/2 (RFC 9113, section 3.4): both ends begin with a frame of settings, of type 4.
    connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
    return _first_bytes(connection, 9)[3:4] == b"\x04"


def _first_bytes(connection, n_bytes):
    """What comes first, fewer bytes if there are no more in time."""
    received = b""
    with contextlib.suppress(TimeoutError):
        while len(received) < n_bytes:
            part = connection.recv(n_bytes - len(received))
            if not part:
                break
            received += part
    return received if len(received) == n_bytes else b""


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
