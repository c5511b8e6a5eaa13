"""What both searches have of scikit-learn's: metrics, refit, attributes; and what they refuse."""

import pickle
import re

import numpy as np
import pytest
import scipy.stats
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import RandomizedSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from skimbal import BayesSearchCV, DESearchCV, MLPClassifier
from skimbal.model_selection import class_weight_space

C_SPACE = {"C": (0.01, 10.0, "log-uniform")}
SMALL = {
    DESearchCV: {"population_size": 4, "max_generations": 2, "cv": 2, "random_state": 0},
    BayesSearchCV: {"n_iter": 6, "n_initial_points": 4, "cv": 2, "random_state": 0},
}
both = pytest.mark.parametrize("Search", SMALL)


def words_of(value):
    """Text of a parameter without its address, for names that are the same in all processes."""
    return re.sub(r" at 0x[0-9a-f]+", "", str(value))


@pytest.fixture(scope="module")
def data():
    return make_classification(
        90, 5, n_informative=4, n_redundant=0, n_classes=3, weights=[0.7, 0.2], random_state=0
    )


class Counts(LogisticRegression):
    """Counts its fits, in all clones, and fails where C is large or always."""

    n_fits = 0

    def __init__(self, C=1.0, class_weight=None, max_iter=100, fails="never"):
        super().__init__(C=C, class_weight=class_weight, max_iter=max_iter)
        self.fails = fails

    def fit(self, X, y, sample_weight=None):
        type(self).n_fits += 1
        if self.fails == "always" or (self.fails == "large C" and self.C > 0.1):
            raise RuntimeError(f"C={self.C:.3g} is too much")
        return super().fit(X, y, sample_weight)


@pytest.fixture(autouse=True)
def no_fits_yet():
    Counts.n_fits = 0


def search_of(Search, search_spaces=C_SPACE, estimator=None, **params):
    return Search(estimator or Counts(), search_spaces, **SMALL[Search] | params)


def refuses(search, X, y, *words):
    """The one error that `fit` raises, which has all the words, before any fit."""
    with pytest.raises(ValueError, match=re.escape(words[0])) as error:
        search.fit(X, y)
    for word in words:
        assert word in str(error.value)
    assert Counts.n_fits == 0


@both
@pytest.mark.parametrize(
    ("space", "words"),
    [
        ({}, ["{}", "at least one"]),
        ([], ["empty list"]),
        ([C_SPACE, {}], ["{}", "at least one"]),
        ({"C": []}, ["'C'", "empty list", "(low, high)"]),
        ({"C": (1.0, 0.1)}, ["'C'", "(1.0, 0.1)", "low must be below high"]),
        ({"C": (1.0, 1.0)}, ["(1.0, 1.0)", "list of one value"]),
        ({"C": (np.nan, 1.0)}, ["(nan, 1.0)", "must be finite"]),
        ({"C": (0.1, np.inf)}, ["inf", "must be finite"]),
        ({"C": (0.0, 1.0, "log-uniform")}, ["(0.0, 1.0)", "raise low or use 'uniform'"]),
        ({"C": (0.1, 1.0, "loguniform")}, ["unknown prior", "did you mean 'log-uniform'"]),
        ({"C": ("0.1", "10")}, ["'C'", "('0.1', '10')", "not two numbers"]),
        ({"C": (0.1, "10")}, ["(0.1, '10')", "not two numbers"]),
        ({"C": ("0.1", "10", "log-uniform")}, ["not two numbers"]),
        ({"C": (None, 10.0, "log-uniform")}, ["not two numbers"]),
        ({"C": (0.1, 1.0, "log-uniform", 10, 3)}, ["(low, high, 'log-uniform')"]),
        ({"C": (0.1, 1.0, "log-uniform", "x")}, ["base 'x'", "number > 1"]),
        ({"C": 3.0}, ["'C' is 3.0", "a list of values"]),
        ({"max_iter": (1, 2**60)}, ["2**53", "floats"]),
        ({"C": scipy.stats.loguniform}, ["'C'", "freeze it"]),
        ({"C": scipy.stats.uniform(0, -1)}, ["(nan, nan)", "change them"]),
        ({"max_itr": (50, 90)}, ["'max_itr'", "did you mean 'max_iter'"]),
        ([C_SPACE, {"max_itr": (50, 90)}], ["did you mean 'max_iter'"]),
        ({"counts__C": (0.1, 1.0)}, ["unknown parameter of Counts 'counts__C'", "Known: 'C'"]),
        ({"cost_matrix__1__0": (1.0, 9.0)}, ["cost_matrix__1__0", "Known: 'C'"]),
        ({3: (0.1, 1.0)}, ["[3]", "names must be strings"]),
        (
            {"class_weight": [None, "balanced"], "class_weight__1": (1.0, 9.0)},
            ["class_weight and class_weight__1", "search one of them"],
        ),
    ],
    ids=words_of,
)
def test_spaces(Search, space, words, data):
    refuses(search_of(Search, space), *data, *words)


