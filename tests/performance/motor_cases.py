"""The thesis' cases of class weights, resampling and focal loss, on bearings instead of its motors.

Its recordings are not public; its counts (200, 21, 30, 6) are made of the bearing recordings at 48
kHz, without load: stretches of 900 samples (19 ms), windows of 512 at a step of 128 in them,
spectrograms of the windows and the thesis' network. A sample is a stretch, of the mean posterior
of its windows. The test set has 50 stretches of each class.

Split "bearing": the faults of one diameter are for testing alone, three folds. Split "time": all
diameters on both sides, from different parts of the recordings. The one normal recording is always
split in time, with a gap. An even seed tests on the last fifth of a recording, an odd one on the
first. Cells that are already in motor_cases_cells.csv are not run again.

    python tests/performance/motor_cases.py --jobs 2 --out docs/results
"""

from functools import partial

import numpy as np
import pandas as pd
from _comparison import base_parser, run_cells
from sklearn.metrics import confusion_matrix, log_loss
from sklearn.pipeline import make_pipeline

from skimbal import CNN2DClassifier, WindowedClassifier
from skimbal.datasets import cut_stretches, load_cwru
from skimbal.losses import Focal
from skimbal.metrics import balanced_accuracy, macro_f1
from skimbal.neural_network import CNN_PRESETS
from skimbal.preprocessing import Spectrogram

CLASSES = ["normal", "inner", "ball", "outer"]
COUNTS = {"normal": 200, "inner": 21, "ball": 30, "outer": 6}
N_NORMAL_KEPT = 50  # of the undersampling
N_TEST = 50  # of each class
LENGTH, SIZE, STEP = 900, 512, 128  # samples
SMALLER_STEPS = {"inner": 43, "ball": 43, "outer": 8}  # 2.5 and 12 times the windows
PARTS = {0: ((0, 0.75), (0.8, 1)), 1: ((0.25, 1), (0, 0.2))}  # training, test; by seed % 2
DIAMETERS = (7, 14, 21)
CASES = {  # parameters of the network and of the windows; the thesis' F1 and loss
    "equal weights": ({}, {}, "0.901", "0.287"),
    "inverse frequency": ({"class_weight": "balanced"}, {}, "0.904", "0.270"),
    "undersampling": ({}, {}, "0.827", "0.410"),
    "oversampling by steps": ({}, {"steps_per_class": SMALLER_STEPS}, "0.879", "0.280"),
    "focal loss": ({"loss": Focal(gamma=2)}, {}, "0.917", "1.215"),
}


def cut(cwru, rows, part, counts, rng):
    """Stretches of some recordings and classes."""
    return cut_stretches(
        [cwru.data[row] for row in rows],
        cwru.target[rows],
        length=LENGTH,
        n_per_class=counts,
        part=part,
        random_state=rng,
        return_X_y=True,
    )


def split_sets(cwru, split, fold, seed):
    """Training and test set of a cell: X, y, X_test, y_test."""
    rng = np.random.RandomState(1000 * fold + seed)
    parts = PARTS[seed % 2]
    normal = np.flatnonzero(cwru.target == "normal")
    faulty = np.flatnonzero(cwru.target != "normal")
    sides = [faulty, faulty]
    fault_parts = parts
    if split == "bearing":
        is_tested = (cwru.frame.diameter_mil == DIAMETERS[fold]).to_numpy()[faulty]
        sides, fault_parts = [faulty[~is_tested], faulty[is_tested]], ((0, 1), (0, 1))
    sets = []
    for rows, part, fault_part, counts in zip(
        sides, parts, fault_parts, (COUNTS, dict.fromkeys(CLASSES, N_TEST)), strict=True
    ):
        fault_counts = {label: n for label, n in counts.items() if label != "normal"}
        X_normal, y_normal = cut(cwru, normal, part, {"normal": counts["normal"]}, rng)
        X_faulty, y_faulty = cut(cwru, rows, fault_part, fault_counts, rng)
        sets += [np.concatenate([X_normal, X_faulty]), np.concatenate([y_normal, y_faulty])]
    return sets


