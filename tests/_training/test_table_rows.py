"""Networks that share the rows of a large table get what they get from copies, to the bit."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skimbal import (
    BalancedBaggingNetClassifier,
    DBNClassifier,
    MLPClassifier,
    TunedCostClassifierCV,
)
from skimbal._fitting import split_by_memory
from skimbal._training import batches
from skimbal._training.batches import OrderedRows, StackedRows
from skimbal._utils import _table_rows
from skimbal._utils._table_rows import TableRows, is_shared, row_by_row, rows_for
from skimbal.ensemble._encoding import encoded_for
from skimbal.neural_network import cross_fit, fit_population

rng = np.random.default_rng(0)
N = 150
X = rng.normal(size=(N, 6)) * 100
X[:, 4:] = X[:, 4:] > 0.6
Y = (X[:, 0] + X[:, 1] + 50 * X[:, 4] > 60).astype(int)
WEIGHT = np.arange(N) % 4 / 2
SUBSETS = [np.random.default_rng(i).integers(-N, N, size=n) for i, n in enumerate([90, 90, 110])]
NET = MLPClassifier(hidden_layer_sizes=(8,), max_epochs=3, batch_size=32, random_state=0)
DBN = DBNClassifier(hidden_layer_sizes=(8,), max_epochs=2, pretrain_epochs=2, random_state=0)


@pytest.fixture(params=["float64", "float32"])
def table(request):
    return X.astype(request.param)


@pytest.fixture
def shared(monkeypatch):
    """A function that says from which size on tables are shared."""
    return lambda n_numbers: monkeypatch.setattr(_table_rows, "MIN_SHARED_NUMBERS", n_numbers)


def probabilities(fitted):
    return np.stack([classifier.predict_proba(X) for classifier in fitted])


@pytest.mark.parametrize(
    "network",
    [
        NET,
        clone(NET).set_params(standardize=False, mixup=0.5),
        clone(NET).set_params(class_weight="balanced", mixup=0.5),
        clone(NET).set_params(early_stopping=True, validation_fraction=0.3),
        clone(NET).set_params(sampler="balanced"),
        clone(NET).set_params(standardize="robust"),
        DBN,
        TunedCostClassifierCV(NET, cv=2, random_state=0),
        make_pipeline(StandardScaler(), NET),
    ],
    ids=["plain", "as it is", "mixup", "stopped", "sampler", "robust", "DBN", "costs", "pipeline"],
)
def test_a_population_on_shared_rows(network, table, shared):
    def fit():
        return probabilities(fit_population(network, table, Y, SUBSETS))

    expected = fit()
    shared(10)
    assert np.array_equal(fit(), expected)


def test_a_shared_network_is_the_single_one(table, shared):
    shared(10)
    networks = [clone(NET).set_params(random_state=i, standardize=False) for i in range(3)]
    fitted = fit_population(networks, table, Y, SUBSETS)
    singles = [
        clone(network).fit(table[rows], Y[rows])
        for network, rows in zip(networks, SUBSETS, strict=True)
    ]
    assert np.array_equal(probabilities(fitted), probabilities(singles))


def test_samples_without_weight_are_left_out(table, shared):
    def fit():
        return probabilities(fit_population(NET, table, Y, SUBSETS, sample_weight=WEIGHT))

    expected = fit()
    shared(10)
    assert np.array_equal(fit(), expected)


@pytest.mark.filterwarnings("ignore:.* samples are in every bag")
@pytest.mark.parametrize("standardize", ["auto", False])
@pytest.mark.parametrize("encoding", ["auto", None])
def test_the_networks_of_an_ensemble_are_single_ones(encoding, standardize, table, shared):
    network = clone(NET).set_params(standardize=standardize)
    ensemble = BalancedBaggingNetClassifier(
        network, n_estimators=4, encoding=encoding, oob_score=True, random_state=0
    )
    expected = clone(ensemble).fit(table, Y)
    shared(10)
    fitted = ensemble.fit(table, Y)
    assert np.array_equal(fitted.oob_proba_, expected.oob_proba_, equal_nan=True)
    encoded = table if encoding is None else fitted.encoder_.transform(table)
    for network, bag in zip(fitted.estimators_, fitted.estimators_samples_, strict=True):
        single = clone(network).fit(encoded[bag], Y[bag])
        assert np.array_equal(single.predict_proba(encoded), network.predict_proba(encoded))


@pytest.mark.filterwarnings("ignore:.* samples are in every bag")
@pytest.mark.parametrize("encoding", ["standard", "both"])
@pytest.mark.parametrize("stops", [True, False])
def test_an_ensemble_of_a_rounded_table_is_that_of_the_table(encoding, stops, shared):
    network = clone(NET).set_params(standardize=False, early_stopping=stops)
    ensemble = BalancedBaggingNetClassifier(network, n_estimators=4, encoding=encoding)
    expected = clone(ensemble).set_params(random_state=0).fit(X, Y)
    shared(10)
    assert encoded_for(network, expected.encoder_, X).dtype == np.float32
    assert encoded_for(NET, expected.encoder_, X).dtype == np.float64  # standardized once more
    fitted = clone(ensemble).set_params(random_state=0).fit(X, Y)
    assert np.array_equal(fitted.oob_proba_, expected.oob_proba_, equal_nan=True)
    assert np.array_equal(fitted.predict_proba(X), expected.predict_proba(X))


def test_cross_fitting_of_a_table_that_is_stored_by_column(table, shared):
    expected = cross_fit(NET, table, Y, 3)
    shared(10)
    assert np.array_equal(cross_fit(NET, np.asfortranarray(table), Y, 3), expected)


def test_numbers_that_are_not_finite_matter_in_the_rows_that_are_fitted(shared):
    shared(10)
    table = X.copy()
    table[0, 0] = np.nan
    fit_population(NET, table, Y, [np.arange(1, N)] * 2)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        fit_population(NET, table, Y, [np.arange(N)] * 2)
    table[0, 0] = 1e300
    fit_population(clone(NET).set_params(standardize=False), table, Y, [np.arange(1, N)] * 2)
    with pytest.raises(ValueError, match="sample 0 of X has values of size 1e"):
        fit_population(NET, table, Y, [np.arange(N)] * 2)


def test_memory_makes_no_turns_of_networks_that_share(shared):
    fits, subsets = list("abc"), [np.arange(N)] * 3
    assert len(split_by_memory(fits, [NET] * 3, X, subsets, 1)) == 3
    shared(10)
    assert split_by_memory(fits, [NET] * 3, X, subsets, 1) == [fits]
    assert len(split_by_memory(fits, [NET, GaussianNB()], X, subsets, 1)) == 3


# ---------------------------------------------------------------- rows


def test_table_rows_are_those_of_an_array(shared):
    shared(10)
    rows = rows_for(NET, X, np.array([3, -1, 3, 20]))
    own = X[[3, -1, 3, 20]]
    assert isinstance(rows, TableRows)
    assert (rows.shape, rows.size, len(rows), rows.dtype) == (own.shape, own.size, 4, own.dtype)
    assert np.array_equal(rows, own)
    assert np.array_equal(rows[own[:, 0] > 0], own[own[:, 0] > 0])
    assert np.array_equal(rows[2], own[[2]])
    assert np.array_equal(rows.columns(1, 4), own[:, 1:4])
    assert (rows.min(), rows.max()) == (own.min(), own.max())
    assert np.asarray(rows, dtype=np.float32).dtype == np.float32


@pytest.mark.parametrize(
    ("estimator", "table"),
    [
        (NET, X.astype(int)),
        (NET, np.asfortranarray(X)),
        (NET, X[None]),
        (NET, X.tolist()),
        (GaussianNB(), X),
        (make_pipeline(NET), X),
    ],
    ids=["integers", "by column", "images", "list", "no network", "pipeline"],
)
def test_what_is_not_shared(estimator, table, shared):
    shared(10)
    assert not is_shared(estimator, table)
    assert is_shared(NET, row_by_row(np.asfortranarray(X)))


@pytest.mark.parametrize("n_numbers", [1, 2**16])
def test_rows_of_several_batches_are_taken_at_once(n_numbers, monkeypatch):
    monkeypatch.setattr(batches, "NUMBERS_OF_NETWORK", n_numbers)
    source = StackedRows(torch.arange(20.0).view(10, 2), torch.tensor([[1, 2, 3, 4], [9, 8, 7, 6]]))
    rows = OrderedRows(source, torch.tensor([[3, 1, 0, 2], [4, 4, 5, 7]]))
    expected = torch.tensor([[4, 2, 1, 3], [9, 9, 8, 6]])
    sizes = [2, 1, 1]
    for own, places in zip(rows.split(sizes, 1), expected.split(sizes, 1), strict=True):
        assert torch.equal(own[..., 0], 2.0 * places)
    following = torch.cat([pair[1] for pair in rows.with_next(sizes)], dim=1)
    assert torch.equal(following[..., 0], 2.0 * expected.roll(-1, 1))
    assert torch.equal(source[[1]].take(torch.tensor([[0]])), torch.tensor([[[18.0, 19.0]]]))
