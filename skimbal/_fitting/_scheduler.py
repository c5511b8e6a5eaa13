"""Run many fits side by side, so that networks of one structure are trained as one.

A fit that trains networks is a generator, `_fit_coroutine`. It yields lists of requests: jobs
(`TrainingJob`, `PretrainingJob`) or fits of other estimators (`Fit`, or its generator), is sent
their results, and returns the fitted estimator. `run_fits` advances many such generators, and those
of the fits that they request, until all of them wait for jobs; then it runs the jobs, all of one
structure at once.
"""

from collections import defaultdict
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from joblib import Parallel, delayed, effective_n_jobs
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _check_method_params, _num_samples

from skimbal._utils._labels import part_of_larger_fit
from skimbal._utils._number_columns import conversion_named
from skimbal._utils._table_rows import is_shared, rows_for
from skimbal._utils._torch import free_memory

Coroutine = Generator[list, list, Any]

SHARE_OF_FREE_MEMORY = 0.25
# Larger populations gain nothing, and what they compute with no longer lies in the cache.
MAX_POPULATION = 64


@dataclass
class Fit:
    """The fit of an estimator, which is fitted in place, with all that its `fit` is given.

    `is_checked` says that X and y are arrays which an outer estimator has validated as this one
    would. An estimator with `_fit_checked_coroutine` does not validate them again. `is_part` says
    that an outer estimator has checked the labels that the parameters name.
    """

    estimator: Any
    X: Any
    y: Any
    params: dict = field(default_factory=dict)
    is_checked: bool = False
    is_part: bool = False

    @classmethod
    def on_rows(cls, estimator, X, y, rows, params=None, *, is_checked=False):
        """Return a fit on some rows, which are taken when it begins; networks share large tables.

        `params` are those of `fit`; an array of one entry a sample is taken by row, None left out.
        Validation data (`X_val` and others that end so) stay whole.
        """
        return _fit_on_rows(cls(estimator, X, y, params or {}, is_checked), rows)

    def coroutine(self) -> Coroutine:
        """Return the fit as a generator."""
        return _part(self._coroutine()) if self.is_part else self._coroutine()

    def _coroutine(self):
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
        """Return the fitted estimators, whatever their `fit` returns."""
        for job in jobs:
            fit = job.fit
            scope = part_of_larger_fit() if fit.is_part else nullcontext()
            with scope, conversion_named(fit.estimator, fit.X):
                fit.estimator.fit(fit.X, fit.y, **fit.params)
        return [job.fit.estimator for job in jobs]

    @staticmethod
    def describe(jobs):
        """Say how the fits are run."""
        return f"{len(jobs)} {type(jobs[0].fit.estimator).__name__}, each by itself"


def _part(coroutine):
    """Run a fit as a part of a larger one, in each step."""
    proceed: Callable[[Any], list] = coroutine.send
    given: Any = None
    while True:
        try:
            with part_of_larger_fit():
                requests = proceed(given)
        except StopIteration as stop:
            return stop.value
        try:
            given = yield requests
            proceed = coroutine.send
        except BaseException as error:  # the fit keeps what it has
            given, proceed = error, coroutine.throw


def _fit_on_rows(fit, rows):
    given = {name: value for name, value in fit.params.items() if value is not None}
    whole = {name: given.pop(name) for name in list(given) if name.endswith("_val")}
    params = {**_check_method_params(fit.X, given, indices=rows), **whole}
    take = partial(rows_for, fit.estimator) if has_fit_coroutine(fit.estimator) else _safe_indexing
    X, y = take(fit.X, rows), _safe_indexing(fit.y, rows)
    return (yield from Fit(fit.estimator, X, y, params, fit.is_checked, True).coroutine())


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


def last_step_fit(pipeline, X, y, params) -> Fit:
    """Fit all steps of a pipeline but the last; return the fit of the last one, on what they give.

    The last step is fitted in place, so that the pipeline is fitted when this fit is done.
    """
    name, last = pipeline.steps[-1]
    stand_in = _LastStep(last)
    try:
        pipeline.steps[-1] = (name, stand_in)
        with conversion_named(pipeline, X):
            pipeline.fit(X, y, **params)
    finally:
        pipeline.steps[-1] = (name, last)
    return stand_in.fit_


def _fit_pipeline_coroutine(pipeline, X, y, params):
    """Fit all steps but the last at once, and the last one with the others."""
    yield from last_step_fit(pipeline, X, y, params).coroutine()
    return pipeline


