"""A look at the 58 KEEL sets with the recipe of the vote: networks, kernel machine, trees.

The folds are those of `skimbal run --suite keel58 --folds 5`; the trials come one after the other.
All methods see the same rows; costs are found for the G-mean on held-out probabilities, with a
shrinkage of a half. The table has means over the sets, average ranks and Wilcoxon tests against the
vote of three, with Holm's correction. Cells that are in the file of cells are not run again.

    python tests/performance/vote_keel58.py --trials 2 --out docs/results/vote_keel58.csv
"""

import argparse
import time
import warnings
from itertools import product
from pathlib import Path

import numpy as np
import torch
from _comparison import run_missing
from _tiny import first, parse_arguments
from registered_votes import (
    EQUAL,
    at_prior,
    both,
    combine,
    fit_kernel,
    fit_networks,
    fit_trees,
)
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from skimbal.cost_sensitive import find_costs
from skimbal.datasets import keel_suite, load_keel
from skimbal.metrics import average_ranks, decide_by_costs, g_mean, holm, wilcoxon_to_control

DATASETS = keel_suite("keel58")
FITS = {"networks": fit_networks, "kernel": fit_kernel, "trees": fit_trees}
VOTES = ["networks + kernel", "networks + trees", "kernel + trees", "three"]
N_FOLDS = 5


def load(name):
    """Inputs, and 1 for the rarer class."""
    X, labels = load_keel(name, return_X_y=True)
    values, counts = np.unique(labels, return_counts=True)
    return X, (labels == values[counts.argmin()]).astype(int)


def evaluate(dataset, fold, trial):
    """A row for each method of a fold."""
    warnings.simplefilter("ignore", UserWarning)
    X, y = load(dataset)
    splits = list(StratifiedKFold(N_FOLDS, shuffle=True, random_state=trial).split(X, y))
    train, test = splits[fold]
    y_train, data, cut = y[train], y[train].mean(), 0.5 / len(train)
    members, seconds = {}, {}
    for name, fit in FITS.items():
        start = time.process_time()
        fitted, held_out = fit(X[train], y_train, N_FOLDS * trial + fold)
        seconds[name] = time.process_time() - start
        given = data if name == "trees" else EQUAL
        pair = (held_out[:, 1], fitted.predict_proba(X[test])[:, 1])
        members[name] = [at_prior(p.clip(cut, 1 - cut), given, EQUAL) for p in pair]
    known = ~np.isnan(np.column_stack([z for z, _ in members.values()])).any(axis=1)
    members = {name: (z[known], of_test) for name, (z, of_test) in members.items()}
    combined = combine(members, data, y_train[known])
    for name in [*FITS, *VOTES]:
        held_out, proba, _ = combined[name]
        costs = find_costs(y_train[known], both(held_out), shrinkage=0.5, random_state=0).costs
        yield {
            "method": name,
            "g_mean": g_mean(y[test], decide_by_costs(both(proba), costs)),
            "auc": roc_auc_score(y[test], proba),
            "fit_s": sum(seconds[member] for member in FITS if name == "three" or member in name),
        }


def summary(cells):
    """Means over the sets, ranks and tests against the vote of three."""
    names = [*FITS, *VOTES]
    of_sets = cells.groupby(["dataset", "method"])[["g_mean", "auc"]].mean()
    table = of_sets.groupby("method").mean().loc[names]
    for score in ("g_mean", "auc"):
        means = of_sets[score].unstack("method")[names]
        table[f"rank, {score}"] = average_ranks(means)
        p_values = wilcoxon_to_control(means, names.index("three"))
        table[f"p (Holm), {score}"] = holm(p_values)
    table["sets"] = cells.dataset.nunique()
    table["fits"] = len(cells) // len(names)
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="CSV file to write")
    parser.add_argument("--cells", type=Path, help="default: <out>_cells.csv")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--trials", type=int, default=4)
    arguments = parse_arguments(parser, globals(), DATASETS=first(DATASETS, 2), N_FOLDS=2, trials=1)
    torch.set_num_threads(1)
    path = arguments.cells or arguments.out.with_name(arguments.out.stem + "_cells.csv")
    names = sorted(DATASETS, key=lambda name: load_keel(name, return_X_y=True)[0].shape[0])
    cells = [
        {"dataset": name, "fold": fold, "trial": trial}
        for trial, name, fold in product(range(arguments.trials), names, range(N_FOLDS))
    ]
    table = summary(run_missing(evaluate, cells, path, arguments.jobs))
    table.to_csv(arguments.out, float_format="%.4g")  # small p values keep their digits
    print(table.to_string())


if __name__ == "__main__":
    main()
