"""The same results on every joblib backend: processes, threads and a cluster of dask.

dask is in the extra `cluster`; without it its tests are skipped. With it:
``pip install -e ".[cluster]"`` and ``pytest tests/model_selection/test_backends.py``.
"""

import os
import warnings
from pathlib import Path

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
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0"
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


def one_that_kills_its_worker(folder):
    """An estimator whose second fit ends the process; a local class travels by value."""

    class Dies(LogisticRegression):
        def __init__(self, C=1.0, folder=folder):
            super().__init__(C=C)
            self.folder = folder

        def fit(self, X, y, sample_weight=None):
            n_before = len(list(Path(self.folder).iterdir()))
            (Path(self.folder) / f"{os.getpid()}-{n_before}").touch()
            if n_before == 1:
                os._exit(1)
            return super().fit(X, y, sample_weight)

    return Dies()


@pytest.mark.usefixtures("cluster")
def test_a_worker_of_a_cluster_that_dies_costs_a_retry(data, tmp_path):
    X, y = data
    whole = DESearchCV(LogisticRegression(), C_SPACE, cv=3, random_state=0, **BUDGETS[DESearchCV])
    whole.fit(X, y)
    search = clone(whole).set_params(
        estimator=one_that_kills_its_worker(str(tmp_path)), refit=False
    )
    with (
        parallel_config(backend="dask", wait_for_workers_timeout=600),
        warnings.catch_warnings(),
    ):
        # Which of the data is lost is chance: then it is our retry, otherwise one of dask.
        warnings.filterwarnings("ignore", message="a worker process died")
        search.fit(X, y)
    assert len({path.name.split("-")[0] for path in tmp_path.iterdir()}) >= 2
    for k in range(3):
        column = f"split{k}_test_score"
        np.testing.assert_array_equal(search.cv_results_[column], whole.cv_results_[column])
