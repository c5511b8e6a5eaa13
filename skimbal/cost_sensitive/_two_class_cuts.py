"""All decisions of two classes on one set of predicted probabilities, in the order of the log-odds.

Cut k gives the k samples with the smallest log(p_0 / p_1) to class 1, and all others to class 0.
Costs can make no other decisions. Unweighted samples are sorted class by class: the sort of values
is vectorized, that of indices is not, and two sorted arrays are merged by a search.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from sklearn.utils import gen_batches

# Samples whose logarithms are taken, or cuts that are scored, at a time: they stay in the cache.
CHUNK = 2**16
# Above this number, a sweep returns evenly spaced cuts, and all that are around its optima.
MAX_KEPT = 100_000
# Log-weights that are closer than this differ only by rounding, so no optimum may depend on them.
RESOLUTION = 1e-12
# Intervals that are closer than this have at most ties between them.
MAX_GAP = 1e-9
# How far an interval without an end reaches beyond the last sample, in log-odds.
OUTER_WIDTH = 1.0


@dataclass(frozen=True)
class Intervals:
    """Log-weights of one class between which the decisions don't change, and their scores.

    All arrays have shape (n_intervals,); interval j is (low[j], high[j]).
    """

    low: np.ndarray
    high: np.ndarray
    score: np.ndarray

    @property
    def middle(self):
        """Middles of the intervals."""
        return 0.5 * (self.low + self.high)

    def shifted(self, log_weights, c):
        """Of two classes: from log-weights of class 1 to those of class `c`, given the other one.

        These intervals are of the log-weight of class 1 where that of class 0 is 0.
        """
        if c == 1:
            return Intervals(log_weights[0] + self.low, log_weights[0] + self.high, self.score)
        low, high = log_weights[1] - self.high[::-1], log_weights[1] - self.low[::-1]
        return Intervals(low, high, self.score[::-1])

    def widest_best(self):
        """Middle and score of the widest run of intervals with the best score.

        A run ends where intervals that were not scored lie between. Of runs as wide as each other
        it is the last.
        """
        best = self.score.max()
        is_best = are_best(self.score)
        is_gap = self.low[1:] - self.high[:-1] > MAX_GAP * np.maximum(1.0, np.abs(self.low[1:]))
        goes_on = is_best[1:] & is_best[:-1] & ~is_gap
        low = self.low[is_best & ~np.append(False, goes_on)]
        high = self.high[is_best & ~np.append(goes_on, False)]
        widest = are_best(high - low).nonzero()[0][-1]
        return 0.5 * (low[widest] + high[widest]), best


def chunks(array):
    """Slices of an array that stay in the cache."""
    return gen_batches(len(array), CHUNK)


def are_best(scores, best=None):
    """Which scores differ from the best one, by default that of the largest, only by rounding."""
    best = scores.max() if best is None else best
    return scores >= best - RESOLUTION * max(1.0, abs(best))


def are_wide(low, high):
    """Which intervals are more than a tie."""
    return high - low > RESOLUTION * np.maximum(1.0, np.abs(low))


def log_odds_of_first(proba):
    """log(p_0 / p_1) of each row, in chunks; infinite where one of them is 0."""
    odds = np.empty(len(proba))
    for i in chunks(proba):
        with np.errstate(divide="ignore"):
            first, second = np.log(proba[i].T, dtype=np.float64)
        odds[i] = first - second
    return odds


def merge_sorted(first, second, merged):
    """Merge two sorted arrays into a third one; return which entries are of the second.

    >>> merged = np.empty(5)
    >>> merge_sorted(np.array([1.0, 3.0, 4.0]), np.array([2.0, 3.0]), merged), merged
    (array([False,  True, False,  True, False]), array([1., 2., 3., 3., 4.]))
    """
    of_second = np.zeros(len(merged), dtype=bool)
    of_second[np.searchsorted(first, second, side="right") + np.arange(len(second))] = True
    merged[of_second] = second
    merged[~of_second] = first
    return of_second


def wide_cuts(edges):
    """Which cuts between sorted edges are more than a tie; the outer two are.

    >>> wide_cuts(np.array([1.0, 2.0, 2.0, 3.0]))
    array([ True,  True, False,  True,  True])
    """
    wide = np.ones(len(edges) + 1, dtype=bool)
    for i in chunks(edges[1:]):
        wide[1:-1][i] = are_wide(edges[i], edges[1:][i])
    return wide


def numbers_in_chunks(mask):
    """Indices of the entries of a mask, chunk by chunk."""
    for i in chunks(mask):
        yield i.start + mask[i].nonzero()[0]


def thinned(cuts, score):
    """Evenly spaced cuts, all of the best score, and the neighbors of these.

    Only one chunk of the scores is in the memory at a time. Chunks with a best score are scored
    again.

    Parameters
    ----------
    cuts : ndarray of shape (n,)
        A mask.
    score : callable
        From numbers of cuts to scores.

    Returns
    -------
    ndarray of int
        Numbers of at least `MAX_KEPT` cuts.
    """
    highest = np.array([score(some).max(initial=-np.inf) for some in numbers_in_chunks(cuts)])
    best, has_best = highest.max(), are_best(highest)
    chosen = np.zeros(np.count_nonzero(cuts), dtype=bool)
    start = 0
    for some, may_be_best in zip(numbers_in_chunks(cuts), has_best, strict=True):
        if may_be_best:
            chosen[start : start + len(some)] = are_best(score(some), best)
        start += len(some)
    chosen[1:] |= chosen[:-1].copy()
    chosen[:-1] |= chosen[1:].copy()
    chosen[np.linspace(0, len(chosen) - 1, MAX_KEPT).astype(np.intp)] = True
    kept, start = [], 0
    for some in numbers_in_chunks(cuts):
        kept.append(some[chosen[start : start + len(some)]])
        start += len(some)
    return np.concatenate(kept)


class TwoClassCuts:
    """The cuts of one set of samples and the confusion matrices of their decisions.

    Parameters
    ----------
    odds : ndarray of shape (n_samples,)
        log(p_0 / p_1), may be infinite; the array is overwritten.
    targets : ndarray of shape (n_samples,)
        0 or 1.
    weight : ndarray of shape (n_samples,) or None
        Weights of the samples; None is 1 for each.
    """

    def __init__(self, odds, targets, weight=None):
        if weight is None:
            is_second = targets == 1
            second = odds[is_second]
            first = odds[np.logical_not(is_second, out=is_second)]
            del is_second
            first.sort()
            second.sort()
            edges = odds  # there may be no room for one more copy
            of_second = merge_sorted(first, second, edges)
            del first, second
            given = np.zeros(len(edges) + 1, dtype=np.min_scalar_type(len(edges)))
            np.cumsum(of_second, out=given[1:], dtype=given.dtype)
        else:
            order = np.argsort(odds, kind="stable")
            edges = odds[order]
            given = np.zeros((len(order) + 1, 2))
            given[np.arange(1, len(order) + 1), targets[order]] = weight[order]
            given = given.cumsum(axis=0)
        self._edges, self._given, self._is_weighted = edges, given, weight is not None

    def __len__(self):
        return len(self._edges) + 1

    def cut_of(self, log_ratios):
        """Numbers of the cuts that log-weights of class 1 relative to class 0 decide by."""
        return self._edges.searchsorted(log_ratios, side="left")

    def confusion(self, cuts):
        """Confusion matrices of shape (n_cuts, 2, 2)."""
        cells = np.empty((2, 2, len(cuts)))  # each cell contiguous, as scores take them
        cells[:, 1] = self._weights_given(cuts)
        total = self._weights_given(np.array([len(self) - 1]))
        # A difference to the last sum: weights that don't add up exactly would otherwise leave a
        # residue where nothing is left, and the root of a residue is not small.
        np.subtract(total, cells[:, 1], out=cells[:, 0])
        return cells.transpose(2, 0, 1)

    def _weights_given(self, cuts):
        """Weight of each class that is given to class 1, shape (2, n_cuts)."""
        if self._is_weighted:
            return self._given[cuts].T
        second = self._given[cuts]
        return np.stack([cuts - second, second])

    def sweep(self, score):
        """Score the cuts that log-weights can choose between.

        Parameters
        ----------
        score : callable
            From confusion matrices to scores.

        Returns
        -------
        Intervals
            Of log-weights of class 1 relative to class 0. Infinite ends are cut `OUTER_WIDTH`
            beyond the last sample. Of more than `MAX_KEPT` intervals only those that
            `thinned` chooses.
        """
        first, last = self.cut_of(np.array([-np.finfo(float).max, np.inf]))
        edges = self._edges[first:last]
        if not len(edges):
            ends = np.array([-OUTER_WIDTH, OUTER_WIDTH])
            return Intervals(ends[:1], ends[1:], score(self.confusion(np.array([first]))))
        cuts = wide_cuts(edges)
        score_cuts = partial(self._score, score, first)
        is_many = np.count_nonzero(cuts) > MAX_KEPT
        kept = thinned(cuts, score_cuts) if is_many else cuts.nonzero()[0]
        scores = np.concatenate([score_cuts(kept[i]) for i in chunks(kept)])
        low, high = edges[np.maximum(kept, 1) - 1], edges[np.minimum(kept, len(edges) - 1)]
        low[0] = edges[0] - OUTER_WIDTH
        high[-1] = edges[-1] + OUTER_WIDTH
        return Intervals(low, high, scores)

    def _score(self, score, first, cuts):
        """Scores of cuts, counted from the first that log-weights can choose."""
        return score(self.confusion(first + cuts))
