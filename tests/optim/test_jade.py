import copy
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from skimbal.optim import JADE, RandomSearch

from .contract import BOUNDS, distance, run

PERFORMANCE = Path(__file__).parents[1] / "performance"


def run_script(name):
    """Run a script as Python does, with its folder first on the path; return its names."""
    sys.path.insert(0, str(PERFORMANCE))
    try:
        return runpy.run_path(str(PERFORMANCE / name))
    finally:
        sys.path.remove(str(PERFORMANCE))


SCRIPT = run_script("jade_functions.py")


def min_losses(name, generations, *, archive=True, n_seeds=10):
    """Lowest losses (n_seeds, n_generations) on a function of the paper, 30 dimensions."""
    return SCRIPT["losses_of_runs"](name, archive, generations, range(n_seeds))


def median_log10(name, generations, **options):
    return np.median(np.log10(min_losses(name, (generations,), **options)))


def textbook_rates_and_factors(rng, mu_cr, mu_f, n):
    rates = [min(max(mu_cr + 0.1 * z, 0.0), 1.0) for z in rng.standard_normal(n)]
    factors = [mu_f + 0.1 * z for z in rng.standard_cauchy(n)]
    while again := [i for i in range(n) if factors[i] <= 0]:
        for i, z in zip(again, rng.standard_cauchy(len(again)), strict=True):
            factors[i] = mu_f + 0.1 * z
    return rates, [min(factor, 1.0) for factor in factors]


def textbook_trial(vectors, factor, is_crossed, bounds):
    """Mutate, repair and cross one member."""
    x, pbest, r1, r2 = vectors
    trial = list(x)
    for j in np.flatnonzero(is_crossed):
        low, high = bounds[j]
        v = x[j] + factor * (pbest[j] - x[j] + r1[j] - r2[j])
        v = (low + x[j]) / 2 if v < low else v
        trial[j] = (high + x[j]) / 2 if v > high else v
    return trial


def textbook_jade(bounds, n, seed, n_generations, loss):
    """JADE written member by member, with the draws of the class; yields each batch of points.

    Independent of the operators under test but for the order in which random numbers are drawn.
    """
    rng = np.random.default_rng(seed)
    n_dims = len(bounds)
    members = [list(row) for row in rng.random((n, n_dims))]
    for member in members:
        for j, (low, high) in enumerate(bounds):
            member[j] = low + member[j] * (high - low)
    yield members
    losses = [loss(member) for member in members]
    archive, mu_cr, mu_f = [], 0.5, 0.5
    for _ in range(n_generations - 1):
        rates, factors = textbook_rates_and_factors(rng, mu_cr, mu_f, n)
        pbest_uniforms, r1_uniforms, r2_uniforms, dim_uniforms = rng.random((4, n))
        crossover_uniforms = rng.random((n, n_dims))
        ranked = sorted(range(n), key=lambda i: losses[i])
        n_pbest = max(round(0.05 * n), 2)
        trials = []
        for i in range(n):
            pbest = members[ranked[int(pbest_uniforms[i] * n_pbest)]]
            allowed = [k for k in range(n) if k != i]
            r1 = allowed[int(r1_uniforms[i] * len(allowed))]
            pool = members + archive
            allowed = [k for k in range(len(pool)) if k not in (i, r1)]
            r2 = allowed[int(r2_uniforms[i] * len(allowed))]
            vectors = members[i], pbest, members[r1], pool[r2]
            is_crossed = crossover_uniforms[i] < rates[i]
            is_crossed[int(dim_uniforms[i] * n_dims)] = True
            trials.append(textbook_trial(vectors, factors[i], is_crossed, bounds))
        yield trials
        trial_losses = [loss(trial) for trial in trials]
        won = [i for i in range(n) if trial_losses[i] < losses[i]]
        archive += [members[i] for i in won]
        if len(archive) > n:
            keys = rng.random(len(archive))
            archive = [archive[k] for k in sorted(range(len(archive)), key=lambda k: keys[k])[:n]]
        for i in won:
            members[i], losses[i] = trials[i], trial_losses[i]
        if won:
            successful = [factors[i] for i in won]
            mu_cr = 0.9 * mu_cr + 0.1 * sum(rates[i] for i in won) / len(won)
            mu_f = 0.9 * mu_f + 0.1 * sum(f * f for f in successful) / sum(successful)


