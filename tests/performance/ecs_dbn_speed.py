"""Time of ECSDBNClassifier with five inner folds beside one belief network in bare torch.

Both have the same layers, epochs and batches; the bare network is trained once, on all samples.
Ratios of processor time on every set of the 58, the better of two turns, on one thread.

    python tests/performance/ecs_dbn_speed.py --out docs/results/ecs_dbn_speed.csv
"""

import argparse
import time

import numpy as np
import pandas as pd
import torch
from _tiny import parse_arguments
from population_speed import DBN, fit_bare_dbn
from tqdm import tqdm

from skimbal import ECSDBNClassifier
from skimbal.datasets import keel_suite, load_keel

MAX_SETS = None  # of the 58


def seconds(function):
    start = time.process_time()
    function()
    return time.process_time() - start


def times_of(name, n_turns):
    X, labels = load_keel(name, return_X_y=True)
    y = np.unique(labels, return_inverse=True)[1]
    scaled = (X - X.mean(axis=0)) / np.where(X.std(axis=0) > 0, X.std(axis=0), 1)
    ours, bare = [], []
    for turn in range(n_turns):
        bare.append(seconds(lambda: fit_bare_dbn(scaled, y, **DBN)))
        network = ECSDBNClassifier(visible="gaussian", random_state=turn, device="cpu")
        ours.append(seconds(lambda network=network: network.fit(scaled, y)))
    return {
        "dataset": name,
        "samples": len(y),
        "ecs_dbn_s": min(ours),
        "bare_dbn_s": min(bare),
        "ratio": min(ours) / min(bare),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True)
    parser.add_argument("--turns", type=int, default=2)
    arguments = parse_arguments(
        parser, globals(), MAX_SETS=1, DBN=DBN | {"n_epochs": 2, "pretrain_epochs": 2}, turns=1
    )
    torch.set_num_threads(1)
    times_of("glass5", 1)  # to warm up
    names = keel_suite("keel58")[:MAX_SETS]
    table = pd.DataFrame([times_of(name, arguments.turns) for name in tqdm(names)])
    table.round(3).to_csv(arguments.out, index=False)
    print(table.ratio.describe().round(2).to_string())


if __name__ == "__main__":
    main()
