"""Settings that follow the data, and robust standardization in the networks."""

import pickle

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.base import clone

from skimbal import (
    AdaBoostNetClassifier,
    CNN1DClassifier,
    MLPClassifier,
    NetClassifier,
)
from skimbal._utils import _early_stopping
from skimbal.ensemble import LMLEClassifier
from skimbal.neural_network import _by_rows, cross_fit, fit_population, validation_rows
from skimbal.preprocessing import index_windows

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 4)) * [1.0, 10.0, 100.0, 1.0]
X[:, 3] = X[:, 3] > 0.5
Y = (X[:, 0] + 0.1 * rng.normal(size=60) > 0.8).astype(int)
SMALL = {"hidden_layer_sizes": (4,), "max_epochs": 3, "random_state": 0}
ROBUST = MLPClassifier(**SMALL, standardize="robust")


@pytest.fixture
def many(monkeypatch):
    """Sixty rows are many."""
    monkeypatch.setattr(_early_stopping, "MIN_ROWS_TO_STOP", 60)
    monkeypatch.setattr(_by_rows, "MIN_ROWS_OF_LARGE_BATCHES", 50)


def was_stopped_by_validation(network):
    return "valid_loss" in network.history_


@pytest.mark.parametrize(("n_rows", "expected"), [(59, False), (60, True)])
def test_tables_of_many_rows_stop_early(n_rows, expected, many):
    fitted = MLPClassifier(**SMALL).fit(X[:n_rows], Y[:n_rows])
    assert was_stopped_by_validation(fitted) == expected
    mask = validation_rows(MLPClassifier(), X[:n_rows], Y[:n_rows])
    assert (mask is not None) == expected


def test_auto_with_many_rows_is_early_stopping_with_large_batches(many):
    auto = MLPClassifier(**SMALL).fit(X, Y)
    explicit = MLPClassifier(**SMALL, early_stopping=True, batch_size=256).fit(X, Y)
    np.testing.assert_array_equal(auto.predict_proba(X), explicit.predict_proba(X))
    assert auto.history_.drop(columns="duration_s").equals(
        explicit.history_.drop(columns="duration_s")
    )


def test_auto_with_few_rows_is_no_early_stopping_and_batches_of_64():
    auto = MLPClassifier(**SMALL).fit(X, Y)
    explicit = MLPClassifier(**SMALL, early_stopping=False, batch_size=64).fit(X, Y)
    np.testing.assert_array_equal(auto.predict_proba(X), explicit.predict_proba(X))


@pytest.mark.parametrize(
    ("given", "early_stopping", "expected"),
    [("auto", True, 10), ("auto", "auto", 30), (4, True, 4), (4, "auto", 4)],
)
def test_patience(given, early_stopping, expected, many):
    fitted = MLPClassifier(
        hidden_layer_sizes=(),
        learning_rate=1e-12,  # no epoch is better than the first
        max_epochs=50,
        early_stopping=early_stopping,
        n_iter_no_change=given,
        random_state=0,
    ).fit(X, Y)
    best = fitted.history_.epoch[fitted.history_.is_best].item()
    assert fitted.n_iter_ == best + expected


def test_signals_do_not_stop_by_themselves(many):
    network = CNN1DClassifier(n_filters=(2,), max_epochs=1, early_stopping="auto", random_state=0)
    assert not was_stopped_by_validation(network.fit(X[:, None], Y))


@pytest.mark.parametrize(
    ("y", "groups"),
    [
        (np.arange(60) == 7, None),
        (Y, np.where(Y == 1, 0, np.arange(60))),  # a class of one group
    ],
    ids=["a class of one row", "a class of one group"],
)
def test_where_a_class_can_not_be_held_out_nothing_is(y, groups, many):
    assert not was_stopped_by_validation(MLPClassifier(**SMALL).fit(X, y, groups=groups))
    with pytest.raises(ValueError, match="but early_stopping=True needs 2 of each"):
        MLPClassifier(**SMALL, early_stopping=True).fit(X, y, groups=groups)


def test_groups_stay_whole(many):
    groups = np.arange(60) // 3
    held_out = validation_rows(MLPClassifier(), X, Y, groups)
    assert not set(groups[held_out]) & set(groups[~held_out])


def test_own_validation_data_stop_few_rows_too():
    fitted = MLPClassifier(**SMALL).fit(X, Y, X_val=X[:9], y_val=Y[:9])
    assert was_stopped_by_validation(fitted)


