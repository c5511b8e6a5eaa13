"""The search for costs against brute force, by hand, and its promises over many seeds."""

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    cohen_kappa_score,
    f1_score,
    make_scorer,
    matthews_corrcoef,
)

from skimbal.cost_sensitive import find_costs
from skimbal.cost_sensitive._find_costs import make_table
from skimbal.cost_sensitive._measured_balance import measured_costs
from skimbal.cost_sensitive._search_steps import (
    MAX_GRID_CLASSES,
    STRATEGIES,
    EvolutionOptions,
    LogRatioSpace,
    Trace,
    UnitSpace,
    evolve,
    log_ratio_bounds,
    loss,
    score_prior_costs,
    sweep_classes,
)
from skimbal.metrics import (
    decide_by_costs,
    expected_cost,
    g_mean,
    make_confusion_scorer,
    make_cost_scorer,
)

from .brute_force import g_mean_of

COST_MATRIX = np.array([[0.0, 1.0], [7.0, 0.0]])


def problem(n_samples, n_classes, seed, kind="smooth"):
    """Imbalanced labels, every class at least twice, and probabilities that depend on them."""
    rng = np.random.default_rng(seed)
    frequencies = 0.5 ** np.arange(n_classes)
    y = np.concatenate(
        [
            np.arange(n_classes).repeat(2),
            rng.choice(n_classes, n_samples - 2 * n_classes, p=frequencies / frequencies.sum()),
        ]
    )
    logits = rng.normal(scale=1.5, size=(n_samples, n_classes)) + np.log(frequencies)
    logits[np.arange(n_samples), y] += 1.5
    proba = np.exp(logits)
    proba /= proba.sum(axis=1, keepdims=True)
    if kind == "ties":  # as of a forest of few trees
        proba = rng.multinomial(7, proba) / 7
    return y, proba


def thresholds(proba):
    """Every cut of the probability of class 1 that costs can make: none moves a 0 or a 1."""
    values = np.unique(proba[:, 1])
    return np.concatenate([[0.0], 0.5 * (values[1:] + values[:-1]), [np.nextafter(1.0, 0.0)]])


def worst_recall(confusion):
    support = np.maximum(confusion.sum(axis=-1), 1e-300)
    return (confusion.diagonal(axis1=-2, axis2=-1) / support).min(axis=-1)


def worst_recall_of(y_true, y_pred):
    return min((y_pred[y_true == c] == c).mean() for c in (0, 1))


SCORINGS = {
    "g_mean": ("g_mean", g_mean),
    "balanced_accuracy": ("balanced_accuracy", balanced_accuracy_score),
    "f1": ("f1", f1_score),  # class 1 is the rarer one
    "f1 of class 0": (
        make_scorer(f1_score, pos_label=0),
        lambda y, p: f1_score(y, p, pos_label=0),
    ),
    "macro_f1": ("macro_f1", lambda y, p: f1_score(y, p, average="macro")),
    "accuracy": ("accuracy", accuracy_score),
    "expected cost": (
        make_cost_scorer(COST_MATRIX, labels=[0, 1]),
        lambda y, p: -expected_cost(y, p, cost_matrix=COST_MATRIX, labels=[0, 1]),
    ),
    "no fast path": (make_scorer(matthews_corrcoef), matthews_corrcoef),
    "a user's": (make_confusion_scorer(worst_recall), worst_recall_of),
}


@pytest.mark.filterwarnings("ignore::skimbal.exceptions.AbsentClassWarning")
@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@pytest.mark.parametrize("kind", ["smooth", "ties"])
@pytest.mark.parametrize("name", SCORINGS)
def test_exact_is_brute_force_over_every_threshold(name, kind):
    scoring, score = SCORINGS[name]
    y, proba = problem(40, 2, seed=len(name), kind=kind)
    best = max(score(y, (proba[:, 1] > t).astype(int)) for t in thresholds(proba))
    result = find_costs(y, proba, scoring=scoring, search="exact")
    assert result.score == pytest.approx(best, abs=1e-12)
    assert result.unregularized_score == result.score == result.scores.max()


