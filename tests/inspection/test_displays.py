"""The displays of searches, confusion matrices, features, trainings, ranks and calibration."""

import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skimbal import DESearchCV, MLPClassifier, TunedCostClassifierCV
from skimbal.benchmark import Method, Suite, report, run_benchmark
from skimbal.inspection import (
    ClassWeightScheduleDisplay,
    ConfusionMatrixGridDisplay,
    CostSurfaceDisplay,
    CriticalDifferenceDisplay,
    FeatureMapDisplay,
    ReliabilityDiagramDisplay,
    SearchConvergenceDisplay,
    ThresholdCurveDisplay,
    TrainingHistoryDisplay,
)
from skimbal.inspection._drawing import GRAY, VERMILION, class_colors
from skimbal.losses import IncrementalWeightedCrossEntropy
from skimbal.metrics import average_ranks


@pytest.fixture(scope="module")
def data():
    return make_classification(
        150, n_classes=3, n_informative=4, weights=[0.7, 0.2], random_state=0
    )


@pytest.fixture(scope="module")
def networks(data):
    """Two networks, one of which stops early."""
    settings = {"hidden_layer_sizes": (6,), "max_epochs": 8, "random_state": 0}
    return {
        "plain": MLPClassifier(**settings).fit(*data),
        "stopping": MLPClassifier(**settings, early_stopping=True, scoring="g_mean").fit(*data),
    }


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


# ---------------------------------------------------------------- colors and axes


def test_the_rarest_class_is_vermilion_and_the_most_frequent_one_gray():
    assert class_colors([5, 500])[0] == VERMILION
    assert class_colors([5, 500, 50, 7])[:2] == [VERMILION, GRAY]
    assert len(set(class_colors(range(1, 8)))) == 7


CONFUSIONS = {"a": np.eye(2), "b": np.ones((2, 2))}
DISPLAYS = {
    "surface": CostSurfaceDisplay(np.array([1.0, 2.0]), {"s": np.eye(2)}, np.array([1.0, 2.0])),
    "threshold": ThresholdCurveDisplay(np.array([0.1, 0.5]), {"s": np.array([0.1, 0.5])}),
    "search": SearchConvergenceDisplay({"a": [0.1, 0.2]}),
    "confusion": ConfusionMatrixGridDisplay({"a": np.eye(2)}),
    "features": FeatureMapDisplay({"a": np.eye(2)}, [0, 1]),
    "schedule": ClassWeightScheduleDisplay({"a": np.ones((3, 2))}, [5, 1]),
    "history": TrainingHistoryDisplay({"a": {"epoch": [1, 2], "train_loss": [0.5, 0.4]}}),
    "ranks": CriticalDifferenceDisplay(["a", "b"], [1.2, 1.8], np.ones((2, 2))),
    "reliability": ReliabilityDiagramDisplay({1: {"a": (np.array([0.1]), np.array([0.2]))}}),
}


@pytest.mark.parametrize("name", DISPLAYS)
def test_each_display_draws_on_given_axes_and_without(name):
    import matplotlib.pyplot as plt

    display = DISPLAYS[name]
    _, ax = plt.subplots()
    assert display.plot(ax) is display
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert display.plot().figure_ is not ax.figure


@pytest.mark.parametrize("name", DISPLAYS)
def test_without_matplotlib_the_error_names_the_extra(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"pip install matplotlib scikit-posthocs .*\.\[plot\]"):
        DISPLAYS[name].plot()


def test_without_posthocs_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "scikit_posthocs", None)
    with pytest.raises(ImportError, match=r"needs scikit-posthocs.*pip install matplotlib scikit"):
        DISPLAYS["ranks"].plot()


def test_one_axes_is_divided_and_an_array_must_fit():
    import matplotlib.pyplot as plt

    display = ConfusionMatrixGridDisplay(CONFUSIONS)
    fig, ax = plt.subplots()
    assert len(display.plot(ax).axes_) == 2
    assert display.figure_ is fig
    assert not ax.axison
    _, axes = plt.subplots(1, 2)
    assert display.plot(axes).axes_[1] is axes[1]
    _, axes = plt.subplots(1, 3)
    with pytest.raises(ValueError, match="ax has 3 axes, but there are 2 panels"):
        display.plot(axes)


