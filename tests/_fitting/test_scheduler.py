"""The scheduler with jobs that only count: order, groups, errors, interrupts, memory, pipelines."""

import os
import signal
from collections import Counter
from contextlib import contextmanager

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skimbal import MLPClassifier
from skimbal._fitting import Fit, has_fit_coroutine, run_fit, run_fits, split_by_memory

X, y = make_classification(60, 5, random_state=0)


class Job:
    """Doubles a number. The class notes the names of the jobs of each group that it runs."""

    groups: list = []
    device = "cpu"

    def __init__(self, number, structure=None, error=None, n_bytes=1):
        self.number, self._structure, self.error, self._n_bytes = number, structure, error, n_bytes

    def structure(self):
        return self._structure

    def n_bytes(self):
        return self._n_bytes

    @staticmethod
    def describe(jobs):
        return f"{len(jobs)} numbers"

    @staticmethod
    def run_all(jobs):
        Job.groups.append([job.number for job in jobs])
        if any(isinstance(job.error, BaseException) for job in jobs):
            raise next(job.error for job in jobs if job.error)
        return [job.error(job.number) if job.error else 2 * job.number for job in jobs]


@pytest.fixture(autouse=True)
def groups():
    """The groups that were run, in their order."""
    Job.groups = []
    return Job.groups


def request_once(*jobs):
    """A fit that requests jobs and returns their results."""
    return (yield list(jobs))


class CoroutineClassifier(ClassifierMixin, BaseEstimator):
    """Fits in one job, by a generator."""

    def __init__(self, number=1):
        self.number = number

    def fit(self, X, y, sample_weight=None):
        return run_fit(self._fit_coroutine(X, y, sample_weight))

    def _fit_coroutine(self, X, y, sample_weight=None):
        self.X_, self.y_, self.sample_weight_ = X, y, sample_weight
        self.classes_ = np.unique(y)
        (self.result_,) = yield [Job(self.number, "classifier")]
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


# ---------------------------------------------------------------- results and order


@pytest.mark.parametrize("n_requests", [0, 1, 2, 5])
def test_results_come_in_the_order_of_the_requests(n_requests):
    jobs = [Job(n, structure=n % 2) for n in range(n_requests)]
    assert run_fit(request_once(*jobs)) == [2 * n for n in range(n_requests)]


def test_a_fit_requests_as_often_as_it_likes(groups):
    def fit():
        (two,) = yield [Job(1)]
        four, six = yield [Job(two), Job(3)]
        return two, four, six

    assert run_fit(fit()) == (2, 4, 6)
    assert groups == [[1], [2], [3]]


def test_a_fit_without_requests():
    def fit():
        yield from ()
        return "fitted"

    assert run_fit(fit()) == "fitted"
    assert run_fits([]) == []


@pytest.mark.parametrize("structures", [(None, None, None), ("a", "b", "c"), ("a", "a", "a")])
def test_outcomes_are_in_the_order_of_the_fits(structures):
    fits = [request_once(Job(n, structure)) for n, structure in enumerate(structures)]
    assert run_fits(fits) == [[0], [2], [4]]


def test_requests_may_be_jobs_fits_and_generators():
    def fit():
        estimator = CoroutineClassifier(5)
        return (yield [Job(1), Fit(estimator, X, y), request_once(Job(3), Job(4))])

    two, fitted, nested = run_fit(fit())
    assert (two, fitted.result_, nested) == (2, 10, [6, 8])


# ---------------------------------------------------------------- groups


def test_jobs_of_one_structure_run_once_over_all_fits(groups):
    fits = [request_once(Job(n, "same"), Job(10 + n, "other"), Job(20 + n)) for n in range(3)]
    run_fits(fits)
    assert Counter(map(tuple, groups)) == Counter([(0, 1, 2), (10, 11, 12), (20,), (21,), (22,)])


def test_jobs_wait_for_those_of_slower_fits(groups):
    """A fit that has to ask an inner one first does not miss the group of the others."""

    def slow():
        ((two,),) = yield [nested()]
        return (yield [Job(two, "same")])

    def nested():
        yield from ()
        return [7]

    run_fits([request_once(Job(1, "same")), slow()])
    assert groups == [[1, 7]]


