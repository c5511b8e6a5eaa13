"""Losses by name."""

import torch

from skimbal._utils._validation import unknown_name_message
from skimbal.losses._base import BaseLoss, ModuleLoss
from skimbal.losses._cross_entropy import CrossEntropy

_LOSSES = {"cross_entropy": CrossEntropy}


def all_losses():
    """Return every loss by the name that `loss=` takes, as a dict name -> class.

    Examples
    --------
    >>> all_losses()["cross_entropy"]()
    CrossEntropy()
    """
    return dict(_LOSSES)


def resolve_loss(loss):
    """Return the loss value that `loss` stands for: a name, a value or a torch module on logits."""
    if isinstance(loss, BaseLoss):
        return loss
    if isinstance(loss, torch.nn.Module):
        return ModuleLoss(loss)
    if isinstance(loss, str) and loss in _LOSSES:
        return _LOSSES[loss]()
    raise ValueError(
        unknown_name_message("loss", loss, _LOSSES)
        + "; or give a value of skimbal.losses or a torch.nn.Module on logits"
    )
