"""Nested spheres: the synthetic set of the incremental weighted cross entropy.

Classes are shells of a standard normal distribution, cut where the squared radius passes the
quantiles of the chi-square distribution that it follows. No class is drawn by rejection: the
quantile function turns a uniform number into a squared radius of the wanted class.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats
from sklearn.utils import Bunch, check_random_state

from skimbal._utils._validation import is_whole_number
from skimbal.datasets._checks import check_count, unusable

_BELOW_ONE = np.nextafter(1.0, 0.0)


def shell_radii(labels, n_classes, n_features, uniform):
    """Radius of a normal vector of each label, from one number in [0, 1) each.

    The squared radius follows chi-square(n_features), so that of shell c is the quantile of
    (c + u) / n_classes with u uniform.
    """
    levels = np.minimum((labels + uniform) / n_classes, _BELOW_ONE)
    return np.sqrt(stats.chi2.ppf(levels, df=n_features))


def make_nested_spheres(
    class_counts: Sequence[int] = (800, 400, 1000),
    *,
    n_features: int = 10,
    n_test: int = 10_000,
    random_state: int | np.random.RandomState | None = None,
    return_X_y: bool = False,
) -> Any:
    r"""Draw shells of a standard normal distribution: imbalanced for training, balanced for tests.

    With C classes in d dimensions, class c holds the points with

    .. math:: F_d^{-1}(c / C) \le \|x\|^2 < F_d^{-1}((c + 1) / C),

    where F is the distribution function of chi-square(d). Under the normal distribution all
    classes are equally probable; `class_counts` makes the training set imbalanced. Within a class
    the points are exactly normal, given their shell.

    Parameters
    ----------
    class_counts : sequence of int, default=(800, 400, 1000)
        Training samples of each class, from the innermost shell outwards. There is one number for
        each of two or more classes, and each is 1 or more.
    n_features : int, default=10
        Dimensions, 1 or more.
    n_test : int, default=10_000
        Test samples, 0 or more. The counts of the classes differ by at most 1.
    random_state : int, RandomState or None, default=None
        Seed. With one seed and one number of classes, the test set does not depend on the counts.
    return_X_y : bool, default=False
        Return four arrays instead of a Bunch.

    Returns
    -------
    Bunch
        ``data`` of shape (n_train, n_features) and ``data_test`` of shape (n_test, n_features),
        float64; ``target`` and ``target_test``, the labels 0 to n_classes - 1; ``boundaries`` of
        shape (n_classes - 1,), the radii between the shells; ``feature_names``; ``DESCR``. Rows
        are in random order.
    X_train, X_test, y_train, y_test
        With ``return_X_y=True``.

    Raises
    ------
    ValueError
        If a count or size is out of range.

    Notes
    -----
    The default counts are those of the article on the incremental weighted cross entropy (Imam
    Hussein University, 1402).

    References
    ----------
    J. Zhu, H. Zou, S. Rosset, T. Hastie (2009), Multi-class AdaBoost, Statistics and Its Interface
    2(3), 349-360, figure 1, doi:10.4310/SII.2009.v2.n3.a8.

    Examples
    --------
    >>> from skimbal.datasets import make_nested_spheres
    >>> spheres = make_nested_spheres(random_state=0)
    >>> spheres.data.shape, spheres.data_test.shape
    ((2200, 10), (10000, 10))
    >>> spheres.boundaries.round(3).tolist()
    [2.759, 3.364]
    """
    train_counts = _check_counts(class_counts)
    check_count("n_features", n_features, 1)
    check_count("n_test", n_test, 0)
    n_classes = len(train_counts)
    rng = check_random_state(random_state)
    # The first classes get the remainder. The test set is drawn first: the training set may vary.
    test_counts = (n_test + n_classes - 1 - np.arange(n_classes)) // n_classes
    X_test, y_test = _draw(test_counts, n_features, rng)
    X, y = _draw(train_counts, n_features, rng)
    if return_X_y:
        return X, X_test, y, y_test
    quantiles = np.arange(1, n_classes) / n_classes
    return Bunch(
        data=X,
        target=y,
        data_test=X_test,
        target_test=y_test,
        boundaries=np.sqrt(stats.chi2.ppf(quantiles, df=n_features)),
        feature_names=[f"x{k}" for k in range(n_features)],
        DESCR=(
            f"Nested spheres: {n_classes} shells of a standard normal distribution in "
            f"{n_features} dimensions, equally probable under it. {len(X)} training samples "
            f"({', '.join(map(str, train_counts))}), {n_test} test samples in equal parts. "
            "Generated; not measured."
        ),
    )


def _draw(class_counts, n_features, rng):
    """Points and labels with exactly `class_counts`, in random order."""
    labels = rng.permutation(np.repeat(np.arange(len(class_counts)), class_counts))
    directions = rng.standard_normal((len(labels), n_features))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    radii = shell_radii(labels, len(class_counts), n_features, rng.random_sample(len(labels)))
    return directions * radii[:, None], labels


def _check_counts(class_counts):
    """`class_counts` as an int array, or a ValueError."""
    counts = list(class_counts) if np.iterable(class_counts) else []
    if len(counts) < 2 or not all(is_whole_number(count, 1) for count in counts):
        raise unusable("class_counts", class_counts, "two or more integers >= 1")
    return np.array(counts, dtype=np.int64)
