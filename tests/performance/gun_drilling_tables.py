"""The rows of the gun drilling tables of the ECS-DBN article, on the simulator.

    python tests/performance/gun_drilling_tables.py --out docs/results/gun_drilling.csv

The data are simulated (`make_gun_drilling`): the scores say nothing about real tools. Tables VII
and VIII have the methods. Each is fitted on 70 % of the samples, with an imbalance ratio of 10, and
scored on the others, for two splits: samples drawn at random, as in the article, so that
neighbors of nearly all test samples are in the training set; and the last 6 of the 20 tools held
out, so that the tools are new. Every cell runs in a process of its own with a limit of CPU time and
of memory; a method that needs more says so in its row. Rows that are in the file are skipped.

Networks have fewer epochs than in the article (`EPOCHS`), and WELM is of random nodes, because a
kernel of all pairs does not fit. The conventional methods have the settings of scikit-learn.
"""

import argparse
import multiprocessing
import resource
import time
from functools import partial
from pathlib import Path

import pandas as pd
from _tiny import first, parse_arguments
from imblearn.pipeline import make_pipeline
from sklearn.metrics import accuracy_score, f1_score, precision_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from skimbal import DBNClassifier, ECSDBNClassifier
from skimbal.benchmark._estimators import RandomCostClassifier
from skimbal.benchmark._methods import METHODS, RESAMPLERS
from skimbal.datasets import make_gun_drilling
from skimbal.ensemble import ECOEnsembleClassifier, WeightedELMClassifier
from skimbal.metrics import g_mean
from skimbal.neural_network import MLPClassifier

SIZES = [10_000, 100_000, 1_000_000]  # samples to train on
SPLITS = ["samples", "tools"]
N_TEST_TOOLS = 6
EPOCHS = {"pretrain_epochs": 10, "max_epochs": 50, "batch_size": 128}
LIMIT_S, LIMIT_BYTES = 60, 8 * 2**30
CONVENTIONAL = [
    "svm",
    "sklearn-mlp",
    "knn",
    "gradient-boosting",
    "logistic",
    "adaboost",
    "lasso",
    "sgd",
]


def dbn():
    return DBNClassifier(**EPOCHS, random_state=0)


def resampled(name):
    _, sampler, options = RESAMPLERS[name]
    return make_pipeline(StandardScaler(), sampler(**options, random_state=0), dbn())


def eco():
    network = MLPClassifier(batch_size=EPOCHS["batch_size"], max_epochs=EPOCHS["max_epochs"])
    return ECOEnsembleClassifier(network, population_size=4, max_generations=1, random_state=0)


def make_methods():
    """Functions that make the classifiers, in the order of the tables."""
    return {
        "ecs-dbn": lambda: ECSDBNClassifier(**EPOCHS, random_state=0),
        "csdbn": lambda: RandomCostClassifier(dbn(), random_state=0),
        **{f"{name}-dbn": partial(resampled, name) for name in RESAMPLERS},
        "dbn": dbn,
        "welm": lambda: make_pipeline(
            StandardScaler(), WeightedELMClassifier(kernel=None, n_nodes=200, random_state=0)
        ),
        "eco-ensemble": eco,
        **{name: partial(METHODS[name].make, 0) for name in CONVENTIONAL},
    }


def split(n_train, how):
    """Training and test data."""
    drills = make_gun_drilling(round(n_train / 0.7), random_state=0)
    if how == "samples":
        return train_test_split(
            drills.data, drills.target, test_size=0.3, stratify=drills.target, random_state=0
        )
    is_test = drills.tool >= len(drills.tools) - N_TEST_TOOLS
    X, y = drills.data, drills.target
    return X[~is_test], X[is_test], y[~is_test], y[is_test]


def ranking(classifier, X):
    """What ranks the samples."""
    if hasattr(classifier, "predict_proba"):
        return classifier.predict_proba(X)[:, 1]
    return classifier.decision_function(X)


def run_cell(make, data, connection):
    """Fit and score one method within the limits, and send the row."""
    used_s = int(time.process_time())
    resource.setrlimit(resource.RLIMIT_CPU, (used_s + LIMIT_S, used_s + LIMIT_S + 5))
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES))
    X, X_test, y, y_test = data
    start_s = time.process_time()
    try:
        classifier = make().fit(X, y)
        fit_s = time.process_time() - start_s
        predicted = classifier.predict(X_test)
        scores = {
            "accuracy": accuracy_score(y_test, predicted),
            "g_mean": g_mean(y_test, predicted),
            "auc": roc_auc_score(y_test, ranking(classifier, X_test)),
            "precision": precision_score(y_test, predicted, zero_division=0),
            "f1": f1_score(y_test, predicted, zero_division=0),
        }
        connection.send({**scores, "fit_s": fit_s, "ended": "yes"})
    except MemoryError:
        connection.send({"ended": f"more than {LIMIT_BYTES / 2**30:g} GB"})


def measure(make, data):
    """The row of one cell, whose process may be ended by its limits."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(
        target=run_cell, args=(make, data, sender)
    )
    process.start()
    sender.close()
    try:
        row = receiver.recv()
    except EOFError:
        row = {"ended": f"more than {LIMIT_S} s"}
    process.join()
    if row["ended"] != "yes" or process.exitcode == 0:
        return row
    raise RuntimeError(f"the process ended with {process.exitcode}")


def side_by_side(cells):
    """A row for each method and size, with the scores of both splits; empty where none ended."""
    scores = ["accuracy", "g_mean", "auc", "precision", "f1", "fit_s"]
    keys = ["samples", "method"]
    parts = [
        cells[cells["split"] == how].set_index(keys)[[*scores, "ended"]].add_suffix(f", {how}")
        for how in SPLITS
    ]
    return parts[0].join(parts[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", help="samples to train on, with commas (three sizes)")
    parser.add_argument("--methods", help="names, with commas (all)")
    parser.add_argument("--out", type=Path, required=True, help="CSV file; rows in it are skipped")
    arguments = parse_arguments(
        parser,
        globals(),
        SIZES=[1_500],
        CONVENTIONAL=first(CONVENTIONAL),
        EPOCHS={"pretrain_epochs": 1, "max_epochs": 1, "batch_size": 256},
        methods="ecs-dbn,smote-dbn,svm",
    )
    methods = make_methods()
    names = arguments.methods.split(",") if arguments.methods else list(methods)
    sizes = [int(n) for n in arguments.sizes.split(",")] if arguments.sizes else SIZES
    rows = pd.read_csv(arguments.out).to_dict("records") if arguments.out.exists() else []
    done = {(row["samples"], row["split"], row["method"]) for row in rows}
    for n in sizes:
        for how in SPLITS:
            data = split(n, how)
            for name in names:
                if (n, how, name) not in done:
                    row = measure(methods[name], data)
                    rows.append({"samples": n, "split": how, "method": name, **row})
                    print(rows[-1], flush=True)
                    pd.DataFrame(rows).round(4).to_csv(arguments.out, index=False)
    beside = side_by_side(pd.DataFrame(rows).round(4)).reindex(list(methods), level="method")
    beside.to_csv(arguments.out.with_name(f"{arguments.out.stem}_splits.csv"))


if __name__ == "__main__":
    main()
