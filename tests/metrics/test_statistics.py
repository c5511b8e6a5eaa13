import itertools

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from skimbal.metrics import (
    average_ranks,
    friedman,
    holm,
    iman_davenport,
    nemenyi_critical_difference,
    significant_wins,
    wilcoxon,
    wilcoxon_to_control,
    win_lose_draw,
)
from skimbal.metrics._statistics import rank_methods

NAN = float("nan")
TABLE = np.random.default_rng(0).random((20, 4)).round(1) + np.arange(4) / 10


def signed_rank_p_by_enumeration(differences):
    """Two-sided exact p-value: all 2^n signs of the ranks are alike under the null."""
    ranks = stats.rankdata(np.abs(differences))
    observed = abs(np.sum(np.sign(differences) * ranks))
    sums = [abs(np.dot(signs, ranks)) for signs in itertools.product([-1, 1], repeat=ranks.size)]
    return np.mean(np.array(sums) >= observed - 1e-9)


def test_ranks_by_hand():
    scores = [[0.9, 0.7, 0.7, 0.1], [NAN, 0.2, NAN, 0.3], [0.5, 0.5, 0.5, 0.5]]
    expected = [[1, 2.5, 2.5, 4], [3.5, 2, 3.5, 1], [2.5, 2.5, 2.5, 2.5]]
    np.testing.assert_array_equal(rank_methods(scores), expected)
    np.testing.assert_allclose(average_ranks(scores), np.mean(expected, axis=0))


def test_a_failure_ranks_below_every_score():
    np.testing.assert_array_equal(rank_methods([[NAN, -5.0, 0.0]]), [[3, 2, 1]])


def test_average_ranks_follow_permuted_methods_and_ignore_monotone_scales():
    order = [2, 0, 3, 1]
    np.testing.assert_array_equal(average_ranks(TABLE[:, order]), average_ranks(TABLE)[order])
    np.testing.assert_array_equal(average_ranks(np.exp(5 * TABLE)), average_ranks(TABLE))
    assert average_ranks(TABLE).sum() == pytest.approx(4 * 5 / 2)


def test_what_differs_by_rounding_alone_is_tied():
    scores = np.array([[0.1 + 0.2, 0.3, 0.3 + 1e-11], [0.0, 0.0, 0.0]])
    assert scores[0, 0] != scores[0, 1]
    np.testing.assert_array_equal(rank_methods(scores), [[2.5, 2.5, 1], [2, 2, 2]])
    np.testing.assert_array_equal(rank_methods(1e6 * scores), rank_methods(scores))
    a, b = np.array([0.9, 0.4, 0.1 + 0.2]), np.array([0.8, 0.3, 0.3])
    assert abs(a - b)[0] != abs(a - b)[1]
    assert wilcoxon(a, b) == wilcoxon([2, 2], [1, 1])


def test_friedman_by_the_formula_without_ties():
    """12 n / (k (k + 1)) (sum R_j^2 - k (k + 1)^2 / 4) (Demsar 2006, section 3.2.2)."""
    scores = np.random.default_rng(1).random((15, 5))
    mean_ranks = average_ranks(scores)
    expected = 12 * 15 / (5 * 6) * (np.sum(mean_ranks**2) - 5 * 36 / 4)
    statistic, p_value = friedman(scores)
    assert statistic == pytest.approx(expected)
    assert p_value == pytest.approx(stats.chi2.sf(expected, 4))
    f, p_of_f = iman_davenport(scores)
    assert f == pytest.approx(14 * expected / (15 * 4 - expected))
    assert p_of_f == pytest.approx(stats.f.sf(f, 4, 4 * 14))


def test_friedman_with_ties_agrees_with_scipy_on_the_scores():
    expected = stats.friedmanchisquare(*TABLE.round(6).T)
    np.testing.assert_allclose(friedman(TABLE), [expected.statistic, expected.pvalue])


def test_friedman_at_its_limits():
    assert friedman(np.ones((4, 3))) == (0.0, 1.0)
    assert iman_davenport(np.ones((4, 3))) == (0.0, 1.0)
    same_order = np.tile([0.9, 0.8, 0.7], (10, 1))
    assert friedman(same_order).statistic == pytest.approx(20)
    assert iman_davenport(same_order) == (np.inf, 0.0)


@pytest.mark.parametrize("n_pairs", [1, 2, 5, 8, 10])
@pytest.mark.parametrize("decimals", [1, 9])
def test_wilcoxon_is_exact_for_few_pairs(n_pairs, decimals):
    """One decimal gives ties and equal pairs, nine give none."""
    a, b = np.random.default_rng(n_pairs).random((2, n_pairs)).round(decimals)
    differences = (a - b).round(9)
    different = differences[differences != 0]
    expected = signed_rank_p_by_enumeration(different) if different.size else 1.0
    assert wilcoxon(a, b) == pytest.approx(expected)
    assert wilcoxon(b, a) == pytest.approx(expected)


def test_wilcoxon_of_equal_pairs_is_one():
    assert wilcoxon([0.5, 0.6], [0.5, 0.6]) == 1.0
    assert wilcoxon([NAN, 0.6], [NAN, 0.6]) == 1.0
    assert wilcoxon([-np.inf, 0.6], [-np.inf, 0.6]) == 1.0
    assert wilcoxon([], []) == 1.0


