"""Statistics for comparisons of methods over data sets: pure functions of score tables.

A table has a row for each data set and a column for each method. Higher scores are better. NaN
stands for a method that failed, and is worse than every score. Scores that differ by less than
1e-12 of the largest score they are compared with are tied, because that is rounding.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

# Differing pairs up to which the signed-rank test is exact with tied ranks, as in SciPy.
MAX_EXACT_PAIRS = 13


class RankTest(NamedTuple):
    """Statistic and p-value of a test on ranks."""

    statistic: float
    p_value: float


class WinLoseDraw(NamedTuple):
    """Numbers of data sets on which a method is better, worse, and not significantly different."""

    win: int
    lose: int
    draw: int


def rank_methods(scores):
    """Rank (n_sets, n_methods) of each method on each data set; ties share their mean rank."""
    scores = _check_table(scores)
    rounded = _without_rounding_errors(scores, _largest(scores, axis=1))
    return stats.rankdata(-np.where(np.isnan(rounded), -np.inf, rounded), axis=1)


def average_ranks(scores: ArrayLike) -> NDArray[np.float64]:
    """Mean rank of each method over the data sets; rank 1 is the best.

    Parameters
    ----------
    scores : array-like of shape (n_sets, n_methods)
        Higher is better; NaN ranks last.

    Returns
    -------
    ranks : ndarray of shape (n_methods,)
        In [1, n_methods].

    References
    ----------
    J. Demsar, "Statistical Comparisons of Classifiers over Multiple Data Sets", JMLR 7, 2006, pp.
    1-30, sec. 3.2. https://jmlr.org/papers/v7/demsar06a.html

    Examples
    --------
    >>> from skimbal.metrics import average_ranks
    >>> average_ranks([[0.9, 0.7, 0.7], [0.2, 0.1, 0.5]])
    array([1.5 , 2.75, 1.75])
    """
    return rank_methods(scores).mean(axis=0)


def friedman(scores: ArrayLike) -> RankTest:
    """Friedman's test of the hypothesis that all methods have the same ranks.

    Parameters
    ----------
    scores : array-like of shape (n_sets, n_methods)
        Scores of at least three methods on at least two data sets. Higher is better; NaN ranks
        last.

    Returns
    -------
    result : RankTest
        Chi-squared statistic, corrected for ties, and p-value; 0 and 1 if all ranks are tied.

    Raises
    ------
    ValueError
        If there are fewer than three methods or two data sets.

    References
    ----------
    M. Friedman, "The Use of Ranks to Avoid the Assumption of Normality Implicit in the Analysis of
    Variance", Journal of the American Statistical Association 32(200), 1937, pp. 675-701.
    doi:10.1080/01621459.1937.10503522.

    Examples
    --------
    >>> from skimbal.metrics import friedman
    >>> round(friedman([[0.9, 0.8, 0.7], [0.8, 0.7, 0.6], [0.9, 0.5, 0.6]]).statistic, 3)
    4.667
    """
    ranks = _check_comparison(scores)
    if np.ptp(ranks, axis=1).max() == 0:
        return RankTest(0.0, 1.0)
    statistic, p_value = stats.friedmanchisquare(*ranks.T)
    return RankTest(float(statistic), float(p_value))


def iman_davenport(scores: ArrayLike) -> RankTest:
    r"""F test of the hypothesis of :func:`friedman`, which is less conservative.

    .. math:: F = \frac{(n - 1) \chi^2}{n (k - 1) - \chi^2}

    with Friedman's statistic of n data sets and k methods.

    Parameters
    ----------
    scores : array-like of shape (n_sets, n_methods)
        Scores of at least three methods on at least two data sets. Higher is better; NaN ranks
        last.

    Returns
    -------
    result : RankTest
        F statistic and p-value; infinity and 0 if all data sets rank the methods equally.

    Raises
    ------
    ValueError
        If there are fewer than three methods or two data sets.

    References
    ----------
    R. L. Iman and J. M. Davenport, "Approximations of the Critical Region of the Friedman
    Statistic", Communications in Statistics - Theory and Methods 9(6), 1980, pp. 571-595.
    doi:10.1080/03610928008827904.

    Examples
    --------
    >>> from skimbal.metrics import iman_davenport
    >>> round(iman_davenport([[0.9, 0.8, 0.7], [0.8, 0.7, 0.6], [0.9, 0.5, 0.6]]).statistic, 3)
    7.0
    """
    n_sets, n_methods = _check_comparison(scores).shape
    chi_squared = friedman(scores).statistic
    room = n_sets * (n_methods - 1) - chi_squared
    # Rounding leaves about 1e-15 if every data set ranks the methods equally.
    if room <= 1e-12 * n_sets * n_methods:
        return RankTest(np.inf, 0.0)
    statistic = (n_sets - 1) * chi_squared / room
    p_value = stats.f.sf(statistic, n_methods - 1, (n_methods - 1) * (n_sets - 1))
    return RankTest(float(statistic), float(p_value))


def nemenyi_critical_difference(n_methods: int, n_sets: int, alpha: float = 0.05) -> float:
    """Difference of average ranks from which Nemenyi's test calls two methods different.

    It is q sqrt(k (k + 1) / (6 N)) for k methods on N data sets; q is the quantile of the
    Studentized range of k groups, divided by sqrt(2).

    Parameters
    ----------
    n_methods : int
        At least 2.
    n_sets : int
        At least 1.
    alpha : float, default=0.05
        Level of the test of all pairs, in (0, 1).

    Returns
    -------
    difference : float
        In ranks.

    Raises
    ------
    ValueError
        If a number is too small, or if `alpha` is outside (0, 1).

    References
    ----------
    J. Demsar, "Statistical Comparisons of Classifiers over Multiple Data Sets", JMLR 7, 2006, pp.
    1-30, sec. 3.2.2. https://jmlr.org/papers/v7/demsar06a.html

    Examples
    --------
    >>> from skimbal.metrics import nemenyi_critical_difference
    >>> round(nemenyi_critical_difference(4, 14), 2)
    1.25
    """
    if n_methods < 2 or n_sets < 1:
        raise ValueError(
            f"there are {n_methods} methods and {n_sets} data sets; the test needs at least 2 "
            "methods and 1 data set"
        )
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must be in (0, 1), got {alpha}")
    quantile = stats.studentized_range.ppf(1.0 - alpha, n_methods, np.inf) / np.sqrt(2.0)
    return float(quantile * np.sqrt(n_methods * (n_methods + 1) / (6.0 * n_sets)))


def wilcoxon(a: ArrayLike, b: ArrayLike) -> float:
    """Two-sided p-value of Wilcoxon's signed-rank test of paired scores.

    Parameters
    ----------
    a, b : array-like of shape (n_pairs,)
        Paired scores. Pairs that are equal or both NaN are left out. If one of a pair is NaN, it
        loses with the largest difference.

    Returns
    -------
    p_value : float
        1 if no pair differs. With fewer than six different pairs, it is always above 0.05.

    References
    ----------
    F. Wilcoxon, "Individual Comparisons by Ranking Methods", Biometrics Bulletin 1(6), 1945, pp.
    80-83. doi:10.2307/3001968.

    Examples
    --------
    >>> from skimbal.metrics import wilcoxon
    >>> wilcoxon([0.9, 0.8, 0.7, 0.9, 0.8, 0.9], [0.8, 0.6, 0.4, 0.5, 0.3, 0.3])
    0.03125
    """
    return _wilcoxon_of_differences(_differences(a, b))


def wilcoxon_to_control(scores: ArrayLike, control: int) -> NDArray[np.float64]:
    """P-value of :func:`wilcoxon` of each method against a control, over the data sets.

    Parameters
    ----------
    scores : array-like of shape (n_sets, n_methods)
        Higher is better; NaN loses.
    control : int
        Column index of the control.

    Returns
    -------
    p_values : ndarray of shape (n_methods,)
        Two-sided, not adjusted (see :func:`holm`); NaN for the control itself.

    Raises
    ------
    ValueError
        If `control` is not the index of a column.

    References
    ----------
    J. Demsar, "Statistical Comparisons of Classifiers over Multiple Data Sets", JMLR 7, 2006, pp.
    1-30, sec. 3.1.3. https://jmlr.org/papers/v7/demsar06a.html

    Examples
    --------
    >>> from skimbal.metrics import wilcoxon_to_control
    >>> scores = [[0.9, 0.8, 0.9], [0.8, 0.6, 0.8], [0.7, 0.4, 0.7], [0.9, 0.5, 0.9]]
    >>> wilcoxon_to_control(scores, control=0)
    array([  nan, 0.125, 1.   ])
    """
    scores = _check_table(scores)
    n_methods = scores.shape[1]
    if not 0 <= control < n_methods:
        raise ValueError(f"control is {control}, but the columns are 0 to {n_methods - 1}")
    p_values = np.array([wilcoxon(column, scores[:, control]) for column in scores.T])
    p_values[control] = np.nan
    return p_values


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    r"""Adjust p-values for several tests by Holm's step-down procedure.

    .. math:: \tilde p_{(i)} = \min\Big(1, \max_{j \le i} \; (m - j + 1) \, p_{(j)}\Big)

    Parameters
    ----------
    p_values : array-like of shape (n_tests,)
        P-values in [0, 1]. NaN stands for no test; it stays NaN and does not count.

    Returns
    -------
    adjusted : ndarray of shape (n_tests,)
        Tests with a value below alpha are significant, with a family-wise error of at most alpha.

    Raises
    ------
    ValueError
        If a p-value is outside [0, 1].

    References
    ----------
    S. Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of
    Statistics 6(2), 1979, pp. 65-70. https://www.jstor.org/stable/4615733

    Examples
    --------
    >>> from skimbal.metrics import holm
    >>> holm([0.02, 0.001, 0.5])
    array([0.04 , 0.003, 0.5  ])
    """
    p_values = np.asarray(p_values, dtype=np.float64)
    if p_values.ndim != 1:
        raise ValueError(f"p_values has shape {p_values.shape}; give a list of p-values")
    tests = np.flatnonzero(~np.isnan(p_values))
    if ((p_values[tests] < 0) | (p_values[tests] > 1)).any():
        raise ValueError(f"p_values must be in [0, 1], got {p_values.tolist()}")
    order = tests[np.argsort(p_values[tests], kind="stable")]
    adjusted = np.full(p_values.shape, np.nan)
    factors = np.arange(order.size, 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(factors * p_values[order]), 1.0)
    return adjusted


def significant_wins(
    a: Sequence[ArrayLike], b: Sequence[ArrayLike], alpha: float = 0.05
) -> NDArray[np.intp]:
    """Compare two methods on each data set by a test of their repeated scores.

    Parameters
    ----------
    a, b : sequence of n_sets array-likes of shape (n_repeats,)
        Scores of the two methods on each data set, paired by fold and trial. The number of
        repeats may differ between data sets.
    alpha : float, default=0.05
        Level of the two-sided Wilcoxon signed-rank test of each data set, in (0, 1).

    Returns
    -------
    outcomes : ndarray of shape (n_sets,), int
        1 if `a` is significantly better, -1 if `b` is, and 0 otherwise.

    Raises
    ------
    ValueError
        If the numbers of scores differ or `alpha` is outside (0, 1).

    References
    ----------
    J. Demsar, "Statistical Comparisons of Classifiers over Multiple Data Sets", JMLR 7, 2006, pp.
    1-30, sec. 3.1.3. https://jmlr.org/papers/v7/demsar06a.html

    Examples
    --------
    >>> from skimbal.metrics import significant_wins
    >>> better = [0.9, 0.8, 0.7, 0.9, 0.8, 0.9]
    >>> worse = [0.8, 0.6, 0.4, 0.5, 0.3, 0.3]
    >>> significant_wins([better, worse, worse], [worse, worse, better])
    array([ 1,  0, -1])
    """
    if len(a) != len(b):
        raise ValueError(
            f"a has {len(a)} data sets and b has {len(b)}; give scores on the same data sets"
        )
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must be in (0, 1), got {alpha}")
    outcomes = np.zeros(len(a), dtype=int)
    for index, (scores_a, scores_b) in enumerate(zip(a, b, strict=True)):
        differences = _differences(scores_a, scores_b)
        if _wilcoxon_of_differences(differences) < alpha:
            outcomes[index] = np.sign(_signed_rank_sum(differences))
    return outcomes


def win_lose_draw(
    a: Sequence[ArrayLike], b: Sequence[ArrayLike], alpha: float = 0.05
) -> WinLoseDraw:
    """Count the data sets on which a method is significantly better, worse, and neither.

    Parameters
    ----------
    a, b : sequence of n_sets array-likes of shape (n_repeats,)
        Scores of the two methods on each data set, paired by fold and trial.
    alpha : float, default=0.05
        Level of the test. A difference that is not significant is a draw.

    Returns
    -------
    counts : WinLoseDraw
        Counts of the outcomes of :func:`significant_wins`; `a` wins or loses.

    Raises
    ------
    ValueError
        If the numbers of scores differ or `alpha` is outside (0, 1).

    References
    ----------
    J. Demsar, "Statistical Comparisons of Classifiers over Multiple Data Sets", JMLR 7, 2006, pp.
    1-30, sec. 3.1.4. https://jmlr.org/papers/v7/demsar06a.html

    Examples
    --------
    >>> from skimbal.metrics import win_lose_draw
    >>> better = [0.9, 0.8, 0.7, 0.9, 0.8, 0.9]
    >>> worse = [0.8, 0.6, 0.4, 0.5, 0.3, 0.3]
    >>> win_lose_draw([better, better, worse], [worse, worse, worse])
    WinLoseDraw(win=2, lose=0, draw=1)
    """
    outcomes = significant_wins(a, b, alpha)
    win, lose = int((outcomes == 1).sum()), int((outcomes == -1).sum())
    return WinLoseDraw(win, lose, outcomes.size - win - lose)


def _differences(a, b):
    """Nonzero differences of paired scores, divided by the largest; infinite if one is NaN."""
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(
            f"paired scores have shapes {a.shape} and {b.shape}; both must be (n_pairs,)"
        )
    missing_a, missing_b = np.isnan(a), np.isnan(b)
    largest = np.maximum(_largest(a), _largest(b))
    differences = np.subtract(a, b, out=np.zeros(a.shape), where=a != b)
    differences = _without_rounding_errors(differences, largest)
    differences[missing_a & missing_b] = 0.0
    differences[missing_a & ~missing_b] = -np.inf
    differences[missing_b & ~missing_a] = np.inf
    return differences[differences != 0]


def _largest(scores, axis=None):
    """Largest magnitude of the finite scores, or 1 if there are only zeros."""
    finite = np.where(np.isfinite(scores), scores, 0.0)
    largest = np.abs(finite).max(axis=axis, initial=0.0, keepdims=True)
    return np.where(largest == 0, 1.0, largest)


def _without_rounding_errors(values, scale):
    # 0.9 - 0.8 and 0.4 - 0.3 differ in the last bit, but they are tied.
    return np.round(values / scale, 12)


def _wilcoxon_of_differences(differences):
    if differences.size == 0:
        return 1.0
    if differences.size <= MAX_EXACT_PAIRS:
        return _exact_signed_rank_p(differences)
    return float(stats.wilcoxon(differences).pvalue)


def _exact_signed_rank_p(differences):
    """Two-sided p-value over all signs of the ranks, which may be tied.

    SciPy enumerates the signs of tied ranks one by one; here the sums of ranks are counted.
    """
    doubled = np.rint(2.0 * stats.rankdata(np.abs(differences))).astype(int)  # ties have halves
    n_signs = np.zeros(doubled.sum() + 1)
    n_signs[0] = 1.0
    for rank in doubled:
        n_signs[rank:] += n_signs[:-rank].copy()
    positive = doubled[differences > 0].sum()
    tail = min(n_signs[: positive + 1].sum(), n_signs[positive:].sum()) / n_signs.sum()
    return float(min(1.0, 2.0 * tail))


def _signed_rank_sum(differences):
    return np.sum(np.sign(differences) * stats.rankdata(np.abs(differences)))


def _check_table(scores) -> NDArray[np.float64]:
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim != 2 or 0 in scores.shape:
        raise ValueError(
            f"scores has shape {scores.shape}; give a table of shape (n_sets, n_methods)"
        )
    return scores


def _check_comparison(scores):
    ranks = rank_methods(scores)
    if ranks.shape[0] < 2 or ranks.shape[1] < 3:
        raise ValueError(
            f"scores has {ranks.shape[0]} data sets and {ranks.shape[1]} methods; the test needs "
            "at least 2 data sets and 3 methods (for two methods use wilcoxon)"
        )
    return ranks