def test_validation_data_of_a_sampler_do_not_stop_few_rows():
    settings = SMALL | {
        "sampler": "dynamic",
        "max_epochs": 30,
        "n_iter_no_change": 1,
        "learning_rate": 0.1,
    }
    auto, plain, stopped = (
        MLPClassifier(**settings, early_stopping=value).fit(X, Y) for value in ("auto", False, True)
    )
    np.testing.assert_array_equal(auto.predict_proba(X), plain.predict_proba(X))
    assert auto.n_iter_ == 30 > stopped.n_iter_


def test_partial_fit_never_stops_early(many):
    network = MLPClassifier(**SMALL)
    for _ in range(3):
        network.partial_fit(X, Y, classes=[0, 1])
    assert network.n_iter_ == 3
    assert not was_stopped_by_validation(network)


def test_classes_that_train_networks_by_themselves(many):
    boosted = AdaBoostNetClassifier(MLPClassifier(**SMALL), n_estimators=2, random_state=0)
    assert boosted.fit(X, Y).validation_rows_.sum() > 0
    plain = AdaBoostNetClassifier(n_estimators=2, random_state=0).fit(X, Y)
    assert plain.validation_rows_ is None
    LMLEClassifier(MLPClassifier(**SMALL), cluster_size=5, random_state=0).fit(X, Y)


# ---------------------------------------------------------------- robust standardization


def test_one_hot_columns_stay_and_far_values_are_limited():
    fitted = clone(ROBUST).fit(X, Y)
    assert fitted.input_mean_[3] == 0.0
    assert fitted.input_scale_[3] == 1.0
    assert fitted.input_limit_.tolist() == [3.0, 3.0, 3.0, np.inf]
    prepared = fitted._prepare_inputs(np.array([[1e30, -1e30, 0.0, 1.0]]))
    np.testing.assert_allclose(prepared[0, [0, 1, 3]], [3.0, -3.0, 1.0])
    assert np.isfinite(fitted.predict_proba(np.full((1, 3 + 1), 1e30))).all()


def test_an_unlimited_fit_forgets_the_limit():
    network = clone(ROBUST).fit(X, Y).set_params(standardize="auto").fit(X, Y)
    assert not hasattr(network, "input_limit_")


def test_sparse_tables_give_what_dense_ones_give():
    dense, thin = (clone(ROBUST).fit(table, Y) for table in (X, sparse.csr_array(X)))
    np.testing.assert_array_equal(dense.predict_proba(X), thin.predict_proba(sparse.csr_array(X)))


def test_windows_give_what_their_array_gives():
    recordings = rng.normal(size=(6, 2, 40)).astype(np.float32)
    windows, *_ = index_windows(list(recordings), size=10, step=10)
    y = np.arange(len(windows)) % 2
    one, other = (
        CNN1DClassifier(n_filters=(2,), max_epochs=2, standardize="robust", random_state=0).fit(
            inputs, y
        )
        for inputs in (windows, np.asarray(windows))
    )
    np.testing.assert_allclose(one.predict_proba(windows), other.predict_proba(windows), rtol=1e-5)


def test_a_stack_and_folds_give_what_single_fits_give():
    alone = clone(ROBUST).fit(X[:40], Y[:40]).predict_proba(X[40:])
    together = fit_population(ROBUST, X, Y, [np.arange(40), np.arange(5, 45)])
    np.testing.assert_array_equal(together[0].predict_proba(X[40:]), alone)
    folds = [(np.arange(40), np.arange(40, 60)), (np.arange(20, 60), np.arange(20))]
    np.testing.assert_array_equal(cross_fit(ROBUST, X, Y, folds)[40:], alone)


def test_a_copy_of_a_fitted_network_predicts_the_same():
    fitted = clone(ROBUST).fit(X, Y)
    copy = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(copy.predict_proba(X), fitted.predict_proba(X))


def test_a_stream_keeps_the_statistics_of_its_first_samples():
    network = clone(ROBUST).partial_fit(X[:30], Y[:30], classes=[0, 1])
    center = network.input_mean_.copy()
    network.partial_fit(100 * X[30:], Y[30:])
    np.testing.assert_array_equal(network.input_mean_, center)


def test_inputs_of_a_dict_have_a_limit_for_each_column():
    class TwoInputs(torch.nn.Module):
        def __init__(self, input_shape, n_classes):
            super().__init__()
            self.last = torch.nn.Linear(4 + 6, n_classes)

        def forward(self, table, sound):
            return self.last(torch.cat([table, sound.flatten(1)], dim=1))

    given = {"table": X, "sound": rng.normal(size=(60, 2, 3))}
    network = NetClassifier(TwoInputs, standardize="robust", max_epochs=2, random_state=0)
    fitted = network.fit(given, Y)
    assert fitted.input_limit_.tolist() == [3.0, 3.0, 3.0, np.inf, *[3.0] * 6]
    assert fitted.predict_proba(given).shape == (60, 2)