def test_exact_takes_the_middle_of_the_widest_best_interval_in_log_odds():
    """Log-odds of class 1 are -4, -3, -1, 0, 2; cuts at (-3, -1) and at (-1, 0) have the same
    G-mean of sqrt(1/2), the former is wider: threshold at log-odds -2, cost ratio e^2.
    """
    log_odds = np.array([-4.0, -3.0, -1.0, 0.0, 2.0])
    y = np.array([0, 1, 1, 0, 1])
    p = 1 / (1 + np.exp(-log_odds))
    proba = np.column_stack([1 - p, p])
    scores = {t: g_mean(y, (log_odds > t).astype(int)) for t in (-5, -3.5, -2, -0.5, 1, 3)}
    assert max(scores, key=scores.get) == -3.5
    result = find_costs(y, proba)
    np.testing.assert_allclose(result.costs, [np.exp(-3.5 / 2), np.exp(3.5 / 2)])
    y = np.array([0, 0, 1, 0, 1])  # cuts: -2 gives sqrt(2/3), 1 gives sqrt(1/2)
    np.testing.assert_allclose(find_costs(y, proba).costs, [np.exp(-1), np.exp(1)])
    y = np.array([0, 1, 0, 0, 1])  # sqrt(1/3) at -3.5 and sqrt(1/2) at 1, of width 2
    np.testing.assert_allclose(find_costs(y, proba).costs, [np.exp(0.5), np.exp(-0.5)])


def test_exact_prefers_the_wider_of_two_equal_optima():
    """One of class 1 among log-odds -3, 0, 1: accuracy is 2/3 below -3, in (-3, 0)."""
    log_odds = np.array([-3.0, 0.0, 1.0, 1.5])
    y = np.array([1, 0, 1, 1])
    p = 1 / (1 + np.exp(-log_odds))
    proba = np.column_stack([1 - p, p])
    # Right decisions: all to 1: 3; cut in (-3, 0): 2; in (0, 1): 3; above: 2 and 1.
    result = find_costs(y, proba, scoring="accuracy")
    assert result.score == 0.75
    widths = {-3.5: 1.0, 0.5: 1.0}  # the outer interval is cut off at one
    assert np.log(result.costs[0] / result.costs[1]) == pytest.approx(min(widths))


@pytest.mark.parametrize("kind", ["smooth", "ties"])
@pytest.mark.parametrize("scoring", ["g_mean", "macro_f1"])
def test_jade_reaches_the_exact_optimum_of_two_classes(scoring, kind):
    for seed in range(20):
        y, proba = problem(80, 2, seed, kind)
        exact = find_costs(y, proba, scoring=scoring, search="exact")
        jade = find_costs(y, proba, scoring=scoring, search="jade", random_state=seed)
        assert abs(jade.score - exact.score) < 1e-12


@pytest.mark.parametrize("kind", ["smooth", "ties"])
def test_jade_by_itself_reaches_the_exact_optimum_of_two_classes(kind):
    """Without the grid and the sweep that the whole search begins with."""
    for seed in range(10):
        y, proba = problem(60, 2, seed, kind)
        run = Trace(2)
        options = EvolutionOptions("log_ratio", 30, 200, np.random.RandomState(seed))
        evolve(make_table(y, proba, "g_mean", None, None), run, options)
        exact = find_costs(y, proba, search="exact").score
        if kind == "smooth":
            assert run.best_score > exact - 0.02
        else:
            assert abs(run.best_score - exact) < 1e-12


@pytest.mark.parametrize("n_classes", range(3, 9))
def test_jade_is_not_below_the_class_by_class_search_and_the_grid(n_classes):
    y, proba = problem(15 * n_classes, n_classes, seed=n_classes)
    jade = find_costs(y, proba, scoring="macro_f1", random_state=0, max_generations=40)
    table, run = make_table(y, proba, "macro_f1", None, None), Trace(n_classes)
    score_prior_costs(table, run)
    sweep_classes(table, run)
    assert jade.score >= run.best_score - 1e-12
    if n_classes <= MAX_GRID_CLASSES:
        grid = find_costs(y, proba, scoring="macro_f1", search="grid")
        assert jade.score >= grid.score - 1e-12


