"""Networks of an ensemble stop on the samples that are not in their bags."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skimbal import BalancedBaggingNetClassifier, MLPClassifier
from skimbal._utils import _early_stopping
from skimbal.ensemble._stopping import stopping_params, stops_out_of_bag

rng = np.random.default_rng(0)
N = 160
X = rng.normal(size=(N, 4))
Y = np.where(X[:, 0] + rng.normal(size=N) > 1, "rare", "usual")
WEIGHT = rng.integers(0, 3, size=N).astype(float)
GROUPS = np.arange(N) // 4
NET = MLPClassifier(
    hidden_layer_sizes=(8,),
    early_stopping=True,
    n_iter_no_change=2,
    max_epochs=8,
    learning_rate=0.03,
    batch_size=32,
    random_state=0,
)
ENSEMBLE = BalancedBaggingNetClassifier(NET, n_estimators=3, tune_costs=False, random_state=0)


@pytest.mark.parametrize("groups", [None, GROUPS], ids=["rows", "groups"])
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["equal", "weights"])
def test_a_network_is_the_one_with_the_samples_out_of_its_bag_as_validation_data(weight, groups):
    fitted = clone(ENSEMBLE).fit(X, Y, sample_weight=weight, groups=groups)
    encoded = fitted.encoder_.transform(X)
    for network, bag in zip(fitted.estimators_, fitted.estimators_samples_, strict=True):
        is_out = ~np.isin(np.arange(N), bag)
        if groups is not None:
            is_out = ~np.isin(GROUPS, GROUPS[bag])
        given = {"X_val": encoded[is_out], "y_val": Y[is_out]}
        if weight is not None:
            is_out &= WEIGHT > 0
            given = {
                "X_val": encoded[is_out],
                "y_val": Y[is_out],
                "sample_weight": WEIGHT[bag],
                "sample_weight_val": WEIGHT[is_out],
            }
        single = clone(network).fit(encoded[bag], Y[bag], **given)
        assert np.array_equal(single.predict_proba(encoded), network.predict_proba(encoded))
        np.testing.assert_array_equal(single.history_.valid_loss, network.history_.valid_loss)


def test_bags_without_samples_of_a_class_outside_hold_out_some_of_their_own():
    rare = np.flatnonzero(Y == "rare")
    members = [clone(NET)] * 2
    bags = [np.r_[rare, np.arange(20)], np.arange(30)]
    with pytest.warns(UserWarning, match="1 of 2 bags leave out no sample of some class"):
        first, second = stopping_params(members, bags, np.arange(N), X, Y, {})
    assert first == {}
    np.testing.assert_array_equal(second["X_val"], X[30:])
    np.testing.assert_array_equal(second["y_val"], Y[30:])


def test_an_ensemble_whose_bags_have_all_samples_warns_and_stops_on_a_part_of_them():
    ensemble = clone(ENSEMBLE).set_params(replacement=False)
    with pytest.warns(UserWarning, match="3 of 3 bags leave out no sample of some class"):
        fitted = ensemble.fit(X, Y)
    encoded = fitted.encoder_.transform(X)
    network, bag = fitted.estimators_[0], fitted.estimators_samples_[0]
    single = clone(network).fit(encoded[bag], Y[bag])
    assert np.array_equal(single.predict_proba(encoded), network.predict_proba(encoded))


def test_validation_data_of_your_own_are_used_instead():
    fitted = clone(ENSEMBLE).fit(X, Y, X_val=X[:40], y_val=Y[:40])
    encoded, bag = fitted.encoder_.transform(X), fitted.estimators_samples_[0]
    single = clone(fitted.estimators_[0])
    single.fit(encoded[bag], Y[bag], X_val=encoded[:40], y_val=Y[:40])
    assert np.array_equal(
        single.predict_proba(encoded), fitted.estimators_[0].predict_proba(encoded)
    )


@pytest.mark.parametrize(
    ("estimator", "params", "expected"),
    [
        (NET, {}, True),
        (NET, {"X_val": None}, True),
        (NET, {"X_val": X}, False),
        (clone(NET).set_params(early_stopping=False), {}, False),
        (clone(NET).set_params(early_stopping=False, sampler="dynamic"), {}, False),
        (clone(NET).set_params(early_stopping="auto"), {}, False),
        (make_pipeline(StandardScaler(), NET), {}, False),
        (LogisticRegression(), {}, False),
        (None, {}, False),
    ],
    ids=["network", "None", "own data", "off", "sampler", "few rows", "pipeline", "other", "none"],
)
def test_which_classifiers_stop_out_of_bag(estimator, params, expected):
    assert stops_out_of_bag(estimator, X, params) is expected


def test_settings_that_follow_the_data_stop_on_large_tables(monkeypatch):
    monkeypatch.setattr(_early_stopping, "MIN_ROWS_TO_STOP", N)
    network = clone(NET).set_params(early_stopping="auto")
    assert stops_out_of_bag(network, X, {})
    assert not stops_out_of_bag(network, X[:, None], {})
    assert not stops_out_of_bag(network, X[1:], {})


@pytest.mark.filterwarnings("ignore:.* samples are in every bag")
def test_the_default_network_stops_on_large_tables(monkeypatch):
    small = BalancedBaggingNetClassifier(n_estimators=2, random_state=0).fit(X, Y)
    assert [network.n_iter_ for network in small.estimators_] == [60, 60]
    monkeypatch.setattr(_early_stopping, "MIN_ROWS_TO_STOP", N)
    large = BalancedBaggingNetClassifier(n_estimators=2, random_state=0).fit(X, Y)
    assert max(network.n_iter_ for network in large.estimators_) < 60
    assert "valid_loss" in large.estimators_[0].history_


def test_networks_that_are_added_later_stop_out_of_their_bags_too():
    whole = clone(ENSEMBLE).fit(X, Y)
    grown = clone(ENSEMBLE).set_params(n_estimators=1, warm_start=True).fit(X, Y)
    grown.set_params(n_estimators=3).fit(X, Y)
    assert np.array_equal(grown.predict_proba(X), whole.predict_proba(X))
