"""Whether one-hot columns should be standardized as other columns are.

Three tables with one-hot columns: hospital visits (is a patient readmitted within 30 days?), a
milling machine (does it fail?) and network connections (is it one of the rare attacks, those with
fewer than 1,000 different connections?). The test set of a seed is a quarter of the rows; visits of
one patient are on one side, also in early stopping. Every network is fitted to the same rows:

* "all columns": the package's `standardize=True`;
* "numbers only": a column of two values of which more than half of the rows have zero is left as it
  is, the others are standardized;
* "one-hot centered": as "numbers only", but the mean of the columns that are left is taken off.

    python tests/performance/standardize_one_hot.py --out docs/results/standardize_one_hot.csv
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _tiny import first, parse_arguments
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import GroupShuffleSplit
from sklearn.preprocessing import OneHotEncoder
from weighted_stopping import load_visits

from skimbal import MLPClassifier
from skimbal.datasets import load_ai4i2020, load_kddcup99
from skimbal.metrics import g_mean

MAX_ROWS = 9_000


def visits(seed):
    """Hospital visits, every code a column."""
    X, y, patients = load_visits(seed)
    numbers = X.select_dtypes("number")
    texts = X.drop(columns=numbers.columns).astype(str)
    one_hot = OneHotEncoder(sparse_output=False, min_frequency=2).fit_transform(texts)
    return np.hstack([numbers.to_numpy(float), one_hot]), y, patients


def machine(seed):
    """States of the milling machine."""
    X, y = load_ai4i2020(return_X_y=True)
    return X, y == "failure", np.arange(len(y))


def connections(seed):
    """Connections, of which the common attacks and the normal ones are thinned."""
    X, y = load_kddcup99(max_per_class=3000, random_state=seed, return_X_y=True)
    names, counts = np.unique(y, return_counts=True)
    is_rare = np.isin(y, names[counts < 1000])
    return X, is_rare, np.arange(len(y))


TABLES = {"diabetes130": visits, "AI4I 2020": machine, "KDD99": connections}


def is_one_hot(X):
    """Columns of two values that are zero in more than half of the rows."""
    low, high = X.min(axis=0), X.max(axis=0)
    two_values = (np.equal(X, low) | np.equal(X, high)).all(axis=0)
    return two_values & ((X == 0).mean(axis=0) > 0.5)


def scaled(X, train, variant):
    """The table on the scale that a variant gives to the network, by the training rows."""
    mean, scale = X[train].mean(axis=0), X[train].std(axis=0)
    scale[scale == 0] = 1.0
    left = is_one_hot(X[train])
    if variant != "all columns":
        scale[left] = 1.0
    if variant == "numbers only":
        mean[left] = 0.0
    return (X - mean) / scale


def scores(name, seed):
    """Yield the test scores of each variant."""
    X, y, groups = TABLES[name](seed)
    rows = np.random.default_rng(seed).permutation(len(y))[:MAX_ROWS]
    X, y, groups = X[rows].astype(np.float32), y[rows], groups[rows]
    split = GroupShuffleSplit(1, test_size=0.25, random_state=seed).split(X, y, groups)
    train, test = next(split)
    n_left = int(is_one_hot(X[train]).sum())
    for variant in ("all columns", "numbers only", "one-hot centered"):
        Z = scaled(X, train, variant)
        network = MLPClassifier(
            early_stopping=True, n_iter_no_change=5, standardize=False, random_state=seed
        ).fit(Z[train], y[train], groups=groups[train])
        proba = network.predict_proba(Z[test])[:, 1]
        yield (
            name,
            X.shape[1],
            n_left,
            variant,
            seed,
            roc_auc_score(y[test], proba),
            average_precision_score(y[test], proba),
            g_mean(y[test], proba > y[train].mean()),  # the prior threshold
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parse_arguments(parser, globals(), MAX_ROWS=400, TABLES=first(TABLES), seeds=1)
    torch.set_num_threads(1)
    rows = []
    for name in TABLES:
        for seed in range(arguments.seeds):
            rows += scores(name, seed)
            print(*rows[-3:], sep="\n", flush=True)
    names = ["table", "columns", "one_hot", "standardized", "seed", "auc", "average_precision"]
    table = pd.DataFrame(rows, columns=[*names, "g_mean"])
    means = table.groupby(["table", "standardized"], sort=False).mean().round(3)
    means = means.drop(columns="seed").reset_index()
    means.to_csv(arguments.out, index=False)
    print(means.to_string(index=False))


if __name__ == "__main__":
    main()
