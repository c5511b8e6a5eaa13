"""scikit-learn's common checks on every estimator, and our own tests in place of those that fail.

Two kinds of entry may stand in the table of expected failures, and no other: costs that move the
decision away from the argmax, and fits that depend on mini-batches or run in float32.
"""

import copy
import pickle

import numpy as np
import pytest
import torch
from imblearn.under_sampling import RandomUnderSampler
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.datasets import make_blobs, make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from skimbal import (
    AdaBoostNetClassifier,
    BalancedBaggingNetClassifier,
    CNN1DClassifier,
    CNN2DClassifier,
    DBNClassifier,
    ECOEnsembleClassifier,
    ECSDBNClassifier,
    FixedCostClassifier,
    MLPClassifier,
    NetClassifier,
    ResNetClassifier,
    TunedCostClassifierCV,
    WindowedClassifier,
)
from skimbal.ensemble import (
    CategoryCentersClassifier,
    DeepOversamplingClassifier,
    EvolutionaryELMClassifier,
    LMLEClassifier,
    PriorCorrectedClassifier,
    WeightedELMClassifier,
)
from skimbal.ensemble._elm_base import BaseELMClassifier
from skimbal.metrics import decide
from skimbal.neural_network import Module
from skimbal.preprocessing import flatten


class Flatten(TransformerMixin, BaseEstimator):
    """Rows of windows; a `FunctionTransformer` would have an address in its name."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return flatten(X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags


def two_layers(input_shape, n_classes):
    first, last = torch.nn.Linear(input_shape[0], 8), torch.nn.Linear(8, n_classes)
    return torch.nn.Sequential(first, torch.nn.ReLU(), last)


EPOCHS = {"max_epochs": 10, "learning_rate": 0.1, "batch_size": 32}
SMALL = {"hidden_layer_sizes": (8,), **EPOCHS}
FEW_EPOCHS = {**SMALL, "max_epochs": 5}  # for losses that take long
SMALL_CNN = {"n_filters": (8,), **EPOCHS}
ESTIMATORS = [
    MLPClassifier(**SMALL),
    CNN1DClassifier(**SMALL_CNN, global_pooling=False),
    CNN2DClassifier(**SMALL_CNN, global_pooling=False),
    ResNetClassifier(depth=8, batch_size=64, max_epochs=6, learning_rate=0.01, augmentation=()),
    DBNClassifier(**SMALL, pretrain_epochs=3),
    NetClassifier(Module(two_layers), **EPOCHS),
    FixedCostClassifier(LogisticRegression()),
    TunedCostClassifierCV(LogisticRegression(), cv=2),
    TunedCostClassifierCV(MLPClassifier(**SMALL), cv=2),
    ECSDBNClassifier(**SMALL, pretrain_epochs=3, cost_cv=2),
    BalancedBaggingNetClassifier(MLPClassifier(**SMALL), n_estimators=3),
    BalancedBaggingNetClassifier(LogisticRegression(), n_estimators=5, tune_costs=True),
    PriorCorrectedClassifier(LogisticRegression(class_weight="balanced")),
    PriorCorrectedClassifier(MLPClassifier(**SMALL, class_weight="balanced", random_state=0)),
    AdaBoostNetClassifier(MLPClassifier(**SMALL), n_estimators=3),
    AdaBoostNetClassifier(
        MLPClassifier(**SMALL), n_estimators=2, sampler=RandomUnderSampler(), continued_epochs=5
    ),
    DeepOversamplingClassifier(MLPClassifier(**FEW_EPOCHS), n_neighbors=3),
    LMLEClassifier(MLPClassifier(**FEW_EPOCHS), cluster_size=5, epochs_per_round=3, n_neighbors=3),
    ECOEnsembleClassifier(MLPClassifier(**SMALL), population_size=3, max_generations=1),
    ECOEnsembleClassifier(LogisticRegression(), population_size=4, max_generations=3),
    CategoryCentersClassifier(MLPClassifier(**SMALL, random_state=0)),
    WindowedClassifier(make_pipeline(Flatten(), LogisticRegression())),
    WindowedClassifier(MLPClassifier(**SMALL, random_state=0)),
    WeightedELMClassifier(),
    WeightedELMClassifier("poly", weighting="W2", encoding="standard", tune_costs=False),
    WeightedELMClassifier(None, n_nodes=30, C=[1, 8], gamma="scale", tune_costs=False),
    EvolutionaryELMClassifier(C=4.0, gamma="scale", population_size=4, max_generations=2),
]
COSTS = "costs move the decision away from the largest posterior"
WEIGHTS_UNDONE = "costs that are found make up for class weights; probabilities keep them"
SEARCH_COSTS = TunedCostClassifierCV | ECSDBNClassifier | BalancedBaggingNetClassifier
BATCHES = "mini-batches and float32: weights and repetition agree at full batch in float64 only"
WEIGHTS_ARE_REPETITION = (
    "check_sample_weight_equivalence_on_dense_data",
    "check_sample_weight_equivalence_on_sparse_data",
)
BAGS = "bags and folds are drawn by row: a repeated row is drawn more often"


def expected_failures(estimator):
    has_network = not isinstance(
        getattr(estimator, "estimator", None), LogisticRegression | Pipeline
    ) and not isinstance(estimator, BaseELMClassifier)
    failures = {}
    if isinstance(estimator, SEARCH_COSTS) or getattr(estimator, "tune_costs", False):
        failures["check_classifiers_train"] = COSTS
    if isinstance(estimator, ECSDBNClassifier):
        failures["check_class_weight_classifiers"] = WEIGHTS_UNDONE
    if has_network:
        failures |= dict.fromkeys(WEIGHTS_ARE_REPETITION, BATCHES)
    if isinstance(estimator, BalancedBaggingNetClassifier | ECOEnsembleClassifier):
        failures |= dict.fromkeys(WEIGHTS_ARE_REPETITION, BAGS)
    return failures


@pytest.mark.filterwarnings("ignore::skimbal.exceptions.FewerFoldsWarning")
@pytest.mark.filterwarnings("ignore:Estimator's parameters have changed")
@pytest.mark.filterwarnings("ignore:the classes .* have one distinct sample")
@pytest.mark.filterwarnings("ignore:these classes have fewer samples than n_neighbors")
@pytest.mark.filterwarnings("ignore:these classes are too small for two clusters")
@parametrize_with_checks(ESTIMATORS, expected_failed_checks=expected_failures)
def test_common_checks(estimator, check):
    check(estimator)


def data(n_classes=2, n_samples=120):
    weights = [0.7] + [0.3 / (n_classes - 1)] * (n_classes - 1)
    return make_classification(
        n_samples,
        5,
        n_informative=4,
        n_redundant=0,
        n_classes=n_classes,
        weights=weights,
        random_state=0,
    )


def ids(estimator):
    inner = getattr(estimator, "estimator", None)
    return type(estimator).__name__ + ("" if inner is None else f"-{type(inner).__name__}")


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=ids)
def test_predict_is_the_cost_decision_on_the_posteriors(estimator, n_classes):
    X, y = data(n_classes)
    fitted = clone(estimator).fit(X, y)
    proba = fitted.predict_proba(X)
    matrix = fitted.cost_matrix_
    indices = proba.argmax(axis=1) if matrix is None else decide(proba, matrix)
    np.testing.assert_array_equal(fitted.predict(X), fitted.classes_[indices])


def test_class_weights_move_the_probabilities_of_ecs_dbn():
    """As scikit-learn's check of class weights, on probabilities."""
    X, y = make_blobs(centers=2, random_state=0, cluster_std=20)
    network = ECSDBNClassifier(**SMALL, pretrain_epochs=3, cost_cv=2, random_state=0)
    network.set_params(class_weight={0: 1000, 1: 0.0001}, max_epochs=30, learning_rate=0.03)
    assert (network.fit(X, y).predict_proba(X)[:, 0] > 0.5).mean() > 0.87


