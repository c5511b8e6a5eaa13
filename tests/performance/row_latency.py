"""Time that `predict` takes for one row, beside scikit-learn's network of the same shape.

The two are timed in turn in one process. Each time is the least of many repetitions, in
microseconds of the processor, so that other processes of the machine count as little as possible.

    OMP_NUM_THREADS=1 python tests/performance/row_latency.py --out docs/results/row_latency.csv
"""

import argparse
import warnings
from functools import partial
from time import thread_time

import numpy as np
import pandas as pd
from _tiny import first, parse_arguments
from sklearn.neural_network import MLPClassifier as ScikitLearnClassifier

from skimbal import MLPClassifier

SHAPES = [(10, (64, 32)), (111, (64, 32)), (111, (100,)), (111, (256, 128)), (1000, (64, 32))]
N_CALLS = 20


def shortest_times(calls, n_repetitions):
    """Return the least mean time of `N_CALLS` calls for each of some functions."""
    times = np.full(len(calls), np.inf)
    for _ in range(n_repetitions):
        for i, call in enumerate(calls):
            started = thread_time()
            for _ in range(N_CALLS):
                call()
            times[i] = min(times[i], (thread_time() - started) / N_CALLS)
    return 1e6 * times


def measure(n_features, sizes, n_classes, n_repetitions):
    """Return the times of both networks for one shape."""
    X = np.random.default_rng(0).normal(size=(400, n_features))
    y = np.arange(400) % n_classes
    networks = [
        MLPClassifier(hidden_layer_sizes=sizes, max_epochs=1, random_state=0),
        ScikitLearnClassifier(sizes, max_iter=1, random_state=0),
    ]
    calls = [partial(network.fit(X, y).predict, X[:1]) for network in networks]
    return shortest_times(calls, n_repetitions)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", help="where to write the table")
    parser.add_argument("--repetitions", type=int, default=60)
    arguments = parse_arguments(parser, globals(), repetitions=2, SHAPES=first(SHAPES))
    warnings.simplefilter("ignore")  # that one epoch is not enough
    rows = []
    for n_features, sizes in SHAPES:
        for n_classes in (2, 5):
            ours, theirs = measure(n_features, sizes, n_classes, arguments.repetitions)
            shape = n_features, " ".join(map(str, sizes)), n_classes
            rows.append((*shape, round(ours), round(theirs), round(ours / theirs, 2)))
    names = ["n_features", "hidden", "n_classes", "skimbal_us", "scikit_learn_us", "ratio"]
    table = pd.DataFrame(rows, columns=names)
    table.to_csv(arguments.out, index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
