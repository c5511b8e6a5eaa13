"""scikit-learn's scores as functions of confusion matrices, against the functions of labels."""

import warnings

import numpy as np
import pytest
import sklearn.metrics as metrics
from sklearn.metrics import make_scorer

from skimbal.cost_sensitive import find_costs
from skimbal.cost_sensitive._decision_table import depends_on_counts
from skimbal.metrics import confusion_score

QUOTIENTS = [
    metrics.precision_score,
    metrics.recall_score,
    metrics.f1_score,
    metrics.jaccard_score,
]
AVERAGES = ["micro", "macro", "weighted"]
BETAS = [0, 0.5, 2]
EMPTY = ["warn", 0, 1]
SCORES = [
    (metrics.matthews_corrcoef, {}),
    *[(metrics.cohen_kappa_score, {"weights": w}) for w in (None, "linear", "quadratic")],
    *[
        (function, {"average": average, "zero_division": empty})
        for function in QUOTIENTS
        for average in AVERAGES
        for empty in EMPTY
    ],
    *[(metrics.fbeta_score, {"beta": b, "average": a}) for b in BETAS for a in AVERAGES],
]
SCORES_OF_ONE_CLASS = [
    *[(function, {"zero_division": empty}) for function in QUOTIENTS for empty in EMPTY],
    *[(function, {"pos_label": 0}) for function in QUOTIENTS],
    *[(metrics.fbeta_score, {"beta": beta}) for beta in BETAS],
]


def labelings(n_classes, seed):
    """True and predicted labels, of few classes in some, and weights."""
    rng = np.random.default_rng(seed)
    y = np.r_[np.arange(n_classes), rng.integers(0, n_classes, 20)]
    predicted = rng.integers(0, 1 + seed % n_classes, len(y))
    return y, predicted, rng.random(len(y)) if seed % 2 else np.ones(len(y))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
@pytest.mark.parametrize(
    ("function", "options", "n_classes"),
    [
        *[(*score, n_classes) for score in SCORES for n_classes in (2, 3, 5)],
        *[(*score, 2) for score in SCORES_OF_ONE_CLASS],
    ],
)
def test_the_form_is_the_score_of_labels(function, options, n_classes):
    form = confusion_score(make_scorer(function, **options), np.arange(n_classes))
    for seed in range(2 * n_classes):  # of one class to all, with and without weights
        y, predicted, weight = labelings(n_classes, seed)
        confusion = metrics.confusion_matrix(y, predicted, sample_weight=weight)
        expected = function(y, predicted, sample_weight=weight, **options)
        np.testing.assert_allclose(form(np.stack([confusion] * 2)), expected, atol=1e-12)
        np.testing.assert_allclose(form(confusion), expected, atol=1e-12)


@pytest.mark.parametrize("name", ["matthews_corrcoef", "f1_weighted", "precision_macro", "jaccard"])
def test_scores_of_scikit_learn_by_name(name):
    y, predicted, _ = labelings(2, 1)
    expected = metrics.get_scorer(name)._score_func
    options = metrics.get_scorer(name)._kwargs
    value = confusion_score(name, [0, 1])(metrics.confusion_matrix(y, predicted))
    assert value == pytest.approx(expected(y, predicted, **options))


@pytest.mark.parametrize(
    ("function", "options"),
    [
        (metrics.fbeta_score, {"beta": np.inf, "average": "macro"}),
        (metrics.jaccard_score, {"average": "macro", "zero_division": np.nan}),
        (metrics.recall_score, {"average": None}),
        (metrics.precision_score, {"labels": [0], "average": "macro"}),
        (metrics.cohen_kappa_score, {"labels": [0, 1]}),
        (metrics.fowlkes_mallows_score, {}),
    ],
)
def test_other_options_have_no_form(function, options):
    assert confusion_score(make_scorer(function, **options), [0, 1]) is None


def test_a_positive_label_that_does_not_occur_is_an_error():
    with pytest.raises(ValueError, match="pos_label=1 is not among the classes"):
        confusion_score("precision", ["no", "yes"])


def with_weights(y_true, y_pred, sample_weight=None):
    return metrics.matthews_corrcoef(y_true, y_pred, sample_weight=sample_weight)


def without_weights(y_true, y_pred):
    return metrics.matthews_corrcoef(y_true, y_pred)


def ignores_weights(y_true, y_pred, sample_weight=None):
    return metrics.matthews_corrcoef(y_true, y_pred)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("function", [with_weights, without_weights, ignores_weights])
def test_any_score_of_labels_is_searched_exactly(function, n_classes):
    rng = np.random.default_rng(0)
    y = np.r_[np.arange(n_classes), rng.integers(n_classes, size=50)]
    proba = rng.dirichlet(np.ones(n_classes), size=len(y))
    proba[np.arange(len(y)), y] += 0.2
    options = {"max_generations": 2, "random_state": 0}
    known = find_costs(y, proba, scoring="matthews_corrcoef", **options)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = find_costs(y, proba, scoring=make_scorer(function), **options)
    np.testing.assert_allclose(found.scores, known.scores, atol=1e-12)
    np.testing.assert_array_equal(found.costs, known.costs)


def test_a_score_that_takes_weights_is_given_one_row_for_each_cell():
    n_rows = []

    def counted(y_true, y_pred, sample_weight=None):
        n_rows.append(len(y_true))
        return metrics.accuracy_score(y_true, y_pred, sample_weight=sample_weight)

    rng = np.random.default_rng(0)
    y = np.r_[0, 1, rng.integers(2, size=500)]
    proba = rng.dirichlet(np.ones(2), size=len(y))
    find_costs(y, proba, scoring=make_scorer(counted))
    assert max(n_rows) < 20


def runs(y_true, y_pred):
    """Depends on the order of the samples."""
    hit = y_true == y_pred
    return float((hit[1:] & hit[:-1]).sum())


def weighted_runs(y_true, y_pred, sample_weight=None):
    weight = np.ones(len(y_true)) if sample_weight is None else sample_weight
    hit = y_true == y_pred
    return float((weight[1:] * (hit[1:] & hit[:-1])).sum())


def share_of_the_heaviest(y_true, y_pred, sample_weight=None):
    """Does not add up weights."""
    weight = np.ones(len(y_true)) if sample_weight is None else sample_weight
    return float((weight / weight.max() * (y_true == y_pred)).sum() / len(weight))


@pytest.mark.parametrize(
    ("function", "is_weighted"),
    [
        (runs, False),
        (weighted_runs, False),
        (weighted_runs, True),
        (share_of_the_heaviest, False),
        (share_of_the_heaviest, True),
        (ignores_weights, True),
    ],
)
def test_a_score_that_is_no_function_of_counts_is_searched_on_all_rows(function, is_weighted):
    rng = np.random.default_rng(1)
    y = np.r_[0, 1, rng.integers(2, size=50)]
    p = np.clip(0.2 * y + rng.uniform(0.1, 0.8, len(y)), 0.01, 0.99)
    options = {"sample_weight": rng.uniform(0.5, 3.0, len(y))} if is_weighted else {}
    found = find_costs(y, np.c_[1 - p, p], scoring=make_scorer(function), **options)
    thresholds = np.append(np.unique(p), -1.0)
    best = max(function(y, (p > t).astype(int), **options) for t in thresholds)
    assert found.score == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("scoring", ["g_mean", "f1_weighted", with_weights, without_weights])
def test_scores_of_counts_are_known(scoring):
    scoring = make_scorer(scoring) if callable(scoring) else scoring
    assert depends_on_counts(scoring, np.array([0, 1, 2]), is_weighted=False)
