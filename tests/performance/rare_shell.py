"""Over-sampling and embeddings for a rare shell of nested spheres, beside the plain network.

Three shells in five dimensions; the middle one has 30 training samples, the others 300 each. The
test set has 3,000 samples, 1,000 of each shell. A seed is a draw of the data and of the networks.

    python tests/performance/rare_shell.py --out docs/results
"""

import argparse
from pathlib import Path
from time import process_time

import pandas as pd
import torch
from _comparison import mean_and_sd
from _tiny import parse_arguments
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from sklearn.base import clone

from skimbal import MLPClassifier
from skimbal.datasets import make_nested_spheres
from skimbal.ensemble import DeepOversamplingClassifier, LMLEClassifier
from skimbal.metrics import balanced_accuracy, g_mean
from skimbal.sampling import ConditionalGANSampler, ConditionalVAESampler

CLASS_COUNTS = (300, 30, 300)
N_FEATURES = 5
N_EPOCHS = 100


def make_models(seed):
    """Classifiers by the name of the table and of the row."""
    network = MLPClassifier(hidden_layer_sizes=(32, 16), max_epochs=N_EPOCHS, random_state=seed)
    generative = {"max_epochs": 3 * N_EPOCHS, "random_state": seed}
    plain = {
        "plain network": network,
        "balanced class weights": clone(network).set_params(class_weight="balanced"),
    }
    samplers = {
        "SMOTE": SMOTE(random_state=seed),
        "ConditionalVAESampler": ConditionalVAESampler(**generative),
        "ConditionalGANSampler": ConditionalGANSampler(**generative),
    }
    return {
        "samplers": plain
        | {name: make_pipeline(sampler, network) for name, sampler in samplers.items()},
        "embeddings": plain
        | {
            f"DeepOversamplingClassifier, clustering={clustering:g}": DeepOversamplingClassifier(
                network, clustering=clustering, random_state=seed
            )
            for clustering in (0.1, 1.0, 10.0, 100.0)
        }
        | {
            f"LMLEClassifier, cluster_size={cluster_size}": LMLEClassifier(
                network, cluster_size=cluster_size, random_state=seed
            )
            for cluster_size in (10, 20)
        },
    }


def evaluate(model, seed):
    X, X_test, y, y_test = make_nested_spheres(
        CLASS_COUNTS, n_features=N_FEATURES, n_test=3000, random_state=seed, return_X_y=True
    )
    started = process_time()
    model.fit(X, y)
    seconds = process_time() - started
    predicted = model.predict(X_test)
    return {
        "balanced accuracy": balanced_accuracy(y_test, predicted),
        "G-mean": g_mean(y_test, predicted),
        "recall of the rare shell": (predicted[y_test == 1] == 1).mean(),
        "fit, s": seconds,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--seeds", type=int, default=2)
    arguments = parse_arguments(parser, globals(), N_EPOCHS=2, seeds=2)
    torch.set_num_threads(1)
    cells = [
        {"table": table, "method": name, **evaluate(model, seed)}
        for seed in range(arguments.seeds)
        for table, models in make_models(seed).items()
        for name, model in models.items()
    ]
    arguments.out.mkdir(exist_ok=True)
    for name, rows in pd.DataFrame(cells).groupby("table", sort=False):
        methods = rows.groupby("method", sort=False)
        scores = ("balanced accuracy", "G-mean", "recall of the rare shell")
        result = pd.DataFrame(
            {
                **{f"{score} %": methods[score].apply(mean_and_sd) for score in scores},
                "fit, s": methods["fit, s"].mean().round(1),
            }
        )
        result.to_csv(arguments.out / f"rare_shell_{name}.csv")
        print(result.to_string())


if __name__ == "__main__":
    main()
