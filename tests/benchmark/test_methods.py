"""Every registered method, on small networks and forests."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler

from skimbal.benchmark import Method
from skimbal.benchmark._methods import METHODS, methods_for, resolve_methods
from skimbal.cost_sensitive import ECSDBNClassifier

SMALL = {
    "max_epochs": 3,
    "pretrain_epochs": 2,
    "max_generations": 2,
    "population_size": 4,
    "n_estimators": 3,
    "n_epochs": 3,
    "iterations": 3,
    "thresholds": 10,
}
PAPER = {
    "ecs-dbn",
    "ecs-dbn-train",
    "dbn",
    "csdbn",
    "csdbn-grid",
    "adasyn-dbn",
    "smote-dbn",
    "smote-borderline1-dbn",
    "smote-borderline2-dbn",
    "smote-svm-dbn",
}
CONVENTIONAL = {"svm", "sklearn-mlp", "knn", "gradient-boosting", "logistic", "adaboost", "lasso"}
CONVENTIONAL |= {"sgd"}
MACHINES = {"welm", "welm-no-costs", "evolutionary-elm"}
PEERS = {"dbn-prior", "logistic-balanced", "svm-balanced", "balanced-random-forest", "mlp"}
PEERS |= {"easy-ensemble", "rusboost", "random-forest-prior", "random-forest-tuned", "mlp-prior"}
PEERS |= {"extra-trees-prior", "extra-trees-tuned", "ecs-mlp", "sklearn-mlp-early-stopping"}
PEERS |= {"hist-gradient-boosting-prior", "hist-gradient-boosting-tuned", "realmlp", "tabm"}
PEERS |= {
    f"{name}-{end}" for name in ("lightgbm", "xgboost", "catboost") for end in ("prior", "tuned")
}
# Packages that only some methods need; the first word of these methods' names.
PACKAGES = {"lightgbm": "lightgbm", "xgboost": "xgboost", "catboost": "catboost"}
PACKAGES |= {"realmlp": "pytabkit", "tabm": "pytabkit"}
ENSEMBLES = {"bagging-net", "eco-ensemble", "adaboost-net"}


def make_small(name, seed=0):
    """The method's classifier with few epochs and trees; skip if its package is missing."""
    if package := PACKAGES.get(name.partition("-")[0]):
        pytest.importorskip(package)
    classifier = METHODS[name].make(seed)
    parameters = classifier.get_params()
    small = {
        key: SMALL[key.rpartition("__")[2]]
        for key in parameters
        if key.rpartition("__")[2] in SMALL
    }
    return classifier.set_params(**small)


CNNS = {"cnn", "cnn-weighted", "cnn-iwce", "cnn-focal", "cnn-smote", "cnn-prior", "ecs-cnn"}
CNNS |= {"adaboost-cnn", "cnn-cosen", "cnn-centers", "cnn-deep-oversampling"}
TABLES = [name for name, method in METHODS.items() if method.n_axes == (2,)]
SIGNALS = [name for name, method in METHODS.items() if 3 in method.n_axes]


@pytest.fixture(scope="module")
def data():
    random = np.random.default_rng(0)
    X = random.normal(size=(60, 3)) * [1.0, 10.0, 100.0]
    y = np.repeat(["no", "yes"], [45, 15])
    X[y == "yes"] += [1.5, 15.0, 150.0]
    return X, y


@pytest.fixture(scope="module")
def signals(data):
    """Signals of two channels, whose level and spread differ between the classes."""
    X, y = data
    random = np.random.default_rng(1)
    return X[:, [0, 1], None] + random.normal(size=(60, 2, 8)) * (1 + (y == "yes"))[
        :, None, None
    ], y


def test_the_paper_and_the_peers_are_there():
    assert set(METHODS) >= PAPER
    assert set(METHODS) - PAPER >= PEERS | CONVENTIONAL | MACHINES | ENSEMBLES
    assert set(SIGNALS) == CNNS | {"extra-trees-summary-prior"}
    assert set(TABLES) | set(SIGNALS) == set(METHODS)
    assert all(name == method.name for name, method in METHODS.items())


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:`isinstance.treespec, LeafSpec.` is deprecated:FutureWarning")
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
@pytest.mark.parametrize(
    ("name", "n_axes"), [(name, n) for name, method in METHODS.items() for n in method.n_axes]
)
def test_a_method_fits_predicts_and_repeats_itself(name, n_axes, data, signals):
    X, y = data if n_axes == 2 else signals
    first, second = (make_small(name).fit(X, y).predict(X) for _ in range(2))
    assert set(first) <= {"no", "yes"}
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", TABLES)
def test_inputs_of_tables_are_standardized_first(name):
    assert isinstance(make_small(name).steps[0][1], StandardScaler)


@pytest.mark.parametrize("name", sorted(CNNS - {"cnn-smote"}))  # SMOTE takes the raw values
def test_the_scale_of_signals_changes_no_prediction(name, signals):
    X, y = signals
    scaled = X * np.array([4.0, 0.25])[:, None]
    first, second = (make_small(name).fit(Z, y).predict_proba(Z) for Z in (X, scaled))
    np.testing.assert_allclose(first, second, atol=1e-4)


