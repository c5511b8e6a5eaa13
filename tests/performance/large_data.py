"""Time and memory of networks on the 13.8 million simulated rows of gun drilling, on the disk.

Each row of the result is a process of its own: it trains one epoch (a belief network: one epoch for
each of two machines, then one of the network), predicts all rows, and finds the costs. The rows
come from an array in memory, a memory map, or chunks of a .npy file, a Parquet file or a zarr
array. All sources are compared on 1 million rows. The files are in the page cache. Memory is the
peak of the anonymous memory of the process above what it has after the labels are read and a small
fit is done, so pages of a memory map do not count, and an array in memory is not part of it.
Seconds are those of the processor, one thread.

    python tests/performance/large_data.py --out docs/results/large_data.csv
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from _tiny import parse_arguments
from skorch.callbacks import Callback

from skimbal import DBNClassifier, MLPClassifier, TunedCostClassifierCV
from skimbal._utils._free_pages import anonymous_bytes, release_free_pages
from skimbal.datasets import make_gun_drilling
from skimbal.preprocessing import ChunkedTable

WHOLE, PART = 13_798_690, 1_000_000
BUFFER_BYTES = {WHOLE: 2**28, PART: 2**25}
CHUNK_ROWS = 50_000
KEYS = ["network", "rows_from", "samples"]
SETTINGS = {"batch_size": 4096, "max_epochs": 1, "random_state": 0}
SETTINGS |= {"learning_rate": 0.003, "early_stopping": False}
NETWORKS = {
    "MLP": MLPClassifier(**SETTINGS),
    "MLP, balanced batches": MLPClassifier(sampler="balanced", **SETTINGS),
    "DBN": DBNClassifier(pretrain_epochs=1, **SETTINGS),
}
CASES = [
    ("DBN", "npy", WHOLE),
    *(("MLP", source, PART) for source in ("array", "npy", "memmap", "parquet", "zarr")),
    *(("MLP, balanced batches", source, PART) for source in ("array", "npy")),
    *(("DBN", source, PART) for source in ("array", "npy")),
    ("MLP", "npy", WHOLE),
    ("MLP", "array", WHOLE),
]


class Peak:
    """Peak of the anonymous memory in a block above that at its begin, in bytes."""

    def __enter__(self):
        # What was freed before would be used again, and not count.
        release_free_pages()
        self.start = self.largest = anonymous_bytes()
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()
        return self

    def _watch(self):
        while not self.ended.wait(0.01):
            self.largest = max(self.largest, anonymous_bytes())

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        self.above = max(self.largest, anonymous_bytes()) - self.start


class Clock(Callback):
    """Processor seconds of an epoch, and of the reading in it."""

    reading_s = 0.0

    def on_epoch_begin(self, net, **kwargs):
        self.started, self.read_before = time.process_time(), Clock.reading_s

    def on_epoch_end(self, net, **kwargs):
        self.epoch_s = time.process_time() - self.started
        self.epoch_reading_s = Clock.reading_s - self.read_before


def timed(read):
    """A function that reads, with its processor seconds added up."""

    def reading(start, stop):
        started = time.process_time()
        rows = read(start, stop)
        Clock.reading_s += time.process_time() - started
        return rows

    return reading


def write_files(folder, n_rows):
    """Write the simulated rows as .npy, a part of them as Parquet and zarr too, block by block."""
    import pyarrow as pa
    import zarr
    from pyarrow import parquet

    data = make_gun_drilling(n_rows, out=folder, random_state=0)
    if n_rows != PART:
        return
    array = zarr.create_array(
        folder / "data.zarr", shape=data.data.shape, chunks=(CHUNK_ROWS, 14), dtype="float32"
    )
    schema = pa.schema([(name, pa.float32()) for name in data.feature_names])
    with parquet.ParquetWriter(folder / "data.parquet", schema) as writer:
        for start in range(0, n_rows, CHUNK_ROWS):
            rows = np.array(data.data[start : start + CHUNK_ROWS])
            array[start : start + CHUNK_ROWS] = rows
            writer.write_table(pa.table(list(rows.T), schema=schema))


def open_rows(source, folder, buffer_bytes):
    """The rows as a network is given them."""
    file = folder / "data.npy"
    if source == "array":
        return np.load(file)
    if source == "memmap":
        return np.load(file, mmap_mode="r")
    paths = {"npy": file, "parquet": folder / "data.parquet", "zarr": folder / "data.zarr"}
    table = getattr(ChunkedTable, f"from_{source}")(paths[source], buffer_bytes=buffer_bytes)
    for part in table.sources:
        part.read = timed(part.read)
    return table


def seconds_and_peak(function):
    """What a function returns, its processor seconds and its peak in megabytes."""
    started = time.process_time()
    with Peak() as peak:
        result = function()
    return result, time.process_time() - started, peak.above / 2**20


def measure(name, source, folder):
    """Print the row of one process."""
    y = np.load(folder / "target.npy")
    clock = Clock()
    network = NETWORKS[name].set_params(callbacks=[clock])
    buffer_bytes = BUFFER_BYTES[len(y)]
    X = open_rows(source, folder, buffer_bytes)
    small = np.array(X[:20_000])
    labels = np.arange(len(small)) % 10 == 0
    network.fit(small, labels).predict_proba(small)
    reading_s = Clock.reading_s
    _, fit_s, fit_mb = seconds_and_peak(lambda: network.fit(X, y))
    clock = network.net_.callbacks_[0][1]
    row = {"network": name, "rows_from": source, "samples": len(y)}
    row |= {"data_mb": y.size * 56 / 2**20, "buffer_mb": buffer_bytes / 2**20}
    row |= {"fit_mb": fit_mb, "fit_by_buffer": fit_mb * 2**20 / buffer_bytes, "fit_cpu_s": fit_s}
    row |= {"reading_cpu_s": Clock.reading_s - reading_s}
    row |= {
        "epoch_cpu_s": clock.epoch_s,
        "epoch_reading_share": clock.epoch_reading_s / clock.epoch_s,
    }
    proba, row["predict_cpu_s"], row["predict_mb"] = seconds_and_peak(
        lambda: network.predict_proba(X)
    )
    row["answer_mb"] = proba.nbytes / 2**20
    if source in ("array", "npy"):
        tuned = TunedCostClassifierCV(network, cv="prefit", scoring="g_mean", random_state=0)
        del proba
        _, row["costs_cpu_s"], row["costs_mb"] = seconds_and_peak(lambda: tuned.fit(X, y))
        row["g_mean"] = tuned.best_score_
    print(pd.DataFrame([row]).to_json(orient="records"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", help="where to write the table; rows that are there stay")
    parser.add_argument("--folder", help="where the files are, or are written; default: temporary")
    parser.add_argument("--one", nargs=2, metavar=("NETWORK", "SOURCE"), help="measure this only")
    parser.add_argument("--rows", type=int, help="only the cases of so many rows")
    tiny = {"WHOLE": 40_000, "PART": 30_000, "BUFFER_BYTES": {40_000: 2**23, 30_000: 2**23}}
    tiny["CASES"] = [(*case[:2], min(case[2], 30_000)) for case in CASES[:6]]
    arguments = parse_arguments(parser, globals(), CHUNK_ROWS=5_000, **tiny)
    warnings.simplefilter("ignore")  # of columns that were fitted without names
    if arguments.one:
        measure(*arguments.one, Path(arguments.folder))
        return
    out = Path(arguments.out)
    table = pd.read_csv(out) if out.exists() else pd.DataFrame()
    with tempfile.TemporaryDirectory() as made:
        for *case, n_rows in CASES:
            is_there = len(table) and (table[KEYS] == [*case, n_rows]).all(axis=1).any()
            if is_there or arguments.rows not in (None, n_rows):
                continue
            folder = Path(arguments.folder or made) / str(n_rows)
            if not (folder / "target.npy").exists():
                write_files(folder, n_rows)
            command = [sys.executable, __file__, "--one", *case, "--folder", str(folder)]
            command += ["--tiny"] if "--tiny" in sys.argv else []
            run = subprocess.run(command, capture_output=True, text=True)
            if run.returncode:
                raise SystemExit(run.stderr)
            row = pd.DataFrame(json.loads(run.stdout.splitlines()[-1]))
            table = pd.concat([table, row.round(3)], ignore_index=True)
            table.to_csv(out, index=False)
            print(row.to_string(index=False), flush=True)


if __name__ == "__main__":
    main()
