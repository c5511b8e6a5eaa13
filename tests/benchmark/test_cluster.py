"""Runs on a cluster: workers that come, die, lack packages; what is sent; what cells cost.

The cluster is a fake one of this process. tests/extended has a real one of dask.
"""

import contextlib
import pickle
import socket
import subprocess
import sys
import threading
import types
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier

from skimbal.benchmark import (
    Method,
    Suite,
    _backends,
    _cluster,
    _cluster_ray,
    _cluster_task,
    cli,
    resume,
    run_benchmark,
)
from skimbal.benchmark._backends import check_answers
from skimbal.benchmark._claims import claim_cell
from skimbal.benchmark._cluster import ClusterRun, Queue, reason_to_refuse
from skimbal.benchmark._cluster_ray import RayCluster
from skimbal.benchmark._cluster_task import Reply, SentData, Task, pack, run_packed
from skimbal.benchmark._clusters import _ray_cluster
from skimbal.benchmark._costs import Costs, makespan
from skimbal.benchmark._methods import METHODS
from skimbal.benchmark._protocol import Cell, Protocol
from skimbal.benchmark._run import COMPARED, environment
from skimbal.benchmark._source import methods_of
from skimbal.benchmark._store import Store
from skimbal.benchmark._suite import describe_dataset

from . import toy


def versions_here():
    now = environment()
    return {name: now[name] for name in COMPARED} | {
        "python": ".".join(now["python"].split(".")[:2])
    }


class FakeCluster:
    """Runs each task when it is asked for; `plan` says what happens in its place.

    The plan maps the number of a task to a function of the cluster and the worker, which returns a
    `Reply`. `joins` maps the number of a round of questions to workers that join in it.
    """

    start_help = "start workers"

    def __init__(self, workers=("a",), *, plan=None, joins=None, versions=None):
        self.living = list(workers)
        self.plan, self.joins, self._versions = plan or {}, joins or {}, versions or {}
        self.waiting: dict = {}
        self.given: list = []  # (worker, cells, data came along)
        self.n_rounds = 0

    def workers(self):
        self.n_rounds += 1
        self.living += self.joins.get(self.n_rounds, [])
        return set(self.living)

    def versions(self, names):
        return {name: versions_here() | self._versions.get(name, {}) for name in names}

    def submit(self, name, packed):
        task = pickle.loads(packed)
        cells = [cell for group in task.groups for cell in group]
        self.given.append((name, cells, task.data is not None))
        self.waiting[name] = (len(self.given), packed)

    def wait(self, seconds):
        replies = []
        for name, (number, packed) in list(self.waiting.items()):
            del self.waiting[name]
            happens = self.plan.get(number, self.plan.get("all"))
            reply = happens(self, name) if happens else run_packed(packed)
            if reply is not None:
                replies.append((name, reply))
        return replies

    def close(self):
        self.waiting.clear()


def vanish(cluster, name):
    """The worker is gone, and its task with it."""
    cluster.living.remove(name)


def die_and_return(cluster, name):
    """The process dies, and another one takes its address."""
    return Reply("lost", "the process is gone")


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(_cluster, "POLL_INTERVAL_S", 0.0)
    monkeypatch.setattr(_cluster_task, "_SUITES", {})


@pytest.fixture
def use(monkeypatch):
    """Let `run_benchmark` use a fake cluster."""

    def use(cluster):
        made = types.SimpleNamespace(DaskCluster=lambda address, packages: cluster)
        monkeypatch.setitem(
            sys.modules["skimbal.benchmark._clusters"].CLUSTERS, "dask", (made.DaskCluster, "json")
        )
        return {"backend": "dask", "scheduler": "tcp://x:1"}

    return use


def scores(result):
    """All that is not measured, in a fixed order."""
    return result.cells.drop(columns=toy.MEASURED)


def run(out, options, names=("forest", "logistic"), folder=None, **others):
    return toy.run_toy(out, names, folder=folder, **options, **others)


@pytest.fixture(scope="module")
def serial(tmp_path_factory, inline_workers):
    """The scores of a run of one process, in this process."""
    with inline_workers():
        return scores(run(tmp_path_factory.mktemp("serial"), {}, n_trials=1))


def check_same(result, serial):
    pd.testing.assert_frame_equal(scores(result), serial)