@pytest.mark.parametrize("kind", ["smooth", "ties"])
@pytest.mark.parametrize("n_classes", [3, 4, 6])
def test_no_change_of_a_single_cost_is_better(n_classes, kind):
    y, proba = problem(20 * n_classes, n_classes, n_classes, kind)
    result = find_costs(y, proba, random_state=0, max_generations=20)
    for c in range(n_classes):
        others = proba * result.costs
        others[:, c] = 0.0
        seen = proba[:, c] > 0
        cuts = np.unique(others.max(axis=1)[seen] / proba[seen, c])
        for cost in [*np.sqrt(cuts[1:] * cuts[:-1]), cuts[0] / 2, cuts[-1] * 2]:
            costs = result.costs.copy()
            costs[c] = cost
            changed = g_mean_of(y, decide_by_costs(proba, costs))
            assert changed <= result.score + 1e-12


def test_ties_are_not_left_to_rounding():
    """Sevenths have the same odds in different bits; `predict` must agree with the scores."""
    for seed in range(30):
        y, proba = problem(60, 3, seed, "ties")
        for search in ("grid", "jade"):
            result = find_costs(y, proba, search=search, random_state=0, max_generations=3)
            predicted = decide_by_costs(proba, result.candidates)
            scores = [g_mean_of(y, p) for p in predicted[::29]]
            np.testing.assert_allclose(result.scores[::29], scores, atol=1e-12)
            assert result.score == pytest.approx(result.scores.max(), abs=1e-12)


@pytest.mark.parametrize("kind", ["smooth", "ties"])
@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_the_score_is_that_of_the_decisions_by_the_costs(n_classes, kind):
    y, proba = problem(90, n_classes, 1, kind)
    weight = np.random.default_rng(0).uniform(0.5, 2, size=len(y))
    for shrinkage in (0.0, 0.4):
        result = find_costs(
            y, proba, shrinkage=shrinkage, sample_weight=weight, random_state=0, max_generations=5
        )
        predicted = decide_by_costs(proba, result.costs)
        assert result.score == pytest.approx(g_mean(y, predicted, sample_weight=weight), abs=1e-12)
        assert result.unregularized_score == pytest.approx(result.scores.max(), abs=1e-12)
        assert result.score <= result.unregularized_score


@pytest.mark.parametrize("search", ["exact", "jade", "grid"])
def test_costs_are_positive_with_geometric_mean_one(search):
    n_classes = 2 if search == "exact" else 4
    y, proba = problem(60, n_classes, 2)
    result = find_costs(y, proba, search=search, random_state=0, max_generations=5)
    for costs in (result.costs[None], result.candidates):
        assert (costs > 0).all()
        np.testing.assert_allclose(np.log(costs).mean(axis=1), 0.0, atol=1e-9)
    assert len(result.candidates) == len(result.scores) == len(result.generations)
    assert result.generations.max() == (5 if search == "jade" else 0)
    predicted = decide_by_costs(proba, result.candidates)
    np.testing.assert_allclose(
        result.scores[::7], [g_mean_of(y, p) for p in predicted[::7]], atol=1e-12
    )


def test_shrinkage_moves_the_log_costs_toward_the_measured_costs():
    y, proba = problem(80, 2, 3)
    none, half, full = (find_costs(y, proba, shrinkage=s) for s in (0, 0.5, 1))
    measured = measured_costs(y, proba)
    np.testing.assert_allclose(full.costs, measured)
    np.testing.assert_allclose(half.shrinkage_target, measured)
    assert none.shrinkage_target is None
    np.testing.assert_allclose(half.costs, np.sqrt(none.costs * measured))
    assert none.unregularized_score == half.unregularized_score == full.unregularized_score
    assert full.score == g_mean(y, decide_by_costs(proba, measured))


