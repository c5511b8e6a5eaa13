"""The search for costs on parts of many samples against the search on all of them.

    python tests/performance/cost_search_parts.py --out docs/results/cost_search_parts.csv

Posteriors of 3, 5 and 10 classes are made up: normal classes, whose sizes fall in a geometric
series, and noise on the logits. Each row has the scores of both searches, the CPU seconds, and the
peak memory of the search on parts above the probabilities, as a multiple of their size. The search
of all samples keeps a thousand candidates of a step, which are otherwise too many to keep.
"""

import argparse
import time
import tracemalloc
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from _tiny import parse_arguments

from skimbal.cost_sensitive import _find_costs, _large_search, find_costs
from skimbal.cost_sensitive._search_steps import Trace

# Samples, classes, largest / smallest class, score.
CASES = [
    (1_000_000, 10, 1000, "g_mean"),
    (300_000, 3, 1000, "g_mean"),
    (300_000, 5, 1000, "g_mean"),
    (300_000, 10, 1000, "g_mean"),
    (300_000, 3, 10, "f1_macro"),
    (300_000, 5, 1000, "f1_macro"),
    (300_000, 10, 10, "f1_macro"),
]
# Cases of which all samples are searched, too.
MAX_WHOLE = 3_000_000
BLOCK = 10_000


def make_posteriors(n, n_classes, ratio):
    """True classes and noisy posteriors of normal classes."""
    rng = np.random.default_rng(0)
    prior = np.geomspace(1.0, 1.0 / ratio, n_classes)
    prior /= prior.sum()
    y = rng.choice(n_classes, size=n, p=prior)
    y[:n_classes] = np.arange(n_classes)
    n_dims = max(2, n_classes // 2)
    centers = rng.normal(size=(n_classes, n_dims))
    proba = np.empty((n, n_classes))
    for i in range(0, n, BLOCK):
        X = centers[y[i : i + BLOCK]] + rng.normal(size=(len(y[i : i + BLOCK]), n_dims))
        logits = np.log(prior) - 0.5 * ((X[:, None] - centers) ** 2).sum(axis=2)
        logits += 0.3 * rng.normal(size=logits.shape)
        proba[i : i + BLOCK] = np.exp(logits - logits.max(axis=1, keepdims=True))
    return y, proba / proba.sum(axis=1, keepdims=True)


def timed(function):
    start_s = time.process_time()
    return function(), time.process_time() - start_s


def peak_share(function, proba):
    """Peak memory of a call as a multiple of the memory of the probabilities."""
    tracemalloc.start()
    function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / proba.nbytes


def measure(n, n_classes, ratio, scoring):
    """Row of the table for one case."""
    y, proba = make_posteriors(n, n_classes, ratio)
    search = partial(find_costs, y, proba, scoring=scoring, random_state=0)
    found, parts_s = timed(search)
    row = {
        "samples": n,
        "classes": n_classes,
        "ratio": ratio,
        "score": scoring,
        "parts_score": found.score,
        "parts_s": parts_s,
        "peak_memory": peak_share(search, proba),
    }
    if n * n_classes <= MAX_WHOLE:
        limit, _large_search.LARGE = _large_search.LARGE, n
        whole, row["whole_s"] = timed(search)
        row["whole_score"], _large_search.LARGE = whole.score, limit
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="CSV file; rows in it are skipped")
    arguments = parse_arguments(parser, globals(), CASES=[(2000, 3, 10, "g_mean")])
    _find_costs.Trace = partial(Trace, max_kept=1000)
    rows = pd.read_csv(arguments.out).to_dict("records") if arguments.out.exists() else []
    done = {(row["samples"], row["classes"], row["ratio"], row["score"]) for row in rows}
    for case in CASES:
        if case not in done:
            rows.append(measure(*case))
            print(rows[-1], flush=True)
            table = pd.DataFrame(rows)
            if "whole_score" in table:
                table["difference"] = table.parts_score - table.whole_score
            table.round(6).to_csv(arguments.out, index=False)


if __name__ == "__main__":
    main()
