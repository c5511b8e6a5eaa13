"""A differentiable stand-in for the G-mean."""

from skimbal.losses._base import BaseLoss, BoundBatchLoss
from skimbal.losses._functional_batch import soft_g_mean
from skimbal.losses._registry import registered


@registered("soft_g_mean")
class SoftGMean(BaseLoss):
    """Minus the logarithm of the geometric mean of the soft recalls of a batch.

    L = -(1/C) sum_c log r_c, where r_c is the mean posterior p_ic of the samples of class c, a
    recall in which a sample counts by its posterior. The G-mean itself is flat at 0 as long as
    one class is missed; its logarithm is steep there.

    References
    ----------
    The G-mean is that of M. Kubat and S. Matwin, "Addressing the Curse of Imbalanced Training
    Sets: One-Sided Selection", ICML 1997, pp. 179-186. The surrogate is this package's.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from skimbal.losses import SoftGMean
    >>> bound = SoftGMean().bind(np.array([2.0, 1.0]))
    >>> bound(torch.zeros(3, 2), torch.tensor([0, 0, 1]))  # log(2)
    tensor(0.6931)
    """

    weights_classes = True

    def bind(self, class_counts, *, class_weight=None, cost_matrix=None):
        """Return the loss as a torch module."""
        self._check_binding(class_weight)
        return BoundBatchLoss(soft_g_mean)
