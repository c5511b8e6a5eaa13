"""Incremental weighted cross entropy (IWCE): class weights that rise toward the last epoch.

Balanced weights from the start disturb the features, and plain cross entropy favors the frequent
classes. With weights that rise late, the features come from plain cross entropy and the decision
from balanced classes.
"""

from functools import partial
from numbers import Real

from sklearn.utils._param_validation import Interval, StrOptions

from skimbal.losses._base import BaseCheckedLoss, BaseLoss, ScheduledBoundLoss
from skimbal.losses._class_weights import balanced_weights
from skimbal.losses._cross_entropy import CrossEntropy
from skimbal.losses._functional import cross_entropy
from skimbal.losses._registry import registered
from skimbal.losses._schedules import RAMPS


@registered("incremental_weighted_cross_entropy")
class IncrementalWeightedCrossEntropy(BaseCheckedLoss):
    """Cross entropy whose class weights rise from 1 to balanced (IWCE).

    In epoch e of E the weight of class c is w_c = alpha WB_c + (1 - alpha) with the balanced
    weights WB_c = n / (C n_c) and alpha = exp(-(E - e) / T). In every epoch, sum_c n_c w_c = n.

    Parameters
    ----------
    T : float, default=20
        Positive number of epochs over which the weights rise before the end. If it is infinite,
        the weights are balanced in all epochs; near 0, in the last epoch only.
    ramp : {"exponential", "linear", "cosine", "step"}, default="exponential"
        How alpha rises. All but the exponential one are 0 until T epochs before the end. Then
        alpha follows a line, half a cosine wave, or a step to 1.

    Notes
    -----
    E is `max_epochs` of the network. With early stopping, training may end before the weights have
    risen. Early stopping judges epochs by the final weights.

    References
    ----------
    Incremental weighted cross entropy, a journal paper of Imam Hussein University, 2023 (1402 AP,
    no DOI). The idea of late weights: K. Cao, C. Wei, A. Gaidon, N. Arechiga and T. Ma, "Learning
    Imbalanced Datasets with Label-Distribution-Aware Margin Loss", NeurIPS 2019, sec. 3.3.
    arXiv:1906.07413.

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal.losses import IncrementalWeightedCrossEntropy
    >>> bound = IncrementalWeightedCrossEntropy(T=20).bind(np.array([90.0, 10.0]))
    >>> for epoch in (1, 180, 200):
    ...     bound.set_epoch(epoch, 200)
    ...     print(bound.class_weight)
    tensor([1.0000, 1.0002])
    tensor([0.8365, 2.4715])
    tensor([0.5556, 5.0000])
    """

    weights_classes = True
    needs_counts = True
    prior_exponent = 1.0

    _parameter_constraints: dict = {
        "T": [Interval(Real, 0, None, closed="right")],
        "ramp": [StrOptions(set(RAMPS))],
    }

    def __init__(self, T: float = 20, ramp: str = "exponential") -> None:
        self.T = T
        self.ramp = ramp

    def _bind(self, class_counts, class_weight, cost_matrix):
        alpha = partial(RAMPS[self.ramp], T=float(self.T))
        return ScheduledBoundLoss(cross_entropy, balanced_weights(class_counts), alpha)

    def unweighted(self) -> BaseLoss:
        """Return plain cross entropy."""
        return CrossEntropy()