def test_a_cluster_gives_the_cells_of_one_process(tmp_path, use, serial):
    cluster = FakeCluster(["a", "b"])
    check_same(run(tmp_path / "a", use(cluster), n_trials=1), serial)
    assert {name for name, *_ in cluster.given} == {"a", "b"}
    assert not list((tmp_path / "a").glob("*.lock"))


def test_data_go_once_to_a_worker_and_again_when_it_lost_them(tmp_path, use):
    def forget(cluster, name):
        return Reply("no data")

    cluster = FakeCluster(plan={2: forget})
    run(tmp_path, use(cluster), datasets=["small"], n_trials=1)
    with_data = [number for number, (_, _, came) in enumerate(cluster.given, 1) if came]
    assert with_data == [1, 3]
    assert cluster.given[1][1] == cluster.given[2][1]


def test_published_folds_are_sent(tmp_path, use, without_processes):
    options = {"split": "official", "datasets": ["middle"], "n_folds": 5, "n_trials": 1}
    on_cluster = run(tmp_path / "a", use(FakeCluster()), **options)
    pd.testing.assert_frame_equal(scores(on_cluster), scores(run(tmp_path / "b", {}, **options)))


def test_the_largest_group_goes_first_and_single_cells_together(tmp_path, use):
    cluster = FakeCluster()
    run(tmp_path, use(cluster), ["logistic"])
    first = cluster.given[0][1]
    assert first[0].dataset == "large"
    assert len(first) == 1  # nothing is known yet
    assert max(len(cells) for _, cells, _ in cluster.given) == 6
    assert sum(len(cells) for _, cells, _ in cluster.given) == 18


def test_networks_stay_together(tmp_path, use):
    cluster = FakeCluster(["a", "b"])
    run(tmp_path, use(cluster), ["sleeping-0"], folder=tmp_path)
    assert [len(cells) for _, cells, _ in cluster.given] == [6, 6, 6]


def test_a_worker_that_is_gone_costs_a_second_attempt(tmp_path, use, serial):
    cluster = FakeCluster(["a", "b"], plan={2: vanish})
    check_same(run(tmp_path, use(cluster), n_trials=1), serial)
    lost = cluster.given[1][1]
    again = [(name, cells) for name, cells, _ in cluster.given[2:] if set(cells) & set(lost)]
    assert again
    assert {name for name, _ in again} == {"a"}


def test_a_worker_that_joins_late_gets_work(tmp_path, use):
    cluster = FakeCluster(["a"], joins={3: ["late"]})
    run(tmp_path, use(cluster), n_trials=1)
    assert {name for name, *_ in cluster.given[:2]} == {"a"}
    assert "late" in {name for name, *_ in cluster.given}


def test_a_cell_whose_workers_die_three_times_fails(tmp_path, use):
    result = run(
        tmp_path,
        use(FakeCluster(plan={"all": die_and_return})),
        ["sleeping-0"],
        folder=tmp_path,
        datasets=["small"],
    )
    assert result.cells.status.eq("failed").all()
    assert "died in each of" in result.cells.error[0]
    assert "WorkerDied: the process is gone" in result.cells.error[0]
    deaths = Store.open(tmp_path).read("SELECT deaths, attempts FROM cell")
    assert deaths.deaths.tolist() == [3] * 6


@pytest.mark.parametrize(
    ("versions", "text"),
    [
        ({"numpy": "1.0"}, "b gets no cells: numpy is 1.0 there and"),
        ({"skimbal": None}, "b gets no cells: it lacks skimbal=="),
        ({"python": "3.1"}, "b gets no cells: python is 3.1 there"),
    ],
)
def test_a_worker_with_other_versions_is_refused_in_one_line(versions, text, tmp_path, use):
    cluster = FakeCluster(["a", "b"], versions={"b": versions})
    with pytest.warns(UserWarning, match=text) as caught:
        run(tmp_path, use(cluster), ["logistic"], datasets=["small"], n_trials=1)
    assert len(caught) == 1
    assert {name for name, *_ in cluster.given} == {"a"}


def test_a_worker_that_can_not_do_a_task_is_refused_and_its_cells_go_elsewhere(tmp_path, use):
    def refuse(cluster, name):
        return Reply("refused", "ModuleNotFoundError: No module named 'mine'")

    cluster = FakeCluster(["a", "b"], plan={1: refuse})
    with pytest.warns(UserWarning, match="gets no cells: ModuleNotFoundError: No module named"):
        result = run(tmp_path, use(cluster), ["sleeping-0"], folder=tmp_path)
    assert result.n_failed == 0
    assert len({name for name, *_ in cluster.given[2:]}) == 1
    assert [len(cells) for _, cells, _ in cluster.given] == [6] * 4  # the attempt does not count


