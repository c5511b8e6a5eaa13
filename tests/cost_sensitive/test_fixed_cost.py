"""Costs that are given, in every form, and the prior threshold."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import AdaBoostClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from skimbal import FixedCostClassifier, TunedCostClassifierCV

RNG = np.random.default_rng(0)
y = np.repeat([0, 1, 2], [60, 25, 10])
X = RNG.normal(size=(95, 3)) + y[:, None] * [1.0, -0.5, 0.2]
TWO = y < 2
NAMES = np.array(["usual", "rare", "rarest"])
MATRIX = np.array([[0.0, 1.0, 2.0], [3.0, 0.0, 4.0], [15.0, 6.0, 0.0]])


class Untrainable(ClassifierMixin, BaseEstimator):
    def fit(self, X, y, sample_weight=None):
        raise AssertionError("trained")

    def predict_proba(self, X):
        raise AssertionError("trained")


def fit(costs, labels=y):
    return FixedCostClassifier(GaussianNB(), costs=costs).fit(X, labels)


def test_inverse_frequency_cuts_two_classes_at_the_prevalence():
    fixed = FixedCostClassifier(GaussianNB()).fit(X[TWO], y[TWO])
    expected = fixed.predict_proba(X)[:, 1] > y[TWO].mean()
    np.testing.assert_array_equal(fixed.predict(X), expected.astype(int))
    assert expected.sum() > GaussianNB().fit(X[TWO], y[TWO]).predict(X).sum()


def test_inverse_frequency_by_hand():
    costs = fit("inverse_frequency").cost_matrix_
    np.testing.assert_allclose(costs[1:, 0] / costs[0, 1], [60 / 25, 60 / 10])
    assert np.prod([costs[0, 1], costs[1, 0], costs[2, 0]]) == pytest.approx(1.0)


CLASSES = ["rare", "rarest", "usual"]


@pytest.mark.parametrize(
    ("costs", "expected"),
    [
        ({"rare": 4.0}, [[0, 4, 4], [1, 0, 1], [1, 1, 0]]),  # classes_: rare, rarest, usual
        ({"usual": 0.5, "rarest": 9}, [[0, 1, 1], [9, 0, 9], [0.5, 0.5, 0]]),
        ([2.0, 3.0, 4.0], [[0, 2, 2], [3, 0, 3], [4, 4, 0]]),
        (MATRIX.tolist(), MATRIX),
        (pd.DataFrame(MATRIX, CLASSES, CLASSES).iloc[::-1], MATRIX),
    ],
)
def test_every_form_of_costs(costs, expected):
    fixed = fit(costs, NAMES[y])
    assert fixed.classes_.tolist() == CLASSES
    np.testing.assert_array_equal(fixed.cost_matrix_, expected)


def test_predict_has_the_least_expected_cost():
    fixed = fit(MATRIX)
    proba = fixed.predict_proba(X)
    risk = [[sum(p[i] * MATRIX[i, j] for i in range(3)) for j in range(3)] for p in proba]
    np.testing.assert_array_equal(fixed.predict(X), np.argmin(risk, axis=1))
    np.testing.assert_array_equal(proba, GaussianNB().fit(X, y).predict_proba(X))


def test_equal_costs_are_the_largest_probability():
    np.testing.assert_array_equal(fit([1, 1, 1]).predict(X), GaussianNB().fit(X, y).predict(X))


def test_a_frozen_classifier_is_not_trained_again():
    fitted = GaussianNB().fit(X, y)
    before = pickle.dumps(fitted)
    fixed = FixedCostClassifier(FrozenEstimator(fitted), costs={2: 9}).fit(X[::3], y[::3])
    assert pickle.dumps(fitted) == before
    np.testing.assert_array_equal(fixed.predict_proba(X), fitted.predict_proba(X))


def test_sample_weight_weighs_the_frequencies_and_the_classifier():
    weight = RNG.integers(1, 4, size=95)
    fixed = FixedCostClassifier(GaussianNB()).fit(X, y, sample_weight=weight)
    repeated = FixedCostClassifier(GaussianNB()).fit(X.repeat(weight, axis=0), y.repeat(weight))
    np.testing.assert_allclose(fixed.cost_matrix_, repeated.cost_matrix_)
    np.testing.assert_allclose(fixed.predict_proba(X), repeated.predict_proba(X))
    none = FixedCostClassifier(KNeighborsClassifier()).fit(X, y, sample_weight=None)
    np.testing.assert_array_equal(none.cost_matrix_, fit("inverse_frequency").cost_matrix_)


def test_a_classifier_without_weights_is_fitted_without():
    weight = RNG.integers(1, 4, size=95)
    with pytest.warns(UserWarning, match="KNeighborsClassifier takes no sample_weight") as seen:
        fixed = FixedCostClassifier(KNeighborsClassifier()).fit(X, y, weight)
    assert seen[0].filename == __file__
    weighted = FixedCostClassifier(GaussianNB()).fit(X, y, weight)
    np.testing.assert_array_equal(fixed.cost_matrix_, weighted.cost_matrix_)


def test_meta_estimators_pass_weights_on():
    weight = RNG.integers(1, 4, size=95)
    fixed = FixedCostClassifier(GaussianNB())
    boosted = AdaBoostClassifier(fixed, n_estimators=2, random_state=0).fit(X, y)
    assert boosted.predict(X).shape == (95,)
    tuned = TunedCostClassifierCV(fixed, random_state=0).fit(X, y, weight)
    direct = TunedCostClassifierCV(GaussianNB(), random_state=0).fit(X, y, weight)
    np.testing.assert_allclose(tuned.predict_proba(X), direct.predict_proba(X))


def test_negative_weights_are_refused():
    with pytest.raises(ValueError, match=r"[Nn]egative"):
        FixedCostClassifier(Untrainable()).fit(X, y, sample_weight=-np.ones(95))


def test_classes_are_those_that_the_classifier_knows():
    frozen = FrozenEstimator(GaussianNB().fit(X, y))
    two = FixedCostClassifier(FrozenEstimator(GaussianNB().fit(X[TWO], y[TWO])), costs={1: 9})
    two.fit(X, y)
    assert two.classes_.tolist() == [0, 1]
    np.testing.assert_array_equal(two.cost_matrix_, [[0, 1], [9, 0]])
    assert set(two.predict(X)) == {0, 1}
    with pytest.raises(ValueError, match=r"knows the classes \[2\], but y has none of them"):
        FixedCostClassifier(frozen).fit(X[TWO], y[TWO])


def test_metadata_routing():
    weight = RNG.uniform(0.5, 2, size=95)
    with config_context(enable_metadata_routing=True):
        estimator = GaussianNB().set_fit_request(sample_weight=True)
        fixed = FixedCostClassifier(estimator).fit(X, y, sample_weight=weight)
    expected = GaussianNB().fit(X, y, weight).predict_proba(X)
    np.testing.assert_array_equal(fixed.predict_proba(X), expected)


def test_names_of_features_are_those_of_the_last_fit():
    fixed = FixedCostClassifier(LogisticRegression()).fit(pd.DataFrame(X, columns=list("abc")), y)
    assert fixed.feature_names_in_.tolist() == list("abc")
    fixed.fit(X, y)
    assert not hasattr(fixed, "feature_names_in_")
    assert fixed.n_features_in_ == 3


def test_clone_and_pickle():
    fixed = FixedCostClassifier(GaussianNB(), costs={2: 9})
    assert clone(fixed).costs == {2: 9}
    fixed.fit(X, y)
    again = pickle.loads(pickle.dumps(fixed))
    np.testing.assert_array_equal(again.predict(X), fixed.predict(X))


@pytest.mark.parametrize(
    ("costs", "message"),
    [
        ("balanced", "unknown costs 'balanced'; use 'inverse_frequency'"),
        (pd.Series({3: 2.0}), r"costs names the labels \[3\], .* classes are \[0, 1, 2\]"),
        (pd.DataFrame(MATRIX, list("abc"), list("abc")), r"costs names the labels \['a', 'b'"),
        ({0: -1.0}, "not negative|negative"),
        ([1.0, 2.0], "costs has 2 entries, but there are 3 classes"),
        ([1.0, np.inf, 1.0], "finite"),
        ([0.0, 0.0, 0.0], "all predictions cost the same"),
        (np.ones((2, 3)), r"shape \(2, 3\)"),
        (np.ones((3, 3)), "all predictions cost the same"),
        (-MATRIX, "below the cost of the correct"),
        (np.where(MATRIX > 5, np.nan, MATRIX), "NaN or infinite"),
        (np.zeros((3, 3)), "all predictions cost the same"),
        (np.ones((1, 3, 3)), r"shape \(1, 3, 3\)"),
        (2.0, "The 'costs' parameter"),
    ],
)
def test_bad_costs_are_refused_before_any_training(costs, message):
    with pytest.raises(ValueError, match=message):
        FixedCostClassifier(Untrainable(), costs=costs).fit(X, y)


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="y has 1 class"):
        FixedCostClassifier(Untrainable()).fit(X, np.zeros(95))
    with pytest.raises(ValueError, match="y has 1 class with a positive sample_weight"):
        FixedCostClassifier(Untrainable()).fit(X, y, sample_weight=(y == 1).astype(float))


@pytest.mark.filterwarnings("ignore:FrozenEstimator takes no sample_weight")
@pytest.mark.parametrize("scale", [1e-320, 1e-310, 1e300, 1e306])
def test_the_scale_of_the_weights_changes_no_costs(scale):
    frozen = FrozenEstimator(GaussianNB().fit(X, y))
    one, other = (
        FixedCostClassifier(frozen).fit(X, y, sample_weight=np.full(len(y), weight))
        for weight in (1.0, scale)
    )
    np.testing.assert_allclose(other.cost_matrix_, one.cost_matrix_, rtol=1e-9)