@both
@pytest.mark.parametrize(
    ("space", "estimator", "words"),
    [
        (
            {"counts__c": (0.1, 1.0)},
            make_pipeline(Counts()),
            ["unknown parameter of Pipeline", "did you mean 'counts__C'"],
        ),
        (
            class_weight_space([0, 0, 1, 2]),
            make_pipeline(Counts()),
            ["class_weight__1", "did you mean 'counts__class_weight'"],
        ),
        (class_weight_space([0, 0, 1, 2]), Ridge(), ["unknown parameter of Ridge"]),
        ({"learning_rte": (0.1, 1.0)}, MLPClassifier(), ["did you mean 'learning_rate'"]),
    ],
    ids=["step", "weights of a step", "no weights", "network"],
)
def test_names_of_parameters(Search, space, estimator, words, data):
    refuses(search_of(Search, space, estimator), *data, *words)


STATES = np.array(["fine", "worn", "broken"])


@both
@pytest.mark.parametrize(
    ("space", "labels_of", "words"),
    [
        (
            {"class_weight__1": (1, 9)},
            lambda y: STATES[y],
            ["'1'", "Known: 'broken', 'fine', 'worn'"],
        ),
        ({"class_weight__Worn": (1, 9)}, lambda y: STATES[y], ["did you mean 'worn'"]),
        ({"class_weight__1": (1, 9)}, lambda y: y.astype(float), ["did you mean '1.0'"]),
        ({"class_weight__1": (1, 9)}, np.zeros_like, ["'1'", "Known: '0'"]),
        ({"class_weight__7": (1, 9)}, lambda y: y, ["unknown label in class_weight__ '7'"]),
    ],
    ids=["numbers", "case", "type", "single", "unknown"],
)
def test_missing_labels(Search, space, labels_of, words, data):
    refuses(search_of(Search, space), data[0], labels_of(data[1]), *words)


@both
def test_weights_of_a_missing_label(Search, data):
    held = Counts(class_weight={7: 2.0})
    refuses(
        search_of(Search, {"class_weight__1": (1, 9)}, held),
        *data,
        "class_weight names the labels [7]",
        "the classes are",
    )


@both
@pytest.mark.parametrize(
    ("labels_of", "words"),
    [
        (lambda y: np.where(y == 1, None, "a"), ["no label", "of 90 rows", "drop these rows"]),
        (lambda y: np.where(y == 1, np.nan, y), ["no label", "of 90 rows"]),
        (
            lambda y: np.array([1 if i % 2 else "1" for i in range(90)], dtype=object),
            ["int, str", "text"],
        ),
        (lambda y: y + 0.5, ["0.5", "whole numbers"]),
        (lambda y: np.column_stack([y, y]), ["(90, 2)"]),
    ],
    ids=["None", "NaN", "mixed", "not whole", "2-D"],
)
def test_y_without_labels(Search, labels_of, words, data):
    space = {"class_weight__a": (1.0, 9.0)}
    refuses(search_of(Search, space), data[0], labels_of(data[1]), *words)


