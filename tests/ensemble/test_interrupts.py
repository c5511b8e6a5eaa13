"""A user's interrupt in the middle of a training, of what fits networks for costs and in bags."""

import subprocess
import sys

import pytest

SCRIPT = """
import os
import signal
import threading

import numpy as np
from sklearn.datasets import make_classification

from skimbal import *

EPOCHS = []


def interrupt_soon(epoch, n_epochs):
    '''A schedule whose tenth call makes another thread send the signal, while batches train.'''
    EPOCHS.append(epoch)
    if len(EPOCHS) == 10:
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
    return 1.0


X, y = make_classification(200, 8, weights=[0.8], random_state=0)
long = {"max_epochs": 10**6, "learning_rate_schedule": interrupt_soon}
SMALL = {"hidden_layer_sizes": (6,)}
for estimator in [
    TunedCostClassifierCV(MLPClassifier(**SMALL), cv=3),
    ECSDBNClassifier(**SMALL, pretrain_epochs=2, cost_cv=3),
    BalancedBaggingNetClassifier(MLPClassifier(**SMALL), n_estimators=4),
    AdaBoostNetClassifier(MLPClassifier(**SMALL), n_estimators=3),
    ECOEnsembleClassifier(MLPClassifier(**SMALL), max_generations=2),
]:
    EPOCHS.clear()
    prefix = "estimator__" if hasattr(estimator, "estimator") else ""
    estimator.set_params(**{prefix + "max_epochs": 2, "random_state": 0}).fit(X, y)
    before = {name: value for name, value in vars(estimator).items() if name.endswith("_")}
    assert "costs_" in before or "estimators_" in before
    estimator.set_params(**{prefix + name: value for name, value in long.items()})
    try:
        estimator.fit(X, y)
    except KeyboardInterrupt:
        assert len(EPOCHS) >= 10
        after = {name: value for name, value in vars(estimator).items() if name.endswith("_")}
        assert after.keys() == before.keys()
        assert all(after[name] is before[name] for name in before)
        print(type(estimator).__name__)
"""


@pytest.mark.slow
def test_an_interrupt_gets_out_and_leaves_the_earlier_fit():
    child = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=600, check=False
    )
    assert child.stdout.split() == [
        "TunedCostClassifierCV",
        "ECSDBNClassifier",
        "BalancedBaggingNetClassifier",
        "AdaBoostNetClassifier",
        "ECOEnsembleClassifier",
    ], child.stderr
