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
        """One phrase for each field in which the stored protocol `there` differs from this one."""
        here, stored = asdict(self), asdict(there)
        return [
            f"{name} is {_short(stored[name], here[name])} there and "
            f"{_short(here[name], stored[name])} here"
            for name in here
            if here[name] != stored[name]
        ]


def _short(value, other):
    """The part of `value` that differs from `other`, for an error of one line."""
    if isinstance(value, dict):
        value = {key: item for key, item in value.items() if other.get(key) != item}
    text = json.dumps(value)
    return text if len(text) <= 200 else text[:197] + "..."


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
