"""A small suite and methods for the runner's tests; as a script, a runner of its own.

``python toy.py OUT JOBS FOLDER [METHOD ...]`` runs them. FOLDER is where the "counted" method
leaves a file for each fit, and where the "killer" leaves its mark.
"""

import os
import signal
import sys
import time
import uuid
import warnings
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from skimbal._fitting import Fit, run_fit
from skimbal.benchmark import Method, Suite, run_benchmark

# Columns of a cell that differ from run to run.
MEASURED = ["fit_seconds", "fit_cpu_seconds", "predict_seconds", "fit_mib", "finished"]
SIZES = {"small": (30, 8), "middle": (50, 10), "large": (90, 12)}


def load_toy(name):
    """Two overlapping normal classes, 'no' and the rarer 'yes', in three dimensions."""
    n_majority, n_minority = SIZES[name]
    random = np.random.default_rng(len(name))
    X = random.normal(size=(n_majority + n_minority, 3))
    X[n_majority:] += 1.5
    return X, np.repeat(["no", "yes"], [n_majority, n_minority])


def load_toy_fold(name, fold):
    """Published folds: every fifth row, counted from the fold's number."""
    X, y = load_toy(name)
    test = np.arange(len(y)) % 5 == fold - 1
    return X[~test], X[test], y[~test], y[test]


def folds_of_toy(name):
    """No folds for "small", and the first fold of "middle" is unusable."""
    return {"small": (), "middle": (2, 3, 4, 5), "large": (1, 2, 3, 4, 5)}[name]


SUITE = Suite("toy", tuple(SIZES), load_toy, load_toy_fold, folds_of_toy)


def load_windows(name):
    """Windows of two channels, of which 'yes' has the wider ones."""
    random = np.random.default_rng(0)
    y = np.repeat(["no", "yes"], [24, 12])
    return random.normal(size=(36, 2, 10)) * (1 + (y == "yes"))[:, None, None], y


def persons(name):
    """Six persons, each with windows of both classes."""
    return np.arange(36) % 6


WINDOWS = Suite("windows", ("watch",), load_windows, load_groups=persons)


class FailingClassifier(LogisticRegression):
    def fit(self, X, y):
        raise ArithmeticError(f"cannot fit {len(y)} samples")


class WarningClassifier(LogisticRegression):
    def fit(self, X, y):
        for _ in range(1000):
            warnings.warn("the same thing over and over", RuntimeWarning, stacklevel=1)
        return super().fit(X, y)


class CountedClassifier(LogisticRegression):
    """Leaves a file for each fit."""

    def __init__(self, folder=None):
        super().__init__()
        self.folder = folder

    def fit(self, X, y):
        (Path(self.folder) / f"fit-{uuid.uuid4().hex}").touch()
        return super().fit(X, y)


class KillerClassifier(CountedClassifier):
    """In its third fit, once, kills the runner and its own worker as ``kill -9`` does."""

    def fit(self, X, y):
        mark = Path(self.folder) / "killed"
        super().fit(X, y)
        if len(list(Path(self.folder).glob("fit-*"))) >= 3 and not mark.exists():
            mark.touch()
            os.kill(os.getppid(), signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)
        return self


class DyingClassifier(CountedClassifier):
    """Ends its own process in one fold of the middle set, in a way that no one can catch."""

    def __init__(self, folder=None, how="signal"):
        super().__init__(folder)
        self.how = how

    def fit(self, X, y):
        super().fit(X, y)
        if np.isclose(X.sum(), DEADLY_SUM):
            if self.how == "signal":
                os.kill(os.getpid(), signal.SIGSEGV)
            os._exit(0)
        return self


class RaisingClassifier(LogisticRegression):
    """Raises what ends a process that does not catch it, in `fit` or in `predict`."""

    def __init__(self, error=SystemExit, where="fit"):
        super().__init__()
        self.error = error
        self.where = where

    def fit(self, X, y):
        if self.where == "fit":
            raise self.error(3)
        return super().fit(X, y)

    def predict(self, X):
        if self.where == "predict":
            raise self.error(3)
        return super().predict(X)


class SleepingNetwork(ClassifierMixin, BaseEstimator):
    """Trained together with others of its kind; each fit leaves a mark and takes some seconds."""

    def __init__(self, folder=None, seconds=1, is_deadly=False):
        self.folder = folder
        self.seconds = seconds
        self.is_deadly = is_deadly

    def fit(self, X, y):
        return run_fit(self._fit_coroutine(X, y))

    def _fit_coroutine(self, X, y):
        (Path(self.folder) / f"fit-{uuid.uuid4().hex}").touch()
        (network,) = yield [Fit(DummyClassifier(), X, y)]
        time.sleep(self.seconds)
        if self.is_deadly and np.isclose(X.sum(), DEADLY_SUM):
            os._exit(0)
        self.classes_ = network.classes_
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


# The sum of the third published training fold of "middle".
DEADLY_SUM = load_toy_fold("middle", 3)[0].sum()


def make_forest(seed):
    return RandomForestClassifier(5, random_state=seed)


def make_classifier(classifier_class, seed):
    return classifier_class()


def make_in_folder(classifier_class, folder, seed):
    return classifier_class(folder=str(folder))


def make_sleeper(folder, name, seed):
    return SleepingNetwork(str(folder), seconds=float(name.rpartition("-")[2]))


def make_dying(folder, how, seed):
    return DyingClassifier(folder, how)


def make_deadly_network(folder, seed):
    return SleepingNetwork(folder, seconds=0, is_deadly=True)


def methods(names, folder=None):
    """Methods of these names; the names say what they do, and for how many seconds."""
    makers = {
        "forest": make_forest,
        "logistic": partial(make_classifier, LogisticRegression),
        "failing": partial(make_classifier, FailingClassifier),
        "warning": partial(make_classifier, WarningClassifier),
        "counted": partial(make_in_folder, CountedClassifier, folder),
        "killer": partial(make_in_folder, KillerClassifier, folder),
        **{name: partial(make_sleeper, folder, name) for name in names if "sleeping" in name},
    }
    return [Method(name, f"a {name} classifier", makers[name]) for name in names]


def run_toy(out, names=("forest", "logistic"), *, folder=None, **options):
    """Run the toy suite with 3 folds and 2 trials."""
    options = {"n_folds": 3, "n_trials": 2, **options}
    return run_benchmark(SUITE, methods(names, folder), out=out, **options)


if __name__ == "__main__":
    run_toy(sys.argv[1], sys.argv[4:], folder=sys.argv[3], n_jobs=int(sys.argv[2]))
