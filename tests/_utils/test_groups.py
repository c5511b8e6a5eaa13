"""Groups: their numbers, what is held out, folds, and who takes them."""

from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest
from imblearn.pipeline import make_pipeline as make_resampled
from imblearn.under_sampling import RandomUnderSampler
from sklearn import config_context
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier, StackingClassifier
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skimbal import DESearchCV, MLPClassifier, TunedCostClassifierCV
from skimbal._utils._groups import (
    check_group_counts,
    check_groups,
    group_folds,
    groups_params,
    held_out_groups,
    takes_groups,
    warn_of_lost_groups,
)
from skimbal.preprocessing import TableEncoder


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (["b", "a", "b"], [1, 0, 1]),
        (pd.Series([5, 7, 5], index=[9, 8, 7]), [0, 1, 0]),
        (pd.Categorical(["y", "x", "y"]), [1, 0, 1]),
        ([1, "1", 1], [0, 1, 0]),
        (np.array(["2020", "2021", "2020"], dtype="M8[Y]"), [0, 1, 0]),
        ([("ward", 2), ("ward", 1), ("ward", 2)], [1, 0, 1]),
        ([frozenset("a"), frozenset("b"), frozenset("a")], [0, 1, 0]),  # subsets are no order
        ([-0.0, 1.0, 0.0], [0, 1, 0]),
    ],
)
def test_groups_are_numbered(groups, expected):
    assert check_groups(groups, [0, 1, 1]).tolist() == expected


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT])
def test_missing_groups_are_refused(missing):
    with pytest.raises(ValueError, match="groups has 1 missing entries"):
        check_groups(pd.Series(["a", missing, "b"], dtype=object), [0, 1, 1])


@pytest.mark.parametrize("names", [[{1}, {2}, {1}], [[1], [2], [1]]], ids=["sets", "lists"])
def test_names_without_a_hash_are_refused(names):
    with pytest.raises(ValueError, match="names that cannot be told apart"):
        check_groups(names, [0, 1, 1])


STOPPED = MLPClassifier(early_stopping=True)


@pytest.mark.parametrize("wrap", [lambda m: m, lambda m: make_pipeline(StandardScaler(), m)])
@pytest.mark.parametrize(
    ("model", "without_routing", "with_routing"),
    [
        (CalibratedClassifierCV(LogisticRegression()), "cv that .* routing", "cv that takes"),
        (CalibratedClassifierCV(LogisticRegression(), cv=GroupKFold(2)), "routing", None),
        (CalibratedClassifierCV(STOPPED, cv=GroupKFold(2)), "CalibratedClassifierCV splits", None),
        (StackingClassifier([("a", LogisticRegression())], cv="prefit"), None, None),
        (LogisticRegressionCV(), "LogisticRegressionCV splits its samples", "cv that takes"),
        (HistGradientBoostingClassifier(early_stopping=True), "early_stopping=False", "early_st"),
        (GridSearchCV(LogisticRegression(), {}), "GridSearchCV splits", "GridSearchCV splits"),
        (GridSearchCV(STOPPED, {}, cv=GroupKFold(2)), "hands no groups on", None),
        (GridSearchCV(MLPClassifier(), {}, cv=GroupKFold(2)), None, None),
        (DESearchCV(STOPPED, {}, cv=2), None, None),
        (LogisticRegression(), None, None),
        (STOPPED, None, None),
    ],
    ids=repr,
)
@pytest.mark.parametrize("is_routed", [False, True])
def test_splits_that_groups_do_not_reach_warn(
    model, without_routing, with_routing, wrap, is_routed
):
    message = with_routing if is_routed else without_routing
    expects = nullcontext() if message is None else pytest.warns(UserWarning, match=message)
    with config_context(enable_metadata_routing=is_routed), expects:
        warn_of_lost_groups(wrap(model), 100)


