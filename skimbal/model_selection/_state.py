"""What a search has done so far, and the file from which it can continue."""

import os
import pickle
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

# The first line of a file. The second one is the SHA-256 checksum of the pickle that follows.
HEADER = b"skimbal search state 4\n"


@dataclass
class Candidate:
    """A candidate that has been evaluated.

    Attributes
    ----------
    params : dict
        Its parameters.
    results : list of dict
        Its results, one for each split.
    batch : int
        The batch in which it first came up, counted from 0 over all spaces.
    space_index : int
        Index of its space.
    key : bytes
        Bytes of its point in the unit cube of this space.
    """

    params: dict
    results: list
    batch: int
    space_index: int
    key: bytes


@dataclass
class Progress:
    """How far the search of one space is.

    Attributes
    ----------
    space : SearchSpace
        The space.
    optimizer : object with `ask` and `tell`
        Minimizes over the unit cube.
    index : int
        Index of the space among those of the search.
    n_batches, n_proposed, n_repeated : int
        Batches told, the points in them, and those of the points that had been evaluated before.
    n_without_gain, n_without_new : int
        Batches since the best loss improved, and since one had a new candidate.
    best_loss : float
        The lowest loss; inf before the first finite one.
    """

    space: Any
    optimizer: Any
    index: int = 0
    n_batches: int = 0
    n_proposed: int = 0
    n_repeated: int = 0
    n_without_gain: int = 0
    n_without_new: int = 0
    best_loss: float = np.inf

    def tell(self, points, losses, n_new):
        """Give the optimizer the losses of a batch, of which `n_new` are of new candidates."""
        self.optimizer.tell(points, losses)
        self.n_batches += 1
        self.n_proposed += len(points)
        self.n_repeated += len(points) - n_new
        self.n_without_new = 0 if n_new else self.n_without_new + 1
        self.n_without_gain = 0 if losses.min() < self.best_loss else self.n_without_gain + 1
        self.best_loss = min(self.best_loss, float(losses.min()))


@dataclass
class SearchState:
    """What a search has done.

    Attributes
    ----------
    fingerprint : dict
        Digests of all that the results depend on, by name.
    estimator : estimator
        Candidates are clones of it. It has `ClassWeights` where the search needs them.
    seed : int or None
        Seeds every `random_state` that is None in a candidate.
    splits : list of (train, test)
        The one list of splits.
    progresses : list of Progress
        One for each space.
    candidates : list of Candidate
        The candidates that have been evaluated, in order.
    """

    fingerprint: dict
    estimator: Any
    seed: int | None
    splits: list
    progresses: list
    candidates: list = field(default_factory=list)

    @property
    def best_loss(self):
        """The lowest loss; inf before the first finite one."""
        return min(progress.best_loss for progress in self.progresses)

    def indices_of(self, space_index):
        """Key -> index of the candidates of a space."""
        return {c.key: i for i, c in enumerate(self.candidates) if c.space_index == space_index}


def write_state(path, state):
    """Write a state completely or not at all; a symbolic link is followed.

    Raises
    ------
    OSError
        Where it can't be written; an older file stays as it is.
    ValueError
        If a part of it can't be pickled.
    """
    path = Path(path).resolve()
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    pickled = _pickled(path, state)
    try:
        with temporary.open("wb") as file:
            file.writelines([HEADER, checksum(pickled), pickled])
        os.replace(temporary, path)
    except OSError as error:
        advice = "make room or name another file"
        if state.candidates:
            advice += "; what was done is in the attributes of the search"
        reason = f"the state of the search can't be written ({error.strerror}); {advice}"
        raise OSError(error.errno, reason, str(path)) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _pickled(path, state):
    try:
        return pickle.dumps(state)
    except Exception as error:  # pickle raises what it likes, as does the `__reduce__` of an object
        raise ValueError(
            f"the state of the search can't be written to {path}, because a part of the estimator "
            f"or of the search space can't be pickled ({error}); use functions and classes of a "
            "module instead of local ones, or state_file=None"
        ) from error


def checksum(pickled):
    """The line with the SHA-256 checksum of some bytes."""
    return sha256(pickled).hexdigest().encode() + b"\n"


def load_state(path):
    """Return the state in a file; a ValueError says why there is none. Nothing is run before."""
    with path.open("rb") as file:
        header, expected, pickled = file.readline(), file.readline(), file.read()
    if header != HEADER:
        raise ValueError("its first line is not that of a state which this version can read")
    if checksum(pickled) != expected:
        raise ValueError("its checksum is wrong, so it is cut or damaged")
    state = pickle.loads(pickled)
    if not isinstance(state, SearchState):
        raise ValueError(f"it holds {type(state).__name__}")
    return state


def _exists(path):
    """Whether there is a file; a ValueError where none can be."""
    if path.is_dir():
        raise ValueError(f"state_file={str(path)!r} is a folder; name a file in it")
    if not path.resolve().parent.is_dir():
        raise ValueError(f"state_file={str(path)!r} is in no folder that exists; create it first")
    if path.exists() and not path.is_file():
        raise ValueError(f"state_file={str(path)!r} is a pipe or a device; name a file")
    return path.exists()


def read_state(path, fingerprint):
    """Return the state in a file, or None where there is no file.

    Raises
    ------
    ValueError
        For a folder, a missing folder, a pipe or device, a file without a state, and the state of
        another search; the file is not changed.
    """
    path = Path(path)
    try:
        exists = _exists(path)
    except (OSError, RuntimeError) as error:  # a loop of links, or a name that is too long
        raise ValueError(
            f"state_file={str(path)!r} can't be used ({error}); name another file"
        ) from error
    if not exists:
        return None
    advice = f"name another state_file, or delete {path} to start again"
    try:
        state = load_state(path)
    except Exception as error:
        raise ValueError(f"{path} holds no state of a search: {error}; {advice}") from error
    differing = {name for name, _ in fingerprint.items() ^ state.fingerprint.items()}
    if differing:
        names = ", ".join(sorted(differing))
        raise ValueError(
            f"{path} holds the state of another search: it differs in {names}; {advice}"
        )
    return state
