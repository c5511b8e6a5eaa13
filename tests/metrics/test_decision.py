import numpy as np
import pytest

from skimbal.metrics import (
    cost_matrix_from_costs,
    decide,
    decide_by_costs,
    inverse_frequency_cost_matrix,
    normalize_costs,
    prior_costs,
)


def draw_proba(n_classes, n_samples=200, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(n_classes), size=n_samples)


def draw_cost_matrix(n_classes, seed=0):
    matrix = np.random.default_rng(seed).random((n_classes, n_classes))
    np.fill_diagonal(matrix, 0.0)
    return matrix


@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("seed", range(5))
def test_decision_has_the_least_expected_cost(seed, n_classes):
    proba, matrix = draw_proba(n_classes, seed=seed), draw_cost_matrix(n_classes, seed)
    for p, chosen in zip(proba, decide(proba, matrix), strict=True):
        risks = [sum(p[i] * matrix[i, j] for i in range(n_classes)) for j in range(n_classes)]
        assert chosen == np.argmin(risks)


def test_two_classes_are_a_threshold():
    """Elkan (2001, eq. 2): predict 1 from p = C01 / (C01 + C10) on; ties go to class 0."""
    p = np.linspace(0, 1, 1001)
    chosen = decide(np.column_stack([1 - p, p]), [[0, 1], [7, 0]])
    np.testing.assert_array_equal(chosen[p != 0.125], p[p != 0.125] > 0.125)


@pytest.mark.parametrize("n_classes", [2, 3, 7])
@pytest.mark.parametrize("seed", range(5))
def test_both_decisions_are_the_same_ties_included(seed, n_classes):
    """A grid of tenths gives many ties, exact and up to rounding."""
    rng = np.random.default_rng(seed)
    proba = rng.integers(0, 4, size=(500, n_classes)) / 10
    costs = rng.integers(1, 4, size=n_classes) / 10
    ties = np.isclose(np.sort(proba * costs)[:, -1], np.sort(proba * costs)[:, -2])
    assert ties.sum() > 20
    by_costs = decide_by_costs(proba, costs)
    np.testing.assert_array_equal(decide(proba, cost_matrix_from_costs(costs)), by_costs)


def test_exact_ties_go_to_the_lowest_index():
    proba = [[0.5, 0.25, 0.25], [0.0, 0.5, 0.5], [0.25, 0.25, 0.5]]
    np.testing.assert_array_equal(decide_by_costs(proba, [1, 2, 2]), [0, 1, 2])
    np.testing.assert_array_equal(decide(proba, cost_matrix_from_costs([1, 2, 2])), [0, 1, 2])
    circular = np.array([[0, 1, 2], [2, 0, 1], [1, 2, 0]])
    np.testing.assert_array_equal(decide(np.full((1, 3), 1 / 3), circular), [0])


@pytest.mark.parametrize("n_classes", [2, 4])
def test_equal_costs_choose_the_most_probable(n_classes):
    proba = draw_proba(n_classes)
    np.testing.assert_array_equal(decide_by_costs(proba, np.ones(n_classes)), proba.argmax(1))
    equal = 1.0 - np.eye(n_classes)
    np.testing.assert_array_equal(decide(proba, equal), proba.argmax(1))


@pytest.mark.parametrize("n_classes", [2, 4])
def test_decisions_follow_permuted_classes_and_ignore_scale(n_classes):
    proba, matrix = draw_proba(n_classes), draw_cost_matrix(n_classes)
    order = np.random.default_rng(1).permutation(n_classes)
    permuted = decide(proba[:, order], matrix[np.ix_(order, order)])
    np.testing.assert_array_equal(order[permuted], decide(proba, matrix))
    np.testing.assert_array_equal(decide(proba, 8 * matrix), decide(proba, matrix))
    costs = matrix[0] + 0.1
    np.testing.assert_array_equal(decide_by_costs(proba, 8 * costs), decide_by_costs(proba, costs))


@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_gains_of_correct_predictions_count_as_costs_of_errors(n_classes):
    proba, matrix = draw_proba(n_classes), draw_cost_matrix(n_classes)
    gain = np.arange(1.0, n_classes + 1)
    shifted = matrix - gain[:, np.newaxis]
    np.testing.assert_array_equal(decide(proba, shifted), (proba @ shifted).argmin(axis=1))


