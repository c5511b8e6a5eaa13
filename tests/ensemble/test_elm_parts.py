"""Inputs, features and probabilities of extreme learning machines."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import laplacian_kernel, polynomial_kernel, rbf_kernel
from sklearn.preprocessing import QuantileTransformer
from sklearn.utils.estimator_checks import check_transformer_general

from skimbal.ensemble._elm_features import KernelFeatures, draw_nodes
from skimbal.ensemble._elm_inputs import (
    GaussianRanks,
    fit_weighted_encoder,
    join_copies,
    sign_targets,
)
from skimbal.ensemble._elm_posteriors import (
    MAX_SLOPE,
    MIN_SLOPE,
    class_scores,
    fit_slope,
    log_posteriors,
    posteriors,
    smoothed_labels,
)
from skimbal.ensemble._elm_problem import zong_weights

RNG = np.random.default_rng(0)
X, Z = RNG.normal(size=(20, 4)), RNG.normal(size=(7, 4))
REFERENCES = {
    "rbf": rbf_kernel,
    "laplacian": laplacian_kernel,
    "poly": lambda A, B, gamma: polynomial_kernel(A, B, degree=3, gamma=gamma, coef0=1),
}


# ---------------------------------------------------------------- inputs


def test_copies_are_joined_with_their_weights():
    rows = np.array([[1.0, 0.0], [2.0, 2.0], [1.0, -0.0], [1.0, 0.0]])
    data = join_copies(rows, np.array([0, 1, 1, 0]), 2, np.array([1.0, 2.0, 3.0, 0.5]), None)
    assert data.X.tolist() == [[1, 0], [2, 2]]
    assert data.class_sums.tolist() == [[1.5, 3.0], [0.0, 2.0]]
    assert data.row_of_sample.tolist() == [0, 1, 0, 0]
    assert data.is_lone().tolist() == [True, False]
    weight, targets = data.weighted_targets(np.array([2.0, 1.0]))
    assert weight.tolist() == [6.0, 2.0]
    assert targets.tolist() == [[0.0], [1.0]]


def test_copies_of_different_groups_are_not_joined():
    rows = np.array([[1.0], [1.0], [1.0], [2.0]])
    data = join_copies(rows, np.zeros(4, int), 1, np.ones(4), np.array([3, 0, 3, 3]))
    assert data.X.tolist() == [[1.0], [1.0], [2.0]]
    assert data.units.tolist() == [0, 1, 1]


def test_targets_of_several_classes_are_one_against_the_rest():
    np.testing.assert_array_equal(sign_targets(4), 2 * np.eye(4) - 1)


@pytest.mark.parametrize("encoding", ["rank", "standard", "minmax"])
def test_encoders_take_weights_as_copies(encoding):
    n_times = RNG.integers(1, 5, len(X))
    weighted = fit_weighted_encoder(encoding, X, n_times.astype(float))
    repeated = fit_weighted_encoder(encoding, X.repeat(n_times, axis=0), np.ones(n_times.sum()))
    assert_allclose(weighted.transform(Z), repeated.transform(Z), rtol=1e-10)


def test_gaussian_ranks_are_those_of_scikit_learn_but_for_the_ends():
    column = np.random.default_rng(1).exponential(size=(400, 1))
    own = GaussianRanks().fit(column).transform(column)
    reference = QuantileTransformer(n_quantiles=400, output_distribution="normal")
    is_inner = np.abs(own) < 2
    assert_allclose(own[is_inner], reference.fit_transform(column)[is_inner], atol=0.03)
    assert np.abs(own).max() == pytest.approx(3.0233, abs=1e-4)  # of a half of 400


def test_gaussian_ranks_stay_in_their_range():
    ranks = GaussianRanks().fit(X)
    assert_allclose(ranks.transform(X.max(axis=0)[None] + 9), ranks.transform(X).max(axis=0)[None])


def test_gaussian_ranks_are_a_transformer():
    check_transformer_general("GaussianRanks", GaussianRanks())


# ---------------------------------------------------------------- weights of the classes


@pytest.mark.parametrize(
    ("weighting", "expected"),
    [
        (None, [1.0, 1.0, 1.0]),
        ("W1", [1 / 60, 1 / 30, 1 / 10]),
        ("W2", [0.618 / 60, 1 / 30, 1 / 10]),  # 30 is not above the mean of 33.3
    ],
)
def test_class_weights_of_the_article(weighting, expected):
    counts = np.array([60.0, 30.0, 10.0])
    weight = zong_weights(counts, weighting)
    assert_allclose(weight / weight[2], np.array(expected) / expected[2])
    assert weight @ counts == pytest.approx(100)


# ---------------------------------------------------------------- features


@pytest.mark.parametrize("kernel", REFERENCES)
def test_kernels_are_those_of_scikit_learn(kernel):
    features = KernelFeatures(kernel, 3, 1, X)
    for gamma in (0.1, 2.0):
        assert_allclose(
            features.values(features.raw(Z), gamma), REFERENCES[kernel](Z, X, gamma=gamma)
        )


@pytest.mark.parametrize("kernel", ["rbf", "laplacian"])
def test_the_default_width_is_the_mean_distance(kernel):
    features, weight = KernelFeatures(kernel, 3, 1, X), RNG.uniform(size=len(X))
    differences = np.abs(X[:, None] - X) ** (2 if kernel == "rbf" else 1)
    mean = np.average(differences.sum(axis=2).ravel(), weights=(weight[:, None] * weight).ravel())
    assert_allclose(features.default_gamma(features.raw(X), weight), 1 / mean)
    same = KernelFeatures(kernel, 3, 1, np.ones((3, 2)))
    assert same.default_gamma(same.raw(same.rows), np.ones(3)) == 1.0


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
def test_the_first_nodes_are_those_of_a_smaller_machine(activation):
    one, ten = (draw_nodes(4, n, activation, np.random.RandomState(0)) for n in (1, 10))
    values = ten.values(ten.raw(X), 0.5)
    assert values.shape == (20, 10)
    assert_allclose(values[:, :1], one.values(one.raw(X), 0.5))
    assert np.abs(ten.node_weights).max() <= 1


# ---------------------------------------------------------------- probabilities


def test_the_slope_has_the_largest_likelihood():
    """Logistic regression without intercept or penalty on the smoothed labels."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 60)
    decision, weight = rng.normal(size=60) + labels - 0.5, np.array([1.0, 3.0])
    class_sums = np.eye(2)[labels]
    mass = (class_sums * weight) @ smoothed_labels(class_sums)
    reference = LogisticRegression(C=1e12, fit_intercept=False, tol=1e-10, max_iter=1000)
    reference.fit(np.tile(decision, 2)[:, None], np.repeat([0, 1], 60), mass.T.ravel())
    slope = fit_slope(decision[:, None], class_sums, weight)
    assert slope == pytest.approx(reference.coef_.item(), rel=1e-4)