# ---------------------------------------------------------------- searches


def test_convergence_is_the_best_so_far_with_bands_over_repetitions():
    results = {
        "random": [{"mean_test_score": [0.5, np.nan, 0.7]}, {"mean_test_score": [0.6, 0.4]}],
        "DE": pd.DataFrame({"mean_test_score": [0.2, 0.9]}),
    }
    display = SearchConvergenceDisplay.from_results(results, metric=None, score="G-mean")
    np.testing.assert_array_equal(display.curves["random"], [[0.5, 0.5, 0.7], [0.6, 0.6, 0.6]])
    random, evolved = display.lines_
    np.testing.assert_allclose(random.get_ydata(), [0.55, 0.55, 0.65])
    assert legend(display.ax_) == ["random", "DE"]
    assert len(display.bands_) == 1
    band = display.bands_[0].get_datalim(display.ax_.transData)
    assert band.y0 == pytest.approx(0.55 - np.std([0.5, 0.6], ddof=1))
    np.testing.assert_array_equal(evolved.get_xdata(), [1, 2])
    assert display.ax_.get_xlabel() == "evaluations"
    assert display.ax_.get_ylabel() == "best G-mean so far"


@pytest.mark.parametrize(("band", "low"), [("range", 0.0), ((0.5, 0.5), 0.5), (None, None)])
def test_bands_of_ranges_and_quantiles(band, low):
    display = SearchConvergenceDisplay({"a": [[0.0], [0.5], [1.0]]}).plot(band=band)
    assert len(display.bands_) == (band is not None)
    if band is not None:
        assert display.bands_[0].get_paths()[0].vertices[:, 1].min() == low


def test_convergence_of_fitted_searches(data):
    X, y = data
    network = MLPClassifier(hidden_layer_sizes=(3,), max_epochs=2)
    evolved = DESearchCV(
        network,
        {"learning_rate": (1e-3, 1e-1, "log-uniform")},
        population_size=4,
        max_generations=1,
        cv=2,
        scoring="g_mean",
        random_state=0,
    ).fit(X, y)
    grid = GridSearchCV(
        LogisticRegression(), {"C": [0.1, 1.0]}, cv=2, scoring=["accuracy", "f1_macro"],
        refit="f1_macro",
    ).fit(X, y)  # fmt: skip  # two lines of settings
    costs = TunedCostClassifierCV(LogisticRegression(), cv=2, scoring="macro_f1").fit(X, y)
    display = SearchConvergenceDisplay.from_estimator(
        {"DE": evolved, "grid": [grid], "costs": costs}
    )
    assert display.curves["DE"][0, -1] == evolved.best_score_
    assert display.curves["grid"][0, -1] == grid.best_score_
    assert display.curves["costs"][0, -1] == pytest.approx(costs.unregularized_score_)
    one = SearchConvergenceDisplay.from_estimator(evolved)
    assert one.ax_.get_ylabel() == "best G-mean so far"
    by_accuracy = SearchConvergenceDisplay.from_estimator(grid, metric="accuracy")
    assert by_accuracy.curves["GridSearchCV"].max() == grid.cv_results_["mean_test_accuracy"].max()


@pytest.mark.parametrize(
    ("results", "options", "message"),
    [
        ({}, {}, "empty"),
        ({"a": []}, {}, "no repetition"),
        ({"a": {"mean_test_f1": [0.1]}}, {}, "have the scores .'mean_test_f1'"),
        ({"mean_test_score": [np.nan]}, {}, "0 finite values"),
        ({"mean_test_score": [0.1]}, {"center": "mode"}, "center='mode'"),
        ({"mean_test_score": [0.1]}, {"band": (0.9, 0.1)}, "band="),
    ],
)
def test_bad_results_of_searches(results, options, message):
    with pytest.raises(ValueError, match=message):
        SearchConvergenceDisplay.from_results(results, **options)


def test_a_search_must_be_fitted():
    with pytest.raises(ValueError, match="fit it first"):
        SearchConvergenceDisplay.from_estimator(GridSearchCV(GaussianNB(), {}))


# ---------------------------------------------------------------- confusion matrices


