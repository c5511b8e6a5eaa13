"""Where nothing is held out, a classifier that says that it balances the classes is reported."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from imblearn.ensemble import BalancedRandomForestClassifier
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as imblearn_pipeline
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skimbal import BalancedBaggingNetClassifier, FixedCostClassifier, MLPClassifier
from skimbal.cost_sensitive._stated_balance import stated_balance
from skimbal.ensemble import EvolutionaryELMClassifier, WeightedELMClassifier
from skimbal.exceptions import BalancedTwiceWarning
from skimbal.losses import Focal, LogitAdjustment

X, y = make_classification(80, weights=[0.8], random_state=0)
WEIGHTED = LogisticRegression(class_weight="balanced")
BALANCED = {
    "class_weight='balanced'": WEIGHTED,
    "class_weight={0: 2.0}": LogisticRegression(class_weight={0: 2.0}),
    "class_weight=0": LogisticRegression(class_weight=pd.Series({1: 4.0, 0: 1.0})),
    "class_weight=[1, 2]": make_pipeline(make_pipeline(MLPClassifier(class_weight=[1, 2]))),
    "class_weight='effective'": make_pipeline(
        StandardScaler(), MLPClassifier(class_weight="effective")
    ),
    "sampler='sqrt'": MLPClassifier(sampler="sqrt"),
    "loss='balanced_softmax'": MLPClassifier(loss="balanced_softmax"),
    "loss='dice'": MLPClassifier(loss="dice"),
    "loss=LogitAdjustment": MLPClassifier(loss=LogitAdjustment(tau=0.5)),
    "loss=CrossEntropyLoss": MLPClassifier(
        loss=torch.nn.CrossEntropyLoss(weight=torch.tensor([1.0, 4.0]))
    ),
    "RandomOverSampler": imblearn_pipeline(RandomOverSampler(), LogisticRegression()),
    "GridSearchCV": GridSearchCV(WEIGHTED, {"C": [1.0]}),
    "FrozenEstimator": FrozenEstimator(WEIGHTED),
    "sampling_strategy": BalancedRandomForestClassifier(),
    "MLPClassifier": BalancedBaggingNetClassifier(),
    "weighting='W1'": WeightedELMClassifier(),
    "max_factor": EvolutionaryELMClassifier(),
    "LogisticRegression": VotingClassifier([("nb", GaussianNB()), ("lr", WEIGHTED)], voting="soft"),
}
SILENT = [
    GaussianNB(),
    LogisticRegression(class_weight={0: 1, 1: 1.0}),
    LogisticRegression(class_weight={0: 3, 1: 3}),
    MLPClassifier(class_weight=[2, 2]),
    MLPClassifier(class_weight=pd.Series({1: 4.0, 0: 4.0})),
    MLPClassifier(loss=Focal(gamma=1)),
    MLPClassifier(loss=torch.nn.CrossEntropyLoss()),
    HistGradientBoostingClassifier(loss="log_loss"),
    CalibratedClassifierCV(WEIGHTED),
    WeightedELMClassifier(weighting=None),
    make_pipeline(StandardScaler(), MLPClassifier()),
    GridSearchCV(LogisticRegression(), {"C": [1.0]}),
]


@pytest.mark.parametrize("name", BALANCED)
def test_a_classifier_that_balances_says_so(name):
    reason = stated_balance(BALANCED[name], [0, 1])
    assert reason is not None
    expected = {"GridSearchCV": "class_weight", "FrozenEstimator": "class_weight"}
    assert expected.get(name, name.split("=")[0]) in reason


@pytest.mark.parametrize("estimator", SILENT, ids=repr)
def test_a_classifier_that_does_not_balance_says_nothing(estimator):
    assert stated_balance(estimator, [0, 1]) is None


@pytest.mark.parametrize("encoding", [None, "auto"])
def test_a_fitted_ensemble_says_what_its_members_do(encoding):
    for weights, expected in ((None, False), ([1.0, 4.0], True)):
        network = MLPClassifier(hidden_layer_sizes=(2,), max_epochs=1, class_weight=weights)
        ensemble = BalancedBaggingNetClassifier(
            network, n_estimators=2, sampling_strategy=None, encoding=encoding, tune_costs=False
        )
        assert (stated_balance(ensemble.fit(X, y), [0, 1]) is not None) is expected


@pytest.mark.parametrize(("last", "expected"), [(WEIGHTED, True), (GaussianNB(), False)])
def test_the_last_classifier_of_a_stack_decides(last, expected):
    stack = StackingClassifier([("lr", WEIGHTED)], final_estimator=last, cv=2).fit(X, y)
    assert (stated_balance(stack, [0, 1]) is not None) is expected


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"class_weight": "balanced"}, "class_weight='balanced'"),
        ({"class_weight": {1: 9.0}}, "class_weight={1: 9.0}"),
        ({"sampler": "balanced"}, "sampler='balanced'"),
        ({"loss": "balanced_softmax"}, "loss=BalancedSoftmax"),
    ],
)
def test_a_network_that_decides_by_the_inverse_frequencies_says_so(params, reason):
    tiny = {"hidden_layer_sizes": (2,), "max_epochs": 1, "random_state": 0} | params
    with pytest.warns(BalancedTwiceWarning, match=re.escape(reason)) as caught:
        MLPClassifier(cost_matrix="inverse_frequency", **tiny).fit(X, y)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error", BalancedTwiceWarning)
        MLPClassifier(cost_matrix=[[0, 1], [4, 0]], **tiny).fit(X, y)  # known costs


@pytest.mark.parametrize(
    "params", [{}, {"class_weight": {0: 2.0, 1: 2.0}}, {"loss": "expected_cost"}, {"loss": "focal"}]
)
def test_a_network_that_balances_once_says_nothing(params):
    network = MLPClassifier(hidden_layer_sizes=(2,), max_epochs=1, **params)
    with warnings.catch_warnings():
        warnings.simplefilter("error", BalancedTwiceWarning)
        network.set_params(cost_matrix="inverse_frequency").fit(X, y)


def test_a_search_says_what_its_best_candidate_does():
    search = GridSearchCV(LogisticRegression(), {"class_weight": ["balanced"]}, cv=2).fit(X, y)
    assert "class_weight" in stated_balance(search, [0, 1])


def test_default_costs_around_a_balanced_classifier_warn():
    with pytest.warns(BalancedTwiceWarning, match="costs='inverse_frequency' makes up for"):
        FixedCostClassifier(WEIGHTED).fit(X, y)


def test_weights_by_label_are_compared_for_the_labels_of_y():
    labels = np.where(y == 1, "rare", "common")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        FixedCostClassifier(LogisticRegression(class_weight={"rare": 1})).fit(X, labels)
    with pytest.warns(BalancedTwiceWarning, match="'rare': 2"):
        FixedCostClassifier(LogisticRegression(class_weight={"rare": 2})).fit(X, labels)


def test_given_costs_and_plain_classifiers_do_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        FixedCostClassifier(WEIGHTED, costs={1: 5}).fit(X, y)
        FixedCostClassifier(LogisticRegression()).fit(X, y)
