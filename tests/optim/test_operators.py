import numpy as np
import pytest

from skimbal.optim._operators import (
    binomial_crossover,
    choose_difference,
    choose_pbest,
    current_to_pbest,
    repair_to_midpoint,
    uniform_points,
)

LAST_UNIFORM = np.nextafter(1.0, 0.0)


def test_uniform_points_reach_the_bounds_and_never_pass_them():
    low, high = np.array([-1.0, 0.1]), np.array([3.0, 0.3])
    points = uniform_points(low, high, np.array([[0.0, 0.0], [0.5, 0.5], [LAST_UNIFORM] * 2]))
    np.testing.assert_allclose(points[:2], [[-1.0, 0.1], [1.0, 0.2]], rtol=1e-15)
    assert (points[2] <= high).all()
    np.testing.assert_allclose(points[2], high, rtol=1e-15)


def test_no_rounding_takes_uniform_points_out_of_the_box():
    rng = np.random.default_rng(0)
    ends = rng.normal(size=(2, 100_000)) * 10.0 ** rng.integers(-20, 20, size=(2, 100_000))
    low, high = ends.min(axis=0), ends.max(axis=0)
    points = uniform_points(low, high, np.array([[0.0], [LAST_UNIFORM]]))
    assert (points >= low).all()
    assert (points <= high).all()


def test_choose_pbest_takes_the_best_equally_often():
    losses = np.array([5.0, 1.0, np.inf, 3.0, 2.0])
    uniforms = (np.arange(300) + 0.5) / 300
    counts = np.bincount(choose_pbest(losses, 3, uniforms), minlength=5)
    np.testing.assert_array_equal(counts, [0, 100, 0, 100, 100])
    assert choose_pbest(losses, 3, np.array([0.0, LAST_UNIFORM])).tolist() == [1, 3]


@pytest.mark.parametrize(("n_members", "n_pool"), [(3, 3), (3, 4), (4, 4), (5, 10), (20, 37)])
def test_choose_difference_is_uniform_over_all_allowed_pairs(n_members, n_pool):
    # A grid of uniforms with one point in each cell meets every allowed pair exactly once.
    n_r1, n_r2 = n_members - 1, n_pool - 2
    allowed = {
        (i, r1, r2)
        for i in range(n_members)
        for r1 in range(n_members)
        for r2 in range(n_pool)
        if r1 != i and r2 not in (i, r1)
    }
    chosen = []
    for a in range(n_r1):
        for b in range(n_r2):
            r1, r2 = choose_difference(
                np.full(n_members, (a + 0.5) / n_r1), np.full(n_members, (b + 0.5) / n_r2), n_pool
            )
            chosen += list(zip(range(n_members), r1.tolist(), r2.tolist(), strict=True))
    assert len(chosen) == len(allowed)
    assert set(chosen) == allowed


@pytest.mark.parametrize("n_members", [3, 4, 5, 7, 100, 1000])
def test_choose_difference_at_the_ends_of_the_uniforms(n_members):
    members = np.arange(n_members)
    for u1 in (0.0, LAST_UNIFORM):
        for u2 in (0.0, LAST_UNIFORM):
            for n_pool in (n_members, 2 * n_members):
                r1, r2 = choose_difference(np.full(n_members, u1), np.full(n_members, u2), n_pool)
                assert (r1 != members).all()
                assert (r2 != members).all()
                assert (r2 != r1).all()
                assert r1.min() >= 0
                assert r1.max() < n_members
                assert r2.min() >= 0
                assert r2.max() < n_pool


def test_current_to_pbest_by_hand():
    x = np.array([[1.0, 2.0], [0.0, 0.0]])
    x_pbest = np.array([[3.0, 2.0], [1.0, -1.0]])
    x_r1 = np.array([[0.0, 1.0], [5.0, 5.0]])
    x_r2 = np.array([[4.0, -1.0], [5.0, 5.0]])
    mutants = current_to_pbest(x, x_pbest, x_r1, x_r2, np.array([0.5, 1.0]))
    # First: (1, 2) + 0.5 (2, 0) + 0.5 (-4, 2); the difference of the second is nought.
    np.testing.assert_array_equal(mutants, [[0.0, 3.0], [1.0, -1.0]])


def test_current_to_pbest_shifts_and_scales_with_the_space():
    rng = np.random.default_rng(0)
    vectors, factors = rng.normal(size=(4, 6, 3)), rng.random(6)
    moved = current_to_pbest(*(2.5 * vectors + 7.0), factors)
    np.testing.assert_allclose(moved, 2.5 * current_to_pbest(*vectors, factors) + 7.0, rtol=1e-12)


def test_repair_to_midpoint_of_the_parent_and_the_violated_bound():
    low, high = np.array([0.0, -10.0, 0.0]), np.array([1.0, 10.0, 4.0])
    parents = np.array([[0.5, 6.0, 1.0], [0.25, 10.0, 0.0]])
    mutants = np.array([[-3.0, 10.5, 4.0], [1.75, -11.0, 2.0]])
    repaired = repair_to_midpoint(mutants, parents, low, high)
    np.testing.assert_array_equal(repaired, [[0.25, 8.0, 4.0], [0.625, 0.0, 2.0]])


def test_crossover_limits():
    rng = np.random.default_rng(0)
    parents, mutants = np.zeros((4, 5)), np.ones((4, 5))
    forced, uniforms = np.array([0, 4, 2, 2]), rng.random((4, 5))
    only_forced = binomial_crossover(parents, mutants, np.zeros(4), uniforms, forced)
    np.testing.assert_array_equal(only_forced, np.eye(5)[forced])
    all_crossed = binomial_crossover(parents, mutants, np.ones(4), uniforms, forced)
    np.testing.assert_array_equal(all_crossed, mutants)


def test_crossover_by_hand():
    parents, mutants = np.array([[1.0, 2.0, 3.0]]), np.array([[-1.0, -2.0, -3.0]])
    uniforms = np.array([[0.3, 0.7, 0.69]])
    trials = binomial_crossover(parents, mutants, np.array([0.7]), uniforms, np.array([0]))
    np.testing.assert_array_equal(trials, [[-1.0, 2.0, -3.0]])
