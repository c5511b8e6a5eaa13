"""Ensembles beside single networks on three tables with categories: scores, time and memory.

Hospital visits (about 600 columns, most of them one-hot), a milling machine and network connections
as in standardize_one_hot.py, with up to 14,000 rows. The test set of a seed is a quarter
of the rows; visits of one patient are on one side, also in bags and in early stopping. The scores
are those of the predicted probabilities, and the G-mean that of `predict`. Log losses are those of
probabilities that are corrected to the class frequencies of the training data. Each fit is a
process of its own, in which the peak of the memory above that with the data, and the time of the
processor are measured. The second table has these for two epochs on 20,000 rows of 1,000 random
columns.

    python tests/performance/ensemble_tables.py --seeds 1 \
        --out docs/results/ensemble_tables.csv --memory docs/results/ensemble_memory.csv
"""

import argparse
import multiprocessing
import warnings
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd
import torch
from _tiny import first, parse_arguments
from population_speed import peak_kilobytes
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score
from sklearn.model_selection import GroupShuffleSplit
from sklearn.preprocessing import OneHotEncoder
from standardize_one_hot import connections, machine
from weighted_stopping import load_visits

from skimbal import BalancedBaggingNetClassifier, MLPClassifier
from skimbal._utils import _table_rows
from skimbal.cost_sensitive import PosteriorEnsemble
from skimbal.ensemble import default_network
from skimbal.metrics import correct_prior, g_mean
from skimbal.neural_network import fit_population

MAX_ROWS = 14_000
SHAPE = 20_000, 1_000
N_MEMBERS = 15
SCORES = ["auc", "average_precision", "log_loss", "g_mean", "oob_g_mean"]
COLUMNS = ["table", "method", "seed", *SCORES, "epochs", "cpu_s", "peak_mb", "data_mb"]


def visits(seed):
    """Hospital visits; codes of fewer than 20 visits share a column."""
    X, y, patients = load_visits(seed)
    numbers = X.select_dtypes("number")
    texts = X.drop(columns=numbers.columns).astype(str)
    one_hot = OneHotEncoder(sparse_output=False, min_frequency=20).fit_transform(texts)
    return np.hstack([numbers.to_numpy(float), one_hot]), y, patients


TABLES = {"diabetes130": visits, "AI4I 2020": machine, "KDD99": connections}


def network(early_stopping, n_members=1, **changes):
    """Return a function that fits one network, or several and averages them."""

    def fit(X, y, groups, seed):
        members = []
        for i in range(n_members):
            settings = changes | {"random_state": n_members * seed + i}
            members.append(MLPClassifier(early_stopping=early_stopping, **settings))
        return PosteriorEnsemble(fit_population(members, X, y, groups=groups))

    return fit


def ensemble(encoding="auto", **changes):
    """Return a function that fits an ensemble of the default network with changes."""

    def fit(X, y, groups, seed):
        member = default_network().set_params(**changes)
        given = {"n_estimators": N_MEMBERS, "encoding": encoding, "random_state": seed}
        return BalancedBaggingNetClassifier(member, **given).fit(X, y, groups=groups)

    return fit


def bag_of_five(early_stopping):
    """Return a function that fits an ensemble of five networks with no class weights."""

    def fit(X, y, groups, seed):
        member = MLPClassifier(early_stopping=early_stopping)
        ensemble = BalancedBaggingNetClassifier(member, n_estimators=5, random_state=seed)
        return ensemble.fit(X, y, groups=groups)

    return fit


def on_copies(fit):
    """Return a function that fits networks on rows of their own, as they do on small tables."""

    def fit_on_copies(*given):
        _table_rows.MIN_SHARED_NUMBERS = np.inf
        return fit(*given)

    return fit_on_copies


METHODS = {
    "network": network(False),
    "network, stopped": network(True),
    "five networks": network(False, 5),
    "five networks, stopped": network(True, 5),
    "five networks, bagged": bag_of_five(False),
    "five networks, bagged, stopped": bag_of_five(True),
    "ensemble, one-hot columns standardized": ensemble(
        "standard", early_stopping=False, batch_size=64
    ),
    "the same, stopped": ensemble("standard", early_stopping=True),
    "ensemble, stopped": ensemble(early_stopping=True),
}
# Those that take the longest are fitted with the first seed only on the two larger tables.
SLOW = ["network", "ensemble, one-hot columns standardized"]
NOT_FITTED = ["five networks", "five networks, bagged"]
LARGER = ["diabetes130", "KDD99"]
FITS_FOR_MEMORY = {
    "network": network(False, max_epochs=2),
    "ensemble": ensemble(max_epochs=2),
    "ensemble on copies": on_copies(ensemble(max_epochs=2)),
}


