"""The same results on every joblib backend: processes, threads and a cluster of dask.

dask is in the extra `cluster`; without it its tests are skipped. With it:
``pip install -e ".[cluster]"`` and ``pytest tests/model_selection/test_backends.py``.
"""

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

from skimbal import BayesSearchCV, DESearchCV, MLPClassifier
from skimbal.model_selection import class_weight_space

pytestmark = pytest.mark.slow  # worker processes import torch

C_SPACE = {"C": (0.001, 100.0, "log-uniform")}
BUDGETS = {
    DESearchCV: {"population_size": 4, "max_generations": 2},
    BayesSearchCV: {"n_iter": 6, "n_initial_points": 4, "n_points": 2},
}


@pytest.fixture(scope="module")
def data():
    """More than the kilobyte from which joblib sends arrays to dask's workers by themselves."""
    return make_classification(
        300, 20, n_informative=8, n_classes=3, weights=[0.7, 0.2], random_state=0
    )


@pytest.fixture(scope="module")
def searches(data):
    """Searches with both classes, for an estimator of scikit-learn and for networks, fitted."""
    weights = class_weight_space(data[1])
    network = MLPClassifier(hidden_layer_sizes=(6,), max_epochs=4)
    rates = {"learning_rate": (0.001, 0.1, "log-uniform")}
    return [
        Search(estimator, space | weights, cv=3, random_state=0, **budget).fit(*data)
        for Search, budget in BUDGETS.items()
        for estimator, space in ((LogisticRegression(), C_SPACE), (network, rates))
    ]


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster),
    ):
        yield cluster


def check_same(searches, data):
    """Fit each search again and compare to the bit."""
    for search in searches:
        other = clone(search).fit(*data)
        assert other.cv_results_["params"] == search.cv_results_["params"]
        for k in range(3):
            column = f"split{k}_test_score"
            np.testing.assert_array_equal(other.cv_results_[column], search.cv_results_[column])
        np.testing.assert_array_equal(other.predict_proba(data[0]), search.predict_proba(data[0]))


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_results_do_not_depend_on_the_backend(backend, searches, data):
    with parallel_config(backend=backend, n_jobs=2):
        check_same(searches, data)


@pytest.mark.usefixtures("cluster")
def test_a_cluster_gives_the_same_results(searches, data):
    with parallel_config(backend="dask"):
        check_same(searches, data)
