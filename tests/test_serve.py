"""The server of the examples: it loads a saved file and answers rows as JSON."""

import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skimbal import FixedCostClassifier, MLPClassifier
from skimbal.persistence import save

SERVER = Path(__file__).parents[1] / "examples" / "serve.py"


def answer(address, body):
    with urlopen(address, data=body.encode(), timeout=60) as response:
        return json.load(response)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A classifier, rows, and the address where it is served on a free port."""
    X, y = make_classification(100, 6, weights=[0.8], random_state=0)
    network = FixedCostClassifier(MLPClassifier(max_epochs=5, random_state=0))
    model = make_pipeline(StandardScaler(), network).fit(X, np.array(["fine", "rare"])[y])
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
        assert list(found["probabilities"]) == ["fine", "rare"]
        np.testing.assert_allclose(list(found["probabilities"].values()), own_proba, rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("[1, 2]", "X has 2 features"),
        ("[1, 2, 3, 4, 5, NaN]", "contains NaN"),
        ('["a", 2, 3, 4, 5, 6]', "could not convert string to float"),
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
    assert "label" in answer(served[2], json.dumps([0.0] * 6))


def test_the_server_has_at_most_thirty_lines_of_code():
    code = SERVER.read_text().split('"""')[2]
    assert sum(bool(line.strip()) for line in code.splitlines()) <= 30
