"""A comparison on a cluster of processes of this machine, which is disturbed; prints a transcript.

A scheduler of dask and its workers are processes of their own on the loopback address. One worker
lacks skimbal, one says that it has another version of scikit-learn, one is killed in the middle,
one joins late, and the scheduler is killed and started again. In the end the cells are compared
with those of a run in one process, to the bit.

Needs the extra `cluster`, and the KEEL sets (SKIMBAL_DATA, or the extra `keel`).
"""

import argparse
import contextlib
import os
import site
import socket
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from _tiny import parse_arguments

import skimbal
from skimbal.benchmark import report
from skimbal.benchmark._store import Store

DATASETS = "glass0,new-thyroid1,ecoli3,glass5"
METHODS = "dbn-prior,mlp,logistic-balanced"
N_TRIALS = 1
KILL_WORKER_AT = 0.2  # of the cells
KILL_SCHEDULER_AT = 0.55
LIMIT_S = 2400
MEASURED = ["fit_seconds", "predict_seconds", "fit_mib", "finished"]
# Every process takes the skimbal of this one.
TREE = str(Path(skimbal.__file__).parents[1])


class Transcript:
    """Prints lines with the seconds since the start, and keeps them."""

    def __init__(self):
        self.lines, self.start = [], time.monotonic()

    def say(self, text):
        for line in text.splitlines() or [""]:
            stamped = f"{time.monotonic() - self.start:6.1f} s  {line}".rstrip()
            self.lines.append(stamped)
            print(stamped, flush=True)


class Processes:
    """Processes of one scene; all of them end with it."""

    def __init__(self, folder, transcript):
        self.folder, self.transcript = folder, transcript
        self.alive = []

    def start(self, shown, command, **environment):
        """Start a process whose output goes to a file; `shown` stands in the transcript."""
        self.transcript.say(f"$ {shown} &")
        log = (self.folder / f"{len(list(self.folder.glob('*.log')))}.log").open("w")
        process = subprocess.Popen(
            command, env=os.environ | environment, cwd=self.folder, stdout=log, stderr=log
        )
        process.log = Path(log.name)
        self.alive.append(process)
        return process

    def kill(self, process, shown):
        self.transcript.say(f"$ kill -9 {shown}")
        process.kill()
        process.wait()
        self.alive.remove(process)

    def end(self):
        for process in self.alive:
            process.kill()
        for process in self.alive:
            process.wait()


class Cluster(Processes):
    """A scheduler of dask on a free port, and workers of it."""

    def __init__(self, folder, transcript):
        super().__init__(folder, transcript)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"

    def start_scheduler(self):
        options = ["--host", "127.0.0.1", "--port", str(self.port)]
        process = self.start(
            f"dask scheduler {' '.join(options)}",
            [sys.executable, "-m", "dask", "scheduler", *options, "--no-dashboard"],
        )
        wait_for(self._answers)
        return process

    def _answers(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def start_worker(self, note="", python=(sys.executable,), **environment):
        own = ["--no-nanny", "--no-dashboard", "--host", "127.0.0.1"]
        own += ["--local-directory", str(self.folder / "spill"), "--death-timeout", "60"]
        return self.start(
            f"dask worker {self.address} --nthreads 1 --no-nanny{note}",
            [*python, "-m", "dask", "worker", self.address, "--nthreads", "1", *own],
            **environment,
        )


def wait_for(condition):
    end = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"nothing happened for {LIMIT_S} s")
        time.sleep(0.05)


def without_skimbal(folder):
    """Options of Python and a path of all its packages but skimbal."""
    folder.mkdir()
    for entry in Path(site.getsitepackages()[0]).iterdir():
        if "skimbal" not in entry.name.lower():
            (folder / entry.name).symlink_to(entry)
    return [sys.executable, "-S"], str(folder)


def with_other_scikit_learn(folder):
    """A path that says that scikit-learn has another version."""
    own = folder / "scikit_learn-1.7.0.dist-info"
    own.mkdir(parents=True)
    (own / "METADATA").write_text("Metadata-Version: 2.1\nName: scikit-learn\nVersion: 1.7.0\n")
    return os.pathsep.join([str(folder), TREE])


