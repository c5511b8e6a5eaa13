import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import multivariate_normal, norm
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern

from skimbal.model_selection import _gaussian_process as gp

REAL = np.array([False, False])
MIXED = np.array([False, True])


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    points = np.column_stack([rng.random(12), rng.integers(0, 3, 12) / 3 + 1 / 6])
    return points, np.sin(5 * points[:, 0]) + points[:, 1] + 0.05 * rng.normal(size=12)


def test_covariance_is_the_matern_function_of_scikit_learn():
    points = np.random.default_rng(0).random((6, 1))
    distances = (points - points.T) ** 2
    np.testing.assert_allclose(gp.matern_52(distances), Matern(1.0, nu=2.5)(points), rtol=1e-12)


@pytest.mark.parametrize("squared_distance", [0.01, 0.5, 4.0])
def test_slope_is_the_derivative_of_the_covariance(squared_distance):
    step = 1e-6
    rise = gp.matern_52(squared_distance + step) - gp.matern_52(squared_distance - step)
    assert gp.matern_52_slope(squared_distance) == pytest.approx(rise / (2 * step), rel=1e-6)


def test_differences_of_categories_are_0_or_1():
    points = np.array([[0.1, 0.25], [0.4, 0.75], [0.2, 0.75]])
    real, categorical = gp.squared_differences(points, MIXED)
    np.testing.assert_allclose(real[0], [0, 0.09, 0.01])
    np.testing.assert_array_equal(categorical, [[0, 1, 1], [1, 0, 0], [1, 0, 0]])


def density(theta, points, losses, is_categorical):
    """The negative log posterior from SciPy's densities, mean and variance found by brute force."""
    scaled = gp.squared_differences(points, is_categorical) / np.exp(2 * theta[:-1])[:, None, None]
    K = gp.matern_52(scaled.sum(axis=0)) + np.exp(theta[-1]) * np.eye(len(points))
    ones = np.ones(len(losses))
    mean = ones @ np.linalg.solve(K, losses) / (ones @ np.linalg.solve(K, ones))
    variance = (losses - mean) @ np.linalg.solve(K, losses - mean) / len(losses)
    prior = norm.logpdf(theta[:-1], *gp.LENGTH_PRIOR).sum() + norm.logpdf(
        theta[-1], *gp.NOISE_PRIOR
    )
    return -multivariate_normal.logpdf(losses, mean * ones, variance * K) - prior


@pytest.mark.parametrize("is_categorical", [REAL, MIXED])
def test_posterior_density_of_the_hyperparameters(data, is_categorical):
    points, losses = data
    differences = gp.squared_differences(points, is_categorical)
    thetas = [np.array([-1.0, 0.3, -4.0]), np.array([0.2, -0.7, -2.0])]
    ours = [gp.negative_log_posterior(theta, differences, losses)[0] for theta in thetas]
    naive = [density(theta, points, losses, is_categorical) for theta in thetas]
    assert ours[0] - ours[1] == pytest.approx(naive[0] - naive[1], rel=1e-9)


@pytest.mark.parametrize("is_categorical", [REAL, MIXED])
def test_gradient_of_the_posterior_density(data, is_categorical):
    points, losses = data
    differences = gp.squared_differences(points, is_categorical)
    theta = np.array([-1.0, 0.3, -4.0])
    _, gradient = gp.negative_log_posterior(theta, differences, losses)
    numeric = approx_fprime(
        theta, lambda t: gp.negative_log_posterior(t, differences, losses)[0], 1e-6
    )
    np.testing.assert_allclose(gradient, numeric, rtol=1e-4, atol=1e-4)


def test_singular_covariances_have_infinite_value():
    points = np.full((3, 2), 0.5)
    theta = np.array([0.0, 0.0, -200.0])
    differences = gp.squared_differences(points, REAL)
    value, gradient = gp.negative_log_posterior(theta, differences, np.arange(3.0))
    assert value == np.inf
    assert not gradient.any()


def test_fit_finds_the_dimension_that_matters():
    rng = np.random.default_rng(0)
    points = rng.random((25, 2))
    theta = gp.fit_hyperparameters(gp.squared_differences(points, REAL), np.sin(8 * points[:, 0]))
    assert theta[0] < theta[1] - 1


def test_fit_is_no_worse_than_its_start(data):
    points, losses = data
    differences = gp.squared_differences(points, MIXED)
    start = np.array([-2.0, 1.0, -1.0])
    fitted = gp.fit_hyperparameters(differences, losses, start)
    value = gp.negative_log_posterior(fitted, differences, losses)[0]
    assert value < gp.negative_log_posterior(start, differences, losses)[0]
    assert value < gp.negative_log_posterior(gp._prior_of(3)[0], differences, losses)[0]


def test_prediction_is_that_of_scikit_learn(data):
    points, losses = data
    theta = np.array([-1.0, 0.3, -4.0])
    ours = gp.Posterior.of(points, losses, theta, REAL)
    kernel = ConstantKernel(ours.variance, "fixed") * Matern(np.exp(theta[:-1]), "fixed", nu=2.5)
    noise = ours.variance * np.exp(theta[-1])
    theirs = GaussianProcessRegressor(kernel, alpha=noise).fit(points, losses - ours.mean)
    new = np.random.default_rng(1).random((7, 2))
    mean, std = theirs.predict(new, return_std=True)
    np.testing.assert_allclose(ours.predict(new), [mean + ours.mean, std], rtol=1e-7)


def test_prediction_goes_through_losses_without_noise(data):
    points, losses = data
    posterior = gp.Posterior.of(points, losses, np.array([-1.0, 0.3, np.log(1e-7)]), REAL)
    mean, std = posterior.predict(points)
    np.testing.assert_allclose(mean, losses, atol=1e-4)
    assert std.max() < 1e-2
    assert std.min() > 0


def test_gradients_of_the_prediction(data):
    posterior = gp.Posterior.of(*data, np.array([-1.0, 0.3, -4.0]), REAL)
    points = np.random.default_rng(1).random((4, 2))
    mean, std, d_mean, d_std = posterior.predict_with_gradients(points)
    np.testing.assert_allclose([mean, std], posterior.predict(points), rtol=1e-9)
    for i, point in enumerate(points):
        for j, gradient in enumerate((d_mean[i], d_std[i])):
            numeric = approx_fprime(point, lambda u, j=j: posterior.predict(u[None])[j][0], 1e-6)
            np.testing.assert_allclose(gradient, numeric, rtol=1e-3, atol=1e-5)


def test_order_of_categories_makes_no_difference(data):
    points, losses = data
    theta = np.array([-1.0, 0.3, -4.0])
    swapped = points.copy()
    swapped[:, 1] = 1 - points[:, 1]
    new = points[:5] * [0.9, 1.0]
    predictions = [
        gp.Posterior.of(told, losses, theta, MIXED).predict(asked)
        for told, asked in [(points, new), (swapped, np.column_stack([new[:, 0], 1 - new[:, 1]]))]
    ]
    # 1 - u is exact for the centers of three parts only up to rounding
    np.testing.assert_allclose(predictions[0], predictions[1], rtol=1e-9)
