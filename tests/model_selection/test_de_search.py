"""DESearchCV, and with it all that the searches share."""

import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_classification
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import RandomizedSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from skimbal import FixedCostClassifier, MLPClassifier, TunedCostClassifierCV
from skimbal.model_selection import DESearchCV, class_weight_space, cost_matrix_space

C_SPACE = {"C": (0.001, 100.0, "log-uniform")}
SMALL = {"population_size": 4, "max_generations": 3, "cv": 3, "random_state": 0}
NETWORK = MLPClassifier(hidden_layer_sizes=(6,), max_epochs=4)
SMALL_NETWORK = MLPClassifier(
    hidden_layer_sizes=(8,), max_epochs=30, learning_rate=0.03, batch_size=32
)


@pytest.mark.filterwarnings("ignore")  # the checks fit nonsense too, and candidates that fail warn
@parametrize_with_checks(
    [
        DESearchCV(
            LogisticRegression(), C_SPACE, population_size=3, max_generations=2, cv=2, x0={"C": 1.0}
        ),
        DESearchCV(
            SMALL_NETWORK,
            {"learning_rate": (0.02, 0.05, "log-uniform")},
            population_size=3,
            max_generations=1,
            cv=2,
        ),
    ]
)
def test_common_checks(estimator, check):
    check(estimator)


def test_finds_what_is_best():
    """The score is a parabola with its top at C = 2."""

    class Parabola(ClassifierMixin, BaseEstimator):
        def __init__(self, C=1.0, n=3):
            self.C, self.n = C, n

        def fit(self, X, y):
            self.classes_ = np.unique(y)
            return self

        def predict(self, X):
            return np.zeros(len(X))

        def score(self, X, y):
            return -((np.log10(self.C / 2)) ** 2) - (self.n - 17) ** 2

    search = DESearchCV(
        Parabola(), C_SPACE | {"n": (1, 40)}, max_generations=25, cv=2, random_state=0
    ).fit(np.zeros((8, 1)), [0, 1] * 4)
    assert search.best_params_["n"] == 17
    assert search.best_params_["C"] == pytest.approx(2, rel=0.2)
    assert search.cv_results_["batch"].tolist() == sorted(search.cv_results_["batch"])


