"""The regression of extreme learning machines against brute force."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skimbal.ensemble._elm_ridge import dual_ridge, node_ridge, press, primal_ridge

C = 3.0


def problem(n=25, n_features=8, n_targets=2, seed=0):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, n_features))
    return features, rng.uniform(0.2, 4.0, n), rng.normal(size=(n, n_targets))


def brute_force(features, weight, targets):
    """(I / C + H' W H)^-1 H' W T, the primal form of the article."""
    W = np.diag(weight)
    matrix = np.eye(features.shape[1]) / C + features.T @ W @ features
    return np.linalg.inv(matrix) @ features.T @ W @ targets


@pytest.mark.parametrize("shape", [(25, 8), (8, 25), (12, 12)], ids=str)
@pytest.mark.parametrize("form", ["primal", "dual", "smaller"])
def test_coefficients_are_those_of_the_article(form, shape):
    features, weight, targets = problem(*shape)
    units = np.arange(len(weight))
    if form == "dual":
        dual = dual_ridge(features @ features.T, weight, targets, C, units)
        coefficients = features.T @ dual.coefficients
    else:
        fit = primal_ridge if form == "primal" else node_ridge
        coefficients = fit(features, weight, targets, C, units).coefficients
    assert_allclose(coefficients, brute_force(features, weight, targets), rtol=1e-8)


def test_the_dual_form_is_that_of_the_article():
    features, weight, targets = problem()
    kernel = np.exp(-((features[:, None] - features) ** 2).sum(axis=2) / 10)
    dual = dual_ridge(kernel, weight, targets, C, np.arange(len(weight)))
    expected = np.linalg.solve(
        np.eye(len(kernel)) / C + weight[:, None] * kernel, weight[:, None] * targets
    )
    assert_allclose(dual.coefficients, expected, rtol=1e-8)


@pytest.mark.parametrize("units", ["rows", "groups"])
@pytest.mark.parametrize("shape", [(25, 8), (8, 25)], ids=str)
def test_closed_form_leave_one_out_is_that_of_refits(shape, units):
    features, weight, targets = problem(*shape)
    unit = np.arange(len(weight)) if units == "rows" else np.arange(len(weight)) % 5 // 2
    refits = np.empty_like(targets)
    for left_out in np.unique(unit):
        kept = unit != left_out
        beta = brute_force(features[kept], weight[kept], targets[kept])
        refits[~kept] = features[~kept] @ beta
    dual = dual_ridge(features @ features.T, weight, targets, C, unit)
    primal = primal_ridge(features, weight, targets, C, unit)
    for ridge in (dual, primal):
        assert_allclose(ridge.left_out, refits, rtol=1e-7, atol=1e-10)
        expected = (weight[:, None] * (targets - refits) ** 2).sum()
        assert_allclose(press(ridge, weight, targets), expected, rtol=1e-7)


def test_a_weight_of_two_is_two_copies_that_are_left_out_together():
    features, _, targets = problem()
    n_times = np.random.default_rng(1).integers(1, 4, len(features))
    rows = np.arange(len(features)).repeat(n_times)
    weighted = primal_ridge(features, n_times.astype(float), targets, C, np.arange(len(features)))
    repeated = primal_ridge(features[rows], np.ones(len(rows)), targets[rows], C, rows)
    assert_allclose(weighted.coefficients, repeated.coefficients, rtol=1e-8)
    assert_allclose(weighted.left_out[rows], repeated.left_out, rtol=1e-8)


def test_a_singular_regression_is_an_error_that_names_C():
    features, weight, targets = problem(40, 2)
    with pytest.raises(ValueError, match=r"with C=1e\+30 the regression is singular"):
        dual_ridge(features @ features.T, weight, targets, 1e30, np.arange(40))
