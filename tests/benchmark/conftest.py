"""Fixtures of the runner's tests."""

from concurrent.futures import Future
from pathlib import Path

import pytest


@pytest.fixture(autouse=True, scope="session")
def importable_tests():
    """Let worker processes import the toy suite by the name that the tests have for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[1]))
        yield


class InlineWorker:
    """Runs cells in the process of the test."""

    def __init__(self, runner):
        self.name = f"{runner}-inline"

    def stop(self, kill):
        pass

    def submit(self, function, *arguments):
        future = Future()
        try:
            future.set_result(function(self.name, *arguments))
        except Exception as error:
            future.set_exception(error)
        return future


@pytest.fixture
def without_processes(monkeypatch):
    """Start no worker, which takes seconds; for tests that are not about processes."""
    monkeypatch.setattr("skimbal.benchmark._workers.Worker", InlineWorker)
