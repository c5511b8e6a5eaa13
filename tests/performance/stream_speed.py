"""Processor time of a stream of blocks, and of the whole recording at once.

A signal of one channel at 16 kHz in single precision, in windows of half a second at a step of a
quarter of a second. The stream takes it in blocks of 20 ms, which complete one window at most, and
in blocks of 8 s. "copies only" is a stream whose classifier returns zeros. The probabilities are
compared.

    python tests/performance/stream_speed.py --out docs/results/stream_speed.csv
"""

import argparse
import time

import numpy as np
import pandas as pd
import torch
from _tiny import parse_arguments
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.pipeline import make_pipeline

from skimbal import CNN1DClassifier, MLPClassifier, WindowedClassifier
from skimbal.preprocessing import Spectrogram

RATE_HZ = 16_000
BLOCKS_S = (0.02, 8.0)


class Zeros(ClassifierMixin, BaseEstimator):
    """Predicts without looking."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.zeros((len(X), len(self.classes_)))


DENSE = MLPClassifier(hidden_layer_sizes=(32,), max_epochs=2, random_state=0)
ESTIMATORS = {  # name: estimator, minutes of the signal
    "copies only": (Zeros(), 60),
    "spectrogram and dense network": (make_pipeline(Spectrogram(512, 256), DENSE), 60),
    "convolution": (CNN1DClassifier(n_filters=(8,), max_epochs=1, random_state=0), 6),
}


def timed(function, *arguments):
    start = time.process_time()
    result = function(*arguments)
    return result, time.process_time() - start


def feed_all(stream, signal, size):
    return np.concatenate(
        [stream.feed(signal[:, first : first + size]) for first in range(0, signal.shape[1], size)]
    )


def noise(rng, seconds):
    return rng.standard_normal((1, int(seconds * RATE_HZ)), dtype=np.float32)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="factor of the length")
    parser.add_argument("--out", required=True)
    arguments = parse_arguments(parser, globals(), scale=0.005)
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    recordings, y = [noise(rng, 2) * (1 + k % 2) for k in range(16)], np.arange(16) % 2
    rows = []
    for name, (estimator, minutes) in ESTIMATORS.items():
        model = WindowedClassifier(estimator, size=RATE_HZ // 2, step=RATE_HZ // 4)
        model.fit(recordings, y)
        signal = noise(rng, arguments.scale * minutes * 60)
        (whole,), seconds = timed(model.predict_proba_windows, [signal])
        row = {"estimator": name, "minutes": minutes, "windows": len(whole), "at_once_s": seconds}
        for block_s in BLOCKS_S:
            proba, seconds = timed(feed_all, model.stream(), signal, int(block_s * RATE_HZ))
            np.testing.assert_allclose(proba, whole, rtol=0, atol=1e-12)
            row[f"blocks_of_{block_s:g}_s"] = seconds
        rows.append(row)
        print(row, flush=True)
    pd.DataFrame(rows).round(1).to_csv(arguments.out, index=False)


if __name__ == "__main__":
    main()
