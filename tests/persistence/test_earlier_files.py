"""Files that were written earlier are loaded, and their estimators predict what they did then."""

import json

import numpy as np
import pytest
from sklearn.base import clone

from skimbal import MLPClassifier
from skimbal.persistence import load
from skimbal.persistence._archive import FORMAT
from tests.persistence.earlier_files import ESTIMATORS, FOLDER, samples

FILES = sorted(FOLDER.glob("*.skimbal"))
# A file keeps the version of scikit-learn that has written its estimators.
ANY_VERSION = pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")


@ANY_VERSION
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_is_loaded_and_predicts_as_it_did(path):
    estimator, then = load(path), json.loads(path.with_suffix(".json").read_text())
    X, y = samples(*then["shape"])
    np.testing.assert_array_equal(estimator.predict(X), then["label"])
    np.testing.assert_allclose(estimator.predict_proba(X), then["probabilities"], atol=1e-6)
    assert set(clone(estimator).fit(X, y).predict(X)) <= {"fine", "rare"}


@ANY_VERSION
@pytest.mark.filterwarnings("ignore:the window")
def test_a_network_of_a_file_learns_on():
    pipeline = load(FOLDER / f"format_{FORMAT}_table.skimbal")
    X, y = samples(4)
    X = pipeline[0].transform(X)
    network = pipeline[1].estimator_
    assert isinstance(network, MLPClassifier)
    before = network.predict_proba(X)
    network.partial_fit(X, y)
    assert np.abs(network.predict_proba(X) - before).max() > 1e-4


def test_the_present_format_has_its_files():
    expected = {f"format_{FORMAT}_{name}" for name in ESTIMATORS}
    assert expected <= {path.stem for path in FILES}
