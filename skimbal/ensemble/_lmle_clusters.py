"""Clusters of each class, and the large-margin decision between the nearest ones (LMLE)."""

import warnings

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from skimbal.sampling import BaseBatches

# The largest squared distance of two points of length 1 or less.
MAX_DISTANCE = 4.0


def unit_length(features):
    """Scale rows to length 1; those shorter than 1e-3 stay shorter than 1, as in the loss.

    >>> unit_length(np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    return features / np.sqrt(np.maximum((features**2).sum(axis=1, keepdims=True), 1e-6))


def cluster_numbers(class_counts, n_distinct, cluster_size):
    """Number of clusters of each class: n / cluster_size, but at least 2 of 2 samples or more.

    A class of fewer than four samples has one cluster. No class has more clusters than distinct
    samples.

    >>> cluster_numbers(np.array([300, 24, 5, 3]), np.array([300, 24, 5, 3]), 10).tolist()
    [30, 2, 2, 1]
    """
    n_clusters = np.round(class_counts / cluster_size).astype(int)
    most = np.minimum(class_counts // 2, n_distinct)
    return np.maximum(np.minimum(np.maximum(n_clusters, 2), most), 1)


def class_clusters(points, targets, n_clusters, weight, rng, before=None):
    """Cluster the samples of each class by k-means; the clusters are numbered through.

    Parameters
    ----------
    points : ndarray of shape (n_samples, n_features)
    targets : ndarray of int of shape (n_samples,)
        Classes, 0, 1 and so on.
    n_clusters : ndarray of int of shape (n_classes,)
        Number of clusters of each class.
    weight : ndarray of shape (n_samples,) or None
    rng : RandomState
    before : ndarray of int of shape (n_samples,), default=None
        Clusters that a class keeps if it has fewer distinct points than clusters.

    Returns
    -------
    ndarray of int of shape (n_samples,)
    """
    clusters = np.empty(len(targets), dtype=np.int64)
    first = np.concatenate([[0], np.cumsum(n_clusters)])
    for c, n in enumerate(n_clusters):
        rows = np.flatnonzero(targets == c)
        own_weight = None if weight is None else weight[rows]
        seed = rng.randint(np.iinfo(np.int32).max)
        with warnings.catch_warnings():  # of fewer distinct points, which is handled below
            warnings.simplefilter("ignore", ConvergenceWarning)
            found = KMeans(n, n_init=3, random_state=seed).fit(points[rows], None, own_weight)
        labels = found.labels_.astype(np.int64) + first[c]
        is_complete = before is None or len(np.unique(labels)) == n
        clusters[rows] = labels if is_complete else before[rows]
    return clusters


def large_margin_scores(distance, class_of_cluster, n_neighbors):
    r"""Score of each class by the nearest clusters, shape (n_samples, n_classes).

    .. math:: \min_{j \in \phi, y_j \ne c} D_j - \max_{i \in \phi, y_i = c} D_i

    over the `n_neighbors` nearest clusters :math:`\phi`. Where these have no cluster of the class,
    or of another one, its distance counts as the largest one of 4.

    Parameters
    ----------
    distance : ndarray of shape (n_samples, n_clusters)
        Squared distances D to the clusters, between 0 and 4.
    class_of_cluster : ndarray of int of shape (n_clusters,)
    n_neighbors : int

    Examples
    --------
    >>> distance = np.array([[0.1, 0.5, 1.0, 2.0]])
    >>> large_margin_scores(distance, np.array([0, 0, 1, 1]), 3)
    array([[ 0.5, -0.9]])
    """
    if n_neighbors < distance.shape[1]:
        last = np.partition(distance, n_neighbors - 1, axis=1)[:, [n_neighbors - 1]]
        is_near = distance <= last
    else:
        is_near = np.ones(distance.shape, dtype=bool)
    scores = []
    for c in range(class_of_cluster.max() + 1):
        is_own, is_other = is_near & (class_of_cluster == c), is_near & (class_of_cluster != c)
        own = np.where(is_own, distance, -1.0).max(axis=1)
        other = np.where(is_other, distance, MAX_DISTANCE).min(axis=1)
        scores.append(other - np.where(own < 0, MAX_DISTANCE, own))
    return np.stack(scores, axis=1)


class EqualClasses(BaseBatches):
    """Draws all classes equally often, and the clusters of a class in proportion to their size.

    Parameters
    ----------
    class_of_cluster : sequence of int
        The class of each cluster, 0, 1 and so on.

    Examples
    --------
    >>> EqualClasses((0, 0, 1)).class_share([30, 10, 5], epoch=1, n_epochs=9).tolist()
    [0.375, 0.125, 0.5]
    """

    def __init__(self, class_of_cluster):
        self.class_of_cluster = class_of_cluster

    def class_share(self, class_counts, epoch, n_epochs, valid_f1=None):
        """Return the shares of the clusters."""
        of_class = np.asarray(self.class_of_cluster)
        size = np.bincount(of_class, weights=class_counts)
        return np.asarray(class_counts) / size[of_class] / np.count_nonzero(size)
