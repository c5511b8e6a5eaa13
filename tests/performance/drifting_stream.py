"""Learners on streams whose imbalance swings and flips: networks, and classifiers of river.

    python tests/performance/drifting_stream.py --out docs/results/drifting_stream.csv

The odds of two classes swing between 30:1 and 1:30, and then flip between these two every 1,500
samples. The samples of a class come from one of three sources: a Gaussian in five dimensions, SEA
(its concept changes after each quarter of the stream, and a tenth of its labels is wrong) and
Agrawal's second function (nine features of very different scales). Each learner gets 50 samples
at a time: it predicts all of them, and then learns them. Scores are means of windows of 500
samples. "rare" and "frequent" are the recalls of the class that is rare, or frequent, in a window.
"after a flip" is the G-mean of the first window after a flip. Recalls, "after a flip" and the
processor time are means over the streams. Entries with ± are means over seeds and their standard
errors. The scores of all windows are written beside the table, and a second run takes them from
there.

The settings of the networks were chosen on the Gaussian stream, with other seeds. Those of river
are its defaults.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from _comparison import run_cells
from _river_streams import (
    SAMPLERS,
    RiverLearner,
    SampledNetwork,
    agrawal,
    river_classifiers,
    sea,
)
from _tiny import parse_arguments

from skimbal import MLPClassifier, TunedCostClassifierCV
from skimbal.metrics import recall_per_class

N_SWINGS = 6000
N_FLIPS = 6000
FLIP_EVERY = 1500
BATCH, WINDOW = 50, 500
MAX_ODDS = 30.0
FIRST_SEED = 100  # the settings were chosen with the seeds 0, 1 and 2
SHIFT = 0.7  # distance of the classes in each of the dimensions, in standard deviations
NETWORK = {"hidden_layer_sizes": (16,), "learning_rate": 0.01, "batch_size": 25}
NETWORKS = {
    "no weights": {},
    "weights of the first 500 samples": {"class_weight": "balanced"},
    "weights, half-life 20": {"class_weight": "balanced", "forgetting_half_life": 20},
    "weights, half-life 50": {"class_weight": "balanced", "forgetting_half_life": 50},
    "weights, half-life 200": {"class_weight": "balanced", "forgetting_half_life": 200},
    "costs, half-life 50": {"cost_matrix": "inverse_frequency", "forgetting_half_life": 50},
    "balanced softmax, half-life 50": {"loss": "balanced_softmax", "forgetting_half_life": 50},
    "costs found, window 200": {"window": 200},
    "costs found, window 500": {"window": 500},
    "weights, half-life 50, and costs found, window 500": {
        "class_weight": "balanced",
        "forgetting_half_life": 50,
        "window": 500,
    },
}


def gaussian(y, seed):
    """Two Gaussian classes with equal covariance."""
    rng = np.random.default_rng([seed, 1])
    return rng.normal(size=(len(y), 5)) + SHIFT * y[:, None]


STREAMS = {"Gaussian": gaussian, "SEA": sea, "Agrawal": agrawal}


def share_of_class_1():
    """Its probability at each sample of a stream."""
    swings = -np.cos(2.0 * np.pi * np.arange(N_SWINGS) / N_SWINGS * 1.5)
    flips = np.where(np.arange(N_FLIPS) // FLIP_EVERY % 2, 1.0, -1.0)
    return 1.0 / (1.0 + MAX_ODDS ** -np.concatenate([swings, flips]))


def make_stream(stream, seed):
    """Return the samples and their classes."""
    share = share_of_class_1()
    y = (np.random.default_rng(seed).random(len(share)) < share).astype(int)
    return STREAMS[stream](y, seed), y


class NetworkLearner:
    """A network that gets batches, with what its first call needs."""

    def __init__(self, settings, first_labels, seed):
        own = {name: value for name, value in settings.items() if name != "window"}
        self.network = MLPClassifier(**NETWORK, **own, random_state=seed)
        if "window" in settings:
            self.network = TunedCostClassifierCV(self.network, window=settings["window"])
        self.given = {"classes": [0, 1]}
        if "class_weight" in settings and "forgetting_half_life" not in settings:
            self.given["class_counts"] = np.bincount(first_labels, minlength=2)

    def predict(self, X):
        return self.network.predict(X)

    def learn(self, X, y):
        self.network.partial_fit(X, y, **self.given)


def make_learner(kind, name, seed, first_labels):
    """The learner of a row: a network, a network behind a sampler of river, or river's."""
    if kind == "network":
        return NetworkLearner(NETWORKS[name], first_labels, seed)
    if kind == "network, river's sampler":
        return SampledNetwork(MLPClassifier(**NETWORK, random_state=seed), SAMPLERS[name], seed)
    return RiverLearner(river_classifiers()[name](seed))


