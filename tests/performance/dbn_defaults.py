"""Compare settings of DBNClassifier on KEEL sets that no results page reports.

The defaults of the networks were chosen with this table. The sets are imbalanced KEEL sets outside
the 58 of the ECS-DBN paper that share no rows with any of them. Each setting gives out-of-fold
posteriors (5 stratified folds); columns are the area under the ROC curve and the G-mean of the
larger posterior, at the prior threshold and at the best threshold, averaged over the sets.

    python tests/performance/dbn_defaults.py --out docs/results/dbn_defaults.csv
"""

import argparse
import time

import numpy as np
import pandas as pd
import torch
from _tiny import parse_arguments
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from skimbal import DBNClassifier
from skimbal.cost_sensitive import find_costs
from skimbal.datasets import load_keel
from skimbal.metrics import g_mean, prior_costs

DATASETS = [
    "car-good",
    "dermatology-6",
    "flare-F",
    "kr-vs-k-zero_vs_eight",
    "lymphography-normal-fibrosis",
    "poker-8_vs_6",
    "poker-9_vs_7",
    "winequality-red-3_vs_5",
    "winequality-red-4",
    "winequality-red-8_vs_6",
    "winequality-white-3_vs_7",
    "winequality-white-9_vs_4",
    "zoo-3",
]
# Changes of the defaults, one at a time.
CHANGES = [
    {},
    {"class_weight": "balanced"},
    {"class_weight": "effective"},
    {"pretrain_epochs": 0},
    {"class_weight": "balanced", "pretrain_epochs": 0},
    {"pretrain_epochs": 100},
    {"pretrain_learning_rate": 0.05},
    {"learning_rate": 1e-3},
    {"learning_rate": 1e-2},
    {"max_epochs": 50},
    {"weight_decay": 1e-3},
    {"dropout": 0.2},
    {"hidden_layer_sizes": (64,)},
    {"hidden_layer_sizes": (128, 64)},
    {"batch_size": 64},
]


def judge(settings, name, seed):
    """Scores of one setting on one set, from out-of-fold posteriors."""
    X, y = load_keel(name, return_X_y=True)
    rare = min(np.unique(y), key=lambda label: (y == label).sum())
    cv = StratifiedKFold(5, shuffle=True, random_state=seed)
    estimator = DBNClassifier(**settings, random_state=seed)
    proba = cross_val_predict(estimator, X, y, cv=cv, method="predict_proba")
    prior = prior_costs(np.unique(y, return_counts=True)[1])
    column = np.unique(y).tolist().index(rare)
    return {
        "auc": roc_auc_score(y == rare, proba[:, column]),
        "g_mean": g_mean(y, np.unique(y)[proba.argmax(axis=1)]),
        "g_mean_prior": find_costs(y, proba, shrinkage=1.0, shrinkage_target=prior).score,
        "g_mean_best": find_costs(y, proba).score,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parse_arguments(
        parser, globals(), DATASETS=["zoo-3", "winequality-red-8_vs_6"], CHANGES=CHANGES[3:5]
    )
    torch.set_num_threads(1)
    rows = []
    for change in CHANGES:
        start = time.perf_counter()
        scores = pd.DataFrame([judge(change, name, arguments.seed) for name in DATASETS])
        label = ", ".join(f"{k}={v}" for k, v in change.items()) or "defaults"
        rows.append({"setting": label, **scores.mean().round(4).to_dict()})
        print(rows[-1], f"{time.perf_counter() - start:.0f} s", flush=True)
        pd.DataFrame(rows).to_csv(arguments.out, index=False)


if __name__ == "__main__":
    main()
