"""Memory that one epoch takes on a large table, dense and sparse, beside the table itself.

A table of the shape of KDD Cup 1999 after one-hot encoding: 494,016 rows, 38 columns of numbers
(two thirds of them 0) and three categories of 3, 59 and 11 levels. Each row of the result is a
process of its own, which fits one epoch in batches of 512 rows, and then predicts. What is reported
is the peak of the process above what it has when the table is there and a small fit has been done.

    python tests/performance/table_memory.py --out docs/results/table_memory.csv
"""

import argparse
import subprocess
import sys
import warnings
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd
from _tiny import parse_arguments
from population_speed import peak_kilobytes
from scipy import sparse
from sklearn.neural_network import MLPClassifier as ScikitLearnClassifier

from skimbal import MLPClassifier

N_ROWS = 494_016
N_NUMBERS, LEVELS = 38, (3, 59, 11)
NETWORKS = {
    "skimbal": MLPClassifier(batch_size=512, max_epochs=1, early_stopping=False, random_state=0),
    "scikit-learn": ScikitLearnClassifier((64, 32), batch_size=512, max_iter=1, random_state=0),
}


def make_table(n_rows, is_sparse):
    """Return the table in single precision, and labels."""
    rng = np.random.default_rng(0)
    columns = [rng.integers(n, size=n_rows) for n in LEVELS]
    first = N_NUMBERS + np.cumsum([0, *LEVELS[:-1]])
    one_hot = np.stack(columns, axis=1) + first
    n_stored = N_NUMBERS // 3
    indices = np.empty((n_rows, n_stored + len(LEVELS)), dtype=np.int32)
    indices[:, :n_stored] = rng.integers(3, size=(n_rows, n_stored)) + 3 * np.arange(n_stored)
    indices[:, n_stored:] = one_hot
    values = np.ones(indices.shape, dtype=np.float32)
    values[:, :n_stored] = rng.standard_normal((n_rows, n_stored), dtype=np.float32)
    starts = np.arange(0, indices.size + 1, indices.shape[1], dtype=np.int32)
    shape = n_rows, N_NUMBERS + sum(LEVELS)
    X = sparse.csr_array((values.ravel(), indices.ravel(), starts), shape=shape)
    y = (values[:, :3].sum(axis=1) + (columns[0] == 0) > 2.5).astype(int)
    return X if is_sparse else X.toarray(), y


def measure(library, kind, n_rows):
    """Print the figures of one process: megabytes and seconds of the processor."""
    X, y = make_table(n_rows, kind == "sparse")
    network = NETWORKS[library]
    network.fit(X[:2000], y[:2000]).predict(X[:2000])
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    before, started = peak_kilobytes(), process_time()
    network.fit(X, y)
    fit_s, after_fit = process_time() - started, peak_kilobytes()
    network.predict(X)
    print((after_fit - before) / 1024, (peak_kilobytes() - before) / 1024, fit_s)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", help="where to write the table")
    parser.add_argument("--one", nargs=2, metavar=("LIBRARY", "KIND"), help="measure this one only")
    parser.add_argument("--rows", type=int, default=N_ROWS)
    arguments = parse_arguments(parser, globals(), rows=20_000)
    warnings.simplefilter("ignore")  # that one epoch is not enough
    if arguments.one:
        measure(*arguments.one, arguments.rows)
        return
    data_megabytes = 4 * arguments.rows * (N_NUMBERS + sum(LEVELS)) / 2**20
    rows = []
    for library in NETWORKS:
        for kind in ("sparse", "dense"):
            command = [sys.executable, __file__, "--one", library, kind, "--rows"]
            run = subprocess.run(
                [*command, str(arguments.rows)], capture_output=True, text=True, check=True
            )
            fit, both, seconds = map(float, run.stdout.split())
            rows.append((library, kind, fit, fit / data_megabytes, both, seconds))
    names = ["library", "table", "fit_mb", "fit_by_data", "fit_and_predict_mb", "fit_cpu_s"]
    table = pd.DataFrame(rows, columns=names).round(2)
    table.insert(2, "dense_float32_mb", round(data_megabytes))
    table.to_csv(arguments.out, index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