def test_jobs_of_two_classes_never_run_together(groups):
    class OtherJob(Job):
        pass

    run_fit(request_once(Job(1, "same"), OtherJob(2, "same")))
    assert groups == [[1], [2]]


@pytest.mark.parametrize(
    ("memory_limit", "expected"),
    [(100, [[0, 1, 2, 3, 4, 5]]), (30, [[0, 1, 2], [3, 4, 5]]), (20, [[0, 1], [2, 3], [4, 5]])],
)
def test_a_memory_limit_splits_groups_into_even_parts(groups, memory_limit, expected):
    run_fit(request_once(*(Job(n, "same", n_bytes=10) for n in range(6))))
    assert groups == [[0, 1, 2, 3, 4, 5]]
    groups.clear()
    fits = [request_once(Job(n, "same", n_bytes=10)) for n in range(6)]
    assert run_fits(fits, memory_limit=memory_limit) == [[2 * n] for n in range(6)]
    assert groups == expected


def test_a_job_above_the_limit_runs_alone(groups):
    run_fits([request_once(Job(n, "same", n_bytes=99)) for n in range(2)], memory_limit=10)
    assert groups == [[0], [1]]


def test_a_report_names_each_group():
    lines = []
    run_fits([request_once(Job(n, "same"), Job(n)) for n in range(2)], report=lines.append)
    assert sorted(lines) == ["1 numbers", "1 numbers", "2 numbers"]


@pytest.mark.parametrize(
    ("memory_limit", "n_parts"), [(None, 1), (10**9, 1), (4 * 480 * 3, 2), (1, 6)]
)
def test_fits_are_split_by_the_memory_of_their_rows(memory_limit, n_parts):
    """20 rows of 3 numbers are 480 bytes, and a fit holds four times as much."""
    rows = [np.arange(20)] * 6
    fits = list("abcdef")
    parts = split_by_memory(fits, [None] * 6, np.zeros((40, 3)), rows, memory_limit)
    assert [fit for part in parts for fit in part] == fits
    assert len(parts) == n_parts


# ---------------------------------------------------------------- errors and interrupts


def test_the_error_of_a_job_is_thrown_into_its_fit():
    def fit():
        try:
            yield [Job(1), Job(2, error=ValueError)]
        except ValueError as error:
            (result,) = yield [Job(error.args[0])]
            return result

    assert run_fit(fit()) == 4


def test_the_error_of_a_group_reaches_each_of_its_fits():
    failure = ArithmeticError("all of them")
    fits = [request_once(Job(n, "same", error=failure if n else None)) for n in range(2)]
    assert run_fits(fits) == [failure, failure]


def test_an_error_spoils_no_other_fit():
    bad, good = run_fits([request_once(Job(1, error=ValueError)), request_once(Job(2))])
    assert isinstance(bad, ValueError)
    assert good == [4]


def test_an_error_rises_through_the_fits_that_asked():
    def outer():
        return (yield [request_once(Job(1, error=KeyError))])

    with pytest.raises(KeyError):
        run_fit(outer())


def test_an_error_before_the_first_request():
    def fit():
        raise NotFittedError("at once")
        yield

    with pytest.raises(NotFittedError, match="at once"):
        run_fit(fit())


class NotedInterrupt:
    """Fits that note in which order an interrupt reaches them."""

    def __init__(self):
        self.order = []

    def inner(self, name, job):
        try:
            return (yield [job])
        except KeyboardInterrupt:
            self.order.append(name)
            raise

    def outer(self, name, *requests):
        try:
            return (yield list(requests))
        except KeyboardInterrupt:
            self.order.append(name)
            raise


def raise_sigint(number):
    os.kill(os.getpid(), signal.SIGINT)
    return number


def test_an_interrupt_reaches_inner_fits_first():
    noted = NotedInterrupt()
    inner = [noted.inner("inner 1", Job(1, error=raise_sigint)), noted.inner("inner 2", Job(2))]
    with pytest.raises(KeyboardInterrupt):
        run_fits([noted.outer("outer", *inner), noted.inner("other", Job(3))])
    assert sorted(noted.order) == ["inner 1", "inner 2", "other", "outer"]
    assert noted.order.index("outer") > max(
        noted.order.index("inner 1"), noted.order.index("inner 2")
    )


