"""Sparse tables give what the same dense tables give."""

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE, RandomOverSampler
from scipy import sparse
from sklearn.base import clone

from skimbal import (
    AdaBoostNetClassifier,
    BalancedBaggingNetClassifier,
    CNN1DClassifier,
    CNN2DClassifier,
    DBNClassifier,
    DESearchCV,
    ECSDBNClassifier,
    FixedCostClassifier,
    MLPClassifier,
    ResNetClassifier,
    TunedCostClassifierCV,
)
from skimbal._training.tables import one_hot_units
from skimbal.ensemble import (
    CategoryCentersClassifier,
    DeepOversamplingClassifier,
    LMLEClassifier,
)

rng = np.random.default_rng(0)
X = rng.normal(size=(120, 6)) * (rng.random((120, 6)) < 0.4)
Y = (X.sum(axis=1) > 1).astype(int)
NET = MLPClassifier(hidden_layer_sizes=(8,), max_epochs=3, random_state=0)


@pytest.mark.filterwarnings("ignore:.* samples are in every bag")
@pytest.mark.parametrize("layout", [sparse.csr_array, sparse.csc_matrix])
@pytest.mark.parametrize(
    "estimator",
    [
        NET,
        DBNClassifier(hidden_layer_sizes=(8,), max_epochs=3, pretrain_epochs=2, random_state=0),
        ECSDBNClassifier(
            hidden_layer_sizes=(8,), max_epochs=3, pretrain_epochs=2, cost_cv=2, random_state=0
        ),
        TunedCostClassifierCV(NET, cv=2),
        BalancedBaggingNetClassifier(NET, n_estimators=3, random_state=0),
        BalancedBaggingNetClassifier(NET, n_estimators=3, encoding=None, random_state=0),
        DESearchCV(
            NET,
            {"learning_rate": (1e-3, 1e-1, "log-uniform")},
            population_size=5,
            max_generations=1,
            scoring="g_mean",
            cv=2,
            random_state=0,
        ),
        AdaBoostNetClassifier(NET, n_estimators=2, random_state=0),
        AdaBoostNetClassifier(NET, n_estimators=2, sampler=SMOTE(), random_state=0),
        AdaBoostNetClassifier(NET, n_estimators=2, sampler=RandomOverSampler(), random_state=0),
        CategoryCentersClassifier(NET),
        DeepOversamplingClassifier(NET, random_state=0),
        LMLEClassifier(NET, random_state=0),
    ],
)
def test_a_sparse_table_gives_what_the_dense_one_gives(estimator, layout):
    dense = estimator.fit(X, Y).predict_proba(X)
    given = layout(X)
    np.testing.assert_allclose(estimator.fit(given, Y).predict_proba(given), dense, atol=1e-6)


@pytest.mark.parametrize(
    "ensemble", [BalancedBaggingNetClassifier(NET, n_estimators=3, random_state=0)]
)
@pytest.mark.filterwarnings("ignore:.* samples are in every bag")
def test_an_ensemble_predicts_the_other_kind_of_table_than_it_was_fitted_on(ensemble):
    given = sparse.csr_array(X)
    dense = ensemble.fit(X, Y)
    np.testing.assert_array_equal(dense.predict_proba(given), dense.predict_proba(X))
    fitted = ensemble.fit(given, Y)
    np.testing.assert_allclose(fitted.predict_proba(X), fitted.predict_proba(given), atol=1e-12)


@pytest.mark.parametrize("layout", [sparse.csr_array, sparse.csc_matrix])
def test_partial_fit_takes_sparse_parts(layout):
    def proba(convert):
        network = MLPClassifier(hidden_layer_sizes=(8,), random_state=0)
        for part in (slice(0, 70), slice(70, 120)):
            network.partial_fit(convert(X[part]), Y[part], classes=[0, 1])
        return network.predict_proba(convert(X))

    np.testing.assert_allclose(proba(layout), proba(np.asarray), atol=1e-6)


