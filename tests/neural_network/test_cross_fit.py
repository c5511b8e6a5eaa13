"""Probabilities in one order of the classes, and the core of `cross_fit`."""

from functools import partial

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from skimbal import MLPClassifier
from skimbal._fitting import run_fit
from skimbal.neural_network import (
    class_probabilities,
    cross_fit,
    cross_fit_coroutine,
    fit_population,
)

NETWORK = MLPClassifier(hidden_layer_sizes=(4,), max_epochs=3, random_state=0)


@pytest.fixture(params=[2, 3])
def data(request):
    options = {"n_informative": 4, "n_redundant": 0, "weights": [0.6, 0.3], "random_state": 0}
    return make_classification(90, 5, n_classes=request.param, **options)


def test_a_class_never_seen_has_probability_0(data):
    X, y = data
    seen = y > 0
    classifier = GaussianNB().fit(X[seen], y[seen])
    proba = class_probabilities(classifier, X, np.unique(y))
    np.testing.assert_array_equal(proba[:, 0], 0.0)
    np.testing.assert_array_equal(proba[:, 1:], classifier.predict_proba(X))


def test_a_class_that_is_not_among_the_given_ones_is_refused(data):
    X, y = data
    classifier = GaussianNB().fit(X, y)
    with pytest.raises(ValueError, match=r"GaussianNB knows the classes \[0\], but y has none"):
        class_probabilities(classifier, X, np.unique(y)[1:])


@pytest.mark.parametrize("estimator", [NETWORK, LogisticRegression()], ids=["network", "other"])
@pytest.mark.parametrize("is_checked", [False, True])
def test_the_core_is_cross_fit_split_by_split(data, estimator, is_checked):
    X, y = data
    weight = np.random.default_rng(0).uniform(0.5, 2.0, len(y))
    splits = list(StratifiedKFold(3).split(X, y))
    core = cross_fit_coroutine(
        [estimator] * 3,
        X,
        y,
        splits,
        {"sample_weight": weight},
        np.unique(y),
        refit=estimator,
        is_checked=is_checked,
    )
    proba, fitted = run_fit(core)
    expected = cross_fit(estimator, X, y, splits, sample_weight=weight)
    for own, (_, test) in zip(proba, splits, strict=True):
        np.testing.assert_array_equal(own, expected[test])
    assert len(fitted) == 4
    final = estimator.fit(X, y, weight).predict_proba(X)
    np.testing.assert_array_equal(fitted[-1].predict_proba(X), final)


def test_each_split_has_its_own_estimator(data):
    X, y = data
    splits = list(StratifiedKFold(2).split(X, y))
    members = [KNeighborsClassifier(1), KNeighborsClassifier(9)]
    _, fitted = run_fit(cross_fit_coroutine(members, X, y, splits, {}, np.unique(y)))
    assert [classifier.n_neighbors for classifier in fitted] == [1, 9]


@pytest.mark.parametrize("memory_limit", [None, 1])
def test_turns_within_a_memory_limit_change_nothing(data, memory_limit):
    X, y = data
    proba = cross_fit(GaussianNB(), X, y, 4, memory_limit=memory_limit)
    np.testing.assert_array_equal(proba, cross_fit(GaussianNB(), X, y, 4))


@pytest.mark.parametrize(
    "memory_limit", [0, -5, 0.5, "x", "1e9", float("nan"), float("inf"), True, [1]]
)
@pytest.mark.parametrize("fit", [fit_population, partial(cross_fit, splits=2)])
def test_a_memory_limit_that_is_no_number_of_bytes_is_refused(fit, memory_limit, data):
    X, y = data[:2]
    with pytest.raises(ValueError, match=r"memory_limit=.* is not usable; give a number of bytes"):
        fit(GaussianNB(), X, y, memory_limit=memory_limit)


@pytest.mark.parametrize("memory_limit", [1, 1e9, np.int64(10**6), None])
def test_usable_memory_limits(memory_limit, data):
    X, y = data[:2]
    assert len(fit_population(GaussianNB(), X, y, memory_limit=memory_limit)) == 1


def test_the_error_of_a_fit_is_raised(data):
    X, y = data
    with pytest.raises(ValueError, match="NaN"):
        cross_fit(GaussianNB(), np.where(X > 1, np.nan, X), y, 3)
