"""Each script of this folder still runs: with ``--tiny``, on small data, within seconds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from . import stand_in_data

FOLDER = Path(__file__).parent
SCRIPTS = sorted(path for path in FOLDER.glob("*.py") if "\n    main()\n" in path.read_text())
WRITE_A_FOLDER = (
    "augmentation",
    "bayes_optimizer",
    "cifar_losses",
    "convolution_population",
    "costs_or_weights",
    "groups",
    "iwce_spheres",
    "loss_times",
    "motor_cases",
    "population_speed",
    "rare_shell",
    "search_speed",
    "spheres_level",
    "watch_losses",
)
OPTIONS = {
    "code_figures": [],
    "de_variants": ["{out}/runs", "--out", "{out}"],
    "journeys": [],
    "keel58_tables": ["{out}/one", "{out}/two", "--name", "tiny", "--out", "{out}"],
    "mixed_suite_tables": ["{out}/one", "{out}/two", "--out", "{out}"],
    "suite_tables": ["{out}/run", "--name", "tiny", "--out", "{out}"],
    **{name: ["--out", "{out}"] for name in WRITE_A_FOLDER},
}

# Of packages that only developers install.
NEEDS = {"drifting_stream": ["river"], "search_on_cluster": ["distributed"]}


@pytest.fixture(scope="module")
def data_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    stand_in_data.write_all(folder)
    return folder


@pytest.mark.extended
@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_script_runs(script, data_folder, tmp_path):
    for package in NEEDS.get(script.stem, ()):
        pytest.importorskip(package)
    options = OPTIONS.get(script.stem, ["--out", "{out}/table.csv"])
    command = [sys.executable, "-W", "ignore", str(script), "--tiny"]
    run = subprocess.run(
        command + [option.format(out=tmp_path) for option in options],
        env=os.environ | {"SKIMBAL_DATA": str(data_folder), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    assert list(tmp_path.iterdir()) or "--out" not in options