def test_a_failure_loses_by_the_widest_margin():
    b = np.linspace(0.1, 0.9, 8)
    a = b + np.linspace(0.01, 0.08, 8)
    a[0] = NAN
    lost = b + np.linspace(0.01, 0.08, 8)
    lost[0] = b[0] - 1000
    assert wilcoxon(a, b) == wilcoxon(lost, b)
    assert wilcoxon(b, a) == wilcoxon(a, b)
    assert wilcoxon(a, b) > wilcoxon(b + np.linspace(0.01, 0.08, 8), b)


def test_wilcoxon_of_many_pairs_with_failures_is_finite():
    a, b = np.random.default_rng(0).random((2, 80))
    a[:3] = NAN
    assert 0 < wilcoxon(a, b) <= 1


def test_wilcoxon_to_control_is_each_pair_by_itself():
    p_values = wilcoxon_to_control(TABLE, control=3)
    assert np.isnan(p_values[3])
    for method in range(3):
        assert p_values[method] == wilcoxon(TABLE[:, method], TABLE[:, 3])


@pytest.mark.parametrize("seed", range(5))
def test_holm_agrees_with_statsmodels(seed):
    p_values = np.random.default_rng(seed).random(8).round(1) ** 3
    expected = multipletests(p_values, method="holm")[1]
    np.testing.assert_allclose(holm(p_values), expected)


def test_holm_by_hand():
    """Sorted 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1: 0.04, 0.06, 0.06, 0.04 raised."""
    np.testing.assert_allclose(holm([0.03, 0.01, 0.04, 0.02]), [0.06, 0.04, 0.06, 0.06])
    np.testing.assert_allclose(holm([0.6, 0.7]), [1.0, 1.0])
    np.testing.assert_allclose(holm([0.3]), [0.3])
    assert holm([]).size == 0


def test_holm_passes_over_the_control():
    np.testing.assert_array_equal(holm([0.02, NAN, 0.01]), [0.02, NAN, 0.02])
    assert np.isnan(holm([NAN])).all()


def test_win_lose_draw_by_hand():
    base = np.linspace(0.3, 0.8, 10)
    up = base + np.linspace(0.01, 0.1, 10)
    mixed = base + 0.05 * np.tile([1, -1], 5)
    a = [up, base, mixed, base, up]
    b = [base, up, base, base, base]
    np.testing.assert_array_equal(significant_wins(a, b), [1, -1, 0, 0, 1])
    assert win_lose_draw(a, b) == (2, 1, 2)
    assert win_lose_draw(b, a) == (1, 2, 2)
    assert win_lose_draw(a, b, alpha=1e-9) == (0, 0, 5)


def test_a_win_goes_by_ranks_not_by_the_mean():
    """Eleven small gains and one great loss: the mean is lower, the ranks are higher."""
    gains = np.append(np.linspace(0.01, 0.02, 11), -0.9)
    assert gains.mean() < 0
    assert significant_wins([0.5 + gains], [np.full(12, 0.5)]) == [1]


def test_five_repeats_cannot_be_significant_and_six_can():
    gains = np.linspace(0.01, 0.1, 6)
    assert win_lose_draw([gains[:5]], [np.zeros(5)]) == (0, 0, 1)
    assert win_lose_draw([gains], [np.zeros(6)]) == (1, 0, 0)


def test_data_sets_may_have_different_numbers_of_repeats():
    assert win_lose_draw([np.ones(8), np.zeros(30)], [np.zeros(8), np.ones(30)]) == (1, 1, 0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: average_ranks([0.1, 0.2]), r"scores has shape \(2,\)"),
        (lambda: average_ranks(np.empty((0, 3))), r"scores has shape \(0, 3\)"),
        (lambda: friedman(np.ones((5, 2))), "5 data sets and 2 methods"),
        (lambda: iman_davenport(np.ones((1, 4))), "1 data sets and 4 methods"),
        (lambda: wilcoxon_to_control(TABLE, 4), "columns are 0 to 3"),
        (lambda: wilcoxon_to_control(TABLE, -1), "columns are 0 to 3"),
        (lambda: wilcoxon([1, 2], [1]), r"shapes \(2,\) and \(1,\)"),
        (lambda: holm([0.1, 1.1]), r"must be in \[0, 1\]"),
        (lambda: holm([[0.1]]), "list"),
        (lambda: win_lose_draw([[1]], [[1], [2]]), "a has 1 data sets and b has 2"),
        (lambda: win_lose_draw([[1, 2]], [[1]]), r"shapes \(2,\) and \(1,\)"),
        (lambda: win_lose_draw([[1]], [[1]], alpha=0), r"alpha must be in \(0, 1\)"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("n_methods", "quantile"), [(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (10, 3.164)]
)
def test_nemenyi_has_the_quantiles_of_demsar(n_methods, quantile):
    """Table 5 a of Demsar (2006)."""
    difference = nemenyi_critical_difference(n_methods, 30)
    expected = quantile * (n_methods * (n_methods + 1) / (6 * 30)) ** 0.5
    assert difference == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((1, 5), "at least 2 methods"), ((3, 0), "1 data set"), ((3, 5, 1.0), "alpha must be")],
)
def test_nemenyi_refuses_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        nemenyi_critical_difference(*arguments)


@pytest.mark.parametrize("n_pairs", [1, 2, 5, 9])
def test_wilcoxon_of_tied_ranks_is_that_of_all_signs(n_pairs):
    random = np.random.default_rng(n_pairs)
    for _ in range(10):
        differences = random.choice([-0.2, -0.1, 0.1, 0.2, 0.3], n_pairs)
        expected = signed_rank_p_by_enumeration(differences)
        assert wilcoxon(differences, np.zeros(n_pairs)) == pytest.approx(expected)
