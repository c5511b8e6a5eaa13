"""The soft vote: its formula, what it holds out, its costs, and what it refuses."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skimbal import BalancedBaggingNetClassifier, MLPClassifier, persistence
from skimbal.cost_sensitive import find_costs
from skimbal.ensemble import VotingCostClassifier, WeightedELMClassifier, default_voters
from skimbal.ensemble._held_out import held_out_attribute
from skimbal.ensemble._voting import vote
from skimbal.metrics import correct_prior, decide_by_costs, g_mean

NETWORK = MLPClassifier(hidden_layer_sizes=(4,), max_epochs=5)
NETWORKS = BalancedBaggingNetClassifier(NETWORK, n_estimators=8)
KERNEL = WeightedELMClassifier(C=4.0, gamma="scale")
TREES = ExtraTreesClassifier(20, min_samples_leaf=2, bootstrap=True, oob_score=True)
MEMBERS = [("networks", NETWORKS), ("kernel", KERNEL), ("trees", TREES)]
LINEAR = [
    ("plain", LogisticRegression()),
    ("balanced", LogisticRegression(class_weight="balanced")),
]


@pytest.fixture(scope="module")
def data():
    return make_classification(
        240, 5, n_informative=4, n_redundant=0, weights=[0.8], random_state=0
    )


@pytest.fixture(scope="module")
def fitted(data):
    return VotingCostClassifier(MEMBERS, random_state=0).fit(*data)


def test_the_vote_is_the_mean_of_balanced_probabilities_at_the_class_frequencies():
    plain, balanced = np.array([[0.9, 0.1], [0.5, 0.5]]), np.array([[0.6, 0.4], [0.2, 0.8]])
    balances = np.array([[1 / 3, 3.0], [1.0, 1.0]])
    weights, prior = np.array([0.25, 0.75]), np.array([0.9, 0.1])
    mean = 0.25 * correct_prior(plain, prior, [1, 1]) + 0.75 * balanced
    expected = correct_prior(mean, [1, 1], prior)
    np.testing.assert_allclose(vote([plain, balanced], balances, weights, prior), expected)


def test_the_members_probabilities_are_those_that_they_keep(fitted, data):
    assert fitted.held_out_by_ == {
        "networks": "out of bag",
        "kernel": "leave-one-out",
        "trees": "out of bag",
    }
    members = fitted.named_estimators_
    kept = [
        members.networks.oob_proba_,
        members.kernel.loo_proba_,
        members.trees.oob_decision_function_,
    ]
    expected = vote(kept, fitted.balance_, fitted.weights_, fitted.prior_)
    known = ~np.isnan(kept[0][:, 0])
    np.testing.assert_allclose(fitted.held_out_proba_[known], expected[known])
    assert np.isnan(fitted.held_out_proba_[~known]).all()


def test_costs_and_score_are_those_of_the_held_out_probabilities(fitted, data):
    known = ~np.isnan(fitted.held_out_proba_[:, 0])
    proba, y = fitted.held_out_proba_[known], data[1][known]
    np.testing.assert_allclose(fitted.costs_, find_costs(y, proba, shrinkage=0.5).costs)
    score = g_mean(y, decide_by_costs(proba, fitted.costs_))
    assert fitted.held_out_score_ == pytest.approx(score)
    expected = decide_by_costs(fitted.predict_proba(data[0]), fitted.costs_)
    np.testing.assert_array_equal(fitted.predict(data[0]), expected)


def test_other_classifiers_are_fitted_on_folds(data):
    X, y = data
    folds = [(np.arange(k, 240, 3), None) for k in range(3)]
    folds = [(np.setdiff1d(np.arange(240), test), test) for test, _ in folds]
    fitted = VotingCostClassifier(LINEAR, cv=folds).fit(X, y)
    assert fitted.held_out_by_ == {"plain": "3 folds", "balanced": "3 folds"}
    kept = [cross_val_predict(m, X, y, cv=folds, method="predict_proba") for _, m in LINEAR]
    expected = vote(kept, fitted.balance_, fitted.weights_, fitted.prior_)
    np.testing.assert_allclose(fitted.held_out_proba_, expected)


def test_the_balance_of_each_member_is_measured(data):
    plain, balanced = VotingCostClassifier(LINEAR, random_state=0).fit(*data).balance_
    assert plain[1] / plain[0] > 2.5  # the classes are 4 : 1
    assert 0.6 < balanced[1] / balanced[0] < 1.6


def test_one_member_with_all_weight_votes_alone(data):
    X, y = data
    fitted = VotingCostClassifier(LINEAR, weights=[0, 2]).fit(X, y)
    np.testing.assert_array_equal(fitted.weights_, [0, 1])
    alone = fitted.estimators_[1].predict_proba(X)
    odds = np.log(alone[:, 1] / alone[:, 0])
    shift = fitted.decision_function(X) - odds
    np.testing.assert_allclose(shift, shift[0], rtol=1e-6)


@pytest.mark.parametrize(
    ("estimator", "groups", "attribute"),
    [
        (NETWORKS, None, "oob_proba_"),
        (NETWORKS, np.arange(3), "oob_proba_"),
        (clone(NETWORKS).set_params(tune_costs=False), None, None),
        (clone(NETWORKS).set_params(tune_costs=False, oob_score=True), None, "oob_proba_"),
        (KERNEL, np.arange(3), "loo_proba_"),
        (TREES, None, "oob_decision_function_"),
        (TREES, np.arange(3), None),
        (ExtraTreesClassifier(bootstrap=True), None, None),
        (LogisticRegression(), None, None),
        (make_pipeline(StandardScaler(), TREES), None, None),
    ],
)
def test_which_classifiers_keep_held_out_probabilities(estimator, groups, attribute):
    kept = held_out_attribute(estimator, groups)
    assert (kept and kept[0]) == attribute


def test_no_sample_is_judged_by_a_member_that_has_seen_its_group(data):
    """Copies of a row with other labels: who has seen one copy knows the others."""
    X, _ = data
    rng = np.random.default_rng(0)
    copies, groups = np.repeat(X[:40], 4, axis=0), np.repeat(np.arange(40), 4)
    y = np.repeat(rng.permutation(np.arange(40) % 2), 4)
    trees = ExtraTreesClassifier(30, bootstrap=True, oob_score=True)
    members = [("networks", NETWORKS), ("trees", trees)]
    scores = [
        VotingCostClassifier(members, random_state=0, shrinkage=0.0)
        .fit(copies, y, groups=given)
        .held_out_score_
        for given in (None, groups)
    ]
    assert scores[0] > 0.95
    assert scores[1] < 0.8


def test_weight_0_is_as_no_sample(data):
    X, y = data
    weight = np.ones(len(y))
    weight[200:] = 0
    members = [("linear", LogisticRegression()), ("kernel", KERNEL)]
    fitted = VotingCostClassifier(members, random_state=0).fit(X, y, sample_weight=weight)
    without = VotingCostClassifier(members, random_state=0).fit(X[:200], y[:200])
    np.testing.assert_allclose(fitted.predict_proba(X), without.predict_proba(X), atol=1e-6)
    np.testing.assert_allclose(fitted.costs_, without.costs_, rtol=1e-5)
    assert np.isnan(fitted.held_out_proba_[200:]).all()


@pytest.mark.parametrize("labels", [["a", "b", "c"], [3, 1, 2]])
def test_several_classes(labels):
    X, y = make_classification(
        180, 5, n_informative=4, n_redundant=0, n_classes=3, weights=[0.6, 0.3], random_state=0
    )
    y = np.array(labels)[y]
    fitted = VotingCostClassifier(MEMBERS, random_state=0).fit(X, y)
    assert fitted.balance_.shape == (3, 3)
    assert fitted.predict_proba(X).shape == (180, 3)
    assert set(fitted.predict(X)) == set(labels)
    assert g_mean(y, fitted.predict(X)) > 0.7


def test_the_same_result_after_pickling(fitted, data):
    proba = fitted.predict_proba(data[0])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict_proba(data[0]), proba)


@pytest.mark.slow
def test_the_same_result_in_two_processes(fitted, data):
    again = VotingCostClassifier(MEMBERS, random_state=0, n_jobs=2).fit(*data)
    np.testing.assert_array_equal(again.predict_proba(data[0]), fitted.predict_proba(data[0]))
    np.testing.assert_array_equal(again.costs_, fitted.costs_)


def test_a_saved_vote_predicts_the_same(fitted, data, tmp_path):
    pytest.importorskip("skops")
    persistence.save(fitted, tmp_path / "vote.skimbal")
    loaded = persistence.load(tmp_path / "vote.skimbal", trusted=["sklearn.tree._tree.Tree"])
    np.testing.assert_array_equal(loaded.predict_proba(data[0]), fitted.predict_proba(data[0]))
    np.testing.assert_array_equal(loaded.predict(data[0]), fitted.predict(data[0]))


def test_a_frame_whose_columns_changed_is_refused(data):
    X, y = data
    frame = pd.DataFrame(X, columns=list("abcde"))
    fitted = VotingCostClassifier(LINEAR).fit(frame, y)
    assert fitted.feature_names_in_.tolist() == list("abcde")
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(frame.rename(columns={"a": "z"}))


def test_sparse_tables_leave_the_kernel_out(data, monkeypatch):
    X, y = data
    monkeypatch.setattr("skimbal.ensemble._voting.default_voters", lambda: list(MEMBERS))
    with pytest.warns(UserWarning, match="'kernel' is left out: it takes dense tables"):
        fitted = VotingCostClassifier(random_state=0).fit(csr_array(X), y)
    assert list(fitted.held_out_by_) == ["networks", "trees"]
    assert "sparse" in fitted.left_out_["kernel"]


def test_many_rows_leave_the_kernel_out(data, monkeypatch, recwarn):
    X, y = data
    monkeypatch.setattr("skimbal.ensemble._voting.default_voters", lambda: list(MEMBERS))
    with pytest.warns(UserWarning, match="X has 240 rows, more than max_kernel_rows=200"):
        VotingCostClassifier(max_kernel_rows=200).fit(X, y)
    recwarn.clear()
    fitted = VotingCostClassifier(max_kernel_rows=0).fit(X, y)
    assert list(fitted.named_estimators_) == ["networks", "trees"]
    assert not [w for w in recwarn if "left out" in str(w.message)]


def test_the_default_members():
    names, members = zip(*default_voters(), strict=True)
    assert names == ("networks", "kernel", "trees")
    assert all(held_out_attribute(member, None) is not None for member in members)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"estimators": []}, "must be a list of one or more pairs"),
        ({"estimators": [LogisticRegression()]}, "must be a list of one or more pairs"),
        ({"estimators": [("a", KERNEL), ("a", KERNEL)]}, "must differ from each other"),
        ({"estimators": [("weights", KERNEL)]}, "must differ from each other and from the par"),
        ({"estimators": [("a__b", KERNEL)]}, "texts without '__'"),
        ({"estimators": [("a", StandardScaler())]}, "classifier with predict_proba"),
        ({"estimators": [("a", LogisticRegression)]}, "unfitted classifier with predict_proba"),
        ({"estimators": LINEAR, "weights": [1]}, "must be 2 numbers >= 0"),
        ({"estimators": LINEAR, "weights": [0, 0]}, "not all 0"),
        ({"estimators": LINEAR, "weights": [1, -1]}, ">= 0"),
        ({"estimators": LINEAR, "weights": [1, np.nan]}, "numbers >= 0"),
        ({"estimators": LINEAR, "scoring": "roc_auc"}, "labels"),
        ({"estimators": LINEAR, "shrinkage": 2}, "shrinkage"),
        ({"max_kernel_rows": -1}, "max_kernel_rows"),
    ],
)
def test_bad_parameters_are_refused_before_any_fit(parameters, message, data, monkeypatch):
    monkeypatch.setattr("skimbal.ensemble._voting.held_out_coroutine", None)
    with pytest.raises(ValueError, match=message):
        VotingCostClassifier(**parameters).fit(*data)


def test_signals_need_members_of_their_own(data):
    X, y = data
    with pytest.raises(ValueError, match=r"shape \(240, 1, 5\), but the default members take tab"):
        VotingCostClassifier().fit(X[:, None], y)


def test_a_class_without_held_out_probabilities_is_refused_and_nothing_is_half_fitted(data):
    X, y = data
    member = clone(NETWORKS).set_params(replacement=False, sampling_strategy={0: 20, 1: 10})
    rare = np.flatnonzero(y == 1)
    members = [("networks", member), ("kernel", KERNEL)]
    weight = np.ones(len(y))
    weight[rare[10:]] = 0  # the ten others are in every bag
    classifier = VotingCostClassifier(members, random_state=0)
    with pytest.raises(ValueError, match=r"classes \[(np.int64\()?1\)?\] are in every bag"):
        classifier.fit(X, y, sample_weight=weight)
    assert not hasattr(classifier, "classes_")


def test_a_class_that_the_trees_have_always_seen_is_refused(data):
    X, y = data
    trees = ExtraTreesClassifier(1, bootstrap=True, random_state=0)
    in_bag = np.unique(trees.fit(X, y).estimators_samples_[0])
    trees.set_params(oob_score=True)
    y = np.isin(np.arange(240), in_bag[:3]).astype(int)
    classifier = VotingCostClassifier([("trees", trees)])
    with (
        pytest.warns(UserWarning, match="OOB"),
        pytest.raises(ValueError, match=r"classes \[1\] have no sample with held-out prob"),
    ):
        classifier.fit(X, y)
    assert not hasattr(classifier, "classes_")
