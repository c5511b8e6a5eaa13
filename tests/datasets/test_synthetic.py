import numpy as np
import pytest
from scipy import stats

from skimbal.datasets import make_nested_spheres
from skimbal.datasets._synthetic import shell_radii


def test_counts_are_exactly_those_asked_for():
    spheres = make_nested_spheres(random_state=0)
    assert np.bincount(spheres.target).tolist() == [800, 400, 1000]
    assert np.bincount(spheres.target_test).tolist() == [3334, 3333, 3333]
    assert spheres.data.shape == (2200, 10)
    assert spheres.data_test.shape == (10_000, 10)


def test_labels_are_the_shells():
    """By the distribution function, not by the quantile function that drew them."""
    spheres = make_nested_spheres((30, 200, 70, 5), n_features=4, n_test=900, random_state=3)
    for X, y in ((spheres.data, spheres.target), (spheres.data_test, spheres.target_test)):
        levels = stats.chi2.cdf((X**2).sum(axis=1), df=4)
        np.testing.assert_array_equal(np.floor(4 * levels), y)
    radii = np.linalg.norm(spheres.data, axis=1)
    np.testing.assert_array_equal(np.searchsorted(spheres.boundaries, radii), spheres.target)


@pytest.mark.parametrize("seed", range(3))
def test_balanced_counts_give_a_standard_normal(seed):
    """Equal counts of equally probable shells, put together, are the normal distribution."""
    X, _, y, _ = make_nested_spheres(
        (3000,) * 3, n_features=3, n_test=0, random_state=seed, return_X_y=True
    )
    assert stats.kstest(X.ravel(), "norm").pvalue > 1e-3
    np.testing.assert_allclose(np.cov(X.T), np.eye(3), atol=0.06)
    # A shell is round: its mean is the origin.
    assert np.abs(X[y == 2].mean(axis=0)).max() < 0.15


def test_one_dimension_by_hand():
    """In one dimension and two classes the boundary is the upper quartile of the normal, 0.6745."""
    spheres = make_nested_spheres((50, 50), n_features=1, n_test=0, random_state=0)
    assert spheres.boundaries[0] == pytest.approx(0.67448975)
    assert (np.abs(spheres.data[:, 0]) < 0.67448975).tolist() == (spheres.target == 0).tolist()
    assert (spheres.data < 0).any()


def test_radii_stay_finite_at_the_end_of_the_last_shell():
    assert np.isfinite(shell_radii(np.array([2]), 3, 10, np.array([np.nextafter(1, 0)]))).all()


def test_same_seed_same_data():
    first, again = (make_nested_spheres(random_state=7, return_X_y=True) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
    assert (make_nested_spheres(random_state=8).data != first[0]).any()


def test_the_test_set_does_not_depend_on_the_training_set():
    first = make_nested_spheres((10, 10, 10), random_state=1).data_test
    np.testing.assert_array_equal(make_nested_spheres(random_state=1).data_test, first)


def test_rows_are_in_random_order():
    y = make_nested_spheres(random_state=0).target
    assert 0.4 < (np.diff(y) != 0).mean() < 0.8


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"class_counts": (5,)}, "two or more integers"),
        ({"class_counts": 5}, "two or more integers"),
        ({"class_counts": (5, 0)}, "integers >= 1"),
        ({"class_counts": (5, 2.5)}, "integers >= 1"),
        ({"n_features": 0}, "n_features=0 is not usable; give an integer >= 1"),
        ({"n_test": -1}, "n_test=-1 is not usable"),
        ({"n_test": True}, "n_test=True is not usable"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_nested_spheres(**arguments)
