"""The nested spheres of the article on IWCE: its schedule beside plain and balanced cross entropy.

The article's counts (800, 400, 1,000 to train, 10,000 to test), network, optimizer and batches. The
learning rate is the best of five for plain cross entropy on two other draws and then that of all
rows of networks but the dense one, which has its defaults and is there to show what the data allow.
AdaBoost-CNN has ten networks with a tenth of the epochs each. A seed is a draw of the data and of
the network. T is one of the article's four, or chosen among them by macro F1 on a fifth of the
training data, held out. Tests are Wilcoxon's, paired over the seeds, on test accuracy; Holm's
correction is over all ten. Cells that are already in iwce_spheres_cells.csv.xz are not run again.

    python tests/performance/iwce_spheres.py --jobs 2 --out docs/results
"""

import numpy as np
import pandas as pd
from _comparison import base_parser, mean_and_sd, run_cells
from _tiny import parse_arguments
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from sklearn.ensemble import AdaBoostClassifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

from skimbal import AdaBoostNetClassifier, CNN1DClassifier, MLPClassifier
from skimbal.datasets import make_nested_spheres
from skimbal.losses import IncrementalWeightedCrossEntropy
from skimbal.metrics import balanced_accuracy, holm, macro_f1, wilcoxon
from skimbal.neural_network import CNN_PRESETS

RATES = (0.001, 0.003, 0.01, 0.03, 0.1)
RATE_SEEDS = (1000, 1001)
LENGTHS = (10, 20, 30, 50)  # T, in epochs
CHOSEN = "IWCE, T chosen"
BOOSTED = "AdaBoost-CNN"
N_BOOSTED = 10  # networks, which share the epochs of one
PAPER = {  # accuracy in %: training, test
    "AdaBoost of trees": (91.78, 77.08),
    "cross entropy": (94.43, 93.18),
    "weighted cross entropy": (95.83, 94.01),
    "SMOTE": (95.48, 93.45),
    BOOSTED: (95.61, 94.08),
    CHOSEN: (96.16, 94.80),
}
METHODS = (
    "AdaBoost of trees",
    "cross entropy",
    "weighted cross entropy",
    "SMOTE",
    BOOSTED,
    *(f"IWCE, T = {T}" for T in LENGTHS),
    CHOSEN,
    "dense network, cross entropy",
)


def make_network(seed, learning_rate, n_epochs, **params):
    return CNN1DClassifier(
        **CNN_PRESETS["nested-spheres"],
        learning_rate=learning_rate,
        batch_size=64,
        max_epochs=n_epochs,
        random_state=seed,
        **params,
    )


def choose_length(X, y, seed, make):
    """The T of the best macro F1 on a stratified fifth of the training data."""
    X_fit, X_valid, y_fit, y_valid = train_test_split(
        X, y, test_size=0.2, stratify=y, random_state=seed
    )
    losses = {T: IncrementalWeightedCrossEntropy(T=T) for T in LENGTHS}
    f1 = {
        T: macro_f1(y_valid, make(loss=loss).fit(X_fit, y_fit).predict(X_valid))
        for T, loss in losses.items()
    }
    return max(f1, key=f1.get)


