"""Evaluation of candidates: the fit of each on the training rows of every split, and its scores.

Networks of one structure, candidates x folds, train as one population; other estimators are fitted
and scored by joblib, one fold a task, on whatever backend is active.
"""

import time
import warnings
from concurrent.futures import CancelledError
from dataclasses import dataclass, replace
from traceback import format_exception
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from joblib.externals.loky.process_executor import TerminatedWorkerError
from sklearn.base import clone
from sklearn.metrics._scorer import _MultimetricScorer
from sklearn.model_selection._validation import _score
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import _check_method_params

from skimbal._fitting import Fit, has_fit_coroutine, run_fits, split_by_memory
from skimbal._utils._warnings import warn

MAX_ATTEMPTS = 3  # a worker that died may have died of what it was given
# What loky raises, and dask where the data that were sent to a worker went with it.
LOST_WORKER = (TerminatedWorkerError, CancelledError)


def loss_of(results, metric):
    """Minus the mean score over the splits; inf where it is not finite.

    Of several metrics, `metric` is the one that counts, or the first one where it is none of them.
    """
    scores = [result["test_scores"] for result in results]
    for score in scores:
        if isinstance(score, dict) and metric not in score:
            metric = next(iter(score))
            break
    mean = np.mean([score[metric] if isinstance(score, dict) else score for score in scores])
    return float(-mean) if np.isfinite(mean) else np.inf


