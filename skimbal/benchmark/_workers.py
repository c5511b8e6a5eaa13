"""Worker processes that run the open cells of a run, and that are replaced when they die.

A method may kill its process: a segmentation fault, or too little memory. The cells that the worker
held are then tried again in smaller groups, and alone in their third attempt. A cell whose worker
dies for the third time is recorded as failed. An attempt that was killed with its runner counts for
the size of the groups only.
"""

import contextlib
import json
import os
import signal
import threading
import time
import uuid
from concurrent.futures import FIRST_COMPLETED, wait

import numpy as np
from joblib.externals.loky import ProcessPoolExecutor
from joblib.externals.loky.process_executor import BrokenProcessPool

from skimbal._fitting import has_fit_coroutine
from skimbal.benchmark._cell import evaluate
from skimbal.benchmark._claims import (
    attempts,
    claim_cell,
    count_death,
    finish_cell,
    free_cells,
    runner_lock,
)
from skimbal.benchmark._protocol import cell_seed
from skimbal.benchmark._suite import load_split

# A worker runs one cell at a time on one thread, so that results don't depend on the number of
# cores and workers don't compete for cores.
_LIBRARIES = ("OMP", "MKL", "OPENBLAS", "BLIS", "NUMEXPR")
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in _LIBRARIES}
ONE_THREAD["VECLIB_MAXIMUM_THREADS"] = "1"
# The networks of up to this many cells are trained together in the first, the second and any later
# attempt. More are hardly faster, and a worker that is killed loses all of them.
MAX_CELLS_PER_FIT = (25, 12, 1)
MAX_DEATHS = 3
POLL_INTERVAL_S = 1.0
# An idle worker ends after this time.
IDLE_TIMEOUT_S = 10


