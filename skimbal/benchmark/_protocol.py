"""The protocol of a run: its cells, and the seed of each cell."""

import json
import zlib
from dataclasses import asdict, dataclass, field
from typing import NamedTuple

import numpy as np


class Cell(NamedTuple):
    """One fit and one evaluation: a data set, a method, a fold and a trial."""

    dataset: str
    method: str
    fold: int
    trial: int


@dataclass(frozen=True)
class Protocol:
    """Everything that decides the numbers of a run, except the code itself.

    Two runs with equal protocols have the same cells with the same data and seeds. `left_out` has
    the methods that the run was given and that can't take its data, each with the reason.
    `method_fingerprints` has a checksum of each method of the user's own. `source` has what the
    command line was given, by which a run on the user's own files is resumed.
    """

    suite: str
    methods: list[str]
    folds: dict[str, list[int]]
    n_folds: int
    n_trials: int
    split: str
    seed: int
    fingerprints: dict[str, str]
    left_out: dict[str, str] = field(default_factory=dict)
    method_fingerprints: dict[str, str] = field(default_factory=dict)
    source: dict = field(default_factory=dict)

    @property
    def datasets(self):
        """Names of the data sets, in the order of the suite."""
        return list(self.folds)

    def cells(self):
        """All cells: data sets in the order of the suite, then trials, folds and methods."""
        return [
            Cell(dataset, method, fold, trial)
            for dataset, folds in self.folds.items()
            for trial in range(self.n_trials)
            for fold in folds
            for method in self.methods
        ]

    def to_json(self):
        """The protocol as a JSON object."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text):
        """The protocol that `to_json` wrote; ValueError if a value is of another kind."""
        protocol = cls(**json.loads(text))
        numbers, texts = ("n_folds", "n_trials", "seed"), ("suite", "split")
        kinds: dict[str, type] = {
            "folds": dict,
            "fingerprints": dict,
            "methods": list,
            "left_out": dict,
            "method_fingerprints": dict,
            "source": dict,
        }
        kinds |= dict.fromkeys(numbers, int) | dict.fromkeys(texts, str)
        values = {name: getattr(protocol, name) for name in kinds}
        wrong = [name for name, kind in kinds.items() if not isinstance(values[name], kind)]
        wrong += [name for name in ("folds", "methods") if not values[name]]
        if not wrong and not all(isinstance(folds, list) for folds in protocol.folds.values()):
            wrong.append("folds")
        if wrong:
            raise ValueError(f"its {wrong[0]} is {values[wrong[0]]!r}")
        return protocol

    def differences(self, stored):
        """Phrases that say how the protocol `stored` in a folder differs; empty for the same run.

        The order of the methods, the methods that are left out and the names of the user's files
        make no difference.
        """
        names = {"suite": "suite", "n_folds": "folds", "n_trials": "trials", "split": "split"}
        phrases = [
            f"{name} is {getattr(stored, field)} in the folder and {getattr(self, field)} here"
            for field, name in {**names, "seed": "seed"}.items()
            if getattr(stored, field) != getattr(self, field)
        ]
        phrases += _members("methods", stored.methods, self.methods)
        phrases += _members("data sets", stored.datasets, self.datasets)
        kinds = {"fingerprints": "data", "folds": "folds", "method_fingerprints": "methods"}
        for what, kind in kinds.items():
            before, now = getattr(stored, what), getattr(self, what)
            names_changed = [name for name in before if name in now and before[name] != now[name]]
            if names_changed:
                phrases.append(f"other {kind} than in the folder for {', '.join(names_changed)}")
        return phrases


def _members(what, stored, own):
    """Phrases for the members that only one of two lists has."""
    pairs = [("in the folder", set(stored) - set(own)), ("here", set(own) - set(stored))]
    return [f"{what} only {where}: {shortened(names)}" for where, names in pairs if names]


def shortened(names, n_shown=5):
    """The first names in their order, and the number of the others."""
    shown = ", ".join(sorted(names)[:n_shown])
    return shown if len(names) <= n_shown else f"{shown} and {len(names) - n_shown} more"


def cell_seed(seed, cell):
    """Seed of the methods in a cell, in [0, 2^31).

    It depends on the run's seed, the data set's name, the fold and the trial only. All methods
    share it, and additional methods or data sets change no other cell.

    >>> cell_seed(0, Cell("ecoli3", "dbn", 1, 0)) == cell_seed(0, Cell("ecoli3", "svm", 1, 0))
    True
    >>> cell_seed(0, Cell("ecoli3", "dbn", 1, 0)) == cell_seed(0, Cell("ecoli3", "dbn", 2, 0))
    False
    """
    entropy = [seed, zlib.crc32(cell.dataset.encode()), cell.trial, cell.fold]
    return int(np.random.SeedSequence(entropy).generate_state(1)[0] >> 1)
