"""Tasks for the workers of a cluster: what is sent, and what a worker does with it.

A task is one value of bytes, so that the transport needs nothing of skimbal. It brings the method
and, the first time, the data set: a worker needs no data folder, and computes on the bytes that the
runner has checked. Code of the user's own is sent by its source if it lies beside the script or the
methods file; other modules must be installed on the workers.
"""

import contextlib
import os
import sys
import threading
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from joblib.externals.loky.backend.reduction import cloudpickle
from threadpoolctl import threadpool_limits

from skimbal.benchmark._cell import evaluate
from skimbal.benchmark._methods import Method
from skimbal.benchmark._protocol import Protocol, cell_seed
from skimbal.benchmark._suite import Suite, describe, load_split

# Data sets that a worker keeps.
MAX_SETS = 4


@dataclass(frozen=True)
class SentData:
    """A data set as it is sent: X, y and groups, or the published folds by their number."""

    X: Any = None
    y: Any = None
    groups: Any = None
    folds: dict | None = None


@dataclass(frozen=True)
class Task:
    """Groups of cells of one data set and method; the networks of a group are trained together."""

    protocol: Protocol
    method: Method
    groups: list
    data: SentData | None = None

    @property
    def dataset(self):
        """Name of the data set."""
        return self.groups[0][0].dataset


@dataclass(frozen=True)
class Reply:
    """What became of a task.

    Attributes
    ----------
    kind : {"done", "no data", "refused", "lost"}
        "done": `value` has (cell, status, values) of each cell. "no data": the worker does not have
        the data set. "refused": the worker can't do it, and `value` says why. "lost": the worker is
        gone.
    """

    kind: str
    value: Any = None


def data_of(suite, protocol, dataset):
    """A data set of a suite as it is sent."""
    if protocol.split == "official":
        numbers = protocol.folds[dataset]
        return SentData(folds={fold: suite.load_fold(dataset, fold) for fold in numbers})
    groups = None if suite.load_groups is None else suite.load_groups(dataset)
    X, y = suite.load(dataset)
    return SentData(X, y, groups)


def pack(task):
    """The bytes of a task; ValueError if its method can't be sent."""
    try:
        with _sent_by_value(_modules_of_the_user(task.protocol.source)):
            return cloudpickle.dumps(task)
    except Exception as error:
        raise ValueError(
            f"the method {task.method.name!r} can't be sent to other machines "
            f"({type(error).__name__}: {error}); give it in a file, --methods FILE.py:FUNCTION"
        ) from error


def _modules_of_the_user(source):
    """Modules beside the methods files and the script: a worker may not have them."""
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    files = [text.rpartition(":")[0] or text for text in source.get("methods", ()) if ".py" in text]
    folders = {Path(os.path.realpath(file)).parent for file in (*files, main) if file}
    own = []
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file is None or "." in name or name in ("__main__", "skimbal"):
            continue
        path = Path(os.path.realpath(file))
        place = path.parent.parent if path.name == "__init__.py" else path.parent
        if place in folders and "site-packages" not in path.parts:
            own.append(module)
    return own


@contextlib.contextmanager
def _sent_by_value(modules):
    registered = []
    try:
        for module in modules:
            cloudpickle.register_pickle_by_value(module)
            registered.append(module)
        yield
    finally:
        for module in registered:
            cloudpickle.unregister_pickle_by_value(module)


def run_packed(packed):
    """Run, on a worker, the task of these bytes; whatever goes wrong is in the `Reply`."""
    try:
        task = cloudpickle.loads(packed)
        suite = _suite_for(task)
        if suite is None:
            return Reply("no data")
        with threadpool_limits(1):  # as the workers of one machine: the same sums in the same order
            return Reply("done", _run(task, suite))
    except BaseException as error:
        return Reply("refused", error_text(error))


def error_text(error):
    """An error in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _run(task, suite):
    results = []
    for cells in task.groups:
        seeds = [cell_seed(task.protocol.seed, cell) for cell in cells]
        splits = [load_split(suite, task.protocol, cell) for cell in cells]
        outcomes = evaluate(task.method.make, seeds, splits)
        results += [(cell, *outcome) for cell, outcome in zip(cells, outcomes, strict=True)]
    return results


# Of this process: the data sets that came last, by their name, checksum and split.
_SUITES: dict[tuple, Suite] = {}
_SUITES_LOCK = threading.Lock()


def _suite_for(task):
    """A suite of the data set of a task, or None if it has not come yet."""
    protocol, name = task.protocol, task.dataset
    key = (name, protocol.fingerprints[name], protocol.split, *protocol.folds[name])
    with _SUITES_LOCK:
        suite = _SUITES.pop(key, None)
        if suite is None and task.data is not None:
            suite = _suite_of(task.data, protocol, name)
        if suite is not None:
            _SUITES[key] = suite  # the last one is the one used last
            while len(_SUITES) > MAX_SETS:
                del _SUITES[next(iter(_SUITES))]
    return suite


def _suite_of(data, protocol, name):
    """A suite of a data set that came; ValueError if it is not the one of the protocol."""
    if data.folds is not None:
        return Suite(protocol.suite, (name,), _nothing, partial(_fold, data.folds))
    found = describe(data.X, data.y, data.groups).fingerprint
    if found != protocol.fingerprints[name]:
        raise ValueError(
            f"the data set {name!r} came as {found} and not as {protocol.fingerprints[name]}"
        )
    load_groups = None if data.groups is None else partial(_same, data.groups)
    return Suite(protocol.suite, (name,), partial(_same, (data.X, data.y)), load_groups=load_groups)


def _same(data, name):
    return data


def _nothing(name):
    raise ValueError(f"the data set {name!r} has published folds only here")


def _fold(folds, name, fold):
    return folds[fold]