def run(transcript, folder, arguments):
    """A command of skimbal until it ends; what it prints stands in the transcript."""
    transcript.say(f"$ skimbal {' '.join(arguments)}")
    done = subprocess.run(
        [sys.executable, "-m", "skimbal", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    transcript.say((done.stdout + done.stderr).strip() or f"(exit code {done.returncode})")


def n_done(folder):
    """Number of the cells of a run that are finished."""
    with contextlib.suppress(ValueError):  # there is no file yet, or it has no tables yet
        return Store.open(folder).n_finished()
    return 0


def disturb(cluster, folder, n_cells, workers, scheduler):
    """Kill a worker, let another join, kill the scheduler, each when a share of cells is done."""
    out = folder / "cluster"
    wait_for(lambda: n_done(out) >= KILL_WORKER_AT * n_cells)
    cluster.transcript.say(f"# {n_done(out)} of {n_cells} cells are finished")
    cluster.kill(workers[0], "WORKER_1")
    cluster.start_worker("        # joins late")
    wait_for(lambda: n_done(out) >= KILL_SCHEDULER_AT * n_cells)
    cluster.transcript.say(f"# {n_done(out)} of {n_cells} cells are finished")
    cluster.kill(scheduler, "SCHEDULER")


def compare(transcript, one, two):
    """Compare the cells of two runs, but not their times and memory; raise if any differs."""
    tables = [report(folder).cells.drop(columns=MEASURED) for folder in (one, two)]
    transcript.say(
        f"# {len(tables[0])} and {len(tables[1])} cells, equal to the bit except times and memory:"
    )
    pd.testing.assert_frame_equal(*tables, check_exact=True)
    transcript.say("True")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="docs/results/cluster_run.txt", help="the transcript")
    options = parse_arguments(
        parser, globals(), DATASETS="glass0,ecoli3", METHODS="mlp,logistic-balanced", N_TRIALS=1
    )
    os.environ["PYTHONPATH"] = TREE
    transcript = Transcript()
    names = ["--suite", "demo", "--datasets", DATASETS, "--methods", METHODS]
    names += ["--trials", str(N_TRIALS), "--quiet"]
    n_cells = 5 * N_TRIALS * len(DATASETS.split(",")) * len(METHODS.split(","))
    with TemporaryDirectory() as name:
        folder = Path(name)
        cluster = Cluster(folder, transcript)
        try:
            play(cluster, transcript, folder, names, n_cells)
        finally:
            cluster.end()
    Path(options.out).write_text("\n".join(transcript.lines) + "\n", encoding="utf-8")


def play(cluster, transcript, folder, names, n_cells):
    """All scenes: a run in one process, the run that is disturbed, and the run that is resumed."""
    where = ["--backend", "dask", "--scheduler", cluster.address]
    run(transcript, folder, ["run", *names, *where, "--out", "cluster"])  # nothing listens there
    run(transcript, folder, ["run", *names, "--out", "serial"])
    scheduler = cluster.start_scheduler()
    workers = [cluster.start_worker(f"        # WORKER_{n}") for n in (1, 2)]
    python, path = without_skimbal(folder / "packages")
    cluster.start_worker("        # without skimbal", python, PYTHONPATH=path)
    other = with_other_scikit_learn(folder / "other")
    cluster.start_worker("        # with scikit-learn 1.7", PYTHONPATH=other)
    arguments = ["run", *names, *where, "--out", "cluster"]
    runner = cluster.start(
        f"skimbal {' '.join(arguments)}", [sys.executable, "-m", "skimbal", *arguments]
    )
    disturb(cluster, folder, n_cells, workers, scheduler)
    runner.wait(LIMIT_S)
    cluster.alive.remove(runner)
    transcript.say(runner.log.read_text().strip())
    transcript.say(f"# exit code {runner.returncode}; {n_done(folder / 'cluster')} cells are kept")
    cluster.start_scheduler()
    for _ in range(2):
        cluster.start_worker()
    run(transcript, folder, ["resume", "cluster", *where, "--quiet"])
    compare(transcript, folder / "serial", folder / "cluster")


if __name__ == "__main__":
    main()
