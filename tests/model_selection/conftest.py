"""What the tests of the searches share."""

import sys

import numpy as np
import pytest
from joblib.externals.loky.backend.reduction import cloudpickle
from sklearn.datasets import make_classification


@pytest.fixture(scope="module")
def data():
    """Three classes."""
    return make_classification(
        150, 5, n_informative=4, n_redundant=0, n_classes=3, weights=[0.7, 0.2, 0.1], random_state=0
    )


@pytest.fixture
def classes_of_this_file_in_workers(request):
    """Worker processes can't import a test file."""
    module = sys.modules[request.module.__name__]
    cloudpickle.register_pickle_by_value(module)
    yield
    cloudpickle.unregister_pickle_by_value(module)


@pytest.fixture
def rows():
    """A function that returns what a search did, without times."""

    def rows_of(search):
        return {
            key: np.asarray(value, dtype=object).tolist()
            for key, value in search.cv_results_.items()
            if "time" not in key
        }

    return rows_of
