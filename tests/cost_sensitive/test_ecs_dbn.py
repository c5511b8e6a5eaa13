"""ECS-DBN is TunedCostClassifierCV around DBNClassifier, with the parameters of both."""

import inspect
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from skimbal import DBNClassifier, ECSDBNClassifier, TunedCostClassifierCV
from skimbal.cost_sensitive import find_costs
from skimbal.neural_network._fit_data import validate_training_data

SMALL = {"hidden_layer_sizes": (6,), "pretrain_epochs": 2, "max_epochs": 8, "learning_rate": 0.02}
RENAMED = {"cost_cv": "cv"}
NETWORK = inspect.signature(DBNClassifier).parameters
TUNED = inspect.signature(TunedCostClassifierCV).parameters
OWN = inspect.signature(ECSDBNClassifier).parameters


@pytest.fixture(scope="module")
def data():
    return make_classification(150, 5, weights=[0.8], flip_y=0.1, random_state=0)


@pytest.fixture(scope="module")
def fitted(data):
    return ECSDBNClassifier(**SMALL, cost_cv=3, random_state=0).fit(*data)


def test_every_parameter_of_the_network_is_there_with_its_default():
    """But for the costs, which are found, streams, and the scoring, which the costs have first."""
    assert set(NETWORK) - set(OWN) == {"cost_matrix", "forgetting_half_life"}
    differences = {
        name for name in set(NETWORK) & set(OWN) if OWN[name].default != NETWORK[name].default
    }
    assert differences == {"scoring"}
    assert {OWN[name].kind for name in OWN} == {inspect.Parameter.KEYWORD_ONLY}


def test_every_parameter_of_the_search_is_there_with_its_default():
    own = {RENAMED.get(name, name): value.default for name, value in OWN.items()}
    expected = {name: value.default for name, value in TUNED.items() if name in own}
    of_streams = {"window", "search_every"}  # it has no partial_fit
    assert set(TUNED) - set(expected) == {"estimator"} | of_streams
    differences = {name for name in expected if own[name] != expected[name]}
    assert differences <= {"search", "shrinkage", "refit"}
    assert own["search"] == "jade"


def test_every_parameter_reaches_the_network():
    """Each changed to an object of its own."""
    changed = {name: object() for name in set(NETWORK) & set(OWN)}
    network = ECSDBNClassifier(**changed)._base_estimator()
    assert all(getattr(network, name) is changed[name] for name in changed)
    assert network.cost_matrix is None


@pytest.mark.parametrize(
    "options",
    [{}, {"cost_cv": "train"}, {"shrinkage": 0.5, "cost_cv": 2}, {"refit": True}, {"cost_cv": 0.3}],
)
def test_is_tuned_costs_around_a_dbn(data, options):
    X, y = data
    own = ECSDBNClassifier(**SMALL, **{"cost_cv": 3, **options}, random_state=1).fit(X, y)
    options = {RENAMED.get(name, name): value for name, value in options.items()}
    network = DBNClassifier(**SMALL, random_state=1)
    defaults = {name: OWN[name].default for name in ("search", "shrinkage", "refit")}
    tuned = TunedCostClassifierCV(network, **{"cv": 3, **defaults, **options}, random_state=1).fit(
        X, y
    )
    np.testing.assert_array_equal(own.costs_, tuned.costs_)
    np.testing.assert_array_equal(own.fold_costs_, tuned.fold_costs_)
    np.testing.assert_array_equal(own.predict_proba(X), tuned.predict_proba(X))
    np.testing.assert_array_equal(own.predict(X), tuned.predict(X))
    fitted = {name for name in vars(tuned) if name.endswith("_")}
    assert {name for name in vars(own) if name.endswith("_")} == fitted - {"window_counts_"}


@pytest.mark.parametrize("refit", ["ensemble", True])
def test_the_data_are_validated_once(data, refit, monkeypatch):
    """The networks of the folds get rows of the arrays that were validated."""
    given = []

    def validate(network, X, y, sample_weight, *, reset):
        given.append(X)
        return validate_training_data(network, X, y, sample_weight, reset=reset)

    monkeypatch.setattr("skimbal.neural_network._base.validate_training_data", validate)
    X, y = pd.DataFrame(data[0], columns=list("abcde")), data[1]
    network = ECSDBNClassifier(**SMALL, cost_cv=3, refit=refit, random_state=0).fit(X, y)
    assert len(given) == 1
    assert given[0] is X
    expected = ECSDBNClassifier(**SMALL, cost_cv=3, refit=refit, random_state=0).fit(*data)
    np.testing.assert_array_equal(network.predict_proba(X), expected.predict_proba(data[0]))


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, "Int64", object])
def test_inputs_of_any_type_are_those_that_the_network_takes(data, dtype):
    X, y = pd.DataFrame(np.round(3 * data[0])).astype(np.int64).astype(dtype), data[1]
    own = ECSDBNClassifier(**SMALL, cost_cv=2, refit=True, random_state=0).fit(X, y)
    network = DBNClassifier(**SMALL, random_state=0).fit(X, y)
    np.testing.assert_array_equal(own.predict_proba(X), network.predict_proba(X))


