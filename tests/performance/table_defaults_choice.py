"""Choose the defaults of MLPClassifier: the registered tests (d), on development data only.

The protocol is docs/development/registered_tests.rst. Each row of the cells is one setting on one
problem and seed. Cells that the file has are not run again.

    python tests/performance/table_defaults_choice.py --cells cells.csv \
        --out docs/results/table_defaults_choice.csv
"""

import argparse
import csv
import warnings
from functools import lru_cache, partial
from itertools import pairwise, product
from pathlib import Path
from time import process_time
from unittest import mock

import numpy as np
import pandas as pd
import torch
from _tiny import first, parse_arguments
from development_problems import PROBLEMS, load_problem, source_of
from ecs_dbn_defaults import read_standard
from mixed_tables import TABLES, Table, encoded, load_parts, split
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import label_binarize

from skimbal import MLPClassifier
from skimbal._training.inputs import channel_moments
from skimbal._training.robust import robust_moments
from skimbal._training.tables import moments_without_one_hot
from skimbal.metrics import g_mean
from skimbal.neural_network import _base, fit_population

LARGE = ["banana", "letter", "magic", "marketing", "mushroom", "optdigits", "penbased", "phoneme"]
LARGE += ["ring", "satimage", "twonorm"]
LADDER = ["letter", "magic", "marketing", "penbased", "satimage"]
SIZES = [4000, 8000, 10_000]
MAX_DISTANCE = 10.0

OLD = {"standardize": "auto", "early_stopping": False, "batch_size": 64}
STOPPED = OLD | {"early_stopping": True}
INPUTS = ["auto", "robust", "tails"]
CHANGES = {  # of the network and its optimizer
    "layers (128, 64)": {"hidden_layer_sizes": (128, 64)},
    "layers (256, 128)": {"hidden_layer_sizes": (256, 128)},
    "layers (128, 64), dropout 0.1": {"hidden_layer_sizes": (128, 64), "dropout": 0.1},
    "weight decay 0.001": {"weight_decay": 1e-3},
    "AdamW 0.01": {"optimizer": "adamw", "weight_decay": 1e-2},
    "GELU": {"activation": "gelu"},
    "cosine from 0.003": {"learning_rate": 3e-3, "learning_rate_schedule": "cosine"},
    "patience 20": {"n_iter_no_change": 20},
}
STAGES = ["d1", "d2", "d3", "d4", "d5"]
WINNER = "auto"  # of the first test, which the others take
BATCHES = [256]
SCORES = ["ap", "auc", "log_loss", "g_mean"]
FIELDS = ["set", "problem", "source", "n_rows", "seed", "setting", *SCORES, "epochs", "cpu_s"]


def tails_moments(X, sample_weight=None):
    """Robust moments of columns with values far off, others as of ``standardize="auto"``."""
    far = robust_moments(X, sample_weight)
    near = (*moments_without_one_hot(X, sample_weight), np.full(X.shape[1], np.inf))
    mean, scale = channel_moments(X, sample_weight)
    is_far = np.abs(X - mean).max(axis=0) > MAX_DISTANCE * scale
    return tuple(np.where(is_far, a, b) for a, b in zip(far, near, strict=True))


def settings(stage, kind):
    """Name -> parameters of the networks of a test on one kind of data."""
    base = OLD if kind == "small" else STOPPED
    winner = base | {"standardize": WINNER}
    if stage == "d1" and kind != "ladder":
        return {name: base | {"standardize": name} for name in INPUTS}
    if stage == "d2" and kind == "ladder":
        return {"no stopping": OLD, "stopping": STOPPED}
    if stage == "d5" and kind == "ladder":
        return {"stopping, patience 30": STOPPED | {"n_iter_no_change": 30}}
    if stage == "d3" and kind in ("large", "mixed"):
        return {f"{WINNER}, batches of {size}": winner | {"batch_size": size} for size in BATCHES}
    if stage == "d4" and kind != "ladder":
        names = [name for name in CHANGES if kind != "small" or name != "patience 20"]
        return {f"{WINNER}, {name}": winner | CHANGES[name] for name in names}
    return {}


