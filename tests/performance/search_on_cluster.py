"""Seconds of a generation of a search on a cluster: networks that stay there, and that come back.

A local cluster of dask has two worker processes. A search divides the networks of a generation
(candidates x folds) between them. "stay": the search itself, whose workers score the networks and
return the scores. "come back": the same networks from `fit_population`, which returns them, and
scores that are computed in the process of the search. The scores of both ways are compared.

The two ways take turns, and the least of the repetitions is kept. Each row is written at once, and
rows that the file has are not computed again.

    OMP_NUM_THREADS=1 python tests/performance/search_on_cluster.py
"""

import argparse
import csv
import os
import pickle
import time
import warnings
from pathlib import Path

import numpy as np
from _tiny import first, parse_arguments
from distributed import Client, LocalCluster
from joblib import parallel_config
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.metrics import get_scorer
from sklearn.model_selection import StratifiedKFold

from skimbal import BayesSearchCV, DESearchCV, MLPClassifier
from skimbal.model_selection import ClassWeights, class_weight_space
from skimbal.neural_network import fit_population

RESULTS = Path(__file__).parents[2] / "docs" / "results"
SHAPES = [(32,), (128, 128), (256, 256)]
N_WORKERS, N_FOLDS = 2, 5
N_CANDIDATES, N_GENERATIONS = 12, 3
N_SAMPLES, N_EPOCHS = 600, 5
SCORING = "balanced_accuracy"


def searches(network, space):
    """The searches by name. Random points alone: the time of a model of the scores is left out."""
    common = {"scoring": SCORING, "cv": StratifiedKFold(N_FOLDS), "refit": False, "random_state": 0}
    n_points = N_CANDIDATES * N_GENERATIONS
    return {
        "DESearchCV": DESearchCV(
            network,
            space,
            population_size=N_CANDIDATES,
            max_generations=N_GENERATIONS,
            **common,
        ),
        "BayesSearchCV": BayesSearchCV(
            network,
            space,
            n_iter=n_points,
            n_points=N_CANDIDATES,
            n_initial_points=n_points,
            **common,
        ),
    }


def scores_of_networks_that_stay(search, X, y):
    """The scores of all candidates and folds, and the candidates."""
    search.fit(X, y)
    table = [search.cv_results_[f"split{k}_test_score"] for k in range(N_FOLDS)]
    return np.transpose(table), search.cv_results_["params"]


def scores_of_networks_that_come_back(network, candidates, X, y):
    """The scores of the candidates and folds, and the bytes of the networks of a generation."""
    splits = list(StratifiedKFold(N_FOLDS).split(X, y))
    scorer = get_scorer(SCORING)
    scores = []
    for start in range(0, len(candidates), N_CANDIDATES):
        pairs = [
            (clone(network).set_params(**params), split)
            for params in candidates[start : start + N_CANDIDATES]
            for split in splits
        ]
        fitted = fit_population(
            [estimator for estimator, _ in pairs],
            X,
            y,
            [train for _, (train, _) in pairs],
            n_jobs=N_WORKERS,
        )
        scores += [
            scorer(each, X[test], y[test])
            for each, (_, (_, test)) in zip(fitted, pairs, strict=True)
        ]
    return np.reshape(scores, (-1, N_FOLDS)), fitted


def timed(client, call):
    """The value of a call, and seconds: of the clock, of this process, and of all workers."""
    workers = sum(client.run(time.process_time).values())
    start, own = time.perf_counter(), time.process_time()
    value = call()
    seconds = [time.perf_counter() - start, time.process_time() - own]
    return value, [*seconds, sum(client.run(time.process_time).values()) - workers]


def measure(client, network, search, X, y, n_repetitions):
    """Seconds of a generation of both ways, and the bytes of its networks."""
    times: dict[str, list] = {"stay": [], "back": []}
    for _ in range(n_repetitions):
        (stayed, candidates), seconds = timed(
            client, lambda: scores_of_networks_that_stay(clone(search), X, y)
        )
        times["stay"].append(seconds)
        (came_back, fitted), seconds = timed(
            client, lambda c=candidates: scores_of_networks_that_come_back(network, c, X, y)
        )
        times["back"].append(seconds)
        np.testing.assert_array_equal(came_back, stayed)
    least = {way: np.min(all_seconds, axis=0) / N_GENERATIONS for way, all_seconds in times.items()}
    return least, len(pickle.dumps(fitted))


def row_of(name, hidden, least, n_bytes):
    """A row of the table."""
    row = {
        "search": name,
        "hidden": " ".join(map(str, hidden)),
        "networks": N_CANDIDATES * N_FOLDS,
        "MiB_of_networks": f"{n_bytes / 2**20:.1f}",
    }
    kinds = ("s", "search_cpu_s", "worker_cpu_s")
    for i, kind in enumerate(kinds):
        for way in ("back", "stay"):
            row[f"{kind}_{way}"] = f"{least[way][i]:.2f}"
    return row


def rows_there(file):
    """Keys of the rows that a file has."""
    if not Path(file).exists():
        return set()
    with Path(file).open(newline="") as lines:
        return {(row["search"], row["hidden"]) for row in csv.DictReader(lines)}


def append(file, row):
    is_new = not Path(file).exists()
    with Path(file).open("a", newline="") as lines:
        writer = csv.DictWriter(lines, list(row), lineterminator="\n")
        if is_new:
            writer.writeheader()
        writer.writerow(row)
    print(row, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default=RESULTS / "search_on_cluster.csv")
    parser.add_argument("--repetitions", type=int, default=2)
    arguments = parse_arguments(
        parser, globals(), repetitions=1, SHAPES=first(SHAPES), N_CANDIDATES=4, N_EPOCHS=1
    )
    warnings.simplefilter("ignore")  # that a few epochs are not enough
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    X, y = make_classification(
        N_SAMPLES, 20, n_informative=8, n_classes=3, weights=[0.7, 0.2], random_state=0
    )
    space = {"learning_rate": (0.001, 0.1, "log-uniform")} | class_weight_space(y)
    with (
        LocalCluster(
            n_workers=N_WORKERS, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
        parallel_config(backend="dask", n_jobs=N_WORKERS, scatter=[X, y]),
    ):
        for hidden in SHAPES:
            network = MLPClassifier(
                hidden_layer_sizes=hidden,
                max_epochs=N_EPOCHS,
                class_weight=ClassWeights(y),
                random_state=0,
            )
            for name, search in searches(network, space).items():
                if (name, " ".join(map(str, hidden))) in rows_there(arguments.out):
                    continue
                search.fit(X, y)  # the workers import torch
                results = measure(client, network, search, X, y, arguments.repetitions)
                append(arguments.out, row_of(name, hidden, *results))


if __name__ == "__main__":
    main()
