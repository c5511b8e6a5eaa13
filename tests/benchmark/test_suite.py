"""Suites and splits."""

import numpy as np
import pytest

from skimbal.benchmark import Suite, _suites
from skimbal.benchmark._protocol import Cell, Protocol
from skimbal.benchmark._suite import describe, describe_dataset, load_split, resolve_folds
from skimbal.benchmark._suites import DEMO_SETS, SUITES, resolve_suite
from skimbal.datasets import list_keel, load_keel

from . import toy


def load(name, split, n_folds, fold, trial, suite=toy.SUITE):
    protocol = Protocol("toy", ["m"], {}, n_folds, 1, split, 0, {})
    return load_split(suite, protocol, Cell(name, "m", fold, trial))


def test_the_suites_of_the_package():
    assert len(SUITES["keel58"].datasets) == 58
    assert len(SUITES["keel-dev"].datasets) == 42
    assert len(SUITES["keel-multiclass"].datasets) == 16
    assert not set(SUITES["keel58"].datasets) & set(SUITES["keel-dev"].datasets)
    ratios = list_keel().set_index("name").imbalance_ratio[list(DEMO_SETS)].tolist()
    assert len(ratios) == 6
    assert ratios == sorted(ratios)


def test_a_suite_by_name_or_itself():
    assert resolve_suite(toy.SUITE) is toy.SUITE
    with pytest.raises(ValueError, match="unknown suite 'keel85'; did you mean 'keel58'"):
        resolve_suite("keel85")


def test_a_subset_keeps_the_order_of_the_suite():
    assert toy.SUITE.subset(["large", "small"]).datasets == ("small", "large")


@pytest.mark.parametrize("trial", [0, 1])
def test_stratified_folds_partition_the_data(trial):
    X, y = toy.load_toy("small")
    parts = [load("small", "stratified", 4, fold, trial) for fold in range(1, 5)]
    tests = np.vstack([X_test for _, X_test, _, _ in parts])
    np.testing.assert_array_equal(np.sort(tests, axis=0), np.sort(X, axis=0))
    assert all((y_test == "yes").sum() == 2 for _, _, _, y_test in parts)
    assert all(len(X_train) + len(X_test) == len(y) for X_train, X_test, _, _ in parts)


def test_trials_shuffle_anew():
    tests = [load("small", "stratified", 4, 1, trial)[1] for trial in (0, 1, 0)]
    assert not np.array_equal(tests[0], tests[1])
    np.testing.assert_array_equal(tests[0], tests[2])


def test_official_folds_are_the_same_in_all_trials():
    parts = [load("large", "official", 5, 2, trial) for trial in (0, 1)]
    np.testing.assert_array_equal(parts[0][1], parts[1][1])
    np.testing.assert_array_equal(parts[0][1], toy.load_toy("large")[0][1::5])


def moved(X, y):
    X = X.copy()
    X[3, 1] = np.nextafter(X[3, 1], 9.0)
    return X, y


def swapped(X, y):
    y = y.copy()
    y[[0, -1]] = y[[-1, 0]]
    return X, y


@pytest.mark.parametrize("change", [moved, swapped, lambda X, y: (X[::-1], y)])
def test_a_fingerprint_notices_every_change_of_the_data(change):
    X, y = toy.load_toy("small")
    assert describe(*change(X, y)).fingerprint != describe(X, y).fingerprint


def load_windows(name):
    """Windows of two channels: class "b" has the persons 0 to 2, class "a" 0 to 5."""
    X = np.arange(24.0 * 2 * 5).reshape(24, 2, 5)
    return X, np.repeat(["a", "b"], [18, 6])


def persons(name):
    return np.concatenate([np.arange(18) % 6, np.arange(6) % 3])


GROUPED = Suite("grouped", ("windows",), load_windows, load_groups=persons)


