"""The loop of a search: budgets, reasons to end, interrupts and resuming."""

import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVC

from skimbal import DESearchCV, MLPClassifier

C_SPACE = {"C": (0.001, 100.0, "log-uniform")}
SMALL = {"population_size": 4, "max_generations": 3, "cv": 3, "random_state": 0}
NETWORK = MLPClassifier(hidden_layer_sizes=(6,), max_epochs=4)


def test_same_seed_same_search(data, rows):
    X, y = data
    search = DESearchCV(NETWORK, {"learning_rate": (0.001, 0.1)}, **SMALL)
    first, second = clone(search).fit(X, y), clone(search).fit(X, y)
    assert rows(first) == rows(second)
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))
    other = clone(search).set_params(random_state=1).fit(X, y)
    assert rows(first) != rows(other)
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(first)).predict_proba(X), first.predict_proba(X)
    )


@pytest.mark.slow
def test_results_do_not_depend_on_n_jobs(data, rows):
    X, y = data
    space = {"last": [NETWORK, LogisticRegression()], "last__class_weight": ["balanced", None]}
    one = DESearchCV(Pipeline([("last", LinearSVC())]), space, **SMALL).fit(X, y)
    two = clone(one).set_params(n_jobs=2).fit(X, y)
    assert str(rows(one)) == str(rows(two))
    assert {type(params["last"]) for params in one.cv_results_["params"]} == {
        MLPClassifier,
        LogisticRegression,
    }
    np.testing.assert_array_equal(one.predict(X), two.predict(X))


def test_categories_may_be_dicts_and_lists(data):
    X, y = data
    space = {
        "class_weight": [None, "balanced", {0: 1, 1: 2, 2: 9}],
        "hidden_layer_sizes": [(4,), [4, 4]],
    }
    search = DESearchCV(NETWORK, space, population_size=60, cv=2, random_state=0).fit(X, y)
    assert search.stopping_reason_ == "exhausted"
    assert len(search.cv_results_["params"]) == 6
    assert search.n_repeated_ > 0


def test_patience_and_target_and_callbacks(data):
    search = DESearchCV(LogisticRegression(), C_SPACE, **SMALL | {"max_generations": 50})
    patient = clone(search).set_params(patience=2).fit(*data)
    assert patient.stopping_reason_ == "patience"
    best = [
        patient.cv_results_["mean_test_score"][patient.cv_results_["batch"] <= batch].max()
        for batch in np.unique(patient.cv_results_["batch"])
    ]
    assert best[-1] == best[-3]
    reached = clone(search).set_params(target_score=0.5).fit(*data)
    assert reached.stopping_reason_ == "target"
    assert set(reached.cv_results_["batch"]) == {0}
    seen = []

    def stop_after_two(search):
        seen.append((len(search.cv_results_["params"]), search.best_score_))
        return len(seen) == 2

    called = clone(search).set_params(callbacks=[stop_after_two]).fit(*data)
    assert called.stopping_reason_ == "callback"
    assert [n for n, _ in seen] == [4, 8]
    assert called.best_score_ == seen[-1][1]


class Slow(LogisticRegression):
    """Takes its time."""

    def fit(self, X, y, sample_weight=None):
        time.sleep(0.05)
        return super().fit(X, y, sample_weight)


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_time_budget_keeps_what_was_done(n_jobs, data):
    search = DESearchCV(
        Slow(), C_SPACE, cv=2, n_jobs=n_jobs, max_generations=1000, time_budget_s=0.2
    )
    with parallel_config(backend="threading"):
        search.fit(*data)
    assert search.stopping_reason_ == "time"
    assert 1 <= len(search.cv_results_["params"]) < 100
    assert search.best_params_ in search.cv_results_["params"]
    assert search.predict(data[0]).shape == data[1].shape


