"""Every registered loss: does it train on real signals and images, and how long is an epoch?

Training: a short one on windows of the watch (people who were not trained on), on images of
CIFAR-10 and on spectrograms of bearings (other parts of the same recordings), each thinned to 4:1
in half of the classes. Balanced accuracy of the larger posterior on test data; "above chance" is by
more than two standard errors on all three.

Time: ratio of the processor time of a fit of some epochs to that with cross entropy, in batches of
64, everything around the training included. The losses take turns in random order, so that a busy
machine slows all of them alike; the ratio is the median over the turns.

    python tests/performance/loss_times.py --out docs/results
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _tiny import parse_arguments
from tqdm import tqdm

from skimbal import CNN1DClassifier, CNN2DClassifier, MLPClassifier
from skimbal.datasets import cut_segments, fetch_cifar10_imbalanced, load_cwru, load_watch
from skimbal.losses import all_losses
from skimbal.metrics import balanced_accuracy
from skimbal.preprocessing import Spectrogram, index_windows

IMBALANCE_RATIO = 4
TIMED_SHAPES = {  # network: class, shape of a sample, rows, epochs
    "CNN1D": (CNN1DClassifier, (6, 100), 640, 2),
    "CNN2D": (CNN2DClassifier, (1, 32, 32), 640, 1),
    "MLP": (MLPClassifier, (20,), 2560, 4),
}


def parameters(name):
    """Parameters of a network with a loss; costs where the loss can't do without."""
    needs_costs = all_losses()[name]().needs_costs
    return {"loss": name, "cost_matrix": "inverse_frequency" if needs_costs else None}


def thin(X, y, n_max, rng):
    """`n_max` rows of the first half of the classes, a fourth of that of the others."""
    classes = np.unique(y)
    wanted = [
        n_max if c < len(classes) / 2 else n_max // IMBALANCE_RATIO for c in range(len(classes))
    ]
    rows = np.concatenate(
        [
            rng.permutation(np.flatnonzero(y == label))[:n]
            for label, n in zip(classes, wanted, strict=True)
        ]
    )
    return X[rows], y[rows]


def watch_data(rng):
    watch = load_watch()
    windows = index_windows(watch.data, 100, 50)
    X, y = np.asarray(windows), watch.target[windows.recording]
    is_test = np.isin(watch.groups[windows.recording], (9, 10))
    return *thin(X[~is_test], y[~is_test], 300, rng), X[is_test], y[is_test]


def cifar_data(rng):
    X, X_test, y, y_test = fetch_cifar10_imbalanced(
        profile="step",
        imbalance_ratio=IMBALANCE_RATIO,
        n_max=150,
        n_test=1000,
        random_state=0,
        return_X_y=True,
    )
    return X, y, X_test, y_test


def cwru_data(rng):
    cwru = load_cwru()
    sets = []
    for part, n in (((0, 0.7), 150), ((0.8, 1), 40)):
        X, y = cut_segments(
            cwru.data,
            cwru.target,
            length=900,
            n_per_class=n,
            part=part,
            random_state=0,
            return_X_y=True,
        )
        sets += [Spectrogram(window=128, hop=64).fit_transform(X), y]
    X, y, X_test, y_test = sets
    return *thin(X, y, 150, rng), X_test, y_test


TRAININGS = {  # data: their function, network, filters, epochs
    "watch": (watch_data, CNN1DClassifier, (32, 64), 6),
    "CIFAR-10": (cifar_data, CNN2DClassifier, (16, 32), 10),
    "bearings": (cwru_data, CNN2DClassifier, (16, 32), 40),
}

TINY_SHAPES = {kind: (*rest, 64, 1) for kind, (*rest, _, _) in TIMED_SHAPES.items()}
TINY_TRAININGS = {name: (*TRAININGS[name][:2], (4, 4), 1) for name in ("watch", "CIFAR-10")}


def training_table():
    """Balanced accuracies in percent, a row a loss."""
    columns, is_above = {}, pd.Series(True, index=list(all_losses()))
    for data, (make_data, network_class, n_filters, n_epochs) in TRAININGS.items():
        X, y, X_test, y_test = make_data(np.random.default_rng(0))
        chance = 1.0 / len(np.unique(y))
        limit = chance + 2.0 * np.sqrt(chance * (1.0 - chance) / len(y_test))
        reached = {}
        for name in tqdm(all_losses(), desc=data):
            network = network_class(
                **parameters(name), n_filters=n_filters, max_epochs=n_epochs, random_state=0
            )
            proba = network.fit(X, y).predict_proba(X_test)
            reached[name] = balanced_accuracy(y_test, network.classes_[proba.argmax(axis=1)])
        is_above &= pd.Series(reached) > limit
        columns[f"{data} ({100 * chance:.1f})"] = {n: f"{100 * r:.1f}" for n, r in reached.items()}
    table = pd.DataFrame(columns).rename_axis("loss")
    return table.assign(**{"above chance": is_above.map({True: "yes", False: "no"})})


def time_table(n_rounds):
    """Ratios of processor time to cross entropy, a row a loss, and its seconds an epoch."""
    rng = np.random.default_rng(0)
    rows = []
    for kind, (network_class, shape, n_rows, n_epochs) in TIMED_SHAPES.items():
        X, y = rng.normal(size=(n_rows, *shape)).astype(np.float32), np.arange(n_rows) % 10 // 2
        y[y > 2] = rng.integers(0, 5, (y > 2).sum())
        for turn in tqdm(range(n_rounds + 1), desc=kind):
            for name in rng.permutation(list(all_losses())).tolist():
                network = network_class(
                    **parameters(name), batch_size=64, max_epochs=n_epochs, random_state=0
                )
                start = time.process_time()
                network.fit(X, y)
                if turn:  # the first one is slow: everything is met for the first time
                    seconds = (time.process_time() - start) / n_epochs
                    rows.append((kind, turn, name, seconds))
    times = pd.DataFrame(rows, columns=["network", "turn", "loss", "seconds"])
    by_loss = times.pivot(index=["network", "turn"], columns="loss", values="seconds")
    ratios = by_loss.div(by_loss["cross_entropy"], axis=0).groupby("network").median().T
    print(by_loss["cross_entropy"].groupby("network").median())
    return ratios.loc[list(all_losses()), list(TIMED_SHAPES)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parse_arguments(
        parser, globals(), TIMED_SHAPES=TINY_SHAPES, TRAININGS=TINY_TRAININGS, rounds=1
    )
    torch.set_num_threads(1)
    times = time_table(arguments.rounds)
    times.map("{:.2f}".format).to_csv(arguments.out / "loss_times.csv")
    print(times.round(2).to_string())
    trainings = training_table()
    trainings.to_csv(arguments.out / "loss_trainings.csv")
    print(trainings.to_string())


if __name__ == "__main__":
    main()