@pytest.mark.parametrize("trial", [0, 1])
def test_no_group_is_on_both_sides_of_a_fold(trial):
    X, _ = load_windows("windows")
    person_of = dict(zip(X[:, 0, 0], persons("windows"), strict=True))
    parts = [load("windows", "stratified", 3, fold, trial, GROUPED) for fold in (1, 2, 3)]
    for X_train, X_test, _, y_test in parts:
        sides = [{person_of[value] for value in side[:, 0, 0]} for side in (X_train, X_test)]
        assert not sides[0] & sides[1]
        assert set(y_test) == {"a", "b"}
    np.testing.assert_array_equal(np.sort(np.vstack([p[1] for p in parts]), axis=0), X)


def test_inputs_of_several_axes_and_groups_are_in_the_fingerprint():
    X, y = load_windows("windows")
    info = describe_dataset(GROUPED, "windows")
    assert info.fingerprint.startswith("24x2x5 crc32 ")
    assert (info.shape, info.n_values) == ((24, 2, 5), 240)
    assert (info.smallest_class, info.smallest_count, info.unit) == ("b", 3, "groups")
    others = [describe(X, y), describe(X, y, persons("")[::-1]), describe(X + 1, y, persons(""))]
    assert info.fingerprint not in [other.fingerprint for other in others]
    assert describe(X, y, [f"p{n}" for n in persons("")]) == info


def test_more_folds_than_groups_of_a_class_are_refused():
    infos = {"windows": describe_dataset(GROUPED, "windows")}
    assert resolve_folds(GROUPED, infos, "stratified", 3) == {"windows": [1, 2, 3]}
    with pytest.raises(ValueError, match=r"class 'b' has 3 groups, but folds=4 needs at least 4"):
        resolve_folds(GROUPED, infos, "stratified", 4)


@pytest.mark.parametrize(
    ("load_set", "groups", "message"),
    [
        (lambda name: (np.zeros(6), np.zeros(6)), None, r"X has shape \(6,\) and y"),
        (lambda name: (np.zeros((6, 2)), np.zeros(5)), None, r"y has shape \(5,\)"),
        (lambda name: (np.zeros((6, 2)), np.zeros((6, 1))), None, r"y has shape \(6, 1\)"),
        (load_windows, lambda name: [1, 2], r"groups has shape \(2,\)"),
    ],
)
def test_shapes_that_do_not_agree_are_refused_with_the_data_set(load_set, groups, message):
    suite = Suite("mine", ("broken",), load_set, load_groups=groups)
    with pytest.raises(ValueError, match=rf"data set 'broken' of suite 'mine': .*{message}"):
        describe_dataset(suite, "broken")


@pytest.mark.parametrize(("kind", "rarest"), [(int, 1), (object, "yes"), (str, "yes")])
def test_the_kind_of_labels_changes_no_fingerprint(kind, rarest):
    X, y = toy.load_toy("small")
    info = describe(X, (y == "yes").astype(int) if kind is int else y.astype(kind))
    assert info.n_values == 38 * 3
    assert (info.smallest_class, info.smallest_count) == (rarest, 8)
    assert info.fingerprint == describe(X, y).fingerprint


def test_the_suites_of_rare_attacks_and_of_failures(monkeypatch):
    options = {}
    monkeypatch.setattr(_suites, "load_kddcup99", lambda **given: options.update(given) or (1, 2))
    monkeypatch.setattr(_suites, "load_ai4i2020", lambda return_X_y: (3, return_X_y))
    assert SUITES["kdd99"].load("kdd99") == (1, 2)
    assert (options["min_per_class"], options["max_per_class"]) == (10, 5000)
    assert (options["random_state"], options["return_X_y"]) == (0, True)
    assert SUITES["ai4i2020"].load("ai4i2020") == (3, True)


def test_the_suites_load_real_data():
    X, y = SUITES["demo"].load("glass0")
    np.testing.assert_array_equal(X, load_keel("glass0", return_X_y=True)[0])
    assert len(y) == 214
    assert SUITES["keel58"].folds_of("abalone9-18") == (2, 3, 4, 5)
