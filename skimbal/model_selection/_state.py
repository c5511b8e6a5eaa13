"""What a search has done so far, and the file that it can go on from."""

import os
import pickle
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import joblib
import numpy as np

FORMAT = 3


@dataclass
class Progress:
    """How far the search of one space is.

    Attributes
    ----------
    space : SearchSpace
        The space.
    optimizer : object with `ask` and `tell`
        Minimises over the unit cube.
    index : int
        Place of the space among those of the search.
    n_batches, n_proposed : int
        Batches done, and points asked for in them, duplicates too.
    n_without_gain, n_without_new : int
        Batches since the best loss became better, and since one had a new candidate.
    best_loss : float
        The lowest loss, inf before the first finite one.
    seen : dict
        Bytes of a point -> index of its candidate.
    """

    space: Any
    optimizer: Any
    index: int = 0
    n_batches: int = 0
    n_proposed: int = 0
    n_without_gain: int = 0
    n_without_new: int = 0
    best_loss: float = np.inf
    seen: dict = field(default_factory=dict)

    @property
    def is_exhausted(self):
        """Whether every point of the space is evaluated."""
        return len(self.seen) >= self.space.n_points

    def tell(self, points, losses):
        """Hand the losses of a batch to the optimiser and count."""
        self.optimizer.tell(points, losses)
        self.n_batches += 1
        self.n_proposed += len(points)
        best = float(np.min(losses))
        self.n_without_gain = 0 if best < self.best_loss else self.n_without_gain + 1
        self.best_loss = min(self.best_loss, best)


@dataclass
class SearchState:
    """What a search has done.

    Attributes
    ----------
    fingerprint : dict
        Digests of all that the results depend on, by name.
    estimator : estimator
        What candidates are clones of, with `ClassWeights` in place.
    seed : int or None
        Seeds every `random_state` that a candidate leaves open.
    splits : list of (train, test)
        The one list of splits.
    progresses : list of Progress
        One for each space.
    params : list of dict
        The candidates evaluated, in order.
    outcomes : list of Outcome
        What became of them.
    batches : list of int
        The batch of each candidate, counted from 0.
    n_batches : int
        Batches done, of all spaces.
    n_repeated : int
        Proposals that had been evaluated before.
    """

    fingerprint: dict
    estimator: Any
    seed: int | None
    splits: list
    progresses: list
    params: list = field(default_factory=list)
    outcomes: list = field(default_factory=list)
    batches: list = field(default_factory=list)
    n_batches: int = 0
    n_repeated: int = 0

    def add(self, params, outcome):
        """Take the outcome of a candidate of the batch that is under way; returns its index."""
        self.params.append(params)
        self.outcomes.append(outcome)
        self.batches.append(self.n_batches)
        return len(self.params) - 1


def digest(value):
    """A text that is the same for equal values, in any process."""
    try:
        return joblib.hash(value)
    except Exception:  # what can't be pickled, such as a lambda, goes by its name
        return (
            f"{type(value).__module__}.{getattr(value, '__qualname__', type(value).__qualname__)}"
        )


def digests(**parts):
    """Digests of several values, by name."""
    return {name: digest(value) for name, value in parts.items()}


def write_state(path, state):
    """Write a state whole or not at all."""
    path = Path(path)
    handle, temporary = tempfile.mkstemp(dir=path.absolute().parent, prefix=f"{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            pickle.dump((FORMAT, state), file)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_state(path, expected):
    """Return the state in a file, None where there is no file.

    Raises
    ------
    ValueError
        For a folder, for a file that holds no state, and for that of another search; it is left as
        it is.
    """
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"state_file={str(path)!r} is a folder; name a file in it")
    if not path.exists():
        return None
    advice = f"name another state_file, or delete {path} to begin anew"
    try:
        with path.open("rb") as file:
            version, state = pickle.load(file)
    except Exception as error:
        raise ValueError(f"{path} holds no state of a search ({error}); {advice}") from error
    if version != FORMAT or not isinstance(state, SearchState):
        raise ValueError(f"{path} holds no state of a search that this version can read; {advice}")
    differing = [name for name in expected if state.fingerprint.get(name) != expected[name]]
    if differing or set(state.fingerprint) != set(expected):
        raise ValueError(
            f"{path} holds the state of another search: it differs in {', '.join(differing)}; "
            f"{advice}"
        )
    return state