def test_confusion_grid_has_one_scale_and_the_shares_of_each_case(networks, data):
    display = ConfusionMatrixGridDisplay.from_estimator(networks, *data)
    assert [ax.get_title() for ax in display.axes_] == list(networks)
    predicted = networks["plain"].predict(data[0])
    share = np.mean(predicted[data[1] == 2] == 1)
    assert display.displays_[0].confusion_matrix[2, 1] == pytest.approx(share)
    assert {each.im_.get_clim() for each in display.displays_} == {(0.0, 1.0)}
    ax = display.ax_
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted", "truth")
    assert [t.get_text() for t in ax.get_xticklabels()] == ["0", "1", "2"]


def test_confusion_grid_counts_averages_and_labels():
    counts = ConfusionMatrixGridDisplay.from_predictions(
        ["b", "a"], {"x": ["b", "b"]}, labels=["b", "a"], normalize=None
    )
    np.testing.assert_array_equal(counts.displays_[0].confusion_matrix, [[1, 0], [1, 0]])
    stack = [[[1, 0], [0, 2]], [[0, 2], [0, 2]]]
    mean = ConfusionMatrixGridDisplay({"x": stack}).plot()
    np.testing.assert_array_equal(mean.displays_[0].confusion_matrix, [[0.5, 0.5], [0, 1]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ConfusionMatrixGridDisplay({}).plot(), "empty"),
        (lambda: ConfusionMatrixGridDisplay(CONFUSIONS, normalize="rows").plot(), "normalize"),
        (lambda: ConfusionMatrixGridDisplay(CONFUSIONS, ["a"]).plot(), "1 labels"),
        (lambda: ConfusionMatrixGridDisplay({"a": np.ones((2, 3))}).plot(), "square"),
        (
            lambda: ConfusionMatrixGridDisplay.from_predictions([0, 1], {"a": [0]}),
            "inconsistent",
        ),
        (
            lambda: ConfusionMatrixGridDisplay.from_predictions({"b": [0, 1]}, {"a": [0, 1]}),
            "name the same",
        ),
    ],
)
def test_bad_confusions(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# ---------------------------------------------------------------- features


def test_feature_maps_show_the_same_samples_in_the_colors_of_their_classes(networks, data):
    X, y = data
    display = FeatureMapDisplay.from_estimator(networks, X, y, max_per_class=12)
    again = FeatureMapDisplay.from_estimator(networks, X, y, max_per_class=12)
    for name in networks:
        np.testing.assert_array_equal(display.maps[name], again.maps[name])
    assert not np.array_equal(display.maps["plain"], display.maps["stopping"])
    rarest = int(np.bincount(y).argmin())
    points = display.points_[0]
    assert [len(each.get_offsets()) for each in points] == [12, 12, 12]
    assert to_hex(points[rarest].get_facecolor()[0]) == VERMILION.lower()
    assert set(legend(display.ax_)) == {"0", "1", "2"}
    pipeline = make_pipeline(StandardScaler(), networks["plain"])
    pipeline.named_steps["standardscaler"].fit(X)
    assert len(FeatureMapDisplay.from_estimator(pipeline, X, y, max_per_class=9).axes_) == 1


def test_two_features_as_they_are():
    features = np.arange(8.0).reshape(4, 2)
    display = FeatureMapDisplay.from_features(features, [0, 0, 0, 1], method="none")
    np.testing.assert_array_equal(display.points_[0][1].get_offsets(), [[6.0, 7.0]])


def test_umap_if_it_is_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(ImportError, match=r"pip install umap-learn .*\.\[umap\]"):
        FeatureMapDisplay.from_features(np.eye(6), [0, 0, 0, 1, 1, 1], method="umap")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "pca"}, "method='pca'"),
        ({"method": "none"}, "two features"),
        ({"max_per_class": 0}, "max_per_class=0"),
        ({"max_per_class": 1}, "at least 4"),
        ({"names": ["one"]}, "1 names"),
    ],
)
def test_bad_feature_maps(options, message):
    with pytest.raises(ValueError, match=message):
        FeatureMapDisplay.from_features(np.eye(6), [0, 0, 0, 1, 1, 1], **options)


def test_feature_maps_need_transform(data):
    with pytest.raises(ValueError, match="no transform"):
        FeatureMapDisplay.from_estimator(GaussianNB().fit(*data), *data)
    with pytest.raises(NotFittedError):
        FeatureMapDisplay.from_estimator(MLPClassifier(), *data)


