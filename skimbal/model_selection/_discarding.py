"""Early discarding: candidates are compared before the end, and the best of them train on.

The rule is that of asynchronous successive halving (Li et al. 2020, "A System for Massively
Parallel Hyperparameter Tuning", MLSys, 230-246, arXiv:1810.05934, algorithm 2): with the factor f,
a candidate goes on from a rung if its score is among the best m / f of all m scores there so far.
Here m / f is rounded up, and a candidate that does not go on at once never does.
"""

from bisect import bisect_left
from functools import partial

import numpy as np
from sklearn.base import clone

from skimbal._utils._random import MAX_SEED, seed_unset
from skimbal.model_selection._evaluation import Outcome, loss_of
from skimbal.model_selection._fits_in_parts import FitInParts

N_RUNGS = 2  # before the end, at 1 / f^2 and 1 / f of the epochs


def least_score_to_go_on(scores, factor):
    """The ceil(m / f)-th largest of m scores.

    >>> least_score_to_go_on([0.5, 0.9, 0.7, 0.6], 3)
    0.7
    """
    n_going_on = -(-len(scores) // factor)
    return sorted(scores, reverse=True)[n_going_on - 1]


def ranks(means, is_whole):
    """Ranks of mean scores, 1 the best: discarded candidates behind the others, NaN behind all.

    >>> ranks([0.5, 0.9, 0.7, 0.7], [True, False, True, True]).tolist()
    [3, 4, 1, 1]
    """
    is_nan = np.isnan(means)
    losses = np.where(is_nan, 0.0, np.negative(means))
    keys = list(zip(is_nan, np.logical_not(is_whole), losses, strict=True))
    in_order = sorted(keys)
    return np.array([1 + bisect_left(in_order, key) for key in keys], dtype=np.int32)


class Rungs:
    """Where the candidates of a batch are compared with each other and with those before.

    Parameters
    ----------
    factor : int
        One of so many goes on, f.
    earlier : list of dict
        Rung -> mean score of the candidates so far.
    """

    def __init__(self, factor, earlier):
        self.factor = factor
        self.earlier = earlier

    def climb(self, evaluation, estimators):
        """Train candidates from rung to rung; return the outcome of each.

        Networks are trained together on each stretch, as without rungs. Trainings that can't be
        cut are done whole on the first one; a candidate that has no others is not compared.
        """
        candidates = [_Candidate(seeded(estimator), evaluation) for estimator in estimators]
        climbing = candidates
        for rung in range(N_RUNGS + 1):
            before = [candidate.n_trained for candidate in climbing]
            _train(climbing, evaluation, self.factor ** (N_RUNGS - rung))
            unfinished = [
                (candidate, candidate.n_trained > n)
                for candidate, n in zip(climbing, before, strict=True)
                if candidate.n_trained < candidate.n_planned
            ]
            climbing = self._going_on(rung, unfinished)
        return [candidate.outcome() for candidate in candidates]

    def _going_on(self, rung, unfinished):
        """Those that go on of (candidate, whether it was trained for this rung)."""
        compared = [candidate for candidate, is_trained in unfinished if is_trained]
        for candidate in compared:
            candidate.compare_at(rung)
        scores = [scores[rung] for scores in self.earlier if rung in scores]
        scores += [c.rung_scores[rung] for c in compared if rung in c.rung_scores]
        least = least_score_to_go_on(scores, self.factor) if scores else np.inf
        return [
            candidate
            for candidate, is_trained in unfinished
            if not is_trained or candidate.rung_scores.get(rung, -np.inf) >= least
        ]


def seeded(estimator):
    """A clone in which every `random_state` is set, for its fit has to be the same each time."""
    return seed_unset(clone(estimator), int(np.random.default_rng().integers(MAX_SEED)))


def _train(candidates, evaluation, divisor):
    """Train a part of the epochs and score what has been trained; fits that failed are over."""
    places = [(c, k) for c in candidates for k in range(len(c.fits)) if not c.has_failed(k)]
    results = evaluation.judge_together(
        [(candidate.estimator, evaluation.splits[k]) for candidate, k in places],
        [partial(candidate.fits[k].steps, divisor=divisor) for candidate, k in places],
    )
    for (candidate, k), result in zip(places, results, strict=True):
        candidate.take(k, result)


class _Candidate:
    """An estimator with its fits, one for each split."""

    def __init__(self, estimator, evaluation):
        self.estimator = estimator
        self.metric = evaluation.metric
        self.fits = [FitInParts() for _ in evaluation.splits]
        self.results = [None for _ in evaluation.splits]
        self.rung_scores = {}

    def has_failed(self, k):
        return self.results[k] is not None and self.results[k]["fit_error"] is not None

    def take(self, k, result):
        """Take the result of a fit; its times are added to those before."""
        before = self.results[k] or {"fit_time": 0.0, "score_time": 0.0}
        times = {name: before[name] + result[name] for name in ("fit_time", "score_time")}
        self.results[k] = result | times

    @property
    def n_trained(self):
        return sum(fit.n_trained for fit in self.fits)

    @property
    def n_planned(self):
        """Epochs of its whole fits; those that failed are over."""
        return sum(
            fit.n_trained if self.has_failed(k) else fit.n_planned
            for k, fit in enumerate(self.fits)
        )

    def compare_at(self, rung):
        """Note the score at a rung, if it has one: of fits that fail there may be none."""
        loss = loss_of(self.results, self.metric)
        if np.isfinite(loss):
            self.rung_scores[rung] = -loss

    def outcome(self):
        return Outcome(self.results, self.rung_scores, self.n_trained, self.n_planned)
