"""Cells: evaluated together or one by one, failures, and scores of ranks."""

import json
import signal
import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris, make_classification
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skimbal import BalancedBaggingNetClassifier, ECSDBNClassifier, MLPClassifier
from skimbal.benchmark._cell import evaluate

from . import toy

X, y = make_classification(150, 4, weights=[0.8], random_state=0)
FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)
SPLITS = [(X[a], X[b], y[a], y[b]) for a, b in FOLDS.split(X, y)]
SEEDS = [3, 4, 5]


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
    small = {"hidden_layer_sizes": (4,), "pretrain_epochs": 1, "max_epochs": 3, "cost_cv": 2}
    return make_pipeline(StandardScaler(), ECSDBNClassifier(**small, random_state=random_state))


def bagging(random_state):
    return BalancedBaggingNetClassifier(network(None), n_estimators=3, random_state=random_state)


@pytest.mark.parametrize("make", [network, ecs_dbn, bagging, lambda seed: GaussianNB()])
def test_together_is_one_by_one(make):
    together = evaluate(make, SEEDS, SPLITS)
    for seed, split, (status, values) in zip(SEEDS, SPLITS, together, strict=True):
        ((alone_status, alone),) = evaluate(make, [seed], [split])
        assert status == alone_status == "done"
        assert values.keys() == alone.keys()
        assert all(values[key] == alone[key] for key in values.keys() - set(toy.MEASURED))


def test_a_cell_that_fails_keeps_its_error_and_spoils_no_other():
    statuses, values = zip(*evaluate(SometimesFails, SEEDS, SPLITS), strict=True)
    assert statuses == ("done", "failed", "done")
    assert "ValueError: refused" in values[1]["error"]
    assert json.loads(values[1]["warnings"]) == {"UserWarning: about to fail": 1}
    assert [v["n_warnings"] for v in values] == [0, 1, 0]
    for i in (0, 2):
        predicted = network(SEEDS[i]).fit(SPLITS[i][0], SPLITS[i][2]).predict(SPLITS[i][1])
        assert values[i]["accuracy"] == np.mean(predicted == SPLITS[i][3])


class SometimesRaises(SometimesFails):
    """A network of which one fit raises what is no Exception."""

    def __init__(self, random_state, error=SystemExit, where="fit"):
        super().__init__(random_state)
        self.error = error
        self.where = where

    def _fit_coroutine(self, X, y):
        if self.random_state == 4 and self.where == "fit":
            raise self.error(3)
        self.network_ = yield from network(self.random_state)._fit_coroutine(X, y)
        self.classes_ = self.network_.classes_
        return self

    def predict(self, X):
        if self.random_state == 4 and self.where == "predict":
            raise self.error(3)
        return super().predict(X)