def measured(fit, X, y, groups, seed):
    """Fit in this process, which is to do nothing else; return time and memory, too."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # 100 epochs are not always enough
    n_rows = min(len(X), 500)
    MLPClassifier(max_epochs=1).fit(X[:n_rows], np.arange(n_rows) % 2)
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    before, started = peak_kilobytes(), process_time()
    fitted = fit(X, y, groups, seed)
    return fitted, process_time() - started, (peak_kilobytes() - before) / 1024


def measure_memory(method, dtype):
    """Return the row of a fit on random numbers."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal(SHAPE, dtype=np.float32).astype(dtype)
    y = (X[:, :4].sum(axis=1) > 2.5).astype(int)
    _, cpu_s, peak_mb = measured(FITS_FOR_MEMORY[method], X, y, None, 0)
    return method, dtype, peak_mb, peak_mb / (4 * X.size / 2**20), cpu_s


def measure(name, method, seed):
    """Return the row of a fit on a table."""
    X, y, groups = TABLES[name](seed)
    rows = np.random.default_rng(seed).permutation(len(y))[:MAX_ROWS]
    X, y, groups = X[rows].astype(np.float32), y[rows].astype(int), groups[rows]
    split = GroupShuffleSplit(1, test_size=0.25, random_state=seed).split(X, y, groups)
    train, test = next(split)
    X_train, X_test, y_train, y_test = X[train], X[test], y[train], y[test]
    del X
    fitted, cpu_s, peak_mb = measured(METHODS[method], X_train, y_train, groups[train], seed)
    proba, frequencies = fitted.predict_proba(X_test), np.bincount(y_train) / len(y_train)
    is_ensemble = hasattr(fitted, "oob_score_")
    is_balanced = is_ensemble and fitted.estimators_[0].class_weight == "balanced"
    corrected = correct_prior(proba, [0.5, 0.5], frequencies) if is_balanced else proba
    predicted = fitted.predict(X_test) if is_ensemble else proba[:, 1] > frequencies[1]
    members = fitted.estimators_ if is_ensemble else fitted.estimators
    return (
        *(name, method, seed),
        roc_auc_score(y_test, proba[:, 1]),
        average_precision_score(y_test, proba[:, 1]),
        log_loss(y_test, corrected),
        g_mean(y_test, predicted),
        fitted.oob_score_ if is_ensemble else np.nan,
        np.mean([member.n_iter_ for member in members]),
        *(cpu_s, peak_mb, X_train.nbytes / 2**20),
    )


def cells(n_seeds):
    """What is measured: the table, the method and the seed."""
    for seed in range(n_seeds):
        for name in TABLES:
            for method in METHODS:
                is_left_out = (seed > 0 and method in SLOW) or method in NOT_FITTED
                if not (is_left_out and name in LARGER):
                    yield name, method, seed


def in_a_process(function, *given):
    """Call a function in a process of its own, which has what this one has read."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(function, given)


def memory_table():
    """Memory of fits in megabytes and in sizes of the data in single precision."""
    rows = []
    for dtype in ("float32", "float64"):
        for method in FITS_FOR_MEMORY:
            rows.append(in_a_process(measure_memory, method, dtype))
    names = ["method", "data", "peak_mb", "peak_by_float32_data", "cpu_s"]
    return pd.DataFrame(rows, columns=names).round(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cells", type=Path, help="rows so far; those that are there are kept")
    parser.add_argument("--memory", type=Path, help="where to write the table of memory")
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parse_arguments(
        parser, globals(), MAX_ROWS=700, SHAPE=(600, 9), N_MEMBERS=3, TABLES=first(TABLES), seeds=1
    )
    if arguments.memory:
        memory_table().to_csv(arguments.memory, index=False)
    path = arguments.cells
    is_begun = path is not None and path.exists()
    done = pd.read_csv(path) if is_begun else pd.DataFrame(columns=COLUMNS)
    known = set(done[COLUMNS[:3]].itertuples(index=False, name=None))
    for cell in cells(arguments.seeds):
        if cell in known:
            continue
        row = in_a_process(measure, *cell)
        print(*row, flush=True)
        done = pd.concat([done, pd.DataFrame([row], columns=COLUMNS)], ignore_index=True)
        if path is not None:
            done.to_csv(path, index=False)
    by_method = done.groupby(["table", "method"], sort=False)
    means = by_method.mean().drop(columns="seed")
    means.insert(0, "seeds", by_method.size())
    means = means.round({**dict.fromkeys(SCORES, 3), **dict.fromkeys(COLUMNS[8:], 1)})
    means.to_csv(arguments.out)
    print(means.to_string())


if __name__ == "__main__":
    main()
