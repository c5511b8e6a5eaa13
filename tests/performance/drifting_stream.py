"""Networks on a stream whose imbalance swings and flips, with and without forgotten class counts.

    python tests/performance/drifting_stream.py --out docs/results/drifting_stream.csv

Two Gaussian classes in five dimensions. Their odds swing between 30:1 and 1:30, and then flip
between these two every 1,500 samples. The networks get 50 samples at a time: they predict them, and
are then trained on them. "window" is `TunedCostClassifierCV`, whose `partial_fit` searches costs on
the last samples as they were predicted. "all" is the mean G-mean of windows of 500 samples,
"swings" and "flips" that of the two parts of the stream, and "after a flip" that of the first
window after a flip.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _tiny import first, parse_arguments

from skimbal import MLPClassifier, TunedCostClassifierCV
from skimbal.metrics import g_mean

N_SWINGS = 6000
N_FLIPS = 6000
FLIP_EVERY = 1500
BATCH, WINDOW = 50, 500
MAX_ODDS = 30.0
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


def make_stream(seed):
    """Return the samples, their classes, and the share of class 1 at each of them."""
    rng = np.random.default_rng(seed)
    swings = -np.cos(2.0 * np.pi * np.arange(N_SWINGS) / N_SWINGS * 1.5)
    flips = np.where(np.arange(N_FLIPS) // FLIP_EVERY % 2, 1.0, -1.0)
    share = 1.0 / (1.0 + MAX_ODDS ** -np.concatenate([swings, flips]))
    y = (rng.random(len(share)) < share).astype(int)
    return rng.normal(size=(len(y), 5)) + SHIFT * y[:, None], y, share


def prequential(params, X, y, seed):
    """Predict each batch before the network is trained on it."""
    own = {name: value for name, value in params.items() if name != "window"}
    network = MLPClassifier(**NETWORK, **own, random_state=seed)
    if "window" in params:
        network = TunedCostClassifierCV(network, window=params["window"])
    given = {"classes": [0, 1]}
    if "class_weight" in params and "forgetting_half_life" not in params:
        given["class_counts"] = np.bincount(y[:WINDOW], minlength=2)
    predicted = np.zeros_like(y)
    for start in range(0, len(y), BATCH):
        rows = slice(start, start + BATCH)
        if start:
            predicted[rows] = network.predict(X[rows])
        network.partial_fit(X[rows], y[rows], **given)
    return predicted


def window_scores(y, predicted):
    """G-mean of each window; NaN for one without a class."""
    windows = [slice(start, start + WINDOW) for start in range(0, len(y), WINDOW)]
    has_both = [len(np.unique(y[rows])) == 2 for rows in windows]
    pairs = zip(windows, has_both, strict=True)
    return np.array([g_mean(y[r], predicted[r]) if both else np.nan for r, both in pairs])


def scores_of(name, seed):
    """The row of a network."""
    X, y, _ = make_stream(seed)
    scores = window_scores(y, prequential(NETWORKS[name], X, y, seed))
    n = N_SWINGS // WINDOW
    after = scores[n :: FLIP_EVERY // WINDOW]
    parts = {"all": scores, "swings": scores[:n], "flips": scores[n:], "after a flip": after}
    means = {part: np.nanmean(values) for part, values in parts.items()}
    return {"network": name, "seed": seed, **means}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="CSV file to write")
    parser.add_argument("--seeds", type=int, default=3)
    tiny = {"N_SWINGS": 500, "N_FLIPS": 500, "NETWORKS": first(NETWORKS, 3)}
    arguments = parse_arguments(parser, globals(), **tiny, MAX_ODDS=3.0, seeds=1)
    torch.set_num_threads(1)
    cells = [(name, seed) for name in NETWORKS for seed in range(arguments.seeds)]
    scores = pd.DataFrame([scores_of(*cell) for cell in cells])
    table = scores.drop(columns="seed").groupby("network", sort=False).mean().round(3)
    by_seed = scores.pivot(index="seed", columns="network", values="all")
    difference = by_seed.sub(by_seed["no weights"], axis=0)
    table["all - no weights"] = difference.mean().round(3)
    table["its standard error"] = difference.sem().round(3)
    table.to_csv(arguments.out)
    print(table.to_string())


if __name__ == "__main__":
    main()
