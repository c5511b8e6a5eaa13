"""What classifiers that break scikit-learn's conventions get: an error that names what is wrong."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

from skimbal import BalancedBaggingNetClassifier, FixedCostClassifier, TunedCostClassifierCV

X, numbers = make_classification(120, n_informative=4, weights=[0.3], random_state=0)
y = np.array(["neg", "pos"])[numbers]


class FitsAnother(LogisticRegression):
    def fit(self, X, y):
        return LogisticRegression().fit(X, y)


class OneColumn(LogisticRegression):
    def predict_proba(self, X):
        return super().predict_proba(X)[:, 1]


class SometimesNaN(LogisticRegression):
    def predict_proba(self, X):
        proba = super().predict_proba(X)
        proba[3] = np.nan
        return proba


@pytest.mark.parametrize(
    "wrapper",
    [
        FixedCostClassifier(LogisticRegression()),
        TunedCostClassifierCV(cv=2),
        TunedCostClassifierCV(cv=0.3, refit=False),
        TunedCostClassifierCV(cv=2, refit="ensemble"),
        BalancedBaggingNetClassifier(n_estimators=6),
        BalancedBaggingNetClassifier(n_estimators=2, tune_costs=False),
    ],
    ids=["fixed", "tuned", "one split", "ensemble of folds", "bagging", "bagging without costs"],
)
@pytest.mark.parametrize(
    ("Classifier", "message"),
    [
        (FitsAnother, "the fitted FitsAnother has no classes_"),
        (OneColumn, r"returned shape|got 1 dimension|has shape \(\d+,\)"),
        (SometimesNaN, r"returned NaN or infinity for \d+ of \d+ samples, the first .* row 3"),
    ],
)
def test_it_is_named(wrapper, Classifier, message):
    model = clone(wrapper).set_params(estimator=Classifier())
    with pytest.raises(ValueError, match=message):
        model.fit(X, y).predict(X)
