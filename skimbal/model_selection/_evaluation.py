"""Evaluation of candidates: fits on the training rows of every split, and scores on the others.

Networks of one structure, candidates x folds, train as one population, of which each worker of the
active backend of joblib has a part. Other estimators are fitted and scored by joblib, one task for
each fold. Either way, scores come back and no fitted estimators.
"""

import time
import warnings
from contextlib import suppress
from dataclasses import dataclass, replace
from numbers import Number
from traceback import format_exception
from typing import Any

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from sklearn.base import clone
from sklearn.metrics._scorer import _MultimetricScorer
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import _check_method_params

from skimbal._fitting import Fit, has_fit_coroutine, run_fits, split_by_memory
from skimbal._utils._labels import part_of_larger_fit
from skimbal._utils._number_columns import conversion_named
from skimbal._utils._random import seed_unset
from skimbal.model_selection._failures import LOST_WORKER, warn_of_lost_worker


def loss_of(results, metric):
    """Minus the mean score over the splits; inf where it is not finite.

    Of several metrics, `metric` names the one that counts; the first one if it names none of them.
    """
    scores = [result["test_scores"] for result in results]
    for score in scores:
        if isinstance(score, dict) and metric not in score:
            metric = next(iter(score))
            break
    mean = np.mean([score[metric] if isinstance(score, dict) else score for score in scores])
    return float(-mean) if np.isfinite(mean) else np.inf


def configured(estimator, params, seed):
    """A clone with the parameters, in which every `random_state` that is None gets a seed."""
    values = {name: clone(value, safe=False) for name, value in params.items()}
    return seed_unset(clone(estimator).set_params(**values), seed)


