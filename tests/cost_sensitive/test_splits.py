"""The splits of a cost search: their number, their rows, and what is refused."""

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold

from skimbal.cost_sensitive._splits import make_splits, possible_folds, weighted_classes
from skimbal.exceptions import FewerFoldsWarning

y = np.repeat(["usual", "rare"], [30, 6])
X = np.zeros((36, 1))


def split(cv, sample_weight=None, refit=True):
    rng = np.random.RandomState(0)
    return make_splits(cv, refit, X, y, sample_weight, rng, {})


@pytest.mark.parametrize(("cv", "n_splits"), [(None, 5), (3, 3), (0.5, 1), (StratifiedKFold(4), 4)])
def test_number_of_splits(cv, n_splits):
    splits = split(cv)
    assert len(splits) == n_splits
    for train, test in splits:
        assert not set(train) & set(test)
        assert set(y[test]) == {"usual", "rare"}


@pytest.mark.parametrize("cv", [3, 0.5])
def test_samples_of_weight_0_are_in_no_split(cv):
    weight = np.ones(36)
    weight[[0, 7, 33]] = 0.0
    used = np.concatenate([np.concatenate(rows) for rows in split(cv, weight)])
    assert not set(used) & {0, 7, 33}
    assert set(used) == set(np.flatnonzero(weight))


def test_the_smallest_class_limits_the_number_of_folds():
    assert possible_folds(y, 6) == 6
    with pytest.warns(FewerFoldsWarning, match="class 'rare' has 6 samples, but cv=9 .* 6 folds"):
        assert possible_folds(y, 9) == 6


@pytest.mark.parametrize(
    ("weight", "expected"), [(None, ["rare", "usual"]), (np.arange(36) < 30, ["usual"])]
)
def test_classes_with_a_weight(weight, expected):
    assert weighted_classes(y, weight).tolist() == expected


HALVES = [(np.arange(30), np.arange(30, 36)), (np.arange(30, 36), np.arange(30))]


@pytest.mark.parametrize(
    ("cv", "refit", "message"),
    [
        (2, False, "cv=2 makes 2 of them"),
        (HALVES, "ensemble", r"trains on no sample of the classes \['rare'\]"),
        (HALVES[:1], True, r"hold out no sample of the classes \['usual'\]"),
    ],
)
def test_bad_splits(cv, refit, message):
    with pytest.raises(ValueError, match=message):
        split(cv, refit=refit)
