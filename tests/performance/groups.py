"""What held-out scores are worth if the samples of one group are on both sides.

Labels are coin flips by group, so that no score of a new group can be above chance, 0.5. Each
method that holds samples out reports its score with and without groups: the mean over the epochs
of early stopping, the out-of-bag score and the score of the best costs. The second table compares
epochs of weighted networks that are chosen by the weighted loss and by the loss without weights.

    python tests/performance/groups.py --out docs/results
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _tiny import first, parse_arguments
from sklearn.base import clone
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skimbal import (
    BalancedBaggingNetClassifier,
    ECSDBNClassifier,
    MLPClassifier,
    TunedCostClassifierCV,
)
from skimbal.preprocessing import Spectrogram, flatten, index_windows

N_GROUPS = 60
N_EVENTS = 3000
SCORE = {"scoring": "balanced_accuracy"}
SMALL = {"hidden_layer_sizes": (48,), "max_epochs": 60, "learning_rate": 0.01}
NETWORK = MLPClassifier(**SMALL)
WATCHED = MLPClassifier(**SMALL, **SCORE, validation_fraction=0.3, n_iter_no_change=60)
METHODS = {
    "early stopping": clone(WATCHED).set_params(early_stopping=True),
    "dynamic sampler": clone(WATCHED).set_params(sampler="dynamic"),
    "bags": BalancedBaggingNetClassifier(NETWORK, **SCORE, encoding=None),
    "tuned costs": TunedCostClassifierCV(NETWORK, **SCORE),
    "ECS-DBN": ECSDBNClassifier(hidden_layer_sizes=(48,), **SCORE, learning_rate=0.02),
}


def patients(rng, n_groups):
    """Eight visits a patient, close to each other; bare networks take them."""
    centers = rng.normal(size=(n_groups, 6))
    groups = np.repeat(np.arange(n_groups), 8)
    return centers[groups] + 0.1 * rng.normal(size=(len(groups), 6)), groups


def recordings(rng, n_groups):
    """Overlapping windows of recordings of three tones each; networks take spectrograms."""
    t = np.arange(2000)
    tones = np.sin(2 * np.pi * rng.uniform(0.02, 0.45, size=(n_groups, 3, 1)) * t).sum(axis=1)
    signals = (tones + 0.3 * rng.normal(size=tones.shape))[:, None]
    windows = index_windows(signals, size=256, step=128)
    return np.asarray(windows), windows.recording


DATA = {
    "patients": (patients, lambda method: method),
    "patients, pipeline": (patients, lambda method: make_pipeline(StandardScaler(), method)),
    "recordings, pipeline": (
        recordings,
        lambda method: make_pipeline(
            Spectrogram(window=64, hop=64), FunctionTransformer(flatten), method
        ),
    ),
}


def held_out_score(method):
    """The score that a fitted method reports for what it has held out."""
    if hasattr(method, "history_"):
        return method.history_.valid_score.iloc[5:].mean()
    return method.oob_score_ if hasattr(method, "oob_score_") else method.best_score_


def scores_of_groups(seed):
    """Yield the scores of each method, with and without groups, and of new groups."""
    for data, (make, wrap) in DATA.items():
        rng = np.random.default_rng(seed)
        X, groups = make(rng, N_GROUPS)
        X_new, new_groups = make(rng, N_GROUPS)
        labels = rng.permutation(np.arange(N_GROUPS) % 2)
        for name, method in METHODS.items():
            model = wrap(clone(method).set_params(random_state=seed))
            is_pipeline = model.__class__.__name__ == "Pipeline"
            key = f"{model.steps[-1][0]}__groups" if is_pipeline else "groups"
            for column, given in (("split by sample", {}), ("split by group", {key: groups})):
                fitted = clone(model).fit(X, labels[groups], **given)
                last = fitted[-1] if is_pipeline else fitted
                yield data, name, column, held_out_score(last)
            score = balanced_accuracy_score(labels[new_groups], fitted.predict(X_new))
            yield data, name, "new groups", score


def rare_events(rng, n):
    """Return a table of 30 features, four of which move a rare event's probability."""
    X = rng.normal(size=(n, 30))
    proba = 1 / (1 + np.exp(-(0.45 * X[:, :4].sum(axis=1) - 3.0)))
    return X, (rng.random(n) < proba).astype(int)


def scores_of_epochs(seed):
    """Yield the area under the curve of the epochs that the two losses choose."""
    rng = np.random.default_rng(seed)
    (X, y), (X_test, y_test) = rare_events(rng, N_EVENTS), rare_events(rng, 4000)
    for row, scoring in (("weighted loss", None), ("loss without weights", "neg_log_loss")):
        network = MLPClassifier(
            hidden_layer_sizes=(64, 64),
            class_weight="balanced",
            early_stopping=True,
            validation_fraction=0.25,
            n_iter_no_change=12,
            max_epochs=12,
            batch_size=32,
            learning_rate=0.003,
            scoring=scoring,
            random_state=seed,
        ).fit(X, y)
        best = network.history_.epoch[network.history_.is_best].iloc[0]
        yield row, best, roc_auc_score(y_test, network.predict_proba(X_test)[:, 1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parse_arguments(
        parser, globals(), METHODS=first(METHODS, 2), N_GROUPS=12, N_EVENTS=400, seeds=1
    )
    torch.set_num_threads(1)
    seeds = range(arguments.seeds)
    scores = pd.DataFrame(
        [row for seed in seeds for row in scores_of_groups(seed)],
        columns=["data", "method", "column", "score"],
    )
    table = scores.groupby(["data", "method", "column"], sort=False).score.mean()
    table = table.unstack("column").loc[[*DATA]].round(2)
    table = table[["split by sample", "split by group", "new groups"]]
    table.to_csv(arguments.out / "groups.csv")
    print(table.to_string())
    epochs = pd.DataFrame(
        [row for seed in seeds for row in scores_of_epochs(seed)],
        columns=["epoch chosen by", "best epoch", "test AUC"],
    )
    epochs = epochs.groupby("epoch chosen by", sort=False).mean().round(3)
    epochs.to_csv(arguments.out / "groups_epochs.csv")
    print(epochs.to_string())


if __name__ == "__main__":
    main()
