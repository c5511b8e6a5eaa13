"""Documented examples of scikit-learn's and scikit-optimize's searches, with ours imported instead.

Only the class, the budget, the seed and some sizes differ from what is documented there. Those of
scikit-optimize's docstring and of its page on pipelines are in test_bayes_search.py.
"""

import numpy as np
import pytest
from scipy.stats import loguniform, uniform
from sklearn import svm
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits, load_iris, make_hastie_10_2, make_moons
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import KFold, cross_val_score, train_test_split
from sklearn.naive_bayes import ComplementNB
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from skimbal import BayesSearchCV, DESearchCV

SMALL = {
    DESearchCV: {"population_size": 4, "max_generations": 2, "random_state": 0},
    BayesSearchCV: {"n_iter": 8, "n_initial_points": 4, "random_state": 0},
}

both = pytest.mark.parametrize("Search", SMALL)


def values_tried(search, name):
    return set(search.cv_results_[f"param_{name}"].tolist())


# ---------------------------------------------------------------- scikit-optimize


@pytest.fixture(scope="module")
def minimal():
    X, y = load_digits(n_class=10, return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, train_size=0.2, test_size=0.25, random_state=0
    )
    opt = BayesSearchCV(
        SVC(),
        {
            "C": (1e-6, 1e6, "log-uniform"),
            "gamma": (1e-6, 1e1, "log-uniform"),
            "degree": (1, 8),
            "kernel": ["linear", "poly", "rbf"],
        },
        n_iter=32,
        cv=3,
        random_state=0,
    )
    return opt.fit(X_train, y_train), X_test, y_test


def test_minimal_example(minimal):
    opt, X_test, y_test = minimal
    assert opt.best_score_ > 0.9
    assert opt.score(X_test, y_test) > 0.9
    assert values_tried(opt, "degree") <= set(range(1, 9))
    assert values_tried(opt, "kernel") <= {"linear", "poly", "rbf"}


def test_partial_dependence_plot(minimal):
    plots = pytest.importorskip("skopt.plots")
    opt, *_ = minimal
    axes = plots.plot_objective(
        opt.optimizer_results_[0],
        dimensions=["C", "degree", "gamma", "kernel"],
        n_points=3,
        n_samples=3,
        n_minimum_search=50,
    )
    labels = {ax.get_xlabel() for ax in axes.figure.axes}
    assert {"C", "degree", "gamma", "kernel"} <= labels


def test_progress_monitoring_and_control_by_a_callback_of_fit():
    X, y = load_iris(return_X_y=True)
    searchcv = BayesSearchCV(
        SVC(gamma="scale"),
        search_spaces={"C": (0.01, 100.0, "log-uniform")},
        n_iter=10,
        n_initial_points=2,
        cv=3,
        random_state=0,
    )
    best = []

    def on_step(optim_result):
        best.append(searchcv.best_score_)
        assert best[-1] == -optim_result.fun
        return bool(best[-1] >= 0.96) or None

    searchcv.fit(X, y, callback=on_step)
    assert searchcv.stopping_reason_ == "callback"
    assert all(score < 0.96 for score in best[:-1])
    assert searchcv.best_score_ == best[-1] >= 0.96
    assert len(searchcv.cv_results_["params"]) < 10


def test_counting_total_iterations_needs_no_fit():
    searchcv = BayesSearchCV(
        SVC(), search_spaces=[({"C": (0.1, 1.0)}, 19), {"gamma": (0.1, 1.0)}], n_iter=23
    )
    assert searchcv.total_iterations == 19 + 23


# ---------------------------------------------------------------- scikit-learn


@both
def test_grid_of_two_lists(Search):
    iris = load_iris()
    parameters = {"kernel": ("linear", "rbf"), "C": [1, 10]}
    clf = Search(svm.SVC(), parameters)
    clf.fit(iris.data, iris.target)
    assert clf.stopping_reason_ == "exhausted"
    tried = {(p["kernel"], p["C"]) for p in clf.cv_results_["params"]}
    assert tried == {("linear", 1), ("linear", 10), ("rbf", 1), ("rbf", 10)}
    assert {
        "mean_fit_time",
        "mean_score_time",
        "mean_test_score",
        "param_C",
        "param_kernel",
        "params",
        "rank_test_score",
        "split0_test_score",
        "split2_test_score",
        "std_fit_time",
        "std_score_time",
        "std_test_score",
    } <= set(clf.cv_results_)


@both
def test_distributions(Search):
    iris = load_iris()
    logistic = LogisticRegression(solver="saga", tol=1e-2, max_iter=200, random_state=0)
    distributions = {"C": uniform(loc=0, scale=4), "l1_ratio": [0, 1]}
    search = Search(logistic, distributions, **SMALL[Search]).fit(iris.data, iris.target)
    assert search.best_params_["l1_ratio"] in (0, 1)
    assert all(0 <= C <= 4 for C in values_tried(search, "C"))
    assert len(values_tried(search, "C")) > 2


@both
@pytest.mark.filterwarnings("ignore:Maximum number of iteration reached")
def test_distributions_and_keywords_of_a_linear_model(Search):
    X, y = load_digits(return_X_y=True, n_class=3)
    clf = SGDClassifier(loss="hinge", penalty="elasticnet", fit_intercept=True, random_state=0)
    param_dist = {
        "average": [True, False],
        "l1_ratio": uniform(0, 1),
        "alpha": loguniform(1e-2, 1e0),
    }
    search = Search(clf, search_spaces=param_dist, cv=3, **SMALL[Search]).fit(X, y)
    assert search.best_score_ > 0.9
    assert all(1e-2 <= alpha <= 1 for alpha in values_tried(search, "alpha"))