def test_shrinkage_moves_the_log_costs_toward_a_given_target():
    y, proba = problem(80, 3, 3)
    target = [1.0, 2.0, 4.0]  # of geometric mean 2
    none, half, full = (
        find_costs(y, proba, shrinkage=s, shrinkage_target=target, random_state=0)
        for s in (0, 0.5, 1)
    )
    np.testing.assert_allclose(full.costs, [0.5, 1.0, 2.0])
    np.testing.assert_allclose(half.costs, np.sqrt(none.costs * full.costs))
    untouched = find_costs(y, proba, random_state=0)
    np.testing.assert_array_equal(none.costs, untouched.costs)


def test_permuted_classes_swap_the_costs():
    y, proba = problem(80, 2, 4)
    costs = find_costs(y, proba).costs
    np.testing.assert_allclose(find_costs(1 - y, proba[:, ::-1]).costs, costs[::-1])
    names = np.array(["usual", "rare"])
    by_name = find_costs(names[y], proba, classes=names)
    np.testing.assert_array_equal(by_name.costs, costs)


def test_scaled_probabilities_and_weights_change_nothing():
    y, proba = problem(80, 2, 5)
    scale = np.random.default_rng(0).uniform(0.5, 2, size=(80, 1))
    costs = find_costs(y, proba).costs
    np.testing.assert_allclose(find_costs(y, proba * scale).costs, costs)
    np.testing.assert_allclose(find_costs(y, proba, sample_weight=np.full(80, 3.0)).costs, costs)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_integer_weights_are_repetition(n_classes):
    y, proba = problem(60, n_classes, 6)
    weight = np.random.default_rng(0).integers(1, 4, size=60)
    options = {"random_state": 0, "max_generations": 5}
    weighted = find_costs(y, proba, sample_weight=weight, **options)
    repeated = find_costs(y.repeat(weight), proba.repeat(weight, axis=0), **options)
    assert weighted.unregularized_score == pytest.approx(repeated.unregularized_score)
    if n_classes == 2:
        np.testing.assert_allclose(weighted.costs, repeated.costs)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_samples_without_weight_do_not_count(n_classes):
    y, proba = problem(60, n_classes, 7)
    weight = (np.arange(60) % 3 > 0).astype(float)
    kept = weight > 0
    options = {"max_generations": 5, "random_state": 0}
    weighted = find_costs(y, proba, sample_weight=weight, **options)
    alone = find_costs(y[kept], proba[kept], sample_weight=weight[kept], **options)
    np.testing.assert_array_equal(weighted.costs, alone.costs)
    assert weighted.score == alone.score


def test_the_same_seed_gives_the_same_result():
    y, proba = problem(60, 5, 8)
    first, second, other = (
        find_costs(y, proba, random_state=seed, max_generations=10) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first.costs, second.costs)
    np.testing.assert_array_equal(first.candidates, second.candidates)
    assert not np.array_equal(first.candidates, other.candidates)


def test_no_argument_is_changed():
    y, proba = problem(40, 3, 9)
    weight = np.ones(40)
    copies = y.copy(), proba.copy(), weight.copy()
    find_costs(y, proba, sample_weight=weight, random_state=0, max_generations=3)
    for now, before in zip((y, proba, weight), copies, strict=True):
        np.testing.assert_array_equal(now, before)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_unit_space_is_the_published_search(n_classes):
    y, proba = problem(60, n_classes, 10)
    result = find_costs(y, proba, search="jade", cost_space="unit", random_state=0)
    assert result.generations.min() == 1
    np.testing.assert_array_equal(
        np.bincount(result.generations)[1:], np.full(result.generations.max(), 30)
    )
    assert result.score > g_mean(y, proba.argmax(axis=1))


def hopeless_start(seed):
    """A rare class of tiny probabilities: equal costs, and nearly all in the box, miss it."""
    rng = np.random.default_rng(seed)
    y = np.repeat([0, 1, 2], [60, 30, 6])
    logits = rng.normal(size=(96, 3)) + np.array([2.0, 1.0, -18.0])
    logits[np.arange(96), y] += 2.0
    proba = np.exp(logits)
    return y, proba / proba.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("seed", range(3))
