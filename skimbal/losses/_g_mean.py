"""A differentiable surrogate of the G-mean."""

from skimbal.losses._base import BaseBatchLoss
from skimbal.losses._functional_batch import soft_g_mean
from skimbal.losses._registry import registered


@registered("soft_g_mean")
class SoftGMean(BaseBatchLoss):
    """Minus the logarithm of the geometric mean of the soft recalls of a batch.

    L = -(1/C) sum_c log r_c. The soft recall r_c is the mean probability p_ic of class c over its
    samples. The G-mean itself is 0, with slope 0, while one class is missed; its logarithm is steep
    there.

    References
    ----------
    M. Kubat and S. Matwin, "Addressing the Curse of Imbalanced Training Sets: One-Sided
    Selection", ICML 1997, pp. 179-186 (the G-mean; the soft recalls are an idea of this package).

    Examples
    --------
    >>> import numpy as np, torch
    >>> from skimbal.losses import SoftGMean
    >>> bound = SoftGMean().bind(np.array([2.0, 1.0]))
    >>> bound(torch.zeros(3, 2), torch.tensor([0, 0, 1]))  # log(2)
    tensor(0.6931)
    """

    formula = staticmethod(soft_g_mean)