def undersample(y, rng):
    """Rows of a set with some of its normal stretches."""
    normal = rng.permutation(np.flatnonzero(y == "normal"))[:N_NORMAL_KEPT]
    return np.concatenate([normal, np.flatnonzero(y != "normal")])


def evaluate(cwru, split, fold, seed, case, n_epochs):
    X, y, X_test, y_test = split_sets(cwru, split, fold, seed)
    if case == "undersampling":
        kept = undersample(y, np.random.default_rng(seed))
        X, y = X[kept], y[kept]
    network_params, window_params, *_ = CASES[case]
    network = CNN2DClassifier(
        **CNN_PRESETS["motor-sound"], **network_params, max_epochs=n_epochs, random_state=seed
    )
    model = WindowedClassifier(
        make_pipeline(Spectrogram(window=128, hop=64), network),
        size=SIZE,
        step=STEP,
        **window_params,
    ).fit(X, y)
    proba = model.predict_proba(X_test)
    predicted = model.classes_[proba.argmax(axis=1)]
    confusion = confusion_matrix(y_test, predicted, labels=CLASSES, normalize="true")
    yield {
        "n_windows": model.n_windows_.sum(),
        "macro_f1": macro_f1(y_test, predicted, labels=CLASSES),
        "balanced_accuracy": balanced_accuracy(y_test, predicted, labels=CLASSES),
        "log_loss": log_loss(y_test, proba, labels=model.classes_),
        **{
            f"{truth} as {guess}": confusion[i, j]
            for i, truth in enumerate(CLASSES)
            for j, guess in enumerate(CLASSES)
        },
    }


def summary(cells):
    """Mean and standard deviation of the scores by split and case, beside the thesis'."""
    rows = []
    for (split, case), of_case in cells.groupby(["split", "case"], sort=False):
        f1, loss = of_case.macro_f1, of_case.log_loss
        rows.append(
            {
                "split": split,
                "case": case,
                "training windows": of_case.n_windows.iloc[0],
                "macro F1": f"{f1.mean():.3f} ± {f1.std():.3f}",
                "log loss": f"{loss.mean():.3f} ± {loss.std():.3f}",
                "thesis, F1": CASES[case][2],
                "thesis, loss": CASES[case][3],
            }
        )
    return pd.DataFrame(rows)


def confusions(cells):
    """The mean normalised confusion matrix of each split and case, a line for each true class."""
    columns = [f"{truth} as {guess}" for truth in CLASSES for guess in CLASSES]
    means = cells.groupby(["split", "case"], sort=False)[columns].mean()
    lines = {
        (split, case, truth): {f"as {g}": f"{mean[f'{truth} as {g}']:.2f}" for g in CLASSES}
        for (split, case), mean in means.iterrows()
        for truth in CLASSES
    }
    return pd.DataFrame(lines).T.rename_axis(["split", "case", "truth"])


def main():
    parser = base_parser(__doc__, n_seeds=2, n_epochs=25)
    arguments = parser.parse_args()
    cells = [
        {"split": split, "fold": fold, "seed": seed, "case": case, "n_epochs": arguments.epochs}
        for split, n_folds in (("bearing", len(DIAMETERS)), ("time", 1))
        for fold in range(n_folds)
        for seed in range(arguments.seeds if split == "bearing" else 2 * arguments.seeds)
        for case in CASES
    ]
    path = arguments.out / "motor_cases_cells.csv"
    rows = run_cells(partial(evaluate, load_cwru()), cells, path, arguments.jobs)
    table, matrices = summary(rows), confusions(rows)
    table.to_csv(arguments.out / "motor_cases.csv", index=False)
    for split, of_split in matrices.groupby("split"):
        of_split.droplevel("split").to_csv(arguments.out / f"motor_confusions_{split}.csv")
    print(table.to_string(), matrices.to_string(), sep="\n")


if __name__ == "__main__":
    main()
