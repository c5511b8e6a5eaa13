"""Brier score and reliability of balanced classifiers, before and after the prior correction.

    python tests/performance/corrected_probabilities.py \
        --out docs/results/corrected_probabilities.csv

Ten imbalanced KEEL sets, five stratified folds each. The Brier score is the mean squared error of
the probability of the rare class. The reliability is its part that is due to probabilities which
differ from the frequencies: the mean squared difference of both in ten groups of equally many
samples (Murphy 1973), over the test samples of all folds together. "mean" is the mean probability
of the rare class, divided by its frequency.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _tiny import first, parse_arguments
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

from skimbal import MLPClassifier
from skimbal.datasets import load_keel
from skimbal.ensemble import PriorCorrectedClassifier

DATASETS = [
    *("abalone9-18", "ecoli3", "glass-0-1-6_vs_2", "glass4", "haberman", "page-blocks-1-3_vs_4"),
    *("vehicle0", "yeast-1_vs_7", "yeast1", "yeast4"),
]
N_GROUPS = 10
EPOCHS = 20


def resampled(sampler):
    return make_pipeline(StandardScaler(), sampler, LogisticRegression(max_iter=1000))


def network(**params):
    return MLPClassifier(max_epochs=EPOCHS, random_state=0, **params)


CLASSIFIERS = {
    "logistic regression": lambda: make_pipeline(StandardScaler(), LogisticRegression()),
    "its class weights": lambda: make_pipeline(
        StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000)
    ),
    "random over-sampling": lambda: resampled(RandomOverSampler(random_state=0)),
    "random under-sampling": lambda: resampled(RandomUnderSampler(random_state=0)),
    "SMOTE": lambda: resampled(SMOTE(k_neighbors=3, random_state=0)),
    "MLP": network,
    "MLP, class weights": lambda: network(class_weight="balanced"),
    "MLP, balanced sampler": lambda: network(sampler="balanced"),
    "MLP, balanced softmax": lambda: network(loss="balanced_softmax"),
}


def reliability(y, proba):
    """Mean squared difference of probability and frequency in groups of equally many samples."""
    groups = np.array_split(np.argsort(proba, kind="stable"), N_GROUPS)
    gaps = [(proba[rows].mean() - y[rows].mean()) ** 2 for rows in groups if len(rows)]
    sizes = [len(rows) for rows in groups if len(rows)]
    return np.average(gaps, weights=sizes)


def folds_of(name):
    """Yield the training and test parts of five folds, with 1 for the rare class."""
    X, y = load_keel(name, return_X_y=True)
    labels, counts = np.unique(y, return_counts=True)
    y = (y == labels[counts.argmin()]).astype(int)
    for train, test in StratifiedKFold(5, shuffle=True, random_state=0).split(X, y):
        yield X[train], X[test], y[train], y[test]


def scores_of(name, dataset):
    """The scores before and after the correction."""
    truth, before, after = [], [], []
    for X, X_test, y, y_test in folds_of(dataset):
        corrected = PriorCorrectedClassifier(CLASSIFIERS[name]()).fit(X, y)
        truth.append(y_test)
        before.append(corrected.estimator_.predict_proba(X_test)[:, 1])
        after.append(corrected.predict_proba(X_test)[:, 1])
    truth, row = np.concatenate(truth), {"classifier": name, "dataset": dataset}
    for when, parts in {"before": before, "after": after}.items():
        proba = np.concatenate(parts)
        row[f"Brier {when}"] = np.mean((proba - truth) ** 2)
        row[f"reliability {when}"] = reliability(truth, proba)
        row[f"mean {when}"] = proba.mean() / truth.mean()
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="CSV file to write")
    tiny = {"DATASETS": ["glass4"], "EPOCHS": 2, "CLASSIFIERS": first(CLASSIFIERS, 2)}
    arguments = parse_arguments(parser, globals(), **tiny)
    torch.set_num_threads(1)
    rows = [scores_of(name, dataset) for name in CLASSIFIERS for dataset in DATASETS]
    scores = pd.DataFrame(rows).drop(columns="dataset")
    is_better = scores["Brier after"] < scores["Brier before"] - 1e-12  # more than by rounding
    by_name = scores.groupby("classifier", sort=False)
    columns = [f"{score} {when}" for score in ("Brier", "reliability", "mean")
               for when in ("before", "after")]  # fmt: skip  # two loops
    table = by_name.mean()[columns].round(4)
    table["sets with a lower Brier score"] = is_better.groupby(
        scores["classifier"], sort=False
    ).sum()
    table.to_csv(arguments.out)
    print(table.to_string())


if __name__ == "__main__":
    main()
