"""Fits and candidates that fail."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC, LinearSVC

from skimbal import BayesSearchCV, DESearchCV, MLPClassifier
from skimbal.metrics import g_mean

C_SPACE = {"C": (0.001, 100.0, "log-uniform")}
SMALL = {"population_size": 4, "max_generations": 3, "cv": 3, "random_state": 0}
NETWORK = MLPClassifier(hidden_layer_sizes=(6,), max_epochs=4)
NOT_FINITE = "ignore:One or more of the test scores are non-finite"


class Fails(LogisticRegression):
    """Fails where C is above 1, or always."""

    def __init__(self, C=1.0, always=False):
        super().__init__(C=C)
        self.always = always

    def fit(self, X, y, sample_weight=None):
        if self.always or self.C > 1:
            raise RuntimeError(f"C={self.C:.3g} is too much")
        return super().fit(X, y, sample_weight)


@pytest.mark.filterwarnings(NOT_FINITE)
def test_candidates_that_fail_are_survived(data):
    search = DESearchCV(Fails(), C_SPACE, x0=[{"C": 50.0}, {"C": 0.5}], **SMALL)
    with pytest.warns(FitFailedWarning, match="is too much") as caught:
        search.fit(*data)
    C = search.cv_results_["param_C"].data.astype(float)
    np.testing.assert_array_equal(np.isnan(search.cv_results_["mean_test_score"]), C > 1)
    assert search.best_params_["C"] <= 1
    assert [w.filename for w in caught if w.category is FitFailedWarning] == [__file__]
    scored = clone(search).set_params(error_score=-3.0)
    with pytest.warns(FitFailedWarning):
        scored.fit(*data)
    assert (scored.cv_results_["mean_test_score"][C > 1] == -3).all()
    with pytest.raises(RuntimeError, match="is too much"):
        clone(search).set_params(error_score="raise").fit(*data)


@pytest.mark.filterwarnings(NOT_FINITE)
def test_parameters_that_can_not_be_set_fail_their_candidate(data):
    pipeline = Pipeline([("model", LogisticRegression())])
    space = {"model": [LogisticRegression(), LinearSVC(), SVC()], "model__l1_ratio": [0.0, 0.1]}
    search = DESearchCV(pipeline, space, **SMALL | {"max_generations": 8})
    with pytest.warns(FitFailedWarning, match="Invalid parameter 'l1_ratio'"):
        search.fit(*data)
    assert isinstance(search.best_params_["model"], LogisticRegression)


@pytest.mark.filterwarnings(NOT_FINITE)
def test_networks_that_fail_are_survived(data):
    space = {"loss": ["focal", "ldam"], "class_weight": [None, {0: -1, 1: 2}]}
    search = DESearchCV(NETWORK, space, **SMALL)
    with pytest.warns(FitFailedWarning, match="non-negative"):
        search.fit(*data)
    assert search.best_params_["class_weight"] is None


def test_an_estimator_that_always_fails_is_given_up(data):
    search = DESearchCV(Fails(always=True), C_SPACE, cv=2, max_generations=50, random_state=0)
    with pytest.raises(ValueError, match=r"all 20 fits of 10 candidates failed(.|\n)*too much"):
        search.fit(*data)


class NoReturn(Fails):
    """Returns nothing, or something else than itself."""

    returns = None

    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        return self.returns


class History(NoReturn):
    returns = LogisticRegression()


BUDGETS = {
    DESearchCV: {"population_size": 5, "max_generations": 9, "cv": 2, "random_state": 0},
    BayesSearchCV: {"n_iter": 40, "n_initial_points": 5, "cv": 2, "random_state": 0},
}
FEW = {DESearchCV: {"max_generations": 1}, BayesSearchCV: {"n_iter": 5}}
both = pytest.mark.parametrize("Search", BUDGETS)


@both
@pytest.mark.parametrize("estimator", [NoReturn(), History()])
@pytest.mark.parametrize("in_pipeline", [False, True])
def test_what_fit_returns_is_not_used(Search, estimator, in_pipeline, data):
    X, y = data
    model = Pipeline([("last", clone(estimator))]) if in_pipeline else estimator
    space = {("last__C" if in_pipeline else "C"): (0.01, 0.9)}
    options = BUDGETS[Search] | FEW[Search]
    found = Search(model, space, **options).fit(X, y)
    expected = Search(Fails(), {"C": (0.01, 0.9)}, **options).fit(X, y)
    np.testing.assert_array_equal(found.predict(X), expected.predict(X))
    assert found.best_score_ == expected.best_score_


def raises_always(estimator, X, y):
    raise RuntimeError("no score at all")


def of_two_classes(estimator, X, y):
    return {"accuracy": estimator.score(X, y), "broken": raises_always(estimator, X, y)}


@both
@pytest.mark.parametrize(
    ("scoring", "message"),
    [
        (raises_always, r"all 20 scores of 10 candidates failed(.|\n)*no score at all"),
        (of_two_classes, r"all 20 scores of 10 candidates failed(.|\n)*no score at all"),
        (lambda estimator, X, y: np.nan, "every score of 10 candidates is NaN"),
        ({"broken": raises_always, "fine": "accuracy"}, "all 20 scores of 10 candidates failed"),
    ],
)
@pytest.mark.parametrize("error_score", [np.nan, 0.0])
def test_scores_that_always_fail_end_the_search(Search, scoring, message, error_score, data):
    n_scored = []

    class Counts(LogisticRegression):
        def predict(self, X):
            n_scored.append(1)
            return super().predict(X)

    options = BUDGETS[Search] | {"refit": "broken" if isinstance(scoring, dict) else True}
    search = Search(Counts(), C_SPACE, scoring=scoring, error_score=error_score, **options)
    with pytest.raises(ValueError, match=message):
        search.fit(*data)
    assert len(n_scored) <= 20
    assert not hasattr(search, "best_params_")


@both
@pytest.mark.filterwarnings(NOT_FINITE)
@pytest.mark.parametrize("n_candidates", [4, 40])
def test_a_split_without_a_score_for_any_candidate_ends_the_search(Search, n_candidates, data):
    """The last third lacks a class, so the mean of every candidate is NaN, and none is the best."""
    X, _ = data
    y = np.arange(len(X)) % 2
    y[2 * len(X) // 3 :] = 0

    def recall(estimator, X, y):
        return (estimator.predict(X)[y == 1] == 1).mean() if y.any() else np.nan

    few = n_candidates == 4
    many = {"population_size": 10} if Search is DESearchCV else {"n_iter": 40}
    options = BUDGETS[Search] | (FEW[Search] if few else many) | {"cv": KFold(3)}
    search = Search(LogisticRegression(), C_SPACE, scoring=recall, **options)
    with pytest.raises(ValueError, match=r"has a score in all 3 splits; 1 splits .*split 2.*NaN"):
        search.fit(X, y)
    assert hasattr(search, "cv_results_")  # what was done is kept
    assert not hasattr(search, "best_estimator_")


@both
@pytest.mark.filterwarnings(NOT_FINITE)
def test_scores_that_fail_for_some_candidates_are_survived(Search, data):
    def scorer(estimator, X, y):
        if estimator.C > 1:
            raise RuntimeError("C is too large to score")
        return estimator.score(X, y)

    options = BUDGETS[Search] | FEW[Search] | {"cv": 3}
    search = Search(LogisticRegression(), C_SPACE, scoring=scorer, x0={"C": 0.5}, **options)
    with pytest.warns(UserWarning, match=r"scores failed and have the score nan(.|\n)*too large"):
        search.fit(*data)
    C = search.cv_results_["param_C"].data.astype(float)
    np.testing.assert_array_equal(np.isnan(search.cv_results_["mean_test_score"]), C > 1)
    assert search.best_params_["C"] <= 1


class Counted(LogisticRegression):
    n_fits = 0

    def fit(self, X, y, sample_weight=None):
        Counted.n_fits += 1
        return super().fit(X, y, sample_weight)


@both
@pytest.mark.parametrize(
    ("scoring", "n_classes", "message"),
    [
        (g_mean, 3, r"make_scorer\(g_mean\)"),
        ({"g": g_mean}, 3, r"make_scorer\(g_mean\)"),
        (lambda truth, prediction: 0.0, 3, "not a scorer"),
        ("average_precision", 2, "'minority_average_precision'"),
        (["accuracy", "average_precision"], 2, "'minority_average_precision'"),
        ("f1", 2, "'minority_f1'"),
        ("precision", 2, "'minority_precision'"),
        ("recall", 2, "'minority_recall'"),
        ("jaccard", 2, r"make_scorer\(jaccard_score, pos_label="),
        ("f1", 3, "can't score the classes .*(multiclass|not a valid label)"),
        ("neg_brier_score", 2, "can't score the classes"),
        ("neg_mean_squared_error", 3, "can't score the classes"),
        ("g_men", 3, "did you mean 'g_mean'"),
    ],
)
def test_scores_that_can_not_be_are_refused_before_any_fit(
    Search, scoring, n_classes, message, data
):
    X, y = data
    y = np.array(["neg", "pos", "top"])[np.minimum(y, n_classes - 1)]
    Counted.n_fits = 0
    refit = "accuracy" if isinstance(scoring, list) else True
    refit = "g" if isinstance(scoring, dict) else refit
    search = Search(Counted(), C_SPACE, scoring=scoring, refit=refit, **BUDGETS[Search])
    with pytest.raises(ValueError, match=message):
        search.fit(X, y)
    assert Counted.n_fits == 0


@both
@pytest.mark.parametrize("n_classes", [2, 3])
def test_scores_of_the_rarest_class_take_texts(Search, n_classes, data):
    X, y = data
    y = np.array(["neg", "pos", "a"])[np.minimum(y, n_classes - 1)]
    options = BUDGETS[Search] | FEW[Search]
    names = ["minority_f1", "minority_precision", "minority_recall", "minority_average_precision"]
    search = Search(LogisticRegression(), C_SPACE, scoring=names, refit=names[-1], **options)
    assert np.isfinite(search.fit(X, y).best_score_)