def test_the_plateau_of_a_missed_class_is_left(seed):
    """Only JADE, without grid and sweeps, from members that all have a G-mean of 0."""
    y, proba = hopeless_start(seed)
    run = Trace(3)
    run.record(np.zeros((1, 3)), np.zeros(1))
    options = EvolutionOptions("unit", 10, 200, np.random.RandomState(seed))
    evolve(make_table(y, proba, "g_mean", None, None), run, options)
    in_first_generation = run.scores[1]
    assert in_first_generation.max() == 0.0
    assert run.best_score > 0.5
    assert find_costs(y, proba, random_state=seed).score > 0.7


def test_fitness_falls_on_the_way_out_of_a_plateau_but_never_below_a_score():
    y, proba = hopeless_start(0)
    table = make_table(y, proba, "g_mean", None, None)
    nearer = np.array([[0.0, 0.0, w] for w in (0.0, 5.0, 10.0)])
    scores = table.score_population(nearer)
    assert scores.tolist() == [0.0, 0.0, 0.0]
    losses = loss(table, nearer, scores, on_plateau=True)
    assert (np.diff(losses) < 0).all()
    assert losses.min() > 0
    assert losses.max() < 1e-6
    found = np.array([[0.0, 0.0, 19.0]])
    score = table.score_population(found)
    assert loss(table, found, score, on_plateau=False)[0] == -score[0] < losses.min() - 1e-3


def test_a_class_that_no_costs_can_find():
    y, proba = problem(60, 3, 11)
    proba[y == 2, 2] = 0.0
    result = find_costs(y, proba, random_state=0, max_generations=5)
    assert result.score == 0.0
    assert np.isfinite(result.costs).all()
    macro_f1 = find_costs(y, proba, scoring="macro_f1", random_state=0, max_generations=5)
    assert macro_f1.score > 0.3


def test_extreme_probabilities_give_finite_costs():
    y = np.repeat(np.arange(4), 5)
    proba = np.full((20, 4), 5e-324)
    proba[:, 0] = 1.0
    proba[np.arange(20), y] = np.where(y == 0, 1.0, 1e-300)
    result = find_costs(y, proba, random_state=0, max_generations=5)
    assert np.isfinite(result.costs).all()
    assert (result.costs > 0).all()
    assert result.score == 1.0


def test_bounds_are_the_log_odds_of_class_0():
    proba = np.array([[0.5, 0.25, 0.25], [0.2, 0.6, 0.2]])
    expected = [[-np.log(3) - 1, np.log(2) + 1], [-1, np.log(2) + 1]]
    np.testing.assert_allclose(log_ratio_bounds(np.log(proba)), expected)


def test_bounds_with_zeros_hold_chains_of_ratios():
    """Only class 2 meets both others, each at odds of 9: w_1 - w_0 > 2 log 9 is needed."""
    proba = np.array([[0.9, 0.0, 0.1], [0.0, 0.1, 0.9]])
    with np.errstate(divide="ignore"):
        bounds = log_ratio_bounds(np.log(proba))
    np.testing.assert_allclose(bounds, np.tile([-1, 1], (2, 1)) * (2 * np.log(9) + 1))


@pytest.mark.parametrize("space", [LogRatioSpace, UnitSpace])
def test_spaces_encode_what_they_decode(space):
    y, proba = problem(30, 4, 12)
    space = space(make_table(y, proba, "g_mean", None, None))
    low, high = space.bounds.T
    genes = np.random.default_rng(0).uniform(low, high, size=(10, len(low)))
    log_weights = space.decode(genes)
    again = space.decode(space.encode(log_weights))
    np.testing.assert_allclose(again - again[:, :1], log_weights - log_weights[:, :1], atol=1e-12)