@both
def test_several_grids(Search):
    X, y = load_digits(return_X_y=True, n_class=4)
    tuned_parameters = [
        {"kernel": ["rbf"], "gamma": [1e-3, 1e-4], "C": [1, 10, 100, 1000]},
        {"kernel": ["linear"], "C": [1, 10, 100, 1000]},
    ]
    clf = Search(SVC(), tuned_parameters, scoring="precision_macro", cv=2, **SMALL[Search])
    clf.fit(X, y)
    params = clf.cv_results_["params"]
    assert {tuple(sorted(p)) for p in params} == {("C", "gamma", "kernel"), ("C", "kernel")}
    assert all(("gamma" in p) == (p["kernel"] == "rbf") for p in params)
    assert clf.best_score_ > 0.9


@both
def test_two_metrics_over_a_range(Search):
    X, y = make_hastie_10_2(n_samples=400, random_state=42)
    scoring = {"AUC": "roc_auc", "Accuracy": make_scorer(accuracy_score)}
    gs = Search(
        DecisionTreeClassifier(random_state=42),
        {"min_samples_split": range(2, 403, 20)},
        scoring=scoring,
        refit="AUC",
        return_train_score=True,
        cv=3,
        **SMALL[Search],
    )
    gs.fit(X, y)
    results = gs.cv_results_
    assert values_tried(gs, "min_samples_split") <= set(range(2, 403, 20))
    assert results["mean_test_AUC"][gs.best_index_] == results["mean_test_AUC"].max()
    assert gs.best_score_ == results["mean_test_AUC"].max()
    assert {"mean_train_Accuracy", "rank_test_Accuracy", "std_test_AUC"} <= set(results)


@both
def test_nested_cross_validation(Search):
    X_iris, y_iris = load_iris(return_X_y=True)
    p_grid = {"C": [1, 10, 100], "gamma": [0.01, 0.1]}
    inner_cv = KFold(n_splits=3, shuffle=True, random_state=0)
    outer_cv = KFold(n_splits=3, shuffle=True, random_state=1)
    clf = Search(SVC(kernel="rbf"), p_grid, cv=inner_cv, **SMALL[Search])
    clf.fit(X_iris, y_iris)
    assert clf.best_score_ > 0.9
    nested_score = cross_val_score(clf, X=X_iris, y=y_iris, cv=outer_cv)
    assert nested_score.shape == (3,)
    assert nested_score.mean() > 0.9


@both
def test_texts_in_a_pipeline(Search):
    texts = ["the ball is round", "a round ball", "the team won", "votes were won"] * 4
    topics = ["sport", "sport", "sport", "politics"] * 4
    pipeline = Pipeline([("vect", TfidfVectorizer()), ("clf", ComplementNB())])
    parameter_grid = {
        "vect__max_df": (0.2, 0.4, 0.6, 0.8, 1.0),
        "vect__min_df": (1, 3, 5, 10),
        "vect__ngram_range": ((1, 1), (1, 2)),
        "vect__norm": ("l1", "l2"),
        "clf__alpha": np.logspace(-6, 6, 13),
    }
    search = Search(pipeline, parameter_grid, cv=2, error_score=0.0, **SMALL[Search])
    with pytest.warns(FitFailedWarning):  # min_df=10 leaves no word
        search.fit(texts, topics)
    assert search.best_params_["vect__ngram_range"] in ((1, 1), (1, 2))
    assert values_tried(search, "vect__min_df") <= {1, 3, 5, 10}
    assert search.predict(["a ball"]).tolist() == ["sport"]


@both
def test_refit_by_a_callable_that_weighs_score_and_complexity(Search):
    def best_low_complexity(cv_results):
        scores = cv_results["mean_test_score"]
        threshold = scores.max() - cv_results["std_test_score"][scores.argmax()]
        candidates = np.flatnonzero(scores >= threshold)
        return candidates[cv_results["param_reduce_dim__n_components"][candidates].argmin()]

    pipe = Pipeline(
        [("reduce_dim", PCA(random_state=42)), ("classify", LinearSVC(random_state=42, C=0.01))]
    )
    X, y = load_digits(return_X_y=True, n_class=5)
    grid = Search(
        pipe,
        {"reduce_dim__n_components": [6, 8, 10, 14]},
        cv=3,
        scoring="accuracy",
        refit=best_low_complexity,
        **SMALL[Search],
    )
    grid.fit(X, y)
    assert grid.best_index_ == best_low_complexity(grid.cv_results_)
    n_components = grid.best_estimator_["reduce_dim"].n_components_
    assert n_components == grid.best_params_["reduce_dim__n_components"]
    assert not hasattr(grid, "best_score_")


@both
def test_parameters_of_a_wrapped_estimator(Search):
    X, y = make_moons(random_state=0)
    calibrated_forest = CalibratedClassifierCV(
        estimator=RandomForestClassifier(n_estimators=3, random_state=0), cv=2
    )
    search = Search(
        calibrated_forest, {"estimator__max_depth": [2, 4, 6, 8]}, cv=2, **SMALL[Search]
    )
    search.fit(X, y)
    assert search.best_estimator_.estimator.max_depth == search.best_params_["estimator__max_depth"]
    assert values_tried(search, "estimator__max_depth") <= {2, 4, 6, 8}
