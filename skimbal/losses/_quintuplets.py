"""Quintuplet loss of large margin local embedding (LMLE, Huang et al. 2016).

The targets are clusters, each of which belongs to a class. A sample should be nearer to its own
cluster than to the other clusters of its class, and nearer to these than to other classes.
"""

from numbers import Real

import numpy as np
import torch
from sklearn.utils._param_validation import Interval

from skimbal.losses._base import BaseCheckedLoss, BaseLoss, BoundBatchLoss
from skimbal.losses._cross_entropy import CrossEntropy
from skimbal.losses._functional import take_target


def quintuplet_margins(cluster_counts, class_of_cluster, scale=1.0):
    r"""Margins of the three hinges for the samples of each cluster, shape (n_clusters, 3).

    .. math::

        g_1 = 2 s \sin\frac{\pi l}{L} , \qquad g_2 = 2 s \sin\frac{\pi (L_c - l)}{L} , \qquad
        g_3 = 2 s \sin\frac{\pi}{C}

    for a cluster of l samples of a class with :math:`L_c` of L samples. These are chords of the
    unit circle, if classes and clusters take parts of it that are as large as their shares. The
    shares are those of batches in which the C classes are equally frequent, :math:`L_c / L = 1/C`.

    Parameters
    ----------
    cluster_counts : ndarray of shape (n_clusters,)
        Samples of each cluster, all positive.
    class_of_cluster : ndarray of int of shape (n_clusters,)
        The class of each cluster, 0, 1 and so on.
    scale : float, default=1.0
        The factor s.

    Examples
    --------
    >>> quintuplet_margins(np.array([50, 50, 3]), np.array([0, 0, 1])).round(3)
    array([[1.414, 1.414, 2.   ],
           [1.414, 1.414, 2.   ],
           [2.   , 0.   , 2.   ]])
    """
    class_counts = np.bincount(class_of_cluster, weights=cluster_counts)
    own = cluster_counts / class_counts[class_of_cluster] / len(class_counts)
    parts = np.stack([own, 1.0 / len(class_counts) - own, np.full_like(own, 1 / len(class_counts))])
    return 2.0 * scale * np.sin(np.pi * parts.T)


def squared_distances(features):
    """Squared Euclidean distances (n, n) of the features scaled to length 1, from 0 to 4."""
    unit = features / features.square().sum(dim=1, keepdim=True).clamp(min=1e-6).sqrt()
    length = unit.square().sum(dim=1)  # below 1 for features shorter than 1e-3
    return (length[:, None] + length[None, :] - 2.0 * unit @ unit.T).clamp(min=0)


def quintuplet_distances(distance, cluster, of_class, share):
    """Distances of each sample to the other four of its quintuplet, and whether they exist.

    Parameters
    ----------
    distance : tensor of shape (n, n)
    cluster : tensor of shape (n,)
        The cluster of each sample.
    of_class : tensor of shape (n,)
        The class of each sample.
    share : tensor of shape (n,)
        Samples of share 0 are in no quintuplet.

    Returns
    -------
    distances : tuple of four tensors of shape (n,)
        To the farthest sample of the same cluster, the nearest one of another cluster of the class,
        the farthest one of the class, and the nearest one of another class; 0 where there is none.
    exist : tuple of four tensors of bool of shape (n,)
    """
    other = ~torch.eye(len(cluster), dtype=torch.bool, device=cluster.device)
    is_present = (share > 0)[None, :]
    same_class = (of_class[:, None] == of_class[None, :]) & is_present & other
    other_class = (of_class[:, None] != of_class[None, :]) & is_present
    same_cluster = cluster[:, None] == cluster[None, :]
    masks = same_class & same_cluster, same_class & ~same_cluster, same_class, other_class
    is_farthest = True, False, True, False
    exist = tuple(mask.any(dim=1) for mask in masks)
    found = tuple(
        distance.masked_fill(~mask, -torch.inf).amax(dim=1)
        if farthest
        else distance.masked_fill(~mask, torch.inf).amin(dim=1)
        for mask, farthest in zip(masks, is_farthest, strict=True)
    )
    pairs = zip(found, exist, strict=True)
    return tuple(torch.where(exists, value, 0.0) for value, exists in pairs), exist


