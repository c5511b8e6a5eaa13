"""Peers of other packages: categories as they are, and what happens without the packages."""

import importlib
import os
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from skimbal.benchmark import Suite, run_benchmark
from skimbal.benchmark._cell import evaluate
from skimbal.benchmark._methods import METHODS, for_frames
from skimbal.benchmark._peer_methods import EXTRAS, package
from skimbal.benchmark._run import environment

from .test_frames import make_table

PACKAGES = {
    "lightgbm-prior": "lightgbm",
    "catboost-prior": "catboost",
    "catboost-tuned": "catboost",
    "realmlp": "pytabkit",
    "tabm": "pytabkit",
}
# Of torch and lightning, in their own code.
OF_OTHERS = [
    "ignore:`isinstance.treespec, LeafSpec.` is deprecated:FutureWarning",
    "ignore:`torch.jit.script` is deprecated:DeprecationWarning",
]
pytestmark = [pytest.mark.filterwarnings(text) for text in OF_OTHERS]
NATIVE = [*PACKAGES, "hist-gradient-boosting-prior", "hist-gradient-boosting-tuned"]
# Few trees and epochs, wherever a method has such a parameter.
SMALL = {"iterations": 20, "n_estimators": 20, "max_iter": 20, "n_epochs": 4}


def make_small(make):
    classifier = make(1)
    names = classifier.get_params()
    small = {name: SMALL[end] for name in names if (end := name.rpartition("__")[2]) in SMALL}
    return classifier.set_params(**small)


@pytest.fixture(scope="module")
def table():
    """Rows in which a category decides, and their order in the alphabet does not help."""
    frame = make_table()
    random = np.random.default_rng(3)
    frame["code"] = random.choice(list("abcdef"), len(frame))
    frame.loc[::11, "code"] = None
    y = np.where(frame["code"].isin(["b", "e"]) ^ (random.random(len(frame)) < 0.05), "yes", "no")
    X = frame[["load", "type", "hot", "code"]].astype({"code": "category"})
    return X, y


@pytest.mark.parametrize("name", NATIVE)
def test_categories_reach_the_method_and_a_fit_repeats_itself(name, table, tmp_path, monkeypatch):
    if name in PACKAGES:
        pytest.importorskip(PACKAGES[name])
    monkeypatch.chdir(tmp_path)
    X, y = table
    classifier = make_small(for_frames(METHODS[name]).make)
    first = clone(classifier).fit(X, y)
    assert first.steps[-1][1].classes_.tolist() == ["no", "yes"]
    proba = first.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, atol=1e-5)
    np.testing.assert_array_equal(clone(classifier).fit(X, y).predict_proba(X), proba)
    assert set(first.predict(X)) <= {"no", "yes"}
    if name.partition("-")[0] in ("catboost", "hist"):  # few trees are enough
        assert roc_auc_score(y == "yes", proba[:, 1]) > 0.85
    unseen = X.assign(code="new", load=np.nan)
    assert np.isfinite(first.predict_proba(unseen)).all()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["catboost-prior", "realmlp", "hist-gradient-boosting-prior"])
def test_three_classes(name, table):
    if name in PACKAGES:
        pytest.importorskip(PACKAGES[name])
    X, _ = table
    y = np.array(["c", "a", "b"])[np.arange(len(X)) % 3]
    split = (X[:90], X[90:], y[:90], y[90:])
    ((status, values),) = evaluate(
        lambda seed: make_small(for_frames(METHODS[name]).make), [0], [split]
    )
    assert status == "done", values["error"]
    assert values["log_loss"] > 0


@pytest.mark.parametrize(("name", "extra"), EXTRAS.items())
def test_a_missing_package_is_named_with_its_extra(name, extra, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    message = rf"it needs {name}, which can't be imported \(.*\): pip install .*\.\[{extra}\]'"
    with pytest.raises(ModuleNotFoundError, match=message), package(name):
        importlib.import_module(name)


def test_a_run_without_the_package_of_a_method_does_not_begin(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "catboost", None)
    suite = Suite.from_frame(make_table(), "failed", "machine")
    message = (
        r"the method 'catboost-prior' can't be made: ModuleNotFoundError: it needs catboost, .*"
        r"pip install catboost pytabkit"
    )
    with pytest.raises(ValueError, match=message):
        run_benchmark(suite, ["logistic", "catboost-prior"], out=tmp_path / "out", n_folds=3)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["lightgbm", "catboost", "pytabkit"])
def test_a_run_records_the_version_of_a_peer(name):
    pytest.importorskip(name)
    assert environment()[name] == importlib.metadata.version(name)
