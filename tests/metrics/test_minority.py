"""Scores of the rarest class, whatever its label and its place among the labels."""

import numpy as np
import pytest
import sklearn
import sklearn.metrics
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_validate
from sklearn.svm import SVC

from skimbal.exceptions import AbsentClassWarning
from skimbal.metrics import get_scorer
from skimbal.metrics._minority import (
    minority_average_precision,
    minority_f1,
    minority_f1_from_confusion,
    minority_precision_from_confusion,
    minority_recall_from_confusion,
)
from skimbal.metrics._scores import f1_from_confusion

OF_SCIKIT_LEARN = {
    "minority_f1": sklearn.metrics.f1_score,
    "minority_precision": sklearn.metrics.precision_score,
    "minority_recall": sklearn.metrics.recall_score,
}
FROM_CONFUSION = (
    minority_f1_from_confusion,
    minority_precision_from_confusion,
    minority_recall_from_confusion,
)
# The rarest of the classes 0, 1, 2 is the last one; its new label is first, in the middle or last.
NAMES = [["x", "y", "a"], ["a", "z", "m"], ["a", "b", "c"], [7, 9, 8], [2, 0, 1]]


def data(names, n_classes):
    weights = [0.6, 0.3, 0.1] if n_classes == 3 else [0.0, 0.8, 0.2]
    X, y = make_classification(
        300, n_informative=4, n_classes=3, weights=weights, flip_y=0.1, random_state=0
    )
    kept = y >= 3 - n_classes
    return X[kept], np.array(names)[y[kept]], names[2]


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("score", OF_SCIKIT_LEARN)
def test_scores_of_labels_are_those_of_the_rarest_class(score, names, n_classes):
    X, y, rarest = data(names, n_classes)
    model, weight = LogisticRegression().fit(X, y), np.linspace(0.9, 1.1, len(y))
    expected = OF_SCIKIT_LEARN[score](
        y, model.predict(X), labels=[rarest], average="macro", sample_weight=weight
    )
    assert 0 < expected < 1
    assert get_scorer(score)(model, X, y, sample_weight=weight) == pytest.approx(expected)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("has_probabilities", [True, False])
def test_average_precision_is_that_of_the_rarest_class(has_probabilities, names, n_classes):
    X, y, rarest = data(names, n_classes)
    model = (LogisticRegression() if has_probabilities else SVC()).fit(X, y)
    column = model.classes_.tolist().index(rarest)
    if has_probabilities:
        scores = model.predict_proba(X)[:, column]
    elif n_classes == 2:
        scores = (1 if column else -1) * model.decision_function(X)
    else:
        scores = model.decision_function(X)[:, column]
    expected = sklearn.metrics.average_precision_score(y == rarest, scores)
    assert get_scorer("minority_average_precision")(model, X, y) == pytest.approx(expected)


def test_average_precision_by_hand():
    y, score = ["a", "b", "b", "b"], [0.1, 0.2, 0.05, 0.9]  # of "b"; "a" comes second
    assert minority_average_precision(y, score) == pytest.approx(1 / 2)
    assert minority_average_precision(y, score, sample_weight=[1, 1, 3, 1]) == pytest.approx(1 / 4)
    with pytest.raises(ValueError, match=r"shape \(4, 3\), but there are 2 labels"):
        minority_average_precision(y, np.ones((4, 3)))


def test_average_precision_knows_the_classes_that_are_absent_from_a_fold():
    X, y, _ = data(["a", "b", "c"], 3)
    model, kept = LogisticRegression().fit(X, y), y != "a"
    scorer = get_scorer("minority_average_precision")
    with pytest.warns(AbsentClassWarning, match="minority_average_precision"):
        assert scorer(model, X[kept], y[kept]) == 0.0


@pytest.mark.parametrize("name", [*OF_SCIKIT_LEARN, "minority_average_precision"])
def test_sample_weights_are_routed(name):
    X, y, _ = data(["a", "b", "c"], 2)
    weight = np.where(y == "b", 5.0, np.arange(len(y)) % 3)
    folds = [(np.arange(0, 100), np.arange(100, len(y)))]
    with sklearn.config_context(enable_metadata_routing=True):
        scorer = get_scorer(name).set_score_request(sample_weight=True)
        model = LogisticRegression().set_fit_request(sample_weight=False)
        found = cross_validate(
            model, X, y, params={"sample_weight": weight}, scoring=scorer, cv=folds
        )["test_score"]
        other = get_scorer(name)._get_metadata_request()  # has requests of its own
        assert other.score.requests.get("sample_weight") is None
    model = LogisticRegression().fit(X[:100], y[:100])
    expected = get_scorer(name)(model, X[100:], y[100:], sample_weight=weight[100:])
    assert found == [expected]


@pytest.mark.parametrize("function", FROM_CONFUSION)
def test_a_stack_of_matrices_is_scored_as_each_by_itself(function):
    stack = np.random.default_rng(0).integers(0, 9, size=(5, 4, 3, 3)).astype(float)
    each = [[function(matrix) for matrix in row] for row in stack]
    np.testing.assert_array_equal(function(stack), each)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_minority_f1_is_of_the_rarer_class(order):
    confusion = np.array([[70, 10], [5, 15]])[np.ix_(order, order)]
    assert minority_f1_from_confusion(confusion) == pytest.approx(30 / 45)
    names = np.array(["x", "y"])
    y_true = np.repeat(names[[0, 0, 1, 1]], confusion.ravel())
    y_pred = np.repeat(names[[0, 1, 0, 1]], confusion.ravel())
    assert minority_f1(y_true, y_pred) == pytest.approx(30 / 45)


def test_minority_f1_of_equal_classes_is_of_the_second():
    confusion = np.array([[10, 0], [5, 5]])
    assert minority_f1_from_confusion(confusion) == f1_from_confusion(confusion, 1)


def test_minority_f1_without_a_second_class_is_zero():
    with pytest.warns(AbsentClassWarning):
        assert minority_f1([1, 1], [1, 1]) == 0.0
    with pytest.warns(AbsentClassWarning):
        assert minority_f1([1, 1], [1, 0]) == 0.0


@pytest.mark.parametrize("names", [["OK", "FAILURE"], [0, 1]])
def test_labels_that_the_classifier_does_not_know_are_refused(names):
    X, y = make_classification(60, weights=[0.8], random_state=0)
    classifier = LogisticRegression().fit(X, np.array(["ok", "failure"])[y])
    with pytest.raises(ValueError, match=r"knows the classes \['failure', 'ok'\], but y has"):
        get_scorer("minority_average_precision")(classifier, X, np.array(names)[y])
