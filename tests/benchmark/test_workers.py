"""Workers that die, runs that are stopped, and how cells are grouped."""

import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from functools import partial
from pathlib import Path

import pytest
from joblib.externals.loky.process_executor import BrokenProcessPool

from skimbal.benchmark import Method, report, run_benchmark
from skimbal.benchmark._claims import claim_cell, count_death, free_cells, runner_lock
from skimbal.benchmark._protocol import Protocol
from skimbal.benchmark._store import Store
from skimbal.benchmark._workers import (
    _record_death,
    run_open_cells,
    split_by_attempts,
    termination_as_interrupt,
)

from . import toy


@pytest.fixture
def store(tmp_path):
    folds = {"a": list(range(1, 31))}
    protocol = Protocol("s", ["m"], folds, 30, 1, "stratified", 0, {"a": ""})
    return Store.create(tmp_path, protocol)


def attempt(store, cells):
    """Claim cells and give them up, as a worker that is killed does."""
    for cell in cells:
        with claim_cell(store, cell, 0):
            pass


def sizes(store, cells):
    return [len(part) for part in split_by_attempts(store, cells)]


def test_groups_shrink_with_every_attempt_without_a_result(store):
    cells = store.protocol().cells()[:25]
    assert sizes(store, cells) == [25]
    attempt(store, cells)
    assert sizes(store, cells) == [12, 12, 1]
    attempt(store, cells[:12])
    assert sizes(store, cells) == [12, 1, *[1] * 12]
    attempt(store, cells[:12])
    assert sizes(store, cells) == [12, 1, *[1] * 12]


def test_finished_cells_do_not_shrink_a_group(store):
    cells = store.protocol().cells()[:5]
    with claim_cell(store, cells[0], 0) as claim:
        claim.finish("failed", {"error": "x"})
    assert sizes(store, cells) == [5]


def test_a_death_counts_for_the_cells_of_that_worker_only(store):
    first, second, third = store.protocol().cells()[:3]
    with claim_cell(store, first, 0, "one"), claim_cell(store, second, 0, "two"):
        assert count_death(store, "two") == {second: 1}
    with claim_cell(store, second, 0, "one") as claim:
        claim.finish("failed", {"error": "x"})
    assert count_death(store, "one") == {first: 1}
    attempt(store, [third])
    assert count_death(store, "two") == {}


@pytest.mark.slow
@pytest.mark.parametrize(("how", "n_jobs"), [("signal", 2), ("exit", 1)])
def test_a_cell_that_kills_its_worker_fails_in_its_third_attempt(how, n_jobs, tmp_path):
    deadly = Method("deadly", "", partial(toy.make_dying, str(tmp_path), how))
    options = {"split": "official", "datasets": ["middle", "large"], "n_jobs": n_jobs}
    methods = [deadly, *toy.methods(["logistic"])]
    result = run_benchmark(toy.SUITE, methods, out=tmp_path / "out", **options)
    cells = result.cells.set_index(["dataset", "method", "fold"])
    assert len(cells) == 18
    (failed,) = cells.index[cells.status == "failed"]
    assert failed == ("middle", "deadly", 3)
    assert "The worker process died in each of 3 attempts" in cells.loc[failed, "error"]
    assert "WorkerDied" in result.to_markdown()
    # The cells of other workers are not tried again: nine fits, two of them of the deadly cell.
    assert len(list(tmp_path.glob("fit-*"))) == 9 + 2
    assert list((tmp_path / "out").glob("claim-*")) == []


@pytest.mark.slow
def test_one_deadly_cell_of_a_group_is_found(tmp_path):
    deadly = Method("deadly", "", partial(toy.make_deadly_network, str(tmp_path)))
    result = run_benchmark(
        toy.SUITE, [deadly], out=tmp_path / "out", split="official", datasets=["middle"]
    )
    cells = result.cells.set_index("fold")
    assert cells.status.to_dict() == {2: "done", 3: "failed", 4: "done", 5: "done"}


@pytest.mark.usefixtures("without_processes")
def test_an_exit_in_a_method_is_a_failure_of_the_cell(tmp_path):
    leaving = Method("leaving", "", lambda seed: toy.RaisingClassifier(SystemExit, "fit"))
    methods = [leaving, *toy.methods(["logistic"])]
    result = run_benchmark(toy.SUITE, methods, out=tmp_path, datasets=["small"], n_folds=2)
    cells = result.cells.groupby("method")
    assert cells.get_group("logistic").status.eq("done").all()
    assert cells.get_group("leaving").status.eq("failed").all()
    assert cells.get_group("leaving").error.str.contains("SystemExit: 3").all()


