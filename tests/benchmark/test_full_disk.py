"""A disk that fills: the run stops with one line, and what was done stays."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from skimbal.benchmark import _store
from skimbal.benchmark._store import Store

from . import toy
from .test_cluster import FakeCluster, scores, use  # noqa: F401 - `use` is a fixture


def fill_after(monkeypatch, n_pages):
    """Let the results file grow to so many pages of 4 kB."""
    connect = _store.connect

    def connect_to_full_disk(*arguments, **options):
        database = connect(*arguments, **options)
        database.execute(f"PRAGMA max_page_count = {n_pages}")
        return database

    monkeypatch.setattr(_store, "connect", connect_to_full_disk)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["processes", "dask"])
def test_a_full_disk_stops_the_run_and_loses_nothing(
    backend,
    tmp_path,
    use,  # noqa: F811 - the fixture
    without_processes,
):
    where = {"processes": dict, "dask": lambda: use(FakeCluster())}[backend]
    names = ["warning", "logistic"]
    with pytest.MonkeyPatch.context() as patch:
        fill_after(patch, 7)
        message = r"results\.sqlite can't be used \(database or disk is full\); free some space"
        with pytest.raises(OSError, match=message):
            toy.run_toy(tmp_path / "full", names, **where())
    assert 0 < Store.open(tmp_path / "full").n_finished() < 36
    resumed = toy.run_toy(tmp_path / "full", names, **where())
    whole = toy.run_toy(tmp_path / "whole", names)
    assert scores(resumed).equals(scores(whole))


@pytest.mark.slow
def test_a_limit_of_the_system_stops_worker_processes(tmp_path):
    """The limit of the size of a file stands for the disk; worker processes inherit it."""
    limited = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))\n"
        "from benchmark import toy; toy.run_toy(sys.argv[1], ['warning', 'logistic'], n_jobs=2)"
    )
    done = subprocess.run(
        [sys.executable, "-c", limited, str(tmp_path)],
        cwd=Path(__file__).parents[1],
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},  # or some would be cut off
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    # Processes that are killed may leave lines after it, such as that of the tracker of semaphores.
    errors = [line for line in done.stderr.splitlines() if line.startswith("OSError: ")]
    assert errors, done.stderr
    assert "results.sqlite can't be used (" in errors[-1]
    assert "then resume the run" in errors[-1]
    assert 0 < Store.open(tmp_path).n_finished() < 36
