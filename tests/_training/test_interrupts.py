"""A real SIGINT gets out of every fit, and leaves whole epochs; see `interrupted_fits.py`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("interrupted_fits.py")


def start(*arguments):
    """Start the script in a group of processes of its own, as a shell does."""
    return subprocess.Popen(
        [sys.executable, SCRIPT, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def outcomes_of(process):
    out, err = process.communicate()
    assert process.returncode == 0, err
    lines = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    return {line.pop("name"): line for line in lines}


@pytest.fixture(scope="module")
def outcomes():
    return outcomes_of(start("here"))


PLACES = [
    "batch",
    "batch, early stopping",
    "batch, weights and mixup",
    "validation",
    "score of training data",
    "epoch end",
    "epoch end, early stopping",
    "epoch end before skorch's",
    "epoch end after skorch's",
    "while skorch's ends the training",
    "epoch begin",
    "gradients",
    "batch end",
    "stream",
]


@pytest.mark.parametrize("network", ["mlp", "cnn"])
@pytest.mark.parametrize("place", PLACES)
def test_a_network_keeps_its_whole_epochs(network, place, outcomes):
    outcome = outcomes[f"{network}: {place}"]
    assert outcome["ended_by"] == "interrupt"
    assert outcome["is_fitted"]
    assert 2 <= outcome["n_iter"] <= 4
    assert outcome["epochs"] == list(range(1, outcome["n_iter"] + 1))
    assert outcome["n_in_net"] == outcome["n_iter"]
    assert outcome["n_nan"] == 0
    assert outcome["n_best"] == 1
    assert not outcome["is_training"]
    assert outcome["proba_sums"]


@pytest.mark.parametrize("network", ["mlp", "cnn"])
def test_without_a_whole_epoch_there_is_no_fit(network, outcomes):
    """A callback that saves the network at the end does not hide the interrupt."""
    outcome = outcomes[f"{network}: first epoch"]
    assert outcome == {"ended_by": "interrupt", "is_fitted": False}


def test_the_process_is_usable_afterwards(outcomes):
    assert outcomes["afterwards"]["n_iter"] == 2


@pytest.mark.parametrize(
    "name",
    [
        "DBN, pre-training",
        "DBN",
        "TunedCost of mlp",
        "TunedCost of cnn",
        "TunedCost of stopping cnn",
        "TunedCost of many cnns",
        "ECSDBN, pre-training",
        "ECSDBN",
        "bagging",
        "bagging of cnns",
        "AdaBoost",
        "ECO",
        "DESearchCV",
        "BayesSearchCV",
        "WindowedClassifier",
        "WindowedClassifier of a stopping cnn",
    ],
)
def test_every_estimator_around_networks_lets_it_out(name, outcomes):
    assert outcomes[name]["ended_by"] == "interrupt"


@pytest.fixture(scope="module")
def workers():
    return outcomes_of(start("workers"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["population", "TunedCost", "DESearchCV"])
def test_with_workers_the_group_is_interrupted(name, workers):
    assert workers[name]["ended_by"] == "interrupt"


@pytest.mark.slow
def test_the_first_seconds_of_a_process_leave_it_usable():
    """Half of the import of torch's compiler would make every later fit fail."""
    delays = [0.1, 0.4, 1.0, 2.0]
    for first, second in zip(delays[::2], delays[1::2], strict=True):
        for process in [start("first", first), start("first", second)]:  # side by side
            outcome = outcomes_of(process)["first"]
            assert outcome["ended_by"] == "interrupt"
            assert outcome["n_iter"] == 2
