"""Augmentation of signals, on people and bearings that were not trained on.

Two sets of recordings. Exercises with a smart watch: windows of two seconds, the first three of
five folds by person. Bearings at 12 kHz: windows of 43 ms, three folds by bearing, each with all
loads of its bearings.
The windows of the training folds are thinned at random, so that the classes fall geometrically to
an eighth of the largest; the test folds stay as they are. Every second seed thins the classes in
the opposite order. Cells that are already in augmentation_cells.csv are not run again.

    python tests/performance/augmentation.py --out docs/results
"""

from functools import partial

import numpy as np
import pandas as pd
from _comparison import base_parser, mean_and_sd, points, run_cells
from _tiny import parse_arguments
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

from skimbal import CNN1DClassifier
from skimbal.augmentation import Noise, Scaling, Shift, TimeMask
from skimbal.datasets import load_cwru, load_watch
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
IMBALANCE_RATIO = 8
N_FOLDS = {"watch": 3, "bearings": 3}
MAX_WINDOWS = None


def load_set(name):
    """Windows, their labels, and what must not be on both sides of a split."""
    if name == "watch":
        bunch, size, step = load_watch(), 100, 50
    else:
        bunch, size, step = load_cwru(sampling_rate_hz=12_000), 512, 1024
    windows = index_windows(bunch.data, size, step)
    rows = np.arange(len(windows))[:MAX_WINDOWS]
    recording = windows.recording[rows]
    return windows.take(rows), np.asarray(bunch.target)[recording], bunch.groups[recording]


def split(name, X, y, groups, fold):
    """Training and test rows of a fold."""
    folds = GroupKFold(5) if name == "watch" else StratifiedGroupKFold(3)
    return list(folds.split(X, y, groups))[fold]


def thin(y, order, seed):
    """Rows of which the classes fall geometrically, in this order, to an eighth of the largest."""
    rows_of = [np.flatnonzero(y == label) for label in order]
    fractions = float(IMBALANCE_RATIO) ** -np.linspace(0, 1, len(order))
    n_max = min(map(len, rows_of))
    rng = np.random.default_rng(seed)
    return np.concatenate(
        [
            rng.permutation(rows)[: max(1, int(n_max * fraction))]
            for rows, fraction in zip(rows_of, fractions, strict=True)
        ]
    )


def evaluate(sets, data, seed, fold, augmentation, n_epochs):
    X, y, groups = sets[data]
    train, test = split(data, X, y, groups, fold)
    labels = np.unique(y)
    train = train[thin(y[train], labels[:: 1 if seed % 2 == 0 else -1], seed)]
    network = CNN1DClassifier(
        class_weight="balanced",
        augmentation=AUGMENTATIONS[augmentation],
        max_epochs=n_epochs,
        random_state=seed,
    ).fit(X[train], y[train])
    predicted = network.predict(X[test])
    yield {
        "n_train": len(train),
        "n_test": len(test),
        "macro_f1": macro_f1(y[test], predicted, labels=labels),
        "balanced_accuracy": balanced_accuracy(y[test], predicted, labels=labels),
        "train_loss": network.history_.train_loss.iloc[-1],
    }


def summary(cells):
    rows = {}
    for data, of_data in cells.groupby("data", sort=False):
        f1 = of_data.pivot(index=["seed", "fold"], columns="augmentation", values="macro_f1")
        for name in AUGMENTATIONS:
            difference = f1[name] - f1["none"]
            own = of_data[of_data.augmentation == name]
            error = difference.std(ddof=1) / len(difference) ** 0.5
            rows[data, name] = {
                "macro F1 %": mean_and_sd(f1[name]),
                "to none": f"{100 * difference.mean():+.1f} ± {points(error)}",
                "better in": f"{(difference > 0).sum()} of {len(difference)}",
                "balanced accuracy %": mean_and_sd(own.balanced_accuracy),
            }
    table = pd.DataFrame(rows).T.rename_axis(["data", "augmentation"])
    table.loc[(slice(None), "none"), ["to none", "better in"]] = ""
    return table


def main():
    parser = base_parser(__doc__, n_seeds=3, n_epochs=15)
    arguments = parse_arguments(
        parser, globals(), N_FOLDS={"watch": 2}, MAX_WINDOWS=300, seeds=1, epochs=1
    )
    cells = [
        {"data": data, "seed": seed, "fold": fold, "augmentation": name, "n_epochs": epochs}
        for epochs in [arguments.epochs]
        for data, n_folds in N_FOLDS.items()
        for seed in range(arguments.seeds)
        for fold in range(n_folds)
        for name in AUGMENTATIONS
    ]
    sets = {name: load_set(name) for name in N_FOLDS}
    path = arguments.out / "augmentation_cells.csv"
    table = summary(run_cells(partial(evaluate, sets), cells, path, arguments.jobs))
    table.to_csv(arguments.out / "augmentation.csv")
    print(table.to_string())


if __name__ == "__main__":
    main()
