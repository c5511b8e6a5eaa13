"""How categories and numbers should be given to a network.

Three tables: hospital visits (is a patient readmitted within 30 days?), a milling machine (does it
fail?) and network connections (is somebody breaking in, by an attack of the kinds R2L and U2R,
which are 0.7 % of them?). The test set of a seed is a quarter of the rows; visits of one patient
are on one side, also in early stopping and in target encoding. Every network is
``MLPClassifier(early_stopping=True, batch_size=64)``; it is fitted to the same rows, each time with
other inputs.

Categories (visits):

* one-hot columns of all levels with 2, 5 or 20 training rows or more, the others in one column;
* the 29 most frequent levels, the others in one column;
* target encoding of the columns that would become more than 30, one-hot columns of the others;
* one-hot columns and target encoding side by side;
* one-hot columns, of which a low-rank first layer makes 8 learned numbers for each column that
  would become more than 30 (a learned embedding).

Numbers (all tables; categories as one-hot columns):

* as they are, which the network standardizes, also by median and quartiles (``"robust"``);
* piecewise linear in 8, 16 or 32 bins: each column rises from 0 to 1 in its bin (not standardized
  by the network, if the row does not say so);
* 16 bins beside the standardized numbers;
* hat functions with the same knots (scikit-learn's SplineTransformer of degree 1);
* sine and cosine of 8 random frequencies beside the standardized numbers.

The last row of a table is scikit-learn's histogram boosting for comparison. Rows that the file of
the cells has are not measured again.

    python tests/performance/table_inputs.py --out docs/results/table_inputs.csv
"""

import argparse
import time
from functools import partial
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _tiny import first, parse_arguments
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score
from sklearn.model_selection import GroupShuffleSplit
from sklearn.preprocessing import RobustScaler, SplineTransformer, StandardScaler
from weighted_stopping import load_visits

from skimbal import MLPClassifier, NetClassifier
from skimbal.datasets import load_ai4i2020, load_kddcup99
from skimbal.neural_network import Module
from skimbal.preprocessing import TableEncoder
from skimbal.preprocessing._piecewise_linear import PiecewiseLinear

MAX_ROWS = 30_000
MAX_EPOCHS = 100
EMBEDDING_SIZE = 8
N_FREQUENCIES = 8
BREAK_INS = [
    *("ftp_write", "guess_passwd", "imap", "multihop", "phf", "spy", "warezclient", "warezmaster"),
    *("buffer_overflow", "loadmodule", "perl", "rootkit"),
]


def visits(seed):
    """Hospital visits."""
    return load_visits(seed)


def machine(seed):
    """States of the milling machine."""
    X, y = load_ai4i2020(return_X_y=True)
    return pd.DataFrame(X).add_prefix("x"), y == "failure", np.arange(len(y))


def connections(seed):
    """Connections, and whether somebody is breaking in."""
    X, y = load_kddcup99(return_X_y=True)
    return pd.DataFrame(X).add_prefix("x"), np.isin(y, BREAK_INS), np.arange(len(y))


TABLES = {"diabetes130": visits, "AI4I 2020": machine, "KDD99": connections}

# ---------------------------------------------------------------- categories

ONE_HOT = {"max_one_hot": None, "min_frequency": 5}
ENCODERS = {
    "one-hot, levels of 2 rows": [{**ONE_HOT, "min_frequency": 2}],
    "one-hot, levels of 5 rows": [ONE_HOT],
    "one-hot, levels of 20 rows": [{**ONE_HOT, "min_frequency": 20}],
    "30 most frequent": [{"max_one_hot": 30, "high_cardinality": "most_frequent"}],
    "target encoding": [{"max_one_hot": 30}],
    "one-hot and target encoding": [ONE_HOT, {"max_one_hot": 30}],
}


class Embedded(torch.nn.Module):
    """A network with a layer of a few units for each group of one-hot columns."""

    def __init__(self, input_shape, n_classes, *, groups, size):
        super().__init__()
        self.groups = groups
        inside = set().union(*groups)
        self.rest = [i for i in range(*input_shape) if i not in inside]
        self.embeddings = torch.nn.ModuleList(
            torch.nn.Linear(len(group), size, bias=False) for group in groups
        )
        widths = [len(self.rest) + size * len(groups), 64, 32, n_classes]
        self.layers = torch.nn.ModuleList(
            torch.nn.Linear(n_in, n_out) for n_in, n_out in pairwise(widths)
        )
        for layer in self.layers:  # as MLPClassifier
            torch.nn.init.xavier_uniform_(layer.weight)
            torch.nn.init.zeros_(layer.bias)

    def forward(self, x):
        """Return the logits."""
        embedded = [
            layer(x[:, group]) for layer, group in zip(self.embeddings, self.groups, strict=True)
        ]
        x = torch.cat([x[:, self.rest], *embedded], dim=1)
        *hidden, last = self.layers
        for layer in hidden:
            x = layer(x).relu()
        return last(x)


