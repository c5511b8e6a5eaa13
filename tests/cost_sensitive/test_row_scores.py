"""Scores of metadata: costs for the decisions that earn the most, by the amounts of the samples."""

import numpy as np
import pytest
import sklearn
from sklearn.datasets import make_classification
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import StratifiedKFold, TunedThresholdClassifierCV, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skimbal import (
    BalancedBaggingNetClassifier,
    FixedCostClassifier,
    MLPClassifier,
    TunedCostClassifierCV,
)
from skimbal._utils._metadata import RowScorer
from skimbal.cost_sensitive import find_costs
from skimbal.cost_sensitive._decision_table import DecisionTable
from skimbal.cost_sensitive._row_scores import RowTable

MODELS = {
    "logistic": LogisticRegression(),
    "pipeline": make_pipeline(StandardScaler(), LogisticRegression()),
    "network": MLPClassifier(max_epochs=4),
}
SHORT = {"population_size": 10, "max_generations": 1}  # of a search for costs of three classes


def gain(y_true, y_pred, amount):
    """As in scikit-learn's example: what is gained by each decision depends on the amount."""
    amount = np.asarray(amount, dtype=float)
    assert len(amount) == len(y_true) == len(y_pred)
    earned = np.where(y_true == np.unique(y_true)[-1], 5 * amount, 1.0)
    return float(np.where(y_true == y_pred, earned, -amount).sum())


def accuracy(y_true, y_pred, amount):
    return float(np.mean(y_true == y_pred))


def data(n_classes=2):
    X, y = make_classification(
        120, n_informative=4, n_classes=n_classes, weights=[0.8, 0.1], random_state=0
    )
    names = np.array(["a", "b", "c"])
    return X, names[y], np.random.default_rng(0).exponential(3.0, len(y)).round(2)


@pytest.fixture(autouse=True)
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("model", MODELS)
def test_amounts_reach_the_scorer_of_tuned_costs(model, n_classes):
    X, y, amount = data(n_classes)
    scorer = make_scorer(gain).set_score_request(amount=True)
    tuned = TunedCostClassifierCV(MODELS[model], scoring=scorer, cv=3, random_state=0, **SHORT).fit(
        X, y, amount=amount
    )
    assert np.isfinite(tuned.fold_costs_).all()
    assert tuned.best_score_ == pytest.approx(tuned.cv_results_["score"].max())
    shuffled = TunedCostClassifierCV(
        MODELS[model], scoring=scorer, cv=3, random_state=0, **SHORT
    ).fit(X, y, amount=amount[::-1])
    assert shuffled.best_score_ != tuned.best_score_


def test_it_is_no_worse_than_the_threshold_of_scikit_learn():
    X, y, amount = data()
    scorer = make_scorer(gain).set_score_request(amount=True)
    cv = StratifiedKFold(5, shuffle=True, random_state=0)
    options = {"scoring": scorer, "cv": cv}
    ours = TunedCostClassifierCV(LogisticRegression(), **options).fit(X, y, amount=amount)
    theirs = TunedThresholdClassifierCV(LogisticRegression(), **options).fit(X, y, amount=amount)
    # They average the folds at each threshold; we score all held-out samples together.
    assert ours.best_score_ >= 5 * theirs.best_score_ - 1e-9


def test_names_of_metadata_may_be_others():
    X, y, amount = data()
    scorer = make_scorer(gain).set_score_request(amount="euros")
    tuned = TunedCostClassifierCV(LogisticRegression(), scoring=scorer, random_state=0)
    tuned.fit(X, y, euros=amount)
    scorer = make_scorer(gain).set_score_request(amount=True)
    same = TunedCostClassifierCV(LogisticRegression(), scoring=scorer, random_state=0)
    same.fit(X, y, amount=amount)
    assert tuned.best_score_ == same.best_score_
    with pytest.raises(TypeError, match="unexpected argument"):
        tuned.fit(X, y, dollars=amount)


def returns_text(y_true, y_pred, amount):
    return "good"


def takes_no_weights(y_true, y_pred):
    return 0.5


@pytest.mark.parametrize("Wrapper", [TunedCostClassifierCV, BalancedBaggingNetClassifier])
@pytest.mark.parametrize(
    ("function", "response", "requested", "given", "message"),
    [
        (gain, "predict", True, (), "failed with TypeError: .*amount"),
        (gain, "predict", False, (), "failed with TypeError: .*amount"),
        (gain, "predict_proba", True, ("amount",), r"needs probabilities \(predict_proba\)"),
        (returns_text, "predict", True, ("amount",), "must be one number"),
        (takes_no_weights, "predict", False, ("sample_weight",), "takes no sample_weight"),
    ],
)
def test_a_scorer_that_fails_is_refused_before_any_training(
    Wrapper, function, response, requested, given, message
):
    class Untrained(LogisticRegression):
        def fit(self, X, y, sample_weight=None):
            raise AssertionError("trained")

    X, y, amount = data()
    scorer = make_scorer(function, response_method=response)
    if requested:
        scorer.set_score_request(amount=True)
    model = Wrapper(Untrained().set_fit_request(sample_weight=True), scoring=scorer)
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, **dict.fromkeys(given, amount + 1.0))


