"""Choose the networks of BalancedBaggingNetClassifier for larger tables: the registered test (i).

The protocol is docs/development/registered_tests.rst. Each row of the cells is one candidate on one
problem and seed. Cells that the file has are not run again.

    python tests/performance/ensemble_choice.py --cells docs/results/ensemble_choice_cells.csv \
        --out docs/results/ensemble_choice.csv
"""

import argparse
import csv
import warnings
from itertools import product
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd
import torch
from _tiny import first, parse_arguments
from development_problems import load_problem, source_of
from mixed_tables import TABLES, Table, split
from scipy.sparse import issparse
from table_defaults_choice import (
    SCORES,
    clipped,
    development,
    differences,
    large_problem,
    scored,
    time_ratio,
)

from skimbal import BalancedBaggingNetClassifier, FixedCostClassifier, MLPClassifier
from skimbal.cost_sensitive import find_costs
from skimbal.ensemble import default_network
from skimbal.metrics import correct_prior, decide_by_costs, g_mean
from skimbal.preprocessing import TableEncoder

LARGE = ["letter", "magic", "marketing", "penbased", "phoneme", "ring"]
LARGE += ["optdigits-3", "satimage-2", "texture-3"]
MEDIUM = ["car-good", "flare-F", "kr-vs-k-zero_vs_eight", "winequality-red-4", "banana"]
MEDIUM += ["contraceptive", "spambase", "letter-4", "marketing-3", "optdigits-2", "penbased-4"]
MEDIUM += ["phoneme-2"]
MAX_ROWS = 6000  # of a large problem
MAX_RATIO = 10
ALSO_BALANCED = ("plain training", "five plain networks")
BALANCED_MEAN = ", balanced mean"
TEST_SHARE = 0.3

BASE, NETWORK = "default", "one network"
# Name -> networks of an ensemble, parameters of the ensemble, and whether the probabilities are for
# equal class frequencies.
PLAIN = {"class_weight": None, "mixup": 0.0, "weight_decay": 0.01}
SOFTMAX = {"class_weight": None, "loss": "balanced_softmax"}
CANDIDATES: dict = {
    BASE: (default_network(), {}, True),
    "no class weights": (default_network().set_params(class_weight=None), {}, False),
    "balanced softmax": (default_network().set_params(**SOFTMAX), {}, True),
    "five plain networks": (MLPClassifier(), {"n_estimators": 5}, False),
    "five plain networks, balanced softmax": (
        MLPClassifier(loss="balanced_softmax"),
        {"n_estimators": 5},
        True,
    ),
    "plain training": (default_network().set_params(**PLAIN), {}, False),
    "plain training, stopped": (
        default_network().set_params(**PLAIN, early_stopping=True),
        {},
        False,
    ),
    "no class weights, little decay": (
        default_network().set_params(class_weight=None, weight_decay=0.01),
        {},
        False,
    ),
    "little decay": (default_network().set_params(weight_decay=0.01), {}, True),
    "no mixup, little decay": (
        default_network().set_params(mixup=0.0, weight_decay=0.01),
        {},
        True,
    ),
    f"bags of {MAX_RATIO} : 1": (default_network(), {"sampling_strategy": "limited"}, True),
}
FIELDS = ["set", "problem", "source", "n_rows", "seed", "setting", *SCORES, "epochs", "cpu_s"]


def mixed_parts(name, seed):
    """Rows to fit and to score of a mixed table, as numbers."""
    train, test = split(development(name), TEST_SHARE, seed)
    if isinstance(train.X, np.ndarray):
        return tuple(Table(t.X.astype(np.float32), t.y, t.groups) for t in (train, test))
    encoder = TableEncoder(random_state=seed)
    X = encoder.fit_transform(train.X, train.y, groups=train.groups)
    return Table(X, train.y, train.groups), Table(encoder.transform(test.X), test.y)


def problem_parts(name, seed):
    """Rows to fit and to score of a large or a medium problem."""
    if name in LARGE[:6]:
        table = large_problem(name)
        rows = np.random.default_rng(seed).permutation(len(table.y))[:MAX_ROWS]
        return split(table.take(rows), TEST_SHARE, seed)
    X, y = load_problem(name)
    return split(Table(X.astype(np.float32), y), TEST_SHARE, seed)


def fitted(setting, train, seed):
    """Fit a candidate, or one network; return it and whether its probabilities are balanced."""
    if setting == NETWORK:
        network = FixedCostClassifier(MLPClassifier(random_state=seed))
        return network.fit(train.X, train.y, groups=train.groups), False
    member, changes, is_balanced = CANDIDATES[setting]
    changes = dict(changes)
    if "sampling_strategy" in changes:
        classes, counts = np.unique(train.y, return_counts=True)
        sizes = np.minimum(counts, MAX_RATIO * counts.min()).tolist()
        changes["sampling_strategy"] = dict(zip(classes.tolist(), sizes, strict=True))
    if issparse(train.X):  # such a table is not encoded: its networks standardize it
        member = MLPClassifier(**member.get_params()).set_params(standardize="auto")
    ensemble = BalancedBaggingNetClassifier(member, **changes, random_state=seed)
    return ensemble.fit(train.X, train.y, groups=train.groups), is_balanced


