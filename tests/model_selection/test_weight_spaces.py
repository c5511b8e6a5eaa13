"""Search spaces of class weights and costs."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_classification
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from skopt.space import Real

from skimbal.model_selection import ClassWeights, CostMatrix, class_weight_space, cost_matrix_space


@pytest.fixture(scope="module")
def data():
    X, y = make_classification(120, 4, weights=[0.8], flip_y=0.1, random_state=0)
    return X, np.array(["ok", "worn"])[y]


def test_space_of_weights():
    y = ["b"] * 3 + ["a"] * 5 + ["c"]
    space = class_weight_space(y)
    assert list(space) == ["class_weight__b", "class_weight__c"]
    for dimension in space.values():
        assert isinstance(dimension, Real)
        assert (dimension.low, dimension.high, dimension.prior) == (1, 1000, "log-uniform")
        assert 1 <= dimension.rvs(random_state=0) <= 1000
        assert len(dimension.rvs(n_samples=3, random_state=0)) == 3
    assert list(class_weight_space(y, reference="c", param="p__costs")) == [
        "p__costs__a",
        "p__costs__b",
    ]
    assert list(class_weight_space(["majority", "x", "x"], reference="majority")) == [
        "class_weight__x"
    ]


def test_space_of_costs():
    space = cost_matrix_space(["b", "a", "a", "c"], low=0.1, high=10)
    assert set(space) == {
        "cost_matrix__b__a",
        "cost_matrix__b__c",
        "cost_matrix__c__a",
        "cost_matrix__c__b",
    }
    assert {(d.low, d.high) for d in space.values()} == {(0.1, 10)}


def test_searches_of_scikit_learn(data):
    X, y = data
    pipeline = make_pipeline(StandardScaler(), SVC(class_weight=ClassWeights(y)))
    space = class_weight_space(y, param="svc__class_weight")
    grid = GridSearchCV(
        pipeline, {name: [1, 10**1.5, 1000] for name in space}, scoring="f1_macro", cv=3
    ).fit(X, y)
    tried = grid.cv_results_["param_svc__class_weight__worn"].tolist()
    assert tried == pytest.approx([1, 10**1.5, 1000])
    assert np.ptp(grid.cv_results_["mean_test_score"]) > 0
    drawn = RandomizedSearchCV(pipeline, space, n_iter=3, cv=3, random_state=0).fit(X, y)
    assert 1 <= drawn.best_params_["svc__class_weight__worn"] <= 1000


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: class_weight_space([0.0, 1.0, np.nan]), ["1 of 3 rows", "drop these rows"]),
        (lambda: class_weight_space(["a", None, "b"]), ["no label", "1 of 3"]),
        (lambda: class_weight_space(pd.Series(["a", "b", pd.NA], dtype="string")), ["1 of 3"]),
        (lambda: class_weight_space(np.array([1, "1"], dtype=object)), ["int, str", "as text"]),
        (lambda: class_weight_space([0.1, 0.7, 0.2]), ["0.1", "whole numbers"]),
        (lambda: class_weight_space([0, 1], low="1"), ["low='1'", "0 < low < high"]),
        (lambda: class_weight_space([0, 1], low=None), ["low=None"]),
        (lambda: class_weight_space([0, 1], low=5, high=2), ["low=5, high=2"]),
        (lambda: class_weight_space([0, 1], high=np.inf), ["high=inf", "finite"]),
        (lambda: class_weight_space([0, 1], reference="1"), ["reference='1'", "[0, 1]"]),
        (lambda: cost_matrix_space(["a", "a__b", "b__c", "c"]), ["'a__b__c'", "rename"]),
        (lambda: ClassWeights([0.0, np.nan]), ["no label"]),
        (lambda: CostMatrix([0, 1], [[0, np.nan], [1, 0]]), ["nan", "finite numbers >= 0"]),
        (lambda: CostMatrix([0, 1], [[0, -1], [1, 0]]), ["-1.0", ">= 0"]),
    ],
)
def test_weights_and_their_spaces(make, words):
    with pytest.raises(ValueError, match=re.escape(words[0])) as error:
        make()
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ClassWeights({"a": -1.0}), ">= 0"),
        (lambda: ClassWeights({"a": np.inf}), "finite"),
        (lambda: ClassWeights({1: 1.0, "1": 2.0}), "several labels read '1'"),
        (lambda: ClassWeights([]), "list of labels"),
        (lambda: ClassWeights(["ok", "worn"]).set_params(wron=2), "did you mean 'worn'"),
        (lambda: ClassWeights(["a", "b"]).set_params(a="much"), "finite number"),
        (lambda: CostMatrix([0, 1]).set_params(**{"0__0": 1.0}), "pair of labels '0__0'"),
        (lambda: CostMatrix([0, 1]).set_params(**{"0__1": -1.0}), ">= 0"),
        (lambda: CostMatrix([0, 1], np.ones((3, 3))), r"must be \(2, 2\)"),
        (lambda: CostMatrix(["a", "a__b", "b__c", "c"]), "several labels read 'a__b__c'"),
        (lambda: class_weight_space([0, 0, 0]), "single label"),
        (lambda: class_weight_space([0, 1], low=0), "0 < low < high"),
        (lambda: class_weight_space([0, 1], low=10, high=10), "0 < low < high"),
        (lambda: class_weight_space([0, 1], reference=2), "reference=2"),
        (lambda: class_weight_space([[0], [1]]), "list of labels"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make()
