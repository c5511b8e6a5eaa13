"""Convolutions together or one by one: time of a network, and how rounding differences grow.

Networks of one and of two dimensions, trained by `torch.func.vmap` as one population, and one by
one in skorch's loop; processor time a network on one thread, in turns. From this the number of
multiplications was chosen above which networks are trained one by one; here none are. Then the
largest difference between the posteriors of a network alone and in a population of five, by epoch,
in single and in double precision; that of dense networks is beside it.

    python tests/performance/convolution_population.py --out docs/results
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _tiny import first, parse_arguments
from sklearn.base import clone

from skimbal import CNN1DClassifier, CNN2DClassifier, MLPClassifier
from skimbal._training import job
from skimbal.neural_network import CNN_PRESETS, fit_population

POPULATIONS = (2, 5, 20, 50)
EPOCHS_OF_GROWTH = (1, 2, 5, 10, 20, 50, 100)
FLAT = {"n_filters": (8, 16), "global_pooling": False}
NETWORKS = {
    "1-D, 8 and 16 filters, 1 x 128": (CNN1DClassifier(**FLAT), (1, 128)),
    "2-D, 8 and 16 filters, 1 x 16 x 16": (CNN2DClassifier(**FLAT), (1, 16, 16)),
    "nested-spheres, 10": (CNN1DClassifier(**CNN_PRESETS["nested-spheres"]), (10,)),
    "1-D, 16 and 32 filters, 3 x 100": (CNN1DClassifier(n_filters=(16, 32)), (3, 100)),
    "1-D, as it comes, 6 x 100": (CNN1DClassifier(), (6, 100)),
    "2-D, as it comes, 1 x 32 x 32": (CNN2DClassifier(), (1, 32, 32)),
    "activity, 3 x 80": (CNN1DClassifier(**CNN_PRESETS["activity"]), (3, 80)),
    "motor-sound, 1 x 64 x 20": (CNN2DClassifier(**CNN_PRESETS["motor-sound"]), (1, 64, 20)),
}


def make_data(shape, n_samples=256):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, n_samples)
    X = rng.normal(size=(n_samples, *shape))
    X[..., : shape[-1] // 4] += 0.3 * y.reshape(-1, *[1] * len(shape))
    return X, y


def seconds_per_network(estimators, X, y, one_by_one):
    start = time.process_time()
    if one_by_one:
        for estimator in estimators:
            estimator.fit(X, y)
    else:
        fit_population(estimators, X, y)
    return (time.process_time() - start) / len(estimators)


def time_table(n_rounds):
    rows = []
    job.MAX_MULTIPLICATIONS, job.MIN_POPULATION = np.inf, 2
    for name, (network, shape) in NETWORKS.items():
        X, y = make_data(shape)
        network.set_params(max_epochs=1).fit(X, y)
        inputs = torch.zeros(1, *(shape if len(shape) > 1 else (1, *shape)))
        size = job.n_multiplications(network.net_.module_, inputs)
        n_epochs = 5 if size < 100_000 else 1
        for n in POPULATIONS if size < 1e6 else POPULATIONS[:3]:
            networks = [
                clone(network).set_params(max_epochs=n_epochs, random_state=i) for i in range(n)
            ]
            for turn in range(n_rounds + 1):
                for way in ("one by one", "together"):
                    seconds = seconds_per_network(networks, X, y, way == "one by one")
                    if turn:
                        rows.append((name, size, n, way, seconds / n_epochs))
    table = pd.DataFrame(rows, columns=["network", "multiplications", "networks", "way", "seconds"])
    table = table.groupby(list(table.columns[:4]), sort=False).seconds.min().unstack()
    table["times faster together"] = table["one by one"] / table["together"]
    return table["times faster together"].unstack().reset_index()


def growth_table():
    rows = []
    classes = {"MLP": (MLPClassifier(hidden_layer_sizes=(8, 16)), (8,))}
    classes |= dict(list(NETWORKS.items())[:2])
    for dtype in (torch.float32, torch.float64):
        torch.set_default_dtype(dtype)
        for name, (network, shape) in classes.items():
            X, y = make_data(shape)
            for n_epochs in EPOCHS_OF_GROWTH:
                networks = [
                    clone(network).set_params(max_epochs=n_epochs, random_state=i) for i in range(5)
                ]
                together = fit_population(networks, X, y)
                difference = max(
                    np.abs(a.fit(X, y).predict_proba(X) - b.predict_proba(X)).max()
                    for a, b in zip(networks, together, strict=True)
                )
                rows.append((name, str(dtype).removeprefix("torch."), n_epochs, difference))
    torch.set_default_dtype(torch.float32)
    table = pd.DataFrame(rows, columns=["network", "type", "epochs", "difference"])
    return table.pivot(index="epochs", columns=["network", "type"], values="difference")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", required=True, type=Path)
    arguments = parse_arguments(
        parser,
        globals(),
        NETWORKS=first(NETWORKS, 3),
        POPULATIONS=(2, 5),
        EPOCHS_OF_GROWTH=(1, 2),
        rounds=1,
    )
    torch.set_num_threads(1)
    times = time_table(arguments.rounds)
    times.round(2).to_csv(arguments.out / "population_convolutions.csv", index=False)
    print(times.round(2).to_string())
    growth = growth_table()
    growth.columns = [", ".join(names) for names in growth.columns]
    growth.map("{:.1e}".format).to_csv(arguments.out / "population_rounding.csv")
    print(growth.to_string())


if __name__ == "__main__":
    main()
