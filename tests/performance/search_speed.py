"""Time of a search of class weights and learning rate: DESearchCV, and the same by hand.

Differential evolution (JADE) with 20 generations of 20 candidates, each an MLP that is trained on
five folds. By hand the same optimizer asks and is told, the networks are those of skorch as it is
or of a bare torch loop, and joblib trains the candidates of a generation in two processes. All take
turns in one run, so that a busy machine slows all of them alike. Seconds are scaled to the whole
search where it is cut to its first generations, which take as long as the others; searches by hand
are by default.

Processor seconds are those of all processes of a search. All searches begin with the same 20
candidates and have the same folds; the seeds of the networks differ. The second table compares the
scores of these candidates.

    python tests/performance/search_speed.py --out docs/results
"""

import argparse
import os
import time
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _tiny import parse_arguments
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from torch import nn

from skimbal import DESearchCV, MLPClassifier
from skimbal.datasets import load_keel
from skimbal.metrics import get_scorer
from skimbal.model_selection import class_weight_space
from skimbal.optim import JADE

SIZES = (64, 32)
N_EPOCHS, BATCH_SIZE, WEIGHT_DECAY = 100, 64, 1e-4
N_CANDIDATES, N_GENERATIONS = 20, 20
LARGEST_WEIGHT = 1000.0
RATES = (1e-4, 1e-1)
PROCESSES = 2
SCORING = "g_mean"
FOLDS = StratifiedKFold(5, shuffle=True, random_state=0)


# ---------------------------------------------------------------- networks by hand


def make_module(n_features):
    parts = [
        part for a, b in pairwise([n_features, *SIZES]) for part in (nn.Linear(a, b), nn.ReLU())
    ]
    return nn.Sequential(*parts, nn.Linear(SIZES[-1], 2))


def skorch_network(n_features, weight, rate):
    return NeuralNetClassifier(
        make_module,
        module__n_features=n_features,
        criterion=nn.CrossEntropyLoss,
        criterion__weight=torch.tensor([1.0, weight]),
        optimizer=torch.optim.Adam,
        optimizer__weight_decay=WEIGHT_DECAY,
        lr=rate,
        max_epochs=N_EPOCHS,
        batch_size=BATCH_SIZE,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )


def begin_like_ours(part):
    """Glorot-uniform weights and zero biases in a linear layer."""
    if isinstance(part, nn.Linear):
        nn.init.xavier_uniform_(part.weight)
        nn.init.zeros_(part.bias)


class BareNetwork(ClassifierMixin, BaseEstimator):
    """What skorch's network learns, in the shortest loop: slices of tensors, a fused optimizer.

    torch divides the weighted losses of a batch by the sum of the weights, and begins with smaller
    weights. With `like_ours` both are as in `MLPClassifier`: the divisor is the number of rows, and
    initial weights are Glorot's.
    """

    def __init__(self, n_features, weight, rate, like_ours=False):
        self.n_features = n_features
        self.weight = weight
        self.rate = rate
        self.like_ours = like_ours

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.module_ = make_module(self.n_features)
        if self.like_ours:
            self.module_.apply(begin_like_ours)
        optimizer = torch.optim.Adam(
            self.module_.parameters(), self.rate, weight_decay=WEIGHT_DECAY, fused=True
        )
        weights = torch.tensor([1.0, self.weight])
        loss = nn.CrossEntropyLoss(weights, reduction="sum")
        X, y = torch.as_tensor(X), torch.as_tensor(y)
        for _ in range(N_EPOCHS):
            for rows in torch.randperm(len(X)).split(BATCH_SIZE):
                optimizer.zero_grad(set_to_none=True)
                divisor = len(rows) if self.like_ours else weights[y[rows]].sum()
                (loss(self.module_(X[rows]), y[rows]) / divisor).backward()
                optimizer.step()
        return self

    def predict(self, X):
        with torch.no_grad():
            return self.module_(torch.as_tensor(X)).argmax(dim=1).numpy()


def our_network():
    return MLPClassifier(
        hidden_layer_sizes=SIZES,
        max_epochs=N_EPOCHS,
        batch_size=BATCH_SIZE,
        weight_decay=WEIGHT_DECAY,
        device="cpu",
    )


# ---------------------------------------------------------------- searches