@pytest.mark.parametrize(
    ("estimator", "param"),
    [
        (LogisticRegression(), "class_weight"),
        (make_pipeline(PCA(3), SVC()), "svc__class_weight"),
        (DecisionTreeClassifier(max_depth=3, random_state=0), "class_weight"),
        (FixedCostClassifier(LogisticRegression()), "costs"),
        (clone(NETWORK).set_params(random_state=0), "class_weight"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_weights_by_label_are_searched_and_not_scored_with(estimator, param, data):
    """Each score is that of a plain cross-validation of an estimator with these weights."""
    X, y = data
    space = class_weight_space(y, param=param)
    search = DESearchCV(estimator, space, scoring="f1_macro", **SMALL).fit(X, y)
    assert len(search.cv_results_["params"]) == 12
    assert np.ptp(search.cv_results_["mean_test_score"]) > 0
    for i in (0, 5, 11):
        params = search.cv_results_["params"][i]
        weights = {0: 1.0} | {int(k[-1]): value for k, value in params.items()}
        weighted = clone(estimator).set_params(**{param: weights})
        scores = cross_val_score(weighted, X, y, scoring="f1_macro", cv=3)
        found = [search.cv_results_[f"split{k}_test_score"][i] for k in range(3)]
        np.testing.assert_allclose(found, scores)
    held = search.best_estimator_.get_params()[param]
    assert held == {0: 1.0} | {int(k[-1]): v for k, v in search.best_params_.items()}


def test_costs_of_pairs_and_labels_that_are_strings(data):
    X, y = data
    labels = pd.Series(np.array(["fine", "worn", "out of order"])[y], name="state")
    space = cost_matrix_space(labels, param="costs")
    assert "costs__out of order__fine" in space
    search = DESearchCV(
        FixedCostClassifier(LogisticRegression()), space, scoring="macro_f1", **SMALL
    ).fit(pd.DataFrame(X, columns=list("abcde")), labels)
    matrix = search.best_estimator_.cost_matrix_
    assert matrix[1, 0] == search.best_params_["costs__out of order__fine"]
    assert matrix[0].tolist() == [0, 1, 1]
    assert search.feature_names_in_.tolist() == list("abcde")


def test_weights_and_a_parameter_of_a_wrapped_network(data):
    X, y = data
    space = {"estimator__learning_rate": (0.001, 0.1, "log-uniform")} | class_weight_space(
        y, param="estimator__class_weight"
    )
    tuned = TunedCostClassifierCV(clone(NETWORK), cv=2)
    search = DESearchCV(tuned, space, population_size=3, max_generations=1, cv=2, random_state=0)
    search.fit(X, y)
    network = search.best_estimator_.estimator_
    assert network.learning_rate == search.best_params_["estimator__learning_rate"]


def test_nothing_that_is_given_is_changed(data):
    estimator, space = LogisticRegression(class_weight={0: 2}), class_weight_space(data[1])
    before = pickle.dumps((estimator, space))
    DESearchCV(estimator, space, x0="conventional", **SMALL).fit(*data)
    assert pickle.dumps((estimator, space)) == before
    assert estimator.class_weight == {0: 2}


def test_columns_are_those_of_scikit_learn(data):
    X, y = data
    ours = DESearchCV(LogisticRegression(), C_SPACE, return_train_score=True, **SMALL).fit(X, y)
    theirs = RandomizedSearchCV(
        LogisticRegression(), {"C": scipy.stats.uniform(1, 2)}, n_iter=2, return_train_score=True,
        cv=3,
    ).fit(X, y)  # fmt: skip
    assert set(ours.cv_results_) == {*theirs.cv_results_, "batch"}
    for key, value in theirs.cv_results_.items():
        assert type(value) is type(ours.cv_results_[key]), key
    fitted = {name for name in vars(theirs) if name.endswith("_")}
    assert fitted <= {name for name in vars(ours) if name.endswith("_")}


def test_several_metrics(data):
    X, y = data
    scoring = {"f1": make_scorer(f1_score, average="macro"), "g": "g_mean"}
    search = DESearchCV(LogisticRegression(), C_SPACE, scoring=scoring, refit="g", **SMALL)
    search.fit(X, y)
    assert search.best_score_ == search.cv_results_["mean_test_g"].max()
    single = DESearchCV(LogisticRegression(), C_SPACE, scoring="g_mean", **SMALL).fit(X, y)
    assert search.cv_results_["params"] == single.cv_results_["params"]
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_g"], single.cv_results_["mean_test_score"]
    )
    assert search.score(X, y) == single.score(X, y)


def test_metrics_of_one_callable(data):
    def scores(estimator, X, y):
        right = estimator.predict(X) == y
        return {"accuracy": right.mean(), "of_two": right[y == 2].mean()}

    search = DESearchCV(LogisticRegression(), C_SPACE, scoring=scores, refit="of_two", **SMALL)
    search.fit(*data)
    assert search.multimetric_
    assert search.best_score_ == search.cv_results_["mean_test_of_two"].max()
    without = clone(search).set_params(refit=False).fit(*data)
    assert not hasattr(without, "best_params_")
    assert set(without.cv_results_["batch"]) == {0, 1, 2}


def test_refit_by_a_function(data):
    search = DESearchCV(
        LogisticRegression(), C_SPACE, refit=lambda results: len(results["params"]) - 1, **SMALL
    ).fit(*data)
    assert search.best_index_ == len(search.cv_results_["params"]) - 1
    assert search.cv_results_["params"][-1] == {"C": search.best_estimator_.C}


def test_names_mean_what_they_do_in_scikit_learn():
    X, y = make_classification(120, 4, weights=[0.2], flip_y=0.1, random_state=0)
    search = DESearchCV(LogisticRegression(), {"C": [1.0]}, scoring="f1", cv=3).fit(X, y)
    expected = cross_val_score(LogisticRegression(), X, y, scoring="f1", cv=3).mean()
    assert search.best_score_ == pytest.approx(expected)  # skimbal's own is that of the rarer class
    with pytest.raises(ValueError, match="did you mean 'g_mean'"):
        DESearchCV(LogisticRegression(), C_SPACE, scoring="gmean").fit(X, y)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"search_spaces": {}}, "search space is {}"),
        ({"search_spaces": []}, "empty list"),
        ({"search_spaces": {"max_itr": (5, 9)}}, "did you mean 'max_iter'"),
        ({"search_spaces": {"C": (1.0, 0.1)}}, "low must be below high"),
        ({"search_spaces": {"C": (0.0, 1.0, "log-uniform")}}, "needs low > 0"),
        ({"search_spaces": {"class_weight__7": (1, 9)}}, "unknown label in class_weight__ '7'"),
        ({"population_size": 2}, "population_size"),
        ({"max_generations": 0}, "max_generations"),
        ({"pbest_fraction": 0.0}, "pbest_fraction"),
        ({"adaptation_rate": 2.0}, "adaptation_rate"),
        ({"patience": 0}, "patience"),
        ({"time_budget_s": 0}, "time_budget_s"),
        ({"x0": "usual"}, "x0"),
        ({"x0": {"max_iter": 9}}, "unknown parameter of x0 'max_iter'"),
        ({"x0": [[1.0]]}, "a point must be a dict"),
        ({"x0": {"C": -1.0}}, "not in its search space"),
        ({"x0": [{"C": 1.0}] * 4, "population_size": 3}, "x0 has 4 points"),
        ({"callbacks": ["print"]}, "can't be called"),
        ({"scoring": ["g_mean", "macro_f1"]}, "multi-metric scoring"),
        ({"cv": []}, "no split"),
    ],
)
def test_bad_input(params, message, data):
    calls = []

    class Counts(LogisticRegression):
        def fit(self, X, y):
            calls.append(1)
            return super().fit(X, y)

    search = DESearchCV(Counts(), C_SPACE).set_params(**params)
    with pytest.raises(ValueError, match=message):
        search.fit(*data)
    assert not calls
