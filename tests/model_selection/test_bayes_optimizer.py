import pickle

import numpy as np
import pytest

from skimbal.model_selection._bayes_optimizer import ALWAYS_FIT, BayesOptimizer, standardized
from skimbal.model_selection._space import SearchSpace

PLANE = SearchSpace.parse({"x": (0.0, 1.0), "y": (0.0, 1.0)})
MIXED = SearchSpace.parse({"x": (0.0, 1.0), "n": (1, 5), "kind": ["a", "b", "c"]})
SMALL = SearchSpace.parse({"n": (1, 3), "kind": ["a", "b"]})


def bowl(points):
    return ((points - 0.3) ** 2).sum(axis=1)


def optimizer_of(space=PLANE, seed=0, **parameters):
    return BayesOptimizer(space, rng=np.random.default_rng(seed), **parameters)


def minimize(optimizer, function, n_evaluations, n_points=1):
    asked = []
    while sum(map(len, asked)) < n_evaluations:
        asked.append(optimizer.ask(n_points))
        optimizer.tell(asked[-1], function(asked[-1]))
    return np.vstack(asked)


def test_first_points_are_the_initial_ones_and_a_hypercube():
    initial = [[0.5, 0.25], [0.1, 0.9]]
    optimizer = optimizer_of(initial=initial, n_initial_points=6)
    assert optimizer.n_queued == 6
    points = optimizer.ask(6)
    np.testing.assert_array_equal(points[:2], initial)
    assert sorted((points[2:, 0] * 4).astype(int)) == [0, 1, 2, 3]
    assert optimizer.n_queued == 0


def test_all_initial_points_are_used():
    assert optimizer_of(initial=np.eye(2), n_initial_points=1).n_queued == 2


def test_finds_the_minimum():
    for seed in range(3):
        optimizer = optimizer_of(seed=seed)
        minimize(optimizer, bowl, 25)
        best, loss = optimizer.best
        np.testing.assert_allclose(best, 0.3, atol=0.01)
        assert loss == bowl(best[None])[0]


def test_finds_a_narrow_minimum_that_random_points_miss():
    def narrow(points):
        return -np.exp(-30 * ((points - [0.8, 0.15]) ** 2).sum(axis=1))

    found = [minimize(optimizer_of(seed=s), narrow, 40) for s in range(3)]
    random = [np.random.default_rng(s).random((40, 2)) for s in range(3)]
    ours = np.median([narrow(points).min() for points in found])
    assert ours < -0.999
    assert ours < np.median([narrow(points).min() for points in random])


def test_finds_the_best_category_and_integer():
    def loss(points):
        right = (points[:, 2] > 2 / 3).astype(float)
        return (points[:, 0] - 0.6) ** 2 + (points[:, 1] - 0.7) ** 2 + 1 - right

    optimizer = optimizer_of(MIXED)
    minimize(optimizer, loss, 30)
    params = MIXED.to_params(optimizer.best[0])
    assert (params["n"], params["kind"]) == (4, "c")
    assert params["x"] == pytest.approx(0.6, abs=0.02)


@pytest.mark.parametrize("n_points", [1, 4])
def test_points_are_new_in_the_cube_and_at_centers(n_points):
    points = minimize(optimizer_of(MIXED), bowl, 24, n_points)
    assert len(np.unique(points, axis=0)) == len(points)
    assert points.min() >= 0
    assert points.max() <= 1
    np.testing.assert_allclose(points, MIXED.snap(points))


def test_a_batch_spreads():
    optimizer = optimizer_of()
    minimize(optimizer, bowl, 12)
    batch = optimizer.ask(4)
    assert batch.shape == (4, 2)
    distances = np.linalg.norm(batch[:, None] - batch[None], axis=-1)
    assert distances[np.triu_indices(4, 1)].min() > 1e-3


def test_a_finite_space_is_gone_through_and_then_empty():
    optimizer = optimizer_of(SMALL, n_initial_points=2)
    assert optimizer.grid.n_points == 6
    points = minimize(optimizer, bowl, 5, 2)
    rest = optimizer.ask(5)
    assert len(points) + len(rest) == 6
    assert len(np.unique(np.vstack([points, rest]), axis=0)) == 6
    optimizer.tell(rest, bowl(rest))
    assert optimizer.ask(1).shape == (0, 2)