@pytest.mark.parametrize("refit", ["ensemble", True])
def test_names_of_features_are_those_of_the_last_fit(data, refit):
    X, y = pd.DataFrame(data[0], columns=list("abcde")), data[1]
    network = ECSDBNClassifier(**SMALL, cost_cv=2, refit=refit, random_state=0).fit(X, y)
    inner = getattr(network.estimator_, "estimators_", [network.estimator_])
    for fitted in (network, network.estimator_, *inner):
        assert fitted.feature_names_in_.tolist() == list("abcde")
        assert fitted.n_features_in_ == 5
        fitted.predict(X)
    network.fit(data[0], y)
    assert not hasattr(network, "feature_names_in_")
    assert not hasattr(network.estimator_, "feature_names_in_")


def test_as_published_is_one_network_for_any_cost_cv(data):
    published = ECSDBNClassifier.as_published(random_state=0, cost_cv=5)
    assert (published.refit, published.shrinkage, published.class_weight) == (True, 0.0, None)
    network = DBNClassifier.as_published(0)
    assert published._base_estimator().get_params() == network.get_params()


def test_one_seed_gives_one_result(data, fitted):
    again = clone(fitted).fit(*data)
    np.testing.assert_array_equal(again.costs_, fitted.costs_)
    np.testing.assert_array_equal(again.predict_proba(data[0]), fitted.predict_proba(data[0]))


def test_predict_and_transform(data, fitted):
    X, _ = data
    expected = (fitted.predict_proba(X) * fitted.costs_).argmax(axis=1)
    np.testing.assert_array_equal(fitted.predict(X), expected)
    np.testing.assert_array_equal(fitted.transform(X), fitted.estimator_.transform(X))
    assert fitted.transform(X).shape == (150, 3 * 6)
    assert len(fitted.get_feature_names_out()) == 3 * 6


def test_a_network_on_all_samples_is_one_parameter_away(data):
    X, y = data
    one = ECSDBNClassifier(**SMALL, cost_cv=3, refit=True, random_state=0).fit(X, y)
    network = DBNClassifier(**SMALL, random_state=0).fit(X, y)
    np.testing.assert_array_equal(one.predict_proba(X), network.predict_proba(X))
    assert one.transform(X).shape == (150, 6)


def test_train_is_the_published_protocol(data):
    X, y = data
    trained = ECSDBNClassifier(**SMALL, cost_cv="train", random_state=0).fit(X, y)
    network = DBNClassifier(**SMALL, random_state=0).fit(X, y)
    np.testing.assert_array_equal(trained.predict_proba(X), network.predict_proba(X))
    best = find_costs(y, network.predict_proba(X)).score
    assert trained.unregularized_score_ == pytest.approx(best, abs=1e-12)
    assert trained.n_folds_ == 0


def test_a_fraction_is_held_out_once(data):
    assert ECSDBNClassifier(**SMALL, cost_cv=0.3, random_state=0).fit(*data).n_folds_ == 1


def test_more_classes_and_labels_of_any_type():
    X, y = make_classification(
        150, 5, n_informative=4, n_redundant=0, n_classes=3, weights=[0.6, 0.3], random_state=0
    )
    names = np.array(["c", "a", "b"])[y]
    fitted = ECSDBNClassifier(**SMALL, cost_cv=2, max_generations=3, random_state=0).fit(X, names)
    assert fitted.classes_.tolist() == ["a", "b", "c"]
    assert set(fitted.predict(X)) <= set("abc")


@pytest.mark.parametrize(
    ("bad", "message"), [(np.nan, "NaN"), (1.5, r"takes values in\s+\[0, 1\]")]
)
def test_inputs_are_checked_before_any_training(data, bad, message, monkeypatch):
    def train(jobs):
        raise KeyboardInterrupt  # no Exception, which would be the fit's

    monkeypatch.setattr("skimbal._training.contrastive_divergence.PretrainingJob.run_all", train)
    X, y = data
    X = (X - X.min()) / np.ptp(X)
    X[0, 0] = bad
    for seed in range(5):  # the sample is in different inner folds
        with pytest.raises(ValueError, match=message):
            ECSDBNClassifier(**SMALL, visible="bernoulli", random_state=seed).fit(X, y)


def test_sample_weights_are_routed(data):
    X, y = data
    weight = np.where(y == 1, 4.0, 1.0)
    direct = ECSDBNClassifier(**SMALL, cost_cv=2, random_state=0).fit(X, y, weight)
    with config_context(enable_metadata_routing=True):
        network = ECSDBNClassifier(**SMALL, cost_cv=2, random_state=0)
        network.set_fit_request(sample_weight=True)
        routed = make_pipeline(network).fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(routed.predict_proba(X), direct.predict_proba(X))
    np.testing.assert_array_equal(routed[-1].costs_, direct.costs_)


def test_clone_and_pickle(data, fitted):
    X, _ = data
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict(X), fitted.predict(X))
    with pytest.raises(NotFittedError):
        clone(fitted).transform(X)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cost_cv": "prefit"}, "The 'cost_cv' parameter"),
        ({"search": "best"}, "The 'search' parameter"),
        ({"dropout": 1.0}, "The 'dropout' parameter"),
        ({"scoring": "roc_auc"}, "proba|labels"),
        ({"visible": "bernoulli", "standardize": False}, r"takes values in\s+\[0, 1\]"),
        ({"loss": "focl"}, "unknown loss"),
    ],
)
def test_bad_parameters(data, change, message):
    network = ECSDBNClassifier(**{**SMALL, **change}, random_state=0)
    with pytest.raises(ValueError, match=message):
        network.fit(*data)
    assert not hasattr(network, "costs_")
