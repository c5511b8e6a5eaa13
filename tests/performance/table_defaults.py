"""MLPClassifier with its earlier and its present defaults on mixed tables, beside two peers.

The tables and their test rows are those of mixed_tables.py; the defaults were chosen on other rows
of them (docs/development/registered_tests.rst). For each seed, four fifths of the other rows are
fitted. The last fifth tunes costs for the G-mean of two classes, and ends the boosting of LightGBM.
With ten classes, the costs are those of the class frequencies. Every fit is a process of its own,
so that its peak memory is measured above that of the data.

    python tests/performance/table_defaults.py --out docs/results/table_defaults.csv
    python tests/performance/table_defaults.py --whole --out docs/results/table_defaults_whole.csv

The second command fits the 494,016 connections of KDD99's 10 % file, duplicates and all. The time
of 100 epochs is computed from fits of one and six epochs.
"""

import argparse
import multiprocessing
import os
import warnings
from functools import lru_cache, partial
from itertools import product
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd
import torch
from _tiny import parse_arguments
from mixed_tables import TABLES, encoded, load_parts, split, visits
from population_speed import peak_kilobytes
from sklearn.datasets import make_classification
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score
from sklearn.neural_network import MLPClassifier as ScikitLearnClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, label_binarize

from skimbal import MLPClassifier
from skimbal.benchmark._native_columns import NativeColumns
from skimbal.cost_sensitive import PosteriorEnsemble, find_costs
from skimbal.metrics import decide_by_costs, g_mean, prior_costs
from skimbal.neural_network import fit_population
from skimbal.preprocessing import TableEncoder

SHARE = 0.2
N_SEEDS = 3
BEFORE = {"standardize": "auto", "early_stopping": False, "batch_size": 64}
BINS = {"numeric": "piecewise_linear"}
BINS_AND_BOTH = BINS | {"high_cardinality": "both"}
FOR_BINS = {"standardize": False, "early_stopping": True, "n_iter_no_change": 30}
BEHIND_THE_ENCODER = {
    "TableEncoder, MLPClassifier": {"options": {}, "network": {}},
    "the same, bins": {"options": BINS, "network": FOR_BINS},
    "the same, bins and both": {"options": BINS_AND_BOTH, "network": FOR_BINS},
    "five networks": {"options": {}, "network": {}, "n_members": 5},
    "five networks, bins and both": {
        "options": BINS_AND_BOTH,
        "network": FOR_BINS,
        "n_members": 5,
    },
}
CATBOOST = {"bootstrap_type": "Bernoulli", "thread_count": 1, "allow_writing_files": False}
N_REALMLP_EPOCHS = 64
REALMLP = {"use_ls": False, "device": "cpu", "n_threads": 1, "val_metric_name": "cross_entropy"}
LIGHTGBM = {"n_estimators": 1000, "learning_rate": 0.05, "n_jobs": 1, "verbose": -1}


def fit_network(parameters, data, seed):
    """Fit a network of this package."""
    network = MLPClassifier(**parameters, random_state=seed)
    network.fit(data["X"], data["y"], groups=data["groups"])
    return network, network.n_iter_


def fit_scikit_learn(data, seed):
    """Fit scikit-learn's network with its early stopping, on standardized columns."""
    network = ScikitLearnClassifier((64, 32), early_stopping=True, random_state=seed)
    model = make_pipeline(StandardScaler(), network).fit(data["X"], data["y"])
    return model, network.n_iter_


def fit_lightgbm(data, seed):
    """Fit LightGBM; the validation rows say how many trees."""
    from lightgbm import LGBMClassifier, early_stopping

    model = LGBMClassifier(**LIGHTGBM, random_state=seed)
    model.fit(
        data["X"],
        data["y"],
        eval_set=[(data["X_val"], data["y_val"])],
        callbacks=[early_stopping(50, verbose=False)],
    )
    return model, model.best_iteration_


def fit_catboost(data, seed, parts=("X", "X_val"), **options):
    """Fit CatBoost; the validation rows say how many trees."""
    from catboost import CatBoostClassifier

    X, X_val = (data[part] for part in parts)
    model = CatBoostClassifier(**CATBOOST, random_state=seed, verbose=False)
    valid = (X_val, data["y_val"])
    model.fit(X, data["y"], eval_set=valid, early_stopping_rounds=50, **options)
    return model, model.tree_count_


def fit_native_catboost(data, seed):
    """Fit CatBoost to numbers and categories as they are."""
    columns = NativeColumns().fit(data["frame"])
    native = {part: columns.transform(data[part]) for part in ("frame", "frame_val")}
    model, n_trees = fit_catboost(
        data | native, seed, ("frame", "frame_val"), cat_features=categories_of(native["frame"])
    )
    return OnFrames(columns, model), n_trees