def test_a_decision_does_not_depend_on_the_other_samples():
    """Near ties everywhere: another order of summation for one row alone would show."""
    proba = np.full((300, 3), 1 / 3) + np.random.default_rng(0).normal(0, 1e-16, size=(300, 3))
    matrix = np.array([[0, 0.1, 0.2], [0.2, 0, 0.1], [0.1, 0.2, 0]])
    alone = np.concatenate([decide(row[np.newaxis], matrix) for row in proba])
    assert len(np.unique(alone)) > 1
    np.testing.assert_array_equal(decide(proba, matrix), alone)


def test_a_population_of_costs_decides_row_by_row():
    proba = draw_proba(3)
    costs = np.random.default_rng(2).random((7, 3))
    together = decide_by_costs(proba, costs)
    assert together.shape == (7, 200)
    np.testing.assert_array_equal(together, [decide_by_costs(proba, row) for row in costs])


def test_cost_matrix_from_costs_charges_the_true_class():
    matrix = cost_matrix_from_costs([1, 2, 3])
    np.testing.assert_array_equal(matrix, [[0, 1, 1], [2, 0, 2], [3, 3, 0]])


def test_prior_costs_put_the_threshold_at_the_prevalence():
    p = np.linspace(0, 1, 1001)
    chosen = decide_by_costs(np.column_stack([1 - p, p]), prior_costs([970, 30]))
    away = np.abs(p - 0.03) > 1e-9
    np.testing.assert_array_equal(chosen[away], p[away] > 0.03)


@pytest.mark.parametrize("counts", [[90, 10], [5, 50, 500], [7, 7, 7, 7]])
def test_prior_costs_are_inverse_counts_with_geometric_mean_one(counts):
    costs = prior_costs(counts)
    np.testing.assert_allclose(costs * counts, costs[0] * counts[0])
    assert np.prod(costs) == pytest.approx(1.0)
    np.testing.assert_allclose(prior_costs(3 * np.array(counts)), costs)
    matrix = inverse_frequency_cost_matrix(counts)
    np.testing.assert_array_equal(matrix, cost_matrix_from_costs(costs))


def test_normalized_costs_keep_ratios_even_at_the_ends_of_the_range():
    costs = normalize_costs([1e-150, 1e-100, 1e130])
    np.testing.assert_allclose(np.log10(costs), np.array([-150, -100, 130]) + 40, rtol=1e-12)
    np.testing.assert_allclose(normalize_costs(costs), costs, rtol=1e-12)


def test_a_stack_of_costs_is_normalized_row_by_row():
    stack = np.random.default_rng(0).random((4, 5, 3)) + 0.01
    expected = stack / np.prod(stack, axis=-1, keepdims=True) ** (1 / 3)
    np.testing.assert_allclose(normalize_costs(stack), expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: decide([0.5, 0.5], [[0, 1], [1, 0]]), r"proba has shape \(2,\)"),
        (lambda: decide([[0.5, 0.5]], [[0, 1, 1], [1, 0, 1], [1, 1, 0]]), "with 2 classes"),
        (lambda: decide([[0.5, 0.5]], [[0, -1], [1, 0]]), "below the cost of the correct"),
        (lambda: decide([[0.5, 0.5]], [[2, 1], [1, 0]]), "below the cost of the correct"),
        (lambda: decide_by_costs([[0.5, 0.5]], [1, 2, 3]), r"costs has shape \(3,\)"),
        (lambda: decide_by_costs([[0.5, 0.5]], 1.0), r"costs has shape \(\)"),
        (lambda: cost_matrix_from_costs([[1, 2]]), r"costs has shape \(1, 2\)"),
        (lambda: cost_matrix_from_costs([1, -2]), "not negative"),
        (lambda: prior_costs([3, 0]), "must be positive"),
        (lambda: prior_costs([3, np.nan]), "must be finite"),
        (lambda: prior_costs([]), "one number for each class"),
        (lambda: normalize_costs([1, 0]), "positive and finite"),
        (lambda: normalize_costs([1, np.inf]), "positive and finite"),
        (lambda: normalize_costs(2.0), "one cost for each class"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
