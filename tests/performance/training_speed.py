"""Time of one MLP fit: a bare torch loop, MLPClassifier, and skorch as it comes.

All train the same network for the same epochs, in mini-batches of the same size, with Adam, fused
but in the last row, on one thread, in one process; they take turns, so that a busy machine slows
all of them alike. Figures are ratios of processor time (and of wall time) to the bare loop.

    python tests/performance/training_speed.py --out docs/results/training_speed.csv
"""

import argparse
import time
from functools import partial

import numpy as np
import pandas as pd
import torch
from _tiny import parse_arguments
from skorch import NeuralNetClassifier
from torch import nn

from skimbal import MLPClassifier
from skimbal.datasets import load_keel

SETTINGS = {"n_epochs": 100, "batch_size": 64, "learning_rate": 1e-3, "weight_decay": 1e-4}


def make_module(n_features):
    """A network of two hidden layers, 64 and 32."""
    return nn.Sequential(
        nn.Linear(n_features, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 2)
    )


def fit_bare(X, y, n_epochs, batch_size, learning_rate, weight_decay):
    """What one would write by hand."""
    module = make_module(X.shape[1])
    optimizer = torch.optim.Adam(
        module.parameters(), lr=learning_rate, weight_decay=weight_decay, fused=True
    )
    loss = nn.CrossEntropyLoss()
    X, y = torch.as_tensor(X, dtype=torch.float32), torch.as_tensor(y)
    for _ in range(n_epochs):
        order = torch.randperm(len(X))
        for rows in order.split(batch_size):
            optimizer.zero_grad(set_to_none=True)
            loss(module(X[rows]), y[rows]).backward()
            optimizer.step()


def fit_skimbal(X, y, n_epochs, batch_size, learning_rate, weight_decay):
    """MLPClassifier, validation of the data included."""
    MLPClassifier(
        hidden_layer_sizes=(64, 32),
        max_epochs=n_epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        device="cpu",
    ).fit(X, y)


def fit_skorch(X, y, n_epochs, batch_size, learning_rate, weight_decay, fused=True):
    """NeuralNetClassifier with its own loader, without validation split and printing."""
    NeuralNetClassifier(
        make_module(X.shape[1]),
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        optimizer__weight_decay=weight_decay,
        optimizer__fused=fused,
        lr=learning_rate,
        max_epochs=n_epochs,
        batch_size=batch_size,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    ).fit(X.astype(np.float32), y)


FITS = {
    "bare torch loop": fit_bare,
    "MLPClassifier": fit_skimbal,
    "skorch's loader": fit_skorch,
    "skorch's loader, Adam not fused": partial(fit_skorch, fused=False),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="abalone9-18")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--out", required=True)
    arguments = parse_arguments(parser, globals(), SETTINGS=SETTINGS | {"n_epochs": 2}, repeats=1)
    torch.set_num_threads(1)
    X, labels = load_keel(arguments.dataset, return_X_y=True)
    y = np.unique(labels, return_inverse=True)[1]
    for fit in FITS.values():
        fit(X, y, **{**SETTINGS, "n_epochs": 2})
    rows = []
    for _ in range(arguments.repeats):
        for name, fit in FITS.items():
            wall, cpu = time.perf_counter(), time.process_time()
            fit(X, y, **SETTINGS)
            rows.append((name, time.process_time() - cpu, time.perf_counter() - wall))
    best = pd.DataFrame(rows, columns=["fit", "cpu_s", "wall_s"]).groupby("fit", sort=False).min()
    best["cpu_ratio"] = best.cpu_s / best.cpu_s["bare torch loop"]
    best["wall_ratio"] = best.wall_s / best.wall_s["bare torch loop"]
    best.round(3).to_csv(arguments.out)
    print(best.round(3).to_string())


if __name__ == "__main__":
    main()
