"""What a search for costs has in memory, and probabilities in single precision."""

import tracemalloc

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from skimbal import TunedCostClassifierCV
from skimbal.cost_sensitive import find_costs

N = 500_000
# Bytes of the candidates that a search keeps, at most 100,000.
KEPT = 2**23
rng = np.random.default_rng(0)
Y = (rng.random(N) < 0.1).astype(np.int8)
P = np.clip(rng.normal(0.2 + 0.4 * Y, 0.2), 0.001, 0.999)


class Scores(ClassifierMixin, BaseEstimator):
    """The only column of the inputs is the probability of class 1."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        proba = np.empty((len(X), 2), dtype=X.dtype)
        np.subtract(1, X[:, 0], out=proba[:, 0])
        proba[:, 1] = X[:, 0]
        return proba


def peak(function):
    """Bytes that a function has at a time, with its result."""
    tracemalloc.start()
    try:
        result = function()
        return result, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# In single precision the log-odds, in double, are as large as the probabilities.
@pytest.mark.parametrize(("dtype", "times"), [(np.float64, 2.5), (np.float32, 4.0)])
def test_a_search_on_all_rows_copies_no_probabilities(dtype, times):
    X = P.astype(dtype)[:, None]
    tuned = TunedCostClassifierCV(Scores().fit(X, Y), cv="prefit").fit(X[:1000], Y[:1000])
    _, n_bytes = peak(lambda: tuned.fit(X, Y))
    assert n_bytes < times * 2 * X.nbytes + KEPT  # with the probabilities themselves
    np.testing.assert_array_equal(tuned.window_counts_, np.bincount(Y[-500:]))


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("search", ["auto", "jade"])
@pytest.mark.parametrize("shrinkage", [0.0, 0.5])
def test_probabilities_in_single_precision_are_as_in_double(n_classes, search, shrinkage):
    proba = rng.dirichlet(np.ones(n_classes), size=300).astype(np.float32)
    y = np.arange(300) % n_classes
    options = {"search": search, "shrinkage": shrinkage, "max_generations": 3, "random_state": 0}
    single = find_costs(y, proba, **options)
    double = find_costs(y, proba.astype(np.float64), **options)
    np.testing.assert_array_equal(single.costs, double.costs)
    np.testing.assert_array_equal(single.scores, double.scores)


def test_single_precision_takes_less_memory():
    proba = np.column_stack([1.0 - P, P])
    find_costs(Y[:100], proba[:100])
    sizes = [
        peak(lambda own=own: find_costs(Y, own))[1] for own in (proba, proba.astype(np.float32))
    ]
    assert sizes[1] < 1.1 * sizes[0]  # it was 1.8 times: a copy in double


@pytest.mark.parametrize(
    ("bad", "message"),
    [(np.nan, "negative, NaN or infinite"), (-0.1, "negative, NaN"), (np.inf, "infinite entries")],
)
def test_bad_probabilities_in_single_precision(bad, message):
    proba = np.full((6, 2), 0.5, dtype=np.float32)
    proba[3, 1] = bad
    with pytest.raises(ValueError, match=message):
        find_costs(np.arange(6) % 2, proba)
    proba[3] = 0.0
    with pytest.raises(ValueError, match="row 3 of proba is all zero"):
        find_costs(np.arange(6) % 2, proba)
