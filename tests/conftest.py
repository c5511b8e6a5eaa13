"""Settings of every test process: one numerics thread, and no file outside pytest's folders."""

import os

# Read when NumPy's and torch's libraries load, so before any test imports them.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MPLBACKEND"] = "Agg"

import pytest


@pytest.fixture(autouse=True, scope="session")
def cache_folder(tmp_path_factory):
    """Keep skimbal's cache away from the user's; subprocesses inherit it."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("skimbal-cache")
        patch.setenv("SKIMBAL_CACHE", str(folder))
        yield folder
