"""Choose the defaults of TableEncoder and of early stopping with few rare rows: registered tests.

The tests are (d6) to (d10) of docs/development/registered_tests.rst, on development data only. Each
row of the cells is one setting on one problem and seed. Cells that the file has are not run again.

    python tests/performance/encoder_defaults.py --cells cells.csv \\
        --out docs/results/encoder_defaults.csv
"""

import argparse
import csv
import warnings
from functools import lru_cache, partial
from itertools import product
from pathlib import Path
from time import process_time
from unittest import mock

import numpy as np
import pandas as pd
import torch
from _tiny import first, parse_arguments
from mixed_tables import TABLES, encoded, load_parts, split, visits
from scipy import sparse
from sklearn.model_selection import StratifiedKFold
from table_defaults_choice import (
    LARGE,
    SCORES,
    clipped,
    difference,
    differences,
    large_problem,
    scored,
    time_ratio,
)
from table_defaults_choice import source_of_any as source_of

from skimbal import MLPClassifier
from skimbal._training.inputs import blocks_of_rows
from skimbal._training.tables import moments_without_one_hot
from skimbal._utils._early_stopping import MIN_ROWS_TO_STOP
from skimbal.neural_network import _base
from skimbal.preprocessing import TableEncoder

BINS = {"numeric": "piecewise_linear"}
LEFT_ALONE = "columns left alone"
NUMBERS = {  # setting -> encoders side by side, and parameters of the network
    "numbers": ([{}], {}),
    "bins": ([BINS], {"standardize": False}),
    "bins left alone": ([BINS], {"standardize": LEFT_ALONE}),
    "bins and numbers": ([BINS, {}], {"standardize": LEFT_ALONE}),
    LEFT_ALONE: ([{}], {"standardize": LEFT_ALONE}),
}
BINS_STOPPED = {
    "bins, stopping": (
        [BINS],
        {"standardize": False, "early_stopping": True, "n_iter_no_change": 30},
    )
}
FOR_CATEGORIES = {
    "bins and both": ([BINS | {"high_cardinality": "both"}], BINS_STOPPED["bins, stopping"][1])
}
CATEGORIES = {
    "target": ([{}], {}),
    "one-hot": ([{"max_one_hot": 1000}], {}),
    "both": ([{"high_cardinality": "both"}], {}),
}
STOPPING = {
    "no stopping": {"early_stopping": False},
    "stopping": {"early_stopping": True, "n_iter_no_change": 30},
}
WIDE = ["diabetes130", "KDD99 rare", "KDD99 ten classes"]  # tables with categories of many levels
RARE_ROWS = [100, 300, 1000, None]
LIMITS = [20, 50, 100]
HELD_OUT = 0.1
SHARE = 0.3  # of the development rows that are scored
SEEDS = {"d6": 3, "d7": 3, "d7 diabetes130": 5, "d8": 1, "d8 KDD99": 3}
FIELDS = ["test", "set", "problem", "source", "seed", "setting", "rare_rows", "n_rows", "columns"]
FIELDS += [*SCORES, "epochs", "cpu_s"]
KEYS = ["test", "problem", "seed", "setting", "rare_rows"]


def left_alone(X):
    """Mask of columns in [0, 1] of which more than half are 0 or 1, and some are neither."""
    low, high = np.full(X.shape[1], np.inf), np.full(X.shape[1], -np.inf)
    n_ends = np.zeros(X.shape[1])
    for _, part in blocks_of_rows(X):
        low, high = np.minimum(low, part.min(axis=0)), np.maximum(high, part.max(axis=0))
        n_ends += ((part == 0) | (part == 1)).sum(axis=0)
    is_inside = (low >= 0) & (high <= 1) & (low < high)
    return is_inside & (n_ends > X.shape[0] / 2) & (n_ends < X.shape[0])