def test_an_interrupt_gets_out_though_a_fit_ends_on_it():
    """A fit that keeps what it has may return in place of raising; the caller still hears of it."""

    def keeps_what_it_has():
        try:
            yield [Job(1, error=raise_sigint)]
        except KeyboardInterrupt:
            return "half"

    with pytest.raises(KeyboardInterrupt):
        run_fit(keeps_what_it_has())


# ---------------------------------------------------------------- scopes


def test_scopes_are_entered_around_fits_and_what_they_request():
    entered = []

    def scope(name):
        @contextmanager
        def enter():
            entered.append(name)
            yield

        return enter

    def outer():
        return (yield [request_once(Job(1))])

    run_fits([outer(), request_once(Job(2))], scopes=[scope("a"), scope("b")])
    counts = Counter(entered)
    # Twice around each generator, and around each job that runs alone.
    assert counts == {"a": 5, "b": 3}


# ---------------------------------------------------------------- estimators


@pytest.mark.parametrize(
    ("estimator", "expected"),
    [
        (CoroutineClassifier(), True),
        (make_pipeline(StandardScaler(), CoroutineClassifier()), True),
        (MLPClassifier(), True),
        (LogisticRegression(), False),
        (make_pipeline(CoroutineClassifier(), LogisticRegression()), False),
        (FrozenEstimator(CoroutineClassifier().fit(X, y)), False),
    ],
    ids=["classifier", "pipeline", "network", "other", "other last", "frozen"],
)
def test_which_estimators_fit_by_coroutine(estimator, expected):
    assert has_fit_coroutine(estimator) == expected


def test_a_fit_that_a_subclass_has_written_is_called():
    class OwnFit(CoroutineClassifier):
        def fit(self, X, y):
            self.own_ = True
            return self

    assert not has_fit_coroutine(OwnFit())
    assert run_fit(Fit(OwnFit(), X, y).coroutine()).own_


def test_rows_are_cut_from_all_that_has_one_entry_a_sample():
    weight = np.arange(60.0)
    rows = np.array([3, 5, 8, 8])
    estimator = CoroutineClassifier()
    run_fit(Fit.on_rows(estimator, X, y, rows, {"sample_weight": weight}))
    np.testing.assert_array_equal(estimator.X_, X[rows])
    np.testing.assert_array_equal(estimator.y_, y[rows])
    np.testing.assert_array_equal(estimator.sample_weight_, weight[rows])


def test_a_weight_of_none_is_left_out():
    rows = np.arange(50)
    fitted = run_fit(Fit.on_rows(LogisticRegression(), X, y, rows, {"sample_weight": None}))
    expected = LogisticRegression().fit(X[rows], y[rows])
    np.testing.assert_array_equal(fitted.coef_, expected.coef_)


def test_a_pipeline_hands_its_last_step_what_the_others_made(groups):
    fits, pipelines = [], []
    for number in range(3):
        pipeline = make_pipeline(StandardScaler(), CoroutineClassifier(number))
        pipelines.append(pipeline)
        params = {"coroutineclassifier__sample_weight": np.ones(60)}
        fits.append(Fit(pipeline, X, y, params).coroutine())
    assert run_fits(fits) == pipelines
    assert groups == [[0, 1, 2]]
    last = pipelines[0][-1]
    np.testing.assert_allclose(last.X_, StandardScaler().fit_transform(X))
    np.testing.assert_array_equal(last.sample_weight_, np.ones(60))


def test_a_pipeline_that_fails_keeps_its_steps():
    last = CoroutineClassifier()
    pipeline = make_pipeline(StandardScaler(), last)
    with pytest.raises(ValueError, match="could not convert string"):
        run_fit(Fit(pipeline, [["a"], ["b"]], [0, 1]).coroutine())
    assert pipeline.steps[-1][1] is last


@pytest.mark.slow
@pytest.mark.parametrize("n_jobs", [2])
def test_processes_change_no_result(n_jobs):
    networks = [
        MLPClassifier(hidden_layer_sizes=size, max_epochs=2, random_state=seed)
        for size in ((4,), (5, 3))
        for seed in range(3)
    ]

    def fitted(n_jobs):
        fits = [Fit(clone(network), X, y).coroutine() for network in networks]
        return [network.predict_proba(X) for network in run_fits(fits, n_jobs=n_jobs)]

    np.testing.assert_array_equal(fitted(n_jobs), fitted(1))
