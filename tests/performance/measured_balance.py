"""Compare what the costs of networks that balance the classes are shrunk to.

    python tests/performance/measured_balance.py --out docs/results/measured_balance.csv

For each of 24 imbalanced KEEL sets, three of its official folds, and each way to balance the
classes or not, an MLP and the network of ECS-DBN give out-of-fold probabilities of the training
samples. The costs with the best G-mean on them are moved toward a target. The columns are means
over the sets of the test G-mean. "best" is the best costs, not moved. "measured" is moved half way
to the measured costs, as `TunedCostClassifierCV(shrinkage=0.5)` does. "guessed" is the rule
before: half way to equal costs with `class_weight`, else to the inverse class frequencies.
"equal", "inverse frequency" and "measured alone" are these targets without a search.
"""

import argparse
import itertools
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _tiny import parse_arguments
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from skimbal import DBNClassifier, MLPClassifier
from skimbal.cost_sensitive import find_costs
from skimbal.datasets import load_keel
from skimbal.losses import LogitAdjustment
from skimbal.metrics import decide_by_costs, g_mean, prior_costs
from skimbal.neural_network import cross_fit

DATASETS = [
    *("abalone9-18", "cleveland-0_vs_4", "ecoli-0-1-4-6_vs_5", "ecoli-0-2-3-4_vs_5", "ecoli3"),
    *("glass-0-1-6_vs_2", "glass0", "glass1", "glass4", "glass6", "haberman", "iris0"),
    *("led7digit-0-2-4-5-6-7-8-9_vs_1", "new-thyroid1", "page-blocks-1-3_vs_4", "pima"),
    *("shuttle-c2-vs-c4", "vehicle0", "vowel0", "wisconsin", "yeast-1_vs_7", "yeast1", "yeast4"),
    *("yeast-2_vs_8",),
]
WAYS = {
    "plain": {},
    "class weights": {"class_weight": "balanced"},
    "balanced sampler": {"sampler": "balanced"},
    "balanced softmax": {"loss": "balanced_softmax"},
    "logit adjustment, tau=0.5": {"loss": LogitAdjustment(tau=0.5)},
    "SMOTE pipeline": {},
}
FOLDS = (2, 3, 4)
SHRINKAGE = 0.5
EPOCHS = 40
NETWORKS = {"MLP": MLPClassifier, "DBN": partial(DBNClassifier, pretrain_epochs=20)}


def make_classifier(name, way, n_rare, seed):
    """The network; for SMOTE as the last step of a pipeline."""
    network = NETWORKS[name](max_epochs=EPOCHS, random_state=seed, **WAYS[way])
    if way != "SMOTE pipeline":
        return network
    smote = SMOTE(k_neighbors=max(1, min(5, n_rare - 1)), random_state=seed)
    return make_pipeline(StandardScaler(), smote, network)


def shrunk(best, target):
    """Log costs half way between two costs."""
    return (1 - SHRINKAGE) * np.log(best) + SHRINKAGE * np.log(target)


def scores_of(network, name, fold, way):
    """Test G-mean of all rules on one fold."""
    if fold == 0:  # of the short run, which has no official folds
        X, y = load_keel(name, return_X_y=True)
        X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=0)
    else:
        X, X_test, y, y_test = load_keel(name, fold=fold)
    counts = np.unique(y, return_counts=True)[1]
    n_folds = int(min(5, counts.min()))
    splits = list(StratifiedKFold(n_folds, shuffle=True, random_state=fold).split(X, y))
    n_rare = counts.min() - -(-counts.min() // n_folds)
    classifier = make_classifier(network, way, n_rare, fold)
    proba = cross_fit(clone(classifier), X, y, splits)
    test_proba = classifier.fit(X, y).predict_proba(X_test)
    scores = rule_scores(y, proba, y_test, test_proba, way)
    return {"network": network, "dataset": name, "fold": fold, "way": way, **scores}


def rule_scores(y, proba, y_test, test_proba, way):
    """Test G-mean of all rules, from the probabilities of both sets of samples."""
    labels, counts = np.unique(y, return_counts=True)
    best = find_costs(y, proba).costs
    measured = find_costs(y, proba, shrinkage=1.0).costs
    prior, equal = prior_costs(counts), np.ones(2)
    guess = equal if "class_weight" in WAYS[way] else prior
    log_costs = {
        "best": np.log(best),
        "measured": shrunk(best, measured),
        "guessed": shrunk(best, guess),
        "equal": np.log(equal),
        "inverse frequency": np.log(prior),
        "measured alone": np.log(measured),
    }
    return {
        rule: g_mean(y_test, labels[decide_by_costs(test_proba, np.exp(costs))])
        for rule, costs in log_costs.items()
    }


def summarize(scores):
    """Means over the sets, and what the measured target adds to the best and to the guess."""
    keys = ["network", "way"]
    by_set = scores.drop(columns="fold").groupby([*keys, "dataset"]).mean()
    rows = [(network, way) for network in NETWORKS for way in WAYS]
    table = by_set.groupby(keys).mean().reindex(rows).dropna(how="all")
    for rule in ("best", "guessed"):
        difference = (by_set["measured"] - by_set[rule]).groupby(keys)
        table[f"measured - {rule}"] = difference.mean()
        table[f"its standard error ({rule})"] = difference.sem()
    return table.round(4)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="CSV file to write")
    parser.add_argument("--network", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--jobs", type=int, default=1)
    tiny = {"DATASETS": ["glass4"], "FOLDS": (0,), "EPOCHS": 2}
    arguments = parse_arguments(parser, globals(), **tiny)
    torch.set_num_threads(1)
    parts = [arguments.network, DATASETS, FOLDS, WAYS]
    cells = list(itertools.product(*parts))
    run = Parallel(n_jobs=arguments.jobs, return_as="generator")
    rows = run(delayed(scores_of)(*cell) for cell in cells)
    scores = pd.DataFrame(tqdm(rows, total=len(cells)))
    table = summarize(scores)
    table.reset_index().to_csv(arguments.out, index=False)
    print(table.round(3).to_string())


if __name__ == "__main__":
    main()
