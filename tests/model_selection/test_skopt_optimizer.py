"""Calls, callbacks, optimizers and plots of scikit-optimize."""

import pytest
from scipy.stats import loguniform, randint
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris, make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC, LinearSVC
from skopt.callbacks import DeadlineStopper, DeltaYStopper
from skopt.learning import ExtraTreesRegressor
from skopt.space import Categorical, Integer, Real

from skimbal import BayesSearchCV
from skimbal.model_selection._skopt_optimizer import as_skopt_dimension
from skimbal.model_selection._space import parse_dimension

C_SPACE = {"C": (0.001, 100.0, "log-uniform")}
FEW_TREES = {"base_estimator": ExtraTreesRegressor(n_estimators=4), "n_initial_points": 4}
QUICK = {"n_iter": 8, "n_initial_points": 4, "cv": 3, "random_state": 0}


@pytest.fixture(scope="module")
def data():
    return make_classification(
        150, 5, n_informative=3, n_redundant=0, n_classes=3, weights=[0.7, 0.2], random_state=0
    )


def scores(search):
    return search.cv_results_["mean_test_score"]


def test_documented_example_of_scikit_optimize():
    X, y = load_iris(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, train_size=0.75, random_state=0)
    opt = BayesSearchCV(
        SVC(),
        {
            "C": Real(1e-6, 1e6, prior="log-uniform"),
            "gamma": Real(1e-6, 1e1, prior="log-uniform"),
            "degree": Integer(1, 8),
            "kernel": Categorical(["linear", "poly", "rbf"]),
        },
        n_iter=20,
        n_jobs=1,
        random_state=0,
    )
    best = []
    opt.fit(X_train, y_train, callback=lambda result: best.append(-result.fun))
    assert opt.score(X_test, y_test) > 0.9
    assert best == sorted(best)
    assert best[-1] == opt.best_score_
    result = opt.optimizer_results_[0]
    assert result.space.dimension_names == ["C", "degree", "gamma", "kernel"]
    assert result.x == [opt.best_params_[name] for name in result.space.dimension_names]


def test_documented_example_with_a_pipeline_and_numbers_of_candidates():
    X, y = load_digits(n_class=4, return_X_y=True)
    pipe = Pipeline([("model", SVC())])
    linsvc_search = {"model": [LinearSVC(max_iter=10000)], "model__C": (1e-6, 1e6, "log-uniform")}
    svc_search = {
        "model": Categorical([SVC()]),
        "model__C": Real(1e-6, 1e6, prior="log-uniform"),
        "model__gamma": Real(1e-6, 1e1, prior="log-uniform"),
        "model__degree": Integer(1, 8),
        "model__kernel": Categorical(["linear", "poly", "rbf"]),
    }
    opt = BayesSearchCV(pipe, [(svc_search, 6), (linsvc_search, 2)], cv=3, random_state=0)
    assert opt.fit(X[:200], y[:200]).best_score_ > 0.9
    assert len(scores(opt)) == 8


def test_plots_of_scikit_optimize_take_the_results(data):
    plots = pytest.importorskip("skopt.plots")
    space = C_SPACE | {"fit_intercept": [True, False]}
    search = BayesSearchCV(LogisticRegression(), space, **QUICK).fit(*data)
    axes = plots.plot_objective(
        search.optimizer_results_[0], n_points=4, n_samples=5, minimum="result"
    )
    assert len(axes.figure.axes) >= 4


def test_callbacks_of_scikit_optimize_end_the_search(data):
    search = BayesSearchCV(LogisticRegression(), C_SPACE, **QUICK)
    search.fit(*data, callback=[DeltaYStopper(1e9, n_best=2), DeadlineStopper(3600)])
    assert search.stopping_reason_ == "callback"
    assert len(scores(search)) == 2  # within the first batch, of 4


@pytest.mark.parametrize("n_points", [1, 3])
def test_callbacks_of_fit_hear_of_each_candidate(data, n_points):
    lengths = []
    search = BayesSearchCV(LogisticRegression(), C_SPACE, n_points=n_points, **QUICK)
    search.fit(*data, callback=lambda result: lengths.append(len(result.x_iters)))
    assert lengths == list(range(1, 9))


def test_results_hold_the_objects_of_the_space(data):
    model = OneVsRestClassifier(LogisticRegression())
    space = {
        "estimator": [LogisticRegression(C=0.1), LinearSVC()],
        "estimator__class_weight": [None, {0: 1, 1: 5}],
    }
    search = BayesSearchCV(model, space, cv=3, n_iter=4, random_state=0).fit(*data)
    (result,) = search.optimizer_results_
    assert result.x == [search.best_params_[name] for name in sorted(space)]
    for estimator, weight in result.x_iters:
        assert any(estimator is each for each in space["estimator"])
        assert weight in space["estimator__class_weight"]
    assert result.models


@pytest.mark.parametrize(
    "optimizer_kwargs",
    [
        FEW_TREES,
        {"acq_func": "EI", "acq_optimizer": "sampling", "n_initial_points": 4},
    ],
)
def test_optimizers_of_scikit_optimize(data, optimizer_kwargs):
    space = {"C": (0.001, 100.0, "log-uniform"), "max_iter": (95, 105), "solver": ["lbfgs"]}
    search = BayesSearchCV(
        LogisticRegression(), space, optimizer_kwargs=optimizer_kwargs, x0={"C": 0.5}, **QUICK
    ).fit(*data)
    assert len(scores(search)) + search.n_repeated_ == 8
    assert search.cv_results_["params"][0]["C"] == pytest.approx(0.5)
    again = clone(search).fit(*data)
    assert again.cv_results_["params"] == search.cv_results_["params"]


def test_dicts_lists_and_integers_are_categories_and_integers(data):
    weights = [None, "balanced", {0: 1, 1: 5, 2: 9}]
    space = {"class_weight": weights, "max_iter": Integer(80, 120), "C": [0.1, 1.0]}
    search = BayesSearchCV(LogisticRegression(), space, **QUICK).fit(*data)
    for params in search.cv_results_["params"]:
        assert params["class_weight"] in weights
        assert isinstance(params["max_iter"], int)
    result = search.optimizer_results_[0]
    assert result.space.dimension_names == ["C", "class_weight", "max_iter"]
    assert result.models


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((0.5, 2.0), Real(0.5, 2.0, prior="uniform")),
        ((0.5, 2.0, "log-uniform"), Real(0.5, 2.0, prior="log-uniform")),
        ((1, 9), Integer(1, 9, prior="uniform")),
        ((1, 9, "log-uniform"), Integer(1, 9, prior="log-uniform")),
        (randint(1, 10), Integer(1, 9, prior="uniform")),
        (loguniform(0.5, 2.0), Real(0.5, 2.0, prior="uniform")),
        (["a", "b"], Categorical(["a", "b"])),
    ],
)
def test_dimensions_of_the_results_are_those_of_scikit_optimize(given, expected):
    assert as_skopt_dimension("p", parse_dimension("p", given)) == expected
