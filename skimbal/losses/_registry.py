"""Losses by name."""

import torch

from skimbal._utils._validation import unknown_name_message
from skimbal.losses._base import BaseLoss, ModuleLoss

_LOSSES: dict[str, type[BaseLoss]] = {}


def registered(name):
    """Decorate a class of losses, so that `all_losses` and `resolve_loss` know it by its name."""

    def register(cls):
        assert name not in _LOSSES
        _LOSSES[name] = cls
        return cls

    return register


def all_losses() -> dict[str, type[BaseLoss]]:
    """Return every loss by the name that `loss=` takes.

    Returns
    -------
    dict of str to class
        A new dict, which the caller may change.

    Examples
    --------
    >>> from skimbal.losses import all_losses
    >>> all_losses()["cross_entropy"]()
    CrossEntropy()
    """
    return dict(_LOSSES)


def resolve_loss(loss: str | BaseLoss | torch.nn.Module) -> BaseLoss:
    """Return the loss value that `loss` stands for.

    Parameters
    ----------
    loss : str, BaseLoss or torch.nn.Module
        A name of `all_losses`, a value, which is returned unchanged, or a module on logits and
        targets.

    Returns
    -------
    BaseLoss
        The value.

    Raises
    ------
    ValueError
        For anything else. The message for an unknown name suggests similar ones.

    Examples
    --------
    >>> from skimbal.losses import resolve_loss
    >>> resolve_loss("cross_entropy")
    CrossEntropy()
    """
    if isinstance(loss, BaseLoss):
        return loss
    if isinstance(loss, torch.nn.Module):
        return ModuleLoss(loss)
    if isinstance(loss, str) and loss in _LOSSES:
        return _LOSSES[loss]()
    if isinstance(loss, type) and issubclass(loss, (BaseLoss, torch.nn.Module)):
        raise ValueError(
            f"loss={loss.__name__} is a class; give an instance, loss={loss.__name__}()"
        )
    if callable(loss):
        raise ValueError(
            f"loss={loss!r} is a function; give a torch.nn.Module that calls it in "
            "forward(logits, target)"
        )
    raise ValueError(
        unknown_name_message("loss", loss, _LOSSES)
        + "; you can also give a value of skimbal.losses or a torch.nn.Module on logits"
    )
