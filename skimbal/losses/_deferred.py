"""Deferred re-weighting (DRW): class weights for the last part of a training (Cao et al. 2019)."""

from functools import partial
from numbers import Real

from sklearn.utils._param_validation import Interval, StrOptions

from skimbal.losses._base import ScheduledBoundLoss
from skimbal.losses._class_weights import NAMED_WEIGHTS, balanced_weights, effective_weights
from skimbal.losses._registry import registered
from skimbal.losses._schedules import deferred
from skimbal.losses._wrapped import BaseWrappedLoss


@registered("deferred_reweighting")
class DeferredReweighting(BaseWrappedLoss):
    """Any loss per sample, with class weights for the last epochs alone (DRW).

    The weights are 1 in the first `start` of the epochs and those of the class counts after
    that, scaled so that sum_c n_c w_c = n.

    Parameters
    ----------
    loss : str, BaseLoss or torch.nn.Module, default="cross_entropy"
        A loss per sample that takes class weights. ``"ldam"`` gives LDAM-DRW.
    start : float, default=0.8
        Fraction of the epochs without weights, from 0 to 1. 0.8 is the paper's 160 of 200.
    weights : {"effective", "balanced"}, default="effective"
        The weights that come in: inverse effective number of samples or inverse frequency.
    beta : float, default=0.9999
        Of the effective number of samples, in [0, 1). Greater is nearer to balanced.

    References
    ----------
    K. Cao, C. Wei, A. Gaidon, N. Arechiga and T. Ma, "Learning Imbalanced Datasets with
    Label-Distribution-Aware Margin Loss", NeurIPS 2019, sec. 3. arXiv:1906.07413.

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal.losses import DeferredReweighting
    >>> bound = DeferredReweighting(weights="balanced").bind(np.array([90.0, 10.0]))
    >>> for epoch in (160, 161):
    ...     bound.set_epoch(epoch, 200)
    ...     print(bound.class_weight)
    tensor([1., 1.])
    tensor([0.5556, 5.0000])
    """

    _parameter_constraints: dict = {
        "start": [Interval(Real, 0, 1, closed="both")],
        "weights": [StrOptions(set(NAMED_WEIGHTS))],
        "beta": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(self, loss="cross_entropy", start=0.8, weights="effective", beta=0.9999):
        super().__init__(loss)
        self.start = start
        self.weights = weights
        self.beta = beta

    def bind(self, class_counts, *, class_weight=None, cost_matrix=None):
        """Return the loss as a torch module whose `set_epoch` switches the weights on."""
        self._check_binding(class_weight, cost_matrix)
        if self.weights == "effective":
            weight = effective_weights(class_counts, self.beta)
        else:
            weight = balanced_weights(class_counts)
        per_sample = self._per_sample(class_counts, cost_matrix)
        return ScheduledBoundLoss(per_sample, weight, partial(deferred, start=float(self.start)))