@both
def test_no_y_and_too_short_y(Search, data):
    X, y = data
    refuses(search_of(Search), X, None, "requires y")
    refuses(search_of(Search), X, y[:-1], "[90, 89]")


@both
def test_more_folds_than_samples(Search, data):
    X, y = data
    refuses(search_of(Search, cv=5), X[:3], y[:3], "n_splits=5", "n_samples=3")
    refuses(search_of(Search, cv=1), X, y, "cv", "Got 1")
    refuses(search_of(Search, cv=[]), X, y, "cv=[] makes no split of 90 samples")


@both
@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"x0": {"Cc": 1.0}}, ["unknown parameter of x0 'Cc'", "did you mean 'C'"]),
        ({"x0": [1.0]}, ["the point 1.0", "a dict"]),
        ({"x0": {"C": np.nan}}, ["C=nan", "not in its search space"]),
        ({"x0": {"C": "small"}}, ["C='small'", "start elsewhere"]),
        ({"x0": "usual"}, ["x0", "'conventional'", "Got 'usual'"]),
        ({"patience": 0}, ["patience", "Got 0"]),
        ({"time_budget_s": np.nan}, ["time_budget_s", "Got nan"]),
        ({"target_score": "high"}, ["target_score", "Got 'high'"]),
        ({"target_score": np.nan}, ["target_score", "Got nan"]),
        ({"error_score": "ignore"}, ["error_score", "'raise'"]),
        ({"random_state": -1}, ["random_state", "Got -1"]),
        ({"callbacks": [None]}, ["callbacks has None"]),
        ({"scoring": "gmean"}, ["'gmean'", "did you mean 'g_mean'"]),
        ({"scoring": ["accuracy", "g_mean"]}, ["multi-metric", "refit"]),
        ({"estimator": None}, ["estimator", "Got None"]),
        ({"n_jobs": 0}, ["n_jobs"]),
    ],
    ids=words_of,
)
def test_parameters(Search, params, words, data):
    refuses(search_of(Search).set_params(**params), *data, *words)


@both
@pytest.mark.parametrize("value", [np.nan, np.inf, 2.5, "two"])
def test_start_points_that_are_no_integers(Search, value, data):
    space = {"max_iter": (50, 90)}
    refuses(search_of(Search, space, x0={"max_iter": value}), *data, "max_iter", "start elsewhere")


@pytest.mark.parametrize(
    ("Search", "params", "words"),
    [
        (DESearchCV, {"population_size": 2}, ["population_size", "[3, inf)", "Got 2"]),
        (DESearchCV, {"population_size": 4.5}, ["population_size", "an int", "Got 4.5"]),
        (DESearchCV, {"max_generations": 0}, ["max_generations", "[1, inf)", "Got 0"]),
        (DESearchCV, {"pbest_fraction": np.nan}, ["pbest_fraction", "Got nan"]),
        (DESearchCV, {"x0": [{"C": 1.0}] * 5}, ["x0 has 5 points", "population_size=4"]),
        (BayesSearchCV, {"n_iter": 0}, ["n_iter", "[1, inf)", "Got 0"]),
        (BayesSearchCV, {"n_iter": 2.5}, ["n_iter", "an int", "Got 2.5"]),
        (BayesSearchCV, {"x0": [{"C": 1.0}] * 7}, ["x0 has 7 points", "room for 6 candidates"]),
        (BayesSearchCV, {"xi": np.nan}, ["xi", "Got nan"]),
        (BayesSearchCV, {"optimizer_kwargs": {"acq": 1}}, ["optimizer_kwargs", "acq"]),
        (BayesSearchCV, {"search_spaces": [(C_SPACE, 0)]}, ["number of candidates >= 1"]),
    ],
    ids=words_of,
)
def test_parameters_of_one_search(Search, params, words, data):
    refuses(search_of(Search).set_params(**params), *data, *words)


