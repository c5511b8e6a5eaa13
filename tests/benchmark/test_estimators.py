"""Samplers on folds that are too small for them, and random costs."""

import warnings
from collections import Counter

import numpy as np
import pytest
from imblearn.over_sampling import ADASYN, SMOTE, SVMSMOTE, BorderlineSMOTE
from sklearn.linear_model import LogisticRegression

from skimbal.benchmark._estimators import (
    FoldSafeSampler,
    RandomCostClassifier,
    ResamplingWarning,
    allowed_neighbors,
)

SAMPLERS = [
    ADASYN(random_state=0),
    SMOTE(random_state=0),
    BorderlineSMOTE(kind="borderline-1", random_state=0),
    BorderlineSMOTE(kind="borderline-2", random_state=0),
    SVMSMOTE(random_state=0),
]
sampler_ids = ["adasyn", "smote", "borderline1", "borderline2", "svm"]


def make_data(n_minority, n_majority=40, shift=1.0):
    random = np.random.default_rng(0)
    X = random.normal(size=(n_majority + n_minority, 2))
    X[n_majority:] += shift
    return X, np.repeat(["no", "yes"], [n_majority, n_minority])


@pytest.mark.parametrize(
    ("n_smallest", "n_samples", "expected"),
    [(4, 50, (3, 10)), (6, 50, (5, 10)), (1, 50, (1, 10)), (3, 8, (2, 7))],
)
def test_neighbors_that_a_fold_allows(n_smallest, n_samples, expected):
    allowed = allowed_neighbors({"k_neighbors": 5, "m_neighbors": 10}, n_smallest, n_samples)
    assert tuple(allowed.values()) == expected


@pytest.mark.parametrize("sampler", SAMPLERS, ids=sampler_ids)
def test_a_large_fold_is_resampled_as_without_the_wrapper(sampler):
    X, y = make_data(12)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours = FoldSafeSampler(sampler).fit_resample(X, y)
        theirs = sampler.fit_resample(X, y)
    np.testing.assert_array_equal(ours[0], theirs[0])
    np.testing.assert_array_equal(ours[1], theirs[1])


@pytest.mark.parametrize("sampler", SAMPLERS, ids=sampler_ids)
@pytest.mark.parametrize("n_minority", [1, 2, 3, 5])
def test_small_minorities_survive(sampler, n_minority):
    X, y = make_data(n_minority)
    with pytest.warns(ResamplingWarning):
        X_new, y_new = FoldSafeSampler(sampler).fit_resample(X, y)
    assert len(X_new) == len(y_new)
    np.testing.assert_array_equal(X_new[: len(X)], X)
    assert set(y_new) == {"no", "yes"}


def test_smote_balances_a_minority_of_two():
    with pytest.warns(ResamplingWarning, match=r"SMOTE uses \{'k_neighbors': 1\} instead of"):
        _, y_new = FoldSafeSampler(SMOTE(random_state=0)).fit_resample(*make_data(2))
    assert Counter(y_new) == {"no": 40, "yes": 40}


def test_adasyn_leaves_separated_classes_as_they_are():
    X, y = make_data(12, shift=100.0)
    with pytest.raises((ValueError, RuntimeError)):
        ADASYN(random_state=0).fit_resample(X, y)
    with pytest.warns(ResamplingWarning, match="ADASYN did not change the training data"):
        X_new, y_new = FoldSafeSampler(ADASYN(random_state=0)).fit_resample(X, y)
    np.testing.assert_array_equal(X_new, X)
    np.testing.assert_array_equal(y_new, y)


def test_the_sampler_that_was_given_is_not_changed():
    sampler = SMOTE(random_state=0)
    with pytest.warns(ResamplingWarning):
        FoldSafeSampler(sampler).fit_resample(*make_data(3))
    assert sampler.k_neighbors == 5
    assert not hasattr(sampler, "sampling_strategy_")


def test_random_costs_decide_by_weighted_probabilities():
    X, y = make_data(15)
    model = RandomCostClassifier(LogisticRegression(), random_state=3).fit(X, y)
    probabilities = LogisticRegression().fit(X, y).predict_proba(X)
    np.testing.assert_allclose(model.predict_proba(X), probabilities)
    expected = model.classes_[(probabilities * model.costs_).argmax(axis=1)]
    np.testing.assert_array_equal(model.predict(X), expected)


def test_random_costs_come_from_the_seed_and_fill_the_interval():
    X, y = make_data(15)
    costs = np.array(
        [
            RandomCostClassifier(LogisticRegression(), random_state=seed).fit(X, y).costs_
            for seed in range(100)
        ]
    )
    again = RandomCostClassifier(LogisticRegression(), random_state=7).fit(X, y).costs_
    np.testing.assert_array_equal(costs[7], again)
    assert costs.min() > 0
    assert costs.max() <= 1
    assert costs.min() < 0.05
    assert costs.max() > 0.95
