"""Scores of many decisions on one set of predicted probabilities, as array operations.

A decision weights each class: with log-weights w, sample i is given to the class of the largest
log p_ic + w_c. A search needs the confusion matrices of thousands of such w
(`DecisionTable.population`) and, along one class, of all w_c that decide differently
(`DecisionTable.sweep`).
"""

import warnings
from functools import cached_property, lru_cache, partial
from typing import Any

import numpy as np
from sklearn import config_context
from sklearn.utils import gen_batches

from skimbal._training.chunked import counts_by_class
from skimbal.cost_sensitive._two_class_cuts import (
    OUTER_WIDTH,
    Intervals,
    TwoClassCuts,
    are_wide,
    log_odds_of_first,
)
from skimbal.metrics import check_label_scorer, confusion_score, decide_by_costs, score_labels

# Matrices on which a scorer must treat weights as counts.
N_TRIALS = 4
# Confusion matrices whose scores are remembered: sweeps come back to the same decisions.
N_REMEMBERED = 2**17
# Entries of the largest array that is made at once.
CHUNK_ENTRIES = 4_000_000
# Entries of the arrays that stay in the cache of a core.
CACHED_ENTRIES = 2**16
# Rows that are decided at a time.
DECIDED_ROWS = 100_000


def make_score(scoring, classes, *, is_weighted):
    """Return the function that scores confusion matrices of shape (n, n_classes, n_classes).

    The score must be one that `depends_on_counts`.
    """
    score = confusion_score(scoring, classes)
    if score is not None:
        return score
    scorer = check_label_scorer(scoring, classes, is_weighted=is_weighted)
    score_one = score_weighted if is_weighted or takes_weights(scorer, classes) else score_repeated
    return partial(score_one_by_one, lru_cache(N_REMEMBERED)(partial(score_one, scorer, classes)))


def score_one_by_one(score_cells, confusion):
    """Score each confusion matrix by a function of its cells that remembers its results."""
    return np.array([score_cells(tuple(cells)) for cells in confusion.reshape(len(confusion), -1)])


def score_weighted(scorer, classes, counts):
    """Score the cells of a confusion matrix: one row for each, with its count as the weight."""
    counts = np.array(counts)
    cells = np.flatnonzero(counts > 0)
    return score_rows(scorer, classes, cells, counts[cells])


def score_repeated(scorer, classes, counts):
    """Score the cells of a confusion matrix of whole numbers: one row for each sample."""
    cells = np.arange(len(counts)).repeat(np.rint(counts).astype(np.intp))
    return score_rows(scorer, classes, cells)


def score_rows(scorer, classes, cells, weight=None):
    """Score samples in the given cells of a confusion matrix."""
    true, predicted = np.divmod(cells, len(classes))
    with config_context(assume_finite=True, skip_parameter_validation=True):
        return score_labels(scorer, classes, classes[true], classes[predicted], weight)


def depends_on_counts(scoring, classes, *, is_weighted):
    """Whether a score depends only on the count, or the weight, of each cell.

    A score that depends on the order of the samples, or that does not add up their weights, is not
    a function of the confusion matrix.
    """
    if confusion_score(scoring, classes) is not None:
        return True
    scorer = check_label_scorer(scoring, classes, is_weighted=is_weighted)
    pairs = []
    for counts, rng in trials(classes):
        cells = rng.permutation(np.arange(len(counts)).repeat(counts))
        weight = rng.uniform(0.1, 2.0, len(cells)) if is_weighted else None
        score_one = score_weighted if is_weighted else score_repeated
        pairs.append(
            (
                partial(score_rows, scorer, classes, cells, weight),
                partial(score_one, scorer, classes, np.bincount(cells, weight, len(counts))),
            )
        )
    return are_equal(pairs)


def takes_weights(scorer, classes):
    """Whether a scorer gives weighted samples the score of as many equal samples."""
    return are_equal(
        [partial(score, scorer, classes, counts) for score in (score_repeated, score_weighted)]
        for counts, _ in trials(classes)
    )


def trials(classes):
    """Cells of confusion matrices, and a generator for each."""
    for rng in np.random.default_rng(0).spawn(N_TRIALS):
        yield rng.integers(0, 4, len(classes) ** 2) + np.eye(len(classes), dtype=int).ravel(), rng


