"""Fits that get a real SIGINT; run by `test_interrupts.py` as a script, which prints JSON lines.

Each case fits an estimator in which the signal comes at a place that is counted, and tells what is
there afterwards. `python interrupted_fits.py first 0.3` sends it 0.3 s after the first fit begins.
"""

import json
import os
import signal
import sys
import tempfile
import threading
from collections import Counter
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from skorch.callbacks import Callback, EarlyStopping, TrainEndCheckpoint

from skimbal import (
    AdaBoostNetClassifier,
    BalancedBaggingNetClassifier,
    BayesSearchCV,
    CNN1DClassifier,
    DBNClassifier,
    DESearchCV,
    ECOEnsembleClassifier,
    ECSDBNClassifier,
    MLPClassifier,
    TunedCostClassifierCV,
    WindowedClassifier,
)
from skimbal.neural_network import fit_population

N = 80
rng = np.random.default_rng(0)
TARGET = np.arange(N) % 4 == 0
LABELS = np.where(TARGET, "rare", "usual")
TABLE = rng.normal(size=(N, 4)) + 1.5 * TARGET[:, None]
SIGNALS = rng.normal(size=(N, 1, 12)) + 1.5 * TARGET[:, None, None]
RECORDINGS = [rng.normal(size=(1, 60)) for _ in range(8)]
OF_RECORDINGS = np.array(["rare", "usual"] * 4)
N_EPOCHS = 40
SMALL = {"max_epochs": N_EPOCHS, "batch_size": 16, "learning_rate": 0.01, "random_state": 0}
STOPPING = {"early_stopping": True, "validation_fraction": 0.25, "n_iter_no_change": 100}


