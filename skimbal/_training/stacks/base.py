"""What all stacks share: the parameters and gradients of P networks, a row a network."""

import torch
from torch import nn

from skimbal._training.stacks.layout import ParameterLayout
from skimbal.modules import Dropout


class BaseStack:
    """The parameters of P networks and their gradients, a row a network.

    Parameters
    ----------
    modules : list of torch.nn.Module
        Of one structure, on one device; they give the initial parameters.

    Attributes
    ----------
    parameters, gradients : tensor of shape (P, row_length)
        A row a network.
    layout : ParameterLayout
        Which numbers of a row are which parameter.
    """

    def __init__(self, modules):
        first = dict(modules[0].named_parameters())
        shapes = {}
        for name, value in first.items():
            shapes[name] = value.shape
        self.layout = ParameterLayout(shapes)
        self.gradients: torch.Tensor
        self.parameters = next(iter(first.values())).new_zeros(len(modules), self.layout.row_length)
        for name, rows in self.layout.views(self.parameters.detach()).items():
            for row, module in zip(rows, modules, strict=True):
                row.copy_(module.get_parameter(name).detach())
        self.dropout_generators: list = []  # for each dropout layer one of each network
        for parts in zip(*map(nn.Module.modules, modules), strict=True):
            if isinstance(parts[0], Dropout):
                self.dropout_generators.append([part.generator for part in parts])

    def begin_epoch(self, epochs):
        """Do nothing: what changes by epoch is trained alone."""

    def keep(self, networks):
        """Go on with some of the networks alone, given by their indices."""
        self.parameters = self.parameters[networks]
        self.dropout_generators = [
            [generators[i] for i in networks] for generators in self.dropout_generators
        ]

    def are_finite(self):
        """Whether the parameters of each network are finite, as an array."""
        # A sum is not finite if a number isn't.
        return self.parameters.detach().sum(dim=1).isfinite().cpu().numpy()

    def write_gradients_to(self, module, i):
        """Write the gradients of network i into a module."""
        for name, rows in self.layout.views(self.gradients).items():
            module.get_parameter(name).grad = rows[i].clone()

    def write_to(self, module, i):
        """Write network i into a module."""
        for name, rows in self.layout.views(self.parameters).items():
            module.get_parameter(name).detach().copy_(rows[i])


def draw_kept(out, p, generators):
    """Fill `out` with 1 / (1 - p) where a unit is kept, else 0; a generator for each network."""
    for row, generator in zip(out, generators, strict=True):
        torch.rand(row.shape, generator=generator, out=row)
    return torch.ge(out, p, out=out).div_(1.0 - p)
