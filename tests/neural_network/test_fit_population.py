"""Estimators fitted side by side, and their answers out of fold."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skimbal import (
    DBNClassifier,
    ECSDBNClassifier,
    FixedCostClassifier,
    MLPClassifier,
    TunedCostClassifierCV,
)
from skimbal.neural_network import cross_fit, fit_population

P = 6


X, y = make_classification(331, 9, n_classes=3, n_informative=5, weights=[0.7, 0.2], random_state=0)


two = (y == 1).astype(int)


SUBSETS = [np.random.default_rng(i).choice(331, 300 - i % 3) for i in range(P)]


def networks(network, **lists):
    """Networks of different seeds; `lists` has values that they take in turn."""
    return [
        clone(network).set_params(
            random_state=i, **{name: values[i % len(values)] for name, values in lists.items()}
        )
        for i in range(P)
    ]


def mlp(**parameters):
    return MLPClassifier(**{"hidden_layer_sizes": (13, 7), "max_epochs": 8, **parameters})


def dbn(**parameters):
    return DBNClassifier(
        **{"hidden_layer_sizes": (13, 7), "pretrain_epochs": 3, "max_epochs": 4, **parameters}
    )


def without_times(history):
    return history.drop(columns="duration_s")


def assert_same(one, other):
    """Equal in everything that a fit leaves, to the last bit."""
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))
    assert without_times(one.history_).equals(without_times(other.history_))
    for tensors in zip(
        one.net_.module_.state_dict().values(),
        other.net_.module_.state_dict().values(),
        strict=True,
    ):
        assert torch.equal(*tensors)
    if hasattr(one, "pretrain_history_"):
        assert one.pretrain_history_.equals(other.pretrain_history_)
        for biases in zip(one.visible_biases_, other.visible_biases_, strict=True):
            assert torch.equal(*biases)


def test_pipelines_and_cost_classifiers_train_together(capsys):
    given = [
        make_pipeline(StandardScaler(), mlp(random_state=0)),
        FixedCostClassifier(mlp(random_state=1)),
        make_pipeline(StandardScaler(), FixedCostClassifier(mlp(random_state=2))),
        mlp(random_state=3),
    ]
    fitted = fit_population(given, X, y, verbose=1)
    assert capsys.readouterr().out == "4 MLP as one, by matrix products\n"
    for classifier, same in zip(given, fitted, strict=True):
        np.testing.assert_array_equal(
            clone(classifier).fit(X, y).predict_proba(X), same.predict_proba(X)
        )


def test_inner_folds_and_the_final_network_train_together(capsys):
    tuned = [TunedCostClassifierCV(mlp(), cv=3, random_state=i) for i in range(2)] + [
        TunedCostClassifierCV(make_pipeline(PCA(9), mlp()), cv=3, random_state=2)
    ]
    together = fit_population(tuned, X, two, verbose=1)
    n_networks = [int(line.split()[0]) for line in capsys.readouterr().out.splitlines()]
    assert sum(n_networks) == 3 * (3 + 1)
    assert max(n_networks) > 4
    for one, other in zip(tuned, together, strict=True):
        one = clone(one).fit(X, two)
        np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))
        np.testing.assert_array_equal(one.costs_, other.costs_)


def test_ecs_dbn_in_a_population():
    small = {"hidden_layer_sizes": (6,), "pretrain_epochs": 2, "max_epochs": 3, "cost_cv": 2}
    given = [ECSDBNClassifier(**small, random_state=i) for i in range(3)]
    for one, other in zip(given, fit_population(given, X, two), strict=True):
        np.testing.assert_array_equal(
            clone(one).fit(X, two).predict_proba(X), other.predict_proba(X)
        )


def test_a_frozen_network_is_not_trained_again():
    frozen = mlp(random_state=0).fit(X, y)
    before = frozen.predict_proba(X)
    FixedCostClassifier(FrozenEstimator(frozen)).fit(X[:200], y[:200])
    fit_population(make_pipeline(StandardScaler(), FrozenEstimator(frozen)), X, y)
    np.testing.assert_array_equal(frozen.predict_proba(X), before)


def test_a_fit_that_a_subclass_has_written_is_called():
    class Mine(MLPClassifier):
        def fit(self, X, y, sample_weight=None):
            self.called_ = True
            return super().fit(X, y, sample_weight)

    mine = Mine(hidden_layer_sizes=(4,), max_epochs=1)
    assert fit_population(mine, X, y)[0].called_
    assert TunedCostClassifierCV(mine, cv=2).fit(X, two).estimator_.called_


def test_given_estimators_stay_as_they_are():
    given = networks(mlp())
    fitted = fit_population(given, X, y, SUBSETS)
    assert not any(hasattr(network, "net_") for network in given)
    assert [network.random_state for network in fitted] == list(range(P))


def test_one_estimator_for_many_subsets_and_masks():
    masks = [np.arange(331) % 3 != i for i in range(3)]
    one = fit_population(mlp(random_state=0), X, y, masks)
    other = fit_population(mlp(random_state=0), X, y, [np.flatnonzero(mask) for mask in masks])
    for a, b in zip(one, other, strict=True):
        assert_same(a, b)


def test_sample_weights_are_cut_to_the_rows():
    weight = np.random.default_rng(0).uniform(0.1, 2.0, size=331)
    together = fit_population(networks(dbn()), X, y, SUBSETS, sample_weight=weight)
    for network, fitted, rows in zip(networks(dbn()), together, SUBSETS, strict=True):
        assert_same(clone(network).fit(X[rows], y[rows], weight[rows]), fitted)


@pytest.mark.parametrize(
    ("estimators", "subsets", "message"),
    [
        ([mlp()], [[0], [1]], "1 estimators and 2 subsets"),
        (mlp(), [[0.5]], "type float64"),
        (mlp(), [[[0]]], "shape"),
        (mlp(), [np.ones(7, dtype=bool)], "mask of shape"),
        (mlp(), [[0, 331]], "rows from 0 to 331, but X has 331"),
        (mlp(), [[0, 0, 0]], "1 class"),
    ],
)
def test_bad_subsets(estimators, subsets, message):
    with pytest.raises(ValueError, match=message):
        fit_population(estimators, X, y, subsets)


def test_no_subsets_no_networks():
    assert fit_population([], X, y) == []


@pytest.mark.parametrize(
    "network", [mlp(random_state=0), LogisticRegression(), dbn(random_state=0)]
)
def test_cross_fit_is_cross_val_predict(network):
    splits = StratifiedKFold(4, shuffle=True, random_state=0)
    expected = cross_val_predict(network, X, y, cv=splits, method="predict_proba")
    np.testing.assert_array_equal(cross_fit(network, X, y, splits), expected)


def test_cross_fit_averages_and_leaves_out():
    splits = [(np.arange(100, 331), np.arange(60)), (np.arange(60, 331), np.arange(30))]
    proba = cross_fit(LogisticRegression(), X, y, splits)
    first, second = (
        LogisticRegression().fit(X[train], y[train]).predict_proba(X[:60]) for train, _ in splits
    )
    np.testing.assert_allclose(proba[:30], (first[:30] + second[:30]) / 2)
    np.testing.assert_allclose(proba[30:60], first[30:60])
    assert np.isnan(proba[60:]).all()


def test_cross_fit_of_a_split_that_lacks_a_class():
    order = np.argsort(y, kind="stable")
    train, test = order[: (y < 2).sum()], order[(y < 2).sum() :]
    proba = cross_fit(LogisticRegression(), X, np.array(["a", "b", "c"])[y], [(train, test)])
    assert (proba[test, 2] == 0).all()
    np.testing.assert_allclose(proba[test].sum(axis=1), 1)
