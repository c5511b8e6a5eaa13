"""Pre-train single machines of many widths on many numbers of features, at the default step size.

The table shows that no machine diverges at ``pretrain_learning_rate="auto"``, and where the fixed
step size of 0.02 does. Columns are the mean squared errors of the reconstructions in the first and
the last epoch and the largest of all; the last column has the error in the last epoch at 0.02.

    python tests/performance/dbn_widths.py --out docs/results/dbn_widths.csv
"""

import argparse

import numpy as np
import pandas as pd
import torch
from _tiny import first, parse_arguments

from skimbal import DBNClassifier
from skimbal.exceptions import NonFiniteLossError

N_SAMPLES = 300
N_EPOCHS = 10
FEATURES = [2, 30, 500, 5000]
UNITS = [1, 64, 512, 4000]
DATA = {
    "independent": lambda rng, n, d: rng.normal(size=(n, d)),
    "alike": lambda rng, n, d: rng.normal(size=(n, 1)) + 0.05 * rng.normal(size=(n, d)),
    "heavy tails": lambda rng, n, d: rng.standard_t(2, size=(n, d)),
    "binary": lambda rng, n, d: (rng.random((n, d)) < rng.random(d)).astype(float),
}


def errors_of(X, n_units, **settings):
    """Errors of the reconstructions by epoch, or None if the pre-training raises."""
    network = DBNClassifier(
        hidden_layer_sizes=(n_units,),
        pretrain_epochs=N_EPOCHS,
        max_epochs=1,
        random_state=0,
        **settings,
    )
    try:
        network.fit(X, np.arange(len(X)) % 2)
    except NonFiniteLossError:
        return None
    return network.pretrain_history_["reconstruction_error"].to_numpy()


def shown(error):
    """An error with three digits."""
    return f"{error:.3g}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True)
    arguments = parse_arguments(
        parser, globals(), FEATURES=FEATURES[:2], UNITS=UNITS[:3:2], DATA=first(DATA), N_EPOCHS=2
    )
    torch.set_num_threads(1)
    rows = []
    for kind, make in DATA.items():
        for n_features in FEATURES:
            X = make(np.random.default_rng(0), N_SAMPLES, n_features)
            for n_units in UNITS:
                auto = errors_of(X, n_units)
                fixed = errors_of(X, n_units, pretrain_learning_rate=0.02)
                row = {"data": kind, "features": n_features, "units": n_units}
                row |= dict(zip(["first", "last", "largest"], ["diverged"] * 3, strict=True))
                if auto is not None:
                    values = auto[0], auto[-1], auto.max()
                    row |= dict(zip(["first", "last", "largest"], map(shown, values), strict=True))
                rows.append(row | {"at 0.02": "diverged" if fixed is None else shown(fixed[-1])})
                print(rows[-1], flush=True)
                pd.DataFrame(rows).to_csv(arguments.out, index=False)


if __name__ == "__main__":
    main()