@both
@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function", "score"])
def test_not_fitted(Search, method, data):
    arguments = data if method == "score" else data[:1]
    with pytest.raises(NotFittedError, match=f"This {Search.__name__} instance is not fitted"):
        getattr(search_of(Search), method)(*arguments)


@both
@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
def test_an_estimator_that_fails_for_some_candidates(Search, data):
    search = search_of(Search, estimator=Counts(fails="large C"))
    with pytest.warns(FitFailedWarning, match=r"fits failed and have the score nan(.|\n)*too much"):
        search.fit(*data)
    failed = np.isnan(search.cv_results_["mean_test_score"])
    large = np.array([params["C"] > 0.1 for params in search.cv_results_["params"]])
    assert failed.any()
    np.testing.assert_array_equal(failed, large)
    assert search.best_params_["C"] <= 0.1
    scored = clone(search).set_params(error_score=-1.0)
    with pytest.warns(FitFailedWarning, match="have the score -1.0"):
        scored.fit(*data)
    large = np.array([params["C"] > 0.1 for params in scored.cv_results_["params"]])
    np.testing.assert_array_equal(scored.cv_results_["mean_test_score"] == -1.0, large)
    with pytest.raises(RuntimeError, match="too much"):
        clone(search).set_params(error_score="raise").fit(*data)


@both
def test_an_estimator_that_fails_for_all_candidates(Search, data):
    search = search_of(Search, estimator=Counts(fails="always"))
    with pytest.raises(ValueError, match="Set error_score='raise' to stop") as error:
        search.fit(*data)
    assert str(error.value).count("Traceback") == 1  # only of the first one
    assert re.search(r"candidates failed: RuntimeError: C=.* is too much\n", str(error.value))
    assert not hasattr(search, "best_params_")


@both
def test_a_file_that_is_not_of_this_search_stays_as_it_is(Search, data, tmp_path):
    X, y = data
    path = tmp_path / "state"
    search = search_of(Search, state_file=path).fit(X, y)
    written = path.read_bytes()
    other = next(cls for cls in SMALL if cls is not Search)
    Counts.n_fits = 0
    for changed, given, difference in [
        (clone(search).set_params(random_state=1), data, "random_state"),
        (clone(search).set_params(search_spaces={"C": (0.01, 1.0)}), data, "search_spaces"),
        (clone(search).set_params(scoring="g_mean"), data, "scoring"),
        (clone(search).set_params(cv=3), data, "cv"),
        (clone(search), (X, np.where(np.arange(len(y)) == 0, 2, y)), "y"),
        (search_of(other, state_file=path), data, "search"),
    ]:
        refuses(changed, *given, "another search", difference, "name another state_file")
        assert path.read_bytes() == written
    assert list(tmp_path.iterdir()) == [path]
    path.write_bytes(written[: len(written) // 2])
    refuses(clone(search), X, y, "holds no state of a search", "delete")
    assert path.read_bytes() == written[: len(written) // 2]


@both
@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"search_spaces": {"C": (1.0, 0.1)}}, "low must be below high"),
        ({"x0": {"Cc": 1.0}}, "parameter of x0"),
        ({"cv": []}, "no split"),
    ],
)
def test_nothing_is_written_for_a_search_that_is_refused(Search, params, message, data, tmp_path):
    search = search_of(Search, state_file=tmp_path / "state").set_params(**params)
    with pytest.raises(ValueError, match=message):
        search.fit(*data)
    assert list(tmp_path.iterdir()) == []


@both
def test_folders_that_can_not_hold_a_state(Search, data, tmp_path):
    missing = tmp_path / "folder" / "state"
    refuses(search_of(Search, state_file=missing), *data, str(missing), "no folder")
    refuses(search_of(Search, state_file=tmp_path), *data, str(tmp_path), "is a folder")


@both
def test_categories_that_are_listed_twice_are_one(Search, data):
    points = [{"C": 1.0}, {"C": 0.1}]
    search = search_of(Search, {"C": [0.1, 1.0, 0.1, 1.0]}, x0=points).fit(*data)
    assert sorted(params["C"] for params in search.cv_results_["params"]) == [0.1, 1.0]
    assert search.stopping_reason_ == "exhausted"


