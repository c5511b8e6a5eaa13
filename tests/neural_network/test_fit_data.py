"""Validation, encoding, counts and what is held out."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone

from skimbal import DESearchCV, ECSDBNClassifier, MLPClassifier, TunedCostClassifierCV
from skimbal.neural_network._fit_data import (
    TrainingData,
    check_input_shape,
    check_inputs,
    copies,
    count_classes,
    drop_weightless,
    encode_labels,
    given_class_counts,
    is_held_out,
    validate_training_data,
)
from skimbal.preprocessing import index_windows

from .networks import NETWORKS


def hold_out(data, *arguments):
    """The rows for training, and those for validation."""
    is_valid = is_held_out(data, *arguments)
    return data.take(~is_valid), data.take(is_valid)


@pytest.mark.parametrize(("n_rare", "fraction"), [(4, 0.1), (3, 0.9), (2, 0.5)])
def test_early_stopping_holds_out_some_of_each_class_and_not_all(n_rare, fraction):
    X = np.random.default_rng(0).normal(size=(200, 2))
    y = np.arange(200) < n_rare
    network = clone(NETWORKS[0]).set_params(
        early_stopping=True, validation_fraction=fraction, scoring="roc_auc"
    )
    data = TrainingData(X, y.astype(int), None)
    classes = np.array([False, True])
    train, valid = hold_out(data, classes, fraction, np.random.RandomState(0), "early_stopping")
    n_held_out = min(max(round(fraction * n_rare), 1), n_rare - 1)
    assert (train.targets.sum(), valid.targets.sum()) == (n_rare - n_held_out, n_held_out)
    assert len(valid.targets) == n_held_out + round(fraction * (200 - n_rare))
    together = np.concatenate([train.X, valid.X])
    np.testing.assert_array_equal(np.sort(together, axis=0), np.sort(X, axis=0))
    assert network.fit(X, y).history_.valid_score.notna().all()


def test_early_stopping_with_a_class_of_one_sample():
    X, y = np.arange(10.0)[:, None], np.arange(10) == 3
    with pytest.raises(ValueError, match="class True has 1 sample, but early_stopping"):
        clone(NETWORKS[0]).set_params(early_stopping=True).fit(X, y)


def test_counts_of_a_stream_follow_the_classes_as_they_are_given(imbalanced):
    X, y = imbalanced
    labels = np.where(y == "rare", "a", "b")
    for classes, counts in ((["b", "a"], [400, 40]), (["a", "b"], [40, 400])):
        network = MLPClassifier(class_weight="balanced", random_state=0)
        network.partial_fit(X, labels, classes=classes, class_counts=counts)
        np.testing.assert_allclose(network.class_weight_, [5.5, 0.55], rtol=1e-5)


def test_partial_fit_needs_counts_for_weights_that_depend_on_them(imbalanced):
    X, y = imbalanced
    network = clone(NETWORKS[0]).set_params(class_weight="balanced")
    with pytest.raises(ValueError, match="class_counts"):
        network.partial_fit(X, y, classes=["rare", "usual"])
    network.partial_fit(X, y, classes=["rare", "usual"], class_counts={"rare": 10, "usual": 90})
    np.testing.assert_allclose(network.class_weight_, [5.0, 0.555556], rtol=1e-5)
    with pytest.raises(ValueError, match="one positive number for each"):
        clone(network).partial_fit(X, y, classes=["rare", "usual"], class_counts=[1, 2, 3])


X = np.arange(12.0).reshape(6, 2)
TARGETS = np.array([0, 0, 1, 2, 2, 2])
CLASSES = np.array(["a", "b", "c"])


@pytest.mark.parametrize(
    ("weight", "expected"),
    [(None, [2.0, 1.0, 3.0]), ([1.0, 0.5, 2.0, 1.0, 1.0, 0.25], [1.5, 2.0, 2.25])],
)
@pytest.mark.parametrize("n_classes", [3, 4])
def test_counts_are_sums_of_the_weights(weight, expected, n_classes):
    weight = None if weight is None else np.array(weight)
    counts = count_classes(TrainingData(X, TARGETS, weight), n_classes)
    assert counts.tolist() == expected + [0.0] * (n_classes - 3)


@pytest.mark.parametrize("weight", [None, np.arange(6.0)])
def test_rows_of_the_data(weight):
    taken = TrainingData(X, TARGETS, weight).take(np.array([1, 0, 0, 1, 0, 0], dtype=bool))
    assert taken.X.tolist() == [[0, 1], [6, 7]]
    assert taken.targets.tolist() == [0, 2]
    assert taken.sample_weight is None or taken.sample_weight.tolist() == [0, 3]


@pytest.mark.parametrize(
    ("weight", "kept"),
    [(None, [0, 1, 2, 3, 4, 5]), ([0, 1, 0, 2, 3, 0], [1, 3, 4]), ([1] * 6, [0, 1, 2, 3, 4, 5])],
)
def test_samples_without_weight_are_left_out(weight, kept):
    weight = None if weight is None else np.array(weight, dtype=float)
    rows, labels, of_rows, groups, nothing = drop_weightless(X, TARGETS, weight, np.arange(6), None)
    assert rows.tolist() == X[kept].tolist()
    assert labels.tolist() == TARGETS[kept].tolist()
    assert groups.tolist() == kept
    assert nothing is None
    if weight is not None:
        np.testing.assert_array_equal(of_rows, weight[kept])


@pytest.mark.parametrize(
    ("labels", "expected"), [(["c", "a", "c"], [2, 0, 2]), (["b"], [1]), ([], [])]
)
def test_labels_are_encoded_by_their_places(labels, expected):
    assert encode_labels(np.array(labels, dtype="U1"), CLASSES).tolist() == expected


@pytest.mark.parametrize(
    ("labels", "unknown"),
    [
        (["a", "z"], "'z'"),
        (["y", "x"], "'x', 'y'"),
        (np.array(["a", 1, "z", 1], dtype=object), "1, 'z'"),
        (np.array(["a", None], dtype=object), "None"),
    ],
)
def test_unknown_labels_are_named(labels, unknown):
    with pytest.raises(ValueError, match=rf"\[{unknown}\], which are not in classes"):
        encode_labels(np.array(labels), CLASSES)


@pytest.mark.parametrize(
    "given", [[2, 1, 3], np.array([2.0, 1.0, 3.0]), {"c": 3, "a": 2, "b": 1}], ids=str
)
def test_given_counts_follow_the_classes(given):
    assert given_class_counts(given, CLASSES).tolist() == [2.0, 1.0, 3.0]


@pytest.mark.parametrize("given", [[1, 2], [1, 2, 0], {"a": 1, "b": 2}, [1, 2, np.nan]], ids=str)
def test_given_counts_are_positive_and_complete(given):
    with pytest.raises(ValueError, match=r"(one positive number for|give one for) each of"):
        given_class_counts(given, CLASSES)


@pytest.mark.parametrize("shape", [(5,), (2, 3)])
def test_samples_of_another_shape(shape):
    check_input_shape(np.zeros((4, *shape)), shape, "Network")
    with pytest.raises(ValueError, match=r"Network was fitted on samples of shape"):
        check_input_shape(np.zeros((4, 7)), shape, "Network")


@pytest.mark.parametrize(
    ("n_samples", "fraction", "n_expected"),
    [
        ([20, 10], 0.1, [2, 1]),
        ([20, 10], 0.25, [5, 2]),
        ([2, 10], 0.01, [1, 1]),
        ([2, 10], 0.99, [1, 9]),
    ],
)
def test_held_out_samples_are_stratified(n_samples, fraction, n_expected):
    targets = np.repeat([0, 1], n_samples)
    data = TrainingData(np.arange(len(targets))[:, None], targets, np.arange(len(targets)) + 1.0)
    train, valid = hold_out(data, CLASSES[:2], fraction, np.random.RandomState(0), "a test")
    assert np.bincount(valid.targets).tolist() == n_expected
    assert sorted([*train.X[:, 0], *valid.X[:, 0]]) == list(range(len(targets)))
    for part in (train, valid):
        assert part.sample_weight.tolist() == (part.X[:, 0] + 1).tolist()
        assert part.targets.tolist() == targets[part.X[:, 0]].tolist()


def test_whole_recordings_are_held_out():
    windows = index_windows([np.zeros((1, 20), np.float32)] * 8, size=8, step=4)
    data = TrainingData(windows, windows.recording % 2, None)
    train, valid = hold_out(data, CLASSES[:2], 0.25, np.random.RandomState(0), "a test")
    held_out = set(valid.X.recording.tolist())
    assert len(held_out) == 2
    assert not held_out & set(train.X.recording.tolist())
    assert {recording % 2 for recording in held_out} == {0, 1}


def test_the_reason_of_a_class_that_is_too_small():
    data = TrainingData(X, TARGETS, None)
    with pytest.raises(ValueError, match=r"class 'b' has 1 sample, but a test needs 2"):
        hold_out(data, CLASSES, 0.5, np.random.RandomState(0), "a test")


class Estimator(BaseEstimator):
    _takes_windows, _takes_sparse, _takes_dict = True, False, False


@pytest.mark.parametrize(
    ("given", "attributes"),
    [
        (pd.DataFrame(X, columns=["u", "v"]), {"n_features_in_": 2, "feature_names_in_": 2}),
        (X, {"n_features_in_": 2}),
        (np.zeros((3, 2, 4)), {}),
    ],
    ids=["frame", "table", "signals"],
)
def test_attributes_of_the_inputs(given, attributes):
    estimator = Estimator()
    estimator.n_features_in_ = 99  # of an earlier fit
    array = check_inputs(estimator, given, reset=True)
    np.testing.assert_array_equal(array, given)
    assert vars(estimator).keys() == attributes.keys()
    assert getattr(estimator, "n_features_in_", None) == attributes.get("n_features_in_")


@pytest.mark.parametrize("takes_windows", [True, False])
def test_windows_stay_windows_where_they_are_taken(takes_windows):
    windows = index_windows([np.arange(20.0, dtype=np.float32)[None]], size=8, step=4)
    estimator = Estimator()
    estimator._takes_windows = takes_windows
    given = check_inputs(estimator, windows, reset=True)
    assert (given is windows) == takes_windows
    np.testing.assert_array_equal(np.asarray(given), np.asarray(windows))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"X": X[:5]}, "inconsistent numbers of samples"),
        ({"y": None}, "requires y to be passed"),
        ({"y": np.linspace(0, 1, 6)}, "Unknown label type"),
        ({"X": np.where(X == 3, np.nan, X)}, "contains NaN"),
        ({"sample_weight": [1, 1, 1, 1, 1, -1]}, "Negative values"),
        ({"sample_weight": [1, 1]}, "sample_weight.shape"),
    ],
    ids=["lengths", "no y", "numbers", "NaN", "negative", "weights"],
)
def test_invalid_training_data(given, message):
    data = {"X": X, "y": TARGETS, "sample_weight": None, **given}
    with pytest.raises(ValueError, match=message):
        validate_training_data(MLPClassifier(), **data, reset=True)


# ---------------------------------------------------------------- groups, copies, own validation


def test_groups_are_left_whole():
    groups = np.arange(60) % 12
    data = TrainingData(np.arange(60.0)[:, None], np.arange(60) // 12 % 2, None, groups)
    train, valid = hold_out(data, CLASSES[:2], 0.25, np.random.RandomState(0), "a test")
    assert len(set(valid.groups)) == 3
    assert not set(train.groups) & set(valid.groups)
    assert len(train.targets) + len(valid.targets) == 60


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([0, 1, 2, 2], "has 1 group, but a test needs 2 of each class"),
        ([0, 1, 1, 0], None),
    ],
)
def test_classes_that_are_in_few_groups(groups, message):
    data = TrainingData(np.arange(4.0)[:, None], np.array([0, 0, 1, 1]), None, np.array(groups))
    if message is None:
        train, valid = hold_out(data, CLASSES[:2], 0.5, np.random.RandomState(0), "a test")
        assert set(train.targets) == set(valid.targets) == {0, 1}
    else:
        with pytest.raises(ValueError, match=message):
            hold_out(data, CLASSES[:2], 0.5, np.random.RandomState(0), "a test")


def test_groups_that_cannot_be_split_say_what_to_do():
    targets, groups = np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 1, 2, 0, 2])
    data = TrainingData(np.zeros((6, 1)), targets, None, groups)
    with pytest.raises(ValueError, match=r"no split of the groups .*\(X_val, y_val\)"):
        hold_out(data, CLASSES, 0.5, np.random.RandomState(0), "a test")


@pytest.mark.parametrize("shape", [(40, 3), (40, 2, 5), (40, 1, 4, 4)], ids=str)
def test_copies_are_one_unit(shape):
    rng = np.random.default_rng(0)
    X = rng.normal(size=shape)
    rows = rng.integers(40, size=100)
    units = copies(X[rows], rows % 2)
    first = [np.flatnonzero(rows == row)[0] for row in rows]
    np.testing.assert_array_equal(units, first)
    np.testing.assert_array_equal(copies(X, np.arange(40) % 2), np.arange(40))


def test_zeros_of_both_signs_are_copies():
    X = np.array([[0.0, 1.0], [-0.0, 1.0], [0.0, -1.0]])
    assert copies(X, np.array([0, 0, 0])).tolist() == [0, 0, 2]


def test_copies_of_a_class_that_has_one_sample_can_be_held_out():
    X = np.r_[np.arange(6.0), [9.0, 9.0, 9.0]][:, None]
    assert copies(X, np.repeat([0, 1], [6, 3])).tolist() == list(range(9))


def validation_data(n=40):
    rng = np.random.default_rng(1)
    return rng.normal(size=(n, 6)), np.where(np.arange(n) % 4, "usual", "rare")


@pytest.mark.parametrize("network", NETWORKS, ids=lambda n: type(n).__name__)
def test_own_validation_data_decide_and_nothing_is_held_out(network, imbalanced):
    X, y = imbalanced
    X_val, y_val = np.random.default_rng(1).normal(size=(40, X.shape[1])), y[:40].copy()
    y_val[:10] = "rare"
    weight = np.linspace(0, 2, 40)
    stopped = clone(network).set_params(
        early_stopping=True, max_epochs=6, n_iter_no_change=6, class_weight="balanced"
    )
    given = {"X_val": X_val, "y_val": y_val, "sample_weight_val": weight}
    fitted = clone(stopped).fit(X, y, **given)
    best = int(fitted.history_.epoch[fitted.history_.is_best].iloc[0])
    # The same network without early stopping, trained as long: it has seen every sample of X.
    plain = clone(network).set_params(max_epochs=best, class_weight="balanced").fit(X, y)
    np.testing.assert_array_equal(plain.predict_proba(X), fitted.predict_proba(X))
    log_proba = fitted.predict_log_proba(X_val)
    column = np.searchsorted(fitted.classes_, y_val)
    losses = -log_proba[np.arange(40), column] * fitted.class_weight_[column]
    np.testing.assert_allclose(
        fitted.history_.valid_loss.min(), (losses * weight).sum() / weight.sum(), rtol=1e-5
    )
    frames = {"X_val": pd.DataFrame(X_val), "y_val": pd.Series(y_val), "sample_weight_val": weight}
    again = clone(stopped).fit(pd.DataFrame(X), y, **frames)
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X_val": None}, "y_val is given without X_val"),
        ({"y_val": None}, "X_val is given without y_val"),
        (
            {"X_val": None, "y_val": None, "sample_weight_val": [1.0]},
            "sample_weight_val is given w",
        ),
        ({"X_val": np.zeros((40, 3))}, "X_val, y_val cannot be used: X has 3 features"),
        ({"X_val": np.full((40, 6), np.nan)}, "cannot be used: Input X contains NaN"),
        ({"X_val": np.zeros((40, 6, 2))}, "cannot be used: X has samples of shape"),
        ({"y_val": ["usual"] * 39}, "cannot be used: Found input variables with inconsistent"),
        ({"y_val": ["new"] * 40}, r"cannot be used: y has labels \['new'\]"),
        ({"sample_weight_val": -np.ones(40)}, "cannot be used: Negative values"),
        ({"sample_weight_val": np.zeros(40)}, "cannot be used: Sample weights must contain"),
    ],
)
def test_bad_validation_data(change, message):
    X, y = validation_data(60)
    X_val, y_val = validation_data()
    network = MLPClassifier(early_stopping=True, max_epochs=1)
    with pytest.raises(ValueError, match=message):
        network.fit(X, y, **{"X_val": X_val, "y_val": y_val, **change})
    assert not hasattr(network, "classes_")


def test_validation_data_that_nothing_uses():
    X, y = validation_data()
    with pytest.raises(ValueError, match="nothing uses them; set early_stopping=True"):
        MLPClassifier(max_epochs=1, early_stopping=False).fit(X, y, X_val=X, y_val=y)
    MLPClassifier(max_epochs=1, sampler="dynamic").fit(X, y, X_val=X, y_val=y)


@pytest.mark.parametrize("with_names", [False, True])
def test_validation_data_as_long_as_the_training_data_stay_whole_in_folds(with_names):
    X, y = validation_data(60)
    if with_names:
        X = pd.DataFrame(X, columns=list("abcdef"))
    weight = np.ones(60)
    given = {"X_val": X, "y_val": y, "sample_weight_val": weight}
    settings = {"early_stopping": True, "max_epochs": 2, "random_state": 0}
    tuned = TunedCostClassifierCV(MLPClassifier(**settings), cv=2, random_state=0)
    tuned.fit(X, y, **given)
    search = DESearchCV(
        MLPClassifier(**settings), {"learning_rate": (0.01, 0.02)}, cv=2, population_size=4,
        max_generations=1,
    )  # fmt: skip  # settings side by side
    assert np.isfinite(search.fit(X, y, **given).best_score_)
    ecs = ECSDBNClassifier(pretrain_epochs=1, cost_cv=2, **settings).fit(X, y, **given)
    assert all("valid_score" in net.history_ for net in ecs.estimator_.estimators_)