def runs(y_true, y_pred):
    hit = y_true == y_pred
    return float((hit[1:] & hit[:-1]).sum())


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_score_of_the_order_is_that_of_the_samples_as_they_were_given(n_classes):
    X, y, _ = data(n_classes)
    cv = StratifiedKFold(3, shuffle=True, random_state=0)
    options = {"scoring": make_scorer(runs), "max_generations": 2}
    tuned = TunedCostClassifierCV(LogisticRegression(), cv=cv, **options).fit(X, y)
    proba = cross_val_predict(LogisticRegression(), X, y, cv=cv, method="predict_proba")
    decided = tuned.classes_[(proba * tuned.costs_).argmax(axis=1)]
    assert tuned.best_score_ == runs(y, decided) >= runs(y, tuned.classes_[proba.argmax(axis=1)])


def test_the_best_of_some_thresholds_is_one_that_was_scored():
    rng = np.random.default_rng(0)
    p = rng.random(5000)
    y = (rng.random(5000) < p).astype(int)
    scorer = make_scorer(lambda y_true, y_pred: float(y_pred.sum() % 7 == 0))
    result = find_costs(y, np.c_[1 - p, p], scoring=RowScorer(scorer, {}))
    assert result.score == result.scores.max() == 1.0


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("encoding", ["auto", None])
def test_amounts_reach_the_scorer_of_the_ensemble(n_classes, encoding):
    X, y, amount = data(n_classes)
    scorer = make_scorer(gain).set_score_request(amount=True)
    ensemble = BalancedBaggingNetClassifier(
        MLPClassifier(max_epochs=3), scoring=scorer, encoding=encoding, random_state=0
    ).fit(X, y, amount=amount)
    judged = ~np.isnan(ensemble.oob_proba_[:, 0])
    decided = (ensemble.oob_proba_[judged] * ensemble.costs_).argmax(axis=1)
    expected = gain(y[judged], ensemble.classes_[decided], amount[judged])
    assert ensemble.oob_score_ == pytest.approx(expected)


def test_parameters_reach_the_fit_of_the_members():
    class Noted(LogisticRegression):
        def fit(self, X, y, sample_weight=None, note=None):
            assert len(note) == len(y)
            return super().fit(X, y, sample_weight)

    X, y, amount = data()
    member = Noted().set_fit_request(note=True)
    BalancedBaggingNetClassifier(member, n_estimators=3).fit(X, y, note=amount)
    with sklearn.config_context(enable_metadata_routing=False):
        BalancedBaggingNetClassifier(Noted(), n_estimators=3).fit(X, y, note=amount)


@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_a_table_of_rows_scores_as_a_table_of_counts(n_classes):
    rng = np.random.default_rng(n_classes)
    proba = rng.dirichlet(np.ones(n_classes), 60).round(2) + 0.01
    targets, classes = np.arange(60) % n_classes, np.arange(n_classes)
    scorer = RowScorer(make_scorer(accuracy).set_score_request(amount=True), {"amount": targets})
    rows, counts = (
        Table(proba, targets, scoring, classes)
        for Table, scoring in ((RowTable, scorer), (DecisionTable, "accuracy"))
    )
    weights = rng.normal(size=(20, n_classes))
    np.testing.assert_allclose(rows.score_population(weights), counts.score_population(weights))
    costs = rng.random((20, n_classes)) + 0.1
    np.testing.assert_allclose(rows.score_costs(costs), counts.score_costs(costs))
    for c in range(n_classes):
        ours, theirs = rows.sweep(weights[0], c), counts.sweep(weights[0], c)
        assert ours.widest_best() == pytest.approx(theirs.widest_best())


@pytest.mark.parametrize("cv", [3, "train"])
def test_a_constant_classifier_warns(cv):
    X, y, _ = data()
    with pytest.warns(UserWarning, match="all samples have the same predicted probabilities"):
        TunedCostClassifierCV(DummyClassifier(), cv=cv, random_state=0).fit(X, y)


def test_constant_probabilities_warn():
    with pytest.warns(UserWarning, match="all samples have the same predicted probabilities"):
        find_costs([0, 0, 1], [[0.7, 0.3]] * 3)


@pytest.mark.parametrize(
    ("request_of_weights", "name", "is_weighted"),
    [(True, "sample_weight", True), ("euros", "euros", True), (False, "sample_weight", False)],
)
@pytest.mark.parametrize(
    "wrap",
    [
        FixedCostClassifier,
        TunedCostClassifierCV,
        lambda model: BalancedBaggingNetClassifier(model, n_estimators=3, random_state=0),
    ],
    ids=["fixed", "tuned", "bagging"],
)
def test_weights_go_where_they_are_requested(wrap, request_of_weights, name, is_weighted):
    given = []

    class Noted(LogisticRegression):
        def fit(self, X, y, sample_weight=None):
            given.append(sample_weight is not None and len(sample_weight) == len(y))
            return super().fit(X, y, sample_weight)

    X, y, amount = data()
    model = wrap(Noted().set_fit_request(sample_weight=request_of_weights))
    model.fit(X, y, **{name: amount + 1.0})
    assert given
    assert set(given) == {is_weighted}