def moments_without_bins(X, sample_weight=None):
    """As ``standardize="auto"``, but some columns keep their values."""
    mean, scale = moments_without_one_hot(X, sample_weight)
    mask = left_alone(X)
    return np.where(mask, 0.0, mean), np.where(mask, 1.0, scale)


def side_by_side(encoders, train, test):
    """The rows to fit and to score of encoders; later ones add the columns that are new."""
    names, parts = [], ([], [])
    for options in encoders:
        encoder = TableEncoder(random_state=0, **options)
        X = encoder.fit_transform(train.X, train.y, train.groups)
        own = [i for i, name in enumerate(encoder.get_feature_names_out()) if name not in names]
        names += encoder.get_feature_names_out()[own].tolist()
        for part, table in zip(parts, (X, encoder.transform(test.X)), strict=True):
            part.append(table[:, own])
    if any(sparse.issparse(table) for table in parts[0]):
        return tuple(sparse.csr_array(sparse.hstack(part), dtype=np.float32) for part in parts)
    return tuple(np.hstack(part).astype(np.float32) for part in parts)


def network_of(parameters, X, y, groups, seed):
    """A fitted network, and its processor seconds."""
    parameters, moments = dict(parameters), _base.MOMENTS_OF
    if parameters.get("standardize") == LEFT_ALONE:
        parameters["standardize"] = "auto"
        moments = moments | {"auto": moments_without_bins}
    network = MLPClassifier(**parameters, random_state=seed)
    with mock.patch.object(_base, "MOMENTS_OF", moments):
        started = process_time()
        network.fit(X, y, groups=groups)
    return network, process_time() - started


def score_split(train, test, seed, setting):
    """Scores of one split, its probabilities, and what the fit took."""
    encoders, parameters = setting
    classes, targets = np.unique(train.y, return_inverse=True)
    if encoders is None:
        X, X_test = encoded(train, test)
    else:
        X, X_test = side_by_side(encoders, train, test)
    network, seconds = network_of(parameters, X, targets, train.groups, seed)
    proba = clipped(network.predict_proba(X_test), len(targets))
    y = np.searchsorted(classes, test.y)
    found = scored(y, proba, np.bincount(targets) / len(targets))
    found |= {"epochs": network.n_iter_, "cpu_s": seconds}
    return found | {"n_rows": len(targets), "columns": X.shape[1]}, proba


def score_mixed(table, seed, setting):
    """Scores of a split of development rows."""
    return score_split(*split(table, SHARE, seed), seed, setting)[0]


def score_folds(table, seed, setting):
    """Means over three folds; the G-mean is that of all rows."""
    rows, proba = [], np.empty((len(table.y), 2))
    folds = StratifiedKFold(3, shuffle=True, random_state=seed).split(table.X, table.y)
    for train, test in folds:
        row, proba[test] = score_split(table.take(train), table.take(test), seed, setting)
        rows.append(row)
    found = pd.DataFrame(rows).mean().to_dict() | {"cpu_s": sum(row["cpu_s"] for row in rows)}
    found["g_mean"] = scored(table.y, proba, np.bincount(table.y) / len(table.y))["g_mean"]
    return found


def thinned(table, n_rare, seed):
    """A table with so many rows of its rarest class; None if it has not more."""
    if n_rare is None:
        return table
    classes, counts = np.unique(table.y, return_counts=True)
    if counts.min() <= n_rare:
        return None
    is_rare = table.y == classes[counts.argmin()]
    kept = np.random.default_rng(seed).permutation(np.flatnonzero(is_rare))[:n_rare]
    return table.take(np.sort(np.concatenate([np.flatnonzero(~is_rare), kept])))


@lru_cache(2)
def development(name, as_frame):
    """The development rows of a mixed table."""
    return load_parts(name, as_frame)[0]