@both
def test_columns_are_those_of_scikit_learn(Search, data):
    X, y = data
    ours = Search(LogisticRegression(), C_SPACE, return_train_score=True, **SMALL[Search]).fit(X, y)
    theirs = RandomizedSearchCV(
        LogisticRegression(),
        {"C": scipy.stats.uniform(1, 2)},
        n_iter=2,
        return_train_score=True,
        cv=2,
    ).fit(X, y)
    own = {"batch", "rank_train_score"}
    assert set(ours.cv_results_) == {*theirs.cv_results_, *own}
    ranks = ours.cv_results_["rank_train_score"]
    best = ours.cv_results_["mean_train_score"].max()
    np.testing.assert_array_equal(ranks == 1, ours.cv_results_["mean_train_score"] == best)
    for key, value in theirs.cv_results_.items():
        assert type(value) is type(ours.cv_results_[key]), key
    fitted = {name for name in vars(theirs) if name.endswith("_")}
    assert fitted <= {name for name in vars(ours) if name.endswith("_")}


@both
def test_several_metrics(Search, data):
    X, y = data
    scoring = {"f1": make_scorer(f1_score, average="macro"), "g": "g_mean"}
    search = Search(LogisticRegression(), C_SPACE, scoring=scoring, refit="g", **SMALL[Search])
    search.fit(X, y)
    assert search.best_score_ == search.cv_results_["mean_test_g"].max()
    single = Search(LogisticRegression(), C_SPACE, scoring="g_mean", **SMALL[Search]).fit(X, y)
    assert search.cv_results_["params"] == single.cv_results_["params"]
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_g"], single.cv_results_["mean_test_score"]
    )
    assert search.score(X, y) == single.score(X, y)


@both
def test_metrics_of_one_callable(Search, data):
    def scores(estimator, X, y):
        right = estimator.predict(X) == y
        return {"accuracy": right.mean(), "of_two": right[y == 2].mean()}

    search = Search(LogisticRegression(), C_SPACE, scoring=scores, refit="of_two", **SMALL[Search])
    search.fit(*data)
    assert search.multimetric_
    assert search.best_score_ == search.cv_results_["mean_test_of_two"].max()
    without = clone(search).set_params(refit=False).fit(*data)
    assert not hasattr(without, "best_params_")
    assert len(set(without.cv_results_["batch"])) > 1


@both
def test_refit_by_a_function(Search, data):
    search = Search(
        LogisticRegression(),
        C_SPACE,
        refit=lambda results: len(results["params"]) - 1,
        **SMALL[Search],
    ).fit(*data)
    assert search.best_index_ == len(search.cv_results_["params"]) - 1
    assert search.cv_results_["params"][-1] == {"C": search.best_estimator_.C}


@both
def test_names_mean_what_they_do_in_scikit_learn(Search):
    X, y = make_classification(120, 4, weights=[0.2], flip_y=0.1, random_state=0)
    search = Search(LogisticRegression(), {"C": [1.0]}, scoring="f1", cv=3).fit(X, y)
    expected = cross_val_score(LogisticRegression(), X, y, scoring="f1", cv=3).mean()
    assert search.best_score_ == pytest.approx(expected)  # skimbal's own is that of the rarer class
    with pytest.raises(ValueError, match="did you mean 'g_mean'"):
        Search(LogisticRegression(), C_SPACE, scoring="gmean").fit(X, y)


@both
def test_nothing_that_is_given_is_changed(Search, data):
    estimator, space = LogisticRegression(class_weight={0: 2}), class_weight_space(data[1])
    before = pickle.dumps((estimator, space))
    Search(estimator, space, x0="conventional", **SMALL[Search]).fit(*data)
    assert pickle.dumps((estimator, space)) == before
    assert estimator.class_weight == {0: 2}
