"""Time and memory of the exact cost search of two classes, from a thousand to 13.8 million samples.

    python tests/performance/cost_search_size.py --out docs/results/cost_search_size.csv
    python tests/performance/cost_search_size.py --limit 0 --out docs/results/cost_search_size.csv

One sample in ten is rare. Beside each search, in the same process: two sorts with NumPy of the
scores of the two classes, and the imblearn samplers on the 14 channels of as many simulated samples
of gun drills, until one takes longer than the limit. With a limit of 0, their times of an earlier
run are kept. Times are CPU seconds, the shortest of three runs; the samplers run once. The memory
is the peak above the probabilities, as a multiple of their size.
"""

import argparse
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
from _tiny import parse_arguments
from imblearn.over_sampling import ADASYN, SMOTE, SVMSMOTE

from skimbal.cost_sensitive import find_costs
from skimbal.datasets import make_gun_drilling

SIZES = [1_000, 10_000, 100_000, 1_000_000, 13_798_690]
SAMPLERS = {"smote": SMOTE, "adasyn": ADASYN, "svm_smote": SVMSMOTE}


def shortest(function, repetitions=3):
    """CPU seconds of the fastest of several calls."""
    seconds = []
    for _ in range(repetitions):
        start_s = time.process_time()
        function()
        seconds.append(time.process_time() - start_s)
    return min(seconds)


def sort_scores(y, p):
    np.sort(p[y == 0])
    np.sort(p[y == 1])


def peak_share(y, proba):
    """Peak memory of a search as a multiple of the memory of the probabilities."""
    tracemalloc.start()
    find_costs(y, proba)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / proba.nbytes


def measure(n, samplers):
    """Row of the table for one number of samples."""
    rng = np.random.default_rng(0)
    y = (rng.random(n) < 0.1).astype(int)
    p = 1.0 / (1.0 + np.exp(3.0 - 1.5 * y - rng.normal(size=n)))
    proba = np.column_stack([1.0 - p, p])
    find_costs(y[:1000], proba[:1000])  # imports
    row = {
        "samples": n,
        "two_sorts_s": shortest(lambda: sort_scores(y, p)),
        "search_s": shortest(lambda: find_costs(y, proba)),
    }
    row["peak_memory"] = peak_share(y, proba)
    if samplers:
        X, target = make_gun_drilling(max(n, 2000), random_state=0, return_X_y=True)
        for name in samplers:
            sampler = SAMPLERS[name](random_state=0)
            row[f"{name}_s"] = shortest(lambda sampler=sampler: sampler.fit_resample(X, target), 1)
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limit", type=float, default=60, help="seconds of a sampler (60)")
    parser.add_argument("--out", type=Path, required=True, help="CSV file to write")
    arguments = parse_arguments(parser, globals(), SIZES=SIZES[:2])
    earlier = pd.read_csv(arguments.out, index_col="samples") if arguments.out.exists() else None
    rows, samplers = [], list(SAMPLERS) if arguments.limit else []
    for n in SIZES:
        rows.append(measure(n, samplers))
        print(rows[-1], flush=True)
        # ten times as many samples take at least ten times as long
        samplers = [name for name in samplers if 10 * rows[-1][f"{name}_s"] <= arguments.limit]
    table = pd.DataFrame(rows)
    if not arguments.limit and earlier is not None:
        table = table.join(earlier.filter([f"{name}_s" for name in SAMPLERS]), on="samples")
    table["search_per_two_sorts"] = table.search_s / table.two_sorts_s
    table.round(6).to_csv(arguments.out, index=False)


if __name__ == "__main__":
    main()
