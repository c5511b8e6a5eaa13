"""Probabilities of resampled and weighted classifiers for the class frequencies of the data."""

import numpy as np
import pandas as pd
import pytest
from imblearn.combine import SMOTEENN
from imblearn.ensemble import BalancedRandomForestClassifier
from imblearn.over_sampling import ADASYN, SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from skimbal import (
    BalancedBaggingNetClassifier,
    ECOEnsembleClassifier,
    FixedCostClassifier,
    MLPClassifier,
    TunedCostClassifierCV,
)
from skimbal.cost_sensitive import training_prior, unknown_balance
from skimbal.ensemble import PriorCorrectedClassifier
from skimbal.metrics import correct_prior, decide

RNG = np.random.default_rng(0)
COUNTS = np.array([150, 40, 10])
SHARES = COUNTS / 200
y = np.repeat([0, 1, 2], COUNTS)
X = RNG.normal(size=(200, 2)) + 1.5 * np.array([[0, 0], [1, 0], [0, 1]])[y]
BALANCED = LogisticRegression(class_weight="balanced")
NET = {"hidden_layer_sizes": (4,), "max_epochs": 3, "random_state": 0}


def fit(estimator, **params):
    return PriorCorrectedClassifier(estimator, **params).fit(X, y)


def shares(numbers):
    return np.asarray(numbers) / np.sum(numbers)


def resampled(sampler, last=None):
    return make_pipeline(StandardScaler(), sampler, LogisticRegression() if last is None else last)


@pytest.mark.parametrize(
    ("estimator", "expected"),
    [
        (GaussianNB(), SHARES),
        (BALANCED, np.ones(3)),
        (LogisticRegression(class_weight={2: 5}), COUNTS * [1, 1, 5]),
        (
            RandomForestClassifier(5, class_weight="balanced_subsample", random_state=0),
            np.ones(3),
        ),
        (CalibratedClassifierCV(BALANCED), SHARES),
        (resampled(RandomOverSampler(random_state=0)), np.ones(3)),
        (resampled(RandomUnderSampler(random_state=0)), np.ones(3)),
        (resampled(RandomOverSampler(sampling_strategy={2: 30})), [150, 40, 30]),
        (
            resampled(SMOTE(sampling_strategy={2: 30}), LogisticRegression(class_weight={2: 2})),
            [150, 40, 60],
        ),
        (make_pipeline(StandardScaler(), resampled(SMOTE(random_state=0))), np.ones(3)),
        (resampled(SMOTE(sampling_strategy={2: 30}), MLPClassifier(**NET)), [150, 40, 30]),
        (MLPClassifier(**NET, class_weight="balanced"), np.ones(3)),
        (MLPClassifier(**NET, sampler="sqrt"), np.sqrt(COUNTS)),
        (MLPClassifier(**NET, loss="focal"), SHARES),
        (GridSearchCV(BALANCED, {"C": [1.0]}, cv=2), np.ones(3)),
        (GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9]}, cv=2), SHARES),
        (FixedCostClassifier(BALANCED, costs={2: 3}), np.ones(3)),
        (TunedCostClassifierCV(BALANCED, cv=2, max_generations=2, refit="ensemble"), np.ones(3)),
        (BalancedBaggingNetClassifier(MLPClassifier(**NET), n_estimators=2), SHARES),
        (
            BalancedBaggingNetClassifier(
                MLPClassifier(**NET, class_weight="balanced"), n_estimators=2, random_state=0
            ),
            np.ones(3),
        ),
    ],
)
def test_what_the_training_has_seen(estimator, expected):
    corrected = fit(estimator)
    np.testing.assert_allclose(corrected.training_prior_, shares(expected), rtol=1e-6)
    np.testing.assert_allclose(corrected.data_prior_, SHARES)


@pytest.mark.parametrize("sampler", [ADASYN(random_state=0), SMOTEENN(random_state=0)], ids=repr)
def test_labels_of_samplers_that_keep_no_count(sampler):
    _, y_new = clone(sampler).fit_resample(StandardScaler().fit_transform(X), y)
    expected = shares(np.bincount(y_new, minlength=3))
    np.testing.assert_allclose(fit(resampled(sampler)).training_prior_, expected)