class Strike:
    """Sends SIGINT to this process, or its group, when it is called for the n-th time."""

    calls: Counter = Counter()

    def __init__(self, at, name="strike", *, to_group=False):
        self.at = at
        self.name = name
        self.to_group = to_group
        self.sent = Path(tempfile.mkdtemp()) / "sent"  # by one process only, and once

    def __call__(self, *args, **kwargs):
        self.calls[self.name] += 1
        if self.calls[self.name] != self.at:
            return 0.0
        try:
            os.close(os.open(self.sent, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return 0.0
        if self.to_group:  # as a terminal does it
            os.killpg(os.getpgrp(), signal.SIGINT)
        else:
            os.kill(os.getpid(), signal.SIGINT)
        return 0.0


class StrikingLoss(torch.nn.Module):
    """Cross entropy in which the signal comes: after the forward pass, before the gradients."""

    def __init__(self, strike):
        super().__init__()
        self.strike = strike

    def forward(self, logits, target):
        self.strike()
        return torch.nn.functional.cross_entropy(logits, target, reduction="none")


def striking(event, strike):
    """A callback of a class with one event, in which the signal comes."""
    return type("Striking", (Callback,), {event: lambda self, net, **kwargs: strike()})()


def mlp(**given):
    return MLPClassifier(hidden_layer_sizes=(6,), **{**SMALL, **given})


def cnn(**given):
    return CNN1DClassifier(n_filters=(4,), kernel_size=3, **{**SMALL, **given})


def in_batch(at=23, **given):
    """The settings with which the signal comes in the middle of a batch."""
    return {"loss": StrikingLoss(Strike(at, **given))}


def never_stops(**given):
    return EarlyStopping("train_loss", patience=1000, **given)


def ends_and_strikes():
    """skorch's early stopping, which ends the training while the signal comes."""
    return EarlyStopping("train_loss", patience=3, threshold=10.0, sink=Strike(1))


NETWORKS = {"mlp": (mlp, TABLE), "cnn": (cnn, SIGNALS)}
ON_NETWORKS = {
    "batch": in_batch,
    "batch, early stopping": lambda: {**in_batch(), **STOPPING},
    "batch, weights and mixup": lambda: {**in_batch(45), "mixup": 0.5, "class_weight": "balanced"},
    "validation": lambda: {"scoring": Strike(4), **STOPPING},
    "score of training data": lambda: {"scoring": Strike(4)},
    "epoch end": lambda: {"callbacks": [striking("on_epoch_end", Strike(4))]},
    "epoch end, early stopping": lambda: {
        "callbacks": [striking("on_epoch_end", Strike(4))],
        **STOPPING,
    },
    "epoch end before skorch's": lambda: {
        "callbacks": [striking("on_epoch_end", Strike(4)), never_stops()]
    },
    "epoch end after skorch's": lambda: {
        "callbacks": [never_stops(), striking("on_epoch_end", Strike(4))]
    },
    "while skorch's ends the training": lambda: {
        "callbacks": [ends_and_strikes()],
        "verbose": 1,  # it says that it stops
    },
    "epoch begin": lambda: {"callbacks": [striking("on_epoch_begin", Strike(4))]},
    "gradients": lambda: {"callbacks": [striking("on_grad_computed", Strike(18))]},
    "batch end": lambda: {"callbacks": [striking("on_batch_end", Strike(18))]},
}


def strike_in(place, at):
    """Let the signal come when a method of the engine returns for the n-th time."""
    kind, method = place.rsplit(".", 1)
    module, name = kind.rsplit(".", 1)
    kind = getattr(sys.modules[f"skimbal._training.{module}"], name)
    strike, call = Strike(at), getattr(kind, method)

    def and_strike(self, *args, **kwargs):
        result = call(self, *args, **kwargs)
        strike()
        return result

    return patch.object(kind, method, and_strike)


DENSE = "stacks.dense.DenseStack.compute_gradients"
FUNCTIONAL = "stacks.functional.FunctionalStack.compute_gradients"
SEQUENTIAL = "stacks.sequential.SequentialStack.compute_gradients"
MACHINES = "contrastive_divergence.ContrastiveDivergence.step"
SEARCH = {"scoring": "balanced_accuracy", "cv": 2, "random_state": 0}
# Estimator, its data, where the signal comes and at the how manieth call.
COMPOSITE = {
    "DBN, pre-training": (lambda: DBNClassifier(**SMALL), TABLE, MACHINES, 23),
    "DBN": (lambda: DBNClassifier(**SMALL), TABLE, DENSE, 23),
    "TunedCost of mlp": (lambda: TunedCostClassifierCV(mlp(), cv=3), TABLE, DENSE, 23),
    "TunedCost of cnn": (lambda: TunedCostClassifierCV(cnn(), cv=3), SIGNALS, SEQUENTIAL, 23),
    "TunedCost of stopping cnn": (
        lambda: TunedCostClassifierCV(cnn(**STOPPING), cv=3),
        SIGNALS,
        SEQUENTIAL,
        23,
    ),
    "TunedCost of many cnns": (
        lambda: TunedCostClassifierCV(cnn(), cv=5),
        SIGNALS,
        FUNCTIONAL,
        23,
    ),
    "ECSDBN, pre-training": (lambda: ECSDBNClassifier(**SMALL, cost_cv=3), TABLE, MACHINES, 23),
    "ECSDBN": (
        lambda: ECSDBNClassifier(**SMALL, cost_cv=3, pretrain_epochs=1),
        TABLE,
        DENSE,
        23,
    ),
    "bagging": (
        lambda: BalancedBaggingNetClassifier(mlp(), n_estimators=3, random_state=0),
        TABLE,
        DENSE,
        23,
    ),
    "bagging of cnns": (
        lambda: BalancedBaggingNetClassifier(cnn(), n_estimators=3, random_state=0),
        SIGNALS,
        SEQUENTIAL,
        23,
    ),
    "AdaBoost": (
        lambda: AdaBoostNetClassifier(mlp(max_epochs=3), n_estimators=5, random_state=0),
        TABLE,
        DENSE,
        23,
    ),
    "ECO": (
        lambda: ECOEnsembleClassifier(mlp(max_epochs=2), random_state=0),
        TABLE,
        DENSE,
        23,
    ),
    "DESearchCV": (
        lambda: DESearchCV(
            mlp(), {"learning_rate": (1e-3, 1e-1)}, population_size=4, max_generations=3, **SEARCH
        ),
        TABLE,
        DENSE,
        23,
    ),
    "BayesSearchCV": (
        lambda: BayesSearchCV(
            cnn(), {"learning_rate": (1e-3, 1e-1)}, n_iter=6, n_initial_points=3, **SEARCH
        ),
        SIGNALS,
        SEQUENTIAL,
        23,
    ),
    "WindowedClassifier": (
        lambda: WindowedClassifier(cnn(), size=12, step=4),
        RECORDINGS,
        SEQUENTIAL,
        23,
    ),
    "WindowedClassifier of a stopping cnn": (
        lambda: WindowedClassifier(cnn(**STOPPING), size=12, step=4),
        RECORDINGS,
        SEQUENTIAL,
        23,
    ),
}


def in_worker():
    """Settings with which the signal goes to the group of processes from a worker."""
    return in_batch(40, to_group=True)


IN_WORKERS = {
    "population": lambda: partial(fit_population, [cnn(**in_worker())] * 4, n_jobs=2),
    "TunedCost": lambda: TunedCostClassifierCV(cnn(**in_worker()), cv=3, n_jobs=2).fit,
    "DESearchCV": lambda: (
        DESearchCV(
            cnn(**in_worker()),
            {"learning_rate": (1e-3, 1e-1)},
            n_jobs=2,
            population_size=4,
            **SEARCH,
        ).fit
    ),
}


def outcome_of(fit, estimator=None, X=None):
    """Run a fit; tell how it ended and what is there."""
    Strike.calls.clear()
    try:
        fit()
    except KeyboardInterrupt:
        told = {"ended_by": "interrupt"}
    except BaseException as error:
        told = {"ended_by": repr(error)}
    else:
        told = {"ended_by": "itself"}
    if not isinstance(estimator, MLPClassifier | CNN1DClassifier | DBNClassifier):
        return told
    told["is_fitted"] = hasattr(estimator, "history_")
    if told["is_fitted"]:
        history = estimator.history_
        told |= {
            "epochs": history.epoch.tolist(),
            "n_iter": estimator.n_iter_,
            "n_nan": int(history.isna().sum().sum()),
            "n_in_net": len(estimator.net_.history),
            "n_best": int(history.is_best.sum()),
            "is_training": estimator.net_.module_.training,
            "proba_sums": bool(np.allclose(estimator.predict_proba(X).sum(axis=1), 1)),
        }
    return told


def fit_stream(network, X):
    for _ in range(N_EPOCHS):
        network.partial_fit(X, LABELS, classes=np.unique(LABELS))


def run_networks():
    for name, (make, X) in NETWORKS.items():
        for place, settings in ON_NETWORKS.items():
            network = make(**settings())
            tell(f"{name}: {place}", outcome_of(partial(network.fit, X, LABELS), network, X))
        folder = tempfile.mkdtemp()
        early = make(**in_batch(6), callbacks=[TrainEndCheckpoint(dirname=folder)])
        tell(f"{name}: first epoch", outcome_of(partial(early.fit, X, LABELS), early, X))
        stream = make(**in_batch(29))
        tell(f"{name}: stream", outcome_of(partial(fit_stream, stream, X), stream, X))


def run_composite():
    for name, (make, X, place, at) in COMPOSITE.items():
        estimator = make()
        y = OF_RECORDINGS if X is RECORDINGS else LABELS
        with strike_in(place, at):
            tell(name, outcome_of(partial(estimator.fit, X, y), estimator, X))


def run_here():
    run_networks()
    run_composite()
    network = mlp(max_epochs=2).fit(TABLE, LABELS)
    tell("afterwards", {"n_iter": network.n_iter_})


def run_workers():
    for name, make in IN_WORKERS.items():
        tell(name, outcome_of(partial(make(), X=SIGNALS, y=LABELS)))


def run_first(delay):
    """The first fit of the process is interrupted after some seconds; the next one works."""
    network = mlp(max_epochs=100_000)
    timer = threading.Timer(float(delay), os.kill, (os.getpid(), signal.SIGINT))

    def fit():
        timer.start()
        network.fit(TABLE, LABELS)

    told = outcome_of(fit)
    network.set_params(max_epochs=2).fit(TABLE, LABELS)
    tell("first", told | {"n_iter": network.n_iter_})


def tell(name, outcome):
    print(json.dumps({"name": name, **outcome}), flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    command, *arguments = sys.argv[1:]
    {
        "here": run_here,
        "workers": run_workers,
        "first": run_first,
    }[command](*arguments)
