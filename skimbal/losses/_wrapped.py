"""Losses that weight the classes of another loss."""

from abc import ABCMeta

from skimbal.losses._base import BaseLoss, BoundLoss
from skimbal.losses._registry import resolve_loss


class BaseWrappedLoss(BaseLoss, metaclass=ABCMeta):
    """Base of losses that put class weights on a per-sample loss, their parameter `loss`.

    What the inner loss asks of the network, this one asks too.
    """

    weights_classes = True
    needs_counts = True

    def __init__(self, loss):
        self.loss = loss

    @property
    def needs_costs(self):  # type: ignore[override]
        """Whether the inner loss needs a cost matrix."""
        return resolve_loss(self.loss).needs_costs

    @property
    def needs_features(self):  # type: ignore[override]
        """Whether the inner loss is called with features."""
        return resolve_loss(self.loss).needs_features

    @property
    def head(self):  # type: ignore[override]
        """Last layer that the inner loss is made for."""
        return resolve_loss(self.loss).head

    @property
    def scale(self):
        """Scale of the logits, where the inner loss has one."""
        return resolve_loss(self.loss).scale

    def unweighted(self):
        """Return the inner loss, without any weights of its own."""
        return resolve_loss(self.loss).unweighted()

    def _per_sample(self, class_counts, cost_matrix):
        """Return the formula of the inner loss, or raise where it can't be weighted by class."""
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
