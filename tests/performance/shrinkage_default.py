"""G-mean over the shrinkage of the costs, on the KEEL sets of dbn_defaults.py.

The default of `shrinkage` was chosen with this table: outer 5-fold cross-validation, costs found on
the out-of-fold posteriors of 5 inner folds, one network per fold for all shrinkages.

    python tests/performance/shrinkage_default.py --out docs/results/shrinkage_default.csv
"""

import argparse

import numpy as np
import pandas as pd
import torch
from dbn_defaults import DATASETS
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from skimbal import DBNClassifier
from skimbal.cost_sensitive import find_costs
from skimbal.datasets import load_keel
from skimbal.metrics import decide_by_costs, g_mean, prior_costs

SHRINKAGES = [0.0, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0]


def scores_of(name, class_weight, seed):
    """Mean test G-mean of each shrinkage, toward the prior's and toward equal costs."""
    X, y = load_keel(name, return_X_y=True)
    rows = []
    for fold, (train, test) in enumerate(
        StratifiedKFold(5, shuffle=True, random_state=seed).split(X, y)
    ):
        network = DBNClassifier(class_weight=class_weight, random_state=seed)
        smallest = np.unique(y[train], return_counts=True)[1].min()
        inner = StratifiedKFold(min(5, smallest), shuffle=True, random_state=seed)
        proba = cross_val_predict(network, X[train], y[train], cv=inner, method="predict_proba")
        optimum = np.log(find_costs(y[train], proba).costs)
        prior = np.log(prior_costs(np.unique(y[train], return_counts=True)[1]))
        network.fit(X[train], y[train])
        posteriors = network.predict_proba(X[test])
        for toward, target in {"prior": prior, "equal": np.zeros(2)}.items():
            for shrinkage in SHRINKAGES:
                costs = np.exp((1 - shrinkage) * optimum + shrinkage * target)
                labels = network.classes_[decide_by_costs(posteriors, costs)]
                rows.append((fold, toward, shrinkage, g_mean(y[test], labels)))
    table = pd.DataFrame(rows, columns=["fold", "toward", "shrinkage", "g_mean"])
    return table.assign(dataset=name, class_weight=str(class_weight))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    tables = []
    for class_weight in ("balanced", None):
        for name in DATASETS:
            tables.append(scores_of(name, class_weight, arguments.seed))
            print(class_weight, name, flush=True)
        mean = pd.concat(tables).groupby(["class_weight", "toward", "shrinkage"]).g_mean.mean()
        mean.round(4).reset_index().to_csv(arguments.out, index=False)
    print(mean.unstack("shrinkage").round(4).to_string())


if __name__ == "__main__":
    main()
