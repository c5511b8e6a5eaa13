"""The blocks of the callbacks page that need TensorBoard or MLflow, where these are installed."""

import re
import textwrap
from pathlib import Path

import pytest
from sklearn.datasets import make_classification
from skorch.callbacks import Callback, TensorBoard

from skimbal import MLPClassifier
from skimbal.metrics import macro_f1

PAGE = (Path(__file__).parents[2] / "docs" / "guide" / "callbacks.rst").read_text()
X, y = make_classification(80, weights=[0.8], random_state=0)


class Tracking(Callback):
    """The class of the page."""

    def __init__(self, log):
        self.log = log

    def on_epoch_end(self, net, **data):
        row = net.history[-1]
        for name in ("train_loss", "valid_loss", "valid_score", "learning_rate"):
            if name in row:
                self.log(name, row[name], row["epoch"])


def block_with(text):
    """The code block of the page that has a text."""
    blocks = re.findall(r"\.\. code-block:: python\n\n((?:    .*\n|\n)+)", PAGE)
    (found,) = [block for block in blocks if text in block]
    return textwrap.dedent(found)


def run(block):
    names = {"X": X, "y": y, "X_test": X, "y_test": y, "macro_f1": macro_f1}
    exec(block, {**names, "Tracking": Tracking, "MLPClassifier": MLPClassifier})


def test_the_blocks_are_found():
    for tool in ("to_tensorboard", "to_mlflow"):
        compile(block_with(tool), tool, "exec")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard(tmp_path, monkeypatch):
    pytest.importorskip("tensorboard")
    monkeypatch.chdir(tmp_path)
    run(block_with("to_tensorboard"))
    assert list((tmp_path / "runs" / "first").iterdir())


@pytest.mark.filterwarnings("ignore")
def test_mlflow(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri((tmp_path / "runs").as_uri())
    run(block_with("to_mlflow"))
    assert list((tmp_path / "runs").iterdir())


class Writer:
    """Keeps what a writer of TensorBoard would write."""

    def __init__(self):
        self.rows = []

    def add_scalar(self, tag, scalar_value, global_step):
        self.rows.append((tag, global_step))


def test_a_writer_gets_the_figures_of_each_epoch():
    ours, theirs = Writer(), Writer()
    callbacks = [
        lambda: Tracking(ours.add_scalar),
        lambda: TensorBoard(theirs, close_after_train=False),
    ]
    MLPClassifier(callbacks=callbacks, max_epochs=2, random_state=0).fit(X, y)
    rows = [(name, epoch) for epoch in (1, 2) for name in ("train_loss", "learning_rate")]
    assert ours.rows == rows
    assert {"Loss/train_loss"} <= {tag for tag, _ in theirs.rows}
