"""Runs the open cells of a run on the workers of a cluster, which may come, go and die.

The runner alone writes the results file. It gives each worker one task at a time, the largest
first; a task has cells of one data set and method. The cells of a worker that is gone are tried
again in smaller groups, as those of a process of this machine (`_workers.py`).
"""

import time
import uuid
import warnings
from dataclasses import dataclass

from skimbal._fitting import has_fit_coroutine
from skimbal.benchmark._claims import attempts, claim_for, finish_cells, give_up, runner_lock
from skimbal.benchmark._cluster_task import Reply, Task, data_of, pack
from skimbal.benchmark._costs import Costs
from skimbal.benchmark._protocol import cell_seed, shortened
from skimbal.benchmark._workers import (
    MAX_CELLS_PER_FIT,
    POLL_INTERVAL_S,
    groups_of,
    parts_by_attempts,
    record_death,
    rows_of,
)

# Cells that are not trained together are put into tasks of about this length.
TASK_SECONDS = 10.0
# A run without a worker that can be used says so after this time (workers need some seconds to
# start), and ends after that one.
SAY_NO_WORKER_S = 10.0
NO_WORKER_S = 120.0
# What must be the same on a worker; of Python, the first two numbers of its version.
COMPARED = ("skimbal", "numpy", "scipy", "scikit-learn", "imbalanced-learn", "torch", "skorch")


class Queue:
    """Groups of cells that no worker has, by data set and method.

    Parameters
    ----------
    costs : Costs
    """

    def __init__(self, costs):
        self._costs = costs
        self._rows: dict[tuple, list] = {}

    def __bool__(self):
        return bool(self._rows)

    def put(self, groups, tried=False):
        """Add groups of cells of one data set and method; those tried before stay by themselves."""
        for cells in groups:
            key = (cells[0].dataset, cells[0].method)
            self._rows.setdefault(key, []).append((cells, tried))

    def pop(self):
        """Take the groups of the next task: the largest group, or several of single cells."""
        key = max(self._rows, key=self._seconds_of_next)
        waiting = self._rows[key]
        n_groups = 1
        if _is_small(waiting[0]):
            limit = self._n_single_cells(key)
            while n_groups < min(limit, len(waiting)) and _is_small(waiting[n_groups]):
                n_groups += 1
        taken = [cells for cells, _ in waiting[:n_groups]]
        del waiting[:n_groups]
        if not waiting:
            del self._rows[key]
        return taken

    def _seconds_of_next(self, key):
        return len(self._rows[key][0][0]) * self._costs.seconds(*key)

    def _n_single_cells(self, key):
        """How many groups of one cell make a task."""
        if not self._costs.is_measured(key[1]):
            return 1
        n_cells = TASK_SECONDS / max(self._costs.seconds(*key), 1e-9)
        return int(min(n_cells, MAX_CELLS_PER_FIT[0]))


def _is_small(waiting):
    cells, tried = waiting
    return len(cells) == 1 and not tried


@dataclass
class _Assignment:
    """A task that a worker has, under the name by which its cells are claimed."""

    name: str
    groups: list


class Workforce:
    """The workers of a cluster: those that get tasks, and those that are refused.

    Parameters
    ----------
    cluster : object
        As `ClusterRun` describes it.
    versions : dict of str to str
        Versions that a worker must have, with "python".
    """

    def __init__(self, cluster, versions):
        self._cluster, self._versions = cluster, versions
        self._usable_at = time.monotonic()
        self._has_waited = False
        self.accepted: dict[str, set] = {}  # and the data sets that each was sent
        self.refused: dict[str, str] = {}  # and why

    def update(self):
        """Take in the workers that have joined, and strike those that are gone."""
        living = set(self._cluster.workers())
        self.accepted = {name: sent for name, sent in self.accepted.items() if name in living}
        new = sorted(living - set(self.accepted) - set(self.refused))
        found = self._cluster.versions(new) if new else {}
        reasons: dict[str, list] = {}
        for name in new:
            reason = reason_to_refuse(found.get(name), self._versions)
            if reason is None:
                self.accepted[name] = set()
            else:
                reasons.setdefault(reason, []).append(name)
        for reason, names in reasons.items():
            self.refuse(names, reason)
        self._check_patience()

    def refuse(self, names, reason):
        """Give workers no task from now on, and say so in one line."""
        for name in names:
            self.accepted.pop(name, None)
            self.refused[name] = reason
        who = shortened(names)
        warnings.warn(f"{who} gets no cells: {reason}", UserWarning, stacklevel=2)

    def _check_patience(self):
        """Say once that no worker can be used; raise a RuntimeError if that lasts for long."""
        now = time.monotonic()
        if self.accepted:
            self._usable_at, self._has_waited = now, False
            return
        waited = now - self._usable_at
        if waited < NO_WORKER_S:
            if waited >= SAY_NO_WORKER_S and not self._has_waited:
                self._has_waited = True
                warnings.warn(
                    "the cluster has no worker that can be used now; the run ends in "
                    f"{NO_WORKER_S - waited:.0f} s unless one joins; {self._cluster.start_help}",
                    UserWarning,
                    stacklevel=2,
                )
            return
        reasons = "; ".join(sorted(set(self.refused.values()))) or "none has joined"
        raise RuntimeError(
            f"for {NO_WORKER_S:g} s the cluster had no worker that can be used ({reasons}); the "
            f"finished cells are kept; {self._cluster.start_help}, then resume the run"
        )


