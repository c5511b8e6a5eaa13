"""Run many fits side by side, so that networks of one structure are trained as one.

A fit that trains networks is a generator, `_fit_coroutine`. It yields lists of requests: jobs
(`TrainingJob`, `PretrainingJob`) or fits of other estimators (`Fit`, or its generator), is sent
their results, and returns the fitted estimator. `run_fits` advances many such generators, and those
of the fits that they request, until all of them wait for jobs; then it runs the jobs, all of one
structure at once.
"""

import inspect
from collections import defaultdict
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any

from joblib import Parallel, delayed, effective_n_jobs
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _check_method_params, _num_samples

from skimbal._utils._torch import free_memory

Coroutine = Generator[list, list, Any]

SHARE_OF_FREE_MEMORY = 0.25
# Larger populations gain nothing, and what they compute with no longer lies in the cache.
MAX_POPULATION = 64


@dataclass
class Fit:
    """The fit of an estimator, which is fitted in place, with all that its `fit` is given.

    `is_checked` says that X and y are arrays which an outer estimator has validated as this one
    would. An estimator with `_fit_checked_coroutine` does not validate them again.
    """

    estimator: Any
    X: Any
    y: Any
    params: dict = field(default_factory=dict)
    is_checked: bool = False

    @classmethod
    def on_rows(cls, estimator, X, y, rows, params=None, *, is_checked=False):
        """Return a fit on some rows, which are taken when it begins.

        `params` are those of `fit`; an array of one entry a sample is taken by row, None left out.
        """
        return _fit_on_rows(cls(estimator, X, y, params or {}, is_checked), rows)

    def coroutine(self) -> Coroutine:
        """Return the fit as a generator."""
        if not has_fit_coroutine(self.estimator):
            return _request_job(FitJob(self))
        if isinstance(self.estimator, Pipeline):
            return _fit_pipeline_coroutine(self.estimator, self.X, self.y, self.params)
        if self.is_checked and hasattr(self.estimator, "_fit_checked_coroutine"):
            return self.estimator._fit_checked_coroutine(self.X, self.y, **self.params)
        return self.estimator._fit_coroutine(self.X, self.y, **self.params)


@dataclass
class FitJob:
    """A fit that is one call."""

    fit: Fit

    def structure(self) -> None:
        """None: it has nothing in common with another one."""

    @staticmethod
    def run_all(jobs):
        """Return the fitted estimators."""
        return [job.fit.estimator.fit(job.fit.X, job.fit.y, **job.fit.params) for job in jobs]

    @staticmethod
    def describe(jobs):
        """Say how the fits are run."""
        return f"{len(jobs)} {type(jobs[0].fit.estimator).__name__}, each by itself"


def _fit_on_rows(fit, rows):
    given = {name: value for name, value in fit.params.items() if value is not None}
    params = _check_method_params(fit.X, given, indices=rows)
    X, y = _safe_indexing(fit.X, rows), _safe_indexing(fit.y, rows)
    return (yield from Fit(fit.estimator, X, y, params, fit.is_checked).coroutine())


def _request_job(job):
    (result,) = yield [job]
    return result


def has_fit_coroutine(estimator) -> bool:
    """Whether a fit trains networks that can be trained with those of other fits."""
    if isinstance(estimator, Pipeline):
        return has_fit_coroutine(estimator.steps[-1][1])
    # The class is asked, not the object, for a frozen estimator passes on what it is asked for; and
    # a `fit` that a subclass has written is called.
    classes = type(estimator).__mro__
    with_coroutine = [c for c in classes if "_fit_coroutine" in vars(c)]
    with_fit = [c for c in classes if "fit" in vars(c)]
    return bool(with_coroutine) and all(issubclass(with_coroutine[0], c) for c in with_fit[:1])


class _LastStep(BaseEstimator):
    """Stands for the last step of a pipeline and keeps what its `fit` is given."""

    def __init__(self, estimator):
        self.estimator = estimator

    def get_metadata_routing(self):
        return self.estimator.get_metadata_routing()

    def fit(self, X, y=None, **params):
        self.fit_ = Fit(self.estimator, X, y, params)
        return self


def _fit_pipeline_coroutine(pipeline, X, y, params):
    """Fit all steps but the last at once, and the last one with the others."""
    name, last = pipeline.steps[-1]
    stand_in = _LastStep(last)
    try:
        pipeline.steps[-1] = (name, stand_in)
        pipeline.fit(X, y, **params)
    finally:
        pipeline.steps[-1] = (name, last)
    yield from stand_in.fit_.coroutine()
    return pipeline


_PENDING = object()


@dataclass
class _Task:
    """A generator, the results of what it has requested, and where its own outcome goes."""

    generator: Coroutine
    scope: Callable[[], AbstractContextManager]
    outcomes: list
    index: int
    results: list = field(default_factory=list)
    is_open: bool = True

    def is_ready(self):
        """Whether all that it has requested is there."""
        return all(result is not _PENDING for result in self.results)

    def advance(self):
        """Continue the generator; return its next requests, none when it has ended."""
        errors = [result for result in self.results if isinstance(result, Exception)]
        try:
            with self.scope():
                requests = self.generator.throw(errors[0]) if errors else self._send()
        except StopIteration as stop:
            return self._end(stop.value)
        except Exception as error:
            return self._end(error)
        self.results = [_PENDING] * len(requests)
        return requests

    def _send(self):
        if inspect.getgeneratorstate(self.generator) == inspect.GEN_CREATED:
            return next(self.generator)
        return self.generator.send(self.results)

    def _end(self, outcome):
        self.outcomes[self.index] = outcome
        self.is_open = False
        return []


