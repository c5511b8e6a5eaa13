"""Time of one network: trained by itself in skorch or a bare torch loop, or with others as one.

All train the same network on the same KEEL set, in batches of the same size and for the same
epochs, on one thread; they take turns, so that a busy machine slows all of them alike. The tables
have seconds of processor time a network, their ratios, and the memory that a process with a
population of that size takes at its peak, above one that has only read the data. The last table is
the speed of the matrix products.

    python tests/performance/population_speed.py --out docs/results
"""

import argparse
import multiprocessing
import re
import time
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _tiny import parse_arguments
from skorch import NeuralNetClassifier
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from training_speed import fit_bare, fit_skorch

from skimbal import DBNClassifier, MLPClassifier
from skimbal.datasets import load_keel
from skimbal.neural_network import fit_population

SIZES = (64, 32)
MLP = {"n_epochs": 100, "batch_size": 64, "learning_rate": 1e-3, "weight_decay": 1e-4}
DBN = {"pretrain_epochs": 50, "pretrain_learning_rate": 0.02, "momentum": 0.5}
DBN |= {"n_epochs": 100, "batch_size": 128, "learning_rate": 3e-3, "weight_decay": 1e-4}
POPULATIONS = (1, 5, 20, 50, 150, 500)


def pretrain(layers, batches, n_epochs, learning_rate, momentum):
    """Contrastive divergence as one writes it by hand; `batches()` goes through the data once."""
    for depth, layer in enumerate(layers):
        weight, hidden = layer.weight.data, layer.bias.data
        visible = torch.zeros(weight.shape[1])
        velocities = [torch.zeros_like(p) for p in (weight, hidden, visible)]
        for _ in range(n_epochs):
            for v in batches():
                for below in layers[:depth]:
                    v = torch.sigmoid(nn.functional.linear(v, below.weight.data, below.bias.data))
                h = torch.sigmoid(v @ weight.T + hidden)
                mean = torch.bernoulli(h) @ weight + visible
                fantasy = (
                    mean + torch.randn_like(mean)
                    if depth == 0
                    else torch.bernoulli(torch.sigmoid(mean))
                )
                fantasy_h = torch.sigmoid(fantasy @ weight.T + hidden)
                gradients = (
                    (h.T @ v - fantasy_h.T @ fantasy) / len(v),
                    (h - fantasy_h).mean(0),
                    (v - fantasy).mean(0),
                )
                for velocity, gradient, parameter in zip(
                    velocities, gradients, (weight, hidden, visible), strict=True
                ):
                    velocity.mul_(momentum).add_(gradient)
                    parameter.add_(velocity, alpha=learning_rate)


def make_dbn(n_features):
    widths = [n_features, *SIZES]
    layers = [part for a, b in pairwise(widths) for part in (nn.Linear(a, b), nn.Sigmoid())]
    return nn.Sequential(*layers, nn.Linear(SIZES[-1], 2))


def linear_layers(module):
    return [part for part in module if isinstance(part, nn.Linear)][:-1]


def fit_bare_dbn(X, y, *, pretrain_epochs, pretrain_learning_rate, momentum, **settings):
    """A belief network by hand: slices of tensors, a fused optimizer."""
    module = make_dbn(X.shape[1])
    data, target = torch.as_tensor(X, dtype=torch.float32), torch.as_tensor(y)

    def batches():
        return data[torch.randperm(len(data))].split(settings["batch_size"])

    pretrain(linear_layers(module), batches, pretrain_epochs, pretrain_learning_rate, momentum)
    optimizer = torch.optim.Adam(
        module.parameters(),
        settings["learning_rate"],
        weight_decay=settings["weight_decay"],
        fused=True,
    )
    loss = nn.CrossEntropyLoss()
    for _ in range(settings["n_epochs"]):
        for rows in torch.randperm(len(data)).split(settings["batch_size"]):
            optimizer.zero_grad(set_to_none=True)
            loss(module(data[rows]), target[rows]).backward()
            optimizer.step()


def fit_skorch_dbn(
    X, y, *, pretrain_epochs, pretrain_learning_rate, momentum, fused=True, **settings
):
    """The same with skorch, and torch's own loader in the pre-training."""
    module = make_dbn(X.shape[1])
    data = torch.as_tensor(X, dtype=torch.float32)
    loader = DataLoader(TensorDataset(data), settings["batch_size"], shuffle=True)

    def batches():
        return (v for (v,) in loader)

    pretrain(linear_layers(module), batches, pretrain_epochs, pretrain_learning_rate, momentum)
    NeuralNetClassifier(
        module,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        optimizer__weight_decay=settings["weight_decay"],
        optimizer__fused=fused,
        lr=settings["learning_rate"],
        max_epochs=settings["n_epochs"],
        batch_size=settings["batch_size"],
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    ).fit(X.astype(np.float32), y)


def networks(kind, n_networks, n_epochs=None):
    """Networks of ours, of different seeds."""
    if kind == "MLP":
        network = MLPClassifier(
            hidden_layer_sizes=SIZES,
            max_epochs=n_epochs or MLP["n_epochs"],
            device="cpu",
            batch_size=MLP["batch_size"],
            learning_rate=MLP["learning_rate"],
        )
    else:
        network = DBNClassifier(
            hidden_layer_sizes=SIZES,
            visible="gaussian",
            device="cpu",
            pretrain_weight_decay=0.0,
            max_epochs=n_epochs or DBN["n_epochs"],
            batch_size=DBN["batch_size"],
            pretrain_epochs=n_epochs or DBN["pretrain_epochs"],
        )
    return [
        type(network)(**{**network.get_params(), "random_state": seed})
        for seed in range(n_networks)
    ]