@pytest.mark.parametrize(("n_dims", "n", "seed"), [(1, 3, 0), (1, 20, 1), (2, 7, 2), (5, 45, 3)])
def test_same_points_as_jade_written_member_by_member(n_dims, n, seed):
    bounds = [(-1.0 - j, 2.0) for j in range(n_dims)]

    def loss(member):  # a flat floor, so that ties happen, and steps
        return sum(max(round(value, 2) ** 2, 0.01) for value in member)

    optimizer = JADE(bounds, population_size=n, random_state=seed)
    for expected in textbook_jade(bounds, n, seed, n_generations=40, loss=loss):
        x = optimizer.ask()
        np.testing.assert_allclose(x, expected, rtol=1e-9, atol=1e-12)
        optimizer.tell(x, [loss(member) for member in x.tolist()])
    assert optimizer.mu_f != 0.5


def test_selection_waits_for_the_whole_generation_and_ties_keep_the_parent():
    optimizer = JADE(BOUNDS, population_size=6, random_state=0)
    parents = optimizer.ask()
    optimizer.tell(parents, np.arange(6.0))
    trials = optimizer.ask()
    optimizer.tell(trials, [0.0, 0.5, 2.0, 9.0, 3.0, np.nan])  # tie, won, tie, lost, won, lost
    expected = parents.copy()
    expected[[1, 4]] = trials[[1, 4]]
    np.testing.assert_array_equal(optimizer._members, expected)
    np.testing.assert_array_equal(optimizer._losses, [0.0, 0.5, 2.0, 3.0, 3.0, 5.0])
    np.testing.assert_array_equal(optimizer._archived, parents[[1, 4]])
    assert len(optimizer._archived) == 2


def test_nothing_changes_where_no_trial_wins():
    optimizer = JADE(BOUNDS, population_size=8, random_state=0)
    run(optimizer, 5)
    x = optimizer.ask()
    before = copy.deepcopy(optimizer)
    optimizer.tell(x, np.full(8, np.inf))
    assert (optimizer.mu_cr, optimizer.mu_f) == (before.mu_cr, before.mu_f)
    np.testing.assert_array_equal(optimizer._archived, before._archived)
    np.testing.assert_array_equal(optimizer._members, before._members)
    np.testing.assert_array_equal(optimizer._losses, before._losses)


def test_locations_move_to_the_means_of_what_succeeded():
    optimizer = JADE(BOUNDS, population_size=5, c=0.25, random_state=0)
    optimizer.tell(optimizer.ask(), np.ones(5))
    x = optimizer.ask()
    rates, factors = optimizer._rates.copy(), optimizer._factors.copy()
    optimizer.tell(x, [0.0, 2.0, 0.0, 2.0, 1.0])
    assert optimizer.mu_cr == pytest.approx(0.75 * 0.5 + 0.25 * (rates[0] + rates[2]) / 2)
    lehmer = (factors[0] ** 2 + factors[2] ** 2) / (factors[0] + factors[2])
    assert optimizer.mu_f == pytest.approx(0.75 * 0.5 + 0.25 * lehmer)


def test_archive_is_never_larger_than_the_population_and_holds_replaced_parents():
    optimizer = JADE(BOUNDS, population_size=6, random_state=0)
    replaced, previous = set(), None
    for generation in range(40):
        x = optimizer.ask()
        optimizer.tell(x, distance(x))
        population = {tuple(row) for row in optimizer._members.tolist()}
        if previous is not None:
            replaced |= previous - population
        previous = population
        archived = optimizer._archived.tolist()
        assert len(archived) == min(len(replaced), 6), generation
        assert {tuple(row) for row in archived} <= replaced
    assert len(replaced) > 12


def test_which_archived_parents_leave_is_random():
    survived = np.zeros(12)
    for seed in range(400):
        optimizer = JADE([(0, 11)], population_size=6, random_state=seed)
        for parents in (np.arange(6.0), np.arange(6.0, 12.0)):  # 12 parents for 6 places
            optimizer._members[:, 0] = parents
            optimizer._archive_parents(np.arange(6))
        staying = optimizer._archived[:, 0].astype(int)
        assert np.unique(staying).size == staying.size == 6
        survived[staying] += 1
    # Binomial(400, 1/2): beyond 150 and 250 once in two million draws.
    assert survived.min() > 150
    assert survived.max() < 250


def test_without_archive_none_is_kept():
    optimizer = JADE(BOUNDS, population_size=6, archive=False, random_state=0)
    run(optimizer, 20)
    assert len(optimizer._archived) == 0


@pytest.mark.parametrize(
    ("p", "n", "n_pbest"), [(0.05, 100, 5), (0.05, 20, 2), (0.2, 30, 6), (1.0, 4, 4)]
)
def test_number_of_best_members(p, n, n_pbest):
    optimizer = JADE([(0, 1)], population_size=n, p=p, random_state=0)
    assert optimizer._n_pbest == n_pbest


@pytest.mark.parametrize(("n_dims", "n"), [(1, 30), (10, 30), (11, 100), (30, 100), (31, 400)])
def test_default_population_size_is_that_of_the_paper(n_dims, n):
    assert JADE([(0, 1)] * n_dims).population_size == n