def test_a_run_without_workers_ends_and_says_why(tmp_path, use, monkeypatch):
    monkeypatch.setattr(_cluster, "NO_WORKER_S", 0.0)
    with pytest.raises(RuntimeError, match=r"none has joined\); .*kept; start workers, then"):
        run(tmp_path, use(FakeCluster([])))
    cluster = FakeCluster(["a"], versions={"a": {"torch": None}})
    with (
        pytest.warns(UserWarning, match="a gets no cells: it lacks torch"),
        pytest.raises(RuntimeError, match=r"can be used \(it lacks torch=="),
    ):
        run(tmp_path, use(cluster))


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError("the scheduler is gone")])
def test_a_stopped_run_keeps_its_cells_and_is_resumed(error, tmp_path, use, serial):
    def stop(cluster, name):
        raise error

    cluster = FakeCluster(plan={4: stop})
    with pytest.raises((KeyboardInterrupt, RuntimeError)):
        run(tmp_path, use(cluster), n_trials=1)
    assert cluster.waiting == {}  # the tasks are canceled
    assert 0 < Store.open(tmp_path).n_finished() < 18
    check_same(run(tmp_path, use(FakeCluster()), n_trials=1), serial)


def test_a_run_waits_for_workers_and_says_so(tmp_path, use, monkeypatch):
    monkeypatch.setattr(_cluster, "SAY_NO_WORKER_S", 0.0)
    cluster = FakeCluster([], joins={3: ["late"]})
    with pytest.warns(UserWarning, match="can be used now; the run ends in 120 s") as caught:
        run(tmp_path, use(cluster), ["logistic"], datasets=["small"], n_trials=1)
    assert len(caught) == 1


def test_workers_that_start_are_waited_for_in_silence(tmp_path, use):
    cluster = FakeCluster([], joins={3: ["late"]})
    run(tmp_path, use(cluster), ["logistic"], datasets=["small"], n_trials=1)
    assert cluster.n_rounds >= 3


class FakeRay(types.ModuleType):
    """A ray of one node with one CPU, whose only task never ends well."""

    exceptions = types.SimpleNamespace(RayError=OSError, RayTaskError=ArithmeticError)
    killed = shut_down = 0

    def __init__(self, address):
        super().__init__("ray")
        self.context = types.SimpleNamespace(gcs_address=address)
        affinity = types.SimpleNamespace(NodeAffinitySchedulingStrategy=dict)
        self.util = types.SimpleNamespace(scheduling_strategies=affinity)
        self.is_initialized = lambda: False
        self.init = lambda **options: None
        self.get_runtime_context = lambda: self.context

    def remote(self, **options):
        method = types.SimpleNamespace(remote=lambda argument: object())
        actor = types.SimpleNamespace(versions=method, run=method)
        made = types.SimpleNamespace(remote=lambda: actor)
        made.options = lambda **strategy: made
        return lambda actor_class: made

    def nodes(self):
        about = {"NodeID": "n", "Alive": True, "NodeManagerAddress": "h", "Resources": {"CPU": 1}}
        return [about]

    def wait(self, references, num_returns, timeout):
        return references, []

    def get(self, reference):
        raise OSError("the actor died")

    def kill(self, actor):
        self.killed += 1

    def shutdown(self):
        self.shut_down += 1


@pytest.fixture
def head():
    """The socket of a head of ray."""
    with socket.socket() as head:
        head.bind(("127.0.0.1", 0))
        head.listen()
        yield head


@pytest.fixture
def ray(head, monkeypatch):
    """A ray whose head can be reached as long as its socket is open."""
    ray = FakeRay(f"127.0.0.1:{head.getsockname()[1]}")
    monkeypatch.setitem(sys.modules, "ray", ray)
    return ray


@pytest.mark.parametrize("call", ["workers", "wait"])
def test_a_head_of_ray_that_ends_is_one_line_at_once(call, head, ray):
    address = f"127.0.0.1:{head.getsockname()[1]}"
    with head:
        cluster = RayCluster("auto", [])
        assert cluster.workers() == {"h#1"}
        cluster.submit("h#1", b"")
        assert cluster.wait(0.0) == [("h#1", Reply("lost", "OSError: the actor died"))]
        assert cluster.workers() == {"h#2"}
        cluster.submit("h#2", b"")
    with pytest.raises(RuntimeError, match=f"{address} does not answer any more .*are kept; start"):
        getattr(cluster, call)(*([0.0] if call == "wait" else []))
    cluster.close()
    assert (ray.killed, ray.shut_down) == (0, 1)  # a head that is gone would not answer


