"""Features of extreme learning machines: kernels with the training rows, or random nodes.

Both are computed in two steps. `raw` gives what does not depend on the width: distances, products,
or the inputs of the nodes. `values` applies the width `gamma` to it, so that many widths share one
`raw`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.metrics.pairwise import euclidean_distances, manhattan_distances

ACTIVATIONS = {
    "sigmoid": expit,
    "tanh": np.tanh,
    "relu": lambda inputs: np.maximum(inputs, 0.0),
}
KERNELS = ("rbf", "laplacian", "poly")


def kernel_raw(kernel, X, Z):
    """Squared Euclidean distances, L1 distances or products of the rows of two tables."""
    if kernel == "rbf":
        return euclidean_distances(X, Z, squared=True)
    return manhattan_distances(X, Z) if kernel == "laplacian" else X @ Z.T


def kernel_values(kernel, raw, gamma, degree, coef0):
    """exp(-gamma raw), or (gamma raw + coef0)^degree for "poly"."""
    with np.errstate(over="ignore", invalid="ignore"):  # `lowest_press` checks the values
        return (gamma * raw + coef0) ** degree if kernel == "poly" else np.exp(-gamma * raw)


def inverse_or_one(scale):
    """1 / scale, or 1 where nothing varies."""
    return float(1.0 / scale) if scale > 0 else 1.0


@dataclass(frozen=True)
class KernelFeatures:
    """Kernel values of inputs with the training rows.

    Attributes
    ----------
    kernel : {"rbf", "laplacian", "poly"}
    degree : int
    coef0 : float
        Of "poly".
    rows : ndarray of shape (n_rows, n_features)
        The training rows, encoded.
    """

    kernel: str
    degree: int
    coef0: float
    rows: NDArray[np.float64]

    def raw(self, X):
        """Distances to the training rows, or products with them."""
        return kernel_raw(self.kernel, X, self.rows)

    def values(self, raw, gamma):
        """Kernel values, shape (n, n_rows)."""
        return kernel_values(self.kernel, raw, gamma, self.degree, self.coef0)

    def default_gamma(self, raw, weight):
        """1 / mean distance of two training rows; for "poly" 1 / mean squared norm."""
        if self.kernel == "poly":
            return inverse_or_one(weight @ raw.diagonal() / weight.sum())
        return inverse_or_one(weight @ raw @ weight / weight.sum() ** 2)


@dataclass(frozen=True)
class NodeFeatures:
    """Activations of random nodes, g(gamma a_k x + b_k).

    Attributes
    ----------
    activation : {"sigmoid", "tanh", "relu"}
    node_weights : ndarray of shape (n_features, n_nodes)
    node_biases : ndarray of shape (n_nodes,)
    """

    activation: str
    node_weights: NDArray[np.float64]
    node_biases: NDArray[np.float64]

    def raw(self, X):
        """Inputs of the nodes, without biases."""
        return X @ self.node_weights

    def values(self, raw, gamma):
        """Activations, shape (n, n_nodes)."""
        return ACTIVATIONS[self.activation](gamma * raw + self.node_biases)

    def default_gamma(self, raw, weight):
        """1 / root mean square of the inputs of the nodes."""
        return inverse_or_one(np.sqrt(weight @ (raw**2).mean(axis=1) / weight.sum()))


def draw_nodes(n_features, n_nodes, activation, rng):
    """Return nodes whose weights and biases are uniform in [-1, 1]."""
    drawn = rng.uniform(-1.0, 1.0, size=(n_nodes, n_features + 1))  # node k is that of k + 1 nodes
    return NodeFeatures(activation, drawn[:, :-1].T.copy(), drawn[:, -1].copy())