def test_the_probabilities_are_corrected():
    corrected = fit(resampled(RandomOverSampler(random_state=0)))
    plain = clone(resampled(RandomOverSampler(random_state=0))).fit(X, y).predict_proba(X)
    expected = correct_prior(plain, np.ones(3), COUNTS)
    np.testing.assert_allclose(corrected.predict_proba(X), expected)
    np.testing.assert_allclose(corrected.predict_log_proba(X), np.log(expected))
    np.testing.assert_allclose(corrected.decision_function(X), np.log(expected))
    np.testing.assert_array_equal(corrected.predict(X), expected.argmax(axis=1))


def test_the_correction_brings_the_probabilities_to_the_data():
    rng = np.random.default_rng(1)
    y_new = (rng.random(4000) < 0.05).astype(int)
    X_new = rng.normal(size=(4000, 2)) + 1.5 * y_new[:, None]
    train, test = slice(0, 2000), slice(2000, None)
    pipeline = make_pipeline(RandomOverSampler(random_state=0), LogisticRegression())
    corrected = PriorCorrectedClassifier(pipeline).fit(X_new[train], y_new[train])
    before = corrected.estimator_.predict_proba(X_new[test])[:, 1]
    after = corrected.predict_proba(X_new[test])[:, 1]
    assert before.mean() > 0.15
    assert after.mean() == pytest.approx(y_new[test].mean(), abs=0.01)
    assert brier_score_loss(y_new[test], after) < 0.6 * brier_score_loss(y_new[test], before)


def test_frequencies_that_are_given():
    forest = BalancedRandomForestClassifier(10, random_state=0)
    given = fit(forest, training_prior=[1, 1, 1], data_prior={0: 0.5, 1: 0.3, 2: 0.2})
    proba = clone(forest).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(
        given.predict_proba(X), correct_prior(proba, np.ones(3), [0.5, 0.3, 0.2])
    )
    names = np.array(["usual", "rare", "rarest"])[y]
    series = pd.Series({"usual": 1.0, "rare": 2.0, "rarest": 3.0})
    named = PriorCorrectedClassifier(GaussianNB(), training_prior=series).fit(X, names)
    np.testing.assert_allclose(named.training_prior_, shares([2, 3, 1]))  # rare, rarest, usual


@pytest.mark.parametrize(
    ("estimator", "reason"),
    [
        (MLPClassifier(**NET, loss="dice"), "loss=Dice"),
        (MLPClassifier(**NET, loss="focal", class_weight="balanced"), "loss=Focal"),
        (make_pipeline(StandardScaler(), MLPClassifier(**NET, sampler="dynamic")), "Dynamic"),
        (BalancedRandomForestClassifier(), "sampling_strategy"),
        (BalancedBaggingNetClassifier(sampling_strategy=0.5), "sampling_strategy"),
        (ECOEnsembleClassifier(), "over-samples"),
        (FrozenEstimator(GaussianNB()), "was fitted before"),
        (GridSearchCV(resampled(SMOTE()), {"smote__k_neighbors": [3]}), "resamples"),
    ],
)
def test_frequencies_that_cannot_be_derived_are_an_error_before_the_fit(estimator, reason):
    with pytest.raises(ValueError, match=f"can't be derived: .*{reason}.*training_prior="):
        PriorCorrectedClassifier(estimator).fit(None, y)


def test_a_search_that_finds_class_weights_is_looked_into():
    search = GridSearchCV(LogisticRegression(), {"class_weight": ["balanced"]}, cv=2)
    np.testing.assert_allclose(fit(search).training_prior_, np.full(3, 1 / 3))


def test_a_frozen_network_knows_what_it_has_seen():
    network = MLPClassifier(**NET, class_weight="balanced").fit(X, y)
    later = np.r_[0:100, 150:200]
    corrected = PriorCorrectedClassifier(FrozenEstimator(network)).fit(X[later], y[later])
    np.testing.assert_allclose(corrected.training_prior_, np.full(3, 1 / 3), rtol=1e-6)
    np.testing.assert_allclose(corrected.data_prior_, [100 / 150, 40 / 150, 10 / 150])


