"""Compare settings of BalancedBaggingNetClassifier; its defaults were chosen with this table.

On the problems of ecs_dbn_defaults.py, none of which shares its source with the 58 sets of the
results page. Each row changes one thing of the defaults; test G-mean on stratified folds, with
costs that are found out of bag and shrunk by different amounts toward equal ones, and with the
median time of a fit.

    python tests/performance/bagging_defaults.py --out docs/results/bagging_defaults.csv
"""

import argparse
import time

import numpy as np
import pandas as pd
import torch
from _tiny import first, parse_arguments
from ecs_dbn_defaults import DATASETS, STANDARD_SETS, load_problem
from imblearn.ensemble import BalancedRandomForestClassifier
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.model_selection import StratifiedKFold
from tqdm import tqdm

from skimbal import BalancedBaggingNetClassifier, FixedCostClassifier
from skimbal.cost_sensitive import find_costs
from skimbal.ensemble import default_network
from skimbal.metrics import decide_by_costs, g_mean, prior_costs

SHRINKAGES = [0.0, 0.25, 0.5, 0.75, 1.0]
ROWS = {
    "default": {},
    "30 epochs": {"estimator__max_epochs": 30},
    "120 epochs": {"estimator__max_epochs": 120},
    "no mixup": {"estimator__mixup": 0.0},
    "weight decay 0.01": {"estimator__weight_decay": 0.01},
    "one layer": {"estimator__hidden_layer_sizes": (32,)},
    "two wider layers": {"estimator__hidden_layer_sizes": (64, 64)},
    "no class weights": {"estimator__class_weight": None},
    "balanced bags, no class weights": {
        "sampling_strategy": "auto",
        "estimator__class_weight": None,
    },
    "standardized and ranks": {"encoding": "both"},
    "30 networks": {"n_estimators": 30},
}
PEERS = {
    "extra trees, 200, at the prior": lambda seed: FixedCostClassifier(
        ExtraTreesClassifier(200, min_samples_leaf=2, random_state=seed)
    ),
    "balanced random forest, 200": lambda seed: BalancedRandomForestClassifier(
        200, random_state=seed
    ),
}


def shrunk_scores(ensemble, target, y_train, X_test, y_test):
    """G-mean for each shrinkage, from one fitted ensemble."""
    judged = ~np.isnan(ensemble.oob_proba_[:, 0])
    best = find_costs(y_train[judged], ensemble.oob_proba_[judged], random_state=0).costs
    proba = ensemble.predict_proba(X_test)
    for shrinkage in SHRINKAGES:
        costs = best ** (1 - shrinkage) * target**shrinkage
        yield shrinkage, g_mean(y_test, decide_by_costs(proba, costs))


def scores_of(name, seed, n_folds):
    X, y = load_problem(name)
    splits = StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(X, y)
    for fold, (train, test) in enumerate(splits):
        for row, changes in ROWS.items():
            ensemble = BalancedBaggingNetClassifier(default_network(), random_state=seed + fold)
            start = time.process_time()
            ensemble.set_params(**changes).fit(X[train], y[train])
            seconds = time.process_time() - start
            weighted = ensemble.estimator.class_weight or ensemble.sampling_strategy
            target = np.ones(2) if weighted else prior_costs(np.bincount(y[train]))
            for shrinkage, score in shrunk_scores(ensemble, target, y[train], X[test], y[test]):
                yield row, shrinkage, name, score, seconds
        for row, make in PEERS.items():
            start = time.process_time()
            peer = make(seed + fold).fit(X[train], y[train])
            seconds = time.process_time() - start
            yield row, 1.0, name, g_mean(y[test], peer.predict(X[test])), seconds


def summary(scores):
    """Mean G-mean over the problems by shrinkage, rank at a half, and the time of a fit."""
    table = scores.groupby(["row", "shrinkage", "problem"]).g_mean.mean().unstack("problem")
    means = table.mean(axis=1).unstack("shrinkage").round(4)
    means.columns = [f"shrinkage {shrinkage:g}" for shrinkage in means.columns]
    half = table[table.index.get_level_values("shrinkage") == 0.5].droplevel("shrinkage")
    means["rank at 0.5"] = half.rank(ascending=False).mean(axis=1).round(2)
    means["fit_s"] = scores.groupby("row").seconds.median().round(3)
    return means.loc[[*ROWS, *PEERS]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=1)
    arguments = parse_arguments(
        parser,
        globals(),
        ROWS=first(ROWS, 2),
        PEERS=first(PEERS),
        DATASETS=[],
        STANDARD_SETS=["wine"],
        folds=2,
    )
    torch.set_num_threads(1)
    cells = [(n, s) for n in [*DATASETS, *STANDARD_SETS] for s in range(arguments.seeds)]
    rows = [row for cell in tqdm(cells) for row in scores_of(*cell, arguments.folds)]
    columns = ["row", "shrinkage", "problem", "g_mean", "seconds"]
    table = summary(pd.DataFrame(rows, columns=columns))
    table.to_csv(arguments.out)
    print(table.to_string())


if __name__ == "__main__":
    main()
