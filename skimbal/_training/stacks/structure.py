"""What networks of one population have in common: everything but the values of their tensors."""

import pickle

import torch
from torch import nn

OF_EVERY_MODULE = frozenset(vars(nn.Module()))


def structure_of(module):
    """All of a module but the values of its tensors and the states of its generators."""
    parts = [(name, type(part), _settings_of(part)) for name, part in module.named_modules()]
    return (*parts, *((name, value.shape) for name, value in module.state_dict().items()))


def _settings_of(module):
    """Attributes of a module that are no parameters or buffers.

    In modules of this package tensors are never settings; in others those that are not registered
    are.
    """
    is_ours = type(module).__module__.startswith("skimbal.")
    no_settings = (torch.Tensor, torch.Generator) if is_ours else torch.Generator
    settings = {
        name: value
        for name, value in vars(module).items()
        if name not in OF_EVERY_MODULE and not isinstance(value, no_settings)
    }
    return value_of(settings, module)


def value_of(thing, owner=None):
    """A value to compare a thing by: what it is made of, else which object it (its owner) is."""
    try:
        return pickle.dumps(thing)
    except (pickle.PicklingError, AttributeError, TypeError):  # a lambda
        return id(thing if owner is None else owner)