@pytest.fixture
def ignored_interrupts():
    """As in a worker."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("where", ["fit", "predict"])
@pytest.mark.parametrize("error", [SystemExit, GeneratorExit, KeyboardInterrupt])
@pytest.mark.parametrize("wrap", [SometimesRaises, toy.RaisingClassifier])
def test_whatever_a_method_raises_is_a_failure(wrap, error, where, ignored_interrupts):
    def make(random_state):
        if wrap is SometimesRaises:
            return wrap(random_state, error, where)
        return wrap(error, where) if random_state == 4 else GaussianNB()

    statuses, values = zip(*evaluate(make, SEEDS, SPLITS), strict=True)
    assert statuses == ("done", "failed", "done")
    assert f"{error.__name__}: 3" in values[1]["error"]
    assert json.loads(values[1]["support"]) == [int(n) for n in np.bincount(SPLITS[1][3])]


@pytest.mark.parametrize("where", ["fit", "predict"])
def test_the_user_s_interrupt_is_no_failure(where):
    with pytest.raises(KeyboardInterrupt):
        evaluate(lambda seed: SometimesRaises(seed, KeyboardInterrupt, where), SEEDS, SPLITS)


def test_an_error_that_no_file_can_hold_is_recorded():
    """Python decodes the bytes of a file name that is no text to characters that have no bytes."""

    def make(random_state):
        raise OSError(2, "No such file", "data\udcff.csv")

    for status, values in evaluate(make, SEEDS, SPLITS):
        assert status == "failed"
        assert "data\\udcff.csv" in values["error"].encode().decode()


def test_a_method_that_cannot_be_made_fails_in_its_cells():
    def make(random_state):
        raise RuntimeError("no such package")

    for status, values in evaluate(make, SEEDS, SPLITS):
        assert status == "failed"
        assert "no such package" in values["error"]


def test_the_area_under_the_curve_is_the_mean_over_one_against_rest_curves():
    X, y = load_iris(return_X_y=True)
    y = np.array(["a", "b", "c"])[y]
    ((_, values),) = evaluate(lambda seed: GaussianNB(), [0], [(X[::2], X[1::2], y[::2], y[1::2])])
    proba = GaussianNB().fit(X[::2], y[::2]).predict_proba(X[1::2])
    areas = [roc_auc_score(y[1::2] == label, proba[:, k]) for k, label in enumerate("abc")]
    assert values["auc"] == pytest.approx(np.mean(areas), abs=1e-12)
    precisions = [
        average_precision_score(y[1::2] == label, proba[:, k]) for k, label in enumerate("abc")
    ]
    assert values["average_precision"] == pytest.approx(np.mean(precisions), abs=1e-12)
    assert values["log_loss"] == pytest.approx(log_loss(y[1::2], proba), abs=1e-12)


@pytest.mark.parametrize("rarest", ["a", "b", "c"])
def test_the_rarest_class_is_that_of_the_training_data(rarest):
    X, y = load_iris(return_X_y=True)
    y = np.array(["a", "b", "c"])[y]
    train = np.r_[np.flatnonzero(y != rarest), np.flatnonzero(y == rarest)[:20]]
    split = (X[train], X, y[train], y)
    ((_, values),) = evaluate(lambda seed: GaussianNB(), [0], [split])
    proba = GaussianNB().fit(X[train], y[train]).predict_proba(X)
    precision = average_precision_score(y == rarest, proba[:, "abc".index(rarest)])
    assert values["rare_average_precision"] == pytest.approx(precision, abs=1e-12)


def test_the_scores_of_perfect_ranks_are_1_and_not_above():
    """With 9 samples against 20 the sum of scikit-learn's average precision is above 1."""
    y = np.repeat(["a", "b"], [9, 20])
    X = np.arange(29.0)[:, np.newaxis]
    ((_, values),) = evaluate(lambda seed: GaussianNB(), [0], [(X, X, y, y)])
    assert (values["auc"], values["average_precision"]) == (1.0, 1.0)


def test_the_scores_of_four_ranks_by_hand():
    """Scores .8, .6, .4, .2 for "b" of b, a, b, a: the precisions at each b are 1 and 2/3."""

    class Ranks(ClassifierMixin, BaseEstimator):
        def fit(self, X, y):
            self.classes_ = np.unique(y)
            return self

        def predict(self, X):
            return np.full(len(X), "a")

        def decision_function(self, X):
            return X[:, 0]

    X, y = np.array([[0.8], [0.6], [0.4], [0.2]]), np.array(["b", "a", "b", "a"])
    ((_, values),) = evaluate(lambda seed: Ranks(), [0], [(X, X, y, y)])
    assert values["auc"] == pytest.approx(3 / 4)
    # Of a the precisions are 1 and 2/3, too, from the other end.
    assert values["average_precision"] == pytest.approx((1 + 2 / 3) / 2)
    assert values["log_loss"] is None  # these are no probabilities


def test_the_area_under_the_curve_of_a_decision_function():
    X_train, X_test, y_train, y_test = SPLITS[0]
    ((_, values),) = evaluate(lambda seed: LinearSVC(), [0], SPLITS[:1])
    decision = LinearSVC().fit(X_train, y_train).decision_function(X_test)
    assert values["auc"] == pytest.approx(roc_auc_score(y_test, decision), abs=1e-12)


@pytest.mark.parametrize(
    ("make", "train", "test"),
    [
        (LinearSVC, slice(None), slice(None)),  # three classes and no probabilities
        (GaussianNB, slice(None), slice(100)),  # a class is missing in the test set
        (GaussianNB, slice(100), slice(None)),  # a class is missing in the training set
    ],
)
def test_a_score_of_ranks_that_does_not_exist_is_none(make, train, test):
    X, y = load_iris(return_X_y=True)
    ((status, values),) = evaluate(
        lambda seed: make(), [0], [(X[train], X[test], y[train], y[test])]
    )
    names = ("auc", "average_precision", "rare_average_precision", "log_loss")
    assert (status, *(values[name] for name in names)) == ("done", None, None, None, None)
