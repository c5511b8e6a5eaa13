"""How long a comparison takes on clusters of 1 to 1,000 workers, from measured costs.

The seconds of a cell are those of the method's mean fit on the 58 KEEL sets (the tables in
docs/results), divided among the sets by their numbers of values. A task is a group of 25 networks,
or single cells of about ten seconds together. The largest goes first.
"""

import argparse
from pathlib import Path

import pandas as pd
from _tiny import first, parse_arguments

from skimbal.benchmark._cluster import TASK_SECONDS
from skimbal.benchmark._costs import makespan
from skimbal.benchmark._workers import MAX_CELLS_PER_FIT
from skimbal.datasets import keel_suite, list_keel

RESULTS = Path(__file__).parents[2] / "docs" / "results"
COMPARISONS = {
    "8 networks, 10 trials": ("keel58_networks", 10),
    "8 networks, 100 trials": ("keel58_networks", 100),
    "peers, 10 trials": ("keel58_peers", 10),
    "peers, 100 trials": ("keel58_peers", 100),
}
N_WORKERS = (1, 10, 100, 1000)
N_FOLDS = 5


def seconds_of_fits(table):
    """Mean seconds of a fit of each method of a table of the results."""
    return pd.read_csv(RESULTS / f"{table}.csv").set_index("method").fit_s


def tasks(fit_seconds, sizes, n_trials):
    """Seconds of each task of a comparison."""
    n_cells = N_FOLDS * n_trials
    found = []
    for method, mean in fit_seconds.items():
        for size in sizes:
            seconds = mean * size / sizes.mean()
            limit = MAX_CELLS_PER_FIT[0]
            if not is_network(method):
                limit = max(1, min(limit, int(TASK_SECONDS / max(seconds, 1e-9))))
            found += [seconds * min(limit, n_cells - k) for k in range(0, n_cells, limit)]
    return found


def is_network(method):
    """Whether cells of a method train together."""
    return method.endswith(("dbn", "mlp", "net")) or "dbn" in method


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default=RESULTS / "cluster_sizing.csv")
    options = parse_arguments(parser, globals(), COMPARISONS=first(COMPARISONS))
    sets = list_keel().set_index("name").loc[list(keel_suite("keel58"))]
    sizes = sets.n_samples * sets.n_attributes
    rows = []
    for name, (table, n_trials) in COMPARISONS.items():
        fits = seconds_of_fits(table)
        costs = tasks(fits, sizes, n_trials)
        row = {"comparison": name, "cells": len(fits) * len(sizes) * N_FOLDS * n_trials}
        row |= {"tasks": len(costs), "longest_task_s": round(max(costs), 1)}
        row |= {f"hours_on_{n}": f"{makespan(costs, n) / 3600:.2g}" for n in N_WORKERS}
        row["share_busy_on_1000"] = round(sum(costs) / makespan(costs, 1000) / 1000, 2)
        rows.append(row)
    table = pd.DataFrame(rows)
    print(table.to_string(index=False))
    table.to_csv(options.out, index=False)


if __name__ == "__main__":
    main()
