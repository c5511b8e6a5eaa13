"""Class rectification loss (CRL): hard triplets around the minority classes (Dong et al. 2018)."""

from functools import partial
from numbers import Integral, Real

from sklearn.utils._param_validation import Interval

from skimbal.losses._base import BaseLoss, BoundBatchLoss
from skimbal.losses._cross_entropy import CrossEntropy
from skimbal.losses._functional_batch import class_rectification
from skimbal.losses._registry import registered


def imbalance(class_counts):
    """Share of the samples that lack for all classes to be as large as the largest, in [0, 1)."""
    return 1.0 - class_counts.mean() / class_counts.max()


class BoundClassRectification(BoundBatchLoss):
    """The bound loss: it is called with the features besides the logits."""

    def forward(self, logits, target, sample_weight=None, features=None):
        """Return the loss of a batch as a scalar tensor."""
        if features is None:
            raise ValueError(
                "ClassRectification got features=None, but compares samples by their features; "
                "call the loss with features=..., the inputs of the last layer (n, n_features)"
            )
        return self._value(logits, target, sample_weight, features=features)


@registered("class_rectification")
class ClassRectification(BaseLoss):
    """Cross entropy and a triplet loss over hard samples of the minority classes (CRL).

    L = (1 - a) CE + a T with a = eta * Omega, and Omega the share of the samples that lack for all
    classes to be as large as the largest. T is the mean of max(0, margin + d(a, p) - d(a, q)) over
    the samples a of minority classes, their farthest samples p of the same class and nearest
    samples q of others in the batch; d is the distance of the features, scaled to length 1. A
    class is in the minority if it and those no larger make up at most half of the batch.

    Parameters
    ----------
    eta : float, default=0.1
        Weight of the triplets where the imbalance is extreme, in [0, 1]. 0: cross entropy. A
        great one leaves little of the cross entropy, and the classes are learned late.
    margin : float, default=0.5
        Margin of the distances, positive; features of length 1 are at most 2 apart.
    n_hardest : int, default=3
        Hard samples of the same and of other classes for each sample, at least 1.

    Notes
    -----
    The distances of all pairs in a batch take n_batch^2 numbers. Of the paper's variants this is
    the one by instances (features) and relative comparison. The paper does not scale the
    features and measures imbalance otherwise; its eta is thus no guide for this one.

    References
    ----------
    Q. Dong, S. Gong and X. Zhu, "Imbalanced Deep Learning by Minority Class Incremental
    Rectification", IEEE TPAMI 41(6), 2019, sec. 3. doi:10.1109/TPAMI.2018.2832629,
    arXiv:1804.10851.

    Examples
    --------
    The rare sample has no other of its class to be near to, so cross entropy is left.

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

    def __init__(self, eta=0.1, margin=0.5, n_hardest=3):
        self.eta = eta
        self.margin = margin
        self.n_hardest = n_hardest

    def bind(self, class_counts, *, class_weight=None, cost_matrix=None):
        """Return the loss as a torch module that is called with features."""
        self._check_binding(class_weight)
        return BoundClassRectification(
            partial(class_rectification, n_hardest=int(self.n_hardest)),
            rectified=self.eta * imbalance(class_counts),
            margin=self.margin,
        )

    def unweighted(self):
        """Return plain cross entropy."""
        return CrossEntropy()