@pytest.mark.parametrize("kind", ["ends in the question", "hangs"])
def test_a_head_of_ray_that_does_not_answer_is_not_waited_for(kind, head, ray, monkeypatch):
    """It may take the question and end: ray would wait for a minute and end this process."""
    monkeypatch.setattr(_cluster_ray, "ANSWER_S", 0.01)
    # A head that ends is waited for: a busy machine takes its time.
    monkeypatch.setattr(_cluster_ray, "HEAD_S", 0.05 if kind == "hangs" else 60.0)
    over = threading.Event()
    cluster = RayCluster("auto", [])

    def never():
        if kind != "hangs":
            head.close()
        over.wait()
        return []

    ray.nodes = never
    reason = "no answer for 0.05 s" if kind == "hangs" else "refused|reset"
    with pytest.raises(RuntimeError, match=f"does not answer any more .*({reason})"):
        cluster.workers()
    over.set()
    cluster.close()
    assert (ray.killed, ray.shut_down) == (0, 1)


def test_an_answer_of_ray_that_is_a_time_out_is_one(ray):
    def timed_out():
        raise TimeoutError("of ray")

    ray.nodes = timed_out
    with pytest.raises(TimeoutError, match="of ray"):
        RayCluster("auto", []).workers()


def test_the_actors_of_ray_end_with_the_run(ray):
    cluster = RayCluster("auto", [])
    cluster.workers()
    cluster.close()
    assert (ray.killed, ray.shut_down) == (1, 1)


def test_cells_of_another_runner_are_left_to_it(tmp_path, use):
    protocol = Protocol("toy", ["forest"], {"small": [1, 2]}, 2, 1, "stratified", 0, {"small": ""})
    protocol = replace(
        protocol, fingerprints={"small": describe_dataset(toy.SUITE, "small").fingerprint}
    )
    store = Store.create(tmp_path, protocol)
    first, second = protocol.cells()
    cluster = FakeCluster()
    methods = {method.name: method for method in toy.methods(["forest"])}
    work = ClusterRun(cluster, store, toy.SUITE, methods, {"small": 114}, versions_here())
    with claim_cell(store, first, 0):
        assert work.run([first, second], lambda: None) == 1
    assert [cells for _, cells, _ in cluster.given] == [[second]]
    assert work.run([first, second], lambda: None) == 1
    assert work.run([first, second], lambda: None) == 0


# ---------------------------------------------------------------- what is sent


def packed_task(method, data=None, fingerprint=None):
    own = describe_dataset(toy.SUITE, "small").fingerprint
    folds, marks = {"small": [1, 2, 3]}, {"small": fingerprint or own}
    protocol = Protocol("toy", [method.name], folds, 3, 1, "stratified", 0, marks)
    data = SentData(*toy.load_toy("small")) if data is None else data
    return pack(Task(protocol, method, [[Cell("small", method.name, 1, 0)]], data))


def test_other_data_than_those_of_the_protocol_are_refused():
    X, y = toy.load_toy("small")
    reply = run_packed(packed_task(METHODS["logistic"], SentData(X + 1e-9, y)))
    assert reply.kind == "refused"
    assert "the data set 'small' came as 38x3 crc32" in reply.value


