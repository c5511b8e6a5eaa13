"""What all cost-sensitive classifiers share."""

import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skimbal import FixedCostClassifier, MLPClassifier


@pytest.mark.parametrize(
    ("estimator", "expected"),
    [
        (GaussianNB(), False),
        (LogisticRegression(), False),
        (LogisticRegression(class_weight={0: 2.0}), True),
        (make_pipeline(StandardScaler(), MLPClassifier(class_weight="balanced")), True),
        (make_pipeline(StandardScaler(), MLPClassifier()), False),
        (make_pipeline(make_pipeline(MLPClassifier(class_weight=[1, 2]))), True),
    ],
    ids=repr,
)
def test_class_weights_of_a_classifier_or_the_last_step(estimator, expected):
    assert FixedCostClassifier(estimator)._is_class_weighted() is expected