BAD = [
    ({"proba": np.ones((6, 3))}, r"proba has shape \(6, 3\), .* must be \(6, 2\)"),
    ({"proba": np.full((6, 2), np.nan)}, "negative, NaN or infinite"),
    ({"proba": np.full((6, 2), -1.0)}, "negative, NaN or infinite"),
    ({"proba": np.eye(2)[[0, 1, 0, 1, 0, 0]] * [1, 0]}, "row 1 of proba is all zero"),
    ({"y_true": np.zeros(6), "proba": np.ones((6, 1))}, "y has 1 class"),
    ({"classes": [0, 2]}, r"the classes \[2\] are absent from y_true, .* \[1\] are not in classes"),
    ({"scoring": "roc_auc"}, "needs predict_proba|takes labels|labels"),
    ({"scoring": "g_men"}, "did you mean 'g_mean'"),
    ({"scoring": g_mean}, "wrap it"),
    ({"search": "best"}, "The 'search' parameter"),
    ({"cost_space": "log"}, "The 'cost_space' parameter"),
    ({"shrinkage": 1.5}, "The 'shrinkage' parameter"),
    ({"shrinkage_target": [1, 2, 3]}, "must be 2 costs > 0"),
    ({"shrinkage_target": [1, 0]}, "must be 2 costs > 0"),
    ({"shrinkage_target": [1, np.inf]}, "must be 2 costs > 0"),
    ({"population_size": 3}, "The 'population_size' parameter"),
    ({"max_generations": 0}, "The 'max_generations' parameter"),
    ({"sample_weight": np.full(6, -1.0)}, "[Nn]egative"),
    ({"sample_weight": np.ones(5)}, "sample_weight"),
    ({"sample_weight": [1, 0, 1, 0, 0, 1]}, r"classes \[1\] have the weight 0"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_bad_input(change, message):
    p = np.array([0.1, 0.3, 0.2, 0.4, 0.6, 0.2])
    arguments = {"y_true": [0, 1, 0, 1, 1, 0], "proba": np.column_stack([1 - p, p]), **change}
    with pytest.raises(ValueError, match=message):
        find_costs(**arguments)


def test_searches_that_do_not_fit_the_number_of_classes():
    with pytest.raises(ValueError, match="sweeps the thresholds of two classes, but there are 3"):
        find_costs(*problem(30, 3, 0), search="exact")
    with pytest.raises(ValueError, match="search='grid' is for up to 4 classes"):
        find_costs(*problem(30, 5, 0), search="grid")


def test_a_search_is_the_steps_of_its_strategy():
    """Each strategy, run step by step, finds the costs of `find_costs`."""
    y, proba = problem(60, 2, 13)
    for name, steps in STRATEGIES.items():
        search, space = ("jade", "unit") if name == "jade in the unit box" else (name, "log_ratio")
        result = find_costs(y, proba, search=search, cost_space=space, random_state=0)
        table, trace = make_table(y, proba, "g_mean", None, None), Trace(2)
        options = EvolutionOptions(space, 30, 200, np.random.RandomState(0))
        for step in steps:
            step(table, trace, options)
        np.testing.assert_allclose(np.log(result.costs), trace.best - trace.best.mean())
        np.testing.assert_array_equal(result.scores, np.concatenate(trace.scores))


@pytest.mark.parametrize("scale", [1e-300, 1e300, 1e306])
@pytest.mark.parametrize("scoring", ["g_mean", "f1", "matthews_corrcoef", "cohen_kappa", "jaccard"])
def test_the_scale_of_the_weights_changes_no_costs(scoring, scale):
    """Products of four sums of weights overflow, or vanish, long before the weights do."""
    if scoring == "cohen_kappa":
        scoring = make_scorer(cohen_kappa_score)
    rng = np.random.default_rng(0)
    y = (rng.random(200) < 0.3).astype(int)
    p = np.clip(rng.normal(0.3 + 0.3 * y, 0.2), 0.001, 0.999)
    proba, weight = np.column_stack([1 - p, p]), rng.uniform(0.5, 2.0, size=200)
    one = find_costs(y, proba, scoring=scoring, sample_weight=weight)
    other = find_costs(y, proba, scoring=scoring, sample_weight=scale * weight)
    np.testing.assert_allclose(other.costs, one.costs, rtol=1e-9)
    assert other.score == pytest.approx(one.score, rel=1e-9)
