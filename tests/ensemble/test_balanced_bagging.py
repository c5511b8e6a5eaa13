"""Bagging of networks: what is averaged, what is out of bag, what is refused."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skimbal import BalancedBaggingNetClassifier, DBNClassifier, MLPClassifier
from skimbal.cost_sensitive import find_costs
from skimbal.ensemble import _balanced_bagging, default_network
from skimbal.ensemble._balanced_bagging import network_for
from skimbal.ensemble._encoding import make_encoder
from skimbal.metrics import decide_by_costs, g_mean
from skimbal.neural_network import fit_population

X, y = make_classification(260, 6, n_informative=4, weights=[0.85], random_state=0)
names = np.where(y == 1, "rare", "usual")
three = make_classification(
    260, 6, n_informative=5, n_redundant=0, n_classes=3, weights=[0.7, 0.2], random_state=1
)
SMALL = MLPClassifier(hidden_layer_sizes=(6,), max_epochs=8, learning_rate=0.02)


def bagging(estimator=SMALL, **parameters):
    return BalancedBaggingNetClassifier(
        estimator, **{"n_estimators": 8, "tune_costs": False, "random_state": 0, **parameters}
    )


def test_probabilities_are_the_mean_of_the_networks():
    fitted = bagging().fit(X, names)
    encoded = fitted.encoder_.transform(X)
    expected = np.mean([network.predict_proba(encoded) for network in fitted.estimators_], axis=0)
    np.testing.assert_allclose(fitted.predict_proba(X), expected)
    np.testing.assert_array_equal(fitted.predict(X), fitted.classes_[expected.argmax(axis=1)])
    np.testing.assert_allclose(np.exp(fitted.predict_log_proba(X)), expected)


def test_each_network_is_trained_on_its_bag():
    fitted = bagging(sampling_strategy="auto").fit(X, names)
    encoded = fitted.encoder_.transform(X)
    for network, bag in zip(fitted.estimators_, fitted.estimators_samples_, strict=True):
        assert (names[bag] == "rare").mean() == 0.5
        separate = clone(network).fit(encoded[bag], names[bag])
        np.testing.assert_array_equal(
            separate.predict_proba(encoded), network.predict_proba(encoded)
        )
    assert len({network.random_state for network in fitted.estimators_}) == 8


@pytest.mark.parametrize(
    "estimator",
    [
        None,
        DBNClassifier(hidden_layer_sizes=(4,), pretrain_epochs=1, learning_rate=0.05),
        LogisticRegression(),
        make_pipeline(StandardScaler(), SMALL),
    ],
    ids=str,
)
def test_any_classifier_of_two_or_more_classes(estimator):
    for inputs, labels in ((X, names), three):
        fitted = bagging(estimator, n_estimators=3, tune_costs=True).fit(inputs, labels)
        assert set(fitted.predict(inputs)) <= set(labels)
        assert fitted.costs_.shape == fitted.classes_.shape
        assert g_mean(labels, fitted.predict(inputs)) > 0.5


def test_windows_and_images_are_taken_as_they_are():
    windows = X.reshape(260, 2, 3)
    fitted = bagging().fit(windows, y)
    assert fitted.encoder_ is None
    assert fitted.predict(windows).shape == (260,)
    with pytest.raises(ValueError, match="encoding='both' takes X of shape"):
        bagging(encoding="both").fit(windows, y)


@pytest.mark.parametrize("encoding", ["standard", "rank", "both"])
def test_networks_get_encoded_features(encoding):
    skewed = np.exp(3 * X)
    fitted = bagging(encoding=encoding).fit(skewed, y)
    encoded = make_encoder(encoding, 260).fit_transform(skewed)
    np.testing.assert_array_equal(fitted.encoder_.transform(skewed), encoded)


# ------------------------------------------------------------------ out of bag


def test_out_of_bag_probabilities_are_of_networks_that_have_not_seen_the_sample():
    fitted = bagging(n_estimators=4, oob_score=True).fit(X, y)
    encoded = fitted.encoder_.transform(X)
    for row in range(0, 260, 13):
        unseen = [
            network.predict_proba(encoded[[row]])[0]
            for network, bag in zip(fitted.estimators_, fitted.estimators_samples_, strict=True)
            if row not in bag
        ]
        expected = np.mean(unseen, axis=0) if unseen else [np.nan, np.nan]
        np.testing.assert_allclose(fitted.oob_proba_[row], expected)
    judged = ~np.isnan(fitted.oob_proba_[:, 0])
    assert fitted.n_always_in_bag_ == (~judged).sum() > 0
    decided = fitted.oob_proba_[judged].argmax(axis=1)
    assert fitted.oob_score_ == pytest.approx(g_mean(y[judged], decided))


def test_the_score_out_of_bag_is_near_that_on_new_samples():
    inputs, labels = make_classification(2000, 8, weights=[0.9], class_sep=0.8, random_state=3)
    fitted = bagging(n_estimators=20, oob_score=True).fit(inputs[:1000], labels[:1000])
    new = g_mean(labels[1000:], fitted.predict(inputs[1000:]))
    seen = g_mean(labels[:1000], fitted.predict(inputs[:1000]))
    assert abs(fitted.oob_score_ - new) < abs(seen - new)


@pytest.mark.parametrize("class_weight", [None, "balanced"])
@pytest.mark.parametrize("strategy", [None, "auto"])
def test_costs_are_found_out_of_bag_and_shrunk_to_balance(class_weight, strategy):
    network = clone(SMALL).set_params(class_weight=class_weight)
    fitted = bagging(network, tune_costs=True, sampling_strategy=strategy, shrinkage=0.3).fit(X, y)
    judged = ~np.isnan(fitted.oob_proba_[:, 0])
    expected = find_costs(
        y[judged],
        fitted.oob_proba_[judged],
        shrinkage=0.3,
    )
    np.testing.assert_allclose(fitted.costs_, expected.costs)
    decided = decide_by_costs(fitted.predict_proba(X), fitted.costs_)
    np.testing.assert_array_equal(fitted.predict(X), decided)


def test_scoring_of_labels():
    fitted = bagging(oob_score=True, scoring="balanced_accuracy").fit(X, y)
    judged = ~np.isnan(fitted.oob_proba_[:, 0])
    expected = balanced_accuracy_score(y[judged], fitted.oob_proba_[judged].argmax(axis=1))
    assert fitted.oob_score_ == pytest.approx(expected)


def test_sample_weights():
    weight = np.random.default_rng(0).uniform(0.5, 2.0, size=260)
    weight[:40] = 0.0
    fitted = bagging(oob_score=True).fit(X, y, weight)
    assert not any(np.isin(bag, np.arange(40)).any() for bag in fitted.estimators_samples_)
    judged = ~np.isnan(fitted.oob_proba_[:, 0])
    decided = fitted.oob_proba_[judged].argmax(axis=1)
    expected = g_mean(y[judged], decided, sample_weight=weight[judged])
    assert fitted.oob_score_ == pytest.approx(expected)


def test_samples_of_weight_0_are_not_judged():
    weight = np.ones(260)
    weight[y == 1] = 0.0
    weight[np.flatnonzero(y == 1)[:5]] = 1.0
    with pytest.raises(ValueError, match=r"classes \[1\] are in every bag"):
        bagging(sampling_strategy="auto", replacement=False, oob_score=True).fit(X, y, weight)
    inputs, labels = three
    weight = np.where(labels == 2, 0.0, 1.0)
    assert bagging(tune_costs=True).fit(inputs, labels, weight).classes_.tolist() == [0, 1]


def test_networks_that_take_no_weights_are_warned_of():
    with pytest.warns(UserWarning, match="KNeighborsClassifier takes no sample_weight"):
        bagging(KNeighborsClassifier()).fit(X, y, np.ones(260))


def test_a_new_fit_forgets_what_was_out_of_bag():
    fitted = bagging(tune_costs=True).fit(X, y)
    fitted.set_params(tune_costs=False).fit(X[:90], y[:90])
    assert not any(hasattr(fitted, name) for name in ("costs_", "oob_proba_", "oob_score_"))


# ------------------------------------------------------------------ more networks


def test_a_warm_start_adds_networks():
    whole = bagging(n_estimators=7, tune_costs=True).fit(X, y)
    grown = bagging(n_estimators=3, tune_costs=True, warm_start=True).fit(X, y)
    first = grown.estimators_[0]
    grown.set_params(n_estimators=7).fit(X, y)
    assert grown.estimators_[0] is first
    np.testing.assert_array_equal(grown.predict_proba(X), whole.predict_proba(X))
    np.testing.assert_array_equal(grown.oob_proba_, whole.oob_proba_)
    np.testing.assert_array_equal(grown.costs_, whole.costs_)


def test_a_warm_start_takes_the_same_texts_in_any_container():
    grown = bagging(n_estimators=2, warm_start=True).fit(X, names)
    for n_estimators, labels in ((3, pd.Series(names)), (4, names.tolist()), (5, names)):
        grown.set_params(n_estimators=n_estimators).fit(X, labels)
    assert len(grown.estimators_) == 5


@pytest.mark.parametrize(
    ("n_estimators", "n_samples", "labels", "message"),
    [
        (2, 260, y, "keeps the 3 networks of the last fit, but n_estimators=2"),
        (4, 200, y, "for the 260 samples of the last fit, but X has 200"),
        (4, 260, names, r"for the classes \[0, 1\], but y has"),
    ],
)
def test_a_warm_start_that_cannot_continue_changes_nothing(
    n_estimators, n_samples, labels, message
):
    grown = bagging(n_estimators=3, warm_start=True).fit(X, y)
    before = grown.predict_proba(X)
    with pytest.raises(ValueError, match=message):
        grown.set_params(n_estimators=n_estimators).fit(X[:n_samples], labels[:n_samples])
    assert len(grown.estimators_) == len(grown.estimators_samples_) == 3
    np.testing.assert_array_equal(grown.predict_proba(X), before)


@pytest.mark.slow
def test_processes_populations_and_pickles_change_nothing():
    one = bagging(tune_costs=True).fit(X, y)
    others = [
        bagging(tune_costs=True, n_jobs=2).fit(X, y),
        *fit_population([bagging(tune_costs=True), bagging(random_state=3)], X, y)[:1],
        pickle.loads(pickle.dumps(one)),
    ]
    for other in others:
        np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))
        np.testing.assert_array_equal(one.costs_, other.costs_)


def test_the_networks_train_as_one(capsys):
    fit_population(bagging(), X, y, verbose=1)
    assert capsys.readouterr().out == "8 MLP as one, by matrix products\n"


# ------------------------------------------------------------------ as an estimator


def test_pandas_output_of_transformers():
    frame = pd.DataFrame(X, columns=list("abcdef"))
    with sklearn.config_context(transform_output="pandas"):
        proba = bagging(encoding="both").fit(frame, y).predict_proba(frame)
    np.testing.assert_array_equal(
        proba, bagging(encoding="both").fit(frame, y).predict_proba(frame)
    )


def test_pandas_names_and_permutation_importance(recwarn):
    frame = pd.DataFrame(X, columns=list("abcdef"))
    fitted = bagging().fit(frame, names)
    assert fitted.feature_names_in_.tolist() == list("abcdef")
    result = permutation_importance(fitted, frame, names, n_repeats=2, random_state=0)
    assert result.importances_mean.shape == (6,)
    assert not recwarn.list


@pytest.mark.parametrize(
    ("parameters", "labels", "message"),
    [
        ({"replacement": False, "oob_score": True}, y, r"classes \[0, 1\] are in every bag"),
        (
            {"replacement": False, "sampling_strategy": "auto", "tune_costs": True},
            y,
            r"classes \[1\] are in every bag",
        ),
        ({"sampling_strategy": {0: 1000}}, y, "under-sampling"),
        ({"sampling_strategy": {0: 0}}, y, "needs at least 1"),
        ({"sampling_strategy": "some"}, y, "some"),
        ({"scoring": "roc_auc"}, y, "label"),
        ({"n_estimators": 0}, y, "n_estimators"),
        ({}, np.zeros(260), "1 class"),
    ],
)
def test_bad_input_is_refused_before_any_training(parameters, labels, message, monkeypatch):
    def train(jobs):
        raise KeyboardInterrupt  # no Exception, which would be the fit's

    monkeypatch.setattr("skimbal._training.job.TrainingJob.run_all", train)
    with pytest.raises(ValueError, match=message):
        bagging(**parameters).fit(X, labels)


@pytest.mark.filterwarnings("ignore:.* samples are in every bag")
def test_the_default_network_follows_the_rows_of_a_table(monkeypatch):
    def decay(X, estimator=None):
        return network_for(BalancedBaggingNetClassifier(estimator), X).weight_decay

    monkeypatch.setattr(_balanced_bagging, "MIN_ROWS_OF_LARGE_TABLE", 60)
    X, y = make_classification(60, random_state=0)
    assert decay(X) == decay(csr_array(X)) == 0.01
    assert decay(X[:-1]) == decay(csr_array(X[:-1])) == decay(X.reshape(60, 2, 10)) == 0.2
    assert decay(X, MLPClassifier(weight_decay=0.3)) == 0.3
    ensemble = BalancedBaggingNetClassifier(n_estimators=2, random_state=0).fit(X, y)
    assert {network.weight_decay for network in ensemble.estimators_} == {0.01}


def test_the_default_network_of_2000_rows():
    assert default_network(1999).get_params() == default_network().get_params()
    changed = default_network(2000).get_params().items() - default_network().get_params().items()
    assert changed == {("mixup", 0.0), ("weight_decay", 0.01)}
