"""Start points of a search, and the conventional weights."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from skimbal import DESearchCV, MLPClassifier
from skimbal.model_selection import class_weight_space, cost_matrix_space
from skimbal.model_selection._label_parameters import put_label_parameters
from skimbal.model_selection._start_points import conventional_values

C_SPACE = {"C": (0.001, 100.0, "log-uniform")}
SMALL = {"population_size": 4, "max_generations": 3, "cv": 3, "random_state": 0}
NETWORK = MLPClassifier(hidden_layer_sizes=(6,), max_epochs=4)


def test_conventional_start(data):
    X, y = data
    counts = np.bincount(y)
    space = class_weight_space(y) | {"learning_rate": (0.001, 1.0, "log-uniform")}
    network = clone(NETWORK).set_params(learning_rate=0.02)
    search = DESearchCV(network, space, x0="conventional", **SMALL).fit(X, y)
    first = search.cv_results_["params"][0]
    assert first == pytest.approx(
        {
            "class_weight__1": counts[0] / counts[1],
            "class_weight__2": counts[0] / counts[2],
            "learning_rate": 0.02,
        }
    )
    assert search.best_score_ >= search.cv_results_["mean_test_score"][0]


def test_start_points(data):
    points = [{"C": 0.5}, {"tol": 0.003}]
    space = C_SPACE | {"tol": (1e-5, 1e-2, "log-uniform")}
    search = DESearchCV(LogisticRegression(C=2.0), space, x0=points, **SMALL).fit(*data)
    assert search.cv_results_["params"][0] == pytest.approx({"C": 0.5, "tol": 1e-4})
    assert search.cv_results_["params"][1] == pytest.approx({"C": 2.0, "tol": 0.003})


def test_start_outside_the_bounds_widens_them(data):
    search = DESearchCV(LogisticRegression(), C_SPACE, x0={"C": 300.0}, **SMALL)
    with pytest.warns(UserWarning, match=r"C=300.0 is outside .* widened to \(0.001, 300.0\)"):
        search.fit(*data)
    assert search.cv_results_["params"][0]["C"] == pytest.approx(300)


def test_a_value_that_no_space_has_starts_in_the_middle(data):
    tree = DecisionTreeClassifier(random_state=0)  # max_depth=None
    search = DESearchCV(tree, {"max_depth": (1, 9)}, x0="conventional", **SMALL).fit(*data)
    assert search.cv_results_["params"][0] == {"max_depth": 5}


def test_conventional_weights_by_hand():
    y = ["a"] * 12 + ["b"] * 4 + ["c"] * 2
    names = ["class_weight__b", "class_weight__c"]
    network = MLPClassifier()
    put_label_parameters(network, names, y)
    weights = conventional_values([*names, "learning_rate"], network, y)
    assert weights == {"class_weight__b": 3.0, "class_weight__c": 6.0}
    names = ["class_weight__a", "class_weight__b"]
    assert conventional_values(names, network, y) == {
        "class_weight__a": 2 / 12,
        "class_weight__b": 2 / 4,
    }
    names = list(cost_matrix_space(y))
    network = MLPClassifier()
    put_label_parameters(network, names, y)
    costs = conventional_values(names, network, y)
    assert costs["cost_matrix__b__a"] == costs["cost_matrix__b__c"] == 3.0
    assert costs["cost_matrix__c__a"] == costs["cost_matrix__c__b"] == 6.0