class Worker:
    """A process of this run.

    joblib's own workers outlive a call, and a later `joblib.Parallel` would use them. A pool of
    several processes kills all of them when one dies.
    """

    def __init__(self, runner):
        self._runner = runner
        self.start()

    def start(self):
        """Make a new process, under a new name, with the next `submit`."""
        self.name = f"{self._runner}-{uuid.uuid4().hex}"
        self._pool = ProcessPoolExecutor(
            1, timeout=IDLE_TIMEOUT_S, env=ONE_THREAD, initializer=_prepare, initargs=[os.getpid()]
        )

    def submit(self, function, *arguments):
        """The future of a call in the process; the first argument is the name of the worker."""
        return self._pool.submit(function, self.name, *arguments)

    def stop(self, kill):
        """End the process, at once or after its work."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, kill_workers=kill)
            self._pool = None  # its semaphores are freed now, and not when Python ends


@contextlib.contextmanager
def start_workers(store, n_jobs):
    """Worker processes that end with the block, at once after an error or an interrupt."""
    runner = uuid.uuid4().hex
    lock = runner_lock(store, runner)
    workers = [Worker(runner) for _ in range(n_jobs)]
    kill = True
    try:
        yield workers
        kill = False
    finally:
        for worker in workers:
            worker.stop(kill)
        lock.release()


def _prepare(runner):
    """Let only the runner end this process: by its order, or by its own end."""
    # Ctrl-C reaches all processes of a terminal.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=[runner], daemon=True).start()


def _end_with(runner):
    while os.getppid() == runner:
        time.sleep(POLL_INTERVAL_S)
    os._exit(1)


@contextlib.contextmanager
def termination_as_interrupt():
    """Treat SIGTERM and SIGHUP as Ctrl-C, unless this process handles or ignores them."""
    names = ("SIGTERM", "SIGHUP") if threading.current_thread() is threading.main_thread() else ()
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    changed = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    try:
        for number in changed:
            signal.signal(number, signal.default_int_handler)
        yield
    finally:
        for number in changed:
            signal.signal(number, signal.SIG_DFL)


def run_open_cells(workers, store, suite, methods, cells, on_wait):
    """Let workers run all cells that they can claim; return the number of these cells.

    Cells that another runner holds are left out. `on_wait` is called about once a second.
    """
    work = (store, suite, methods, store.protocol(), cells)
    n_finished = store.n_finished()
    running = {worker.submit(_work, *work): worker for worker in workers}
    n_run = n_vain_deaths = 0
    while running:
        done, _ = wait(running, POLL_INTERVAL_S, FIRST_COMPLETED)
        for future in done:
            worker = running.pop(future)
            try:
                n_run += future.result()  # raises the error of the worker
            except BrokenProcessPool as error:
                n_held = _record_death(store, suite, worker, error)
                n_run += n_held
                # A worker may also die after a cell, when the memory of a method is freed.
                has_progress = n_held or store.n_finished() > n_finished
                n_vain_deaths = 0 if has_progress else n_vain_deaths + 1
                _check_vain_deaths(n_vain_deaths, error)
                n_finished = store.n_finished()
                if n_finished < len(cells):
                    worker.start()
                    running[worker.submit(_work, *work)] = worker
        on_wait()
    return n_run


def _check_vain_deaths(n_deaths, error):
    """Raise a RuntimeError if too many workers died one after another without a cell."""
    if n_deaths >= MAX_DEATHS:
        raise RuntimeError(
            f"worker processes die before they run a cell ({error}); the finished cells are kept, "
            "so resume the run when the cause is found"
        ) from error


def _record_death(store, suite, worker, error):
    """Count a death for the cells of a worker, then free them; return their number.

    A cell that died too often is recorded as failed first: nobody may claim it in between.
    """
    # A signal to the whole process group also reaches the runner, and then it ends here.
    time.sleep(POLL_INTERVAL_S)
    worker.stop(kill=True)
    held, _ = record_death(store, suite, worker.name, error)
    return len(held)


def record_death(store, suite, worker, error):
    """Count the death of the worker of a name for its cells, and free them.

    Returns
    -------
    held : list of Cell
        The cells that the worker held.
    failed : list of Cell
        The one of them that died too often, if there is one.
    """
    held = count_death(store, worker)
    failed = []
    if len(held) == 1:  # of several cells, any may have killed the worker
        ((cell, n_deaths),) = held.items()
        if n_deaths >= MAX_DEATHS:
            values = _values_of_death(store, suite, cell, n_deaths, error)
            finish_cell(store, cell, "failed", values)
            failed = [cell]
    free_cells(store, worker)
    return list(held), failed


def _values_of_death(store, suite, cell, n_deaths, error):
    *_, y_train, y_test = load_split(suite, store.protocol(), cell)
    classes = np.unique(np.concatenate([y_train, y_test]))
    return {
        "support": json.dumps([int(np.sum(y_test == label)) for label in classes]),
        "n_warnings": 0,
        "warnings": "{}",
        "error": f"The worker process died in each of {n_deaths} attempts, perhaps because memory "
        f"ran out.\nWorkerDied: {' '.join(str(error).split())}",
    }


def _work(worker, store, suite, methods, protocol, cells):
    """Run, in a worker, each cell that can be claimed; return their number."""
    n_run = 0
    for row in rows_of(cells):
        method = methods[row[0].method]
        together = has_fit_coroutine(method.make(0))
        for group in groups_of(row, MAX_CELLS_PER_FIT[0] if together else 1):
            for part in split_by_attempts(store, group):
                n_run += _run_cells(worker, store, suite, method, protocol, part)
    return n_run


def rows_of(cells):
    """Cells of one data set and method, in the order of the cells."""
    rows: dict[tuple, list] = {}
    for cell in cells:
        rows.setdefault((cell.dataset, cell.method), []).append(cell)
    return list(rows.values())


def groups_of(cells, size):
    """Cells in groups of a size; the last one may be smaller."""
    return [cells[start : start + size] for start in range(0, len(cells), size)]


def split_by_attempts(store, cells):
    """Parts of a group that run together; cells that were tried before are in smaller ones."""
    return [cells] if len(cells) == 1 else parts_by_attempts(cells, attempts(store, cells))


def parts_by_attempts(cells, n_attempts):
    """`split_by_attempts` with known attempts, a dict of the cells."""
    parts = []
    for n, size in enumerate(MAX_CELLS_PER_FIT):
        is_last = n == len(MAX_CELLS_PER_FIT) - 1
        own = [c for c in cells if n_attempts[c] == n or (is_last and n_attempts[c] > n)]
        parts += groups_of(own, size)
    return parts


def _run_cells(worker, store, suite, method, protocol, cells):
    """Run the cells that are not finished or held by a living process; return their number."""
    with contextlib.ExitStack() as stack:
        claims = []
        for cell in cells:
            claim = claim_cell(store, cell, cell_seed(protocol.seed, cell), worker)
            if claim is not None:
                claims.append(stack.enter_context(claim))
        if not claims:
            return 0
        splits = [load_split(suite, protocol, claim.cell) for claim in claims]
        results = evaluate(method.make, [claim.seed for claim in claims], splits)
        for claim, result in zip(claims, results, strict=True):
            claim.finish(*result)
    return len(claims)