@pytest.mark.slow
def test_code_beside_a_methods_file_is_sent_by_its_source(tmp_path):
    """The worker is a process that can't import the file, nor what it imports from its folder."""
    (tmp_path / "of_mine_helpers.py").write_text(
        "from sklearn.dummy import DummyClassifier\nclass Mine(DummyClassifier):\n    pass\n"
    )
    (tmp_path / "of_mine.py").write_text(
        "from of_mine_helpers import Mine\ndef make_methods():\n    return {'mine': Mine()}\n"
    )
    (method,) = methods_of({"methods": [str(tmp_path / "of_mine.py")]})
    task = pickle.loads(packed_task(METHODS["logistic"]))
    protocol = replace(task.protocol, source={"methods": [str(tmp_path / "of_mine.py")]})
    groups = [[Cell("small", "mine", 1, 0)]]
    (tmp_path / "task").write_bytes(
        pack(replace(task, protocol=protocol, method=method, groups=groups))
    )
    script = (
        "import sys; from skimbal.benchmark._cluster_task import run_packed\n"
        f"reply = run_packed(open({str(tmp_path / 'task')!r}, 'rb').read())\n"
        "assert 'of_mine' not in sys.modules\n"
        "print(reply.kind, [status for _, status, _ in reply.value])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.split("\n")[0] == "done ['done']", done.stderr


def test_a_method_that_can_not_be_sent_is_an_error(tmp_path, use):
    connection = socket.socket()
    method = Method("bound", "", lambda seed: DummyClassifier(constant=connection.family))
    bound = replace(method, make=lambda seed: DummyClassifier() if connection else None)
    with connection, pytest.raises(ValueError, match="'bound' can't be sent to other machines"):
        run_benchmark(toy.SUITE, [bound], out=tmp_path, **use(FakeCluster()))


def test_a_worker_keeps_a_few_data_sets(monkeypatch):
    monkeypatch.setattr(_cluster_task, "MAX_SETS", 1)
    packed = packed_task(METHODS["logistic"])
    task = pickle.loads(packed)
    without = pack(replace(task, data=None))
    assert run_packed(without).kind == "no data"
    assert run_packed(packed).kind == "done"
    assert run_packed(without).kind == "done"
    other = replace(task.protocol, fingerprints={"small": "other"})
    assert run_packed(pack(replace(task, protocol=other, data=None))).kind == "no data"


def test_groups_are_sent(tmp_path, use, without_processes):
    options = {"n_folds": 3, "n_trials": 1}
    constant = Method("constant", "", lambda seed: DummyClassifier())
    frames = Suite(
        "frames",
        ("watch",),
        lambda name: (pd.DataFrame(toy.load_windows(name)[0][:, 0]), toy.load_windows(name)[1]),
        load_groups=toy.persons,
    )
    tables = [
        run_benchmark(frames, [constant, "svm"], out=tmp_path / kind, **options, **where)
        for kind, where in (("a", use(FakeCluster())), ("b", {}))
    ]
    pd.testing.assert_frame_equal(*map(scores, tables))


# ---------------------------------------------------------------- costs


def test_costs_are_measured_or_estimated():
    costs = Costs({"small": 10, "large": 1000})
    assert costs.seconds("large", "dbn") == 100 * costs.seconds("small", "dbn")
    costs.add("small", "dbn", 1.0)
    costs.add("small", "dbn", 3.0)
    assert costs.seconds("small", "dbn") == 2.0
    assert costs.seconds("large", "dbn") == 200.0
    assert costs.seconds("small", "svm") == 2.0
    assert [costs.is_measured(name) for name in ("dbn", "svm")] == [True, False]
    table = pd.DataFrame(
        {
            "dataset": ["small", "small"],
            "method": ["svm", "svm"],
            "fit_seconds": [4.0, np.nan],
            "predict_seconds": [1.0, np.nan],
        }
    )
    costs.add_table(table)
    assert costs.seconds("small", "svm") == 5.0


def test_the_queue_gives_the_costliest_first_and_tried_cells_by_themselves():
    costs = Costs({"small": 10, "large": 1000})
    costs.add("small", "dbn", 0.001)
    queue = Queue(costs)
    cells = {name: [[Cell(name, "dbn", fold, 0)] for fold in range(40)] for name in costs.sizes}
    queue.put(cells["small"])
    queue.put(cells["large"][:3])
    queue.put(cells["large"][3:5], tried=True)
    sizes = []
    while queue:
        sizes.append((len(groups := queue.pop()), groups[0][0].dataset))
    assert sizes == [(3, "large"), (1, "large"), (1, "large"), (25, "small"), (15, "small")]


def test_the_makespan_is_that_of_largest_first():
    assert makespan([3.0, 3.0, 2.0, 2.0, 2.0], 2) == 7.0
    assert makespan([1.0], 100) == 1.0


# ---------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backend": "dusk"}, "unknown backend 'dusk'; did you mean 'dask'"),
        ({"backend": "dask"}, "backend='dask' needs the address of a scheduler, such as"),
        ({"backend": "ray"}, "backend='ray' needs the address of a scheduler, such as"),
        ({"scheduler": "tcp://a:1"}, "scheduler='tcp://a:1' needs backend='dask' or 'ray'"),
        (
            {"backend": "dask", "scheduler": "tcp://a:1", "n_jobs": 2},
            "jobs=2 is not usable with backend='dask'",
        ),
    ],
)
def test_options_that_do_not_fit_are_refused(options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        toy.run_toy(tmp_path / "out", **options)
    with pytest.raises(ValueError, match=message):
        resume(tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("address", ["nowhere", "tcp://nowhere", "tcp://a:b", "", "10.0.0.1:99999"])
def test_an_address_needs_a_host_and_a_port(address):
    with pytest.raises(ValueError, match=r"give its host and port, such as tcp://10\.0\.0\.1:8786"):
        check_answers(address)


def test_a_scheduler_that_does_not_listen_is_one_line(tmp_path, capsys, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        command = ["run", "--suite", "demo", "--methods", "svm", "--out", str(tmp_path / "out")]
        assert cli.main([*command, "--backend", "dask", "--scheduler", address]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"skimbal: the scheduler {address} can't be reached (")
    monkeypatch.setitem(sys.modules, "distributed", types.ModuleType("distributed"))
    with pytest.raises(ConnectionError, match="can't be reached"):
        toy.run_toy(tmp_path / "out", backend="dask", scheduler=address)
    assert not (tmp_path / "out").exists()


@contextlib.contextmanager
def listener(greeting, reply=b""):
    """The address of a program that greets one caller, and then answers what comes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            with contextlib.suppress(OSError), server.accept()[0] as caller:
                caller.sendall(greeting)
                if reply and caller.recv(100):
                    caller.sendall(reply)
                caller.recv(100)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
    thread.join()


SIZE = (304).to_bytes(8, "little")  # of the first message of a scheduler of dask
SETTINGS = bytes([0, 0, 6, 4, 0, 0, 0, 0, 0])  # the first frame of HTTP/2


@pytest.mark.parametrize(
    ("backend", "greeting", "reply"),
    [("dask", SIZE, b""), ("ray", SETTINGS, b""), ("ray", b"", SETTINGS), (None, b"any", b"")],
)
def test_a_scheduler_is_known_by_how_it_begins(backend, greeting, reply, monkeypatch):
    monkeypatch.setattr(_backends, "ANSWER_S", 60.0)  # a busy machine takes its time
    with listener(greeting, reply) as address:
        check_answers(address, backend)


@pytest.mark.parametrize("backend", ["dask", "ray"])
@pytest.mark.parametrize("greeting", [b"HTTP/1.1 400 Bad Request", b"SSH-2.0-OpenSSH_9", b"a", b""])
def test_another_program_at_the_address_is_said_at_once(backend, greeting, monkeypatch):
    """The packages would wait for minutes, or allocate as much memory as a text says."""
    monkeypatch.setattr(_backends, "ANSWER_S", 0.5)
    message = f"can't be reached .what listens there is no scheduler of {backend}.; check"
    with listener(greeting) as address, pytest.raises(ConnectionError, match=message):
        check_answers(address, backend)


def test_encrypted_schedulers_are_not_asked(monkeypatch):
    monkeypatch.setenv("RAY_USE_TLS", "1")
    for backend, scheme in (("dask", "tls://"), ("ray", "")):
        with listener(b"") as address:
            check_answers(scheme + address, backend)


def test_the_note_of_a_head_that_is_gone_is_one_line(monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        noted = f"127.0.0.1:{free.getsockname()[1]}"
        services = types.ModuleType("ray._private.services")
        services.canonicalize_bootstrap_address = lambda address: noted
        monkeypatch.setitem(sys.modules, "ray._private.services", services)
        with pytest.raises(ConnectionError, match=f"the scheduler {noted} can't be reached"):
            _ray_cluster("auto", [])

    def find_none(address):
        raise ConnectionError("Could not find any running Ray instance.")

    services.canonicalize_bootstrap_address = find_none
    with pytest.raises(ConnectionError, match=r"the scheduler auto can't be reached .Could not"):
        _ray_cluster("auto", [])


def test_an_interrupt_tells_how_to_go_on_with_the_cluster():
    options = types.SimpleNamespace(name="run", out="x", backend="dask", scheduler="a:1")
    assert cli._advice(options) == "; resume with: skimbal resume x --backend dask --scheduler a:1"


def test_a_backend_that_is_not_installed_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ValueError, match=r"not installed: pip install dask distributed"):
        toy.run_toy(tmp_path, backend="dask", scheduler="tcp://127.0.0.1:1")


def test_versions_that_agree_are_no_reason():
    assert reason_to_refuse(versions_here(), versions_here()) is None
    assert reason_to_refuse(None, versions_here()) == "it did not say which versions it has"
