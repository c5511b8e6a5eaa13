"""Cross entropy, the negative log-likelihood of the softmax."""

from skimbal.losses._base import BaseLoss, BoundLoss
from skimbal.losses._functional import cross_entropy
from skimbal.losses._registry import registered


@registered("cross_entropy")
class CrossEntropy(BaseLoss):
    """Cross entropy, -log softmax(z)_y, weighted by class where class weights are given.

    Examples
    --------
    >>> import numpy as np, torch
    >>> loss = CrossEntropy().bind(np.array([3.0, 1.0]), class_weight=np.array([1.0, 2.0]))
    >>> loss(torch.zeros(2, 2), torch.tensor([0, 1]))  # log(2) * (1 + 2) / 2
    tensor(1.0397)
    """

    def bind(self, class_counts, *, class_weight=None, cost_matrix=None):
        """Return the loss with the given class weights as a torch module."""
        return BoundLoss(cross_entropy, class_weight)