def large_problem(name):
    """One class of a standard set against all others."""
    X, labels = read_standard(name)
    classes, counts = np.unique(labels, return_counts=True)
    y = (labels == classes[counts.argmin()]).astype(int)
    rng = np.random.default_rng(list(name.encode()))
    rare, others = np.flatnonzero(y == 1), np.flatnonzero(y == 0)
    if len(classes) == 2:
        rare = rng.permutation(rare)[: len(others) // 10]
    rows = rng.permutation(np.concatenate([rare, others]))
    return Table(X[rows].astype(np.float32), y[rows])


@lru_cache(1)
def development(name):
    """The development rows of a mixed table."""
    return load_parts(name)[0]


def scored(y, proba, prior):
    """The scores of probabilities of shape (n_rows, n_classes)."""
    n_classes = proba.shape[1]
    one_hot = label_binarize(y, classes=np.arange(n_classes))
    one_hot = np.hstack([1 - one_hot, one_hot]) if n_classes == 2 else one_hot
    columns = [1] if n_classes == 2 else range(n_classes)
    decided = (proba / prior).argmax(axis=1)
    return {
        "ap": np.mean([average_precision_score(one_hot[:, c], proba[:, c]) for c in columns]),
        "auc": np.mean([roc_auc_score(one_hot[:, c], proba[:, c]) for c in columns]),
        "log_loss": log_loss(y, proba, labels=np.arange(n_classes)),
        "g_mean": g_mean(y, decided, labels=np.arange(n_classes)),
    }


def fitted(parameters, splits, seed):
    """Fit a network to each (X, y, groups); return them and the processor seconds."""
    parameters = dict(parameters)
    moments = _base.MOMENTS_OF
    if parameters["standardize"] == "tails":
        parameters["standardize"] = "robust"
        moments = moments | {"robust": tails_moments}
    network = MLPClassifier(**parameters, random_state=seed)
    with mock.patch.object(_base, "MOMENTS_OF", moments):
        started = process_time()
        if len(splits) == 1:
            X, y, groups = splits[0]
            networks = [network.fit(X, y, groups=groups)]
        else:
            X = np.concatenate([part[0] for part in splits])
            y = np.concatenate([part[1] for part in splits])
            ends = np.cumsum([0, *(len(part[1]) for part in splits)])
            subsets = [np.arange(a, b) for a, b in pairwise(ends)]
            networks = fit_population(network, X, y, subsets)
    return networks, process_time() - started


def clipped(proba, n_train):
    """Probabilities that are not nearer to 0 than half a training row."""
    proba = np.clip(proba, 0.5 / n_train, 1.0)
    return proba / proba.sum(axis=1, keepdims=True)


def score_folds(table, seed, parameters):
    """Scores of three folds: the mean over the folds, and the G-mean of all rows."""
    folds = StratifiedKFold(3, shuffle=True, random_state=seed).split(table.X, table.y)
    folds = list(folds)
    splits = [(table.X[train], table.y[train], None) for train, _ in folds]
    networks, seconds = fitted(parameters, splits, seed)
    rows, proba_of_all = [], np.empty((len(table.y), 2))
    prior = np.bincount(table.y) / len(table.y)
    for network, (train, test) in zip(networks, folds, strict=True):
        proba = clipped(network.predict_proba(table.X[test]), len(train))
        proba_of_all[test] = proba
        rows.append(scored(table.y[test], proba, prior) | {"epochs": network.n_iter_})
    found = pd.DataFrame(rows).mean().to_dict()
    found["g_mean"] = scored(table.y, proba_of_all, prior)["g_mean"]
    return found | {"cpu_s": seconds}


def score_split(train, test, seed, parameters):
    """Scores of one split of a table."""
    classes, targets = np.unique(train.y, return_inverse=True)
    X, X_test = encoded(train, test)
    (network,), seconds = fitted(parameters, [(X, targets, train.groups)], seed)
    proba = clipped(network.predict_proba(X_test), len(targets))
    y_test = np.searchsorted(classes, test.y)
    found = scored(y_test, proba, np.bincount(targets) / len(targets))
    return found | {"epochs": network.n_iter_, "cpu_s": seconds}


def score_mixed(name, seed, parameters):
    """Scores of one split of the development rows of a mixed table."""
    return score_split(*split(development(name), 0.3, seed), seed, parameters)


def mixed_tasks():
    """Yield (problem, seed, rows to fit, function that scores parameters) of the mixed tables."""
    for name, seed in product(TABLES, range(2)):
        n_rows = len(development(name).y) * 7 // 10
        yield name, seed, n_rows, partial(score_mixed, name, seed)


def large_tasks():
    """Yield the tasks of the large problems."""
    for name in LARGE:
        table = large_problem(name)
        yield name, 0, len(table.y) * 2 // 3, partial(score_folds, table, 0)


def ladder_tasks():
    """Yield the tasks of the ladder."""
    for name, seed in product([*LADDER, *TABLES], range(2)):
        yield from steps_of_ladder(name, seed)


def small_tasks():
    """Yield the tasks of the small problems."""
    for name in PROBLEMS:
        X, y = load_problem(name)
        table = Table(X.astype(np.float32), y)
        for seed in range(2):
            yield name, seed, len(y) * 2 // 3, partial(score_folds, table, seed)


def steps_of_ladder(name, seed):
    """Yield the tasks of the numbers of rows that a table has."""
    table = development(name) if name in TABLES else large_problem(name)
    train, test = split(table, 0.3, seed)
    for n_rows in SIZES:
        rows = rows_to_fit(train, n_rows, seed)
        if rows is not None:
            yield name, seed, n_rows, partial(score_split, train.take(rows), test, seed)


def source_of_any(kind, name):
    """The source of a problem: the two tables of KDD99 have one."""
    if name.startswith("KDD99"):
        return "KDD99"
    return source_of(name) if kind == "small" else name


def rows_to_fit(train, n_rows, seed):
    """Random rows; None if there are too few, or a class would have fewer than two."""
    if n_rows > len(train.y):
        return None
    rows = np.random.default_rng(seed).permutation(len(train.y))[:n_rows]
    counts = np.unique(train.y[rows], return_counts=True)[1]
    is_whole = len(counts) == len(np.unique(train.y)) and counts.min() >= 2
    return rows if is_whole else None


TASKS = {
    "mixed": mixed_tasks,
    "large": large_tasks,
    "ladder": ladder_tasks,
    "small": small_tasks,
}


def run(path, stages, sets, only):
    """Run all cells that the file has not, test by test, of some problems, seeds and settings."""
    done = set()
    if path.exists():
        table = pd.read_csv(path)
        done = set(
            zip(table.set, table.problem, table.n_rows, table.seed, table.setting, strict=True)
        )
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        if not done:
            writer.writeheader()
        for stage, kind in product(stages, sets):
            chosen = settings(stage, kind)
            chosen = {name: chosen[name] for name in only.settings or chosen if name in chosen}
            for problem, seed, n_rows, score in TASKS[kind]() if chosen else ():
                if problem not in (only.problems or [problem]) or seed not in (
                    only.seeds or [seed]
                ):
                    continue
                for name, parameters in chosen.items():
                    if (kind, problem, n_rows, seed, name) in done:
                        continue
                    row = {"set": kind, "problem": problem, "seed": seed, "n_rows": n_rows}
                    row |= {"source": source_of_any(kind, problem), "setting": name}
                    writer.writerow(row | score(parameters))
                    file.flush()


def difference(cells, one, other, score):
    """Mean difference over problems and its standard error, problems of a source as one draw."""
    table = cells[cells.setting.isin([one, other])]
    keys = ["source", "problem", "seed"]
    table = table.set_index([*keys, "setting"])[score].unstack("setting").dropna()
    d = (table[one] - table[other]).groupby(keys[:2]).mean()
    sums = (d - d.mean()).groupby("source").sum()
    n_sources = len(sums)
    error = np.sqrt(n_sources / max(1, n_sources - 1) * (sums**2).sum()) / len(d)
    return d.mean(), error, len(d)


def differences(cells, one, other, scores, error_of=difference):
    """Number of problems, and the differences of the scores with their errors, as a dict."""
    row: dict = {}
    for score in scores:
        mean, error, row["n"] = error_of(cells, one, other, score)
        row |= {score: round(mean, 4), f"{score}_se": round(error, 4)}
    return row


def time_ratio(cells, one, other):
    """Processor time of a setting beside that of another, where both were fitted."""
    seconds = cells.pivot_table(index=["problem", "seed"], columns="setting", values="cpu_s")
    seconds = seconds[list({one, other})].dropna().sum()
    return round(seconds[one] / seconds[other], 2)


def comparisons(cells):
    """Yield (test, set, n_rows, setting, against) of what is registered."""
    joined = ["large", "mixed"]
    for kinds in (["small"], joined):
        for name in INPUTS[1:]:
            yield "d1", kinds, None, name, "auto"
    for n_rows in SIZES:
        yield "d2", ["ladder"], n_rows, "stopping", "no stopping"
        yield "d5", ["ladder"], n_rows, "stopping, patience 30", "no stopping"
        yield "d5", ["ladder"], n_rows, "stopping, patience 30", "stopping"
    for size in BATCHES:
        yield "d3", joined, None, f"{WINNER}, batches of {size}", WINNER
    for kinds in (["small"], joined):
        for name in CHANGES:
            yield "d4", kinds, None, f"{WINNER}, {name}", WINNER


def summary(cells):
    """A row for each registered comparison: differences with standard errors, and their times."""
    rows = []
    for test, kinds, n_rows, one, other in comparisons(cells):
        chosen = cells[cells.set.isin(kinds)]
        chosen = chosen if n_rows is None else chosen[chosen.n_rows == n_rows]
        if not {one, other} <= set(chosen.setting):
            continue
        row = {"test": test, "data": " and ".join(kinds), "n_rows": n_rows}
        row |= {"setting": one, "against": other}
        chosen = chosen.assign(log_ratio=np.log(chosen.log_loss))
        row |= differences(chosen, one, other, [*SCORES, "log_ratio"])
        rows.append(row | {"time_ratio": time_ratio(chosen, one, other)})
    return pd.DataFrame(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--stages", nargs="+", default=STAGES)
    parser.add_argument("--sets", nargs="+", default=list(TASKS))
    parser.add_argument("--problems", nargs="+", help="default: all")
    parser.add_argument("--seeds", nargs="+", type=int, help="default: all")
    parser.add_argument("--settings", nargs="+", help="default: all of the stages")
    parser.add_argument("--cells", type=Path, help="default: <out>_cells.csv")
    arguments = parse_arguments(
        parser,
        globals(),
        TABLES={},
        LARGE=[],
        LADDER=[],
        PROBLEMS=["wine"],
        INPUTS=["auto", "robust"],
        CHANGES=first(CHANGES),
    )
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", UserWarning)
    cells = arguments.cells or arguments.out.with_name(arguments.out.stem + "_cells.csv")
    run(cells, arguments.stages, arguments.sets, arguments)
    table = summary(pd.read_csv(cells))
    table.to_csv(arguments.out, index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