def tasks_of_numbers():
    """Yield (set, problem, seed, rare rows, settings, function) of (d6)."""
    for seed, name in product(range(SEEDS["d6"]), TABLES):
        score = partial(score_mixed, development(name, True), seed)
        yield "mixed", name, seed, "", NUMBERS, score
    for name in LARGE:
        table = large_problem(name)
        names = ["numbers", "bins left alone"]  # bins and numbers were left out: time
        if left_alone(table.X).any():  # otherwise the same networks as without
            names.append(LEFT_ALONE)
        settings = {name: NUMBERS[name] for name in names if name in NUMBERS}
        yield "large", name, 0, "", settings, partial(score_folds, table, 0)


def tasks_of_stopped_bins():
    """Yield those of (d9): the problems on which the network would not stop early."""
    for kind, problem, seed, n_rare, _, score in tasks_of_numbers():
        rows = 2 / 3 if kind == "large" else 1 - SHARE
        if len(score.args[0].y) * rows < MIN_ROWS_TO_STOP:
            yield kind, problem, seed, n_rare, BINS_STOPPED, score


def tasks_of_categories():
    """Yield those of (d7)."""
    for name in [name for name in TABLES if name in WIDE]:
        for seed in range(SEEDS.get(f"d7 {name}", SEEDS["d7"])):
            score = partial(score_mixed, development(name, True), seed)
            yield "mixed", name, seed, "", CATEGORIES, score


def tasks_of_both():
    """Yield those of (d10)."""
    for name, seed in product([name for name in TABLES if name in WIDE], range(SEEDS["d6"])):
        score = partial(score_mixed, development(name, True), seed)
        yield "mixed", name, seed, "", FOR_CATEGORIES, score


def tasks_of_stopping():
    """Yield those of (d8)."""
    settings = {name: (None, parameters) for name, parameters in STOPPING.items()}
    names = [name for name in LARGE if name in ("letter", "magic")]
    for name in [*names, *(name for name in TABLES if name in WIDE)]:
        table = large_problem(name) if name in names else development(name, None)
        for seed in range(SEEDS["d8 KDD99" if name.startswith("KDD") else "d8"]):
            train, test = split(table, 0.2, seed)
            for n_rare in RARE_ROWS:
                few = thinned(train, n_rare, seed)
                if few is not None:
                    score = partial(scores_of, few, test, seed)
                    n_few = int(np.unique(few.y, return_counts=True)[1].min())
                    yield "large" if name in names else "mixed", name, seed, n_few, settings, score


def scores_of(train, test, seed, setting):
    """The scores of `score_split` without the probabilities."""
    return score_split(train, test, seed, setting)[0]


TASKS = {
    "d6": tasks_of_numbers,
    "d7": tasks_of_categories,
    "d8": tasks_of_stopping,
    "d9": tasks_of_stopped_bins,
    "d10": tasks_of_both,
}


def run(path, tests):
    """Run all cells that the file has not."""
    done = set()
    if path.exists():
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        done = set(table[KEYS].itertuples(index=False, name=None))
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        if not done:
            writer.writeheader()
        for test in tests:
            for kind, problem, seed, n_rare, settings, score in TASKS[test]():
                for name, setting in settings.items():
                    key = (test, problem, str(seed), name, str(n_rare))
                    if key in done:
                        continue
                    row = dict(zip(KEYS, key, strict=True)) | {"set": kind}
                    row |= {"source": source_of(kind, problem)} | score(setting)
                    writer.writerow(row)
                    file.flush()


def with_ratio(cells):
    """The cells with the logarithm of their log losses; settings that are the same are copied."""
    cells = cells.assign(log_loss_log=np.log(cells.log_loss))
    d6 = cells[cells.test == "d6"]
    same = d6[(d6.set == "large") & (d6.setting == "bins left alone")].assign(setting="bins")
    plain = d6[(d6.set == "large") & (d6.setting == "numbers")].assign(setting=LEFT_ALONE)
    own = d6[(d6.set == "large") & (d6.setting == LEFT_ALONE)].problem
    plain = plain[~plain.problem.isin(own)]
    bins = pd.concat([d6[d6.setting == "bins"], same])
    stopped = bins[bins.n_rows >= MIN_ROWS_TO_STOP].assign(test="d9", setting="bins, stopping")
    numbers = d6[d6.setting == "numbers"].assign(test="d9")
    return pd.concat([cells, same, plain, stopped, numbers], ignore_index=True)