# ---------------------------------------------------------------- trainings


def test_schedule_of_one_loss_has_a_line_for_each_class():
    display = ClassWeightScheduleDisplay.from_losses(
        IncrementalWeightedCrossEntropy(T=20), {"usual": 900, "rare": 100}, n_epochs=200
    )
    rare, usual = display.lines_  # in the order of the sorted labels
    assert (rare.get_label(), to_hex(rare.get_color())) == ("rare", VERMILION.lower())
    assert rare.get_ydata()[-1] == pytest.approx(5.0)
    assert usual.get_ydata()[-1] == pytest.approx(5 / 9)
    alpha = np.exp(-20 / 20)
    assert rare.get_ydata()[179] == pytest.approx(alpha * 5 + 1 - alpha, rel=1e-5)
    assert display.ax_.get_xlabel() == "epoch"


def test_schedules_of_several_losses_show_the_rarest_class():
    cases = {f"T = {T}": IncrementalWeightedCrossEntropy(T=T) for T in (10, 50)}
    display = ClassWeightScheduleDisplay.from_losses(cases, [900, 100], n_epochs=40)
    assert legend(display.ax_) == ["T = 10", "T = 50"]
    assert display.ax_.get_ylabel() == "weight of class 1"
    every = display.plot(rarest=False)
    assert len(every.lines_) == 4


