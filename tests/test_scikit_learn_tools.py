"""scikit-learn's tools around every kind of estimator, as the guide shows them."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import StackingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401 - allows the import below
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import PartialDependenceDisplay, permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    HalvingRandomSearchCV,
    TunedThresholdClassifierCV,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skimbal import (
    AdaBoostNetClassifier,
    BalancedBaggingNetClassifier,
    DBNClassifier,
    DESearchCV,
    ECSDBNClassifier,
    FixedCostClassifier,
    MLPClassifier,
    TunedCostClassifierCV,
)
from skimbal.ensemble import WeightedELMClassifier
from skimbal.metrics import get_scorer, make_cost_scorer

mpl.use("Agg")

pytestmark = [
    pytest.mark.filterwarnings("ignore:.* samples are in every bag"),
    pytest.mark.filterwarnings("ignore:FixedCostClassifier .*balance"),
]

NET = MLPClassifier(hidden_layer_sizes=(8,), max_epochs=4, learning_rate=0.02, random_state=0)
PRETRAINED = {
    "hidden_layer_sizes": (6,),
    "pretrain_epochs": 1,
    "max_epochs": 3,
    "learning_rate": 0.02,
    "random_state": 0,
}
SEARCH = {"population_size": 5, "max_generations": 1}
ESTIMATORS = {
    "network": NET,
    "belief network": DBNClassifier(**PRETRAINED),
    "fixed costs": FixedCostClassifier(NET),
    "tuned costs": TunedCostClassifierCV(NET, cv=2, random_state=0),
    "ecs-dbn": ECSDBNClassifier(**PRETRAINED, **SEARCH, cost_cv=2),
    "bagging": BalancedBaggingNetClassifier(NET, n_estimators=3, random_state=0),
    "boosting": AdaBoostNetClassifier(NET, n_estimators=2, random_state=0),
    "extreme learning machine": WeightedELMClassifier(random_state=0),
    "search": DESearchCV(
        NET,
        {"learning_rate": (1e-2, 1e-1, "log-uniform")},
        **SEARCH,
        scoring="g_mean",
        cv=2,
        random_state=0,
    ),
}
every_estimator = pytest.mark.parametrize("kind", ESTIMATORS)

rng = np.random.default_rng(0)
N = 120
X = pd.DataFrame(rng.normal(size=(N, 3)), columns=["load", "wear", "noise"])
Y = np.where(X["load"] + X["wear"] + rng.normal(size=N) > 1.3, "failed", "ok")
SCORERS = {
    "g_mean": get_scorer("g_mean"),
    "roc_auc": "roc_auc",
    "average_precision": get_scorer("minority_average_precision"),
    "cost": make_cost_scorer({("failed", "ok"): 10}),
}


def estimator_of(kind):
    return clone(ESTIMATORS[kind])


@every_estimator
def test_pipelines_with_set_output(kind):
    scaler, estimator = StandardScaler(), estimator_of(kind)
    if kind == "search":  # searches of scikit-learn have no set_output either
        model = make_pipeline(scaler.set_output(transform="pandas"), estimator)
    else:
        model = make_pipeline(scaler, estimator).set_output(transform="pandas")
    model.fit(X, Y)
    assert model[-1].feature_names_in_.tolist() == ["load", "wear", "noise"]
    assert model.predict_proba(X).shape == (N, 2)


def test_a_network_in_a_pipeline_is_a_transformer_with_set_output():
    model = make_pipeline(clone(NET), LogisticRegression()).set_output(transform="pandas")
    model.fit(X, Y)
    features = model[:-1].transform(X)
    assert features.columns.tolist() == [f"mlpclassifier{i}" for i in range(8)]
    assert model[-1].feature_names_in_.tolist() == features.columns.tolist()


@every_estimator
def test_column_transformers(kind):
    table = X.assign(type=np.where(X["noise"] > 0, "L", "M"))
    columns = make_column_transformer((OneHotEncoder(), ["type"]), remainder=StandardScaler())
    model = make_pipeline(columns, estimator_of(kind)).fit(table, Y)
    proba = model.predict_proba(table)
    assert proba.shape == (N, 2)
    assert np.ptp(proba[:, 0]) > 0


@every_estimator
def test_grid_search(kind):
    name = {
        "network": "learning_rate",
        "belief network": "learning_rate",
        "fixed costs": "estimator__learning_rate",
        "tuned costs": "shrinkage",
        "ecs-dbn": "shrinkage",
        "bagging": "shrinkage",
        "boosting": "estimator__learning_rate",
        "extreme learning machine": "C",
        "search": "estimator__dropout",
    }[kind]
    values = [0.01, 0.1]
    search = GridSearchCV(estimator_of(kind), {name: values}, scoring=SCORERS["g_mean"], cv=2)
    search.fit(X, Y)
    assert search.best_params_[name] in values
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize("kind", ["network", "belief network"])
def test_halving_search_over_epochs(kind):
    search = HalvingRandomSearchCV(
        estimator_of(kind),
        {"learning_rate": [0.001, 0.01, 0.1], "dropout": [0.0, 0.2]},
        resource="max_epochs",
        min_resources=1,
        max_resources=4,
        factor=2,
        n_candidates=4,
        scoring="roc_auc",
        cv=2,
        random_state=0,
    ).fit(X, Y)
    assert search.n_resources_ == [1, 2, 4]
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.slow
@every_estimator
def test_halving_search_over_samples(kind):
    estimator = make_pipeline(StandardScaler(), estimator_of(kind))
    search = HalvingRandomSearchCV(
        estimator,
        {"standardscaler__with_mean": [False, True]},
        min_resources=60,
        factor=2,
        n_candidates=2,
        scoring="roc_auc",
        cv=2,
        random_state=0,
    ).fit(X, Y)
    assert search.predict_proba(X).shape == (N, 2)


@every_estimator
def test_cross_validation_with_several_scores(kind):
    result = cross_validate(estimator_of(kind), X, Y, scoring=SCORERS, cv=2, error_score="raise")
    for name in SCORERS:
        assert np.isfinite(result[f"test_{name}"]).all()
    assert (result["test_cost"] <= 0).all()


@every_estimator
def test_calibration(kind):
    calibrated = CalibratedClassifierCV(estimator_of(kind), cv=2).fit(X, Y)
    np.testing.assert_allclose(calibrated.predict_proba(X).sum(axis=1), 1.0)
    frozen = FrozenEstimator(estimator_of(kind).fit(X, Y))
    after = CalibratedClassifierCV(frozen, method="temperature").fit(X, Y)
    assert after.predict_proba(X).shape == (N, 2)


@every_estimator
def test_thresholds(kind):
    tuned = TunedThresholdClassifierCV(
        estimator_of(kind), scoring=SCORERS["g_mean"], thresholds=20, cv=2, random_state=0
    ).fit(X, Y)
    assert set(tuned.predict(X)) <= {"failed", "ok"}
    assert tuned.best_score_ >= 0


@every_estimator
def test_stacks(kind):
    stack = StackingClassifier(
        [("ours", estimator_of(kind)), ("logistic", LogisticRegression())], cv=2
    ).fit(X, Y)
    assert stack.transform(X).shape == (N, 2)
    assert stack.score(X, Y) > 0.7


@every_estimator
def test_permutation_importance(kind):
    fitted = estimator_of(kind).fit(X, Y)
    result = permutation_importance(fitted, X, Y, scoring="roc_auc", n_repeats=2, random_state=0)
    assert result.importances.shape == (3, 2)
    assert np.isfinite(result.importances).all()


@every_estimator
def test_partial_dependence(kind):
    fitted = estimator_of(kind).fit(X, Y)
    display = PartialDependenceDisplay.from_estimator(fitted, X, ["load"], grid_resolution=5)
    (axis,) = display.axes_.ravel()
    assert axis.get_xlabel() == "load"
    shown = display.pd_results[0]["average"]
    assert shown.shape == (1, 5)
    assert ((shown >= 0) & (shown <= 1)).all()
    mpl.pyplot.close(display.figure_)


@every_estimator
def test_html_representation(kind):
    estimator = estimator_of(kind)
    name = type(estimator).__name__
    assert name in estimator._repr_html_()
    html = make_pipeline(StandardScaler(), estimator).fit(X, Y)._repr_html_()
    assert name in html
    assert "StandardScaler" in html