def parameters_at(u):
    """Class weight and learning rate at a point of the unit square, both log-uniform."""
    low, high = RATES
    return float(LARGEST_WEIGHT ** u[0]), float(low * (high / low) ** u[1])


def first_candidates():
    """Points of the unit square that all searches begin with."""
    return np.random.default_rng(0).uniform(size=(N_CANDIDATES, 2))


def cv_score(make_network, u, X, y, seed):
    """Mean score over the folds of the candidate at a point of the unit square."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    network = make_pipeline(StandardScaler(), make_network(X.shape[1], *parameters_at(u)))
    return cross_val_score(network, X, y, cv=FOLDS, scoring=get_scorer(SCORING)).mean()


def search_by_hand(make_network, X, y, seed, n_generations):
    """Scores of the candidates, in their order."""
    optimizer = JADE(
        [(0, 1), (0, 1)],
        population_size=N_CANDIDATES,
        random_state=seed,
        initial=first_candidates(),
    )
    all_scores = []
    for generation in range(n_generations):
        points = optimizer.ask()
        seeds = np.random.SeedSequence([seed, generation]).generate_state(len(points)).tolist()
        scores = Parallel(PROCESSES)(
            delayed(cv_score)(make_network, u, X, y, own)
            for u, own in zip(points, seeds, strict=True)
        )
        optimizer.tell(points, -np.array(scores))
        all_scores += scores
    return np.array(all_scores)


def search_by_skimbal(n_jobs, X, y, seed, n_generations):
    """Scores of the candidates, in their order."""
    names = ("class_weight__1", "learning_rate")
    network = MLPClassifier(
        hidden_layer_sizes=SIZES,
        max_epochs=N_EPOCHS,
        batch_size=BATCH_SIZE,
        weight_decay=WEIGHT_DECAY,
        device="cpu",
    )
    search = DESearchCV(
        network,
        class_weight_space(y, high=LARGEST_WEIGHT) | {"learning_rate": (*RATES, "log-uniform")},
        population_size=N_CANDIDATES,
        max_generations=n_generations,
        x0=[dict(zip(names, parameters_at(u), strict=True)) for u in first_candidates()],
        cv=FOLDS,
        scoring=SCORING,
        n_jobs=n_jobs,
        refit=False,
        random_state=seed,
    )
    return search.fit(X, y).cv_results_["mean_test_score"]


WAYS = {
    "DESearchCV, one process": partial(search_by_skimbal, 1),
    "DESearchCV, two processes": partial(search_by_skimbal, PROCESSES),
    "bare torch loop, two processes": partial(search_by_hand, BareNetwork),
    "the same, loss and initial weights as ours": partial(
        search_by_hand, partial(BareNetwork, like_ours=True)
    ),
    "skorch, two processes": partial(search_by_hand, skorch_network),
}
OURS, REFERENCE = "DESearchCV, two processes", "skorch, two processes"


# ---------------------------------------------------------------- measurements


def load(dataset):
    """Inputs in single precision, as torch wants them, and 1 for the rare class."""
    X, labels = load_keel(dataset, return_X_y=True)
    return np.asarray(X, dtype=np.float32), (np.asarray(labels) == "positive").astype(np.int64)


def processor_seconds():
    """Seconds that this process and all that descend from it have computed (Linux)."""
    fields = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, rest = path.read_text().split(" ", 1)
        except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            continue
        fields[int(pid)] = rest.rpartition(") ")[2].split()
    family = {os.getpid()}
    while more := {pid for pid, f in fields.items() if int(f[1]) in family} - family:
        family |= more
    # Fields 14 to 17 of the file: user and system time, its own and that of ended children.
    return sum(int(t) for pid in family for t in fields[pid][11:15]) / os.sysconf("SC_CLK_TCK")


def time_search(way, X, y, seed, n_generations):
    """Seconds, processor seconds and scores of a search."""
    wall, processor = time.perf_counter(), processor_seconds()
    scores = WAYS[way](X, y, seed, n_generations)
    return time.perf_counter() - wall, processor_seconds() - processor, scores


def run_searches(dataset, n_seeds, n_generations):
    """Rows and score arrays of all searches; `n_generations` tells how many, by way."""
    X, y = load(dataset)
    torch.set_num_threads(1)
    for way in ("DESearchCV, one process", OURS):  # workers start, and import what they need
        WAYS[way](X, y, n_seeds, 1)
    rows = []
    for seed in range(n_seeds):
        for way in WAYS:
            n = n_generations[way]
            wall, processor, scores = time_search(way, X, y, seed, n)
            rows.append(
                {
                    "dataset": dataset,
                    "way": way,
                    "seed": seed,
                    "generations": n,
                    "wall_s": wall * N_GENERATIONS / n,
                    "processor_s": processor * N_GENERATIONS / n,
                    "scores": scores,
                }
            )
            print(
                dataset, way, seed, n, f"{wall:.1f} s, {processor:.1f} s,", max(scores), flush=True
            )
    return rows


def time_table(rows):
    """A row for each data set and way: medians of the times over the seeds, and their ratios."""
    table = pd.DataFrame(rows)
    fewest = table.groupby("dataset").generations.transform("min") * N_CANDIDATES
    table["best_of_all"] = table.scores.map(max)
    table["best_of_common"] = [
        max(scores[:n]) for scores, n in zip(table.scores, fewest, strict=True)
    ]
    table = table.groupby(["dataset", "way"], sort=False).agg(
        {
            "seed": "nunique",
            "generations": "min",
            "wall_s": "median",
            "processor_s": "median",
            "best_of_common": "mean",
            "best_of_all": "mean",
        }
    )
    table = table.rename(columns={"seed": "seeds"})
    for kind in ("wall", "processor"):
        seconds = table[f"{kind}_s"]
        reference = seconds.xs(REFERENCE, level="way").reindex(table.index.get_level_values(0))
        table[f"{kind}_times_faster"] = reference.to_numpy() / seconds
    digits = dict.fromkeys(table.columns, 1) | {"best_of_common": 4, "best_of_all": 4}
    return table.reset_index().round(digits)


def score_table(rows):
    """How far the first candidates' scores of each way are from those of skorch.

    The standard error is that which the seeds give the mean difference.
    """
    table = []
    for dataset, of_set in pd.DataFrame(rows).groupby("dataset", sort=False):
        scores = {
            way: np.stack([s[:N_CANDIDATES] for s in of_way.scores])
            for way, of_way in of_set.groupby("way", sort=False)
        }
        reference = scores[REFERENCE]
        for way, own in scores.items():
            differences = own.mean(0) - reference.mean(0)
            variances = (own.var(0, ddof=1) + reference.var(0, ddof=1)) / len(own)
            if way == REFERENCE:
                variances *= np.nan
            table.append(
                {
                    "dataset": dataset,
                    "way": way,
                    "seeds": len(own),
                    "mean_score": own.mean(),
                    "sd_over_seeds": np.sqrt(own.var(0, ddof=1).mean()),
                    "mean_difference": differences.mean(),
                    "its_standard_error": np.sqrt(variances.sum()) / N_CANDIDATES,
                    "mean_absolute_difference": np.abs(differences).mean(),
                    "best_candidate": own.mean(0).max(),
                }
            )
    return pd.DataFrame(table)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--datasets", nargs="+", default=["ecoli3", "pima"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--generations", type=int, default=N_GENERATIONS, help="of DESearchCV")
    parser.add_argument("--generations-by-hand", type=int, default=2)
    parser.add_argument("--out", required=True, type=Path)
    arguments = parse_arguments(
        parser,
        globals(),
        N_CANDIDATES=4,
        N_EPOCHS=2,
        FOLDS=StratifiedKFold(2),
        PROCESSES=1,
        WAYS=WAYS | {OURS: partial(search_by_skimbal, 1)},
        datasets=["ecoli3"],
        seeds=2,
        generations=1,
        generations_by_hand=1,
    )
    n_generations = {
        way: arguments.generations if way.startswith("DE") else arguments.generations_by_hand
        for way in WAYS
    }
    rows = []
    for dataset in arguments.datasets:
        rows += run_searches(dataset, arguments.seeds, n_generations)
        for name, table in (
            ("search_speed", time_table(rows)),
            ("search_speed_scores", score_table(rows)),
        ):
            print(table.round(4).to_string())
            table.round(4).to_csv(arguments.out / f"{name}.csv", index=False)


if __name__ == "__main__":
    main()