@pytest.mark.parametrize(
    "estimator",
    [MLPClassifier(), DBNClassifier(pretrain_epochs=0), MLPClassifier(class_weight="balanced")],
    ids=repr,
)
def test_weights_equal_repetition_at_full_batch_in_float64(estimator):
    X, y = data()
    n_times = np.random.default_rng(0).integers(0, 4, len(y))
    estimator = clone(estimator).set_params(
        hidden_layer_sizes=(6,), batch_size=1000, max_epochs=100, random_state=0
    )
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        weighted = clone(estimator).fit(X, y, sample_weight=n_times)
        repeated = clone(estimator).fit(X.repeat(n_times, axis=0), y.repeat(n_times))
    finally:
        torch.set_default_dtype(before)
    np.testing.assert_allclose(
        weighted.predict_proba(X), repeated.predict_proba(X), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=ids)
def test_weights_of_one_change_nothing(estimator):
    X, y = data()
    estimator = clone(estimator)
    if "random_state" in estimator.get_params():
        estimator.set_params(random_state=0)
    plain = clone(estimator).fit(X, y).predict_proba(X)
    weighted = clone(estimator).fit(X, y, sample_weight=np.ones(len(y))).predict_proba(X)
    np.testing.assert_allclose(weighted, plain, rtol=0, atol=1e-5)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=ids)
def test_same_seed_same_result_after_clone_pickle_and_threads(estimator):
    X, y = data()
    estimator = clone(estimator)
    if "random_state" in estimator.get_params():
        estimator.set_params(random_state=0)
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = clone(estimator).fit(X, y)
    assert torch.equal(torch.get_rng_state(), state), "fit touched torch's global random state"
    torch.manual_seed(2)
    second = copy.deepcopy(estimator).fit(X, y)
    proba = first.predict_proba(X)
    np.testing.assert_array_equal(second.predict_proba(X), proba)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(first)).predict_proba(X), proba)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=ids)
@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.ones((4, 2)), [1, 1, 1, 1], "class"),
        ([[1.0, np.nan], [1, 2], [3, 4], [5, 6]], [0, 0, 1, 1], "NaN"),
        ([[1.0, np.inf], [1, 2], [3, 4], [5, 6]], [0, 0, 1, 1], "infinity"),
        (np.ones((4, 2)), [0.1, 0.2, 0.3, 0.5], "Unknown label type"),
    ],
)
def test_bad_data_is_a_value_error(estimator, X, y, message):
    with pytest.raises(ValueError, match=message):
        clone(estimator).fit(X, y)
