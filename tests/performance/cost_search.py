"""Exact and evolutionary search for costs on out-of-fold posteriors of the 58 KEEL sets.

    python tests/performance/cost_search.py --out docs/results/cost_search.csv

For each set a quickly trained DBN gives out-of-fold posteriors on three partitions into five folds,
and each search runs on each of them with ten seeds. The columns: the greatest difference between
the best score of "jade" and the exact optimum; the fraction of runs of "jade" in the published
space, costs in (0, 1] without a grid, that reach the optimum; the CPU time of a search, a median;
the CPU time of one fit of a DBN with the paper's epochs, in the same process and on one thread; and
the first as a percentage of the second.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _tiny import parse_arguments
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from skimbal import DBNClassifier
from skimbal.cost_sensitive import find_costs
from skimbal.datasets import keel_suite, load_keel

EPOCHS_OF_THE_PAPER = {"pretrain_epochs": 100, "max_epochs": 300}
QUICK_EPOCHS = {"pretrain_epochs": 5, "max_epochs": 30}
TINY_EPOCHS = {"pretrain_epochs": 2, "max_epochs": 3}
BAR_PERCENT = 1.0
BAR_DIFFERENCE = 1e-12


def cpu_time(function):
    """Result and CPU time in seconds of one call."""
    start_s = time.process_time()
    result = function()
    return result, time.process_time() - start_s


def posteriors(X, y, seed):
    """Out-of-fold posteriors of a quickly trained network on one partition."""
    folds = min(5, np.unique(y, return_counts=True)[1].min())
    cv = StratifiedKFold(folds, shuffle=True, random_state=seed)
    network = DBNClassifier(**QUICK_EPOCHS, random_state=seed)
    return cross_val_predict(network, X, y, cv=cv, method="predict_proba")


def run_searches(y, proba, seed):
    """Scores and times of the searches with one seed."""
    exact, exact_s = cpu_time(lambda: find_costs(y, proba, search="exact"))
    jade, jade_s = cpu_time(lambda: find_costs(y, proba, search="jade", random_state=seed))
    unit = find_costs(y, proba, search="jade", cost_space="unit", random_state=seed)
    return {
        "difference": abs(jade.unregularized_score - exact.unregularized_score),
        "unit_reached": exact.unregularized_score - unit.unregularized_score < BAR_DIFFERENCE,
        "exact_s": exact_s,
        "jade_s": jade_s,
    }


def measure(name, n_seeds, n_partitions):
    """Row of the table for one set."""
    X, y = load_keel(name, return_X_y=True)
    proba = [posteriors(X, y, partition) for partition in range(n_partitions)]
    runs = pd.DataFrame([run_searches(y, p, seed) for p in proba for seed in range(n_seeds)])
    network = DBNClassifier(**EPOCHS_OF_THE_PAPER, random_state=0)
    _, fit_s = cpu_time(lambda: network.fit(X, y))
    exact_s, jade_s = runs.exact_s.median(), runs.jade_s.median()
    return {
        "dataset": name,
        "samples": len(y),
        "greatest_difference": runs.difference.max(),
        "unit_reached": round(runs.unit_reached.mean(), 2),
        "exact_ms": round(1e3 * exact_s, 2),
        "jade_ms": round(1e3 * jade_s, 2),
        "fit_s": round(fit_s, 2),
        "exact_percent": round(100 * exact_s / fit_s, 3),
        "jade_percent": round(100 * jade_s / fit_s, 3),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10, help="seeds of each search (default: 10)")
    parser.add_argument("--partitions", type=int, default=3, help="partitions (default: 3)")
    parser.add_argument("--datasets", help="names, separated by commas (default: all 58)")
    parser.add_argument("--out", type=Path, required=True, help="CSV file to write")
    arguments = parse_arguments(
        parser,
        globals(),
        EPOCHS_OF_THE_PAPER=TINY_EPOCHS,
        QUICK_EPOCHS=TINY_EPOCHS,
        datasets="glass5,ecoli4",
        seeds=1,
        partitions=1,
    )
    torch.set_num_threads(1)
    names = arguments.datasets.split(",") if arguments.datasets else keel_suite("keel58")
    rows = []
    for name in names:
        rows.append(measure(name, arguments.seeds, arguments.partitions))
        print(rows[-1], flush=True)
        pd.DataFrame(rows).to_csv(arguments.out, index=False)
    table = pd.DataFrame(rows).set_index("dataset")
    print(table.filter(like="percent").describe().loc[["50%", "max"]].to_string())
    missed = table.index[table.greatest_difference >= BAR_DIFFERENCE].tolist()
    slow = table.index[table.jade_percent >= BAR_PERCENT].tolist()
    print(f"jade differs from exact on {missed}; above {BAR_PERCENT} % of a fit on {slow}")


if __name__ == "__main__":
    main()