def all_rows():
    """Pairs of kind and name."""
    kinds = {
        "network": NETWORKS,
        "network, river's sampler": SAMPLERS,
        "river": river_classifiers(),
    }
    return [(kind, name) for kind, names in kinds.items() for name in names]


def prequential(learner, X, y):
    """Predict each batch before it is learned."""
    predicted = np.zeros_like(y)
    for start in range(0, len(y), BATCH):
        rows = slice(start, start + BATCH)
        if start:
            predicted[rows] = learner.predict(X[rows])
        learner.learn(X[rows], y[rows])
    return predicted


def window_scores(y, predicted):
    """G-mean and recalls of each window; NaN where a window lacks a class."""
    scores = []
    for start in range(0, len(y), WINDOW):
        rows = slice(start, start + WINDOW)
        counts = np.bincount(y[rows], minlength=2)
        recalls = np.full(2, np.nan)
        if counts.all():
            recalls = recall_per_class(y[rows], predicted[rows])
        rare = counts.argmin()
        scores.append(
            {
                "start": start,
                "g_mean": np.sqrt(recalls.prod()),
                **{f"recall_{label}": recalls[label] for label in (0, 1)},
                "recall_rare": recalls[rare],
                "recall_frequent": recalls[1 - rare],
            }
        )
    return scores


def scores_of(stream, kind, learner, seed):
    """A row for each window of a learner on a stream."""
    X, y = make_stream(stream, seed)
    model = make_learner(kind, learner, seed, y[:WINDOW])
    started = time.process_time()
    predicted = prequential(model, X, y)
    ms_per_sample = 1000.0 * (time.process_time() - started) / len(y)
    return [{**row, "ms_per_sample": ms_per_sample} for row in window_scores(y, predicted)]


def with_error(means):
    """Mean and standard error over seeds, as text."""
    return f"{means.mean():.3f} ± {means.sem():.3f}" if len(means) > 1 else f"{means.mean():.3f}"


def make_table(scores):
    """The table of the guide, from the scores of all windows."""
    keys = ["kind", "learner"]

    def over(part, columns=(), value="g_mean"):
        by = [*keys, *columns]
        means = part.groupby([*by, "seed"], sort=False)[value].mean()
        return means.groupby(by, sort=False).agg(with_error)

    table = over(scores, ["stream"]).unstack("stream")[list(STREAMS)]
    flips = (scores.start >= N_SWINGS) & ((scores.start - N_SWINGS) % FLIP_EVERY < WINDOW)
    table["after a flip"] = over(scores[flips])
    for size in ("rare", "frequent"):
        table[f"recall, {size}"] = over(scores, value=f"recall_{size}")
    times = scores.groupby(keys, sort=False).ms_per_sample.mean()
    table["ms a sample"] = times.map("{:.2f}".format)
    return table.loc[[row for row in all_rows() if row in table.index]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="CSV file to write")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=1, help="processes; more make times unsure")
    tiny = {"N_SWINGS": 200, "N_FLIPS": 200, "FLIP_EVERY": 100, "WINDOW": 100}
    arguments = parse_arguments(parser, globals(), **tiny, MAX_ODDS=3.0, seeds=1)
    cells = [
        {"stream": stream, "kind": kind, "learner": learner, "seed": seed}
        for seed in range(FIRST_SEED, FIRST_SEED + arguments.seeds)
        for stream in STREAMS
        for kind, learner in all_rows()
    ]
    windows = arguments.out.with_name(f"{arguments.out.stem}_windows.csv.xz")
    scores = run_cells(scores_of, cells, windows, arguments.jobs)
    table = make_table(scores)
    table.to_csv(arguments.out)
    print(table.to_string())


if __name__ == "__main__":
    main()
