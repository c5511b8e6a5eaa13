"""Losses that weight the classes of another loss."""

from abc import ABCMeta
from typing import Any

import torch

from skimbal.losses._base import BaseCheckedLoss, BaseLoss, BoundLoss
from skimbal.losses._registry import resolve_loss


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