class NoWorker:
    """Stands for a worker whose process dies before it claims a cell."""

    name = "none"

    def start(self):
        pass

    def stop(self, kill):
        pass

    def submit(self, function, *arguments):
        future = Future()
        future.set_exception(BrokenProcessPool("cannot start"))
        return future


def test_workers_that_never_start_end_the_run(store, monkeypatch):
    monkeypatch.setattr("skimbal.benchmark._workers.POLL_INTERVAL_S", 0.01)
    cells = store.protocol().cells()
    with pytest.raises(RuntimeError, match=r"die before they run a cell .*cannot start.* are kept"):
        run_open_cells([NoWorker()], store, None, {}, cells, lambda: None)


class DyingAfterACell(NoWorker):
    """Finishes a cell of the store and dies then, outside of a claim."""

    def submit(self, function, store, *arguments):
        cells = arguments[-1]
        with claim_cell(store, cells[store.n_finished()], 0) as claim:
            claim.finish("done", {"g_mean": 0.5})
        return super().submit(function)


def test_workers_that_die_after_a_cell_do_not_end_the_run(store, monkeypatch):
    monkeypatch.setattr("skimbal.benchmark._workers.POLL_INTERVAL_S", 0.01)
    cells = store.protocol().cells()[:6]
    run_open_cells([DyingAfterACell()], store, None, {}, cells, lambda: None)
    assert store.n_finished() == 6


def test_a_cell_that_is_recorded_as_failed_is_not_free_in_between(tmp_path, monkeypatch):
    """The runner reads the data to record a failure; nobody may claim the cell meanwhile."""
    protocol = Protocol("toy", ["m"], {"small": [1, 2]}, 2, 1, "stratified", 0, {"small": ""})
    store = Store.create(tmp_path, protocol)
    cell = protocol.cells()[0]
    lock = runner_lock(store, "r")
    for n in range(3):
        with claim_cell(store, cell, 0, f"r-{n}"):
            pass
        if n < 2:
            count_death(store, f"r-{n}")
            free_cells(store, f"r-{n}")
    claims = []

    def load_split(*arguments):
        claims.append(claim_cell(store, cell, 0, "r-other"))
        return toy.load_toy_fold("large", 1)

    monkeypatch.setattr("skimbal.benchmark._workers.POLL_INTERVAL_S", 0.01)
    monkeypatch.setattr("skimbal.benchmark._workers.load_split", load_split)
    worker = NoWorker()
    worker.name = "r-2"
    assert _record_death(store, toy.SUITE, worker, RuntimeError("died")) == 1
    lock.release()
    assert claims == [None]
    assert store.cells().status.tolist() == ["failed"]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_termination_is_an_interrupt_within_the_block(name):
    number = getattr(signal, name)
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), termination_as_interrupt():
        signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_a_termination_that_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with termination_as_interrupt():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


# ---------------------------------------------------------------- processes that are stopped


def start_sleepers(tmp_path, seconds, jobs=2):
    """A run whose workers hold groups of cells that take `seconds` each."""
    marks = tmp_path / "marks"
    marks.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "benchmark.toy", str(tmp_path / "out"), str(jobs), str(marks)]
    return subprocess.Popen(
        [*command, f"sleeping-{seconds}"], cwd=Path(__file__).parents[1], stderr=subprocess.PIPE
    )


def wait_for(condition, seconds=300):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


def workers_of(runner):
    """Processes below a runner that Linux lists."""
    tasks = Path(f"/proc/{runner.pid}/task/{runner.pid}/children").read_text()
    return [int(pid) for pid in tasks.split()]


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's list of processes")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_their_runner(number, tmp_path):
    runner = start_sleepers(tmp_path, 600)
    with runner:
        wait_for(lambda: len(list((tmp_path / "marks").iterdir())) >= 2)
        workers = workers_of(runner)
        runner.send_signal(number)
        text = runner.stderr.read().decode() if number != signal.SIGKILL else ""
        runner.wait(300)
    assert len(workers) >= 2
    wait_for(lambda: not any(map(is_running, workers)))
    assert number == signal.SIGKILL or "KeyboardInterrupt" in text
    assert report(tmp_path / "out").cells.empty


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_makes_progress(tmp_path):
    """Groups of six cells take 30 s, and both are killed; then cells run alone, and are kept."""
    out, marks = tmp_path / "out", tmp_path / "marks"

    def n_fits():
        return len(list(marks.iterdir()))

    for life in (1, 2):
        with start_sleepers(tmp_path, 5, jobs=1) as runner:
            wait_for(lambda n=6 * life: n_fits() >= n)
            runner.kill()
            runner.communicate()
        assert Store.open(out).n_finished() == 0
    with start_sleepers(tmp_path, 5, jobs=1) as runner:
        wait_for(lambda: Store.open(out).n_finished() > 0)
        runner.kill()
        runner.communicate()
    assert 12 < n_fits() < 18
