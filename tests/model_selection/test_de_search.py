"""DESearchCV, and with it all that the searches share."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
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
    hidden_layer_sizes=(8,), max_epochs=10, learning_rate=0.1, batch_size=32
)


@pytest.mark.filterwarnings("ignore")  # the checks fit nonsense too, and candidates that fail warn
@parametrize_with_checks(
    [
        DESearchCV(
            LogisticRegression(), C_SPACE, population_size=3, max_generations=2, cv=2, x0={"C": 1.0}
        ),
        DESearchCV(
            SMALL_NETWORK,
            {"learning_rate": (0.07, 0.15, "log-uniform")},
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
