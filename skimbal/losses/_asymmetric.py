"""Asymmetric loss: the true class and the others have their own focus (Ridnik et al. 2021)."""

from numbers import Real

from sklearn.utils._param_validation import Interval

from skimbal.losses._base import BaseCheckedLoss, BoundLoss, Formula
from skimbal.losses._functional import asymmetric
from skimbal.losses._registry import registered


@registered("asymmetric")
class Asymmetric(BaseCheckedLoss):
    """Asymmetric loss (ASL) for samples that have one label each.

    l = -(1 - p_y)^gamma_positive log p_y - sum_{j != y} q_j^gamma_negative log(1 - q_j) with
    q_j = max(p_j - margin, 0). The paper takes a sigmoid for each of several labels. Here the
    probabilities are the softmax, and every class except the true one is a negative label.

    Parameters
    ----------
    gamma_positive : float, default=0
        Focus of the true class, non-negative. With 0, its term is cross entropy.
    gamma_negative : float, default=4
        Focus of the other classes, non-negative.
    margin : float, default=0.05
        Probability, in [0, 1], up to which another class costs nothing. With 1, the loss is the
        focal loss.

    References
    ----------
    T. Ridnik et al., "Asymmetric Loss For Multi-Label Classification", ICCV 2021, eqs. 4-7.
    doi:10.1109/ICCV48922.2021.00015, arXiv:2009.14119.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from skimbal.losses import Asymmetric
    >>> bound = Asymmetric(gamma_negative=1, margin=0).bind(np.array([3.0, 1.0]))
    >>> bound(torch.zeros(1, 2), torch.tensor([0]))  # log(2) + log(2) / 2
    tensor(1.0397)
    """

    _parameter_constraints: dict = {
        "gamma_positive": [Interval(Real, 0, None, closed="left")],
        "gamma_negative": [Interval(Real, 0, None, closed="left")],
        "margin": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(
        self, gamma_positive: float = 0, gamma_negative: float = 4, margin: float = 0.05
    ) -> None:
        self.gamma_positive = gamma_positive
        self.gamma_negative = gamma_negative
        self.margin = margin

    def _bind(self, class_counts, class_weight, cost_matrix):
        return BoundLoss(Formula(asymmetric, **self.get_params()), class_weight)
