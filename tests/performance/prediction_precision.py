"""Prediction of convolutional networks: blocks of equal size, all at once, and in double precision.

Processor time relative to blocks, the median of turns on one thread; and the largest difference
between the posteriors of a sample among many others and alone.

    python tests/performance/prediction_precision.py --out docs/results/prediction_precision.csv
"""

import argparse
import time
from copy import deepcopy

import numpy as np
import pandas as pd
import torch
from _tiny import first, parse_arguments

from skimbal import CNN1DClassifier, CNN2DClassifier, ResNetClassifier
from skimbal._training.prediction import in_blocks

NETWORKS = {
    "CNN1DClassifier, 6 x 200": (CNN1DClassifier(), (6, 200)),
    "CNN2DClassifier, 1 x 64 x 32": (CNN2DClassifier(), (1, 64, 32)),
    "ResNetClassifier(depth=20), 3 x 32 x 32": (ResNetClassifier(depth=20), (3, 32, 32)),
}
N_SAMPLES = 256


def at_once(module, X):
    return module(torch.as_tensor(X).to(module.output.weight))


WAYS = {
    "blocks of 32": lambda module, X: in_blocks(module, X)[1],
    "all at once": at_once,
    "all at once, float64": lambda module, X: at_once(deepcopy(module).double(), X),
}


@torch.no_grad()
def rows_of(name, n_turns):
    network, shape = NETWORKS[name]
    X = np.random.default_rng(0).normal(size=(N_SAMPLES, *shape))
    y = np.arange(N_SAMPLES) % 2
    with torch.enable_grad():
        fitted = network.set_params(max_epochs=1, random_state=0).fit(X, y)
    module, X = fitted.net_.module_.eval(), (X - fitted.input_mean_) / fitted.input_scale_
    seconds = {way: [] for way in WAYS}
    for _ in range(n_turns):
        for way, function in WAYS.items():
            start = time.process_time()
            function(module, X)
            seconds[way].append(time.process_time() - start)
    blocks = np.median(seconds["blocks of 32"])
    for way, function in WAYS.items():
        proba = torch.softmax(function(module, X).double(), dim=1)
        alone = torch.softmax(function(module, X[:1]).double(), dim=1)
        yield {
            "network": name,
            "way": way,
            "relative time": round(np.median(seconds[way]) / blocks, 2),
            "largest difference": f"{(proba[:1] - alone).abs().max().item():.1e}",
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True)
    parser.add_argument("--turns", type=int, default=5)
    arguments = parse_arguments(parser, globals(), NETWORKS=first(NETWORKS), N_SAMPLES=64, turns=1)
    torch.set_num_threads(1)
    table = pd.DataFrame([row for name in NETWORKS for row in rows_of(name, arguments.turns)])
    table.to_csv(arguments.out, index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