def encoded(options, parts):
    """The training and test rows as numbers, those of the encoders side by side."""
    sides = [], []
    for i, option in enumerate(options):
        encoder = TableEncoder(random_state=0, sparse_output=False, **option)
        train = encoder.fit_transform(parts["X_train"], parts["y_train"], parts["groups"])
        names = encoder.get_feature_names_out()
        # Of the second encoder, what the first one does not have.
        own = [j for j, name in enumerate(names) if i == 0 or name.endswith("_target")]
        for side, X in zip(sides, (train, encoder.transform(parts["X_test"])), strict=True):
            side.append(X[:, own])
    return np.hstack(sides[0]), np.hstack(sides[1])


def wide_groups(parts):
    """Places of the one-hot columns of each category that becomes more than 30 of them."""
    names = TableEncoder(**ONE_HOT).fit(parts["X_train"]).get_feature_names_out()
    kinds = TableEncoder().fit(parts["X_train"], parts["y_train"]).kinds_
    wide = parts["X_train"].columns[kinds == "target"]
    return [[j for j, name in enumerate(names) if name.startswith(f"{own}_")] for own in wide]


def embedding(parts):
    """The network with embeddings, and its inputs."""
    module = Module(Embedded, groups=wide_groups(parts), size=EMBEDDING_SIZE)
    return NetClassifier(module), *encoded([ONE_HOT], parts)


# ---------------------------------------------------------------- numbers


def with_numbers(X_train, X_test, make):
    """The tables, with new columns in place of those of more than two values."""
    is_number = np.array([len(np.unique(x)) > 2 for x in X_train.T])
    made = make(X_train[:, is_number], X_test[:, is_number])
    rest = X_train[:, ~is_number], X_test[:, ~is_number]
    return tuple(np.hstack(pair) for pair in zip(made, rest, strict=True))


def transformed(transformer, train, test):
    """Training and test rows of a transformer."""
    return transformer.fit_transform(train), transformer.transform(test)


def beside(make, train, test):
    """The new columns beside the standardized numbers."""
    pairs = zip(transformed(StandardScaler(), train, test), make(train, test), strict=True)
    return tuple(np.hstack(pair) for pair in pairs)


def piecewise(n_bins, train, test):
    """Cumulative piecewise linear columns."""
    return transformed(PiecewiseLinear(n_bins), train, test)


def hats(n_bins, train, test):
    """Hat functions with the same knots."""
    parts = []
    for x, knots in enumerate(PiecewiseLinear(n_bins).fit(train).knots_):
        splines = SplineTransformer(degree=1, knots=knots[:, np.newaxis])
        parts.append(transformed(splines, train[:, [x]], test[:, [x]]))
    return tuple(np.hstack(side) for side in zip(*parts, strict=True))


def periodic(train, test):
    """Sine and cosine of random frequencies (standard deviation 0.5) of robustly scaled numbers."""
    frequencies = np.random.default_rng(0).normal(0.0, 0.5, N_FREQUENCIES)
    sides = []
    for X in transformed(RobustScaler(), train, test):
        angles = 2 * np.pi * np.clip(X, -5, 5)[:, :, np.newaxis] * frequencies
        angles = angles.reshape(len(X), -1)
        sides.append(np.hstack([np.sin(angles), np.cos(angles)]))
    return tuple(sides)


NUMBERS = {
    "as they are": lambda *numbers: numbers,
    "as they are, robust": lambda *numbers: numbers,
    "8 bins": partial(piecewise, 8),
    "16 bins": partial(piecewise, 16),
    "32 bins": partial(piecewise, 32),
    "16 bins, standardized": partial(piecewise, 16),
    "16 bins and the number": partial(beside, partial(piecewise, 16)),
    "hat functions, 16 bins": partial(hats, 16),
    "sine, cosine and the number": partial(beside, periodic),
}

# How the network scales its inputs; not at all, if nothing is said.
STANDARDIZE = {
    "as they are": "auto",
    "as they are, robust": "robust",
    "16 bins, standardized": "auto",
}

# ---------------------------------------------------------------- cells

