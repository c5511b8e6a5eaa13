"""Compare extreme learning machines with a network and with extra trees on 26 KEEL sets.

    python tests/performance/elm_keel.py --out docs/results/elm_keel.csv

Three stratified folds of each set. "G-mean" is that of the decisions of each method, with the costs
that it found, and "G-mean, largest probability" that of the class with the largest probability. The
columns are means over the sets of the means over the folds. "AUC - trees" and "G-mean - trees" are
the mean differences from extra trees, with their standard errors over the sets. "fit_s" is the
median processor time of a fit.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _tiny import parse_arguments
from joblib import Parallel, delayed
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from tqdm import tqdm

from skimbal import FixedCostClassifier, MLPClassifier, TunedCostClassifierCV
from skimbal.datasets import load_keel
from skimbal.ensemble import EvolutionaryELMClassifier, WeightedELMClassifier
from skimbal.metrics import g_mean

DATASETS = [
    *("abalone9-18", "cleveland-0_vs_4", "ecoli-0-1-3-7_vs_2-6", "ecoli-0-1-4-6_vs_5"),
    *("ecoli-0-2-3-4_vs_5", "ecoli3", "glass-0-1-6_vs_2", "glass0", "glass1", "glass4", "glass6"),
    *("haberman", "iris0", "led7digit-0-2-4-5-6-7-8-9_vs_1", "new-thyroid1"),
    *("page-blocks-1-3_vs_4", "pima", "shuttle-c2-vs-c4", "vehicle0", "vowel0", "wisconsin"),
    *("yeast-0-5-6-7-9_vs_4", "yeast-1_vs_7", "yeast-2_vs_4", "yeast-2_vs_8", "glass5"),
]
TREES = "extra trees, 200, at the prior"
METHODS = {
    "ELM: Laplacian, ranks": lambda seed: WeightedELMClassifier(random_state=seed),
    "ELM: Laplacian, ranks, C=3.3, gamma='scale'": lambda seed: WeightedELMClassifier(
        C=1 / 0.3, gamma="scale", random_state=seed
    ),
    "ELM: Laplacian, standardized": lambda seed: WeightedELMClassifier(
        encoding="standard", random_state=seed
    ),
    "ELM: RBF, standardized": lambda seed: WeightedELMClassifier(
        "rbf", encoding="standard", random_state=seed
    ),
    "ELM: polynomial, ranks": lambda seed: WeightedELMClassifier("poly", random_state=seed),
    "ELM: 500 random nodes, ranks": lambda seed: WeightedELMClassifier(None, random_state=seed),
    "evolutionary ELM: Laplacian, ranks": lambda seed: EvolutionaryELMClassifier(random_state=seed),
    "MLP, costs found": lambda seed: TunedCostClassifierCV(
        MLPClassifier(), shrinkage=0.5, random_state=seed
    ),
    TREES: lambda seed: FixedCostClassifier(
        ExtraTreesClassifier(200, min_samples_leaf=2, random_state=seed)
    ),
}
N_FOLDS = 3
SCORES = ["AUC", "G-mean", "G-mean, largest probability"]


def scores_of(name, n_folds, methods, load):
    """Scores of all methods on the folds of one set."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", UserWarning)
    X, y = load(name)
    labels, targets = np.unique(y, return_inverse=True)
    splits = StratifiedKFold(n_folds, shuffle=True, random_state=0).split(X, y)
    rows = []
    for fold, (train, test) in enumerate(splits):
        for method, make in methods.items():
            start = time.process_time()
            fitted = make(fold).fit(X[train], y[train])
            seconds = time.process_time() - start
            proba = fitted.predict_proba(X[test])
            scores = [
                roc_auc_score(targets[test], proba[:, 1]),
                g_mean(y[test], fitted.predict(X[test])),
                g_mean(y[test], labels[proba.argmax(axis=1)]),
            ]
            rows.append([name, fold, method, *scores, seconds])
    return pd.DataFrame(rows, columns=["dataset", "fold", "method", *SCORES, "seconds"])


def summarize(scores):
    """Means over the sets, ranks, and differences from extra trees."""
    by_set = scores.groupby(["method", "dataset"])[SCORES].mean()
    means = by_set.groupby("method").mean()
    table = {}
    for score in SCORES[:2]:
        wide = by_set[score].unstack("method")
        difference = wide.sub(wide[TREES], axis=0)
        table[score] = means[score]
        table[f"{score}: rank"] = wide.rank(axis=1, ascending=False).mean()
        table[f"{score} - trees"] = difference.mean()
        table[f"{score}: standard error"] = difference.sem()
    table[SCORES[2]] = means[SCORES[2]]
    table["fit_s"] = scores.groupby("method").seconds.median()
    return pd.DataFrame(table).loc[scores.method.unique()].round(4).rename_axis("method")


def load_set(name):
    """Inputs and labels of a KEEL set."""
    return load_keel(name, return_X_y=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="CSV file to write")
    parser.add_argument("--jobs", type=int, default=1)
    tiny = {"DATASETS": ["glass4", "iris0"], "N_FOLDS": 2}
    arguments = parse_arguments(parser, globals(), **tiny)
    run = Parallel(n_jobs=arguments.jobs, return_as="generator")
    parts = run(delayed(scores_of)(name, N_FOLDS, METHODS, load_set) for name in DATASETS)
    table = summarize(pd.concat(tqdm(parts, total=len(DATASETS))))
    table.reset_index().to_csv(arguments.out, index=False)
    print(table.to_string())


if __name__ == "__main__":
    main()
