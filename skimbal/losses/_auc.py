"""Min-max margin loss of the area under the ROC curve (Yuan et al. 2021)."""

from numbers import Real

from sklearn.utils._param_validation import Interval

from skimbal.losses._base import BaseLoss, BoundBatchLoss
from skimbal.losses._functional_batch import auc_margin
from skimbal.losses._registry import registered


@registered("auc_margin")
class AUCMargin(BaseLoss):
    """AUC margin loss, each class against the rest.

    L_c = Var(p_c | c) + Var(p_c | not c) + max(0, margin + mean(p_c | not c) - mean(p_c | c))^2,
    and the mean of it over the classes. The paper learns the means and the multiplier of the
    margin along with the network; here they are those of the batch, where they are optimal, so
    any optimiser will do.

    Parameters
    ----------
    margin : float, default=1
        Distance that the means of a posterior are to have, in (0, 1].

    References
    ----------
    Z. Yuan, Y. Yan, M. Sonka and T. Yang, "Large-scale Robust Deep AUC Maximization: A New
    Surrogate Loss and Empirical Studies on Medical Image Classification", ICCV 2021.
    doi:10.1109/ICCV48922.2021.00303, arXiv:2012.03173.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from skimbal.losses import AUCMargin
    >>> bound = AUCMargin().bind(np.array([2.0, 1.0]))
    >>> bound(torch.zeros(3, 2), torch.tensor([0, 0, 1]))  # no variance, and no margin
    tensor(1.)
    """

    weights_classes = True

    _parameter_constraints: dict = {"margin": [Interval(Real, 0, 1, closed="right")]}

    def __init__(self, margin=1):
        self.margin = margin

    def bind(self, class_counts, *, class_weight=None, cost_matrix=None):
        """Return the loss as a torch module."""
        self._check_binding(class_weight)
        return BoundBatchLoss(auc_margin, margin=self.margin)