@dataclass(eq=False)
class _Task:
    """A generator, the results of what it has requested, and the task that waits for its own."""

    generator: Any  # a Coroutine; None for the caller of `run_fits`
    scope: Callable[[], AbstractContextManager]
    parent: Any
    index: int
    results: Any = None  # None before the first request
    n_missing: int = 0

    def advance(self):
        """Continue the generator; return its next requests, or None when it has ended."""
        error = None
        for result in self.results or ():
            if isinstance(result, Exception):
                error = result
                break
        try:
            with self.scope():
                if error is not None:
                    requests = self.generator.throw(error)
                else:
                    requests = self.generator.send(self.results)
        except StopIteration as stop:
            self.parent.receive(self.index, stop.value)
            return None
        except Exception as failure:
            self.parent.receive(self.index, failure)
            return None
        self.results, self.n_missing = [None] * len(requests), len(requests)
        return requests

    def receive(self, index, result):
        """Take the result of a request."""
        self.results[index] = result
        self.n_missing -= 1


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
    n_sharing: int = 1,
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
    n_sharing : int, default=1
        Processes that do the same at the same time, which share the memory with this one.
    report : callable, default=None
        Called with a line of text for each group of jobs, which says how they are run.

    Returns
    -------
    list of fitted estimator or Exception
    """
    caller = _Task(None, nullcontext, None, 0, [None] * len(fits), len(fits))
    tasks = []
    for index, fit in enumerate(fits):
        tasks.append(_Task(fit, scopes[index] if scopes else nullcontext, caller, index))
    try:
        while tasks:
            jobs: list[_Request] = []
            _advance_all(tasks, jobs)
            _run_jobs(jobs, n_jobs, memory_limit, n_sharing, report)
    except BaseException as error:  # an interrupt: each fit keeps what it has, inner ones first
        for task in reversed(tasks):
            with suppress(type(error), StopIteration):
                task.generator.throw(error)
        raise
    return caller.results


def _advance_all(tasks, jobs):
    """Advance tasks in place until all wait for jobs, which are added to `jobs`."""
    ready = True
    while ready:
        ready = False
        for task in list(tasks):
            if task.n_missing:
                continue
            ready = True
            requests = task.advance()
            if requests is None:
                tasks.remove(task)
            for index, request in enumerate(requests or ()):
                if isinstance(request, Fit | Generator):
                    tasks.append(_Task(_as_coroutine(request), task.scope, task, index))
                else:
                    jobs.append(_Request(request, task, index))


def run_fit(coroutine: Coroutine, n_jobs: int | None = None):
    """Run one fit, or raise its error."""
    proceed: Callable[[Any], list] = coroutine.send
    given: Any = None
    while True:
        try:
            requests = proceed(given)
        except StopIteration as stop:
            if isinstance(given, BaseException) and not isinstance(given, Exception):
                raise given from None  # a fit must not swallow an interrupt
            return stop.value
        try:
            if len(requests) == 1 and not isinstance(requests[0], Fit | Generator):
                results = type(requests[0]).run_all(requests)
            else:
                results = run_fits(list(map(_as_coroutine, requests)), n_jobs=n_jobs)
            for result in results:
                if isinstance(result, Exception):
                    raise result
            proceed, given = coroutine.send, results
        except BaseException as error:  # an interrupt, too: the fit keeps what it has
            proceed, given = coroutine.throw, error


def _as_coroutine(request):
    if isinstance(request, Generator):
        return request
    return request.coroutine() if isinstance(request, Fit) else _request_job(request)


def split_by_memory(fits, estimators, X, subsets, memory_limit=None, n_sharing=1):
    """Split fits so that the inputs of those that begin together fit into the memory.

    `estimators` are those that are fitted, `subsets` the rows of each; `memory_limit` is in bytes,
    None a quarter of what is free. `n_sharing` processes share it.
    """
    if fits and all(has_fit_coroutine(e) and is_shared(e, X) for e in estimators):
        return [fits]
    if memory_limit is None:
        memory_limit = SHARE_OF_FREE_MEMORY * free_memory()
    memory_limit /= n_sharing
    n_bytes = getattr(X, "nbytes", 0) * max(map(len, subsets), default=0) / max(_num_samples(X), 1)
    # Each fit holds its rows of X, their standardized copy, that copy in single precision and once
    # more in the order of the epoch.
    size = max(1, int(memory_limit / (4 * n_bytes)) if n_bytes else len(fits))
    return [fits[start : start + size] for start in range(0, len(fits), size)]


def _run_jobs(requests, n_jobs, memory_limit, n_sharing, report):
    """Run jobs, those of one structure at once, and hand the results to their tasks."""
    n_workers = effective_n_jobs(n_jobs)
    parts = []
    for group in _group_by_structure(requests):
        size = _part_size(group, n_workers, memory_limit, n_sharing)
        parts += [group[start : start + size] for start in range(0, len(group), size)]
    for part in parts if report else ():
        report(part[0].job.describe(_jobs_of(part)))
    if n_workers == 1 or len(parts) == 1:
        results = map(_run_part, parts)
    else:
        results = Parallel(n_jobs=n_jobs)(delayed(_run_all)(_jobs_of(part)) for part in parts)
    for part, outcomes in zip(parts, results, strict=True):
        for request, outcome in zip(part, outcomes, strict=True):
            request.task.receive(request.index, outcome)


def _group_by_structure(requests):
    groups = defaultdict(list)
    for i, request in enumerate(requests):
        structure = request.job.structure()
        groups[type(request.job), i if structure is None else structure].append(request)
    return list(groups.values())


def _jobs_of(part):
    return [request.job for request in part]


def _run_part(part):
    """Run jobs in this process, a single one within the scope of its fit."""
    return _run_all(_jobs_of(part), part[0].task.scope if len(part) == 1 else nullcontext)


def _run_all(jobs, scope=nullcontext):
    try:
        with scope():
            return type(jobs[0]).run_all(jobs)
    except Exception as error:
        return [error] * len(jobs)


def _part_size(group, n_workers, memory_limit, n_sharing):
    """How many jobs of a group run at once: they fit into the memory, all processes have work."""
    if len(group) == 1:
        return 1
    jobs = _jobs_of(group)
    if memory_limit is None:
        memory_limit = SHARE_OF_FREE_MEMORY * free_memory(jobs[0].device)
    n_fitting = int(memory_limit / (n_workers * n_sharing) / max(job.n_bytes() for job in jobs))
    n_parts = max(n_workers, -(-len(group) // max(1, min(n_fitting, MAX_POPULATION))))
    return -(-len(group) // n_parts)
