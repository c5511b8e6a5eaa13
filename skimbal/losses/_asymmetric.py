"""Asymmetric loss: true and other classes are focused on differently (Ridnik et al. 2021)."""

from numbers import Real

from sklearn.utils._param_validation import Interval

from skimbal.losses._base import BaseLoss, BoundLoss, Formula
from skimbal.losses._functional import asymmetric
from skimbal.losses._registry import registered


@registered("asymmetric")
class Asymmetric(BaseLoss):
    """Asymmetric loss (ASL), carried over from several labels a sample to one.

    l = -(1 - p_y)^gamma_positive log p_y - sum_{j != y} q_j^gamma_negative log(1 - q_j) with
    q_j = max(p_j - margin, 0). The paper's posteriors are sigmoids, one a label; here they are
    the softmax, and every class but the true one is a negative label of the sample.

    Parameters
    ----------
    gamma_positive : float, default=0
        Focusing of the true class, non-negative. 0: its term is cross entropy.
    gamma_negative : float, default=4
        Focusing of the other classes, non-negative.
    margin : float, default=0.05
        Posterior, in [0, 1], up to which another class costs nothing. 1: the loss is the focal
        loss.

    References
    ----------
    T. Ridnik et al., "Asymmetric Loss For Multi-Label Classification", ICCV 2021, eqs. 4-7.
    arXiv:2009.14119.

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

    def __init__(self, gamma_positive=0, gamma_negative=4, margin=0.05):
        self.gamma_positive = gamma_positive
        self.gamma_negative = gamma_negative
        self.margin = margin

    def bind(self, class_counts, *, class_weight=None, cost_matrix=None):
        """Return the loss with the given class weights as a torch module."""
        self._check_binding(class_weight)
        return BoundLoss(Formula(asymmetric, **self.get_params()), class_weight)
