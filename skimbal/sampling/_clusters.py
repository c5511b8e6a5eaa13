"""Over-sampling inside the clusters of the rare classes, which are contracted or expanded.

The idea is that of the ECO-ensemble (Lim, Goh & Tan 2017); the rules are those of this module.
"""

from collections.abc import Callable
from numbers import Integral, Real

import numpy as np
from imblearn.over_sampling.base import BaseOverSampler
from scipy import sparse
from sklearn.cluster import AgglomerativeClustering
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from skimbal._utils._warnings import warn
from skimbal.sampling._samples import check_numbers, in_type

# Agglomerative clusters need the distances of all pairs: 0.9 GB for so many samples.
MAX_SAMPLES = 15_000


def cluster_shares(labels, size_exponent):
    """Share of the new samples that each cluster gets: its size to a power, normalized.

    >>> cluster_shares(np.array([0, 0, 0, 1]), 1.0).tolist()
    [0.75, 0.25]
    >>> cluster_shares(np.array([0, 0, 0, 1]), 0.0).tolist()
    [0.5, 0.5]
    """
    powers = np.bincount(labels).astype(float) ** size_exponent
    return powers / powers.sum()


def cluster_centers(rows, labels):
    """Mean of each cluster, shape (n_clusters, n_values)."""
    return np.array([rows[labels == k].mean(axis=0) for k in range(labels.max() + 1)])


def draw_in_clusters(rows, labels, n_new, *, scale, size_exponent, rng):
    r"""Draw samples between members of a cluster, and move them from its center by a factor.

    .. math:: x = m_k + s \, (x_i + u (x_j - x_i) - m_k) , \qquad u \sim U(0, 1)

    with random members i and j of cluster k and its mean :math:`m_k`.

    Parameters
    ----------
    rows : ndarray of shape (n_samples, n_values)
        Samples of a class.
    labels : ndarray of int of shape (n_samples,)
        Their clusters, from 0.
    n_new : int
    scale : float
        The factor s.
    size_exponent : float
        As in `cluster_shares`.
    rng : RandomState

    Returns
    -------
    new : ndarray of shape (n_new, n_values)
    of_cluster : ndarray of int of shape (n_new,)
        The cluster of each.
    """
    shares = cluster_shares(labels, size_exponent)
    of_cluster = rng.choice(len(shares), n_new, p=shares)
    order = np.argsort(labels, kind="stable")
    sizes = np.bincount(labels)[of_cluster]
    first = np.searchsorted(labels[order], of_cluster)
    i, j = (rows[order[first + (rng.random_sample(n_new) * sizes).astype(int)]] for _ in range(2))
    between = i + rng.random_sample((n_new, 1)) * (j - i)
    center = cluster_centers(rows, labels)[of_cluster]
    return center + scale * (between - center), of_cluster