def test_no_adaptation_where_c_is_zero():
    optimizer = JADE(BOUNDS, population_size=10, c=0, random_state=0)
    run(optimizer, 20)
    assert (optimizer.mu_cr, optimizer.mu_f) == (0.5, 0.5)


def test_initial_points_are_clipped_and_take_the_first_places():
    initial = [[0.0, 0.5, -200.0], [99.0, -1.0, -100.0]]
    with_initial = JADE(BOUNDS, population_size=5, random_state=0, initial=initial).ask()
    np.testing.assert_array_equal(with_initial[:2], [[0.0, 0.5, -200.0], [5.0, 0.0, -100.0]])
    without = JADE(BOUNDS, population_size=5, random_state=0).ask()
    np.testing.assert_array_equal(with_initial[2:], without[2:])
    assert initial[1] == [99.0, -1.0, -100.0]


@pytest.mark.parametrize(
    ("initial", "message"),
    [
        ([0.0, 0.5, -200.0], r"initial has shape \(3,\)"),
        ([[0.0, 0.5]], r"initial has shape \(1, 2\)"),
        (np.zeros((5, 3)), r"initial has shape \(5, 3\).*at most population_size=4"),
        ([[0.0, np.nan, -200.0]], "initial has NaN or infinite"),
    ],
)
def test_bad_initial_points(initial, message):
    with pytest.raises(ValueError, match=message):
        JADE(BOUNDS, population_size=4, initial=initial)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"population_size": 2}, "population_size=2 must be an integer >= 3"),
        ({"p": 0}, r"p=0 must be a number in \(0, 1\]"),
        ({"p": 1.5}, r"p=1.5 must be a number in \(0, 1\]"),
        ({"p": "few"}, r"p='few' must be a number in \(0, 1\]"),
        ({"c": -0.1}, r"c=-0.1 must be a number in \[0, 1\]"),
        ({"c": np.nan}, r"c=nan must be a number in \[0, 1\]"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        JADE(BOUNDS, **parameters)


@pytest.mark.parametrize("n_dims", [1, 2, 4])
def test_better_than_random_search_in_few_dimensions(n_dims):
    bounds = [(-5, 5)] * n_dims

    def reached(optimizer):
        run(optimizer, 50, loss=lambda x: ((x - 1.234) ** 2).sum(axis=1))
        return optimizer.best[1]

    jade = [reached(JADE(bounds, population_size=20, random_state=seed)) for seed in range(5)]
    chance = [reached(RandomSearch(bounds, population_size=20, random_state=s)) for s in range(5)]
    assert max(jade) < 1e-3 * min(chance)


@pytest.mark.parametrize("name", SCRIPT["PROBLEMS"])
def test_functions_of_the_paper_have_their_minimum_zero(name):
    problem, rng = SCRIPT["PROBLEMS"][name], np.random.default_rng(0)
    optimum = {"f5": 1.0, "f8": 420.968746, "f12": -1.0, "f13": 1.0}.get(name, 0.0)
    at_optimum = problem.function(np.full((1, 30), optimum), rng)[0]
    assert at_optimum == pytest.approx(0.0, abs=1.0 if name == "f7" else 1e-9)
    elsewhere = rng.uniform(-problem.half_width, problem.half_width, size=(100, 30))
    assert (problem.function(elsewhere, rng) > 1.0).all()


@pytest.mark.slow
def test_step_function_as_published():
    losses = min_losses("f6", (100, 1500))
    assert 3.5 <= losses[:, 0].mean() <= 8.0
    assert (losses[:, 1] == 0.0).all()


@pytest.mark.slow
def test_rastrigin_as_published():
    assert np.log10(3e-5) <= median_log10("f9", 1000) <= -3.0


@pytest.mark.slow
def test_ackley_as_published():
    assert np.log10(5e-10) <= median_log10("f10", 500) <= np.log10(2e-8)


@pytest.mark.slow
def test_noisy_quartic_as_published():
    assert np.log10(3e-4) <= median_log10("f7", 3000) <= np.log10(1.1e-3)


@pytest.mark.slow
def test_sphere_as_published():
    assert -68 <= median_log10("f1", 1500) <= -50


@pytest.mark.slow
@pytest.mark.parametrize(("name", "decades"), [("f3", 15), ("f4", 30)])
def test_archive_gains_many_decades_on_schwefels_functions(name, decades):
    with_archive = median_log10(name, 5000, n_seeds=4)
    without = median_log10(name, 5000, n_seeds=4, archive=False)
    assert without - with_archive > decades


@pytest.mark.slow
@pytest.mark.parametrize("name", ["f12", "f13"])
def test_penalized_functions_as_published(name):
    assert np.median(min_losses(name, (1500,))) < 2e-32