class Interrupted(LogisticRegression):
    """Is interrupted at one fit, whose number is in a file."""

    def __init__(self, C=1.0, counter=None, at=0):
        super().__init__(C=C)
        self.counter, self.at = counter, at

    def fit(self, X, y, sample_weight=None):
        path = Path(self.counter)
        n = int(path.read_text()) + 1 if path.exists() else 1
        path.write_text(str(n))
        if n == self.at:
            signal.raise_signal(signal.SIGINT)
        return super().fit(X, y, sample_weight)


@pytest.mark.parametrize("at", [3 * 6 + 2, 3 * 8 + 1], ids=["within a batch", "at its start"])
def test_interrupted_and_resumed_is_as_if_nothing_had_happened(at, data, tmp_path, rows):
    estimator = Interrupted(counter=str(tmp_path / "n"), at=at)
    file = tmp_path / "search.pkl"
    search = DESearchCV(estimator, C_SPACE, state_file=file, **SMALL)
    with pytest.raises(KeyboardInterrupt):
        search.fit(*data)
    assert search.stopping_reason_ == "interrupt"
    assert len(search.cv_results_["params"]) == (at - 1) // 3
    assert search.best_score_ == search.cv_results_["mean_test_score"].max()
    assert not hasattr(search, "best_estimator_")
    resumed = DESearchCV(estimator, C_SPACE, state_file=file, **SMALL).fit(*data)
    # Three folds of each candidate, the one that was interrupted, those before it again, the last.
    n_fits = 3 * len(resumed.cv_results_["params"]) + 1 + (at - 1) % 3 + 1
    assert int((tmp_path / "n").read_text()) == n_fits
    whole = DESearchCV(LogisticRegression(), C_SPACE, **SMALL).fit(*data)
    assert rows(resumed) == rows(whole)
    assert resumed.best_params_ == whole.best_params_


def test_a_search_that_is_done_goes_on_with_a_larger_budget(data, tmp_path, rows):
    search = DESearchCV(LogisticRegression(), C_SPACE, state_file=tmp_path / "s", **SMALL)
    first = clone(search).fit(*data)
    longer = clone(search).set_params(max_generations=5).fit(*data)
    whole = DESearchCV(LogisticRegression(), C_SPACE, **SMALL | {"max_generations": 5}).fit(*data)
    assert rows(longer) == rows(whole)
    n = len(first.cv_results_["params"])
    assert longer.cv_results_["params"][:n] == first.cv_results_["params"]
    assert len(longer.cv_results_["params"]) > n


CODE = """
import numpy as np, os, signal
from sklearn.linear_model import LogisticRegression
from skimbal import BayesSearchCV, DESearchCV

class Interrupted(LogisticRegression):
    n_fits = 0

    def fit(self, X, y):
        Interrupted.n_fits += 1
        if Interrupted.n_fits == 14:  # the second fold of the seventh candidate
            os.kill(os.getpid(), signal.SIGINT)
        return super().fit(X, y)

rng = np.random.default_rng(0)
X, y = rng.normal(size=(60, 2)), np.arange(60) % 2
for Search, budget in [
    (DESearchCV, {"population_size": 4, "max_generations": 5}),
    (BayesSearchCV, {"n_iter": 20, "n_initial_points": 4, "n_points": 2}),
]:
    Interrupted.n_fits = 0
    search = Search(Interrupted(), {"C": (0.01, 10.0)}, cv=2, random_state=0, **budget)
    try:
        search.fit(X, y)
    except KeyboardInterrupt:
        print(search.stopping_reason_, len(search.cv_results_["params"]), Interrupted.n_fits)
        print(search.best_score_ == search.cv_results_["mean_test_score"].max())
        print(hasattr(search, "best_estimator_"), hasattr(search, "refit_time_"))
"""


def test_a_signal_ends_the_search_and_what_was_done_is_published():
    """A real SIGINT in the middle of a batch; nothing is fitted after it."""
    result = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True)
    expected = ["interrupt", "6", "14", "True", "False", "False"]
    assert result.stdout.split() == 2 * expected, result.stderr