def triple_hinge(distances, exist, margins):
    """Sum of three hinges, max(0, g + d_near - d_far), over neighboring pairs of the distances.

    Hinges with a distance that does not exist are left out. `distances` and `exist` are four
    tensors of shape (n,), `margins` has the shape (n, 3). Returns shape (n,).

    >>> distances = torch.tensor([[0.1], [0.3], [0.5], [0.6]])
    >>> triple_hinge(distances, torch.ones(4, 1, dtype=bool), torch.tensor([[0.1, 0.3, 0.5]]))
    tensor([0.5000])
    """
    total = torch.zeros_like(distances[0])
    for j in range(3):
        hinge = (margins[:, j] + distances[j] - distances[j + 1]).clamp(min=0)
        total = total + torch.where(exist[j] & exist[j + 1], hinge, 0.0)
    return total


def quintuplet_loss(logits, target, share, features=None, *, class_of_cluster, margins):
    """Sum of share times `triple_hinge`; targets are clusters, and the logits are not used."""
    if features is None:
        raise ValueError(
            "Quintuplets got features=None, but it compares samples by their features; call the "
            "loss with features=..., the inputs of the last layer (n, n_features)"
        )
    of_class = take_target(class_of_cluster.expand_as(logits), target)
    own_margins = torch.stack(
        [take_target(margin.expand_as(logits), target) for margin in margins.unbind(1)], dim=1
    )
    distances, exist = quintuplet_distances(squared_distances(features), target, of_class, share)
    return (share * triple_hinge(distances, exist, own_margins)).sum()


class Quintuplets(BaseCheckedLoss):
    r"""Quintuplet loss on clusters (LMLE): the targets are clusters, and not classes.

    .. math::

        l_i = [g_1 + D(i, p^+) - D(i, p^-)]_+ + [g_2 + D(i, p^-) - D(i, p^{--})]_+
            + [g_3 + D(i, p^{--}) - D(i, n)]_+

    with the squared distance D of features of length 1. In the batch, :math:`p^+` is the farthest
    sample of the same cluster, :math:`p^-` the nearest one of another cluster of the same class,
    :math:`p^{--}` the farthest one of the same class, and n the nearest one of another class.
    Hinges with a sample that is not in the batch are left out. The last layer is not trained.

    :class:`~skimbal.ensemble.LMLEClassifier` makes the clusters, and trains a network with the
    loss.

    Parameters
    ----------
    class_of_cluster : sequence of int
        The class of each cluster, 0, 1 and so on.
    margin_scale : float, default=1.0
        Factor of the margins g, non-negative. The margins are those of `quintuplet_margins`.

    References
    ----------
    C. Huang, Y. Li, C. C. Loy and X. Tang, "Learning Deep Representation for Imbalanced
    Classification", CVPR 2016, pp. 5375-5384. doi:10.1109/CVPR.2016.580.

    Examples
    --------
    Two classes, the first one of two clusters. All distances are right, by less than the margins.

    >>> import numpy as np, torch
    >>> from skimbal.losses import Quintuplets
    >>> loss = Quintuplets((0, 0, 1), margin_scale=0.1).bind(np.array([2.0, 2.0, 2.0]))
    >>> angle = torch.tensor([0.0, 0.0, 0.3, 0.3, 3.1, 3.1])
    >>> features, target = torch.stack([angle.cos(), angle.sin()], dim=1), torch.arange(6) // 2
    >>> loss(torch.zeros(6, 3), target, features=features)
    tensor(0.1290)
    """

    weights_classes = True
    needs_counts = True
    needs_features = True
    uses_logits = False

    _parameter_constraints: dict = {
        "class_of_cluster": ["array-like"],
        "margin_scale": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, class_of_cluster: tuple[int, ...], margin_scale: float = 1.0) -> None:
        self.class_of_cluster = class_of_cluster
        self.margin_scale = margin_scale

    def _bind(self, class_counts, class_weight, cost_matrix):
        of_class = np.asarray(self.class_of_cluster)
        if of_class.shape != class_counts.shape:
            raise ValueError(
                f"class_of_cluster has shape {of_class.shape}, but the targets have "
                f"{len(class_counts)} clusters; give the class of each cluster"
            )
        return BoundBatchLoss(
            quintuplet_loss,
            class_of_cluster=of_class,
            margins=quintuplet_margins(class_counts, of_class, self.margin_scale),
        )

    def unweighted(self) -> BaseLoss:
        """Return plain cross entropy."""
        return CrossEntropy()
