"""How far a call travels through the package: functions, depth and files of one fit.

    python tests/performance/journeys.py

Each call is made twice, and the second one is watched by `sys.setprofile`. Counted are the
distinct functions of the package (with lambdas and comprehensions), the largest number of its
frames on the stack, and the files. The last columns count how often scikit-learn validates X
together with y, and X alone (as a prediction does).
"""

import argparse
import os
import sys
import warnings
from functools import partial

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.utils import validation

import skimbal
from skimbal import (
    CNN1DClassifier,
    DESearchCV,
    ECSDBNClassifier,
    MLPClassifier,
    TunedCostClassifierCV,
)
from skimbal.model_selection import class_weight_space

PACKAGE = os.path.dirname(skimbal.__file__) + os.sep


class Journey:
    """What one call visits; call it as a profiler."""

    def __init__(self):
        self.functions, self.files = set(), set()
        self.depth = 0
        self.checks = {"check_X_y": 0, "check_array": 0}

    def __call__(self, frame, event, arg):
        if event != "call":
            return
        code = frame.f_code
        if code.co_filename.startswith(PACKAGE):
            self.functions.add((code.co_filename, code.co_qualname))
            self.files.add(code.co_filename)
            self.depth = max(self.depth, _depth(frame))
        elif code is validation.check_X_y.__code__:
            self.checks["check_X_y"] += 1
        elif code is validation.check_array.__code__ and _is_input(frame):
            self.checks["check_array"] += 1

    def row(self):
        """The columns of the table."""
        return {
            "functions": len(self.functions),
            "depth": self.depth,
            "files": len(self.files),
            "validations of X and y": self.checks["check_X_y"],
            "of X alone": self.checks["check_array"],
        }


def _depth(frame):
    depth = 0
    while frame is not None:
        depth += frame.f_code.co_filename.startswith(PACKAGE)
        frame = frame.f_back
    return depth


def _is_input(frame):
    """Whether `check_array` is given inputs, and not from within `check_X_y`."""
    is_array = getattr(frame.f_locals.get("array"), "ndim", 0) >= 2
    caller = frame.f_back
    return is_array and caller.f_code is not validation.check_X_y.__code__


def watch(call):
    """Make a call twice and return the journey of the second one."""
    call()
    journey = Journey()
    sys.setprofile(journey)
    try:
        call()
    finally:
        sys.setprofile(None)
    return journey


def calls():
    """Name -> call."""
    X, y = make_classification(200, weights=[0.8], random_state=0)
    rng = np.random.default_rng(0)
    signals, labels = rng.normal(size=(60, 2, 20)), np.arange(60) % 2
    short = {"max_epochs": 3, "random_state": 0}
    search = {"population_size": 10, "max_generations": 3, "cv": 3, "random_state": 0}
    weights = class_weight_space(y)
    rates = {"learning_rate": (1e-4, 1e-1, "log-uniform"), **weights}
    strengths = {"C": (1e-3, 1e3, "log-uniform"), **weights}
    return {
        "MLPClassifier.fit": lambda: MLPClassifier(**short).fit(X, y),
        "MLPClassifier.predict_proba": partial(MLPClassifier(**short).fit(X, y).predict_proba, X),
        "CNN1DClassifier.fit": lambda: CNN1DClassifier(**short).fit(signals, labels),
        "TunedCostClassifierCV.fit": lambda: TunedCostClassifierCV(MLPClassifier(**short)).fit(
            X, y
        ),
        "ECSDBNClassifier.fit": lambda: ECSDBNClassifier(
            pretrain_epochs=3, population_size=8, max_generations=5, **short
        ).fit(X, y),
        "DESearchCV.fit, MLP": lambda: DESearchCV(
            MLPClassifier(max_epochs=3), rates, scoring="g_mean", **search
        ).fit(X, y),
        "DESearchCV.fit, LogisticRegression": lambda: DESearchCV(
            LogisticRegression(), strengths, scoring="g_mean", **search
        ).fit(X, y),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", help="CSV file to write")
    parser.add_argument("--list", help="name of a call whose functions are listed")
    parser.add_argument("--tiny", action="store_true", help="the first call only")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    chosen = list(calls().items())[: 1 if arguments.tiny else None]
    journeys = {name: watch(call) for name, call in chosen}
    table = pd.DataFrame({name: journey.row() for name, journey in journeys.items()}).T
    print(table.to_string())
    if arguments.out:
        table.to_csv(arguments.out, index_label="call")
    if arguments.list:
        for file, function in sorted(journeys[arguments.list].functions):
            print(file.removeprefix(PACKAGE), function)


if __name__ == "__main__":
    main()
