"""Class rectification loss (CRL): hard triplets around the minority classes (Dong et al. 2018)."""

from functools import partial
from numbers import Integral, Real

import torch
from sklearn.utils._param_validation import Interval

from skimbal.losses._base import BaseCheckedLoss, BaseLoss, BoundBatchLoss
from skimbal.losses._cross_entropy import CrossEntropy
from skimbal.losses._functional import cross_entropy, take_target
from skimbal.losses._functional_batch import class_shares, safe_ratio
from skimbal.losses._registry import registered


def class_rectification(logits, target, share, features=None, *, rectified, margin, n_hardest):
    """L = (1 - rectified) CE + rectified T, with the triplet loss T of `hard_triplet_loss`."""
    if features is None:
        raise ValueError(
            "ClassRectification got features=None, but it compares samples by their features; "
            "call the loss with features=..., the inputs of the last layer (n, n_features)"
        )
    is_anchor = is_minority(logits, target, share)
    triplets = hard_triplet_loss(distances(features), target, share, is_anchor, margin, n_hardest)
    return (1.0 - rectified) * (share * cross_entropy(logits, target)).sum() + rectified * triplets


def hard_triplet_loss(distance, target, share, is_anchor, margin, n_hardest):
    """T = mean of max(0, margin + d(a, p) - d(a, q)) over the anchors a and their triplets.

    For each anchor a, p runs over the `n_hardest` farthest samples of the same class and q over
    the `n_hardest` nearest samples of the other classes. Anchors are weighted by their shares.
    """
    is_present = share > 0
    is_same = target[:, None] == target[None, :]
    is_other_row = ~torch.eye(len(target), dtype=torch.bool, device=target.device)
    far, has_far = largest(distance, is_same & is_other_row & is_present[None, :], n_hardest)
    near, has_near = largest(-distance, ~is_same & is_present[None, :], n_hardest)
    hinge = (margin + far[:, :, None] + near[:, None, :]).clamp(min=0)
    is_triplet = has_far[:, :, None] & has_near[:, None, :]
    n_triplets = is_triplet.sum(dim=(1, 2))
    anchor_loss = torch.where(is_triplet, hinge, 0.0).sum(dim=(1, 2)) / n_triplets.clamp(min=1)
    weight = share * (is_anchor & (n_triplets > 0))
    return safe_ratio((weight * anchor_loss).sum(), weight.sum())


def largest(values, mask, n_largest):
    """Largest masked values of each row, filled up with 0, and a mask of those that exist."""
    top = values.masked_fill(~mask, -torch.inf).topk(min(n_largest, len(values)), dim=1).values
    exists = top != -torch.inf  # NaN does
    return torch.where(exists, top, 0.0), exists


def distances(features):
    """Euclidean distances (n, n) of the features, scaled to length 1."""
    # Features shorter than 1e-3 stay shorter than 1, so that their slope stays finite.
    unit = features / features.square().sum(dim=1, keepdim=True).clamp(min=1e-6).sqrt()
    squared = 2.0 - 2.0 * unit @ unit.T
    # The square root has no finite slope at 0, and rounding leaves a little more than 0 there.
    is_apart = ~(squared <= 16.0 * torch.finfo(squared.dtype).eps)  # NaN stays
    return torch.where(is_apart, torch.where(is_apart, squared, 1.0).sqrt(), 0.0)


def is_minority(logits, target, share):
    """Mask (n,) of the samples of minority classes (Dong et al. 2018, sec. 3).

    A class is a minority class if it and all classes that are no larger make up at most half of
    the batch.
    """
    size = class_shares(logits, target, share).sum(dim=0)
    is_no_larger = size[None, :] <= size[:, None] * (1.0 + 1e-5)
    cumulative_size = (is_no_larger * size).sum(dim=1)
    return take_target((cumulative_size <= 0.5 + 1e-5).expand_as(logits), target)


def imbalance(class_counts):
    """Omega = 1 - mean n_c / max n_c, in [0, 1): the missing part of equally large classes."""
    return 1.0 - class_counts.mean() / class_counts.max()


@registered("class_rectification")
class ClassRectification(BaseCheckedLoss):
    """Cross entropy and a triplet loss over hard samples of the minority classes (CRL).

    L = (1 - eta Omega) CE + eta Omega T, with the imbalance Omega = 1 - mean n_c / max n_c.

    T is the mean of max(0, margin + d(a, p) - d(a, q)) over the samples a of minority classes in
    the batch. For each a, p runs over the farthest samples of the same class, and q over the
    nearest samples of other classes. The distance d is that of the features, scaled to length 1. A
    class is a minority class if it and all classes that are no larger make up at most half of the
    batch.

    Parameters
    ----------
    eta : float, default=0.1
        Weight of the triplets under extreme imbalance, in [0, 1]. 0 is cross entropy. With a large
        `eta`, little of the cross entropy remains, and the classes are learned late.
    margin : float, default=0.5
        Margin of the distances, positive. Features of length 1 are at most 2 apart.
    n_hardest : int, default=3
        Number of farthest and of nearest samples for each sample a, at least 1.

    Notes
    -----
    The distances of all pairs in a batch take n_batch^2 numbers. The paper has several variants;
    this is the one with features and relative comparison. Unlike the paper, it scales the features
    and measures the imbalance by Omega, so values of eta from the paper do not carry over.

    References
    ----------
    Q. Dong, S. Gong and X. Zhu, "Imbalanced Deep Learning by Minority Class Incremental
    Rectification", IEEE TPAMI 41(6), 2019, sec. 3. doi:10.1109/TPAMI.2018.2832629,
    arXiv:1804.10851.

    Examples
    --------
    The rare sample has no other sample of its class, so only cross entropy remains.

    >>> import numpy as np, torch
    >>> from skimbal.losses import ClassRectification
    >>> bound = ClassRectification(eta=0.5).bind(np.array([3.0, 1.0]))
    >>> logits, target = torch.zeros(4, 2), torch.tensor([0, 0, 0, 1])
    >>> bound(logits, target, features=torch.eye(4))  # log(2) (1 - 0.5 / 3)
    tensor(0.5776)
    """

    weights_classes = True
    needs_counts = True
    needs_features = True

    _parameter_constraints: dict = {
        "eta": [Interval(Real, 0, 1, closed="both")],
        "margin": [Interval(Real, 0, None, closed="neither")],
        "n_hardest": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, eta: float = 0.1, margin: float = 0.5, n_hardest: int = 3) -> None:
        self.eta = eta
        self.margin = margin
        self.n_hardest = n_hardest

    def _bind(self, class_counts, class_weight, cost_matrix):
        return BoundBatchLoss(
            partial(class_rectification, n_hardest=int(self.n_hardest)),
            rectified=self.eta * imbalance(class_counts),
            margin=self.margin,
        )

    def unweighted(self) -> BaseLoss:
        """Return plain cross entropy."""
        return CrossEntropy()