def test_the_networks_of_signals_differ_in_what_their_names_say():
    own = METHODS["cnn"].make(1)
    for name, changes in [
        ("cnn-weighted", {"class_weight": "balanced"}),
        ("cnn-focal", {"loss": "focal"}),
    ]:
        assert METHODS[name].make(1).get_params() == clone(own).set_params(**changes).get_params()
    for network in (METHODS["ecs-cnn"].make(1).estimator, METHODS["cnn-smote"].make(1).steps[1][1]):
        assert network.get_params() == own.get_params()


def test_methods_that_cannot_take_the_data_are_left_out_with_the_reason():
    own = Method("own", "takes what there is", lambda seed: None)
    given = [METHODS["svm"], METHODS["cnn"], METHODS["extra-trees-summary-prior"], own]
    usable, left_out = methods_for(given, {"a": (9, 2, 30), "b": (9, 2)})
    assert [method.name for method in usable] == ["cnn", "own"]
    assert left_out == {
        "svm": "it takes X of 2 axes, and a has shape (9, 2, 30)",
        "extra-trees-summary-prior": "it takes X of 3 axes, and b has shape (9, 2)",
    }


@pytest.mark.parametrize(
    ("shape", "advice"), [((9, 2, 30), "choose from cnn, "), ((9, 3, 8, 8), "choose from your own")]
)
def test_data_that_no_method_takes_are_refused(shape, advice):
    message = r"no method can take these data sets \(svm: it takes X of 2 axes, and a has shape .*"
    with pytest.raises(ValueError, match=message + advice):
        methods_for([METHODS["svm"], METHODS["knn"]], {"a": shape})


@pytest.mark.parametrize("name", sorted(PAPER - {"ecs-dbn", "ecs-dbn-train"}))
def test_all_rows_of_the_paper_are_around_the_same_network(name):
    def of_the_network(method):
        parameters = METHODS[method].make(5).get_params()
        return {
            key: parameters[f"{prefix}__{key}"]
            for prefix in (p.rpartition("__")[0] for p in parameters if p.endswith("n_gibbs_steps"))
            for key in ("hidden_layer_sizes", "max_epochs", "learning_rate", "random_state")
        }

    assert of_the_network(name) == of_the_network("dbn")
    assert of_the_network("dbn")["random_state"] == 5


def test_the_rows_around_ecs_dbn_differ_in_what_their_names_say():
    own, refit, balanced, train, prior, network = (
        METHODS[name].make(1).steps[-1][1]
        for name in (
            "ecs-dbn",
            "ecs-dbn-refit",
            "ecs-dbn-balanced",
            "ecs-dbn-train",
            "dbn-ensemble-prior",
            "dbn",
        )
    )
    epochs = {"pretrain_epochs": 100, "max_epochs": 300}
    assert own.get_params() == ECSDBNClassifier(**epochs, random_state=1).get_params()
    for row, changes in [
        (refit, {"refit": True, "shrinkage": 0.0}),
        (balanced, {"class_weight": "balanced"}),
        (prior, {"shrinkage": 1.0}),
        (train, {"shrinkage": 0.0, "cost_cv": "train", "cost_space": "unit"}),
    ]:
        assert row.get_params() == clone(own).set_params(**changes).get_params()
    ours, theirs = train.get_params(), network.get_params()
    shared = (ours.keys() & theirs.keys()) - {"scoring"}
    assert {key: ours[key] for key in shared} == {key: theirs[key] for key in shared}


@pytest.mark.parametrize("name", sorted(CONVENTIONAL - {"lasso"}))
def test_the_conventional_rows_have_the_defaults_of_scikit_learn(name):
    classifier = METHODS[name].make(3).steps[-1][1]
    seed = {"random_state": 3} if "random_state" in classifier.get_params() else {}
    assert classifier.get_params() == type(classifier)(**seed).get_params()


def test_lasso_leaves_coefficients_at_zero(data):
    X, y = data
    noise = np.random.default_rng(1).normal(size=(len(X), 20))
    lasso, logistic = (
        METHODS[name].make(0).fit(np.column_stack([X, noise]), y).steps[-1][1].coef_
        for name in ("lasso", "logistic")
    )
    assert np.sum(lasso == 0) > 5
    assert np.all(logistic != 0)


def test_the_prior_threshold_cuts_the_same_probabilities_at_the_prevalence(data):
    X, y = data
    plain, prior = (make_small(name).fit(X, y) for name in ("dbn", "dbn-prior"))
    probabilities = plain.predict_proba(X)
    np.testing.assert_array_equal(prior.predict_proba(X), probabilities)
    expected = np.where(probabilities[:, 1] > 0.25, "yes", "no")
    np.testing.assert_array_equal(prior.predict(X), expected)


def test_names_and_methods_of_ones_own_mix():
    own = Method("own", "", lambda seed: None)
    assert [m.name for m in resolve_methods(["dbn", own])] == ["dbn", "own"]
