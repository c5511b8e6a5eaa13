"""Fits that go on side by side, so that networks of one structure are trained as one.

A fit that trains networks is a generator, `_fit_in_steps`. It yields lists of what it needs: jobs
(`TrainingJob`, `PretrainingJob`) or fits of other estimators (`Fit`, or its steps), is sent their
results, and returns the fitted estimator. `run_together` goes on with many such generators, and
with those of the fits that they need, until all of them wait for jobs; then it does the jobs, all
of one structure at once.
"""

from collections import defaultdict
from collections.abc import Generator
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any

import torch
from joblib import Parallel, delayed, effective_n_jobs
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from skimbal._utils._memory import free_memory

SHARE_OF_FREE_MEMORY = 0.25
# More networks than this gain nothing, and what they compute with no longer lies in the cache.
MOST_TOGETHER = 64


@dataclass
class Fit:
    """The fit of an estimator, which is fitted in place, with all that its `fit` is given."""

    estimator: Any
    X: Any
    y: Any
    params: dict = field(default_factory=dict)

    def steps(self):
        """Return the fit as a generator."""
        if not is_fitted_in_steps(self.estimator):
            return _call(self)
        if isinstance(self.estimator, Pipeline):
            return _fit_pipeline_in_steps(self.estimator, self.X, self.y, self.params)
        return self.estimator._fit_in_steps(self.X, self.y, **self.params)


@dataclass
class FitJob:
    """A fit that is one call."""

    fit: Fit

    def structure(self):
        """None: it has nothing in common with another one."""

    @staticmethod
    def run_all(jobs):
        """Return the fitted estimators."""
        return [job.fit.estimator.fit(job.fit.X, job.fit.y, **job.fit.params) for job in jobs]

    @staticmethod
    def way(jobs):
        """Say how the fits are done."""
        return f"{len(jobs)} {type(jobs[0].fit.estimator).__name__}, each by itself"


def _call(fit):
    (fitted,) = yield [FitJob(fit)]
    return fitted


def is_fitted_in_steps(estimator):
    """Whether a fit trains networks that can be trained with those of other fits."""
    if isinstance(estimator, Pipeline):
        return is_fitted_in_steps(estimator.steps[-1][1])
    # The class is asked, not the object, for a frozen estimator passes on what it is asked for; and
    # a `fit` that a subclass has written is called.
    classes = type(estimator).__mro__
    with_steps = [c for c in classes if "_fit_in_steps" in vars(c)]
    with_fit = [c for c in classes if "fit" in vars(c)]
    return bool(with_steps) and all(issubclass(with_steps[0], c) for c in with_fit[:1])


class _LastStep(BaseEstimator):
    """Stands for the last step of a pipeline and keeps what its `fit` is given."""

    def __init__(self, estimator):
        self.estimator = estimator

    def get_metadata_routing(self):
        return self.estimator.get_metadata_routing()

    def fit(self, X, y=None, **params):
        self.fit_ = Fit(self.estimator, X, y, params)
        return self


def _fit_pipeline_in_steps(pipeline, X, y, params):
    """Fit all steps but the last at once, and the last one with the others."""
    name, last = pipeline.steps[-1]
    stand_in = _LastStep(last)
    try:
        pipeline.steps[-1] = (name, stand_in)
        pipeline.fit(X, y, **params)
    finally:
        pipeline.steps[-1] = (name, last)
    yield from stand_in.fit_.steps()
    return pipeline


_PENDING = object()


class _Task:
    """A generator, what it has asked for, and where its outcome goes."""

    def __init__(self, generator, outcomes, slot, scope):
        self.generator = generator
        self.scope = scope
        self.outcomes = outcomes
        self.slot = slot
        self.results = None
        self.is_open = True

    def is_ready(self):
        """Whether all that it has asked for is there."""
        return self.results is None or all(r is not _PENDING for r in self.results)

    def advance(self):
        """Go on; return what it asks for next, and nothing when it has ended."""
        errors = [result for result in self.results or [] if isinstance(result, Exception)]
        try:
            with self.scope():
                if errors:
                    wishes = self.generator.throw(errors[0])
                else:
                    wishes = self.generator.send(self.results)
        except StopIteration as stop:
            return self._end(stop.value)
        except Exception as error:
            return self._end(error)
        self.results = [_PENDING] * len(wishes)
        return wishes

    def _end(self, outcome):
        self.outcomes[self.slot] = outcome
        self.is_open = False
        return []


