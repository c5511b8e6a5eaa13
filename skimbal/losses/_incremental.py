"""Incremental weighted cross entropy (IWCE): balanced class weights that come late.

A journal paper of Imam Hussein University (1402 AP, 2023): plain cross entropy learns the
frequent classes first, balanced weights from the start disturb the features; weights that rise
toward the end of the training are to have both.
"""

from functools import partial
from numbers import Real

from sklearn.utils._param_validation import Interval, StrOptions

from skimbal.losses._base import BaseLoss, ScheduledBoundLoss
from skimbal.losses._class_weights import balanced_weights
from skimbal.losses._cross_entropy import CrossEntropy
from skimbal.losses._functional import cross_entropy
from skimbal.losses._registry import registered
from skimbal.losses._schedules import RAMPS


@registered("incremental_weighted_cross_entropy")
class IncrementalWeightedCrossEntropy(BaseLoss):
    """Cross entropy whose class weights rise from 1 to balanced (IWCE).

    In epoch e of E the weight of class c is w_c = alpha WB_c + (1 - alpha) with the balanced
    weights WB_c = n / (C n_c) and alpha = exp(-(E - e) / T). Both ends keep sum_c n_c w_c = n,
    and so does everything between.

    Parameters
    ----------
    T : float, default=20
        How early the weights rise, in epochs before the end; positive. Infinite: balanced
        weights throughout. Near 0: none until the last epoch.
    ramp : {"exponential", "linear", "cosine", "step"}, default="exponential"
        Shape of alpha. The last three are 0 up to T epochs before the end: then a line, half a
        wave, and 1 at once.

    Notes
    -----
    E is the network's `max_epochs`. With early stopping the training may end before the weights
    have risen; the loss of early stopping is plain cross entropy.

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

    _parameter_constraints: dict = {
        "T": [Interval(Real, 0, None, closed="right")],
        "ramp": [StrOptions(set(RAMPS))],
    }

    def __init__(self, T=20, ramp="exponential"):
        self.T = T
        self.ramp = ramp

    def bind(self, class_counts, *, class_weight=None, cost_matrix=None):
        """Return the loss as a torch module whose `set_epoch` sets the weights."""
        self._check_binding(class_weight)
        alpha = partial(RAMPS[self.ramp], T=float(self.T))
        return ScheduledBoundLoss(cross_entropy, balanced_weights(class_counts), alpha)

    def unweighted(self):
        """Return plain cross entropy."""
        return CrossEntropy()
