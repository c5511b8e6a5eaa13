"""Evaluation of candidates: splits, populations, metadata and workers that die."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import sklearn
from joblib.externals.loky.process_executor import TerminatedWorkerError
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import GroupKFold, ShuffleSplit, StratifiedKFold, cross_val_score

from skimbal import DESearchCV, MLPClassifier
from skimbal._fitting import run_fits
from skimbal.model_selection import _evaluation, class_weight_space

C_SPACE = {"C": (0.001, 100.0, "log-uniform")}
SMALL = {"population_size": 4, "max_generations": 3, "cv": 3, "random_state": 0}
NETWORK = MLPClassifier(hidden_layer_sizes=(6,), max_epochs=4)


def test_the_splits_are_made_once(data):
    class Counting(ShuffleSplit):
        n_calls = 0

        def split(self, *args, **kwargs):
            type(self).n_calls += 1
            return super().split(*args, **kwargs)

    cv = Counting(2, test_size=0.3)
    DESearchCV(LogisticRegression(), C_SPACE, **SMALL | {"cv": cv}).fit(*data)
    assert Counting.n_calls == 1


def test_networks_of_a_generation_are_those_that_are_fitted_alone(data):
    X, y = data
    space = {"learning_rate": (0.001, 0.1, "log-uniform"), "batch_size": [16, 32]}
    network = clone(NETWORK).set_params(random_state=1)
    search = DESearchCV(network, space, return_train_score=True, **SMALL).fit(X, y)
    params = search.cv_results_["params"][3]
    alone = cross_val_score(clone(network).set_params(**params), X, y, cv=3)
    found = [search.cv_results_[f"split{k}_test_score"][3] for k in range(3)]
    np.testing.assert_array_equal(found, alone)
    assert np.isfinite(search.cv_results_["mean_train_score"]).all()


def test_metadata_is_routed(data):
    X, y = data
    rng = np.random.default_rng(0)
    weight, groups = rng.random(len(y)), rng.integers(0, 6, len(y))
    with sklearn.config_context(enable_metadata_routing=True):
        estimator = LogisticRegression().set_fit_request(sample_weight=True)
        scorer = make_scorer(f1_score, average="macro").set_score_request(sample_weight=True)
        search = DESearchCV(estimator, {"C": [1.0]}, scoring=scorer, cv=GroupKFold(3))
        search.fit(X, y, sample_weight=weight, groups=groups)
    scores = []
    for train, test in GroupKFold(3).split(X, y, groups):
        fitted = LogisticRegression().fit(X[train], y[train], sample_weight=weight[train])
        scores.append(
            f1_score(y[test], fitted.predict(X[test]), average="macro", sample_weight=weight[test])
        )
    found = [search.cv_results_[f"split{k}_test_score"][0] for k in range(3)]
    np.testing.assert_allclose(found, scores)


def test_groups_and_weights_without_routing(data):
    X, y = data
    groups = np.arange(len(y)) % 5
    weight = np.where(y == 2, 30.0, 1.0)
    search = DESearchCV(NETWORK, {"learning_rate": [0.05]}, cv=GroupKFold(5), random_state=0)
    search.fit(X, y, groups=groups, sample_weight=weight)
    assert search.n_splits_ == 5
    assert search.best_estimator_.class_weight_.shape == (3,)
    plain = clone(search).fit(X, y, groups=groups)
    assert np.sum(search.predict(X) == 2) > np.sum(plain.predict(X) == 2)


def test_one_fold_that_lacks_a_class_is_no_end(data):
    X, y = data
    keep = np.flatnonzero((y != 2) | (np.cumsum(y == 2) <= 2))
    X, y = X[keep], y[keep]
    search = DESearchCV(
        LogisticRegression(), class_weight_space(y), **SMALL | {"cv": StratifiedKFold(2)}
    ).fit(X, y)
    assert np.isfinite(search.best_score_)


class Dies(LogisticRegression):
    """Its process ends, the first time."""

    def __init__(self, C=1.0, marker=None):
        super().__init__(C=C)
        self.marker = marker

    def fit(self, X, y, sample_weight=None):
        if not Path(self.marker).exists():
            Path(self.marker).touch()
            os._exit(1)
        return super().fit(X, y, sample_weight)


@pytest.mark.slow
@pytest.mark.usefixtures("classes_of_this_file_in_workers")
def test_a_worker_that_dies_costs_a_retry(data, tmp_path, rows):
    search = DESearchCV(Dies(marker=str(tmp_path / "died")), C_SPACE, n_jobs=2, **SMALL)
    with pytest.warns(UserWarning, match="a worker process died"):
        search.fit(*data)
    whole = DESearchCV(LogisticRegression(), C_SPACE, **SMALL).fit(*data)
    assert rows(search) == rows(whole)


def test_networks_of_a_worker_that_dies_are_trained_again(data, monkeypatch, rows):
    attempts = []

    def dies_once(*args, **kwargs):
        attempts.append(1)
        if len(attempts) == 1:
            raise TerminatedWorkerError("killed")
        return run_fits(*args, **kwargs)

    space = {"learning_rate": (0.001, 0.1, "log-uniform")}
    whole = DESearchCV(NETWORK, space, **SMALL).fit(*data)
    monkeypatch.setattr(_evaluation, "run_fits", dies_once)
    with pytest.warns(UserWarning, match="a worker process died"):
        search = clone(whole).fit(*data)
    assert rows(search) == rows(whole)

    def dies(*args, **kwargs):
        raise TerminatedWorkerError("killed again")

    monkeypatch.setattr(_evaluation, "run_fits", dies)
    with (
        pytest.warns(UserWarning, match="a worker process died"),
        pytest.raises(TerminatedWorkerError),
    ):
        clone(whole).fit(*data)


def test_workers_send_scores_and_no_networks(data, monkeypatch, rows):
    """Each of two workers gets a part of the networks, in this process here."""
    sent = []

    def run_parts(n_jobs):
        def run(calls):
            sent.append([function(*arguments) for function, arguments, _ in calls])
            return sent[-1]

        return run

    space = {"learning_rate": (0.001, 0.1, "log-uniform")}
    whole = DESearchCV(NETWORK, space, refit=False, **SMALL).fit(*data)
    monkeypatch.setattr(_evaluation, "Parallel", run_parts)
    search = clone(whole).set_params(n_jobs=2).fit(*data)
    assert rows(search) == rows(whole)
    assert {len(parts) for parts in sent} == {2}
    assert len(pickle.dumps(sent[0])) < 200 * sum(map(len, sent[0]))
