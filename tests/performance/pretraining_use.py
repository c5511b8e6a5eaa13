"""What pre-training is worth: DBNClassifier with and without it, on KEEL sets of the suite.

    python tests/performance/pretraining_use.py --out docs/results/pretraining_use.csv
    python tests/performance/pretraining_use.py --published --seeds 1 \\
        --out docs/results/pretraining_use_published.csv

Each set is split into five stratified folds, once for each seed; the seed also seeds the network.
A row holds the means over folds and seeds of the area under the ROC curve and of the G-mean at the
prior threshold (`FixedCostClassifier`), with pre-training and with ``pretrain_epochs=0``, all else
equal. The last rows hold the means over the sets and the p-values of Wilcoxon's signed-rank test on
the pairs of means.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from _tiny import parse_arguments
from scipy.stats import wilcoxon
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from skimbal import DBNClassifier, FixedCostClassifier
from skimbal.datasets import load_keel
from skimbal.metrics import g_mean

DATASETS = [
    "glass0",
    "glass2",
    "new-thyroid1",
    "haberman",
    "ecoli3",
    "yeast-2_vs_4",
    "wisconsin",
    "abalone9-18",
    "pima",
    "vehicle0",
    "vowel0",
    "yeast1",
    "yeast4",
]


def estimators(published, seed):
    """The network with pre-training and without."""
    with_it = DBNClassifier.as_published(seed) if published else DBNClassifier(random_state=seed)
    without = DBNClassifier(**{**with_it.get_params(deep=False), "pretrain_epochs": 0})
    return {"with": with_it, "without": without}


def score_folds(estimator, X, y, rare, seed):
    """AUC and G-mean on each test fold, shape (5, 2)."""
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    scores = []
    for train, test in folds.split(X, y):
        model = FixedCostClassifier(estimator).fit(X[train], y[train])
        proba = model.predict_proba(X[test])[:, model.classes_.tolist().index(rare)]
        auc = roc_auc_score(y[test] == rare, proba)
        scores.append((auc, g_mean(y[test], model.predict(X[test]))))
    return np.array(scores)


def compare(name, published, n_seeds):
    """Row of the table for one set."""
    X, y = load_keel(name, return_X_y=True)
    labels, counts = np.unique(y, return_counts=True)
    row = {"data set": name, "samples": len(y), "imbalance": f"{counts.max() / counts.min():.1f}"}
    rare = labels[counts.argmin()]
    for pretraining in ("with", "without"):
        scores = [
            score_folds(estimators(published, seed)[pretraining], X, y, rare, seed)
            for seed in range(n_seeds)
        ]
        auc, score = np.mean(scores, axis=(0, 1))
        row |= {f"AUC {pretraining}": auc, f"G-mean {pretraining}": score}
    return row


def summary(table):
    """Rows of the means over the sets and of the p-values of the paired test."""
    means, p_values = {"data set": "mean"}, {"data set": "Wilcoxon p"}
    for score in ("AUC", "G-mean"):
        pair = [f"{score} with", f"{score} without"]
        means |= table[pair].mean().to_dict()
        p_values[pair[0]] = wilcoxon(table[pair[0]], table[pair[1]]).pvalue
    return pd.DataFrame([means, p_values])


def write(rows, path):
    """Write what there is so far, so that an interrupted run keeps it."""
    table = pd.DataFrame(rows)
    if len(rows) > 1:
        table = pd.concat([table, summary(table)])
    columns = ["data set", "samples", "imbalance", "AUC with", "AUC without"]
    table = table[[*columns, "G-mean with", "G-mean without"]].astype({"samples": "Int64"})
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, index=False, float_format="%.3f", lineterminator="\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="CSV file to write")
    parser.add_argument("--seeds", type=int, default=2, help="splits and networks (default: 2)")
    parser.add_argument(
        "--published", action="store_true", help="with DBNClassifier.as_published instead"
    )
    arguments = parse_arguments(parser, globals(), DATASETS=DATASETS[1:3], seeds=1)
    rows = []
    for name in DATASETS:
        start_s = time.perf_counter()
        rows.append(compare(name, arguments.published, arguments.seeds))
        write(rows, arguments.out)
        print(name, f"{time.perf_counter() - start_s:.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