@dataclass
class Evaluation:
    """All that the evaluation of a candidate needs beside the candidate.

    Attributes
    ----------
    X, y : array-like
        All rows; y is None where there is none.
    splits : list of (train, test)
        Made once, so that all candidates are judged on the same rows.
    scorer : callable
        Of scikit-learn, one score or several.
    metric : str or bool
        The score of several that counts, by name.
    fit_params, score_params : dict
        Passed on to `fit` and the scorer, cut to the rows of the split.
    return_train_score : bool
        Whether the training rows are scored too.
    error_score : "raise" or float
        Score of a fit that fails.
    n_jobs, pre_dispatch
        As joblib has them.
    """

    X: Any
    y: Any
    splits: list
    scorer: Any
    metric: Any
    fit_params: dict
    score_params: dict
    return_train_score: bool
    error_score: Any
    n_jobs: Any
    pre_dispatch: Any

    def run(self, candidates):
        """Yield the results of each candidate, in their order, when they are there.

        Parameters
        ----------
        candidates : list of estimator or Exception
            Estimators to fit, unfitted; an exception is one that could not be made.

        Yields
        ------
        list of dict
            For each split "test_scores", "fit_time", "score_time", "fit_error" (a traceback or
            None) and, where asked for, "train_scores".
        """
        together = [i for i, c in enumerate(candidates) if has_fit_coroutine(c)]
        done = dict(
            zip(together, self._as_population([candidates[i] for i in together]), strict=True)
        )
        failed = {
            i: [self.judge(c, split, 0.0) for split in self.splits]
            for i, c in enumerate(candidates)
            if isinstance(c, Exception)
        }
        done |= failed
        alone = [c for i, c in enumerate(candidates) if i not in done]
        results = self._in_parallel([(c, split) for c in alone for split in self.splits])
        for i in range(len(candidates)):
            yield done[i] if i in done else [next(results) for _ in self.splits]

    def _as_population(self, estimators):
        """Results of estimators, whose networks are trained together."""
        pairs = [(estimator, split) for estimator in estimators for split in self.splits]
        start = time.perf_counter()
        fitted = self._train_together(pairs)
        seconds = (time.perf_counter() - start) / max(len(pairs), 1)
        results = [
            self.judge(outcome, split, seconds)
            for outcome, (_, split) in zip(fitted, pairs, strict=True)
        ]
        n = len(self.splits)
        return [results[first : first + n] for first in range(0, len(results), n)]

    def _train_together(self, pairs):
        for attempt in range(1, MAX_ATTEMPTS + 1):
            fits = [self._fit_coroutine(clone(estimator), train) for estimator, (train, _) in pairs]
            outcomes = []
            try:
                for turn in split_by_memory(fits, self.X, [train for _, (train, _) in pairs]):
                    outcomes += run_fits(turn, n_jobs=self.n_jobs)
                return outcomes
            except LOST_WORKER:
                _warn_of_lost_worker(attempt)
        raise AssertionError("the last attempt returns or raises")

    def _fit_coroutine(self, estimator, train):
        """A fit as a generator; its rows are taken out when it begins."""
        X, y = _safe_split(estimator, self.X, self.y, train)
        params = _check_method_params(self.X, self.fit_params, indices=train)
        return (yield from Fit(estimator, X, y, params).coroutine())

    def _in_parallel(self, pairs):
        """Yield the results of (estimator, split) in order; lost workers are replaced."""
        n_done = 0
        for attempt in range(1, MAX_ATTEMPTS + 1):
            # X and y go by themselves: backends that send large arrays once look for them there.
            rest = replace(self, X=None, y=None)
            calls = (delayed(fit_and_judge)(rest, self.X, self.y, *pair) for pair in pairs[n_done:])
            results = _parallel(self.n_jobs, self.pre_dispatch)(calls)
            try:
                for result in results:
                    n_done += 1
                    yield result
            except LOST_WORKER:
                _warn_of_lost_worker(attempt)
            except GeneratorExit:  # the time is over; joblib would warn of what it cancels
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    getattr(results, "close", lambda: None)()
                raise
            else:
                return

    def judge(self, fitted, split, fit_seconds):
        """Score a fitted estimator on a split; an exception in its place gets the error score."""
        result = {"fit_error": None, "fit_time": fit_seconds, "score_time": 0.0}
        parts = {"test_scores": split[1]}
        if self.return_train_score:
            parts["train_scores"] = split[0]
        if isinstance(fitted, Exception):
            if self.error_score == "raise":
                raise fitted
            result["fit_error"] = "".join(format_exception(fitted))
            return result | {name: self._scores_of_failure() for name in parts}
        start = time.perf_counter()
        for name, rows in parts.items():
            X, y = _safe_split(fitted, self.X, self.y, rows, split[0])
            params = _check_method_params(self.X, self.score_params, indices=rows)
            result[name] = _score(fitted, X, y, self.scorer, params, self.error_score)
            if name == "test_scores":
                result["score_time"] = time.perf_counter() - start
        return result

    def _scores_of_failure(self):
        if isinstance(self.scorer, _MultimetricScorer):
            return dict.fromkeys(self.scorer._scorers, self.error_score)
        return self.error_score


def fit_and_judge(evaluation, X, y, estimator, split):
    """Fit a clone of an estimator on the training rows of a split and score it."""
    evaluation = replace(evaluation, X=X, y=y)
    estimator = clone(estimator)
    params = _check_method_params(X, evaluation.fit_params, indices=split[0])
    X, y = _safe_split(estimator, X, y, split[0])
    start = time.perf_counter()
    try:
        fitted = estimator.fit(X, **params) if y is None else estimator.fit(X, y, **params)
    except Exception as error:
        fitted = error
    return evaluation.judge(fitted, split, time.perf_counter() - start)


def _warn_of_lost_worker(attempt):
    """Say that there is another attempt; raise the error that is being handled after the last."""
    if attempt == MAX_ATTEMPTS:
        raise
    warn(
        "a worker process died; what was not done is tried again "
        f"(attempt {attempt + 1} of {MAX_ATTEMPTS})"
    )


def _parallel(n_jobs, pre_dispatch):
    """A joblib Parallel that hands out results as they come, where the backend can."""
    try:
        return Parallel(n_jobs=n_jobs, pre_dispatch=pre_dispatch, return_as="generator")
    except ValueError:  # ray's backend, for one
        return Parallel(n_jobs=n_jobs, pre_dispatch=pre_dispatch)
