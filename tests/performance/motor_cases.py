"""The thesis' cases of class weights, resampling and focal loss, and its search, on other motors.

Its recordings are not public. In their place stand, five times with other seeds:

"simulated motor"
    Recordings of `make_motor_sound`, with the thesis' counts: 100, 200 or 400 normal, 21
    misaligned, 30 with a bad bearing, 6 disturbed. They last 0.2 s at 12.8 kHz; windows of 0.1 s.
"bearings, later" and "bearings, new"
    Segments of the bearing recordings at 48 kHz without load, with the thesis' ratios: half its
    counts, for the one normal recording has room for no more. Segments of 900 samples, windows of
    512 at a step of 128. "later" tests on another part of the same recordings; "new" on the faults
    of a diameter that was not trained on, another one each time. The normal recording is split in
    time in both.

A sample is a recording or segment, of the mean posterior of its windows' spectrograms. The test set
has 50 of each class. A candidate of a search is judged by macro F1 in three folds by recording; the
best one is trained on all of them and tested once. The network has an 87th of the multiplications
of the thesis' one for the same image (8, 8 and 16 filters, pooled), for 10,000 of them are trained.

Cells that are already in motor_cases_cells.csv.xz are not run again.

    python tests/performance/motor_cases.py --jobs 2 --out docs/results
"""

from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from _comparison import base_parser, run_cells
from _tiny import parse_arguments
from scipy.stats import wilcoxon
from sklearn.metrics import confusion_matrix, log_loss
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline

from skimbal import BayesSearchCV, CNN2DClassifier, DESearchCV, WindowedClassifier
from skimbal.datasets import cut_segments, load_cwru, make_motor_sound
from skimbal.inspection import ConfusionMatrixGridDisplay, SearchConvergenceDisplay
from skimbal.losses import Focal
from skimbal.metrics import balanced_accuracy, macro_f1
from skimbal.model_selection import class_weight_space
from skimbal.preprocessing import Spectrogram

N_TEST = 50  # of each class
N_EVALUATIONS = 60
LEVELS = (100, 200, 400)  # normal recordings of the thesis
MAIN_LEVEL = 200
MOTOR_CLASSES = ["normal", "misaligned", "bearing", "noise"]
BEARING_CLASSES = ["normal", "inner", "ball", "outer"]
FAULTS = (21, 30, 6)  # the thesis' counts of the other classes
MOTOR = {"duration_s": 0.2, "sampling_rate_hz": 12_800}
STRETCH = 900  # samples
PARTS = {0: ((0, 0.75), (0.8, 1)), 1: ((0.25, 1), (0, 0.2))}  # training, test; by repetition % 2
DIAMETERS = (7, 14, 21)
# Size and step of windows, hop of their spectrograms, and steps that give the faults about 2.5, 2.5
# and 13 times as many windows.
MOTOR_WINDOWS = (1280, 1280, 128, (320, 320, 51))
BEARING_WINDOWS = (512, 128, 64, (43, 43, 8))
CASES = {  # the thesis' mean F1 and loss
    "equal weights": ("0.901", "0.287"),
    "inverse frequency": ("0.904", "0.270"),
    "Bayesian search": ("0.946", "0.161"),
    "undersampling": ("0.827", "0.410"),
    "oversampling by steps": ("0.879", "0.280"),
    "focal loss": ("0.917", "1.215"),
}
REFERENCES = ("random search", "differential evolution", "learning rate alone")
NETWORK = "estimator__cnn2dclassifier"


def simulated_motor(level, repetition):
    """X, y, X_test, y_test of the simulator."""
    sets = []
    for seed, counts in (
        (repetition, (level, *FAULTS)),
        (1000 + repetition, (N_TEST,) * 4),
    ):
        named = {f"n_{label}": n for label, n in zip(MOTOR_CLASSES, counts, strict=True)}
        sets += make_motor_sound(**named, **MOTOR, random_state=seed, return_X_y=True)
    return [np.stack(part) if i % 2 == 0 else part for i, part in enumerate(sets)]