def are_equal(pairs):
    """Whether the functions of each pair return the same score; NaN stands for an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first, second = np.array([[score_or_nan(function) for function in p] for p in pairs]).T
    return np.allclose(first, second, rtol=1e-10, atol=1e-12, equal_nan=True)


def score_or_nan(function):
    """The score that a function returns, or NaN where it fails."""
    try:
        return function()
    except ValueError:
        return np.nan


def as_floats(proba):
    """Probabilities in single precision as they are, and all others in double.

    >>> as_floats(np.eye(2, dtype=np.float32)).dtype, as_floats([[0, 1]]).dtype
    (dtype('float32'), dtype('float64'))
    """
    proba = np.asarray(proba)
    return proba if proba.dtype == np.float32 else np.asarray(proba, dtype=np.float64)


def count_confusion(targets, predicted, weight, n_classes):
    """Confusion matrices of predictions of shape (n_candidates, n_samples).

    Without a weight (None) each sample counts 1.
    """
    cells = (np.arange(len(predicted))[:, None] * n_classes + targets) * n_classes + predicted
    if weight is not None:
        weight = np.broadcast_to(weight, predicted.shape).ravel()
    counts = np.bincount(cells.ravel(), weight, len(predicted) * n_classes**2)
    return counts.reshape(-1, n_classes, n_classes).astype(np.float64)


def decide_by_log_weights(log_proba, log_weights):
    """Class of the largest log p_ic + w_c; ties go to the lowest class.

    It goes class by class over blocks of samples that stay in the cache. That takes half the time
    of an `argmax`.

    Parameters
    ----------
    log_proba : ndarray of shape (n_samples, n_classes)
        Columns that are contiguous are fastest.
    log_weights : ndarray of shape (n_candidates, n_classes)
        Finite.

    Returns
    -------
    ndarray of shape (n_candidates, n_samples)
        Of a small type of integers.
    """
    n_classes = log_proba.shape[1]
    predicted = np.zeros((len(log_weights), len(log_proba)), np.min_scalar_type(n_classes))
    for rows in gen_batches(len(log_proba), max(1, CACHED_ENTRIES // len(log_weights))):
        best = log_proba[rows, 0] + log_weights[:, :1]
        for c in range(1, n_classes):
            own = log_proba[rows, c] + log_weights[:, c : c + 1]
            np.copyto(predicted[:, rows], c, where=own > best)
            np.maximum(best, own, out=best)
    return predicted


def find_rivals(log_proba, log_weights, c):
    """Return the strongest other class for each sample, and the w_c that would overtake it."""
    others = log_proba + log_weights
    others[:, c] = -np.inf
    rival = others.argmax(axis=1)
    ahead = others[np.arange(len(others)), rival]
    return rival, ahead - log_proba[:, c]


def sum_gaps(log_proba, targets, log_weights):
    """Sum over the classes of the smallest growth of w_c that would find a sample of class c."""
    total = np.zeros(len(log_weights))
    for c in range(log_proba.shape[1]):
        own = log_proba[(targets == c) & np.isfinite(log_proba[:, c])]
        if len(own):
            others = own + log_weights[:, None]
            others[:, :, c] = -np.inf
            behind = others.max(axis=2) - own[:, c] - log_weights[:, None, c]
            total += np.maximum(behind.min(axis=1), 0.0)
    return total


class DecisionTable:
    """Predicted probabilities and true classes of one set of samples, to be decided in many ways.

    Parameters
    ----------
    proba : ndarray of float32 or float64, shape (n_samples, n_classes)
        Predicted probabilities; single precision is not copied, and computed with in double.
    targets : ndarray of shape (n_samples,)
        Index of the true class of each sample.
    scoring : str or callable
        Name or scikit-learn scorer that takes labels.
    classes : ndarray of shape (n_classes,)
        The labels.
    sample_weight : ndarray of shape (n_samples,), default=None
        Weight of each sample in the score.
    """

    def __init__(self, proba, targets, scoring, classes, sample_weight=None):
        self.proba = as_floats(proba)
        self.targets = targets
        self.n_classes = len(classes)
        self._is_weighted = sample_weight is not None
        self.weight = sample_weight if self._is_weighted else np.broadcast_to(1.0, len(targets))
        self.counts = counts_by_class(targets, sample_weight, self.n_classes)
        self._score = make_score(scoring, classes, is_weighted=self._is_weighted)

    @cached_property
    def log_proba(self):
        """Logarithms of the probabilities, shape (n_samples, n_classes); columns are contiguous."""
        with np.errstate(divide="ignore"):
            return np.asfortranarray(np.log(self.proba, dtype=np.float64))

    @cached_property
    def _cuts(self):
        """Two classes: all decisions."""
        weight = self.weight if self._is_weighted else None
        return TwoClassCuts(log_odds_of_first(self.proba), self.targets, weight)

    def score(self, confusion):
        """Score confusion matrices of shape (n, n_classes, n_classes); NaN is the worst score."""
        scores = np.asarray(self._score(confusion), dtype=np.float64)
        return np.where(np.isnan(scores), -np.inf, scores)

    def sweep(self, log_weights, c):
        """Score every decision that differs only in the log-weight of class `c`.

        The cost is O(n log n). A growing w_c takes the samples over from the strongest other class
        one by one; the confusion matrices are a running sum in this order.

        Parameters
        ----------
        log_weights : ndarray of shape (n_classes,)
            The other log-weights.
        c : int
            Index of the class.

        Returns
        -------
        Intervals
            At least one; infinite ends are cut `OUTER_WIDTH` beyond the last sample.
        """
        if self.n_classes == 2:
            return self._cuts.sweep(self.score).shifted(log_weights, c)
        rival, margin = find_rivals(self.log_proba, log_weights, c)
        least, most = self.limits(c)
        moves = np.isfinite(margin) & (margin > least) & (margin < most)
        order = np.flatnonzero(moves)
        order = order[np.argsort(margin[order], kind="stable")]
        edges = margin[order]
        outer = edges[[0, -1]] if len(edges) else np.zeros(2).clip(least, most)
        ends = np.concatenate([outer[:1] - OUTER_WIDTH, edges, outer[1:] + OUTER_WIDTH])
        ends = ends.clip(least, most)
        low, high = ends[:-1], ends[1:]
        wide = are_wide(low, high)
        # The samples that no w_c within the limits takes over or gives away.
        unmoved = self.count(np.where(margin <= least, c, rival)[None, ~moves], ~moves)
        scores = self._score_takeover(order, rival[order], c, unmoved, wide)
        return Intervals(low[wide], high[wide], scores)

    def limits(self, c):
        """The lowest and the highest log-weight of class `c` that a sweep may try."""
        return -np.inf, np.inf

    def _score_takeover(self, order, rival, c, unmoved, wide):
        """Scores while class `c` takes samples over from rivals, one by one, in chunks of steps.

        Step j is after j samples; only those that are `wide` are scored.
        """
        k, weight = self.n_classes, self.weight[order]
        cells = self.targets[order].astype(np.intp) * k + rival
        total = np.bincount(cells, weight, k * k).reshape(k, k)
        before, scores = np.zeros(k * k), []
        for steps in gen_batches(len(order) + 1, max(1, CHUNK_ENTRIES // k**2)):
            taken = slice(steps.start, min(steps.stop, len(order)))
            moved = np.zeros((1 + taken.stop - taken.start, k * k))
            moved[0] = before
            moved[np.arange(1, len(moved)), cells[taken]] = weight[taken]
            np.cumsum(moved, axis=0, out=moved)
            before = moved[-1].copy()
            moved = moved[: steps.stop - steps.start][wide[steps]].reshape(-1, k, k)
            # The rest is a difference to the last sum: weights that don't add up exactly would
            # otherwise leave a residue where nothing is left, and its root is not small.
            confusion = unmoved + (total - moved)
            confusion[:, :, c] += moved.sum(axis=2)
            scores.append(self.score(confusion))
        return np.concatenate(scores)

    def population(self, log_weights):
        """Confusion matrices of many log-weights.

        Parameters
        ----------
        log_weights : ndarray of shape (n_candidates, n_classes)
            Log-weights.

        Returns
        -------
        ndarray of shape (n_candidates, n_classes, n_classes)
            Rows are the truth.
        """
        if self.n_classes == 2:
            ratios = log_weights[:, 1] - log_weights[:, 0]
            return self._cuts.confusion(self._cuts.cut_of(ratios))
        return self._in_chunks(self._count_decisions, log_weights)

    def score_population(self, log_weights):
        """Scores of many log-weights of shape (n_candidates, n_classes)."""
        return self.score(self.population(log_weights))

    def score_costs(self, costs):
        """Score costs of shape (n_candidates, n_classes) by the decisions that `predict` makes."""
        parts = gen_batches(len(self.proba), DECIDED_ROWS)
        decided = (self.count(decide_by_costs(self.proba[i], costs), i) for i in parts)
        confusion: Any = sum(decided)
        return self.score(confusion)

    def count(self, predicted, rows=slice(None)):
        """Confusion matrices of predictions of shape (n_candidates, n_rows) of these rows."""
        weight = self.weight[rows] if self._is_weighted else None
        return count_confusion(self.targets[rows], predicted, weight, self.n_classes)

    def gap(self, log_weights):
        """How far log-weights are from finding one sample of each missed class.

        Parameters
        ----------
        log_weights : ndarray of shape (n_candidates, n_classes)
            Log-weights.

        Returns
        -------
        ndarray of shape (n_candidates,)
            Sum over the classes of the smallest growth of w_c that would find a sample; 0 when
            every class is found. Classes that no weights can find don't count.
        """
        return self._in_chunks(partial(sum_gaps, self.log_proba, self.targets), log_weights)

    def _in_chunks(self, function, log_weights):
        step = max(1, CHUNK_ENTRIES // self.log_proba.size)
        starts = range(0, len(log_weights), step)
        return np.concatenate([function(log_weights[i : i + step]) for i in starts])

    def _count_decisions(self, log_weights):
        return self.count(decide_by_log_weights(self.log_proba, log_weights))
