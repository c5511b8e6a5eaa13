"""Cost surfaces and threshold curves: their numbers, what is marked, bad inputs."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from sklearn.datasets import make_classification
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer, recall_score
from sklearn.model_selection import TunedThresholdClassifierCV
from sklearn.svm import LinearSVC

from skimbal import TunedCostClassifierCV
from skimbal.inspection import CostSurfaceDisplay, ThresholdCurveDisplay
from skimbal.inspection._drawing import GRAY, VERMILION
from skimbal.metrics import (
    decide_by_costs,
    expected_cost,
    g_mean,
    recall_per_class,
)


@pytest.fixture(scope="module")
def two_classes():
    X, y = make_classification(300, weights=[0.85], flip_y=0.1, random_state=0)
    y = np.array(["usual", "rare"])[y]
    model = TunedCostClassifierCV(LogisticRegression(), cv=3, random_state=0).fit(X, y)
    return model, X, y


def titles(display):
    return [ax.get_title() for ax in display.axes_]


# ---------------------------------------------------------------- cost surfaces


def test_surface_has_the_scores_of_the_decisions(two_classes):
    model, X, y = two_classes
    display = CostSurfaceDisplay.from_estimator(model, X, y, n_points=5)
    assert titles(display) == [
        "G-mean",
        "precision of the rarest class",
        "recall of usual",
        "recall of rare",
    ]
    proba = model.predict_proba(X)  # in the order rare, usual
    for i, cost_of_rare in enumerate(display.y):
        for j, cost_of_usual in enumerate(display.x):
            predicted = model.classes_[decide_by_costs(proba, [cost_of_rare, cost_of_usual])]
            rare, usual = recall_per_class(y, predicted)
            values = {name: table[i, j] for name, table in display.values.items()}
            assert values["G-mean"] == pytest.approx(g_mean(y, predicted))
            assert (values["recall of rare"], values["recall of usual"]) == (rare, usual)
    np.testing.assert_allclose(
        display.surfaces_[0].get_array().reshape(5, 5), display.values["G-mean"]
    )


def test_surface_marks_the_costs_of_the_estimator(two_classes):
    model, X, y = two_classes
    display = CostSurfaceDisplay.from_estimator(model, X, y, n_points=3)
    assert display.shown == ("usual", "rare")
    assert len(display.marks_) == 4
    np.testing.assert_allclose(display.marks_[0].get_xydata()[0], model.costs_[::-1])
    ax = display.ax_
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("cost of usual", "cost of rare")
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert ax.get_xlim()[0] < model.costs_[1] < ax.get_xlim()[1]


def test_unit_box_scales_the_mark_to_a_largest_cost_of_one(two_classes):
    model, X, y = two_classes
    display = CostSurfaceDisplay.from_estimator(model, X, y, n_points=4, cost_space="unit")
    assert display.optimum.max() == 1.0
    assert display.optimum[1] / display.optimum[0] == pytest.approx(
        model.costs_[0] / model.costs_[1]
    )
    np.testing.assert_allclose(display.x, [0.25, 0.5, 0.75, 1.0])
    assert display.ax_.get_xscale() == "linear"


def test_costs_are_found_for_a_classifier_that_has_none(two_classes):
    _, X, y = two_classes
    model = LogisticRegression().fit(X, y)
    display = CostSurfaceDisplay.from_estimator(model, X, y, n_points=3, kind="ratio")
    ratio = display.optimum[1] / display.optimum[0]
    best = g_mean(y, model.classes_[decide_by_costs(model.predict_proba(X), [ratio, 1.0])])
    assert best >= np.max(display.values["G-mean"])


def test_ratio_draws_lines_in_the_colors_of_the_classes(two_classes):
    model, X, y = two_classes
    display = CostSurfaceDisplay.from_estimator(model, X, y, n_points=7, kind="ratio")
    lines = {line.get_label(): line for line in display.lines_}
    assert set(lines) == set(display.values)
    assert to_hex(lines["recall of rare"].get_color()) == VERMILION.lower()
    assert to_hex(lines["recall of usual"].get_color()) == GRAY
    assert np.all(np.diff(lines["recall of rare"].get_ydata()) >= 0)
    assert display.ax_.get_xlabel() == "cost of rare / cost of usual"
    ratio = model.costs_[0] / model.costs_[1]
    assert display.marks_[0].get_xdata()[0] == pytest.approx(ratio)


def test_other_costs_of_three_classes_stay_as_marked():
    X, y = make_classification(
        200, n_classes=3, n_informative=4, weights=[0.6, 0.3], random_state=0
    )
    proba = LogisticRegression().fit(X, y).predict_proba(X)
    costs = [0.5, 1.0, 2.0]
    display = CostSurfaceDisplay.from_predictions(
        y, proba, costs=costs, n_points=3, cost_range=(0.5, 2.0), scoring="macro_f1"
    )
    assert display.shown == (0, 2)
    at_mark = decide_by_costs(proba, costs)
    assert display.values["recall of 2"][2, 0] == pytest.approx(recall_per_class(y, at_mark)[2])
    other = CostSurfaceDisplay.from_predictions(y, proba, costs=costs, n_points=3, shown=(1, 2))
    assert other.ax_.get_xlabel() == "cost of 1"


def test_a_scorer_without_a_form_for_confusion_matrices_and_weights(two_classes):
    model, X, y = two_classes
    scorer = make_scorer(lambda y_true, y_pred: float(np.mean(y_true == y_pred)))
    slow = CostSurfaceDisplay.from_estimator(model, X, y, scoring=scorer, n_points=3)
    fast = CostSurfaceDisplay.from_estimator(model, X, y, scoring="accuracy", n_points=3)
    values = next(iter(slow.values.values()))
    np.testing.assert_allclose(values, fast.values["accuracy"])
    weight = np.where(y == "rare", 2.0, 1.0)
    weighted = CostSurfaceDisplay.from_estimator(
        model, X, y, scoring="accuracy", n_points=3, sample_weight=weight
    )
    rows = np.repeat(np.arange(len(y)), weight.astype(int))
    repeated = CostSurfaceDisplay.from_estimator(
        model, X[rows], y[rows], scoring="accuracy", n_points=3
    )
    np.testing.assert_allclose(weighted.values["accuracy"], repeated.values["accuracy"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scoring": "g_men"}, "did you mean 'g_mean'"),
        ({"scoring": []}, "scoring is empty"),
        ({"kind": "cube"}, "kind='cube'"),
        ({"cost_space": "log"}, "cost_space='log'"),
        ({"n_points": 1}, "n_points=1"),
        ({"shown": ("rare", "none")}, "two different labels"),
        ({"cost_range": (1.0, 0.5)}, "cost_range"),
        ({"cost_range": (0.0, 0.5)}, "above 0"),
        ({"costs": [1.0, 2.0, 3.0]}, "one cost for each"),
        ({"costs": "some"}, "costs='some'"),
    ],
)
def test_bad_options_of_surfaces(two_classes, options, message):
    model, X, y = two_classes
    with pytest.raises(ValueError, match=message):
        CostSurfaceDisplay.from_estimator(model, X, y, **options)


# ---------------------------------------------------------------- threshold curves

COSTS = pd.DataFrame([[0, 9], [1, 0]], ["rare", "usual"], ["rare", "usual"])


def test_threshold_curve_has_scores_and_expected_costs_of_the_decisions(two_classes):
    model, X, y = two_classes
    proba = model.predict_proba(X)
    display = ThresholdCurveDisplay.from_predictions(y, proba, cost_matrix=COSTS)
    assert display.pos_label == "rare"  # the rarer one, though the first of the labels
    for i in (0, 17, 150, len(display.thresholds) - 1):
        is_rare = proba[:, 0] >= display.thresholds[i]
        predicted = np.where(is_rare, "rare", "usual")
        assert display.scores["G-mean"][i] == pytest.approx(g_mean(y, predicted))
        recall = recall_score(y, predicted, pos_label="rare")
        assert display.scores["recall of the rarest class"][i] == pytest.approx(recall)
        cost = expected_cost(y, predicted, COSTS)
        assert display.expected_costs[i] == pytest.approx(cost)


def test_threshold_curve_marks_the_chosen_and_the_best_threshold(two_classes):
    model, X, y = two_classes
    display = ThresholdCurveDisplay.from_predictions(y, model.predict_proba(X), cost_matrix=COSTS)
    assert display.chosen_line_.get_xdata()[0] == pytest.approx(0.1)
    (x,), (cost,) = display.best_mark_.get_data()
    assert cost == display.expected_costs.min()
    assert display.expected_costs[np.flatnonzero(display.thresholds == x)[0]] == cost
    assert display.ax_.get_xlabel() == "threshold on the probability of rare"
    assert display.cost_ax_.get_ylabel() == "expected cost of a sample"
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts[0] == "G-mean"
    assert any(text == "chosen: 0.1" for text in texts)


def test_the_decision_of_a_tuned_classifier_is_the_marked_threshold(two_classes):
    model, X, y = two_classes
    display = ThresholdCurveDisplay.from_estimator(model, X, y)
    is_rare = model.predict_proba(X)[:, 0] >= display.chosen
    np.testing.assert_array_equal(model.predict(X) == "rare", is_rare)


def test_threshold_curve_without_costs_and_with_one_column(two_classes):
    model, X, y = two_classes
    p_usual = model.predict_proba(X)[:, 1]
    display = ThresholdCurveDisplay.from_predictions(
        y, p_usual, scoring=["accuracy"], pos_label="usual"
    )
    assert display.cost_ax_ is None
    assert display.chosen_line_ is None
    i = len(display.thresholds) // 2
    predicted = np.where(p_usual >= display.thresholds[i], "usual", "rare")
    assert display.scores["accuracy"][i] == pytest.approx(np.mean(predicted == y))


def test_threshold_curve_of_results(two_classes):
    model, X, y = two_classes
    display = ThresholdCurveDisplay.from_results(model, name="G-mean")
    assert np.all(np.diff(display.thresholds) >= 0)
    assert display.scores["G-mean"].max() == pytest.approx(model.unregularized_score_)
    assert display.chosen == pytest.approx(model.costs_[0] / model.costs_.sum())
    tuned = TunedThresholdClassifierCV(
        LogisticRegression(), store_cv_results=True, scoring="balanced_accuracy"
    ).fit(X, y)
    theirs = ThresholdCurveDisplay.from_results(tuned)
    assert theirs.chosen == tuned.best_threshold_
    np.testing.assert_array_equal(theirs.lines_[0].get_xdata(), tuned.cv_results_["thresholds"])


@pytest.mark.parametrize("dtype", [object, "string", "category"])
def test_threshold_curve_of_labels_in_a_series(dtype, two_classes):
    _, X, y = two_classes
    labels = pd.Series(y, dtype=dtype)
    model = TunedCostClassifierCV(LogisticRegression(), cv=3, random_state=0).fit(X, labels)
    for display in (
        ThresholdCurveDisplay.from_estimator(model, X, labels),
        ThresholdCurveDisplay.from_results(model),
    ):
        assert display.pos_label in {"rare", "usual"}


def test_threshold_curve_draws_on_given_axes_and_scales(two_classes):
    import matplotlib.pyplot as plt

    model, X, y = two_classes
    _, ax = plt.subplots()
    display = ThresholdCurveDisplay.from_estimator(model, X, y, ax=ax, scale="logit")
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert ax.get_xscale() == "logit"


def test_threshold_curve_of_gains_is_that_of_the_costs_of_errors(two_classes):
    model, X, y = two_classes
    gains = np.array([[-2.0, 1.0], [0.0, -50.0]])
    costs = np.array([[0.0, 3.0], [50.0, 0.0]])
    of_gains, of_costs = (
        ThresholdCurveDisplay.from_estimator(model, X, y, cost_matrix=matrix)
        for matrix in (gains, costs)
    )
    assert of_gains.chosen == of_costs.chosen
    gain_of_the_truth = np.mean(np.array([-2.0, -50.0])[np.unique(y, return_inverse=True)[1]])
    np.testing.assert_allclose(
        of_gains.expected_costs, np.add(of_costs.expected_costs, gain_of_the_truth)
    )
    low, _ = of_gains.cost_ax_.get_ylim()
    assert low < min(of_gains.expected_costs) < 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scoring": "nothing"}, "unknown scorer"),
        ({"pos_label": "none"}, "pos_label='none'"),
        ({"cost_matrix": np.ones((2, 2))}, "all predictions cost the same"),
        ({"cost_matrix": np.ones((3, 3))}, "shape"),
        ({"scale": "root"}, "scale='root'"),
    ],
)
def test_bad_options_of_threshold_curves(two_classes, options, message):
    model, X, y = two_classes
    with pytest.raises(ValueError, match=message):
        ThresholdCurveDisplay.from_estimator(model, X, y, **options)


def test_threshold_curves_are_for_two_classes():
    proba = np.full((6, 3), 1 / 3)
    with pytest.raises(ValueError, match=r"for two classes.*CostSurfaceDisplay"):
        ThresholdCurveDisplay.from_predictions([0, 1, 2, 0, 1, 2], proba)
    with pytest.raises(ValueError, match="costs of 3 classes"):
        ThresholdCurveDisplay.from_results({"costs": np.ones((4, 3)), "score": np.ones(4)})
    with pytest.raises(ValueError, match="neither thresholds nor costs"):
        ThresholdCurveDisplay.from_results({"mean_test_score": [1.0]})


@pytest.mark.parametrize("display", [CostSurfaceDisplay, ThresholdCurveDisplay])
def test_bad_estimators_and_probabilities(display, two_classes):
    _, X, y = two_classes
    with pytest.raises(NotFittedError):
        display.from_estimator(LogisticRegression(), X, y)
    with pytest.raises(ValueError, match="no predict_proba"):
        display.from_estimator(LinearSVC().fit(X, y), X, y)
    with pytest.raises(ValueError, match="only the labels"):
        display.from_estimator(DummyClassifier().fit(X, y), X[y == "rare"], y[y == "rare"])
    with pytest.raises(ValueError, match="knows the classes"):
        display.from_estimator(DummyClassifier().fit(X, y), X, np.where(y == "rare", "a", "b"))
    with pytest.raises(ValueError, match="inconsistent"):
        display.from_predictions(y, np.full((5, 2), 0.5))
    with pytest.raises(ValueError, match="one column for each class"):
        display.from_predictions(y, np.full((len(y), 3), 0.5))
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        display.from_predictions(y, np.full((len(y), 2), np.nan))