def bearings(is_new, level, repetition):
    """X, y, X_test, y_test of segments of bearing recordings."""
    cwru = load_cwru()
    rng = np.random.RandomState(repetition)
    normal = np.flatnonzero(cwru.target == "normal")
    faulty = np.flatnonzero(cwru.target != "normal")
    parts = fault_parts = PARTS[repetition % 2]
    sides = [faulty, faulty]
    if is_new:
        diameter = DIAMETERS[repetition % len(DIAMETERS)]
        is_tested = (cwru.frame.diameter_mil == diameter).to_numpy()[faulty]
        sides, fault_parts = [faulty[~is_tested], faulty[is_tested]], ((0, 1), (0, 1))
    counts = [(level // 2, *(-(-n // 2) for n in FAULTS)), (N_TEST,) * 4]
    sets = []
    for rows, part, fault_part, numbers in zip(sides, parts, fault_parts, counts, strict=True):
        n_of = dict(zip(BEARING_CLASSES, numbers, strict=True))
        halves = [
            cut_segments(
                [cwru.data[row] for row in chosen],
                cwru.target[chosen],
                length=STRETCH,
                n_per_class={label: n_of[label] for label in labels},
                part=of_recording,
                random_state=rng,
                return_X_y=True,
            )
            for chosen, of_recording, labels in (
                (normal, part, BEARING_CLASSES[:1]),
                (rows, fault_part, BEARING_CLASSES[1:]),
            )
        ]
        sets += [np.concatenate(columns) for columns in zip(*halves, strict=True)]
    return sets


DATA = {
    "simulated motor": (simulated_motor, MOTOR_CLASSES, MOTOR_WINDOWS),
    "bearings, later": (partial(bearings, False), BEARING_CLASSES, BEARING_WINDOWS),
    "bearings, new": (partial(bearings, True), BEARING_CLASSES, BEARING_WINDOWS),
}
PLAN = [  # data, level, cases, in the order in which they are run
    ("simulated motor", 200, (*CASES, *REFERENCES)),
    ("bearings, later", 200, tuple(CASES)),
    ("simulated motor", 100, tuple(CASES)),
    ("simulated motor", 400, tuple(CASES)),
    ("bearings, later", 100, tuple(CASES)),
    ("bearings, later", 400, tuple(CASES)),
    ("bearings, new", 200, tuple(CASES)),
    ("bearings, later", 200, REFERENCES[:2]),
]


def model(windows, classes, n_epochs, seed, smaller_steps=False, **network_params):
    """Spectrograms of windows and the network behind them."""
    size, step, hop, steps = windows
    network = CNN2DClassifier(
        n_filters=(8, 8, 16),
        pool_size="auto",
        batch_size=32,
        learning_rate=5e-3,
        max_epochs=n_epochs,
        random_state=seed,
        **network_params,
    )
    return WindowedClassifier(
        make_pipeline(Spectrogram(window=128, hop=hop), network),
        size=size,
        step=step,
        steps_per_class=dict(zip(classes[1:], steps, strict=True)) if smaller_steps else None,
    )


def search(case, estimator, y, seed):
    """The search of a case; those of the weights begin with the inverse frequency."""
    space = {f"{NETWORK}__learning_rate": (1e-4, 1e-1, "log-uniform")}
    if case != "learning rate alone":
        space |= class_weight_space(y, param=f"{NETWORK}__class_weight")
    settings = {
        "scoring": "macro_f1",
        "cv": StratifiedKFold(3, shuffle=True, random_state=seed),
        "x0": "conventional",
        "random_state": seed,
    }
    if case in ("Bayesian search", "learning rate alone"):
        n_iter = N_EVALUATIONS if len(space) > 1 else N_EVALUATIONS // 3
        return BayesSearchCV(estimator, space, n_iter=n_iter, **settings)
    n_generations = 1 if case == "random search" else 6
    return DESearchCV(
        estimator,
        space,
        population_size=N_EVALUATIONS // n_generations,
        max_generations=n_generations,
        **settings,
    )


def undersample(X, y, n_kept, rng):
    """All faults, and some of the normal recordings."""
    normal = rng.permutation(np.flatnonzero(y == "normal"))[:n_kept]
    rows = np.concatenate([normal, np.flatnonzero(y != "normal")])
    return X[rows], y[rows]


def evaluate(data, level, repetition, case, n_epochs):
    make, classes, windows = DATA[data]
    X, y, X_test, y_test = make(level, repetition)
    make_model = partial(model, windows, classes, n_epochs, repetition)
    fitted = {
        "inverse frequency": lambda: make_model(class_weight="balanced"),
        "oversampling by steps": lambda: make_model(smaller_steps=True),
        "focal loss": lambda: make_model(loss=Focal(gamma=2)),
    }.get(case, make_model)()
    if case == "undersampling":
        n_kept = 50 if data == "simulated motor" else 25
        X, y = undersample(X, y, n_kept, np.random.default_rng(repetition))
    found = {}
    if case in (*REFERENCES, "Bayesian search"):
        fitted = search(case, fitted, y, repetition).fit(X, y)
        scores = np.maximum.accumulate(fitted.cv_results_["mean_test_score"])
        found["best_so_far"] = " ".join(f"{score:.4f}" for score in scores)
        for name, value in fitted.best_params_.items():
            found[name.removeprefix(f"{NETWORK}__")] = value
        fitted = fitted.best_estimator_
    else:
        fitted.fit(X, y)
    proba = fitted.predict_proba(X_test)
    predicted = fitted.classes_[proba.argmax(axis=1)]
    confusion = confusion_matrix(y_test, predicted, labels=classes, normalize="true")
    yield {
        "n_windows": fitted.n_windows_.sum(),
        "macro_f1": macro_f1(y_test, predicted, labels=classes),
        "balanced_accuracy": balanced_accuracy(y_test, predicted, labels=classes),
        "log_loss": log_loss(y_test, proba, labels=fitted.classes_),
        **{f"{i} as {j}": confusion[i, j] for i in range(4) for j in range(4)},
        **{name: found.get(name) for name in columns_of_searches()},
    }


def columns_of_searches():
    """What a search has found, by the names of the columns; those of other data stay empty."""
    labels = [*MOTOR_CLASSES[1:], *BEARING_CLASSES[1:]]
    return ["best_so_far", "learning_rate", *(f"class_weight__{label}" for label in labels)]


def mean_and_sd(values):
    return f"{values.mean():.3f} ± {values.std():.3f}"


def summary(rows):
    """Macro F1 of each case and level, and the log loss at the main one, beside the thesis'."""
    table = []
    for data, of_data in rows.groupby("data", sort=False):
        for case, of_case in of_data.groupby("case", sort=False):
            by_level = {level: of_case[of_case.level == level] for level in LEVELS}
            f1, loss = CASES.get(case, ("", ""))
            table.append(
                {
                    "data": data,
                    "case": case,
                    **{
                        f"F1, {level}": mean_and_sd(of_level.macro_f1) if len(of_level) else ""
                        for level, of_level in by_level.items()
                    },
                    f"log loss, {MAIN_LEVEL}": mean_and_sd(by_level[MAIN_LEVEL].log_loss),
                    "thesis, F1": f1,
                    "thesis, loss": loss,
                }
            )
    return pd.DataFrame(table)


def differences(rows, control="inverse frequency"):
    """Macro F1 beside that of one case, over the repetitions of all levels; p is Wilcoxon's."""
    lines = []
    for data, of_data in rows.groupby("data", sort=False):
        scores = of_data.pivot(index=["level", "repetition"], columns="case", values="macro_f1")
        for case in CASES:
            if case != control and case in scores:
                difference = (scores[case] - scores[control]).dropna()
                n_better = f"{(difference > 0).sum()} of {len(difference)}"
                p = wilcoxon(difference).pvalue
                lines.append([data, case, f"{difference.mean():+.3f}", n_better, f"{p:.2g}"])
    return pd.DataFrame(lines, columns=["data", "case", f"to {control}", "better in", "p"])


def draw_confusions(rows):
    """Figure: mean normalized confusion matrix of each case at the main level."""
    rows = rows[rows.level == MAIN_LEVEL]
    data = list(rows.data.unique())
    fig, axes = plt.subplots(
        len(data),
        len(CASES),
        squeeze=False,
        figsize=(15, 3.1 * len(data)),
        layout="constrained",
    )
    for row, name in zip(axes, data, strict=True):
        of_data = rows[rows.data == name].groupby("case")
        shares = {
            case: [[of_data[f"{i} as {j}"].mean()[case] for j in range(4)] for i in range(4)]
            for case in CASES
        }
        ConfusionMatrixGridDisplay(shares, DATA[name][1], normalize="true").plot(row)
        for ax in row:
            ax.set(xlabel="", ylabel="")
            if ax is not row[0]:
                ax.set_yticklabels([])
        row[0].set_ylabel(f"{name}\ntruth")
    fig.supxlabel("predicted")
    return fig


def best_scores(rows):
    """Best score after so many evaluations, by data and search: arrays (repetitions, evaluations).

    A generation may propose what was evaluated before, and then has fewer new candidates.
    """
    is_compared = rows.case.isin(("random search", "Bayesian search", "differential evolution"))
    found = rows[is_compared & (rows.level == MAIN_LEVEL) & (rows.data != "bearings, new")]
    scores = {}
    for (data, case), of_case in found.groupby(["data", "case"], sort=False):
        runs = [np.array(text.split(), dtype=float) for text in of_case.best_so_far]
        padded = [np.pad(run, (0, N_EVALUATIONS - len(run)), mode="edge") for run in runs]
        scores.setdefault(data, {})[case] = np.array(padded)
    return scores


def curves(rows):
    """Mean and standard deviation over repetitions of the best score after so many evaluations."""
    lines = []
    for data, by_case in best_scores(rows).items():
        for case, runs in by_case.items():
            for n, column in enumerate(runs.T, start=1):
                lines.append([data, case, n, column.mean().round(4), column.std(ddof=1).round(4)])
    return pd.DataFrame(lines, columns=["data", "case", "evaluations", "mean", "sd"])


def draw_curves(rows):
    """Figure: best score so far over evaluations, mean and one standard deviation."""
    scores = best_scores(rows)
    n = len(scores)
    fig, axes = plt.subplots(1, n, figsize=(5 * n, 3.6), squeeze=False, layout="constrained")
    for ax, (name, by_case) in zip(axes[0], scores.items(), strict=True):
        SearchConvergenceDisplay(by_case, score="macro F1").plot(ax)
        ax.set(title=name, xlabel="candidates evaluated", ylabel="")
    axes[0, 0].set_ylabel("best macro F1 so far, three folds")
    return fig


def main():
    parser = base_parser(__doc__, n_seeds=5, n_epochs=15)
    arguments = parse_arguments(
        parser,
        globals(),
        PLAN=[("simulated motor", 20, tuple(CASES))],
        LEVELS=(20,),
        MAIN_LEVEL=20,
        N_TEST=4,
        N_EVALUATIONS=12,
        seeds=2,
        epochs=1,
    )
    cells = [
        {"data": data, "level": level, "repetition": seed, "case": case, "n_epochs": n_epochs}
        for n_epochs in [arguments.epochs]
        for data, level, cases in PLAN
        for seed in range(arguments.seeds)
        for case in cases
    ]
    path = arguments.out / "motor_cases_cells.csv.xz"
    rows = run_cells(evaluate, cells, path, arguments.jobs)
    summary(rows).to_csv(arguments.out / "motor_cases.csv", index=False)
    differences(rows).to_csv(arguments.out / "motor_differences.csv", index=False)
    curves(rows).to_csv(arguments.out / "motor_curves.csv", index=False)
    plt.rcParams["svg.hashsalt"] = "motor_cases"  # the same file for the same rows
    for name, fig in (
        ("motor_confusions", draw_confusions(rows)),
        ("motor_curves", draw_curves(rows)),
    ):
        fig.savefig(arguments.out / f"{name}.svg", metadata={"Date": None})
    print(summary(rows).to_string())


if __name__ == "__main__":
    main()
