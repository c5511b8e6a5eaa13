"""The protocol of a run: which cells it has, and the seed of each."""

import json
import zlib
from dataclasses import asdict, dataclass
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
    """All that decides the numbers of a run, as far as it is not the code itself.

    Two runs with equal protocols have the same cells with the same data and seeds.
    """

    suite: str
    methods: list[str]
    folds: dict[str, list[int]]
    n_folds: int
    n_trials: int
    split: str
    seed: int
    fingerprints: dict[str, str]

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
        """The protocol that `to_json` wrote."""
        return cls(**json.loads(text))

    def differences(self, there):
        """Phrases that say in what the stored protocol `there` differs; empty for the same run.

        The order of the methods makes no difference.
        """
        names = {"suite": "suite", "n_folds": "folds", "n_trials": "trials", "split": "split"}
        phrases = [
            f"{name} is {getattr(there, field)} there and {getattr(self, field)} here"
            for field, name in {**names, "seed": "seed"}.items()
            if getattr(there, field) != getattr(self, field)
        ]
        phrases += _members("methods", there.methods, self.methods)
        phrases += _members("data sets", there.datasets, self.datasets)
        changed = _changed(there.fingerprints, self.fingerprints)
        phrases += [f"other data than there in {', '.join(changed)}"] if changed else []
        other_folds = _changed(there.folds, self.folds)
        return phrases or [f"other folds than there in {name}" for name in other_folds]


def _members(what, there, here):
    """Phrases for the members that only one of two lists has."""
    pairs = [("there", set(there) - set(here)), ("here", set(here) - set(there))]
    return [f"{what} only {where}: {_short(names)}" for where, names in pairs if names]


def _short(names, n_shown=5):
    shown = ", ".join(sorted(names)[:n_shown])
    return shown if len(names) <= n_shown else f"{shown} and {len(names) - n_shown} more"


def _changed(there, here):
    return [name for name in there if name in here and there[name] != here[name]]


def cell_seed(seed, cell):
    """Seed of the methods in a cell, in [0, 2^31).

    It depends on the run's seed, the data set's name, the fold and the trial only, so that all
    methods share it, and methods or data sets that are added change no other cell.

    >>> cell_seed(0, Cell("ecoli3", "dbn", 1, 0)) == cell_seed(0, Cell("ecoli3", "svm", 1, 0))
    True
    >>> cell_seed(0, Cell("ecoli3", "dbn", 1, 0)) == cell_seed(0, Cell("ecoli3", "dbn", 2, 0))
    False
    """
    entropy = [seed, zlib.crc32(cell.dataset.encode()), cell.trial, cell.fold]
    return int(np.random.SeedSequence(entropy).generate_state(1)[0] >> 1)
