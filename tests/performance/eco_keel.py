"""The ECO-ensemble on small KEEL sets, beside SMOTE with one network, and bagging.

KEEL's own five folds, one seed a fold. All rows have the same network (the one of the bagging,
without class weights but for the bagging itself). "first generation" is the ensemble without an
evolution: ten random ways to over-sample.

    SKIMBAL_DATA=... python tests/performance/eco_keel.py --out docs/results/eco_keel.csv
"""

import argparse
from pathlib import Path
from time import process_time

import pandas as pd
import torch
from _tiny import first, parse_arguments
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from sklearn.model_selection import train_test_split

from skimbal import BalancedBaggingNetClassifier, ECOEnsembleClassifier
from skimbal.datasets import load_keel
from skimbal.ensemble import default_network
from skimbal.metrics import g_mean

SETS = ("haberman", "glass1", "ecoli3", "yeast-2_vs_8", "glass4")
FOLDS = (1, 2, 3, 4, 5)
SEARCH = {"population_size": 10, "max_generations": 5}


def make_models(seed):
    """Classifiers by the names of the rows."""
    network = default_network().set_params(class_weight=None, standardize=True, random_state=seed)
    smote = SMOTE(k_neighbors=3, random_state=seed)
    return {
        "network": network,
        "SMOTE, network": make_pipeline(smote, network),
        "bagging": BalancedBaggingNetClassifier(random_state=seed),
        "bagging, no costs": BalancedBaggingNetClassifier(tune_costs=False, random_state=seed),
        "ECO, first generation": ECOEnsembleClassifier(
            network, random_state=seed, **SEARCH | {"max_generations": 1}
        ),
        "ECO": ECOEnsembleClassifier(network, random_state=seed, **SEARCH),
    }


def load(name, fold):
    """Training and test data of a fold; 0 is that of the short run, which has no official folds."""
    if fold:
        return load_keel(name, fold=fold, return_X_y=True)
    X, y = load_keel(name, return_X_y=True)
    return train_test_split(X, y, stratify=y, random_state=0)


def evaluate(name, fold):
    """The rows of a fold."""
    X, X_test, y, y_test = load(name, fold)
    for method, model in make_models(fold).items():
        started = process_time()
        model.fit(X, y)
        seconds = process_time() - started
        score = 100 * g_mean(y_test, model.predict(X_test))
        found = 100 * model.best_score_ if hasattr(model, "best_score_") else None
        yield {"method": method, "set": name, "G-mean": score, "best": found, "fit, s": seconds}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, type=Path)
    arguments = parse_arguments(
        parser,
        globals(),
        SETS=first(SETS),
        FOLDS=(0,),
        SEARCH={"population_size": 3, "max_generations": 2},
    )
    torch.set_num_threads(1)
    rows = []
    for name in SETS:
        for fold in FOLDS:
            rows += evaluate(name, fold)
        print(pd.DataFrame(rows[-len(FOLDS) * 6 :]).groupby("method", sort=False).mean("G-mean"))
    cells = pd.DataFrame(rows)
    table = cells.pivot_table("G-mean", "method", "set", sort=False)
    table["mean"] = table.mean(axis=1)
    by_method = cells.groupby("method", sort=False)
    table["best score of the search"] = by_method["best"].mean()
    table = table.round(1)
    table["fit, s"] = by_method["fit, s"].mean().round(2)
    table.to_csv(arguments.out)
    print(table.to_string())


if __name__ == "__main__":
    main()