def reason_to_refuse(found, needed):
    """Why a worker with these versions can't be used, or None.

    Examples
    --------
    >>> reason_to_refuse({"numpy": "2.3.0"}, {"numpy": "2.4.0"})
    'numpy is 2.3.0 there and 2.4.0 here; install the same version there'
    """
    if found is None:
        return "it did not say which versions it has"
    missing = [f"{name}=={needed[name]}" for name in needed if not found.get(name)]
    if missing:
        return f"it lacks {', '.join(missing)}; install the same packages there"
    other = [
        f"{name} is {found[name]} there and {needed[name]} here"
        for name in needed
        if found[name] != needed[name]
    ]
    return f"{', '.join(other)}; install the same version there" if other else None


class ClusterRun:
    """The run of open cells on a cluster, whose workers are asked for about once a second.

    Parameters
    ----------
    cluster : object
        `workers()` returns the names of the living workers, `versions(names)` a dict of the
        versions of their packages, `submit(name, packed)` gives a worker a task, and
        `wait(seconds)` returns pairs (name, `Reply`) of tasks that ended. `start_help` says how
        workers are started.
    store : Store
    suite : Suite
    methods : dict of str to Method
    sizes : dict of str to int
        Number of values of X of each data set.
    versions : dict of str to str
        Versions that a worker must have, with "python".
    """

    def __init__(self, cluster, store, suite, methods, sizes, versions):
        self._cluster, self._store, self._suite, self._methods = cluster, store, suite, methods
        self._protocol, self._sizes = store.protocol(), sizes
        self._costs = Costs(sizes)
        self._queue = Queue(self._costs)
        self._workforce = Workforce(cluster, versions)
        self._runner = uuid.uuid4().hex
        self._running: dict[str, _Assignment] = {}

    def run(self, cells, on_wait):
        """Run all cells that no other runner holds; return the number of those that ended.

        `on_wait` is called about once a second.
        """
        lock = runner_lock(self._store, self._runner)
        try:
            self._fill_queue(cells)
            n_ended = 0
            while self._queue or self._running:
                n_ended += self._count_lost()
                self._hand_out()
                for worker, reply in self._cluster.wait(POLL_INTERVAL_S):
                    n_ended += self._take(worker, reply)
                on_wait()
            return n_ended
        finally:
            lock.release()  # the claims end with it

    def _fill_queue(self, cells):
        """Queue the open cells, in the groups that a run in processes would make."""
        table = self._store.cells()
        self._costs = Costs(self._sizes)
        self._costs.add_table(table)
        self._queue = Queue(self._costs)
        columns = table[["dataset", "method", "fold", "trial"]]
        finished = set(columns.itertuples(index=False, name=None))
        for row in rows_of(cells):
            together = has_fit_coroutine(self._methods[row[0].method].make(0))
            groups = groups_of(row, MAX_CELLS_PER_FIT[0] if together else 1)
            self._put([[cell for cell in group if cell not in finished] for group in groups])

    def _put(self, groups):
        """Queue groups of one data set and method, those that were tried before in parts."""
        groups = [group for group in groups if group]
        if not groups:
            return
        n_attempts = attempts(self._store, [cell for group in groups for cell in group])
        for group in groups:
            if any(n_attempts[cell] for cell in group):
                self._queue.put(parts_by_attempts(group, n_attempts), tried=True)
            else:
                self._queue.put([group])

    def _count_lost(self):
        """Look at the workers; return the number of cells that those that are gone held."""
        self._workforce.update()
        lost = [name for name in self._running if name not in self._workforce.accepted]
        replies = [Reply("lost", f"the worker {name} is gone") for name in lost]
        return sum(map(self._take, lost, replies))

    def _hand_out(self):
        for worker in [name for name in self._workforce.accepted if name not in self._running]:
            while self._queue and worker not in self._running:
                self._give(worker, self._queue.pop())

    def _give(self, worker, groups):
        """Give a worker the cells of these groups that no other runner holds."""
        cells = [cell for group in groups for cell in group]
        seeds = [cell_seed(self._protocol.seed, cell) for cell in cells]
        name = f"{self._runner}-{uuid.uuid4().hex}"
        claimed = set(claim_for(self._store, cells, seeds, name))
        own = [[cell for cell in group if cell in claimed] for group in groups]
        if claimed:
            self._running[worker] = _Assignment(name, [group for group in own if group])
            self._submit(worker)

    def _submit(self, worker):
        groups = self._running[worker].groups
        dataset, method = groups[0][0][:2]
        sent = self._workforce.accepted[worker]
        is_new = dataset not in sent
        data = data_of(self._suite, self._protocol, dataset) if is_new else None
        sent.add(dataset)
        task = Task(self._protocol, self._methods[method], groups, data)
        self._cluster.submit(worker, pack(task))

    def _take(self, worker, reply):
        """Take what became of the task of a worker; return the number of cells that ended."""
        if reply.kind == "no data":
            self._workforce.accepted[worker].clear()
            self._submit(worker)
            return 0
        assignment = self._running.pop(worker)
        if reply.kind == "done":
            self._finish(reply.value)
            return len(reply.value)
        if reply.kind == "refused":
            give_up(self._store, assignment.name)
            self._workforce.refuse([worker], reply.value)
            self._put(assignment.groups)
            return 0
        held, failed = record_death(self._store, self._suite, assignment.name, reply.value)
        self._put([[c for c in group if c not in failed] for group in assignment.groups])
        return len(held)

    def _finish(self, results):
        finish_cells(self._store, results)
        for cell, status, values in results:
            if status == "done":
                seconds = values["fit_seconds"] + values["predict_seconds"]
                self._costs.add(cell.dataset, cell.method, seconds)