def possible_clusters(n_clusters, n_samples):
    """Number of clusters of two samples or more on average; at least 1.

    >>> possible_clusters(5, 100), possible_clusters(5, 7), possible_clusters(5, 1)
    (5, 3, 1)
    """
    return max(1, min(n_clusters, n_samples // 2))


class ClusterOverSampler(BaseOverSampler):
    r"""Over-sample inside agglomerative clusters, which are contracted or expanded.

    The samples of each class that grows are clustered. A new sample lies between two random members
    i and j of one cluster k, and is then moved toward the center of the cluster, or away from it:

    .. math:: x = m_k + s \, (x_i + u (x_j - x_i) - m_k) , \qquad u \sim U(0, 1)

    With s = 1 it lies in the convex hull of the cluster; s < 1 contracts the hull, s > 1 expands
    it. Unlike SMOTE, no sample is drawn between two clusters. Clusters are found on standardized
    values. Windows and images (n-d X) are reshaped to rows.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        Which classes grow to how many samples, as for the over-samplers of imbalanced-learn.
    n_clusters : int, default=3
        Clusters of each class. A class with fewer than 2 samples a cluster gets fewer clusters,
        with a warning.
    scale : float, default=1.0
        The factor s, 0 or more.
    size_exponent : float, default=1.0
        A cluster of n samples gets a share of the new samples in proportion to n to this power. 1
        treats all samples alike, 0 all clusters, so that small clusters grow most.
    linkage : {"average", "complete", "single", "ward"}, default="average"
        Which clusters are merged, as in scikit-learn's `AgglomerativeClustering`.
    random_state : int, RandomState instance or None, default=None
        Seed of the draws.

    Attributes
    ----------
    sampling_strategy_ : dict label -> int
        Number of drawn samples of each class.
    cluster_labels_ : dict label -> ndarray of int
        The cluster of each sample of the classes that grow, in the order of the samples.
    n_features_in_ : int
        Number of features (2-D X), or size of the first axis of a sample.

    Notes
    -----
    The clusters need the distances of all pairs of samples of a class, so a class that grows can
    have at most 15,000 samples.

    The reference has the idea: clusters of the rare class say where to over-sample. The formula
    above is the one of this package and not taken from there.

    References
    ----------
    P. Lim, C. K. Goh and K. C. Tan 2017, Evolutionary Cluster-Based Synthetic Oversampling Ensemble
    (ECO-Ensemble) for Imbalance Learning, IEEE Transactions on Cybernetics 47(9), 2850-2861,
    doi:10.1109/TCYB.2016.2579658.

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal.sampling import ClusterOverSampler
    >>> rng = np.random.default_rng(0)
    >>> rare = np.concatenate([rng.normal(-3, 1, (5, 2)), rng.normal(3, 1, (5, 2))])
    >>> X = np.concatenate([rng.normal(size=(40, 2)), rare])
    >>> y = np.repeat(["usual", "rare"], [40, 10])
    >>> sampler = ClusterOverSampler(n_clusters=2, scale=0.8, random_state=0)
    >>> X_new, y_new = sampler.fit_resample(X, y)
    >>> X_new.shape, sampler.cluster_labels_["rare"].tolist()
    ((80, 2), [1, 1, 1, 1, 1, 0, 0, 0, 0, 0])
    """

    _parameter_constraints: dict = {
        **BaseOverSampler._parameter_constraints,
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "scale": [Interval(Real, 0, None, closed="left")],
        "size_exponent": [Interval(Real, None, None, closed="neither")],
        "linkage": [StrOptions({"average", "complete", "single", "ward"})],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        sampling_strategy: float | str | dict | Callable = "auto",
        n_clusters: int = 3,
        scale: float = 1.0,
        size_exponent: float = 1.0,
        linkage: str = "average",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.n_clusters = n_clusters
        self.scale = scale
        self.size_exponent = size_exponent
        self.linkage = linkage
        self.random_state = random_state

    def _check_X_y(self, X, y, accept_sparse=("csr", "csc")):
        return check_numbers(self, X, y, accept_sparse)

    def _fit_resample(self, X, y):
        wanted = {label: n for label, n in self.sampling_strategy_.items() if n > 0}
        for label in wanted:
            check_class(label, (y == label).sum(), self.n_clusters)
        rng = check_random_state(self.random_state)
        dense = X.toarray() if sparse.issparse(X) else X
        rows = dense.reshape(len(dense), -1).astype(np.float64, copy=False)
        deviation = rows.std(axis=0)
        standard = rows / np.where(deviation > 0, deviation, 1.0)
        self.cluster_labels_ = {}
        parts, labels = [X], [y]
        for label, n_new in wanted.items():
            own = np.flatnonzero(y == label)
            self.cluster_labels_[label] = self._clusters(standard[own])
            new, _ = draw_in_clusters(
                rows[own],
                self.cluster_labels_[label],
                n_new,
                scale=self.scale,
                size_exponent=self.size_exponent,
                rng=rng,
            )
            new = in_type(new.reshape(-1, *dense.shape[1:]), X.dtype)
            parts.append(sparse.csr_matrix(new) if sparse.issparse(X) else new)
            labels.append(np.full(n_new, label, dtype=y.dtype))
        both = (
            sparse.vstack(parts, format=X.format) if sparse.issparse(X) else np.concatenate(parts)
        )
        return both, np.concatenate(labels)

    def _clusters(self, rows):
        n_clusters = possible_clusters(self.n_clusters, len(rows))
        if n_clusters == 1:
            return np.zeros(len(rows), dtype=int)
        return AgglomerativeClustering(n_clusters, linkage=self.linkage).fit_predict(rows)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def check_class(label, n_samples, n_clusters):
    """Raise a ValueError for a class that is too large, warn of one that is too small."""
    label = label.item() if isinstance(label, np.generic) else label
    if n_samples > MAX_SAMPLES:
        raise ValueError(
            f"class {label!r} has {n_samples} samples, but agglomerative clusters need the "
            f"distances of all pairs and take at most {MAX_SAMPLES}; leave the class out of "
            "sampling_strategy, or use another sampler"
        )
    possible = possible_clusters(n_clusters, n_samples)
    if n_samples == 1:
        warn(f"class {label!r} has 1 sample, so its new samples are copies of it")
    elif possible < n_clusters:
        warn(
            f"class {label!r} has {n_samples} samples, too few for n_clusters={n_clusters} of 2 "
            f"samples each; {possible} are used"
        )
