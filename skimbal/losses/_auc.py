"""Min-max margin loss of the area under the ROC curve (Yuan et al. 2021)."""

from numbers import Real

from sklearn.utils._param_validation import Interval

from skimbal.losses._base import BaseBatchLoss
from skimbal.losses._functional_batch import auc_margin
from skimbal.losses._registry import registered


@registered("auc_margin")
class AUCMargin(BaseBatchLoss):
    """AUC margin loss, each class against the rest.

    L is the mean over the classes of
    L_c = Var(p_c | c) + Var(p_c | not c) + max(0, margin + mean(p_c | not c) - mean(p_c | c))^2.
    The paper learns the means and the multiplier of the margin together with the network. Here
    they take their optimal values for each batch, so that any optimizer can be used.

    A batch that holds one class only has the loss 0. A network warns in `fit` where more than a
    tenth of its batches are expected to be such.

    Parameters
    ----------
    margin : float, default=1
        Distance in (0, 1] between the mean probabilities that the loss asks for.

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
    >>> bound(torch.zeros(3, 2), torch.tensor([0, 0, 1]))  # no variance, equal means
    tensor(1.)
    """

    formula = staticmethod(auc_margin)
    compares_classes = True

    _parameter_constraints: dict = {"margin": [Interval(Real, 0, 1, closed="right")]}

    def __init__(self, margin: float = 1) -> None:
        self.margin = margin
