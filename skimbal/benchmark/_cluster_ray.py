"""The CPUs of a ray cluster as the workers of a `ClusterRun`: one actor, a process, for each."""

import contextlib
import importlib
import importlib.metadata
import logging
import platform
import signal
import threading
import time
from concurrent.futures import Future, wait
from itertools import count

from skimbal.benchmark._backends import ANSWER_S, check_answers, gone
from skimbal.benchmark._cluster_task import Reply, error_text

# Seconds in which a head that can be reached must answer. After 60 s without an answer, ray ends
# the process of the runner.
HEAD_S = 30.0


def _actor_class():
    """The class of an actor. It is sent by value, so that a worker without skimbal can say so."""

    class CellRunner:
        """Runs tasks in a process of its own."""

        def versions(self, packages):
            """Versions of packages, None where one is not installed, and of Python."""
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # as the workers of one machine
            found: dict = {"python": ".".join(platform.python_version().split(".")[:2])}
            for package in packages:
                try:
                    found[package] = importlib.metadata.version(package)
                except importlib.metadata.PackageNotFoundError:
                    found[package] = None
            return found

        def run(self, packed):
            """The `Reply` to a task."""
            return importlib.import_module("skimbal.benchmark._cluster_task").run_packed(packed)

    return CellRunner


class RayCluster:
    """Actors on all CPUs of a ray cluster, by the address of their node and a number.

    Parameters
    ----------
    address : str
        As `ray.init` takes it: "auto" for the cluster of this machine, or a host and a port.
    packages : list of str
        Those whose versions `versions` returns, besides "python".
    """

    def __init__(self, address, packages):
        import ray

        self.start_help = f"start nodes (ray start --address={address})"
        self._ray, self._packages = ray, packages
        self._is_own = not ray.is_initialized()
        if self._is_own:
            with _handlers_kept():
                ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL)
        self._head = ray.get_runtime_context().gcs_address
        self._is_gone = False
        self._numbers = count(1)
        self._class = ray.remote(num_cpus=1, max_restarts=0)(_actor_class())
        self._actors: dict = {}  # name: (node, actor, reference of its versions)
        self._running: dict = {}  # name: reference of the reply

    def workers(self):
        """Names of the actors that have started; new ones are started where CPUs have none.

        Raises
        ------
        RuntimeError
            If the head node is gone.
        """
        nodes = {node["NodeID"]: node for node in self._ask_head(self._ray.nodes) if node["Alive"]}
        self._actors = {name: each for name, each in self._actors.items() if each[0] in nodes}
        for node, about in nodes.items():
            n_cpus = int(about["Resources"].get("CPU", 0))
            n_actors = sum(each[0] == node for each in self._actors.values())
            for _ in range(n_cpus - n_actors):
                self._start(node, about["NodeManagerAddress"])
        self._running = {n: each for n, each in self._running.items() if n in self._actors}
        references = {reference: name for name, (*_, reference) in self._actors.items()}
        ready, _ = self._ray.wait([*references], num_returns=len(references) or 1, timeout=0)
        return {references[reference] for reference in ready}

    def _start(self, node, host):
        affinity = self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
        strategy = affinity(node_id=node, soft=False)
        actor = self._class.options(scheduling_strategy=strategy).remote()
        versions = actor.versions.remote(self._packages)
        self._actors[f"{host}#{next(self._numbers)}"] = (node, actor, versions)

    def versions(self, names):
        """Versions of the packages of workers, by worker; those that can't start have none."""
        found = {}
        for name in names:
            with contextlib.suppress(self._ray.exceptions.RayError):
                found[name] = self._ray.get(self._actors[name][2])
        return found

    def submit(self, name, packed):
        """Give a worker a task."""
        self._running[name] = self._actors[name][1].run.remote(packed)

    def wait(self, seconds):
        """Pairs (name, `Reply`) of the tasks that ended, at the latest after some seconds."""
        references = {reference: name for name, reference in self._running.items()}
        if not references:
            time.sleep(seconds)
            return []
        self._ray.wait([*references], num_returns=1, timeout=seconds)
        ready, _ = self._ray.wait([*references], num_returns=len(references), timeout=0)
        replies = []
        for name in [references[reference] for reference in ready]:
            try:
                reply = self._ray.get(self._running.pop(name))
            except self._ray.exceptions.RayTaskError as error:
                reply = Reply("refused", error_text(error))
            except self._ray.exceptions.RayError as error:
                self._check_head()  # its end is no death of a worker
                del self._actors[name]  # another one takes its place
                reply = Reply("lost", error_text(error))
            replies.append((name, reply))
        return replies

    def _check_head(self):
        """Raise a RuntimeError if the head node is gone.

        Ray itself would wait for a minute, and then end this process without an exception.
        """
        try:
            check_answers(self._head)
        except ConnectionError as error:
            self._is_gone = True
            raise gone(self._head, error.__cause__) from error

    def _ask_head(self, question):
        """The answer to a call, which waits in a thread: the head may end just now."""
        self._check_head()
        answer = _in_thread(question)
        end = time.monotonic() + HEAD_S
        while time.monotonic() < end:
            if wait([answer], ANSWER_S).done:
                return answer.result()
            self._check_head()
        self._is_gone = True
        raise gone(self._head, f"no answer for {HEAD_S:g} s")

    def close(self):
        """End the actors, and the connection if it was made here."""
        if not self._is_gone:
            for _, actor, _ in self._actors.values():
                self._ray.kill(actor)
        if self._is_own:
            self._ray.shutdown()


def _in_thread(call):
    """The future of a call in a thread that does not keep the process from ending."""
    future: Future = Future()

    def run():
        try:
            future.set_result(call())
        except Exception as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


@contextlib.contextmanager
def _handlers_kept():
    """Put the handler of SIGTERM back, which ray replaces by one that exits."""
    is_main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if is_main:
            signal.signal(signal.SIGTERM, before)
