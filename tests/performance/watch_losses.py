"""Losses on inertial signals of exercises, thinned to 8:1, by people who were not trained on.

Windows of two seconds at a step of one, of the smart-watch recordings; five folds by person. The
windows of the training folds are thinned at random, so that the classes fall geometrically to an
eighth of the largest; the test folds stay as they are. Every second seed thins the classes in the
opposite order, so that a frequent class of the one is a rare class of the other. Cells that are
already in watch_losses_cells.csv.xz are not run again. The last row is LDAM's normalized layer
without its margins and weights.

    python tests/performance/watch_losses.py --jobs 2 --out docs/results
"""

from functools import partial

import numpy as np
import pandas as pd
from _comparison import (
    base_parser,
    compared_losses,
    mean_and_sd,
    points,
    predictions,
    run_cells,
    scores,
)
from _tiny import parse_arguments
from sklearn.model_selection import GroupKFold

from skimbal import CNN1DClassifier
from skimbal.datasets import load_watch
from skimbal.losses import LDAM
from skimbal.preprocessing import index_windows

NORMALIZED = "normalised layer alone"  # as the recorded cells spell it
SIZE, STEP = 100, 50  # samples, at 50 Hz
N_FOLDS = 5
IMBALANCE_RATIO = 8


def losses(n_epochs):
    return {**compared_losses(n_epochs), NORMALIZED: {"loss": LDAM(max_margin=0)}}


def load_windows():
    """Windows, their labels and persons, and the names of the exercises."""
    watch = load_watch()
    windows = index_windows(watch.data, SIZE, STEP)
    recording = windows.recording
    y, person = watch.target[recording], watch.groups[recording]
    return np.asarray(windows), y, person, watch.target_names


def thin(y, order, seed):
    """Rows of which the first label of `order` has as many as the smallest class, the last 1/8."""
    rows_of = [np.flatnonzero(y == label) for label in order]
    fractions = float(IMBALANCE_RATIO) ** -np.linspace(0, 1, len(order))
    n_max = min(map(len, rows_of))
    rng = np.random.default_rng(seed)
    chosen = [
        rng.permutation(rows)[: int(n_max * fraction)]
        for rows, fraction in zip(rows_of, fractions, strict=True)
    ]
    return np.concatenate(chosen)


def evaluate(data, seed, fold, loss, n_epochs):
    X, y, person, names = data
    train, test = list(GroupKFold(N_FOLDS).split(X, y, person))[fold]
    order = names if seed % 2 == 0 else names[::-1]
    train = train[thin(y[train], order, seed)]
    network = CNN1DClassifier(**losses(n_epochs)[loss], max_epochs=n_epochs, random_state=seed).fit(
        X[train], y[train]
    )
    counts = np.unique(y[train], return_counts=True)[1]
    for row, predicted in predictions(network, X[test], loss, counts).items():
        # Recalls are in the order of the counts: recall_1 is of the most frequent class.
        by_rank = scores(y[test], predicted, order)
        ranked = {f"recall_{k}": by_rank.pop(f"recall_{c}") for k, c in enumerate(order, 1)}
        yield {"row": row, "n_train": len(train), **by_rank, **ranked}


def summary(cells):
    balanced = cells.pivot(index=["seed", "fold"], columns="row", values="balanced_accuracy")
    rows = {}
    for row, of_row in cells.groupby("row", sort=False):
        difference = balanced[row] - balanced["cross entropy"]
        rows[row] = {
            "balanced accuracy %": mean_and_sd(of_row.balanced_accuracy),
            "to cross entropy": f"{100 * difference.mean():+.1f}",
            "better in": f"{(difference > 0).sum()} of {len(difference)}",
            "macro F1 %": mean_and_sd(of_row.macro_f1),
            **{f"recall {k}": points(of_row[f"recall_{k}"].mean()) for k in range(1, 8)},
        }
    table = pd.DataFrame(rows).T.rename_axis("loss")
    table.loc["cross entropy", ["to cross entropy", "better in"]] = ""
    return table


def main():
    parser = base_parser(__doc__, n_seeds=2, n_epochs=20)
    arguments = parse_arguments(parser, globals(), N_FOLDS=2, seeds=1, epochs=1)
    cells = [
        {"seed": seed, "fold": fold, "loss": loss, "n_epochs": arguments.epochs}
        for seed in range(arguments.seeds)
        for fold in range(N_FOLDS)
        for loss in losses(arguments.epochs)
    ]
    path = arguments.out / "watch_losses_cells.csv.xz"
    rows = run_cells(partial(evaluate, load_windows()), cells, path, arguments.jobs)
    table = summary(rows)
    table.to_csv(arguments.out / "watch_losses.csv")
    print(table.to_string())


if __name__ == "__main__":
    main()