def balanced_mean(ensemble, train, X):
    """Probabilities and decisions of the mean of members corrected to equal class frequencies.

    `ensemble` has members without class weights. The costs are found as `fit` finds them.
    """
    counts = np.unique(train.y, return_counts=True)[1]
    encoder = ensemble.encoder_
    own, other = (train.X, X) if encoder is None else map(encoder.transform, (train.X, X))
    units = np.arange(len(train.y)) if train.groups is None else train.groups
    is_out = np.array([~np.isin(units, units[bag]) for bag in ensemble.estimators_samples_])
    held_out, mean = np.zeros((len(train.y), len(counts))), 0.0
    for member, rows in zip(ensemble.estimators_, is_out, strict=True):
        mean = mean + correct_prior(member.predict_proba(other), counts, np.ones(len(counts)))
        proba = correct_prior(member.predict_proba(own), counts, np.ones(len(counts)))
        held_out += np.where(rows[:, None], proba, 0.0)
    known = is_out.any(axis=0)
    held_out = held_out[known] / held_out[known].sum(axis=1, keepdims=True)
    costs = find_costs(train.y[known], held_out, shrinkage=0.5, random_state=0).costs
    proba = mean / len(ensemble.estimators_)
    return proba, ensemble.classes_[decide_by_costs(proba, costs)]


def scores(setting, train, test, seed):
    """Yield the name, the scores, epochs and processor seconds of a candidate."""
    classes, targets = np.unique(train.y, return_inverse=True)
    frequencies = np.bincount(targets) / len(targets)
    started = process_time()
    classifier, is_balanced = fitted(setting, train, seed)
    seconds = process_time() - started
    members = getattr(classifier, "estimators_", None) or [classifier.estimator_]
    used = {"epochs": np.mean([m.n_iter_ for m in members]), "cpu_s": seconds}
    found = [(setting, is_balanced, classifier.predict_proba(test.X), classifier.predict(test.X))]
    if setting in ALSO_BALANCED:
        found.append((f"{setting}{BALANCED_MEAN}", True, *balanced_mean(classifier, train, test.X)))
    for name, is_corrected, proba, decided in found:
        if is_corrected:
            proba = correct_prior(proba, np.ones(len(classes)), frequencies)
        proba = clipped(proba, len(targets))
        own = scored(np.searchsorted(classes, test.y), proba, frequencies)
        yield name, own | {"g_mean": g_mean(test.y, decided, labels=classes)} | used


def tasks():
    """Yield (set, problem, seed), those of the decision first."""
    for kind, names in (("mixed", TABLES), ("large", LARGE)):
        yield from product([kind], names, [0])
    for seed in (0, 1):
        yield from product(["medium"], MEDIUM, [seed])
        yield from product(["mixed"], TABLES, [1] if seed == 0 else [])


def run(path):
    """Run the cells that the file has not."""
    done = set()
    if path.exists():
        table = pd.read_csv(path)
        done = set(zip(table.set, table.problem, table.seed, table.setting, strict=True))
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        if not done:
            writer.writeheader()
        for task in tasks():
            left = [name for name in (NETWORK, *CANDIDATES) if (*task, name) not in done]
            if not left:
                continue
            kind, problem, seed = task
            parts = mixed_parts if kind == "mixed" else problem_parts
            train, test = parts(problem, seed)
            source = "KDD99" if problem.startswith("KDD99") else source_of(problem)
            row = {"set": kind, "problem": problem, "seed": seed, "source": source}
            for setting in left:
                for name, found in scores(setting, train, test, seed):
                    found = {key: round(value, 5) for key, value in found.items()}
                    writer.writerow(row | {"n_rows": len(train.y), "setting": name} | found)
                file.flush()


def summary(cells):
    """A row for each set and setting: differences to the default, and times beside one network."""
    names = [NETWORK, *CANDIDATES, *(f"{name}{BALANCED_MEAN}" for name in ALSO_BALANCED)]
    rows = []
    for kinds in (["mixed", "large"], ["medium"]):
        chosen = cells[cells.set.isin(kinds)]
        for name in names:
            if name == BASE or name not in set(chosen.setting):
                continue
            row = {"data": " and ".join(kinds), "setting": name}
            row |= differences(chosen, name, BASE, SCORES)
            rows.append(row | {"time_ratio": time_ratio(chosen, name, NETWORK)})
    return pd.DataFrame(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cells", type=Path, help="default: <out>_cells.csv")
    arguments = parse_arguments(
        parser,
        globals(),
        TABLES={},
        LARGE=[],
        MEDIUM=["wine", "breast-1"],
        CANDIDATES=first(CANDIDATES, 2),
    )
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", UserWarning)
    cells = arguments.cells or arguments.out.with_name(arguments.out.stem + "_cells.csv")
    run(cells)
    table = summary(pd.read_csv(cells))
    table.to_csv(arguments.out, index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