@dataclass
class Evaluation:
    """All that the evaluation of a candidate needs except the candidate.

    Attributes
    ----------
    X, y : array-like
        All rows; y may be None.
    splits : list of (train, test)
        One list, so all candidates are scored on the same rows.
    scorer : callable
        scikit-learn's, for one score or several.
    metric : str or bool
        Name of the score that counts, if there are several.
    fit_params, score_params : dict
        Passed to `fit` and to the scorer, cut to the rows of the split.
    return_train_score : bool
        Whether the training rows are scored too.
    error_score : "raise" or float
        Score of a fit or a score that fails.
    n_jobs, pre_dispatch
        As in joblib.
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
        """Yield the results of each candidate in their order, each as soon as it is known.

        Parameters
        ----------
        candidates : list of estimator or Exception
            Estimators to fit, unfitted; an exception stands for a candidate that can't be made.

        Yields
        ------
        list of dict
            For each split "test_scores", "fit_time", "score_time", "fit_error" and "score_error"
            (a traceback or None) and, if asked for, "train_scores".
        """
        kinds = [_kind_of(candidate) for candidate in candidates]
        pairs: dict[str, list] = {"failed": [], "network": [], "other": []}
        for kind, candidate in zip(kinds, candidates, strict=True):
            pairs[kind] += [(candidate, split) for split in self.splits]
        results = {
            "failed": iter([self.judge(error, split, 0.0) for error, split in pairs["failed"]]),
            "network": iter(self._judge_population(pairs["network"])),
            "other": self._judge_in_parallel(pairs["other"]),
        }
        for kind in kinds:
            yield [next(results[kind]) for _ in self.splits]

    def _judge_population(self, pairs, attempt=1):
        """Results of (estimator, split) pairs, whose networks are trained together.

        Several workers have a part of the pairs each. They train the networks and score them, so
        that scores travel and no networks.
        """
        n_workers = max(min(effective_n_jobs(self.n_jobs), len(pairs)), 1)
        size = max(-(-len(pairs) // n_workers), 1)
        parts = [pairs[start : start + size] for start in range(0, len(pairs), size)]
        rest = replace(self, X=None, y=None)
        calls = ((rest, self.X, self.y, part, n_workers) for part in parts)
        try:
            if n_workers == 1:
                results = [fit_and_judge_together(*call) for call in calls]
            else:
                run = delayed(fit_and_judge_together)
                results = Parallel(n_jobs=self.n_jobs)(run(*call) for call in calls)
        except LOST_WORKER as error:
            warn_of_lost_worker(error, attempt)
            return self._judge_population(pairs, attempt + 1)
        return [result for part in results for result in part]

    def _judge_in_parallel(self, pairs, attempt=1):
        """Yield the results of (estimator, split) pairs in order; lost workers are replaced."""
        # X and y are arguments of their own, because some backends send large arguments only once.
        rest = replace(self, X=None, y=None)
        calls = (delayed(fit_and_judge)(rest, self.X, self.y, *pair) for pair in pairs)
        results = _parallel(self.n_jobs, self.pre_dispatch)(calls)
        n_done = 0
        try:
            for result in results:
                n_done += 1
                yield result
            return
        except LOST_WORKER as error:
            warn_of_lost_worker(error, attempt)
        except GeneratorExit:  # the time is over, and joblib would warn of what it cancels
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                getattr(results, "close", lambda: None)()
            raise
        yield from self._judge_in_parallel(pairs[n_done:], attempt + 1)

    def judge(self, fitted, split, fit_seconds):
        """Score a fitted estimator on a split; an exception in its place gets the error score."""
        result: dict[str, Any] = {"fit_error": None, "score_error": None, "has_failed": True}
        result |= {"fit_time": fit_seconds, "score_time": 0.0}
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
            with part_of_larger_fit():  # a fold may lack a class that costs by label name
                result[name], errors = self._score(fitted, X, y, params)
            if name == "test_scores":
                result["score_time"] = time.perf_counter() - start
                result["score_error"] = next(iter(errors.values()), None)
                result["has_failed"] = self._has_no_score(result[name], errors)
        return result

    def _has_no_score(self, scores, errors):
        """Whether the score that counts failed or is NaN."""
        if not isinstance(scores, dict):
            return bool(errors) or bool(np.isnan(scores))
        name = self.metric if self.metric in scores else next(iter(scores))
        return name in errors or bool(np.isnan(scores[name]))

    def _score(self, fitted, X, y, params):
        """Return the score or the dict of scores, and the tracebacks of those that failed."""
        given = (X,) if y is None else (X, y)
        try:
            scores = self.scorer(fitted, *given, **params)
        except Exception as error:
            if self.error_score == "raise":
                raise
            return self._scores_of_failure(), {"score": "".join(format_exception(error))}
        if not isinstance(scores, dict):
            return as_number(scores, self.scorer), {}
        # scikit-learn's scorer of several metrics has a traceback in place of a score that failed.
        errors = {name: text for name, text in scores.items() if isinstance(text, str)}
        scores = scores | dict.fromkeys(errors, self.error_score)
        return {name: as_number(score, name) for name, score in scores.items()}, errors

    def _scores_of_failure(self):
        if isinstance(self.scorer, _MultimetricScorer):
            return dict.fromkeys(self.scorer._scorers, self.error_score)
        return self.error_score


def as_number(score, scorer):
    """Return a score as a number; a ValueError for anything else."""
    if hasattr(score, "item"):
        with suppress(ValueError):  # an array of several entries
            score = score.item()
    if isinstance(score, Number):
        return score
    raise ValueError(
        f"scoring must return a number, got {score!r} ({type(score)}) instead. (scorer={scorer})"
    )


def _kind_of(candidate):
    """How a candidate is evaluated: "failed", "network" or "other"."""
    if isinstance(candidate, Exception):
        return "failed"
    # Rows of a precomputed kernel are cut along both axes, which the scheduler does not do.
    is_network = has_fit_coroutine(candidate) and not get_tags(candidate).input_tags.pairwise
    return "network" if is_network else "other"


def fit_and_judge_together(evaluation, X, y, pairs, n_sharing):
    """Train the networks of (estimator, split) pairs together and score them, in this process.

    `n_sharing` processes do the same at the same time.
    """
    evaluation = replace(evaluation, X=X, y=y)
    start = time.perf_counter()
    subsets = [train for _, (train, _) in pairs]
    fits = [
        Fit.on_rows(clone(estimator), X, y, train, evaluation.fit_params)
        for estimator, (train, _) in pairs
    ]
    estimators = [estimator for estimator, _ in pairs]
    fitted: list = []
    for part in split_by_memory(fits, estimators, X, subsets, n_sharing=n_sharing):
        fitted += run_fits(part, n_jobs=1, n_sharing=n_sharing)
    seconds = (time.perf_counter() - start) / max(len(pairs), 1)
    splits = [split for _, split in pairs]
    return [evaluation.judge(*each, seconds) for each in zip(fitted, splits, strict=True)]


def fit_and_judge(evaluation, X, y, estimator, split):
    """Fit a clone of an estimator on the training rows of a split and score it."""
    evaluation = replace(evaluation, X=X, y=y)
    estimator = clone(estimator)
    params = _check_method_params(X, evaluation.fit_params, indices=split[0])
    X, y = _safe_split(estimator, X, y, split[0])
    start = time.perf_counter()
    try:
        with part_of_larger_fit(), conversion_named(estimator, X):
            # What `fit` returns is not used: it may be None, or the history of a training.
            _ = estimator.fit(X, **params) if y is None else estimator.fit(X, y, **params)
        fitted = estimator
    except Exception as error:
        fitted = error
    return evaluation.judge(fitted, split, time.perf_counter() - start)


def _parallel(n_jobs, pre_dispatch):
    """A joblib Parallel that hands out results as they come, where the backend can."""
    try:
        return Parallel(n_jobs=n_jobs, pre_dispatch=pre_dispatch, return_as="generator")
    except ValueError:  # ray's backend can't
        return Parallel(n_jobs=n_jobs, pre_dispatch=pre_dispatch)
