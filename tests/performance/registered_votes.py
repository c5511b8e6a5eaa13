"""Run the registered tests (a) to (c) and (e) to (h) of docs/development/registered_tests.rst.

    python tests/performance/registered_votes.py --cells cells --out docs/results/registered_votes

Each method is fitted once for a problem, a seed and a fold. The folder of cells keeps the
probabilities of the held-out and of the test rows, so a run that is stopped goes on where it was,
and all rules are computed from these numbers. The tables are the scores on each problem
(registered_votes_problems.csv), the means (registered_votes.csv) and the tests
(registered_votes_tests.csv).
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _tiny import parse_arguments
from development_problems import PROBLEMS, load_problem, paired_difference
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, log_expit, logit, softmax
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.utils import check_random_state
from tqdm import tqdm

from skimbal import BalancedBaggingNetClassifier
from skimbal.cost_sensitive import find_costs
from skimbal.cost_sensitive._measured_balance import measured_costs
from skimbal.ensemble import WeightedELMClassifier, default_network
from skimbal.metrics import decide_by_costs

N_FOLDS = 3
SEEDS = (0, 1)
N_PIECES = 8
N_TREES = 200
WIDTH, COUNT = 0.7, 0.5  # of the smoothed threshold
EQUAL = 0.5  # share of class 1
RULES = ("half-way", "smoothed")


class RandomPieces(TransformerMixin, BaseEstimator):
    """Standardized columns, and pieces of some of them between quantiles at random levels."""

    def __init__(self, columns=(), random_state=None):
        self.columns = columns
        self.random_state = random_state

    def fit(self, X, y=None):
        """Draw the knots."""
        rng = check_random_state(self.random_state)
        levels = np.sort(rng.uniform(size=(N_PIECES - 1, len(self.columns))), axis=0)
        ends = np.zeros((1, len(self.columns)))
        levels = np.vstack([ends, levels, ends + 1])
        pairs = zip(X[:, self.columns].T, levels.T, strict=True)
        self.knots_ = np.array([np.quantile(column, own) for column, own in pairs])
        return self

    def transform(self, X):
        """Return the columns and their pieces, from -1 to 1."""
        parts = [X]
        for column, knots in zip(X[:, self.columns].T, self.knots_, strict=True):
            width = np.maximum(np.diff(knots), 1e-12)
            parts.append(2 * ((column[:, None] - knots[:-1]) / width).clip(0, 1) - 1)
        return np.hstack(parts)


def fit_networks(X, y, seed):
    """The ensemble and its out-of-bag probabilities."""
    ensemble = BalancedBaggingNetClassifier(random_state=seed).fit(X, y)
    return ensemble, ensemble.oob_proba_


def fit_kernel(X, y, seed):
    """The extreme learning machine and its leave-one-out probabilities."""
    machine = WeightedELMClassifier(random_state=seed).fit(X, y)
    return machine, machine.loo_proba_


def fit_trees(X, y, seed):
    """Extra trees of bootstraps and their out-of-bag probabilities."""
    trees = ExtraTreesClassifier(
        N_TREES, min_samples_leaf=2, bootstrap=True, oob_score=True, random_state=seed
    )
    return trees.fit(X, y), trees.oob_decision_function_


def fit_piecewise(X, y, seed):
    """The ensemble with random piecewise-linear inputs."""
    columns = [j for j, column in enumerate(X.T) if len(np.unique(column)) > 2]
    member = make_pipeline(RandomPieces(columns), default_network())
    ensemble = BalancedBaggingNetClassifier(member, encoding="standard", random_state=seed)
    return ensemble.fit(X, y), ensemble.oob_proba_


METHODS = {
    "networks": fit_networks,
    "kernel": fit_kernel,
    "trees": fit_trees,
    "piecewise": fit_piecewise,
}
MEMBERS = ["networks", "kernel", "trees"]


def fit_cell(path, X, y, train, test, seed):
    """Fit each method; write probabilities of class 1 and processor seconds."""
    cell = {"y_train": y[train], "y_test": y[test], "test": test}
    for name, fit in METHODS.items():
        start = time.process_time()
        fitted, held_out = fit(X[train], y[train], seed)
        cell[f"{name}_seconds"] = time.process_time() - start
        cell[f"{name}_held_out"] = held_out[:, 1]
        cell[f"{name}_test"] = fitted.predict_proba(X[test])[:, 1]
    temporary = path.with_suffix(".part.npz")
    np.savez_compressed(temporary, **cell)
    temporary.rename(path)


def cells_of(name, folder):
    """The files of a problem."""
    return [folder / f"{name}_{seed}_{fold}.npz" for seed in SEEDS for fold in range(N_FOLDS)]


def fit_problem(name, folder):
    """Fit the cells of a problem that are not there."""
    X, y = load_problem(name)
    for seed in SEEDS:
        splits = StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed).split(X, y)
        for fold, (train, test) in enumerate(splits):
            path = folder / f"{name}_{seed}_{fold}.npz"
            if not path.exists():
                fit_cell(path, X, y, train, test, 10 * seed + fold)


# ------------------------------------------------------------ rules on stored probabilities


def both(proba):
    """Probabilities of class 1 as rows of two."""
    return np.column_stack([1 - proba, proba])


def at_prior(proba, training, data):
    """Log-odds of class 1 for the share `data` of it, of probabilities for the share `training`."""
    return logit(proba) - logit(training) + logit(data)


def smoothed_threshold(log_odds, y):
    """The threshold with the largest smoothed G-mean."""
    positive, negative = log_odds[y == 1], log_odds[y == 0]

    def loss(t):
        hits = (COUNT + expit((positive - t) / WIDTH).sum()) / (2 * COUNT + len(positive))
        rejections = (COUNT + expit((t - negative) / WIDTH).sum()) / (2 * COUNT + len(negative))
        return -np.log(hits) - np.log(rejections)

    grid = np.linspace(log_odds.min() - 3, log_odds.max() + 3, 300)
    i = np.clip(np.argmin([loss(t) for t in grid]), 1, len(grid) - 2)
    return minimize_scalar(loss, bounds=(grid[i - 1], grid[i + 1]), method="bounded").x


def balanced_share(y):
    """Weight of each row: a half for each class."""
    return 0.5 / np.bincount(y)[y]


def logistic_weights(z, y):
    """Weights >= 0 of log-odds and a constant, by balanced likelihood with a small ridge."""
    share, sign, k = balanced_share(y), 2.0 * y - 1.0, z.shape[1]

    def loss(w):
        likelihood = share @ log_expit(sign * (z @ w[:k] + w[k]))
        return -likelihood + ((w[:k] - 1 / k) ** 2).sum() / len(y)

    start = np.append(np.full(k, 1 / k), 0.0)
    return minimize(loss, start, bounds=[(0, None)] * k + [(None, None)]).x


def convex_weights(proba, y):
    """Weights of probabilities that add up to 1, by balanced likelihood."""
    share = balanced_share(y)
    given = np.where(y[:, None] == 1, proba, 1 - proba)

    def loss(logits):
        return -share @ np.log(given @ softmax(logits))

    return softmax(minimize(loss, np.zeros(proba.shape[1])).x)


def measured(parts, y):
    """The vote with probabilities that are balanced by costs measured on held-out rows.

    `parts` are the log-odds as the members give them, held out and test.
    """
    ratios = []
    for z in parts[0].T:
        costs = measured_costs(y, both(expit(z)))
        ratios.append(np.log(costs[1] / costs[0]))
    return (*(expit(z + ratios).mean(axis=1) for z in parts), EQUAL)


def combine(members, data, y):
    """Combinations of members, {name: (held out, test, share of class 1)}.

    `members` has pairs (held out, test) of log-odds for equal class frequencies.
    """
    held_out = np.column_stack([member[0] for member in members.values()])
    test = np.column_stack([member[1] for member in members.values()])
    columns = list(members)

    def vote(names):
        j = [columns.index(name) for name in names]
        return (*(expit(z[:, j]).mean(axis=1) for z in (held_out, test)), EQUAL)

    shift = logit(data)
    parts = [held_out[:, :3], test[:, :3]]
    w = logistic_weights(parts[0], y)
    convex = convex_weights(expit(parts[0]), y)
    return {
        **{name: vote([name]) for name in columns},
        "networks + kernel": vote(["networks", "kernel"]),
        "networks + trees": vote(["networks", "trees"]),
        "kernel + trees": vote(["kernel", "trees"]),
        "three": vote(MEMBERS),
        "three, logistic stacking": (*(expit(z @ w[:3] + w[3]) for z in parts), EQUAL),
        "three, convex stacking": (*(expit(z) @ convex for z in parts), EQUAL),
        "three, frequencies of the data": (*(expit(z + shift).mean(axis=1) for z in parts), data),
        "three, log-odds": (*(expit(z.mean(axis=1)) for z in parts), EQUAL),
        "three, measured balance": measured([z + np.array([0, 0, shift]) for z in parts], y),
    }


def scores_of_cell(path):
    """Scores and counts of decisions of all combinations on one cell."""
    with np.load(path) as cell:
        cell = dict(cell)
    y, y_test = cell["y_train"], cell["y_test"]
    data = y.mean()
    cut = 0.5 / len(y)
    members = {}
    for name in METHODS:
        given = data if name == "trees" else EQUAL
        pair = (cell[f"{name}_{part}"] for part in ("held_out", "test"))
        members[name] = [at_prior(p.clip(cut, 1 - cut), given, EQUAL) for p in pair]
    known = ~np.isnan(np.column_stack([z for z, _ in members.values()])).any(axis=1)
    members = {name: (z[known], test) for name, (z, test) in members.items()}
    for name, (held_out, test, prior) in combine(members, data, y[known]).items():
        costs = find_costs(y[known], both(held_out), shrinkage=0.5, random_state=0).costs
        threshold = smoothed_threshold(logit(held_out.clip(cut, 1 - cut)), y[known])
        log_odds = logit(test.clip(cut, 1 - cut))
        posterior = expit(at_prior(test, prior, data)).clip(cut, 1 - cut)
        decided = {
            "half-way": decide_by_costs(both(test), costs),
            "smoothed": (log_odds > threshold).astype(int),
        }
        row = {
            "method": name,
            "AUC": roc_auc_score(y_test, test),
            "AP": average_precision_score(y_test, test),
            "log loss": -np.log(np.where(y_test == 1, posterior, 1 - posterior)).sum(),
            "n_rows": len(y_test),
            "seconds": float(cell.get(f"{name}_seconds", np.nan)),
        }
        for rule, labels in decided.items():
            for c in (0, 1):
                row[f"{rule} {c}"] = (labels[y_test == c] == c).sum()
        yield row | {"n 0": (y_test == 0).sum(), "n 1": (y_test == 1).sum()}


def scores_of_problem(name, folder):
    """Scores of all combinations on a problem, means over the seeds."""
    rows = [
        row | {"seed": seed}
        for seed in SEEDS
        for fold in range(N_FOLDS)
        for row in scores_of_cell(folder / f"{name}_{seed}_{fold}.npz")
    ]
    groups = pd.DataFrame(rows).groupby(["method", "seed"], sort=False)
    sums, means = groups.sum(), groups.mean()
    table = means[["AUC", "AP", "seconds"]].assign(**{"log loss": sums["log loss"] / sums.n_rows})
    for rule in RULES:
        rates = [sums[f"{rule} {c}"] / sums[f"n {c}"] for c in (0, 1)]
        table[f"G-mean, {rule}"] = np.sqrt(rates[0] * rates[1])
    return table.groupby("method", sort=False).mean().assign(problem=name)


# ------------------------------------------------------------ the tests

SCORES = ["G-mean, half-way", "AUC", "AP", "log loss"]
TESTS = [  # test, candidate, control
    ("b", "networks + kernel", "networks"),
    ("c", "piecewise", "networks"),
    ("e", "three", "networks + kernel"),
    ("e", "three", "networks + trees"),
    ("f", "three, logistic stacking", "three"),
    ("f", "three, convex stacking", "three"),
    ("g", "three, frequencies of the data", "three"),
    ("g", "three, log-odds", "three"),
    ("g", "three, measured balance", "three"),
    ("h", "three", "networks"),
    ("h", "three", "kernel"),
    ("h", "three", "trees"),
    ("h", "networks + kernel", "networks"),
    ("h", "networks + kernel", "kernel"),
    ("h", "networks + kernel", "trees"),
]


def with_error(differences):
    """A difference and its standard error as a text."""
    mean, error = paired_difference(differences)
    return f"{mean:+.4f} ± {error:.4f}"


def test_table(scores):
    """Differences of the registered pairs, positive where the candidate is better."""
    rows = []
    for test, candidate, control in TESTS:
        pair = [scores[score].unstack("method")[[candidate, control]] for score in SCORES]
        signs = [1, 1, 1, -1]
        texts = [
            with_error(sign * (p[candidate] - p[control]))
            for sign, p in zip(signs, pair, strict=True)
        ]
        rows.append([test, candidate, control, *texts])
    for name in ("networks", "kernel", "trees", "three"):
        pair = [
            scores[f"G-mean, {rule}"].unstack("method")[name] for rule in ("smoothed", "half-way")
        ]
        text = with_error(pair[0] - pair[1])
        rows.append(["a", f"{name}, smoothed", f"{name}, half-way", text, "", "", ""])
    table = pd.DataFrame(rows, columns=["test", "candidate", "control", "G-mean", *SCORES[1:]])
    return table.sort_values("test", kind="stable")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="start of the names of the tables")
    parser.add_argument("--cells", type=Path, help="folder of the cells")
    parser.add_argument("--minutes", type=float, default=50, help="processor time at most")
    tiny = {"PROBLEMS": ["wine", "titanic"], "SEEDS": (0,), "N_TREES": 20}
    arguments = parse_arguments(parser, globals(), **tiny)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", UserWarning)
    folder = arguments.cells or Path(f"{arguments.out}_cells")
    folder.mkdir(parents=True, exist_ok=True)
    names = sorted(PROBLEMS, key=lambda name: len(load_problem(name)[1]))
    done = []
    for name in tqdm(names):
        is_over = time.process_time() > 60 * arguments.minutes
        if is_over and not all(path.exists() for path in cells_of(name, folder)):
            break
        fit_problem(name, folder)
        done.append(name)
    scores = pd.concat([scores_of_problem(name, folder) for name in done])
    scores = scores.set_index("problem", append=True)
    out = str(arguments.out)
    scores.round(5).reset_index().to_csv(f"{out}_problems.csv", index=False)
    means = scores.groupby("method", sort=False).mean().round(4)
    order = [*(f"G-mean, {rule}" for rule in RULES), *SCORES[1:], "seconds"]
    means[order].reset_index().to_csv(f"{out}.csv", index=False)
    table = test_table(scores)
    table.to_csv(f"{out}_tests.csv", index=False)
    print(
        f"{len(done)} of {len(PROBLEMS)} problems", means.to_string(), table.to_string(), sep="\n"
    )


if __name__ == "__main__":
    main()
