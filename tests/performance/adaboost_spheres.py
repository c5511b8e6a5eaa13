"""AdaBoost of convolutional networks on nested spheres, beside one network of as many epochs.

Data, network, optimizer, batches and learning rate are those of `iwce_spheres.py` (800, 400 and
1,000 samples to train, 10,000 to test). A seed is a draw of the data and of the networks. The
ensembles have 10 networks of 10 epochs, so 100 epochs in all like the network that they are
compared with.

    python tests/performance/adaboost_spheres.py --out docs/results/adaboost_spheres.csv
"""

import argparse
from pathlib import Path
from time import process_time

import pandas as pd
import torch
from _comparison import mean_and_sd
from _tiny import parse_arguments
from imblearn.over_sampling import SMOTE
from imblearn.under_sampling import RandomUnderSampler

from skimbal import AdaBoostNetClassifier, CNN1DClassifier
from skimbal.datasets import make_nested_spheres
from skimbal.metrics import balanced_accuracy, macro_f1
from skimbal.neural_network import CNN_PRESETS

N_NETWORKS = 10
ENSEMBLES = {
    "AdaBoost-CNN": {},
    "AdaBoost-CNN, constant learning rate": {"learning_rate_schedule": None},
    "AdaBoost, new initial weights": {"transfer": False},
    "SMOTEBoost, starting from the one before": {"sampler": SMOTE()},
    "RUSBoost, starting from the one before": {"sampler": RandomUnderSampler()},
}


def make_network(n_epochs, seed=None, **params):
    return CNN1DClassifier(**CNN_PRESETS["nested-spheres"] | params).set_params(
        learning_rate=0.03, batch_size=64, max_epochs=n_epochs, random_state=seed
    )


def make_models(n_epochs, seed):
    """Classifiers by the names of the rows; each trains for `n_epochs` in all."""
    models = {
        "one network": make_network(n_epochs, seed),
        "one network, constant learning rate": make_network(
            n_epochs, seed, learning_rate_schedule=None
        ),
    }
    for name, given in ENSEMBLES.items():
        boosting = dict(given)
        network = {k: boosting.pop(k) for k in ["learning_rate_schedule"] if k in boosting}
        models[name] = AdaBoostNetClassifier(
            make_network(n_epochs // N_NETWORKS, **network),
            n_estimators=N_NETWORKS,
            random_state=seed,
            **boosting,
        )
    return models


def evaluate(model, seed):
    X, X_test, y, y_test = make_nested_spheres(random_state=seed, return_X_y=True)
    started = process_time()
    model.fit(X, y)
    seconds = process_time() - started
    predicted = model.predict(X_test)
    return {
        "networks": len(getattr(model, "estimators_", [model])),
        "training accuracy": balanced_accuracy(y, model.predict(X)),
        "balanced accuracy": balanced_accuracy(y_test, predicted),
        "macro F1": macro_f1(y_test, predicted),
        "fit, s": seconds,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=100)
    arguments = parse_arguments(parser, globals(), N_NETWORKS=2, seeds=2, epochs=4)
    torch.set_num_threads(1)
    rows = []
    for seed in range(arguments.seeds):
        for name, model in make_models(arguments.epochs, seed).items():
            rows.append({"method": name, "seed": seed, **evaluate(model, seed)})
            print(rows[-1], flush=True)
    table = pd.DataFrame(rows).groupby("method", sort=False)
    result = pd.DataFrame(
        {
            "networks": table["networks"].mean().round(1),
            **{
                f"{score} %": table[score].apply(mean_and_sd)
                for score in ("training accuracy", "balanced accuracy", "macro F1")
            },
            "fit, s": table["fit, s"].mean().round(1),
        }
    )
    result.to_csv(arguments.out)
    print(result.to_string())


if __name__ == "__main__":
    main()
