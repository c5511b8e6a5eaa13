"""Fits and candidates that fail."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC, LinearSVC

from skimbal import DESearchCV, MLPClassifier

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
