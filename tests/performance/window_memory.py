"""Memory that training on the windows of a long signal takes, beside the signal itself.

A signal of one channel in single precision, and windows of 5,000 samples at a step of 2,500, which
as an array would be twice the signal; a small network, one epoch, then predictions. The peak of the
process above what it has before the fit, when the network has been tried on a short signal.

    python tests/performance/window_memory.py --gigabytes 1 --out docs/results/window_memory.csv
"""

import argparse

import numpy as np
import pandas as pd
import torch
from _tiny import parse_arguments
from population_speed import peak_kilobytes

from skimbal import CNN1DClassifier, WindowedClassifier

SIZE, STEP = 5000, 2500


def classifier():
    network = CNN1DClassifier(
        n_filters=(4,), kernel_size=9, pool_size=8, max_epochs=1, random_state=0
    )
    return WindowedClassifier(network, size=SIZE, step=STEP)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--out", required=True)
    arguments = parse_arguments(parser, globals(), gigabytes=0.02)
    torch.set_num_threads(1)
    n_samples = int(arguments.gigabytes * 2**30 / 4 / 2)
    rng = np.random.default_rng(0)
    recordings = [rng.standard_normal((1, n_samples), dtype=np.float32) for _ in range(2)]
    short = [recording[:, :1_000_000] for recording in recordings]
    classifier().fit(short, ["one", "two"]).predict(short)
    before = peak_kilobytes() / 1024
    fitted = classifier().fit(recordings, ["one", "two"])
    after_fit = peak_kilobytes() / 1024
    fitted.predict(recordings)
    table = pd.DataFrame(
        [
            ("signal", sum(r.nbytes for r in recordings) / 2**20),
            ("its windows as an array", 2 * sum(r.nbytes for r in recordings) / 2**20),
            ("fit takes", after_fit - before),
            ("fit and predict take", peak_kilobytes() / 1024 - before),
        ],
        columns=["what", "megabytes"],
    )
    table.round(0).to_csv(arguments.out, index=False)
    print(table.round(0).to_string(index=False))


if __name__ == "__main__":
    main()
