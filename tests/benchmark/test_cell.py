"""Cells that are evaluated together are the cells that are evaluated one by one."""

import json
import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skimbal import BalancedBaggingNetClassifier, ECSDBNClassifier, MLPClassifier
from skimbal.benchmark._cell import evaluate

X, y = make_classification(150, 4, weights=[0.8], random_state=0)
FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)
SPLITS = [(X[a], X[b], y[a], y[b]) for a, b in FOLDS.split(X, y)]
SEEDS = [3, 4, 5]
TIMES = {"fit_seconds", "predict_seconds"}


def network(random_state):
    return MLPClassifier(hidden_layer_sizes=(5,), max_epochs=4, random_state=random_state)


class SometimesFails(ClassifierMixin, BaseEstimator):
    """A network that refuses one of the training sets, and warns of it first."""

    def __init__(self, random_state):
        self.random_state = random_state

    def _fit_coroutine(self, X, y):
        if self.random_state == 4:
            warnings.warn("about to fail", UserWarning, stacklevel=2)
            raise ValueError("refused")
        self.network_ = yield from network(self.random_state)._fit_coroutine(X, y)
        self.classes_ = self.network_.classes_
        return self

    def predict(self, X):
        return self.network_.predict(X)


def ecs_dbn(random_state):
    return make_pipeline(
        StandardScaler(),
        ECSDBNClassifier(
            hidden_layer_sizes=(4,), pretrain_epochs=1, max_epochs=3, cost_cv=2,
            random_state=random_state,
        ),
    )  # fmt: skip


def bagging(random_state):
    return BalancedBaggingNetClassifier(network(None), n_estimators=3, random_state=random_state)


@pytest.mark.parametrize("make", [network, ecs_dbn, bagging, lambda seed: GaussianNB()])
def test_together_is_one_by_one(make):
    together = evaluate(make, SEEDS, SPLITS)
    for seed, split, (status, values) in zip(SEEDS, SPLITS, together, strict=True):
        ((alone_status, alone),) = evaluate(make, [seed], [split])
        assert status == alone_status == "done"
        assert values.keys() == alone.keys()
        assert all(values[key] == alone[key] for key in values.keys() - TIMES)


def test_a_cell_that_fails_keeps_its_error_and_spoils_no_other():
    statuses, values = zip(*evaluate(SometimesFails, SEEDS, SPLITS), strict=True)
    assert statuses == ("done", "failed", "done")
    assert "ValueError: refused" in values[1]["error"]
    assert json.loads(values[1]["warnings"]) == {"UserWarning: about to fail": 1}
    assert [v["n_warnings"] for v in values] == [0, 1, 0]
    for i in (0, 2):
        predicted = network(SEEDS[i]).fit(SPLITS[i][0], SPLITS[i][2]).predict(SPLITS[i][1])
        assert values[i]["accuracy"] == np.mean(predicted == SPLITS[i][3])


def test_a_method_that_cannot_be_made_fails_in_its_cells():
    def make(random_state):
        raise RuntimeError("no such package")

    for status, values in evaluate(make, SEEDS, SPLITS):
        assert status == "failed"
        assert "no such package" in values["error"]
