"""What moves the accuracy on the nested spheres toward the article's 94.8 %, and what does not.

Each row changes one thing in the setting of plain cross entropy in `iwce_spheres.py` (the article's
counts and network, Adagrad with a step of 0.03, 100 epochs in batches of 64). A seed is a draw of
the data and of the network. "At the frequencies of the training" is the accuracy on a test set that
has the shells as often as the training set, computed from the recalls.

    python tests/performance/spheres_level.py --out docs/results
"""

from functools import partial

import numpy as np
import pandas as pd
from _comparison import base_parser, mean_and_sd, run_cells
from _tiny import first, parse_arguments
from sklearn.datasets import make_gaussian_quantiles
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import SVC

from skimbal import AdaBoostNetClassifier, CNN1DClassifier
from skimbal.datasets import make_nested_spheres
from skimbal.metrics import recall_per_class
from skimbal.neural_network import CNN_PRESETS

COUNTS = (800, 400, 1000)
N_TEST = 10_000


def spheres(seed, **params):
    return make_nested_spheres(random_state=seed, n_test=N_TEST, return_X_y=True, **params)


def scaled_to_unit_range(seed):
    X, X_test, y, y_test = spheres(seed)
    scaler = MinMaxScaler().fit(X)
    return scaler.transform(X), scaler.transform(X_test), y, y_test


def with_radius(seed):
    """A further column with the squared radius, which decides alone."""
    X, X_test, y, y_test = spheres(seed)
    X, X_test = (np.column_stack([Z, (Z**2).sum(axis=1)]) for Z in (X, X_test))
    return X, X_test, y, y_test


def with_squares(seed):
    """A second channel with the squares of the columns."""
    X, X_test, y, y_test = spheres(seed)
    X, X_test = (np.stack([Z, Z**2], axis=1) for Z in (X, X_test))
    return X, X_test, y, y_test


def with_test_points(seed, fraction):
    """Training sets that a part of the test set has leaked into."""
    X, X_test, y, y_test = spheres(seed)
    n_leaked = int(fraction * len(y_test))
    X, y = np.concatenate([X, X_test[:n_leaked]]), np.concatenate([y, y_test[:n_leaked]])
    return X, X_test, y, y_test


def gaussian_quantiles(seed):
    """As in the code of the authors of AdaBoost-CNN: the first 3,000 of 13,000, thinned."""
    X, y = make_gaussian_quantiles(
        n_samples=3000 + N_TEST, n_features=10, n_classes=3, random_state=seed + 1
    )
    X, X_test, y, y_test = X[:3000], X[3000:], y[:3000], y[3000:]
    dropped = [np.flatnonzero(y == c)[:n] for c, n in [(0, 200), (1, 500)]]
    kept = np.delete(np.arange(3000), np.concatenate(dropped))
    return X[kept], X_test, y[kept], y_test


def network(n_epochs, seed, **changes):
    return CNN1DClassifier(
        **{
            **CNN_PRESETS["nested-spheres"],
            "learning_rate": 0.03,
            "batch_size": 64,
            "max_epochs": n_epochs,
            "random_state": seed,
            **changes,
        }
    )


def longer(n_epochs, seed):
    return network(3 * n_epochs, seed)


ADABOOST_CNN = {  # network and batches in the code of its authors
    "n_filters": (32,),
    "kernel_size": 3,
    "pool_size": 2,
    "padding": "same",
    "global_pooling": False,
    "dense_layer_sizes": (128, 64),
    "batch_size": 10,
    "learning_rate_schedule": None,
    "weight_decay": 0.0,
    "standardize": False,
}


def boosted(n_epochs, seed):
    member = network(n_epochs // 10, None, **ADABOOST_CNN, optimizer="adam", learning_rate=0.001)
    return AdaBoostNetClassifier(member, n_estimators=10, random_state=seed)


def kernel_machine(n_epochs, seed):
    return SVC(class_weight="balanced")


of_article = network
large = {"n_filters": (128, 256), "dense_layer_sizes": (512, 64)}
adam = {"optimizer": "adam", "learning_rate": 0.001, "learning_rate_schedule": None}
SETTINGS = {
    "as in the table above": (spheres, of_article),
    "inputs not standardized": (spheres, partial(network, standardize=False)),
    "inputs scaled to [0, 1]": (scaled_to_unit_range, partial(network, standardize=False)),
    "300 epochs": (spheres, longer),
    "batches of 10": (spheres, partial(network, batch_size=10, learning_rate=0.01)),
    "constant step size": (spheres, partial(network, learning_rate_schedule=None)),
    "Adam": (spheres, partial(network, **adam)),
    "no dropout": (spheres, partial(network, dropout=0.0)),
    "four times the filters and units": (spheres, partial(network, **large)),
    "no pooling": (spheres, partial(network, pool_size=1)),
    "1,000 points of each shell": (partial(spheres, class_counts=(1000,) * 3), of_article),
    "five times the points": (partial(spheres, class_counts=(4000, 2000, 5000)), of_article),
    "half of the test set in the training set": (
        partial(with_test_points, fraction=0.5),
        of_article,
    ),
    "all of the test set in the training set": (
        partial(with_test_points, fraction=1.0),
        of_article,
    ),
    "five dimensions": (partial(spheres, n_features=5), partial(network, padding="same")),
    "three dimensions": (partial(spheres, n_features=3), partial(network, padding="same")),
    "squared radius as a column": (with_radius, of_article),
    "squares of the columns as a channel": (with_squares, of_article),
    "data and network of AdaBoost-CNN's code": (
        gaussian_quantiles,
        partial(network, **ADABOOST_CNN, learning_rate=0.01),
    ),
    "the same, boosted as there": (gaussian_quantiles, boosted),
    "SVM with RBF kernel": (spheres, kernel_machine),
}


def evaluate(seed, setting, n_epochs):
    load, make = SETTINGS[setting]
    X, X_test, y, y_test = load(seed)
    model = make(n_epochs, seed).fit(X, y)
    predicted = model.predict(X_test)
    recalls = recall_per_class(y_test, predicted)
    yield {
        "train_accuracy": model.score(X, y),
        "accuracy": (predicted == y_test).mean(),
        "accuracy_at_training_frequencies": recalls @ np.array(COUNTS) / sum(COUNTS),
    }


def main():
    parser = base_parser(__doc__, n_seeds=3, n_epochs=100)
    arguments = parse_arguments(
        parser,
        globals(),
        SETTINGS=first(SETTINGS, 2) | {k: SETTINGS[k] for k in list(SETTINGS)[-4:-1]},
        N_TEST=600,
        seeds=2,
        epochs=10,
    )
    cells = [
        {"seed": seed, "setting": setting, "n_epochs": arguments.epochs}
        for setting in SETTINGS
        for seed in range(arguments.seeds)
    ]
    path = arguments.out / "spheres_level_cells.csv.xz"
    table = run_cells(evaluate, cells, path, arguments.jobs).groupby("setting", sort=False)
    result = pd.DataFrame(
        {
            "training accuracy %": table.train_accuracy.apply(mean_and_sd),
            "test accuracy %": table.accuracy.apply(mean_and_sd),
            "at the frequencies of the training %": table.accuracy_at_training_frequencies.apply(
                mean_and_sd
            ),
        }
    )
    result.to_csv(arguments.out / "spheres_level.csv")
    print(result.to_string())


if __name__ == "__main__":
    main()
