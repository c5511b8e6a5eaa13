"""Two-class problems to choose defaults with: none shares its source with the 58 KEEL sets.

    python tests/performance/development_problems.py --out problems.csv    # lists them

The problems are those of ecs_dbn_defaults.py; more draws of KEEL's standard (not imbalanced) sets
that are there, with another class as the rare one; and draws of four sets with categories, whose
columns are one-hot. A draw is deterministic. It has 20 to 300 rare rows, a ratio of 3 to 40 and at
most 5,000 rows.

Problems of one source are not independent of each other. `source_of` says which these are, so that
a standard error can be taken over sources.
"""

import argparse

import numpy as np
import pandas as pd
from _tiny import parse_arguments
from dbn_defaults import DATASETS
from ecs_dbn_defaults import STANDARD_SETS, read_standard
from ecs_dbn_defaults import load_problem as load_first

# Number of draws of a source, numbered from 2 where ecs_dbn_defaults.py has the first.
MORE_DRAWS = {
    "contraceptive": 1,
    "letter": 4,
    "magic": 1,
    "marketing": 2,
    "movement_libras": 1,
    "optdigits": 3,
    "penbased": 3,
    "phoneme": 1,
    "ring": 1,
    "satimage": 3,
    "splice": 1,
    "texture": 3,
    "twonorm": 1,
}
CATEGORIES = ["breast", "crx", "housevotes", "mushroom"]
PROBLEMS = [
    *DATASETS,
    *STANDARD_SETS,
    *(f"{source}-{i + 2}" for source, n in MORE_DRAWS.items() for i in range(n)),
    *(f"{source}-1" for source in CATEGORIES),
]
N_RARE = (20, 300)
RATIO = (3, 40)
MAX_ROWS = 5000


def source_of(name):
    """The set that a problem is drawn from."""
    stem, _, number = name.rpartition("-")
    return stem if number.isdigit() and name not in DATASETS else name


def load_problem(name):
    """Return inputs of shape (n_rows, n_features), and labels that are 1 for the rare class."""
    if name not in PROBLEMS:
        raise ValueError(f"there is no problem {name!r}; the names are {PROBLEMS}")
    if name in DATASETS or name in STANDARD_SETS:
        return load_first(name)
    source, number = source_of(name), int(name.rpartition("-")[2])
    X, labels = read_standard(source)
    classes, counts = np.unique(labels, return_counts=True)
    order = np.argsort(counts) if len(classes) == 2 else class_order(source, len(classes))
    is_rare = labels == classes[order[(number - 1) % len(classes)]]
    rng = np.random.default_rng(list(name.encode()))
    n_rare = log_uniform(rng, *N_RARE)
    n_others = min(MAX_ROWS - n_rare, int(n_rare * log_uniform(rng, *RATIO)))
    rows = np.r_[
        rng.permutation(np.flatnonzero(~is_rare))[:n_others],
        rng.permutation(np.flatnonzero(is_rare))[:n_rare],
    ]
    X = X[rows]
    return X[:, X.std(axis=0) > 0], is_rare[rows].astype(int)


def paired_difference(differences):
    """Mean of a difference over problems, and its standard error with each source as one draw.

    `differences` is a Series by problem. The tests of docs/development/registered_tests.rst are
    decided by these numbers.
    """
    mean = differences.mean()
    sums = (differences - mean).groupby(differences.index.map(source_of)).sum()
    n_sources = len(sums)
    variance = n_sources / (n_sources - 1) * (sums**2).sum() / len(differences) ** 2
    return mean, np.sqrt(variance)


def class_order(source, n_classes):
    """The classes in random order; the first one is that of ecs_dbn_defaults.py."""
    first = np.random.default_rng(list(source.encode())).choice(n_classes)
    others = np.random.default_rng(n_classes).permutation(np.delete(np.arange(n_classes), first))
    return np.r_[first, others]


def log_uniform(rng, low, high):
    """A whole number, whose logarithm is uniform."""
    return int(np.exp(rng.uniform(np.log(low), np.log(high))))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True)
    arguments = parse_arguments(parser, globals(), PROBLEMS=["wine", "breast-1"])
    rows = []
    for name in PROBLEMS:
        X, y = load_problem(name)
        n_two_valued = sum(len(np.unique(column)) == 2 for column in X.T)
        rows.append((name, source_of(name), *X.shape, n_two_valued, y.sum()))
    columns = ["problem", "source", "n_rows", "n_columns", "n_two_valued", "n_rare"]
    table = pd.DataFrame(rows, columns=columns)
    table.to_csv(arguments.out, index=False)
    print(table.to_string())


if __name__ == "__main__":
    main()
