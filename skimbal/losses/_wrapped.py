"""Losses that weight the classes of another loss: class-balanced and deferred re-weighting."""

from abc import ABCMeta
from functools import partial
from numbers import Real
from typing import Any

import torch
from sklearn.utils._param_validation import Interval, StrOptions

from skimbal.losses._base import BaseCheckedLoss, BaseLoss, BoundLoss, ScheduledBoundLoss
from skimbal.losses._class_weights import NAMED_WEIGHTS, effective_weights
from skimbal.losses._registry import registered, resolve_loss
from skimbal.losses._schedules import deferred


class BaseWrappedLoss(BaseCheckedLoss, metaclass=ABCMeta):
    """Base of losses that put class weights on a per-sample loss, their parameter `loss`.

    They have the requirements of the inner loss.
    """

    weights_classes = True
    needs_counts = True

    _parameter_constraints: dict = {"loss": [str, BaseLoss, torch.nn.Module]}

    def __init__(self, loss: str | BaseLoss | torch.nn.Module) -> None:
        self.loss = loss

    @property
    def needs_costs(self) -> bool:
        """Whether the inner loss needs a cost matrix."""
        return resolve_loss(self.loss).needs_costs

    @property
    def needs_features(self) -> bool:
        """Whether the inner loss needs features."""
        return resolve_loss(self.loss).needs_features

    @property
    def prior_exponent(self) -> float | None:
        """Power of the class counts, that of the inner loss."""
        return resolve_loss(self.loss).prior_exponent

    @property
    def head(self) -> str | None:
        """Last layer of the network for the inner loss."""
        return resolve_loss(self.loss).head

    @property
    def scale(self) -> float:
        """Scale of the logits, if the inner loss has one."""
        inner: Any = resolve_loss(self.loss)
        return inner.scale

    def unweighted(self) -> BaseLoss:
        """Return the inner loss, without weights of its own."""
        return resolve_loss(self.loss).unweighted()

    def _per_sample(self, class_counts, cost_matrix):
        """Return the formula of the inner loss, or raise if it can't be weighted by class."""
        inner = resolve_loss(self.loss)
        if inner.weights_classes:
            raise ValueError(
                f"loss={inner!r} weights the classes itself, so {type(self).__name__} would "
                "weight them twice; give a loss that takes class_weight, such as 'cross_entropy' "
                "or 'focal'"
            )
        bound = inner.bind(class_counts, cost_matrix=cost_matrix)
        if type(bound) is not BoundLoss:
            raise ValueError(
                f"loss={inner!r} binds to a {type(bound).__name__}, which {type(self).__name__} "
                "can't weight by class; give a loss whose bind returns a BoundLoss of one loss "
                "per sample"
            )
        return bound.per_sample


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
        Fraction of the epochs without weights, from 0 to 1. The paper has 160 of 200. The last
        epoch always has weights.
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