def fits_of(kind):
    """Functions that train one network each, or a population, by name; and how many it is."""
    by_hand, by_skorch, settings = (
        (fit_bare, fit_skorch, MLP) if kind == "MLP" else (fit_bare_dbn, fit_skorch_dbn, DBN)
    )
    yield "bare torch loop, fused", 1, partial(by_hand, **settings)
    yield "skorch, fused", 1, partial(by_skorch, **settings)
    yield "skorch, Adam as it comes", 1, partial(by_skorch, fused=False, **settings)
    for n in POPULATIONS:
        yield f"population of {n}", n, partial(fit_together, kind, n)


def fit_together(kind, n_networks, X, y, n_epochs=None):
    fit_population(networks(kind, n_networks, n_epochs), X, y)


def load(dataset):
    X, labels = load_keel(dataset, return_X_y=True)
    X = (X - X.mean(0)) / X.std(0)
    return X, np.unique(labels, return_inverse=True)[1]


def peak_memory(kind, n_networks, dataset):
    """Megabytes of the peak of a process, run in a process of its own."""
    torch.set_num_threads(1)
    X, y = load(dataset)
    fit_population(networks(kind, 1, 1), X, y)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far (Linux)
    before = peak_kilobytes()
    fit_together(kind, n_networks, X, y, n_epochs=2)
    return (peak_kilobytes() - before) / 1024


def peak_kilobytes():
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1])


def time_table(kind, dataset, n_rounds):
    X, y = load(dataset)
    rows = []
    for turn in range(n_rounds + 1):  # the first is to warm up
        for name, n, fit in fits_of(kind):
            if turn > 1 and n > 50:
                continue
            start = time.process_time()
            fit(X, y)
            seconds = (time.process_time() - start) / n
            if turn:
                rows.append((name, n, seconds))
                print(turn, kind, name, f"{seconds:.4f} s", flush=True)
    table = pd.DataFrame(rows, columns=["fit", "networks", "seconds"])
    table = table.groupby(["fit", "networks"], sort=False).seconds.min().reset_index()
    by_name = table.set_index("fit").seconds
    table["times_faster_than_bare"] = by_name["bare torch loop, fused"] / table.seconds
    table["times_faster_than_skorch"] = by_name["skorch, Adam as it comes"] / table.seconds
    table["times_faster_than_fused_skorch"] = by_name["skorch, fused"] / table.seconds
    spawn = multiprocessing.get_context("spawn")
    memory = []
    for name, n in zip(table.fit, table.networks, strict=True):
        if not name.startswith("population"):
            memory.append(np.nan)
            continue
        with spawn.Pool(1) as pool:
            memory.append(pool.apply(peak_memory, (kind, n, dataset)))
    return table.assign(megabytes=memory)


def seconds_of(function):
    """Shortest of some repetitions."""
    for _ in range(5):
        function()
    times = []
    for _ in range(30):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def products_table(n_networks=50, n_rows=64, n_features=8):
    """Speed of the products of a step, batched, one by one, and of a large product."""
    square = torch.randn(1024, 1024)
    rows = [("1024 x 1024 x 1024", np.nan, 2 * 1024**3 / seconds_of(lambda: square @ square) / 1e9)]
    widths = [n_features, *SIZES, 2]
    for n_in, n_out in pairwise(widths):
        x, delta = torch.randn(n_networks, n_rows, n_in), torch.randn(n_networks, n_rows, n_out)
        # As they are stored: the shorter axis first.
        weight = torch.randn(n_networks, n_out, n_in)
        if n_in < n_out:
            weight = weight.mT.contiguous().mT
        for name, left, right in (
            ("forward", x, weight.mT),
            ("weight gradient", *((x.mT, delta) if n_in < n_out else (delta.mT, x))),
            ("input gradient", delta, weight),
        ):
            n_operations = 2 * n_networks * n_rows * n_in * n_out
            batched = n_operations / seconds_of(partial(torch.bmm, left, right)) / 1e9
            single = seconds_of(partial(torch.mm, left[0], right[0]))
            rows.append(
                (
                    f"{n_rows} rows, {n_in} to {n_out}, {name}",
                    n_operations / n_networks / single / 1e9,
                    batched,
                )
            )
    columns = ["product", "GFLOP/s, one", f"GFLOP/s, {n_networks} at once"]
    return pd.DataFrame(rows, columns=columns)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="abalone9-18")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", required=True, type=Path)
    arguments = parse_arguments(
        parser,
        globals(),
        MLP=MLP | {"n_epochs": 2},
        DBN=DBN | {"n_epochs": 2, "pretrain_epochs": 2},
        POPULATIONS=(2,),
        rounds=1,
    )
    torch.set_num_threads(1)
    for kind in ("MLP", "DBN"):
        table = time_table(kind, arguments.dataset, arguments.rounds)
        table.round(4).to_csv(arguments.out / f"population_{kind.lower()}.csv", index=False)
        print(table.round(4).to_string())
    products = products_table()
    products.round(1).to_csv(arguments.out / "population_products.csv", index=False)
    print(products.round(1).to_string())


if __name__ == "__main__":
    main()
