"""Ensembles on the development problems: one-hot columns as they are, and early stopping.

On problems of development_problems.py, none of which shares its source with the 58 sets of the
results page: all those with one-hot columns, and a third of the others. Each row changes one thing
of the first one, the default ensemble on one-hot columns as they are. The scores are those of
stratified folds. The difference of the out-of-bag
and the test score says how optimistic the first is: early stopping sees the samples that the
out-of-bag probabilities are of.

    python tests/performance/ensemble_problems.py --out docs/results/ensemble_problems.csv
"""

import argparse
import warnings
from pathlib import Path
from time import process_time

import pandas as pd
import torch
from _tiny import parse_arguments
from development_problems import PROBLEMS, load_problem, paired_difference
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold

from skimbal import BalancedBaggingNetClassifier
from skimbal._training.tables import one_hot_units
from skimbal.ensemble import default_network
from skimbal.ensemble._encoding import make_encoder
from skimbal.metrics import g_mean

SCORES = ["g_mean", "auc", "average_precision", "optimism"]
COLUMNS = ["problem", "fold", "row", *SCORES, "cpu_s"]
BASE = "one-hot columns as they are"
ROWS = {
    BASE: ("one-hot", False),
    "one-hot columns standardized": ("standard", False),
    "stopped out of bag": ("one-hot", True),
}


def scores_of(X, y, name, n_folds):
    """Yield the scores of each fold and row; equal inputs are not fitted twice."""
    splits = StratifiedKFold(n_folds, shuffle=True, random_state=0).split(X, y)
    for fold, (train, test) in enumerate(splits):
        has_one_hot = (one_hot_units(X[train]) > 0).any()
        for row, (encoding, stops) in ROWS.items():
            if encoding == "standard" and not has_one_hot:
                continue
            encoder = make_encoder(encoding, len(train)).fit(X[train])
            own, other = encoder.transform(X[train]), encoder.transform(X[test])
            network = default_network().set_params(early_stopping=stops)
            ensemble = BalancedBaggingNetClassifier(network, encoding=None, random_state=fold)
            started = process_time()
            ensemble.fit(own, y[train])
            cpu_s = process_time() - started
            proba = ensemble.predict_proba(other)[:, 1]
            score = g_mean(y[test], ensemble.predict(other))
            ranks = roc_auc_score(y[test], proba), average_precision_score(y[test], proba)
            yield name, fold, row, score, *ranks, ensemble.oob_score_ - score, cpu_s


def summary(cells):
    """Means, and differences to the first row with standard errors over sources."""
    by_problem = cells.groupby(["row", "problem"])[[*SCORES, "cpu_s"]].mean()
    base, rows = by_problem.loc[BASE], []
    for row in list(ROWS)[1:]:
        own = by_problem.loc[row]
        means = own.mean()
        for score in SCORES:
            mean, error = paired_difference(own[score] - base.loc[own.index, score])
            before = base.loc[own.index, score].mean()
            rows.append((row, len(own), score, before, means[score], mean, error, means["cpu_s"]))
    names = ["row", "problems", "score", "of the first row", "mean", "difference", "error", "cpu_s"]
    return pd.DataFrame(rows, columns=names).round(3)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cells", type=Path, help="rows so far; those that are there are kept")
    parser.add_argument("--folds", type=int, default=2)
    arguments = parse_arguments(parser, globals(), PROBLEMS=["crx-1", "breast-1"])
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    path = arguments.cells
    is_begun = path is not None and path.exists()
    done = pd.read_csv(path) if is_begun else pd.DataFrame(columns=COLUMNS)
    for i, name in enumerate(PROBLEMS):
        X, y = load_problem(name)
        is_one_hot = (one_hot_units(X) > 0).any()
        if name in set(done["problem"]) or not (is_one_hot or i % 3 == 0):
            continue
        rows = list(scores_of(X, y, name, arguments.folds))
        done = pd.concat([done, pd.DataFrame(rows, columns=COLUMNS)], ignore_index=True)
        if path is not None:
            done.to_csv(path, index=False)
    table = summary(done)
    table.to_csv(arguments.out, index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
