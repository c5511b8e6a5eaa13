"""Connections to clusters, as `ClusterRun` uses them: a scheduler of dask, or ray.

The packages are imported when a cluster is asked for.
"""

import contextlib
import importlib
import logging
import queue
import uuid
from typing import Any

from skimbal._utils._extras import how_to_install
from skimbal.benchmark._backends import ANSWER_S, check_answers, gone, unreachable
from skimbal.benchmark._cluster_ray import RayCluster
from skimbal.benchmark._cluster_task import Reply, error_text, run_packed

# Seconds in which a worker must send a result that it has.
RESULT_S = 60.0
LARGE_GRAPH = {"distributed.admin.large-graph-warning-threshold": "1 TiB"}


@contextlib.contextmanager
def connect_cluster(backend, scheduler, packages):
    """The cluster at an address, None for the backend "processes".

    Raises
    ------
    ConnectionError
        If the scheduler does not answer within seconds.
    ValueError
        If the package of the backend is not installed, or the address has no port.
    """
    if backend == "processes":
        yield None
        return
    cluster_class, package = CLUSTERS[backend]
    try:
        importlib.import_module(package)
    except ImportError as error:
        how = how_to_install("cluster") if backend == "dask" else "pip install ray"
        raise ValueError(
            f"backend={backend!r} needs the package {package}, which is not installed: {how}"
        ) from error
    cluster = cluster_class(scheduler, packages)
    try:
        yield cluster
    finally:
        cluster.close()


class DaskCluster:
    """The workers of a scheduler of dask, by their addresses.

    Parameters
    ----------
    address : str
    packages : list of str
        Those whose versions `versions` returns, besides "python".
    """

    def __init__(self, address, packages):
        check_answers(address, "dask")
        import dask
        import distributed

        self.start_help = f"start workers (dask worker {address} --nthreads 1)"
        self._address, self._packages = address, packages
        self._futures: dict = {}
        self._ended: queue.SimpleQueue = queue.SimpleQueue()
        self._closing = contextlib.ExitStack()
        self._closing.enter_context(dask.config.set(LARGE_GRAPH))
        self._closing.enter_context(_silent("distributed"))
        try:
            self._client = distributed.Client(
                address, timeout=ANSWER_S, set_as_default=False, name="skimbal"
            )
            self._scheduler_id = self._client.scheduler_info(n_workers=1)["id"]
        except Exception as error:  # what answers may be anything
            self._closing.close()
            raise unreachable(address, error) from error

    def workers(self):
        """Addresses of the workers that are alive; RuntimeError if the scheduler is gone."""
        self._check_scheduler()
        living = set(self._ask(self._client.nthreads))
        for name in [name for name in self._futures if name not in living]:
            self._futures.pop(name).cancel()
        return living

    def versions(self, names):
        """Versions of the packages of workers, by worker."""
        message = {"op": "versions", "packages": self._packages}
        scheduler: Any = self._client.scheduler
        options = {"msg": message, "workers": names, "on_error": "ignore"}
        answers = self._ask(self._client.sync, scheduler.broadcast, **options)
        found = {}
        for name, answer in answers.items():
            packages = answer["packages"]
            own = {package: packages.get(package) for package in self._packages}
            python = ".".join(str(packages["python"]).split(".")[:2])
            found[name] = {"python": python, **own}
        return found

    def submit(self, name, packed):
        """Give a worker a task."""
        future = self._client.submit(
            run_packed, packed, key=f"skimbal-{uuid.uuid4().hex}", workers=[name], pure=False
        )
        self._futures[name] = future
        future.add_done_callback(lambda done: self._ended.put((name, done)))

    def wait(self, seconds):
        """Pairs (address, `Reply`) of the tasks that ended, at the latest after some seconds."""
        replies: list[tuple] = []
        with contextlib.suppress(queue.Empty):
            while True:
                name, future = self._ended.get(timeout=0 if replies else seconds)
                if self._futures.get(name) is future:
                    replies.append((name, self._reply_of(future)))
                    self._futures.pop(name)
        return replies

    def _reply_of(self, future):
        if future.status == "finished":
            with contextlib.suppress(TimeoutError):  # the worker died before it sent the result
                return future.result(timeout=RESULT_S)
        self._check_scheduler()  # a lost connection cancels all tasks
        if future.status != "error":
            return Reply("lost", "the result was lost with its worker")
        error = self._ask(future.exception)
        died = type(error).__name__ == "KilledWorker"
        return Reply("lost" if died else "refused", error_text(error))

    def _check_scheduler(self):
        if self._client.status != "running":
            raise gone(self._address, "the connection is closed")
        if self._ask(self._client.scheduler_info, n_workers=1).get("id") != self._scheduler_id:
            raise gone(self._address, "it was started anew")

    def _ask(self, function, *arguments, **options):
        """The answer of the scheduler; RuntimeError if there is none."""
        try:
            return function(*arguments, **options)
        except (OSError, TimeoutError) as error:
            raise gone(self._address, "the connection is closed") from error

    def close(self):
        """Cancel the tasks and close the connection."""
        with self._closing, contextlib.suppress(OSError, TimeoutError, RuntimeError):
            if self._client.status == "running":
                self._client.cancel([*self._futures.values()], force=True)
            self._client.close(timeout=ANSWER_S)


@contextlib.contextmanager
def _silent(name):
    """Keep a package from logging what the run says itself."""
    logger = logging.getLogger(name)
    children = [
        logging.getLogger(each) for each in logging.root.manager.loggerDict if each.startswith(name)
    ]
    levels = [(each, each.level) for each in (logger, *children)]
    try:
        for each, _ in levels:
            each.setLevel(logging.CRITICAL + 1)
        yield
    finally:
        for each, level in levels:
            each.setLevel(level)


def _ray_cluster(address, packages):
    try:
        if address == "auto":  # that of a head that was killed may still be noted
            services = importlib.import_module("ray._private.services")
            address = services.canonicalize_bootstrap_address(address)
    except ConnectionError as error:
        raise unreachable(address, error) from error
    check_answers(address, "ray")
    try:
        return RayCluster(address, packages)
    except Exception as error:  # of many kinds; another version of ray or Python is one of them
        raise unreachable(address, error) from error


CLUSTERS = {"dask": (DaskCluster, "distributed"), "ray": (_ray_cluster, "ray")}
