"""Fixtures of the runner's tests."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True, scope="session")
def importable_tests():
    """Let worker processes import the toy suite by the name that the tests have for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[1]))
        yield
