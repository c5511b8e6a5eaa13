"""Class-balanced loss: weights by the effective number of samples (Cui et al. 2019)."""

from numbers import Real

import torch
from sklearn.utils._param_validation import Interval

from skimbal.losses._base import BaseLoss, BoundLoss
from skimbal.losses._class_weights import effective_weights
from skimbal.losses._registry import registered
from skimbal.losses._wrapped import BaseWrappedLoss


@registered("class_balanced")
class ClassBalanced(BaseWrappedLoss):
    """A loss per sample, weighted by the inverse effective number of samples of the class.

    The loss of a sample of class y is multiplied by w_y, proportional to
    (1 - beta) / (1 - beta^n_y) and scaled so that sum_c n_c w_c = n. (In the paper,
    sum_c w_c = C.)

    Parameters
    ----------
    beta : float, default=0.9999
        In [0, 1). With 0 there are no weights; near 1 they are the inverse frequencies. Classes
        with far more than 1 / (1 - beta) samples have nearly equal weights.
    loss : str, BaseLoss or torch.nn.Module, default="cross_entropy"
        A loss per sample that takes class weights, such as ``"focal"``.

    References
    ----------
    Y. Cui, M. Jia, T.-Y. Lin, Y. Song and S. Belongie, "Class-Balanced Loss Based on Effective
    Number of Samples", CVPR 2019, eqs. 2 and 4. doi:10.1109/CVPR.2019.00949.

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal.losses import ClassBalanced, Focal
    >>> loss = ClassBalanced(beta=0.999, loss=Focal(gamma=1))
    >>> loss.bind(np.array([5000.0, 50.0])).class_weight
    tensor([ 0.8392, 17.0826])
    """

    _parameter_constraints: dict = {
        **BaseWrappedLoss._parameter_constraints,
        "beta": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self, beta: float = 0.9999, loss: str | BaseLoss | torch.nn.Module = "cross_entropy"
    ) -> None:
        super().__init__(loss)
        self.beta = beta

    def _bind(self, class_counts, class_weight, cost_matrix):
        per_sample = self._per_sample(class_counts, cost_matrix)
        return BoundLoss(per_sample, effective_weights(class_counts, self.beta))