def run_together(fits, *, scopes=None, n_jobs=None, memory_limit=None, report=None):
    """Run fits side by side.

    Parameters
    ----------
    fits : list of generator
        As `Fit.steps` returns them.
    scopes : list of callable, default=None
        Return the context managers within which each fit, and what it asks for, is run.
    n_jobs : int, default=None
        Processes that do the jobs, by joblib.
    memory_limit : int, default=None
        Bytes that the networks of a population may take; None is a quarter of what is free.
    report : callable, default=None
        Called with a line of text for each group of jobs, which says how they are done.

    Returns
    -------
    list of fitted estimator or Exception
    """
    outcomes = [_PENDING] * len(fits)
    scopes = scopes or [nullcontext] * len(fits)
    tasks = [
        _Task(fit, outcomes, slot, scope)
        for slot, (fit, scope) in enumerate(zip(fits, scopes, strict=True))
    ]
    jobs = []
    try:
        while tasks:
            ready = [task for task in tasks if task.is_ready()]
            for task in ready:
                for slot, wish in enumerate(task.advance()):
                    if isinstance(wish, Fit):
                        wish = wish.steps()
                    if isinstance(wish, Generator):
                        tasks.append(_Task(wish, task.results, slot, task.scope))
                    else:
                        jobs.append((wish, task.results, slot, task.scope))
            tasks = [task for task in tasks if task.is_open]
            if not ready:
                _do_jobs(jobs, n_jobs, memory_limit, report)
                jobs = []
    except BaseException as error:  # an interrupt: each fit keeps what it has, inner ones first
        for task in reversed(tasks):
            with suppress(type(error)):
                task.generator.throw(error)
        raise
    return outcomes


def fit_alone(steps, n_jobs=None):
    """Run one fit, or raise its error."""
    (outcome,) = run_together([steps], n_jobs=n_jobs)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _do_jobs(jobs, n_jobs, memory_limit, report):
    """Do jobs, those of one structure at once, and put the results into their places."""
    groups = defaultdict(list)
    for i, (job, *_) in enumerate(jobs):
        structure = job.structure()
        groups[type(job), i if structure is None else structure].append(i)
    n_workers = effective_n_jobs(n_jobs)
    parts = [
        part
        for group in groups.values()
        for part in _parts(group, [jobs[i][0] for i in group], n_workers, memory_limit)
    ]
    if report:
        for part in parts:
            report(jobs[part[0]][0].way([jobs[i][0] for i in part]))
    calls = [[jobs[i][0] for i in part] for part in parts]
    if n_workers == 1 or len(parts) == 1:
        results = (
            _run_all(call, jobs[part[0]][3] if len(part) == 1 else nullcontext)
            for part, call in zip(parts, calls, strict=True)
        )
    else:
        results = Parallel(n_jobs=n_jobs)(map(delayed(_run_all), calls))
    for part, outcomes in zip(parts, results, strict=True):
        for i, outcome in zip(part, outcomes, strict=True):
            _, places, slot, _ = jobs[i]
            places[slot] = outcome


def _run_all(jobs, scope=nullcontext):
    try:
        with scope():
            return type(jobs[0]).run_all(jobs)
    except Exception as error:
        return [error] * len(jobs)


def _parts(group, jobs, n_workers, memory_limit):
    """Split a group so that each part keeps to the memory and all processes have work."""
    if len(group) == 1:
        return [group]
    if memory_limit is None:
        memory_limit = SHARE_OF_FREE_MEMORY * free_memory_of(jobs[0].device)
    n_fitting = int(memory_limit / n_workers / max(job.n_bytes() for job in jobs))
    n_parts = max(n_workers, -(-len(group) // max(1, min(n_fitting, MOST_TOGETHER))))
    size = -(-len(group) // n_parts)
    return [group[start : start + size] for start in range(0, len(group), size)]


def free_memory_of(device):
    """Free bytes of the memory that a device computes in."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else free_memory()