def fit_realmlp(data, seed):
    """Fit RealMLP-TD without smoothed labels, on numbers and categories as they are."""
    from pytabkit import RealMLP_TD_Classifier

    columns = NativeColumns(impute=True).fit(data["frame"])
    X = columns.transform(data["frame"])
    model = RealMLP_TD_Classifier(n_epochs=N_REALMLP_EPOCHS, random_state=seed, **REALMLP)
    model.fit(X, data["y"], cat_col_names=categories_of(X))
    return OnFrames(columns, model), N_REALMLP_EPOCHS


def categories_of(X):
    """Names of the columns of categories of a frame."""
    return X.select_dtypes("category").columns.tolist()


def fit_encoded(data, seed, options, network, n_members=1):
    """Fit networks behind an encoder, and take their mean if there are several."""
    encoder = TableEncoder(random_state=seed, **options)
    X = encoder.fit_transform(data["frame"], data["y"], data["groups"])
    seeds = range(n_members * seed, n_members * (seed + 1))
    members = [MLPClassifier(**network, random_state=i) for i in seeds]
    networks = fit_population(members, X, data["y"], groups=data["groups"])
    epochs = np.mean([network.n_iter_ for network in networks])
    return OnFrames(encoder, PosteriorEnsemble(networks)), epochs


class OnFrames:
    """A fitted model behind the columns that it takes."""

    def __init__(self, columns, model):
        self.columns, self.model = columns, model

    def predict_proba(self, X):
        return self.model.predict_proba(self.columns.transform(X))


METHODS = {
    "MLPClassifier, earlier defaults": lambda data, seed: fit_network(BEFORE, data, seed),
    "MLPClassifier": lambda data, seed: fit_network({}, data, seed),
    'MLPClassifier, standardize="robust"': lambda data, seed: fit_network(
        {"standardize": "robust"}, data, seed
    ),
    "scikit-learn's MLPClassifier": fit_scikit_learn,
    "LightGBM": fit_lightgbm,
    "CatBoost": fit_catboost,
    "CatBoost, categories as such": fit_native_catboost,
    "RealMLP-TD, 64 epochs": fit_realmlp,
}
for title, given in BEHIND_THE_ENCODER.items():
    METHODS[title] = partial(fit_encoded, **given)
# These take the table as it is, and not the encoded one.
OF_FRAMES = ["CatBoost, categories as such", "RealMLP-TD, 64 epochs", *BEHIND_THE_ENCODER]


cached_parts = lru_cache(load_parts)


def parts_of(name, seed):
    """Arrays and frames to fit, to validate and to test, with class numbers as labels."""
    development, test = cached_parts(name)
    train, valid = split(development, SHARE, seed)
    classes = np.unique(train.y)
    data = {"groups": train.groups}
    parts = {"": train, "_val": valid, "_test": test}
    for part, X in zip(parts, encoded(*parts.values()), strict=True):
        data[f"X{part}"] = X
        data[f"y{part}"] = np.searchsorted(classes, parts[part].y)
    development, test = cached_parts(name, True)
    frames = *split(development, SHARE, seed), test
    return data | {f"frame{part}": table.X for part, table in zip(parts, frames, strict=True)}


def scores(data, proba, proba_val):
    """Scores of the test rows."""
    n_classes, y = proba.shape[1], data["y_test"]
    counts = np.bincount(data["y"])
    if n_classes == 2:
        columns, one_hot = [1], np.column_stack([1 - y, y])
        costs = find_costs(data["y_val"], proba_val, shrinkage=0.5).costs
    else:
        columns, one_hot = range(n_classes), label_binarize(y, classes=np.arange(n_classes))
        costs = prior_costs(counts)
    ap = np.array([average_precision_score(one_hot[:, c], proba[:, c]) for c in columns])
    rarest = np.argsort(counts)[:4] if n_classes > 2 else [0]
    return {
        "auc": np.mean([roc_auc_score(one_hot[:, c], proba[:, c]) for c in columns]),
        "average_precision": ap.mean(),
        "ap_of_rarest": ap[rarest].mean() if n_classes > 2 else np.nan,
        "g_mean": g_mean(y, decide_by_costs(proba, costs)),
        "log_loss": log_loss(y, proba, labels=np.arange(n_classes)),
    }


