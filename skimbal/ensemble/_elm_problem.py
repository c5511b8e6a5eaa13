"""The problem that an extreme learning machine solves, for any class weights and widths."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skimbal.ensemble._elm_features import KernelFeatures
from skimbal.ensemble._elm_inputs import DistinctRows
from skimbal.ensemble._elm_ridge import Ridge, dual_ridge, node_ridge, press
from skimbal.metrics import score_labels

GOLDEN_RATIO = 0.618
C_GRID = tuple(2.0**k for k in range(-6, 11, 2))
GAMMA_FACTORS = tuple(2.0**k for k in range(-3, 4))
# Distances, kernel values, the inverse, and copies of it.
MATRICES_AT_ONCE = 5
BYTES = 8


def zong_weights(counts, weighting):
    """Weights of the classes, scaled so that the mean weight of a sample is 1.

    "W1" is 1 / n_c. "W2" is 0.618 / n_c for classes that are larger than the mean of the classes,
    1 / n_c for the others (Zong, Huang & Chen 2013). None is 1.

    >>> zong_weights(np.array([90.0, 10.0]), "W1").round(3).tolist()
    [0.556, 5.0]
    >>> zong_weights(np.array([90.0, 10.0]), "W2").round(3).tolist()
    [0.424, 6.18]
    """
    if weighting is None:
        return np.ones(len(counts))
    weight = 1.0 / counts
    if weighting == "W2":
        weight[counts > counts.mean()] *= GOLDEN_RATIO
    return weight * (counts.sum() / (counts @ weight))


@dataclass(frozen=True)
class Samples:
    """Samples to score decisions on: labels, weights or None, and the distinct row of each."""

    labels: NDArray
    weight: NDArray[np.float64] | None
    row: NDArray[np.intp]

    def score(self, scoring, classes, decided):
        """Score of decided labels."""
        return score_labels(scoring, classes, self.labels, decided, self.weight)


def samples_to_score(scoring, classes, data, labels, sample_weight):
    """Return the samples that a scorer gets.

    Scores with a name take weights, so copies are joined: the searches then don't depend on how
    often a row is written down. A scorer of one's own gets weights only if they are given.
    """
    if isinstance(scoring, str):
        rows, codes = np.nonzero(data.class_sums)
        return Samples(classes[codes], data.class_sums[rows, codes], rows)
    return Samples(labels, sample_weight, data.row_of_sample)


@dataclass(frozen=True)
class ELMProblem:
    """Encoded training data of a machine, with its features.

    Attributes
    ----------
    data : DistinctRows
        Distinct rows, not encoded.
    features : KernelFeatures or NodeFeatures
    raw : ndarray
        What the features compute of the training rows, without the width.
    """

    data: DistinctRows
    features: Any
    raw: NDArray[np.float64]

    def ridge(self, class_weight, C, values) -> Ridge:
        """The regression for weights of the classes, C and the values of the features."""
        weight, targets = self.data.weighted_targets(class_weight)
        fit = dual_ridge if isinstance(self.features, KernelFeatures) else node_ridge
        return fit(values, weight, targets, C, self.data.units)

    @property
    def counts(self):
        """The sample weight of each class."""
        return self.data.class_sums.sum(axis=0)

    def default_gamma(self):
        """The width from the spread of the training rows."""
        return self.features.default_gamma(self.raw, self.data.weight)


def choose_widths(problem, class_weight, C, gamma):
    """Return C, gamma and the regression with the lowest leave-one-out error.

    Of several values of both, gamma is chosen first, with the middle one of C.

    Parameters
    ----------
    problem : ELMProblem
    class_weight : ndarray of shape (n_classes,)
    C : float, "loo" or array-like
    gamma : float, "scale", "loo" or array-like

    Returns
    -------
    C, gamma : float
    ridge : Ridge
    """
    Cs = C_GRID if isinstance(C, str) else np.sort(np.ravel(C)).tolist()
    if isinstance(gamma, str):
        factors = (1.0,) if gamma == "scale" else GAMMA_FACTORS
        gammas = [factor * problem.default_gamma() for factor in factors]
    else:
        gammas = np.ravel(gamma).tolist()
    middle = Cs[len(Cs) // 2]
    if len(gammas) > 1:
        gammas = [lowest_press(problem, class_weight, [middle], gammas)[1]]
    return lowest_press(problem, class_weight, Cs, gammas)


def lowest_press(problem, class_weight, Cs, gammas):
    """Return the pair of C and gamma with the lowest PRESS, and its regression."""
    weight, targets = problem.data.weighted_targets(class_weight)
    lowest, best = np.inf, None
    for gamma in gammas:
        values = problem.features.values(problem.raw, gamma)
        if not np.isfinite(values).all():
            raise ValueError(
                f"with gamma={gamma:g} the values of the kernel or of the nodes are not finite; "
                "use another gamma, or an encoding that brings the features to one scale"
            )
        for C in Cs:
            ridge = problem.ridge(class_weight, C, values)
            error = press(ridge, weight, targets)
            if best is None or error < lowest:
                lowest, best = error, (C, gamma, ridge)
    return best


def check_grid(name, value, words):
    """Raise a ValueError for a grid of a parameter that is not of positive, finite numbers."""
    if isinstance(value, str):
        return
    grid = np.ravel(np.asarray(value, dtype=np.float64))
    if grid.size == 0 or not (np.isfinite(grid) & (grid > 0)).all():
        raise ValueError(
            f"{name}={value!r} must be a positive number, several of them, or one of {words}"
        )


def check_memory(n_rows, n_nodes, limit):
    """Raise a ValueError where the matrices of a fit don't fit into so many bytes.

    `n_nodes` is None for a kernel.
    """
    if n_nodes is None:
        n_bytes = MATRICES_AT_ONCE * BYTES * n_rows**2
        what = f"the kernel matrices of {n_rows} distinct rows"
        advice = "use kernel=None (random nodes, n_nodes columns in place of n_samples)"
    else:
        n_bytes = MATRICES_AT_ONCE * BYTES * (n_rows * n_nodes + min(n_rows, n_nodes) ** 2)
        what = f"the activations of {n_nodes} nodes for {n_rows} distinct rows"
        advice = "use fewer n_nodes"
    if n_bytes > limit:
        raise ValueError(
            f"{what} need {n_bytes / 2**30:.2f} GiB, but memory_limit={limit} allows "
            f"{limit / 2**30:.2f} GiB; {advice}, fewer samples, or a larger memory_limit"
        )
