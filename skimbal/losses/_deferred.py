"""Deferred re-weighting (DRW): class weights in the last epochs (Cao et al. 2019)."""

from functools import partial
from numbers import Real

import torch
from sklearn.utils._param_validation import Interval, StrOptions

from skimbal.losses._base import BaseLoss, ScheduledBoundLoss
from skimbal.losses._class_weights import NAMED_WEIGHTS
from skimbal.losses._registry import registered
from skimbal.losses._schedules import deferred
from skimbal.losses._wrapped import BaseWrappedLoss


@registered("deferred_reweighting")
class DeferredReweighting(BaseWrappedLoss):
    """A loss per sample, with class weights in the last epochs only (DRW).

    The weights are 1 in the first fraction `start` of the epochs. Then they come from the class
    counts, scaled so that sum_c n_c w_c = n.

    Parameters
    ----------
    loss : str, BaseLoss or torch.nn.Module, default="cross_entropy"
        A loss per sample that takes class weights. ``"ldam"`` gives LDAM-DRW.
    start : float, default=0.8
        Fraction of the epochs without weights, from 0 to 1. The paper has 160 of 200.
    weights : {"effective", "balanced"}, default="effective"
        The final weights: inverse effective number of samples or inverse frequency.
    beta : float, default=0.9999
        Parameter of the effective number of samples, in [0, 1). Larger values are closer to
        balanced weights.

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
        **BaseWrappedLoss._parameter_constraints,
        "start": [Interval(Real, 0, 1, closed="both")],
        "weights": [StrOptions(set(NAMED_WEIGHTS))],
        "beta": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        loss: str | BaseLoss | torch.nn.Module = "cross_entropy",
        start: float = 0.8,
        weights: str = "effective",
        beta: float = 0.9999,
    ) -> None:
        super().__init__(loss)
        self.start = start
        self.weights = weights
        self.beta = beta

    def _bind(self, class_counts, class_weight, cost_matrix):
        options = {"beta": self.beta} if self.weights == "effective" else {}
        weight = NAMED_WEIGHTS[self.weights](class_counts, **options)
        per_sample = self._per_sample(class_counts, cost_matrix)
        return ScheduledBoundLoss(per_sample, weight, partial(deferred, start=float(self.start)))