def megabytes_above(function):
    """Call a function; return its result, processor seconds, and peak memory above that before."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts from what is there now
    before = peak_kilobytes()
    started = process_time()
    result = function()
    return result, process_time() - started, (peak_kilobytes() - before) / 1024


def measure(pipe, method, data, seed):
    """Fit in this process, and send a row of figures."""
    warnings.simplefilter("ignore")
    (model, epochs), seconds, megabytes = megabytes_above(lambda: METHODS[method](data, seed))
    row = {"epochs": epochs, "fit_cpu_s": seconds, "fit_mb": megabytes}
    if "X_test" in data:
        kind = "frame" if method in OF_FRAMES else "X"
        test, valid = (model.predict_proba(data[kind + part]) for part in ("_test", "_val"))
        row |= scores(data, test, valid)
    pipe.send(row)


def in_process(method, data, seed):
    """The row of figures of a fit in a process of its own."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=measure, args=(sender, method, data, seed))
    process.start()
    sender.close()
    row = receiver.recv()
    process.join()
    return row


def rows_of_tables(path, methods, seeds):
    """Measure the cells of these methods and seeds that the file has not, and return all."""
    cells = (
        pd.read_csv(path) if path.exists() else pd.DataFrame(columns=["table", "method", "seed"])
    )
    done = set(zip(cells.table, cells.method, cells.seed, strict=True))
    for seed, name in product(seeds, TABLES):
        missing = [method for method in methods if (name, method, seed) not in done]
        data = parts_of(name, seed) if missing else None
        for method in missing:
            row = {"table": name, "method": method, "seed": seed}
            row |= in_process(method, data, seed)
            print(row, flush=True)
            cells = pd.concat([cells, pd.DataFrame([row])], ignore_index=True)
            cells.to_csv(path, index=False)
    order = list(METHODS)
    return cells.sort_values(
        ["table", "method", "seed"], key=lambda c: c.map(order.index) if c.name == "method" else c
    )


def whole_file():
    """All connections of the 10 % file in classes of four or more, codes one-hot."""
    path = Path(os.environ["SKIMBAL_DATA"]) / "kddcup99" / "kddcup.data_10_percent.gz"
    table = pd.read_csv(path, header=None, keep_default_na=False)
    y = table.pop(41).to_numpy(str)
    names, counts = np.unique(y, return_counts=True)
    rows = np.isin(y, names[counts >= 4])
    X = pd.get_dummies(table, columns=[1, 2, 3], dtype=np.float32).to_numpy(np.float32)
    return {"X": X[rows], "y": y[rows], "groups": None}


def means(cells):
    """A row for each table and method: means over the seeds, and their number."""
    by_method = cells.groupby(["table", "method"], sort=False)
    table = by_method.mean().drop(columns="seed")
    table.insert(0, "seeds", by_method.size())
    place = list(table).index("average_precision") + 1
    table.insert(place, "ap_standard_error", by_method.average_precision.sem())
    return table.round({"epochs": 0, "fit_cpu_s": 1, "fit_mb": 0}).round(4).reset_index()


def rows_of_whole_file(data):
    """Processor seconds of fits in batches of some sizes, with and without early stopping."""
    for size in (64, 256):
        fixed = {"early_stopping": False, "batch_size": size}
        one, six = (seconds_of(data, fixed | {"max_epochs": n})[1] for n in (1, 6))
        seconds = one + 99 * (six - one) / 5
        yield {"batch": size, "stopping": "none", "epochs": 100, "fit_cpu_s": seconds}
    for size in (64, 512):
        settings = {"early_stopping": True, "batch_size": size}
        epochs, seconds = seconds_of(data, settings)
        stopping = "patience of 10"
        yield {"batch": size, "stopping": stopping, "epochs": epochs, "fit_cpu_s": seconds}


def seconds_of(data, parameters):
    """Epochs and processor seconds of a fit."""
    started = process_time()
    _, epochs = fit_network(parameters, data, 0)
    return epochs, process_time() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--cells", type=Path, help="default: <out>_cells.csv")
    parser.add_argument("--methods", nargs="+", default=list(METHODS), help="default: all")
    parser.add_argument("--seeds", nargs="+", type=int, default=list(range(N_SEEDS)))
    tiny = {"TABLES": {"diabetes130": visits}, "seeds": [0]}
    tiny["methods"] = ["MLPClassifier", "the same, bins and both"]
    arguments = parse_arguments(parser, globals(), **tiny)
    torch.set_num_threads(1)
    MLPClassifier(max_epochs=1).fit(*make_classification(random_state=0))  # what loads once
    cells = arguments.cells or arguments.out.with_name(arguments.out.stem + "_cells.csv")
    if arguments.whole:
        table = pd.DataFrame(rows_of_whole_file(whole_file())).round(1)
    else:
        table = means(rows_of_tables(cells, arguments.methods, arguments.seeds))
    table.to_csv(arguments.out, index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
