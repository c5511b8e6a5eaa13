"""The server of the examples: it loads a saved file and answers rows as JSON."""

import doctest
import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import numpy as np
import pytest

from skimbal.persistence import save

ROOT = Path(__file__).parents[1]
SERVER = ROOT / "examples" / "serve.py"
PAGE = (ROOT / "docs" / "guide" / "serving.rst").read_text()


def answer(address, body):
    with urlopen(address, data=body.encode(), timeout=60) as response:
        return json.load(response)


def model_of_the_page():
    """What the first lines of the guide define."""
    names = {}
    for example in doctest.DocTestParser().get_examples(PAGE[: PAGE.index("A server in Python")]):
        exec(example.source, names)
    names["folder"].cleanup()
    return names["model"], names["X"]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The classifier of the guide, its rows, and the address where it is served on a free port."""
    model, X = model_of_the_page()
    path = tmp_path_factory.mktemp("served") / "model.skimbal"
    save(model, path)
    command = [sys.executable, str(SERVER), str(path), "0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, **pipes) as server:
        address = server.stdout.readline().strip()
        yield model, X, address
        server.terminate()


@pytest.mark.slow
def test_rows_are_answered_as_the_classifier_predicts(served):
    model, X, address = served
    proba, labels = model.predict_proba(X[:5]), model.predict(X[:5])
    for row, own_proba, label in zip(X, proba, labels, strict=False):
        found = answer(address, json.dumps(row.tolist()))
        assert found["label"] == label
        assert list(found["probabilities"]) == ["failure", "fine"]
        np.testing.assert_allclose(list(found["probabilities"].values()), own_proba, rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("[1, 2]", "X has 2 features"),
        ("[1, 2, 3, NaN]", "contains NaN"),
        ('["a", 2, 3, 4]', "could not convert string to float"),
        ('{"a": 1}', "float"),
        ("[1, 2", "delimiter"),
        ("", "Expecting value"),
    ],
)
def test_a_wrong_row_is_an_error_of_the_caller(served, body, message):
    with pytest.raises(HTTPError) as caught:
        answer(served[2], body)
    assert caught.value.code == 400
    assert re.search(message, json.load(caught.value)["error"])
    assert "label" in answer(served[2], json.dumps([0.0] * 4))


@pytest.mark.slow
def test_the_answer_of_the_guide(served):
    body, shown = re.search(r"curl --data '(.*)' http.*\n *(\{.*\})", PAGE).groups()
    found, shown = answer(served[2], body), json.loads(shown)
    assert found["label"] == shown["label"]
    assert found["probabilities"] == pytest.approx(shown["probabilities"], abs=0.002)


def test_the_server_has_at_most_thirty_lines_of_code():
    lines = SERVER.read_text().splitlines()
    assert sum(bool(line.strip()) for line in lines) <= 30