KEYS = ["table", "subject", "inputs", "seed"]
USUAL = ["one-hot, levels of 5 rows", "as they are"]  # of the categories and of the numbers


def split(name, seed):
    """Training and test rows of a table, and the groups of the training rows."""
    X, y, groups = TABLES[name](seed)
    rows = np.random.default_rng(seed).permutation(len(y))[:MAX_ROWS]
    X, y, groups = X.iloc[rows], np.asarray(y)[rows], groups[rows]
    splits = GroupShuffleSplit(1, test_size=0.25, random_state=seed).split(X, y, groups)
    train, test = next(splits)
    return {
        "X_train": X.iloc[train],
        "X_test": X.iloc[test],
        "y_train": y[train],
        "y_test": y[test],
        "groups": groups[train],
    }


def tasks(name):
    """What is measured on a table: (subject, inputs, function of the parts)."""
    if name == "diabetes130":
        for inputs, options in ENCODERS.items():
            yield "categories", inputs, partial(categories, options)
        yield "categories", "learned embedding", embedding
    for inputs, make in NUMBERS.items():
        yield "numbers", inputs, partial(numbers, STANDARDIZE.get(inputs, False), make)
    yield "numbers", "histogram boosting", boosting


def categories(options, parts):
    """The network, and the encoded tables."""
    return MLPClassifier(), *encoded(options, parts)


def numbers(standardize, make, parts):
    """The network, and the tables with other columns for the numbers."""
    return MLPClassifier(standardize=standardize), *with_numbers(*encoded([ONE_HOT], parts), make)


def boosting(parts):
    """scikit-learn's boosting, and the tables of the encoder's defaults."""
    return HistGradientBoostingClassifier(random_state=0), *encoded([{}], parts)


def cell(parts, seed, task):
    """The scores of one network on the test rows."""
    classifier, X_train, X_test = task(parts)
    given = {}
    if not isinstance(classifier, HistGradientBoostingClassifier):
        given = {"groups": parts["groups"]}
        classifier.set_params(
            early_stopping=True, batch_size=64, max_epochs=MAX_EPOCHS, random_state=seed
        )
        X_train, X_test = X_train.astype(np.float32), X_test.astype(np.float32)
    start = time.process_time()
    classifier.fit(X_train, parts["y_train"], **given)
    fit_s = time.process_time() - start
    proba, y = classifier.predict_proba(X_test)[:, 1], parts["y_test"]
    return {
        "columns": X_train.shape[1],
        "auc": roc_auc_score(y, proba),
        "average_precision": average_precision_score(y, proba),
        "log_loss": log_loss(y, proba),
        "fit_s": fit_s,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    tiny = {"MAX_ROWS": 600, "MAX_EPOCHS": 2, "TABLES": first(TABLES), "seeds": 1}
    arguments = parse_arguments(parser, globals(), **tiny)
    torch.set_num_threads(1)
    path = arguments.out.with_name(f"{arguments.out.stem}_cells.csv")
    done = set(pd.read_csv(path)[KEYS].itertuples(index=False, name=None)) if path.exists() else ()
    for seed, name in product(range(arguments.seeds), TABLES):
        missing = [t for t in tasks(name) if (name, *t[:2], seed) not in done]
        parts = split(name, seed) if missing else {}
        for subject, inputs, task in missing:
            key = dict(zip(KEYS, (name, subject, inputs, seed), strict=True))
            row = pd.DataFrame([key | cell(parts, seed, task)])
            row.to_csv(path, mode="a", header=not path.exists(), index=False)
            print(row.round(4).to_string(index=False, header=False), flush=True)
    means = means_of(pd.read_csv(path))
    means.to_csv(arguments.out, index=False)
    print(means.to_string(index=False))


def means_of(cells):
    """Means over the seeds, and the gain over the usual inputs."""
    keys = ["table", "subject", "seed"]
    usual = cells[cells["inputs"].isin(USUAL)].set_index(keys)["average_precision"]
    usual = usual.loc[pd.MultiIndex.from_frame(cells[keys])].to_numpy()
    by_inputs = cells.assign(gain=cells["average_precision"] - usual).groupby(KEYS[:3])
    means = by_inputs.mean().drop(columns="seed")
    means["gain_se"] = by_inputs["gain"].sem()
    means["seeds"] = by_inputs.size()
    order = [(name, *task[:2]) for name in TABLES for task in tasks(name)]
    return means.loc[[row for row in order if row in means.index]].round(4).reset_index()


if __name__ == "__main__":
    main()
