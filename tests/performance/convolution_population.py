"""Convolutions together or one by one: time of a network, and how rounding differences grow.

Small networks of one and of two dimensions, trained by `torch.func.vmap` as one population, and one
by one in skorch's loop; seconds of processor time a network on one thread, in turns. Then the
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
from torch import nn

from skimbal import MLPClassifier
from skimbal.neural_network import fit_population

POPULATIONS = (1, 5, 20, 50)
EPOCHS_OF_GROWTH = (1, 2, 5, 10, 20, 50, 100)


class Convolution(nn.Module):
    """Two convolutions with pooling, and a linear layer to the logits."""

    def __init__(self, shape, n_filters, n_classes, generator):
        super().__init__()
        one = len(shape) == 2
        conv, pool = (nn.Conv1d, nn.MaxPool1d) if one else (nn.Conv2d, nn.MaxPool2d)
        layers = []
        for n_in, n_out in zip((shape[0], *n_filters), n_filters, strict=False):
            layers += [conv(n_in, n_out, 5 if one else 3, padding="same"), nn.ReLU(), pool(2)]
        self.features = nn.Sequential(*layers, nn.Flatten())
        self.output = nn.Linear(self.features(torch.zeros(1, *shape)).shape[1], n_classes)
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=0.1, generator=generator)

    def forward(self, x):
        return self.output(self.features(x))


class ConvolutionClassifier(MLPClassifier):
    """An estimator around it; `hidden_layer_sizes` are the numbers of filters."""

    def _build_module(self, X, n_classes, generator, noise_generator):
        return Convolution(X.shape[1:], self.hidden_layer_sizes, n_classes, generator)


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


def time_table(shapes, n_rounds):
    rows = []
    for name, shape in shapes.items():
        X, y = make_data(shape)
        for turn in range(n_rounds + 1):
            for n in POPULATIONS:
                networks = [
                    ConvolutionClassifier(hidden_layer_sizes=(8, 16), max_epochs=5, random_state=i)
                    for i in range(n)
                ]
                for way in ("one by one", "together"):
                    seconds = seconds_per_network(networks, X, y, way == "one by one")
                    if turn:
                        rows.append((name, n, way, seconds))
    table = pd.DataFrame(rows, columns=["network", "networks", "way", "seconds"])
    table = table.groupby(["network", "networks", "way"], sort=False).seconds.min().unstack()
    table["times faster together"] = table["one by one"] / table["together"]
    return table.reset_index()


def growth_table(shapes):
    rows = []
    classes = {
        "MLP": (MLPClassifier, (8,)),
        **{name: (ConvolutionClassifier, shape) for name, shape in shapes.items()},
    }
    for dtype in (torch.float32, torch.float64):
        torch.set_default_dtype(dtype)
        for name, (network_class, shape) in classes.items():
            X, y = make_data(shape)
            for n_epochs in EPOCHS_OF_GROWTH:
                networks = [
                    network_class(hidden_layer_sizes=(8, 16), max_epochs=n_epochs, random_state=i)
                    for i in range(5)
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
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    shapes = {"convolution, 128": (1, 128), "convolution, 16 x 16": (1, 16, 16)}
    times = time_table(shapes, arguments.rounds)
    times.round(4).to_csv(arguments.out / "population_convolutions.csv", index=False)
    print(times.round(4).to_string())
    growth = growth_table(shapes)
    growth.columns = [", ".join(names) for names in growth.columns]
    growth.map("{:.1e}".format).to_csv(arguments.out / "population_rounding.csv")
    print(growth.to_string())


if __name__ == "__main__":
    main()