def test_schedule_of_networks(networks, data):
    weighted = MLPClassifier(class_weight="balanced", max_epochs=3)
    display = ClassWeightScheduleDisplay.from_estimator([weighted, networks["plain"]], data[1])
    counts = np.bincount(data[1])
    np.testing.assert_allclose(display.weights["network 1"], [150 / (3 * counts)] * 3, rtol=1e-6)
    np.testing.assert_array_equal(display.weights["network 2"], np.ones((8, 3)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ClassWeightScheduleDisplay.from_losses("focl", [9, 1]), "did you mean"),
        (lambda: ClassWeightScheduleDisplay.from_losses("focal", [9, 0]), "class_counts"),
        (lambda: ClassWeightScheduleDisplay.from_losses("focal", [9, 1], n_epochs=0), "n_epochs"),
        (lambda: ClassWeightScheduleDisplay.from_estimator(GaussianNB(), [0, 1]), "no loss"),
        (lambda: TrainingHistoryDisplay.from_estimator(MLPClassifier()), "no history_"),
        (lambda: TrainingHistoryDisplay({"a": {"epoch": [1]}}).plot(), "can't be drawn"),
        (lambda: DISPLAYS["history"].plot(panels=["score"]), "can't be drawn"),
        (lambda: TrainingHistoryDisplay.from_results([]), "empty"),
    ],
)
def test_bad_trainings(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_history_draws_losses_scores_and_the_best_epoch(networks):
    display = TrainingHistoryDisplay.from_estimator(networks)
    loss, score = display.axes_
    assert (loss.get_ylabel(), score.get_ylabel()) == ("loss", "score")
    labels = ["plain, training", "stopping, training", "stopping, validation"]
    assert legend(loss) == labels
    assert [line.get_linestyle() for line in display.lines_[:3]] == ["--", "--", "-"]
    history = networks["stopping"].history_
    np.testing.assert_array_equal(display.lines_[2].get_ydata(), history.valid_loss)
    best = history.epoch[history.is_best].item()
    assert [mark.get_xdata()[0] for mark in display.marks_[1:]] == [best, best]


def test_history_of_wrapped_networks_and_of_tables(networks, data):
    pipeline = make_pipeline(StandardScaler(), MLPClassifier(max_epochs=2)).fit(*data)
    tuned = TunedCostClassifierCV(MLPClassifier(max_epochs=3), cv=2, refit=True).fit(*data)
    display = TrainingHistoryDisplay.from_estimator([pipeline, tuned], panels=["learning rate"])
    assert [len(line.get_xdata()) for line in display.lines_] == [2, 3]
    table = TrainingHistoryDisplay.from_results(networks["plain"].history_, log_loss=True)
    assert table.ax_.get_yscale() == "log"


# ---------------------------------------------------------------- ranks


def scores_of_methods():
    rng = np.random.default_rng(0)
    scores = pd.DataFrame(rng.uniform(0.5, 0.6, size=(12, 2)), columns=["b", "c"])
    return scores.assign(best=0.9 + 0.01 * np.arange(12))


def test_critical_difference_joins_methods_that_do_not_differ():
    scores = scores_of_methods()
    display = CriticalDifferenceDisplay.from_results(scores)
    np.testing.assert_array_equal(display.ranks, average_ranks(scores))
    texts = {text.get_text() for text in display.artists_["labels"]}
    ranks = dict(zip(scores, display.ranks, strict=True))
    assert f"best ({ranks['best']:.1f})" in texts
    (bar,) = display.artists_["crossbars"]
    bar = bar[0] if isinstance(bar, list) else bar
    assert sorted(bar.get_xdata()) == sorted([ranks["b"], ranks["c"]])
    assert display.p_values[0, 2] < 0.05 < display.p_values[0, 1]


@pytest.mark.usefixtures("without_processes")
def test_critical_difference_of_a_run_and_of_its_folder(tmp_path, data):
    suite = Suite("own", ("one", "two"), lambda name: data)
    methods = [
        Method("bayes", "Gaussian naive Bayes", lambda seed: GaussianNB()),
        Method("logistic", "Logistic regression", lambda seed: LogisticRegression()),
    ]
    result = run_benchmark(suite, methods, out=tmp_path, n_folds=2)
    display = CriticalDifferenceDisplay.from_results(result)
    assert display.methods == ["bayes", "logistic"]
    np.testing.assert_array_equal(display.ranks, result.summary["rank"][display.methods])
    stored = CriticalDifferenceDisplay.from_results(report(tmp_path))
    np.testing.assert_array_equal(stored.ranks, display.ranks)
    grid = ConfusionMatrixGridDisplay.from_results(result, dataset="two", normalize=None)
    assert [ax.get_title() for ax in grid.axes_] == ["bayes", "logistic"]
    assert grid.displays_[0].confusion_matrix.sum() == len(data[1])
    with pytest.raises(ValueError, match="must be one of"):
        ConfusionMatrixGridDisplay.from_results(result)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: CriticalDifferenceDisplay.from_results([[1, 2]]), "DataFrame"),
        (lambda: CriticalDifferenceDisplay.from_results(scores_of_methods()[["b"]]), "two of both"),
        (lambda: CriticalDifferenceDisplay.from_results(scores_of_methods(), alpha=2), "alpha=2"),
        (lambda: CriticalDifferenceDisplay("aa", [1, 2], np.ones((2, 2))).plot(), "different"),
    ],
)
def test_bad_comparisons(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# ---------------------------------------------------------------- calibration


def test_reliability_before_and_after_of_the_rarer_class():
    y = np.repeat([0, 1], [80, 20])
    p = np.where(y == 1, 0.8, 0.4)
    before, after = np.column_stack([1 - p, p]), np.column_stack([1 - y, y]).astype(float)
    display = ReliabilityDiagramDisplay.from_predictions(
        y, {"before": before, "after": after}, n_bins=2, strategy="uniform"
    )
    np.testing.assert_allclose(display.lines_[1]["before"].get_xydata(), [[0.4, 0.0], [0.8, 1.0]])
    np.testing.assert_allclose(display.lines_[1]["after"].get_xydata(), [[0.0, 0.0], [1.0, 1.0]])
    assert legend(display.ax_) == ["Perfectly calibrated", "before", "after"]
    assert display.ax_.get_xlabel() == "mean predicted probability"


def test_reliability_of_several_classes(networks, data):
    display = ReliabilityDiagramDisplay.from_estimator(networks, *data, n_bins=3)
    assert [ax.get_title() for ax in display.axes_] == ["0", "1", "2"]
    some = ReliabilityDiagramDisplay.from_estimator(networks, *data, classes=[2], zoom=True)
    assert list(some.curves) == [2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"classes": [7]}, "some of the labels"),
        ({"n_bins": 0}, "n_bins=0"),
        ({"strategy": "width"}, "strategy='width'"),
    ],
)
def test_bad_reliability(networks, data, options, message):
    with pytest.raises(ValueError, match=message):
        ReliabilityDiagramDisplay.from_estimator(networks, *data, **options)