@dataclass
class _Request:
    """A job, and where its result goes."""

    job: Any
    task: _Task
    index: int


def run_fits(
    fits: list[Coroutine],
    *,
    scopes: list | None = None,
    n_jobs: int | None = None,
    memory_limit: int | None = None,
    report: Callable[[str], Any] | None = None,
) -> list:
    """Run fits side by side.

    Parameters
    ----------
    fits : list of generator
        As `Fit.coroutine` returns them.
    scopes : list of callable, default=None
        Return the context managers within which each fit, and what it requests, is run.
    n_jobs : int, default=None
        Processes that run the jobs, by joblib.
    memory_limit : int, default=None
        Bytes that the networks of a population may take; None is a quarter of what is free.
    report : callable, default=None
        Called with a line of text for each group of jobs, which says how they are run.

    Returns
    -------
    list of fitted estimator or Exception
    """
    outcomes = [_PENDING] * len(fits)
    scopes = scopes or [nullcontext] * len(fits)
    tasks = [
        _Task(fit, scope, outcomes, index)
        for index, (fit, scope) in enumerate(zip(fits, scopes, strict=True))
    ]
    requests: list[_Request] = []
    try:
        while tasks:
            ready = [task for task in tasks if task.is_ready()]
            for task in ready:
                for index, request in enumerate(task.advance()):
                    if isinstance(request, Fit):
                        request = request.coroutine()
                    if isinstance(request, Generator):
                        tasks.append(_Task(request, task.scope, task.results, index))
                    else:
                        requests.append(_Request(request, task, index))
            tasks = [task for task in tasks if task.is_open]
            if not ready:
                _run_jobs(requests, n_jobs, memory_limit, report)
                requests = []
    except BaseException as error:  # an interrupt: each fit keeps what it has, inner ones first
        for task in reversed(tasks):
            with suppress(type(error)):
                task.generator.throw(error)
        raise
    return outcomes


def run_fit(coroutine: Coroutine, n_jobs: int | None = None):
    """Run one fit, or raise its error."""
    (outcome,) = run_fits([coroutine], n_jobs=n_jobs)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def split_by_memory(fits, X, subsets, memory_limit=None):
    """Split fits so that the inputs of those that begin together fit into the memory.

    `subsets` are the rows of each; `memory_limit` is in bytes, None a quarter of what is free.
    """
    if memory_limit is None:
        memory_limit = SHARE_OF_FREE_MEMORY * free_memory()
    n_bytes = getattr(X, "nbytes", 0) * max(map(len, subsets), default=0) / max(_num_samples(X), 1)
    # Each fit holds its rows of X, their standardized copy, that copy in single precision and once
    # more in the order of the epoch.
    size = max(1, int(memory_limit / (4 * n_bytes)) if n_bytes else len(fits))
    return [fits[start : start + size] for start in range(0, len(fits), size)]


def _run_jobs(requests, n_jobs, memory_limit, report):
    """Run jobs, those of one structure at once, and hand the results to their tasks."""
    groups = defaultdict(list)
    for i, request in enumerate(requests):
        structure = request.job.structure()
        groups[type(request.job), i if structure is None else structure].append(request)
    n_workers = effective_n_jobs(n_jobs)
    parts = [
        part for group in groups.values() for part in _split_group(group, n_workers, memory_limit)
    ]
    if report:
        for part in parts:
            report(part[0].job.describe([request.job for request in part]))
    calls = [[request.job for request in part] for part in parts]
    if n_workers == 1 or len(parts) == 1:
        results = (
            _run_part(call, part[0].task.scope if len(part) == 1 else nullcontext)
            for part, call in zip(parts, calls, strict=True)
        )
    else:
        results = Parallel(n_jobs=n_jobs)(map(delayed(_run_part), calls))
    for part, outcomes in zip(parts, results, strict=True):
        for request, outcome in zip(part, outcomes, strict=True):
            request.task.results[request.index] = outcome


def _run_part(jobs, scope=nullcontext):
    try:
        with scope():
            return type(jobs[0]).run_all(jobs)
    except Exception as error:
        return [error] * len(jobs)


def _split_group(group, n_workers, memory_limit):
    """Split a group so that each part fits into the memory and all processes have work."""
    if len(group) == 1:
        return [group]
    jobs = [request.job for request in group]
    if memory_limit is None:
        memory_limit = SHARE_OF_FREE_MEMORY * free_memory(jobs[0].device)
    n_fitting = int(memory_limit / n_workers / max(job.n_bytes() for job in jobs))
    n_parts = max(n_workers, -(-len(group) // max(1, min(n_fitting, MAX_POPULATION))))
    size = -(-len(group) // n_parts)
    return [group[start : start + size] for start in range(0, len(group), size)]
