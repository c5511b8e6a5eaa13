"""Class weights and costs with a parameter for each label."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from sklearn.utils import estimator_html_repr

from skimbal import FixedCostClassifier, MLPClassifier
from skimbal.model_selection import ClassWeights, CostMatrix
from skimbal.model_selection._label_parameters import put_label_parameters


@pytest.fixture(scope="module")
def data():
    X, y = make_classification(120, 4, weights=[0.8], flip_y=0.1, random_state=0)
    return X, np.array(["ok", "worn"])[y]


def test_weights_are_a_dict_with_parameters():
    weights = ClassWeights(pd.Series(["b", "a", "b"]))
    assert weights == {"a": 1.0, "b": 1.0}
    assert weights.set_params(a=3) is weights
    assert weights.get_params() == {"a": 3, "b": 1.0}
    for copied in (clone(weights), pickle.loads(pickle.dumps(weights))):
        assert type(copied) is ClassWeights
        assert copied == weights
        copied["a"] = 7
        assert weights["a"] == 3


def test_labels_keep_their_type():
    assert list(ClassWeights(np.array([2, 0, 2]))) == [0, 2]
    assert ClassWeights([0, 1]).set_params(**{"1": 4.0}) == {0: 1.0, 1: 4.0}
    assert ClassWeights({True: 2.0, False: 1.0}).get_params() == {"True": 2.0, "False": 1.0}
    assert ClassWeights(["self", "deep"]).set_params(self=2.0)["self"] == 2.0


def test_a_clone_of_an_estimator_has_weights_of_its_own(data):
    estimator = LogisticRegression(class_weight=ClassWeights(data[1]))
    other = clone(estimator).set_params(class_weight__worn=5.0)
    assert estimator.class_weight["worn"] == 1.0
    assert other.class_weight["worn"] == 5.0
    assert "worn" in estimator_html_repr(other)
    assert "ClassWeights" in repr(other)


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(),
        RandomForestClassifier(5, max_depth=2, random_state=0),
        SVC(),
        MLPClassifier(max_epochs=3, random_state=0),
    ],
    ids=lambda e: type(e).__name__,
)
def test_as_good_as_a_dict(estimator, data):
    X, y = data
    given = clone(estimator).set_params(class_weight={"ok": 1.0, "worn": 6.0}).fit(X, y)
    ours = clone(estimator).set_params(class_weight=ClassWeights(y))
    ours.set_params(class_weight__worn=6.0).fit(X, y)
    np.testing.assert_array_equal(ours.predict(X), given.predict(X))
    plain = clone(estimator).set_params(class_weight=ClassWeights(y)).fit(X, y)
    assert np.mean(plain.predict(X) == "worn") < np.mean(ours.predict(X) == "worn")


def test_cost_matrix_is_an_array_with_parameters(data):
    X, y = data
    costs = CostMatrix(y)
    np.testing.assert_array_equal(costs, [[0, 1], [1, 0]])
    costs.set_params(worn__ok=9.0)
    assert costs.get_params() == {"ok__worn": 1.0, "worn__ok": 9.0}
    assert len(costs) == 2
    copied = clone(costs).set_params(worn__ok=2.0)
    np.testing.assert_array_equal(costs, [[0, 1], [9, 0]])
    np.testing.assert_array_equal(copied, [[0, 1], [2, 0]])
    fixed = FixedCostClassifier(LogisticRegression(), costs=costs).fit(X, y)
    np.testing.assert_array_equal(fixed.cost_matrix_, [[0, 1], [9, 0]])


def placed(estimator, names, y):
    estimator = clone(estimator)
    put_label_parameters(estimator, names, y)
    return estimator.get_params(deep=True)


def test_entries_are_put_in_place():
    y = ["ok", "ok", "worn"]
    names = ["class_weight__worn"]
    for given in (None, "balanced", {"worn": 1.0}, [1.0, 1.0]):
        network = MLPClassifier(class_weight=given)
        assert placed(network, names, y)["class_weight"] == {"ok": 1.0, "worn": 1.0}
        assert network.class_weight is given
    kept = placed(LogisticRegression(class_weight={"ok": 0.5}), names, y)
    assert kept["class_weight"] == {"ok": 0.5, "worn": 1.0}
    pipeline = make_pipeline(FixedCostClassifier(LogisticRegression()))
    one = placed(pipeline, ["fixedcostclassifier__costs__worn"], y)
    assert isinstance(one["fixedcostclassifier__costs"], ClassWeights)
    two = placed(pipeline, ["fixedcostclassifier__costs__worn__ok"], y)
    assert isinstance(two["fixedcostclassifier__costs"], CostMatrix)
    matrix = placed(MLPClassifier(), ["cost_matrix__worn__ok"], y)
    assert isinstance(matrix["cost_matrix"], CostMatrix)
    assert placed(LogisticRegression(), ["C"], y)["class_weight"] is None


@pytest.mark.parametrize(
    ("estimator", "names", "message"),
    [
        (LogisticRegression(), ["class_weight__wron"], "did you mean 'worn'"),
        (
            LogisticRegression(class_weight={"bad": 1}),
            ["class_weight__ok"],
            r"labels \['bad'\], but",
        ),
        (MLPClassifier(class_weight=[1, 2, 3]), ["class_weight__ok"], "2 labels"),
        (MLPClassifier(), ["cost_matrix__ok"], "unknown label in cost_matrix__"),
    ],
)
def test_labels_that_the_data_lacks(estimator, names, message):
    with pytest.raises(ValueError, match=message):
        placed(estimator, names, ["ok", "worn"])