def test_losses_that_are_not_finite_rank_last():
    optimizer = optimizer_of(n_initial_points=4)
    points = optimizer.ask(4)
    optimizer.tell(points, [np.nan, 2.0, -np.inf, np.inf])
    best, loss = optimizer.best
    assert loss == 2.0
    np.testing.assert_array_equal(best, points[1])
    minimize(optimizer, bowl, 10)
    assert optimizer.best[1] < 2.0


def test_a_region_that_fails_is_left():
    def fails_on_the_left(points):
        return np.where(points[:, 0] < 0.5, np.nan, bowl(points))

    points = minimize(optimizer_of(), fails_on_the_left, 40)
    assert (points[-15:, 0] < 0.49).mean() < 0.5
    assert np.nanmin(fails_on_the_left(points)) < 0.06  # the edge is at 0.04


@pytest.mark.parametrize("loss", [1.0, np.nan])
def test_losses_that_say_nothing_lead_to_random_points(loss):
    points = minimize(optimizer_of(), lambda u: np.full(len(u), loss), 20)
    assert len(np.unique(points, axis=0)) == 20


def test_tell_changes_no_argument_and_takes_points_not_asked_for():
    optimizer = optimizer_of()
    points, losses = np.array([[0.2, 0.4], [0.6, 0.8]]), np.array([np.nan, 1.0])
    optimizer.tell(points, losses)
    np.testing.assert_array_equal(points, [[0.2, 0.4], [0.6, 0.8]])
    assert np.isnan(losses[0])
    assert optimizer.best[1] == 1.0


@pytest.mark.parametrize(
    ("points", "losses", "message"),
    [
        ([[0.1, 0.2]], [1.0, 2.0], r"shape \(1, 2\)"),
        ([[0.1]], [1.0], r"must be \(n, 2\)"),
        ([[0.1, np.nan]], [1.0], "NaN"),
    ],
)
def test_wrong_tell_leaves_the_optimizer_as_it_was(points, losses, message):
    optimizer = optimizer_of()
    before = pickle.dumps(optimizer)
    with pytest.raises(ValueError, match=message):
        optimizer.tell(points, losses)
    assert pickle.dumps(optimizer) == before


def test_no_best_before_the_first_tell():
    with pytest.raises(ValueError, match="ask"):
        _ = optimizer_of().best


@pytest.mark.parametrize("n_before", [3, 14])
def test_goes_on_bit_for_bit_after_pickling(n_before):
    whole = minimize(optimizer_of(MIXED), bowl, 20)
    optimizer = optimizer_of(MIXED)
    first = minimize(optimizer, bowl, n_before)
    rest = minimize(pickle.loads(pickle.dumps(optimizer)), bowl, 20 - n_before)
    np.testing.assert_array_equal(np.vstack([first, rest]), whole)


def test_no_global_random_state():
    np.random.seed(0)  # noqa: NPY002 (it is the global state that must not change)
    before = np.random.get_state()[1].copy()  # noqa: NPY002 (it is the global state that must not change)
    minimize(optimizer_of(), bowl, 12)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002 (it is the global state that must not change)


def test_large_xi_looks_farther_away():
    def mean_distance(xi):
        points = minimize(optimizer_of(xi=xi), bowl, 20)
        return np.abs(points[12:] - 0.3).mean()

    assert mean_distance(0.3) > 2 * mean_distance(0.0)


def test_length_scales_are_fitted_ever_more_seldom():
    optimizer = optimizer_of()
    points = np.random.default_rng(0).random((100, 2))
    for point in points:
        optimizer.tell(point[None], bowl(point[None]))
        losses, _ = standardized(optimizer.losses)
        if losses is not None:
            optimizer._fit(losses)
    assert ALWAYS_FIT <= optimizer.n_kernel_fits < ALWAYS_FIT + 20
