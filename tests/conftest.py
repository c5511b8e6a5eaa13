"""Settings of every test process: one numerics thread, and no file outside pytest's folders.

Tests marked `extended` take minutes, or need what most machines lack. They run with ``--extended``
only (``make test-extended``). Tests that are marked here for where they are: those that the oldest
versions of the packages change nothing in (`any_version`), and one of two checks that fit each kind
of sparse table.
"""

import os
import signal
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

# Read when NumPy's and torch's libraries load, so before any test imports them.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MPLBACKEND"] = "Agg"

import numpy as np
import pytest
import torch

# A process that a shell starts in the background ignores SIGINT, and so would its children.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser):
    parser.addoption("--extended", action="store_true", help="run the tests marked extended, too")


TESTS = Path(__file__).parent
# Code that is torch's and skorch's, which both environments have at one version.
OF_TORCH = ("_training", "losses", "modules")
# What is written in the code and on the pages.
OF_TEXT = ("test_layers.py", "test_limits.py", "test_markdown_pages.py", "test_result_pictures.py")
ANY_VERSION = {TESTS / name for name in (*OF_TORCH, *OF_TEXT)}


@pytest.hookimpl(tryfirst=True)  # before pytest selects by markers
def pytest_collection_modifyitems(config, items):
    """Mark tests by their place, and deselect the extended ones, unless they are asked for.

    A marker expression in `addopts` would be replaced by that of the command line.
    """
    for item in items:
        if not ANY_VERSION.isdisjoint([item.path, *item.path.parents]):
            item.add_marker(pytest.mark.any_version)
        if item.name.endswith("check_estimator_sparse_array]"):
            item.add_marker(pytest.mark.slow)
    if config.getoption("--extended"):
        return
    extended = [item for item in items if item.get_closest_marker("extended")]
    config.hook.pytest_deselected(items=extended)
    items[:] = [item for item in items if item not in set(extended)]


@pytest.fixture(autouse=True)
def same_random_numbers():
    """What has no seed of its own draws the same numbers in each run of a test."""
    np.random.seed(0)  # noqa: NPY002 (what `random_state=None` of scikit-learn draws from)
    torch.manual_seed(0)


@pytest.fixture(autouse=True, scope="session")
def cache_folder(tmp_path_factory):
    """Keep skimbal's cache away from the user's; subprocesses inherit it."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("skimbal-cache")
        patch.setenv("SKIMBAL_CACHE", str(folder))
        yield folder


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


@pytest.fixture(scope="session")
def inline_workers():
    """A context in which runs start no worker; for fixtures of more than one test."""

    @contextmanager
    def patched():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("skimbal.benchmark._workers.Worker", InlineWorker)
            yield

    return patched


@pytest.fixture
def without_processes(inline_workers):
    """Start no worker, which takes seconds; for tests that are not about processes."""
    with inline_workers():
        yield
