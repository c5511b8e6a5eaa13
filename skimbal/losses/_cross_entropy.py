"""Cross entropy, the negative log-likelihood of the softmax."""

from skimbal.losses._base import BaseCheckedLoss, BoundLoss
from skimbal.losses._functional import cross_entropy
from skimbal.losses._registry import registered


@registered("cross_entropy")
class CrossEntropy(BaseCheckedLoss):
    """Cross entropy -log softmax(z)_y, times the weight of class y if class weights are given.

    References
    ----------
    C. M. Bishop, "Pattern Recognition and Machine Learning", Springer 2006, eq. 4.108.

    Examples
    --------
    >>> import numpy as np, torch
    >>> loss = CrossEntropy().bind(np.array([3.0, 1.0]), class_weight=np.array([1.0, 2.0]))
    >>> loss(torch.zeros(2, 2), torch.tensor([0, 1]))  # log(2) * (1 + 2) / 2
    tensor(1.0397)
    """

    prior_exponent = 1.0

    def _bind(self, class_counts, class_weight, cost_matrix):
        return BoundLoss(cross_entropy, class_weight)