@pytest.mark.parametrize("fraction", [0.1, 0.3, 0.9])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("seed", range(5))
def test_every_class_is_on_both_sides(fraction, n_classes, seed):
    rng = np.random.RandomState(seed)
    groups, targets = rng.randint(12, size=80), rng.randint(n_classes, size=80)
    held_out = np.isin(groups, held_out_groups(targets, groups, fraction, rng))
    assert set(targets[held_out]) == set(targets[~held_out]) == set(range(n_classes))


def test_about_the_fraction_of_groups_is_held_out():
    groups, targets = np.repeat(np.arange(100), 4), np.tile([0, 1, 0, 0], 100)
    assert len(held_out_groups(targets, groups, 0.2, np.random.RandomState(0))) == 20


def test_no_draw_has_every_class_on_both_sides():
    # Classes 0, 1 and 2 are in groups {0, 1}, {1, 2} and {0, 2}: two groups are on one side.
    groups, targets = np.array([0, 1, 1, 2, 0, 2]), np.array([0, 0, 1, 1, 2, 2])
    assert held_out_groups(targets, groups, 0.5, np.random.RandomState(0)) is None


def test_a_class_in_one_group_is_named():
    with pytest.raises(ValueError, match="class 'b' has 1 group, but a test needs 2"):
        check_group_counts(["a", "b"], np.array([0, 0, 1, 1]), np.array([0, 1, 2, 2]), "a test")


@pytest.mark.parametrize("seed", [None, 0])
@pytest.mark.parametrize("mixed", [False, True])
def test_folds_leave_groups_whole(seed, mixed):
    groups = np.repeat(np.arange(12), 5)
    y = np.tile([0, 0, 0, 1, 1], 12) if mixed else np.where(groups < 9, "usual", "rare")
    seen = []
    for train, test in group_folds(y, groups, 3, seed):
        assert not set(groups[train]) & set(groups[test])
        assert set(y[train]) == set(y[test]) == set(y)
        seen += test.tolist()
    assert sorted(seen) == list(range(60))


NET = MLPClassifier()


@pytest.mark.filterwarnings("ignore:.* splits its samples and gets no groups")
@pytest.mark.parametrize(
    ("estimator", "expected"),
    [
        (NET, "groups"),
        (make_pipeline(StandardScaler(), NET), "mlpclassifier__groups"),
        (
            make_pipeline(StandardScaler(), make_pipeline(StandardScaler(), NET)),
            "pipeline__mlpclassifier__groups",
        ),
        (TunedCostClassifierCV(LogisticRegression()), "groups"),
        (DESearchCV(LogisticRegression(), {"C": (1.0, 2.0)}), "groups"),
        (GridSearchCV(LogisticRegression(), {"C": [1.0]}, cv=GroupKFold(2)), "groups"),
        (GridSearchCV(LogisticRegression(), {"C": [1.0]}), None),
        (LogisticRegression(), None),
        (make_pipeline(StandardScaler(), LogisticRegression()), None),
        (CalibratedClassifierCV(LogisticRegression()), None),
    ],
)
def test_who_takes_groups_and_by_what_name(estimator, expected):
    assert takes_groups(estimator) == (expected is not None)
    assert list(groups_params(estimator, np.arange(3))) == ([] if expected is None else [expected])
    assert groups_params(estimator, None) == {}


@pytest.mark.parametrize(
    ("estimator", "expected"),
    [
        (make_pipeline(TableEncoder(), LogisticRegression()), ["tableencoder__groups"]),
        (
            make_pipeline("passthrough", TableEncoder(), NET),
            ["tableencoder__groups", "mlpclassifier__groups"],
        ),
        (
            make_pipeline(StandardScaler(), make_pipeline(TableEncoder(), NET)),
            ["pipeline__tableencoder__groups", "pipeline__mlpclassifier__groups"],
        ),
        (make_resampled(RandomUnderSampler(), TableEncoder(), LogisticRegression()), []),
        (
            make_resampled(TableEncoder(), RandomUnderSampler(), LogisticRegression()),
            ["tableencoder__groups"],
        ),
    ],
)
def test_transformers_of_a_pipeline_get_groups(estimator, expected):
    groups = np.arange(3)
    given = groups_params(estimator, groups)
    assert list(given) == expected
    assert all(value is groups for value in given.values())
