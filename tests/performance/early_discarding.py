"""Searches with and without early discarding, on three KEEL sets.

    python tests/performance/early_discarding.py --out docs/results/early_discarding.csv

For each set and seed one half of the samples, stratified, is searched by DESearchCV over the class
weight, the learning rate and the weight decay of an MLP: ten generations of ten candidates, five
folds, macro F1, with every candidate trained to the end and with discarding. The columns, means
over the seeds: CPU seconds of the search, on one thread; those with discarding as a share of those
without; `training_saved_`; `best_score_`; and the macro F1 of the best network, fitted to that
half, on the other one. "+-" is the standard deviation over the seeds of the difference from the
search without discarding.
"""

import argparse
import sys
import time
from pathlib import Path

import pandas as pd
from sklearn.base import clone
from sklearn.model_selection import train_test_split

from skimbal import DESearchCV, MLPClassifier
from skimbal.datasets import load_keel
from skimbal.metrics import get_scorer
from skimbal.model_selection import ClassWeights, class_weight_space

DATASETS = ("ecoli3", "abalone9-18", "yeast1")
MAX_EPOCHS = 81
FACTORS = (None, 3)
SCORES = ("best_score", "test_score")


def measure(name, seed, factor):
    """One search: its CPU time, what it saved, its best score and that on other samples."""
    X, y = load_keel(name, return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=seed)
    space = class_weight_space(y, high=100) | {
        "learning_rate": (1e-4, 0.1, "log-uniform"),
        "weight_decay": (1e-6, 0.1, "log-uniform"),
    }
    network = MLPClassifier(class_weight=ClassWeights(y), max_epochs=MAX_EPOCHS, random_state=seed)
    search = DESearchCV(
        network, space, population_size=10, max_generations=10, scoring="macro_f1", cv=5,
        discard_factor=factor, refit=False, random_state=seed,
    )  # fmt: skip
    start_s = time.process_time()
    search.fit(X, y)
    search_s = time.process_time() - start_s
    best = clone(network).set_params(**search.best_params_).fit(X, y)
    return {
        "data_set": name,
        "seed": seed,
        "factor": str(factor),
        "search_s": search_s,
        "saved": search.training_saved_,
        "best_score": search.best_score_,
        "test_score": get_scorer("macro_f1")(best, X_test, y_test),
    }


def table(cells):
    """A row for each set and factor, from the rows of all searches."""
    indexed = cells.set_index(["data_set", "factor", "seed"])
    without = indexed.xs("None", level="factor")
    rows = []
    for (name, factor), own in indexed.groupby(level=[0, 1], sort=False):
        plain = without.loc[name]
        own = own.droplevel([0, 1])
        texts = {}
        for score in SCORES:
            spread = (own[score] - plain[score]).std(ddof=1)
            texts[score.replace("_", " ")] = f"{own[score].mean():.3f}" + (
                "" if factor == "None" else f" +- {spread:.3f}"
            )
        rows.append(
            {
                "data set": name,
                "discard_factor": factor,
                "CPU s": f"{own['search_s'].mean():.1f}",
                "share of time": f"{own['search_s'].sum() / plain['search_s'].sum():.2f}",
                "training saved": f"{own['saved'].mean():.2f}",
                **texts,
            }
        )
    return pd.DataFrame(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="searches of each kind (default: 5)")
    parser.add_argument("--datasets", nargs="+", default=DATASETS, help="names of KEEL sets")
    parser.add_argument("--out", type=Path, required=True, help="CSV file to write")
    arguments = parser.parse_args()
    if arguments.seeds < 2:
        parser.error(f"--seeds {arguments.seeds} must be at least 2")
    # torch is imported in parts by the first fit, which is not to be timed.
    MLPClassifier(max_epochs=1).fit([[0.0], [1.0]] * 4, [0, 1] * 4)
    cells = []
    for name in arguments.datasets:
        for seed in range(arguments.seeds):
            cells += [measure(name, seed, factor) for factor in FACTORS]
            print(pd.DataFrame(cells[-2:]).to_string(header=False), file=sys.stderr, flush=True)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    table(pd.DataFrame(cells)).to_csv(arguments.out, index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
