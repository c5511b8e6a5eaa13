"""Exported graphs on real test data, and the time of a single row: here, in ONNX, from a server.

The first table has the largest difference between the probabilities of a graph in onnxruntime and
those of the estimator, and the samples with other labels, for all test samples. The second has the
time of one row in microseconds, the least of many calls, so that other processes of the machine
count as little as possible. The server is asked over a new connection each time.

    python tests/performance/serving.py --out docs/results/serving
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from http.client import HTTPConnection
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
from _tiny import first, parse_arguments
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skimbal import (
    CNN1DClassifier,
    CNN2DClassifier,
    DBNClassifier,
    ECSDBNClassifier,
    FixedCostClassifier,
    MLPClassifier,
    ResNetClassifier,
    TunedCostClassifierCV,
)
from skimbal.datasets import (
    cut_segments,
    fetch_cifar10_imbalanced,
    fetch_wisdm,
    load_keel,
    load_watch,
)
from skimbal.persistence import save, to_onnx

ROOT = Path(__file__).parents[2]
SHORT = {"random_state": 0, "max_epochs": 5}


def keel(name):
    X, y = load_keel(name, return_X_y=True)
    return train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)


def wisdm():
    X, y = fetch_wisdm(kind="transformed", return_X_y=True)
    return train_test_split(np.nan_to_num(X), y, stratify=y, random_state=0)


def watch():
    recordings, y = load_watch(return_X_y=True)
    X, y = cut_segments(
        recordings,
        y,
        length=200,
        n_per_class=dict.fromkeys(np.unique(y).tolist(), 60),
        random_state=0,
        return_X_y=True,
    )
    return train_test_split(np.asarray(X, dtype=np.float32), y, stratify=y, random_state=0)


def cifar():
    found = fetch_cifar10_imbalanced(n_max=100, n_test=1000, random_state=0)
    return found.data, found.data_test, found.target, found.target_test


CASES = {
    "yeast4": (
        lambda: keel("yeast4"),
        [
            MLPClassifier(**SHORT, cost_matrix="inverse_frequency"),
            DBNClassifier(**SHORT),
            ECSDBNClassifier(**SHORT, max_generations=20),
            make_pipeline(StandardScaler(), FixedCostClassifier(MLPClassifier(**SHORT))),
        ],
    ),
    "abalone19": (
        lambda: keel("abalone19"),
        [TunedCostClassifierCV(MLPClassifier(**SHORT), random_state=0)],
    ),
    "WISDM": (
        wisdm,
        [
            make_pipeline(
                StandardScaler(),
                TunedCostClassifierCV(MLPClassifier(**SHORT), refit="ensemble", random_state=0),
            )
        ],
    ),
    "watch": (watch, [FixedCostClassifier(CNN1DClassifier(**SHORT))]),
    "CIFAR-10": (
        cifar,
        [
            CNN2DClassifier(**SHORT, cost_matrix="inverse_frequency"),
            ResNetClassifier(**{**SHORT, "max_epochs": 2}, depth=20),
        ],
    ),
}


def title(estimator):
    """Names of the classes, from the outside in."""
    if hasattr(estimator, "steps"):
        return " | ".join(title(step) for _, step in estimator.steps)
    inner = getattr(estimator, "estimator", None)
    return type(estimator).__name__ + (f"({title(inner)})" if inner is not None else "")


def compare(data, estimator, X, folder):
    to_onnx(estimator, folder / "model.onnx")
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    kind = {"tensor(double)": np.float64, "tensor(float)": np.float32}[session.get_inputs()[0].type]
    X = np.asarray(X, dtype=kind)
    label, proba = session.run(None, {"X": X})
    return {
        "data": data,
        "estimator": title(estimator),
        "numbers": np.dtype(kind).name,
        "n_test": len(X),
        "largest_difference": f"{np.abs(proba - estimator.predict_proba(X)).max():.1e}",
        "other_labels": int((label != estimator.predict(X)).sum()),
        "mib": round((folder / "model.onnx").stat().st_size / 2**20, 2),
    }


def least_us(function, n_turns):
    seconds = []
    for _ in range(n_turns):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return round(1e6 * min(seconds))


def latencies(data, estimator, X, folder, n_turns):
    """Microseconds of one row."""
    save(estimator, folder / "model.skimbal")
    to_onnx(estimator, folder / "model.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(folder / "model.onnx", options)
    row = np.asarray(X[:1], dtype=np.float64)
    body = json.dumps(row[0].tolist())
    command = [sys.executable, str(ROOT / "examples" / "serve.py")]
    with subprocess.Popen(
        [*command, str(folder / "model.skimbal"), "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        address = server.stdout.readline().strip().removeprefix("http://")

        def ask():
            connection = HTTPConnection(address)
            connection.request("POST", "/", body)
            assert "label" in json.load(connection.getresponse())
            connection.close()

        ask()
        ways = {
            "predict_proba": lambda: estimator.predict_proba(row),
            "predict": lambda: estimator.predict(row),
            "onnxruntime": lambda: session.run(None, {"X": row}),
            "server": ask,
        }
        times = {f"{way}_us": least_us(function, n_turns) for way, function in ways.items()}
        server.terminate()
    return {"data": data, "estimator": title(estimator), **times}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=300)
    parser.add_argument("--out", type=Path, help="beginning of the names of two tables")
    options = parse_arguments(parser, globals(), CASES=first(CASES), turns=3)
    differences, times = [], []
    for data, (load, estimators) in CASES.items():
        X, X_test, y, _ = load()
        for estimator in estimators:
            estimator.fit(X, y)
            with tempfile.TemporaryDirectory() as folder:
                differences.append(compare(data, estimator, X_test, Path(folder)))
                if data == "yeast4":
                    times.append(latencies(data, estimator, X_test, Path(folder), options.turns))
    for name, rows in [("differences", differences), ("latencies", times)]:
        print(pd.DataFrame(rows).to_string(index=False))
        if options.out is not None:
            pd.DataFrame(rows).to_csv(f"{options.out}_{name}.csv", index=False)


if __name__ == "__main__":
    main()