def compared(cells, one, other, error_of=difference):
    """A row of differences with their errors, and the ratio of the times."""
    row = {"setting": one, "against": other}
    row |= differences(cells, one, other, [*SCORES, "log_loss_log"], error_of)
    return row | {"time_ratio": time_ratio(cells, one, other)}


def difference_of_seeds(cells, one, other, score):
    """Mean difference over the seeds of a problem, and its error for splits that share rows."""
    table = cells.pivot_table(index="seed", columns="setting", values=score)[[one, other]].dropna()
    d = table[one] - table[other]
    n = len(d)
    error = np.sqrt((1 / n + SHARE / (1 - SHARE)) * d.var()) if n > 1 else np.nan
    return d.mean(), error, n


def rows_of_numbers(cells, name):
    """Yield rows of a setting against numbers: of all problems, of each set and of mixed tables."""
    mixed = cells[cells.set == "mixed"].groupby("problem")
    for kind, chosen in [("large and mixed", cells), *cells.groupby("set"), *mixed]:
        sets = cells[cells.setting == "numbers"].set if kind == "large and mixed" else chosen.set
        if set(chosen[chosen.setting == name].set) == set(sets):
            error_of = difference_of_seeds if chosen.problem.nunique() == 1 else difference
            yield {"data": kind} | compared(chosen, name, "numbers", error_of)


def summary(cells):
    """A row for each comparison."""
    cells, rows = with_ratio(cells), []
    d6, d7, d8, d9, d10 = (cells[cells.test == test] for test in TASKS)
    for test, of_test, names in [("d6", d6, list(NUMBERS)[1:]), ("d9", d9, BINS_STOPPED)]:
        for name in names:
            rows += [{"test": test} | row for row in rows_of_numbers(of_test, name)]
    for problem, chosen in d7.groupby("problem"):
        for name in [name for name in list(CATEGORIES)[1:] if name in set(chosen.setting)]:
            row = compared(chosen, name, "target", difference_of_seeds)
            rows.append({"test": "d7", "data": problem} | row)
    for limit in LIMITS:
        chosen = d8[d8.rare_rows * HELD_OUT < limit]
        if set(STOPPING) <= set(chosen.setting):
            chosen = chosen.assign(problem=chosen.problem + chosen.rare_rows.astype(str))
            row = compared(chosen, *STOPPING)
            rows.append({"test": "d8", "data": f"fewer than {limit}"} | row)
    for problem, chosen in d10.groupby("problem"):
        chosen = pd.concat([chosen, d6[(d6.problem == problem) & (d6.setting == "numbers")]])
        row = compared(chosen, "bins and both", "numbers", difference_of_seeds)
        rows.append({"test": "d10", "data": problem} | row)
    return pd.DataFrame(rows).rename(columns=lambda name: name.replace("log_loss_log", "log_ratio"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tests", nargs="+", default=list(TASKS))
    parser.add_argument("--cells", type=Path, help="default: <out>_cells.csv")
    arguments = parse_arguments(
        parser,
        globals(),
        TABLES={"diabetes130": visits},
        LARGE=[],
        NUMBERS=first(NUMBERS, 3),
        CATEGORIES=first(CATEGORIES, 2),
        RARE_ROWS=[None],
        SEEDS={"d6": 1, "d7": 1, "d8": 1, "d8 KDD99": 1},
    )
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", UserWarning)
    cells = arguments.cells or arguments.out.with_name(arguments.out.stem + "_cells.csv")
    run(cells, arguments.tests)
    table = summary(pd.read_csv(cells))
    table.to_csv(arguments.out, index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
