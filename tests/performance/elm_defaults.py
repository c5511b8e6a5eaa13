"""Compare settings of WeightedELMClassifier; its defaults were chosen with this table.

    python tests/performance/elm_defaults.py --out docs/results/elm_defaults.csv

On the problems of ecs_dbn_defaults.py with at most 700 samples. None shares its source with the 58
KEEL sets of the results page. Each row changes one or two things of the defaults. The columns are
those of elm_keel.py.
"""

import argparse
from pathlib import Path

import pandas as pd
from _tiny import parse_arguments
from ecs_dbn_defaults import DATASETS, STANDARD_SETS, load_problem
from elm_keel import METHODS, TREES, scores_of, summarize
from joblib import Parallel, delayed
from tqdm import tqdm

from skimbal.ensemble import WeightedELMClassifier

CHANGES = {
    "default": {},
    "C=3.3, gamma='scale'": {"C": 1 / 0.3, "gamma": "scale"},
    "C=3.3": {"C": 1 / 0.3},
    "gamma='scale'": {"gamma": "scale"},
    "standardized": {"encoding": "standard"},
    "W2": {"weighting": "W2"},
    "no weights": {"weighting": None},
    "RBF": {"kernel": "rbf"},
    "RBF, standardized": {"kernel": "rbf", "encoding": "standard"},
    "polynomial": {"kernel": "poly"},
    "500 random nodes": {"kernel": None},
}
MAX_SAMPLES = 700
N_FOLDS = 3


def machine_with(changes):
    """Return a function seed -> machine."""
    return lambda seed: WeightedELMClassifier(random_state=seed).set_params(**changes)


ROWS = {name: machine_with(changes) for name, changes in CHANGES.items()} | {TREES: METHODS[TREES]}


def scores_of_problem(name):
    """Scores of all rows, or None for a problem that is too large."""
    if len(load_problem(name)[0]) > MAX_SAMPLES:
        return None
    return scores_of(name, N_FOLDS, ROWS, load_problem)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="CSV file to write")
    parser.add_argument("--jobs", type=int, default=1)
    tiny = {"DATASETS": [], "STANDARD_SETS": ["wine"], "N_FOLDS": 2}
    arguments = parse_arguments(parser, globals(), **tiny)
    names = [*DATASETS, *STANDARD_SETS]
    run = Parallel(n_jobs=arguments.jobs, return_as="generator")
    parts = run(delayed(scores_of_problem)(name) for name in names)
    table = summarize(pd.concat(tqdm(parts, total=len(names))))
    table.reset_index().to_csv(arguments.out, index=False)
    print(table.to_string())


if __name__ == "__main__":
    main()
