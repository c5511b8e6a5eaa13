"""Scores of many decisions on one set of posteriors, as array operations.

A decision weighs each class: with log-weights w, sample i is given to the class of the largest
log p_ic + w_c. What a search needs is the confusion matrices of thousands of such w (`population`)
and, along one class, of all w_c that decide differently (`sweep`).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skimbal.metrics import check_label_scorer, confusion_score, decide_by_costs, score_labels

# Log-weights closer than this decide alike but for rounding, so no optimum may hang on them.
RESOLUTION = 1e-12
# How far an interval without an end reaches beyond the last sample, in log-odds.
OUTER_WIDTH = 1.0
# Entries of the largest array that `population` makes at once.
CHUNK_ENTRIES = 4_000_000


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

    def widest_best(self):
        """Middle and score of the widest run of intervals with the best score."""
        best = self.score.max()
        is_best = self.score >= best - RESOLUTION * max(1.0, abs(best))
        edges = np.flatnonzero(np.diff(is_best, prepend=False, append=False))
        low, high = self.low[edges[::2]], self.high[edges[1::2] - 1]
        widest = (high - low).argmax()
        return 0.5 * (low[widest] + high[widest]), best


class DecisionTable:
    """Posteriors and truth of one set of samples, to be decided in many ways.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_classes)
        Posteriors.
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
        self.proba = np.asarray(proba, dtype=np.float64)
        with np.errstate(divide="ignore"):
            self.log_proba = np.log(self.proba)
        self.targets = targets
        self.classes = classes
        self.sample_weight = sample_weight
        self.weight = np.ones(len(targets)) if sample_weight is None else sample_weight
        self.n_classes = len(classes)
        self.counts = np.bincount(targets, self.weight, self.n_classes)
        self._score = confusion_score(scoring, classes)
        if self._score is None:  # unknown, so not known to take labels either
            self.scorer = check_label_scorer(scoring, classes)
            self._score = self._score_one_by_one

    def score(self, confusion):
        """Score confusion matrices of shape (n, n_classes, n_classes); NaN is the worst score."""
        scores = np.asarray(self._score(confusion), dtype=np.float64)
        return np.where(np.isnan(scores), -np.inf, scores)

    def _score_one_by_one(self, confusion):
        """Score with any scorer of labels, once for each different matrix."""
        different, inverse = np.unique(
            confusion.reshape(len(confusion), -1), axis=0, return_inverse=True
        )
        rows, columns = np.divmod(np.arange(self.n_classes**2), self.n_classes)
        scores = [self._score_counts(counts, rows, columns) for counts in different]
        return np.array(scores)[inverse.ravel()]  # NumPy 2.0 returns it as a column

    def _score_counts(self, counts, rows, columns):
        if self.sample_weight is not None:
            occurs = counts > 0
            rows, columns, weight = rows[occurs], columns[occurs], counts[occurs]
        else:
            n_times = np.rint(counts).astype(np.intp)
            rows, columns, weight = rows.repeat(n_times), columns.repeat(n_times), None
        return score_labels(
            self.scorer, self.classes, self.classes[rows], self.classes[columns], weight
        )

    # ------------------------------------------------------------ along one class

    def sweep(self, log_weights, c):
        """Score every decision that differs in the log-weight of class `c` alone.

        O(n log n): the samples in the order in which a growing w_c takes them over from the class
        that is ahead of the others, and the confusion matrices as a running sum.

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
        rival, margin = self._rivals(log_weights, c)
        order = np.argsort(margin, kind="stable")
        order = order[np.isfinite(margin[order])]
        edges = margin[order]
        outer = edges[[0, -1]] if len(edges) else np.zeros(2)
        ends = np.concatenate([outer[:1] - OUTER_WIDTH, edges, outer[1:] + OUTER_WIDTH])
        low, high = ends[:-1], ends[1:]
        wide = high - low > RESOLUTION * np.maximum(1.0, np.abs(low))
        confusion = self._take_over(rival, margin, c, order)[wide]
        return Intervals(low[wide], high[wide], self.score(confusion))

    def _rivals(self, log_weights, c):
        """The class ahead of the others for each sample, and the w_c that would overtake it."""
        others = self.log_proba + log_weights
        others[:, c] = -np.inf
        rival = others.argmax(axis=1)
        ahead = others[np.arange(len(others)), rival]
        return rival, ahead - self.log_proba[:, c]

    def _take_over(self, rival, margin, c, order):
        """Confusion matrices while class `c` takes the samples over, one by one, in this order."""
        moved = np.zeros((len(order) + 1, self.n_classes, self.n_classes))
        rows = np.arange(1, len(order) + 1)
        moved[rows, self.targets[order], rival[order]] = self.weight[order]
        moved = moved.cumsum(axis=0)
        # What is left is a difference to the last sum: weights that don't add up exactly would
        # otherwise leave a residue where nothing is left, and the root of one is no small score.
        confusion = self._count_unmoved(rival, margin, c) + (moved[-1] - moved)
        confusion[:, :, c] += moved.sum(axis=2)
        return confusion

    def _count_unmoved(self, rival, margin, c):
        """Confusion matrix of the samples that no finite w_c takes over or gives away."""
        predicted = np.where(margin == -np.inf, c, rival)[None]
        return self._count(predicted, np.where(np.isfinite(margin), 0.0, self.weight))[0]

    # ------------------------------------------------------------ many weights at once

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
            return self._cuts[1][self._cut(log_weights)]
        return self._in_chunks(self._count_decisions, log_weights)

    def _in_chunks(self, function, log_weights):
        step = max(1, CHUNK_ENTRIES // self.log_proba.size)
        starts = range(0, len(log_weights), step)
        return np.concatenate([function(log_weights[i : i + step]) for i in starts])

    def _count_decisions(self, log_weights):
        return self._count((self.log_proba + log_weights[:, None]).argmax(axis=2), self.weight)

    def score_population(self, log_weights):
        """Scores of many log-weights of shape (n_candidates, n_classes)."""
        if self.n_classes == 2:
            return self._cut_scores[self._cut(log_weights)]
        return self.score(self.population(log_weights))

    def _cut(self, log_weights):
        """Two classes: how many samples, by their log-odds, are given to the second one."""
        return self._cuts[0].searchsorted(log_weights[:, 1] - log_weights[:, 0], side="left")

    @cached_property
    def _cuts(self):
        """Two classes: the sorted log-odds, and the confusion matrices of all cuts."""
        edges = self.log_proba[:, 0] - self.log_proba[:, 1]
        order = np.argsort(edges, kind="stable")
        second = np.zeros((len(order) + 1, 2))
        second[np.arange(1, len(order) + 1), self.targets[order]] = self.weight[order]
        second = second.cumsum(axis=0)
        return edges[order], np.stack([second[-1] - second, second], axis=2)

    @cached_property
    def _cut_scores(self):
        return self.score(self._cuts[1])

    def _count(self, predicted, weight):
        """Confusion matrices of predictions of shape (n_candidates, n_samples)."""
        k = self.n_classes
        cells = (np.arange(len(predicted))[:, None] * k + self.targets) * k + predicted
        weight = np.broadcast_to(weight, predicted.shape)
        counts = np.bincount(cells.ravel(), weight.ravel(), len(predicted) * k * k)
        return counts.reshape(-1, k, k)

    def score_costs(self, costs):
        """Score costs of shape (n_candidates, n_classes) by the decisions that `predict` makes."""
        return self.score(self._count(decide_by_costs(self.proba, costs), self.weight))

    def gap(self, log_weights):
        """How far log-weights are from finding one sample of each missed class.

        Parameters
        ----------
        log_weights : ndarray of shape (n_candidates, n_classes)
            Log-weights.

        Returns
        -------
        ndarray of shape (n_candidates,)
            Sum over the classes of the least growth of w_c that would find a sample; 0 when
            every class is found. Classes that no weights can find don't count.
        """
        return self._in_chunks(self._sum_gaps, log_weights)

    def _sum_gaps(self, log_weights):
        total = np.zeros(len(log_weights))
        for c in range(self.n_classes):
            own = self.log_proba[(self.targets == c) & np.isfinite(self.log_proba[:, c])]
            if len(own):
                others = own + log_weights[:, None]
                others[:, :, c] = -np.inf
                behind = others.max(axis=2) - own[:, c] - log_weights[:, None, c]
                total += np.maximum(behind.min(axis=1), 0.0)
        return total