def make_model(method, X, y, seed, make):
    """The unfitted classifier of a row, and its T where it has one."""
    if method == "AdaBoost of trees":
        tree = DecisionTreeClassifier(max_depth=2)
        return AdaBoostClassifier(tree, n_estimators=300, random_state=seed), None
    if method == "dense network, cross entropy":
        return MLPClassifier(hidden_layer_sizes=(128, 64), max_epochs=100, random_state=seed), None
    if method == "cross entropy":
        return make(), None
    if method == "weighted cross entropy":
        return make(class_weight="balanced"), None
    if method == "SMOTE":
        return make_pipeline(SMOTE(random_state=seed), make()), None
    if method == BOOSTED:
        member = make()
        member.set_params(max_epochs=max(1, member.max_epochs // N_BOOSTED), random_state=None)
        return AdaBoostNetClassifier(member, n_estimators=N_BOOSTED, random_state=seed), None
    T = choose_length(X, y, seed, make) if method == CHOSEN else int(method.split()[-1])
    return make(loss=IncrementalWeightedCrossEntropy(T=T)), T


def evaluate(seed, method, learning_rate, n_epochs):
    X, X_test, y, y_test = make_nested_spheres(random_state=seed, return_X_y=True)

    def make(**params):
        return make_network(seed, learning_rate, n_epochs, **params)

    model, T = make_model(method, X, y, seed, make)
    predicted_train = model.fit(X, y).predict(X)
    predicted = model.predict(X_test)
    yield {
        "T": T,
        "train_accuracy": accuracy_score(y, predicted_train),
        "train_macro_f1": macro_f1(y, predicted_train),
        "accuracy": accuracy_score(y_test, predicted),
        "balanced_accuracy": balanced_accuracy(y_test, predicted),
        "macro_f1": macro_f1(y_test, predicted),
    }


def choose_rate(arguments):
    """The best learning rate of plain cross entropy on draws that are not reported."""
    cells = [
        {"seed": s, "method": "cross entropy", "learning_rate": r, "n_epochs": arguments.epochs}
        for r in RATES
        for s in RATE_SEEDS
    ]
    path = arguments.out / "iwce_spheres_rates.csv"
    means = (
        run_cells(evaluate, cells, path, arguments.jobs).groupby("learning_rate").accuracy.mean()
    )
    print(means.to_string())
    return means.idxmax()


def significance_table(cells):
    """Differences of test accuracy to cross entropy and to its weighted form, and Holm's p."""
    accuracy = cells.pivot(index="seed", columns="method", values="accuracy")
    pairs = [
        (method, control)
        for control in ("cross entropy", "weighted cross entropy")
        for method in METHODS
        if method.startswith("IWCE")
    ]
    tests = [wilcoxon(accuracy[method], accuracy[control]) for method, control in pairs]
    table = pd.DataFrame(pairs, columns=["method", "control"])
    differences = [accuracy[method] - accuracy[control] for method, control in pairs]
    table["difference, points"] = [f"{100 * d.mean():+.2f}" for d in differences]
    table["better in"] = [f"{(d > 0).sum()} of {len(d)}" for d in differences]
    table["p"] = [f"{test:.3f}" for test in tests]
    table["Holm p"] = [f"{p:.3f}" for p in holm(np.array(tests))]
    return table


def summary(cells):
    rows = {}
    for method, of_method in cells.groupby("method", sort=False):
        paper = PAPER.get(method, ("", ""))
        rows[method] = {
            "training accuracy %": mean_and_sd(of_method.train_accuracy),
            "test accuracy %": mean_and_sd(of_method.accuracy),
            "balanced accuracy %": mean_and_sd(of_method.balanced_accuracy),
            "macro F1 %": mean_and_sd(of_method.macro_f1),
            "article, training": paper[0],
            "article, test": paper[1],
        }
    return pd.DataFrame(rows).T.rename_axis("method")


def main():
    parser = base_parser(__doc__, n_seeds=10, n_epochs=100)
    arguments = parse_arguments(
        parser,
        globals(),
        RATES=(0.01,),
        RATE_SEEDS=(1000,),
        LENGTHS=(1, 2),
        METHODS=(*METHODS[1:4], "IWCE, T = 1", CHOSEN),
        seeds=2,
        epochs=2,
    )
    rate = choose_rate(arguments)
    cells = [
        {"seed": seed, "method": method, "learning_rate": rate, "n_epochs": arguments.epochs}
        for seed in range(arguments.seeds)
        for method in METHODS
    ]
    path = arguments.out / "iwce_spheres_cells.csv.xz"
    table = run_cells(evaluate, cells, path, arguments.jobs)
    summary(table).to_csv(arguments.out / "iwce_spheres.csv")
    significance_table(table).to_csv(arguments.out / "iwce_spheres_tests.csv", index=False)
    print(summary(table).to_string(), significance_table(table).to_string(), sep="\n")


if __name__ == "__main__":
    main()
