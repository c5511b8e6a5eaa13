"""Bags of rows, class by class."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from imblearn.under_sampling import RandomUnderSampler
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skimbal import BalancedBaggingNetClassifier
from skimbal.ensemble._bags import (
    bag_sizes,
    draw_bag,
    draw_group_bag,
    draw_two_units,
    group_strata,
    rows_by_class,
)
from skimbal.exceptions import UnknownLabelWarning
from skimbal.preprocessing import TableEncoder

y = np.repeat(["a", "b", "c"], [50, 20, 5])
two = np.repeat([0, 1], [90, 10])
ROWS = {label: np.flatnonzero(y == label) for label in "abc"}


@pytest.mark.parametrize(
    ("labels", "strategy"),
    [
        pytest.param(y, "auto", id="three-auto"),
        pytest.param(y, "majority", id="three-majority"),
        pytest.param(y, "not majority", id="three-not-majority"),
        pytest.param(y, "all", id="three-all"),
        pytest.param(y, {"a": 30, "b": 7}, id="three-counts"),
        pytest.param(two, 0.5, id="two-ratio"),
        pytest.param(two, "auto", id="two-auto"),
        pytest.param(y, lambda labels: {"a": 11}, id="three-callable"),
    ],
)
def test_sizes_are_those_of_imbalanced_learn(labels, strategy):
    sampler = RandomUnderSampler(sampling_strategy=strategy, random_state=0)
    _, resampled = sampler.fit_resample(labels[:, None], labels)
    assert bag_sizes(labels, strategy) == Counter(resampled.tolist())


def test_none_keeps_the_sizes():
    assert bag_sizes(y, None) == {"a": 50, "b": 20, "c": 5}


@pytest.mark.parametrize("replacement", [True, False])
def test_a_bag_has_the_sizes_asked_for(replacement):
    sizes = {"a": 10, "b": 20, "c": 5}
    bag = draw_bag(ROWS, sizes, replacement=replacement, rng=np.random.default_rng(0))
    assert Counter(y[bag].tolist()) == sizes
    assert (len(set(bag.tolist())) == len(bag)) == (not replacement)


def test_rows_are_drawn_evenly():
    rng = np.random.default_rng(0)
    counts = np.zeros(75)
    for _ in range(4000):
        np.add.at(counts, draw_bag(ROWS, {"a": 5, "b": 5, "c": 5}, replacement=True, rng=rng), 1)
    for label, rows in ROWS.items():
        expected = 4000 * 5 / len(rows)
        assert abs(counts[rows] - expected).max() < 5 * expected**0.5, label


@pytest.mark.parametrize(
    ("weight", "expected"),
    [(None, {"a": [0, 3], "b": [1, 2]}), ([1, 0, 2, 1], {"a": [0, 3], "b": [2]})],
)
def test_rows_by_class_leaves_out_weight_0(weight, expected):
    weight = None if weight is None else np.array(weight)
    rows = rows_by_class(np.array(["a", "b", "b", "a"]), weight)
    assert {label: own.tolist() for label, own in rows.items()} == expected


def test_a_strategy_may_name_a_class_that_a_fold_lacks():
    y = np.repeat(["usual", "rare"], [90, 10])
    for given in ({"odd": 3}, {"odd": 3, "usual": 20, "rare": 5}):
        with pytest.warns(UnknownLabelWarning, match="sampling_strategy names"):
            sizes = bag_sizes(y, given)
        assert sizes == {"rare": given.get("rare", 10), "usual": given.get("usual", 90)}


GROUPS = {
    "one class": np.repeat(np.arange(20), [3, 7] * 10),
    "all classes": np.arange(100) % 10,
    "some with two classes": np.arange(100) // 9,
}
TARGETS = {
    "one class": np.repeat(np.where(np.arange(20) < 14, "usual", "rare"), [3, 7] * 10),
    "all classes": np.where(np.arange(100) < 80, "usual", "rare"),
    "some with two classes": np.where(np.arange(100) < 60, "usual", "rare"),
}


@pytest.mark.parametrize("strategy", [None, "auto", 0.8], ids=str)
@pytest.mark.parametrize("replacement", [True, False])
@pytest.mark.parametrize("kind", GROUPS)
def test_bags_of_groups_have_their_sizes_and_leave_groups_out(kind, replacement, strategy):
    y, groups = TARGETS[kind], GROUPS[kind]
    rows, sizes = rows_by_class(y, None), bag_sizes(y, strategy)
    strata = group_strata(y, groups)
    assert sorted(np.concatenate(strata)) == sorted(set(groups))
    shares = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        bag = draw_group_bag(rows, sizes, groups, strata, replacement=replacement, rng=rng)
        labels, counts = np.unique(y[bag], return_counts=True)
        assert dict(zip(labels.tolist(), counts.tolist(), strict=True)) == sizes
        assert replacement or len(set(bag)) == len(bag)
        shares.append(1 - len(set(groups[bag])) / len(set(groups)))
    if replacement:  # 1 / e of the groups are out, on average
        assert 0.2 < np.mean(shares) < 0.5
    else:
        assert (np.mean(shares) > 0) == (strategy is not None and kind != "all classes")


def test_a_class_that_no_draw_has():
    groups, y = np.array([0, 0, 1, 2]), np.array(["a", "b", "a", "a"])
    strata = [np.array([1, 2])]  # without the only group of "b"
    with pytest.raises(ValueError, match="no group of some class"):
        draw_group_bag(
            rows_by_class(y, None), {"a": 1, "b": 1}, groups, strata,
            replacement=True, rng=np.random.default_rng(0),
        )  # fmt: skip  # settings side by side


def test_bags_with_two_rows_of_every_class_that_has_two():
    rows = {"a": np.arange(9), "b": np.array([9, 10]), "c": np.array([11])}

    def draw(rng):
        return np.concatenate([rng.choice(own, len(own)) for own in rows.values()])

    for seed in range(10):
        bag = draw_two_units(draw, rows, np.arange(12), rng=np.random.default_rng(seed))
        assert {9, 10, 11} <= set(bag)


def test_bags_with_two_groups_of_every_class_that_has_two():
    groups = np.array([0, 1, 2, 3, 4, 4, 5, 6, 6])
    rows = {"a": np.arange(4), "b": np.arange(4, 7), "c": np.array([7, 8])}

    def draw(rng):
        return np.concatenate([rng.choice(own, len(own)) for own in rows.values()])

    for seed in range(10):
        bag = draw_two_units(draw, rows, groups, rng=np.random.default_rng(seed))
        assert {4, 5, 6} <= set(groups[bag])


def test_an_encoder_of_targets_in_a_bag_sees_no_copy_of_the_row_it_encodes():
    # The category says nothing of the labels. A copy in another fold would give the label away.
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"wear": rng.normal(size=300), "order": rng.permutation(300) // 2})
    X["order"] = X["order"].astype(str)
    y = rng.permutation(300) % 2
    encoder = TableEncoder(max_one_hot=2, random_state=0)
    member = make_pipeline(encoder, StandardScaler(), LogisticRegression())
    ensemble = BalancedBaggingNetClassifier(member, encoding=None, random_state=0).fit(X, y)
    of_order = [pipeline[-1].coef_[0, 1] for pipeline in ensemble.estimators_]
    assert abs(np.mean(of_order)) < 0.3