def test_validation_data_may_be_sparse_too():
    network = MLPClassifier(hidden_layer_sizes=(8,), max_epochs=3, early_stopping=True)
    dense = network.set_params(random_state=0).fit(X, Y, X_val=X[:40], y_val=Y[:40]).history_
    given = sparse.csc_array(X)
    found = network.fit(given, Y, X_val=sparse.csr_array(X[:40]), y_val=Y[:40]).history_
    np.testing.assert_allclose(found["valid_loss"], dense["valid_loss"], atol=1e-6)


def test_what_is_given_stays_as_it_is():
    twice = sparse.coo_array(([1.0, 2.0, 3.0], ([0, 0, 1], [2, 2, 0])), shape=(120, 6)).tocsr()
    twice.has_canonical_format = False
    values, columns = twice.data.copy(), twice.indices.copy()
    NET.fit(twice, Y)
    np.testing.assert_array_equal(twice.data, values)
    np.testing.assert_array_equal(twice.indices, columns)


def with_value(value):
    table = sparse.csr_array(X)
    table.data[3] = value
    return table


@pytest.mark.parametrize(
    "estimator",
    [
        NET,
        DBNClassifier(max_epochs=1),
        FixedCostClassifier(NET),
        TunedCostClassifierCV(NET, cv=2),
        BalancedBaggingNetClassifier(NET, n_estimators=2),
    ],
)
@pytest.mark.parametrize(("value", "message"), [(np.nan, "contains NaN"), (np.inf, "infinity")])
def test_values_that_are_not_finite_are_refused(estimator, value, message):
    with pytest.raises(ValueError, match=message):
        estimator.fit(with_value(value), Y)


def test_new_rows_are_checked_as_in_fit():
    network = NET.fit(sparse.csr_array(X), Y)
    with pytest.raises(ValueError, match="contains NaN"):
        network.predict(with_value(np.nan))
    with pytest.raises(ValueError, match="X has 3 features, but MLPClassifier is expecting 6"):
        network.predict(sparse.csr_array(X[:, :3]))


@pytest.mark.parametrize("network", [CNN1DClassifier(), CNN2DClassifier(), ResNetClassifier()])
def test_networks_for_signals_and_images_say_that_they_take_dense_arrays(network):
    message = rf"X is sparse, but {type(network).__name__} takes dense arrays only; give X.toarray"
    with pytest.raises(ValueError, match=message):
        network.fit(sparse.csr_array(X), Y)
    assert not hasattr(network, "n_features_in_")


ONE_HOT = np.column_stack([X[:, :2], rng.random((120, 3)) < [0.02, 0.3, 0.7], 5 * (X[:, 2] > 1)])


def test_one_hot_columns_are_not_standardized():
    fitted = NET.fit(ONE_HOT, Y)
    left = np.array([False, False, True, True, False, True])
    np.testing.assert_array_equal(fitted.input_mean_[left], 0.0)
    np.testing.assert_array_equal(fitted.input_scale_[left], [1.0, 1.0, 5.0])
    np.testing.assert_allclose(fitted.input_mean_[~left], ONE_HOT[:, ~left].mean(axis=0))
    np.testing.assert_allclose(fitted.input_scale_[~left], ONE_HOT[:, ~left].std(axis=0))


def test_numbers_are_standardized_as_without_the_rule_for_one_hot_columns():
    numbers = rng.normal(size=(120, 6))
    found, expected = (
        clone(NET).set_params(standardize=value).fit(numbers, Y).predict_proba(numbers)
        for value in ("auto", True)
    )
    np.testing.assert_array_equal(found, expected)


def test_rows_count_by_their_weights_for_one_hot_columns():
    column = np.repeat([0.0, 1.0], [3, 5])[:, None]
    assert one_hot_units(column).tolist() == [0.0]
    weight = np.repeat([2.0, 1.0], [3, 5])
    assert one_hot_units(column, weight).tolist() == [1.0]
    assert one_hot_units(sparse.csr_array(-2 * column), weight).tolist() == [2.0]


def test_the_default_bagging_network_standardizes_sparse_tables_itself():
    ensemble = BalancedBaggingNetClassifier(n_estimators=2, tune_costs=False, random_state=0)
    ensemble.fit(sparse.csr_array(1000 * X), Y)
    assert [network.standardize for network in ensemble.estimators_] == ["auto", "auto"]
    assert not ensemble.fit(X, Y).estimators_[0].standardize
