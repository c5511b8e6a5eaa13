"""Augmentation of signals of a smart watch, on people who were not trained on.

A convolutional network, which ignores shifts by its structure, and a dense one. Windows of two
seconds at a step of one; the first three of five folds by person. The windows of the training folds
are thinned at random, so that the classes fall geometrically to an eighth of the largest; the test
folds stay as they are. Every second seed thins the classes in the opposite order. Cells that are
already in augmentation_cells.csv.xz are not run again.

    python tests/performance/augmentation.py --out docs/results
"""

from functools import partial

import numpy as np
import pandas as pd
from _comparison import base_parser, mean_and_sd, points, run_cells
from _tiny import parse_arguments
from sklearn.model_selection import GroupKFold

from skimbal import CNN1DClassifier, MLPClassifier
from skimbal.augmentation import Noise, Scaling, Shift, TimeMask
from skimbal.datasets import load_watch
from skimbal.metrics import balanced_accuracy, macro_f1
from skimbal.preprocessing import index_windows

AUGMENTATIONS = {
    "none": [],
    "noise": [Noise(0.2)],
    "shift": [Shift(0.1)],
    "scaling": [Scaling(0.2)],
    "time mask": [TimeMask(0.2)],
    "all four": [Noise(0.2), Shift(0.1), Scaling(0.2), TimeMask(0.2)],
}
NETWORKS = {"convolution": CNN1DClassifier, "dense": MLPClassifier}
SIZE, STEP = 100, 50  # samples, at 50 Hz
IMBALANCE_RATIO = 8
N_FOLDS = 3


def load_windows():
    """Windows, their labels and persons."""
    watch = load_watch()
    windows = index_windows(watch.data, SIZE, STEP)
    recording = windows.recording
    return np.asarray(windows), watch.target[recording], watch.groups[recording]


def thin(y, order, seed):
    """Rows of which the classes fall geometrically, in this order, to an eighth of the largest."""
    rows_of = [np.flatnonzero(y == label) for label in order]
    fractions = float(IMBALANCE_RATIO) ** -np.linspace(0, 1, len(order))
    n_max = min(map(len, rows_of))
    rng = np.random.default_rng(seed)
    chosen = [
        rng.permutation(rows)[: int(n_max * fraction)]
        for rows, fraction in zip(rows_of, fractions, strict=True)
    ]
    return np.concatenate(chosen)


def evaluate(data, network, seed, fold, augmentation, n_epochs):
    X, y, person = data
    train, test = list(GroupKFold(5).split(X, y, person))[fold]
    labels = np.unique(y)
    train = train[thin(y[train], labels[:: 1 if seed % 2 == 0 else -1], seed)]
    fitted = NETWORKS[network](
        class_weight="balanced",
        augmentation=AUGMENTATIONS[augmentation],
        max_epochs=n_epochs,
        random_state=seed,
    ).fit(X[train], y[train])
    predicted = fitted.predict(X[test])
    yield {
        "n_train": len(train),
        "n_test": len(test),
        "macro_f1": macro_f1(y[test], predicted, labels=labels),
        "balanced_accuracy": balanced_accuracy(y[test], predicted, labels=labels),
        "train_loss": fitted.history_.train_loss.iloc[-1],
    }


def summary(cells):
    rows = {}
    for network, of_network in cells.groupby("network", sort=False):
        f1 = of_network.pivot(index=["seed", "fold"], columns="augmentation", values="macro_f1")
        for name in AUGMENTATIONS:
            own = of_network[of_network.augmentation == name]
            difference = f1[name] - f1["none"]
            error = difference.std(ddof=1) / len(difference) ** 0.5
            rows[network, name] = {
                "macro F1 %": mean_and_sd(f1[name]),
                "to none": f"{100 * difference.mean():+.1f} ± {points(error)}",
                "better in": f"{(difference > 0).sum()} of {len(difference)}",
                "balanced accuracy %": mean_and_sd(own.balanced_accuracy),
                "loss of the training": f"{own.train_loss.mean():.3f}",
            }
    table = pd.DataFrame(rows).T.rename_axis(["network", "augmentation"])
    table.loc[(slice(None), "none"), ["to none", "better in"]] = ""
    return table


def main():
    parser = base_parser(__doc__, n_seeds=3, n_epochs=15)
    arguments = parse_arguments(parser, globals(), N_FOLDS=2, seeds=1, epochs=1)
    cells = [
        {
            "network": network,
            "seed": seed,
            "fold": fold,
            "augmentation": name,
            "n_epochs": arguments.epochs,
        }
        for network in NETWORKS
        for seed in range(arguments.seeds)
        for fold in range(N_FOLDS)
        for name in AUGMENTATIONS
    ]
    path = arguments.out / "augmentation_cells.csv.xz"
    table = summary(run_cells(partial(evaluate, load_windows()), cells, path, arguments.jobs))
    table.to_csv(arguments.out / "augmentation.csv")
    print(table.to_string())


if __name__ == "__main__":
    main()