@pytest.mark.parametrize("name", ["training_prior", "data_prior"])
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([1, 1], "there are the classes"),
        ([1, 0, 1], "one positive"),
        ({0: 1, 1: 1}, "no value for the classes"),
        ("balanced", "must be a str among"),
    ],
)
def test_bad_frequencies_are_refused_before_the_fit(name, given, message):
    with pytest.raises(ValueError, match=message):
        PriorCorrectedClassifier(GaussianNB(), **{name: given}).fit(None, y)


def test_sample_weights_count_where_the_classifier_takes_them():
    weight = np.array([1.0, 1.0, 4.0])[y]
    weighted = PriorCorrectedClassifier(BALANCED).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(weighted.data_prior_, shares(COUNTS * [1, 1, 4]))
    np.testing.assert_allclose(
        PriorCorrectedClassifier(GaussianNB()).fit(X, y, weight).training_prior_,
        weighted.data_prior_,
    )
    with pytest.warns(UserWarning, match="KNeighborsClassifier takes no sample_weight"):
        neighbors = PriorCorrectedClassifier(KNeighborsClassifier()).fit(X, y, weight)
    np.testing.assert_allclose(neighbors.training_prior_, SHARES)


def test_a_class_without_weight_is_refused():
    weight = np.array([1.0, 1.0, 0.0])[y]
    with (
        pytest.warns(UserWarning, match="takes no"),
        pytest.raises(ValueError, match=r"\[2\] have no weight"),
    ):
        PriorCorrectedClassifier(KNeighborsClassifier()).fit(X, y, weight)


def test_metadata_routing():
    weight = RNG.uniform(0.5, 2.0, 200)
    with config_context(enable_metadata_routing=True):
        estimator = GaussianNB().set_fit_request(sample_weight=True)
        corrected = PriorCorrectedClassifier(estimator).fit(X, y, sample_weight=weight)
        last = BALANCED.set_fit_request(sample_weight=True)
        pipeline = PriorCorrectedClassifier(make_pipeline(PCA(), last))
        pipeline.fit(X, y, sample_weight=weight)
    expected = shares(np.bincount(y, weight))
    np.testing.assert_allclose(corrected.training_prior_, expected)
    np.testing.assert_allclose(pipeline.data_prior_, expected)


def test_costs_decide_on_the_corrected_probabilities():
    costs = np.array([[0.0, 1.0, 1.0], [4.0, 0.0, 4.0], [30.0, 30.0, 0.0]])
    network = MLPClassifier(**NET, class_weight="balanced", cost_matrix=costs)
    corrected = fit(network)
    expected = decide(corrected.predict_proba(X), costs)
    np.testing.assert_array_equal(corrected.predict(X), expected)


@pytest.mark.filterwarnings("error")
def test_costs_around_it_count_the_balance_once():
    inside = PriorCorrectedClassifier(BALANCED)
    prior = FixedCostClassifier(inside).fit(X, y)
    np.testing.assert_array_equal(prior.predict(X), clone(BALANCED).fit(X, y).predict(X))


def test_a_search_around_it_reaches_the_pipeline():
    search = GridSearchCV(
        PriorCorrectedClassifier(resampled(SMOTE(random_state=0))),
        {"estimator__smote__k_neighbors": [2, 3]},
        cv=2,
        scoring="neg_log_loss",
    )
    assert np.isfinite(search.fit(X, y).best_score_)


def test_the_functions_say_the_same():
    fitted = clone(BALANCED).fit(X, y)
    assert unknown_balance(fitted, [0, 1, 2]) is None
    np.testing.assert_allclose(training_prior(fitted, np.arange(3), COUNTS), np.full(3, 1 / 3))
    with pytest.raises(ValueError, match=r"not known: .*sampling_strategy"):
        training_prior(BalancedRandomForestClassifier(), np.arange(3), COUNTS)