def test_smoothed_labels_are_those_of_platt():
    assert_allclose(smoothed_labels(np.array([[8.0, 2.0]])), [[0.9, 0.1], [0.25, 0.75]])
    three = smoothed_labels(np.array([[8.0, 2.0, 6.0]]))
    assert_allclose(three[1], [0.125, 0.75, 0.125])
    assert_allclose(three.sum(axis=1), 1)


@pytest.mark.parametrize(("sign", "slope"), [(1e-4, MAX_SLOPE), (-1.0, MIN_SLOPE)])
def test_the_slope_has_bounds(sign, slope):
    decision = sign * np.repeat([-1.0, 1.0], 20)[:, None]
    assert fit_slope(decision, np.eye(2)[np.repeat([0, 1], 20)], np.ones(2)) == slope


def test_separated_classes_have_a_finite_slope():
    decision, class_sums = np.repeat([-1.0, 1.0], 20)[:, None], np.eye(2)[np.repeat([0, 1], 20)]
    slope = fit_slope(decision, class_sums, np.ones(2))
    assert posteriors(decision, slope)[-1, 1] == pytest.approx(21 / 22)


def test_probabilities_keep_the_order_of_the_outputs():
    decision = RNG.normal(size=(30, 3))
    proba = posteriors(decision, 2.0)
    assert (proba.argmax(axis=1) == decision.argmax(axis=1)).all()
    assert_allclose(proba.sum(axis=1), 1)
    assert_allclose(np.log(proba), log_posteriors(decision, 2.0))
    assert_allclose(posteriors(decision[:, :1], 2.0)[:, 1], expit(2 * decision[:, 0]))
    assert class_scores(decision) is decision
