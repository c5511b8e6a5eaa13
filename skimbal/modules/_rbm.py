"""Restricted Boltzmann machine with Bernoulli hidden and Bernoulli or Gaussian visible units.

Energies, for visible v, hidden h in {0, 1}, weights W of shape (n_hidden, n_visible):

    Bernoulli:  E(v, h) = -b.v - c.h - h.W v
    Gaussian:   E(v, h) = |v - b|^2 / 2 - c.h - h.W v      (unit variance: standardised inputs)

G. E. Hinton 2012, A Practical Guide to Training Restricted Boltzmann Machines,
doi:10.1007/978-3-642-35289-8_32; Hinton 2002 (contrastive divergence),
doi:10.1162/089976602760128018; Tieleman 2008 (persistent chains), doi:10.1145/1390156.1390290.
"""

import torch
import torch.nn.functional as F
from torch import nn


class RBM(nn.Module):
    """Restricted Boltzmann machine; each formula is a method named after its quantity.

    Parameters
    ----------
    weight : tensor of shape (n_hidden, n_visible)
        Weights W; shared, not copied, so that training an RBM trains the layer it was made from.
    hidden_bias : tensor of shape (n_hidden,)
        Biases c; shared as well.
    visible : {"bernoulli", "gaussian"}
        Distribution of the visible units given the hidden ones.

    Examples
    --------
    With no weights and no biases every hidden state has the same energy.

    >>> import math, torch
    >>> from skimbal.modules import RBM
    >>> machine = RBM(torch.zeros(3, 2), torch.zeros(3), visible="bernoulli")
    >>> machine.hidden_proba(torch.ones(1, 2)).tolist()
    [[0.5, 0.5, 0.5]]
    >>> math.isclose(machine.free_energy(torch.ones(1, 2)).item(), -3 * math.log(2), rel_tol=1e-6)
    True
    """

    visible_bias: torch.Tensor

    def __init__(self, weight, hidden_bias, *, visible):
        super().__init__()
        self.weight = weight
        self.hidden_bias = hidden_bias
        self.register_buffer("visible_bias", weight.new_zeros(weight.shape[1]))
        self.visible = visible

    def hidden_proba(self, v):
        """P(h_j = 1 | v) = sigmoid(c + W v), shape (n, n_hidden)."""
        return torch.sigmoid(F.linear(v, self.weight, self.hidden_bias))

    def visible_mean(self, h):
        """E[v | h]: sigmoid(b + W' h) for Bernoulli, b + W' h for Gaussian units."""
        field = torch.addmm(self.visible_bias, h, self.weight)
        return torch.sigmoid(field) if self.visible == "bernoulli" else field

    def free_energy(self, v):
        """F(v) = -log sum_h exp(-E(v, h)), shape (n,)."""
        if self.visible == "bernoulli":
            visible_term = -v @ self.visible_bias
        else:
            visible_term = 0.5 * (v - self.visible_bias).square().sum(dim=1)
        return visible_term - F.softplus(F.linear(v, self.weight, self.hidden_bias)).sum(dim=1)

    def sample_visible(self, h, generator):
        """Draw v given h."""
        mean = self.visible_mean(h)
        if self.visible == "bernoulli":
            return bernoulli(mean, generator)
        return mean + torch.randn(
            mean.shape, generator=generator, device=mean.device, dtype=mean.dtype
        )


def bernoulli(proba, generator):
    """Draw 0 or 1 with the given probabilities (faster than torch.bernoulli on the CPU).

    Parameters
    ----------
    proba : tensor
        Probabilities of a 1.
    generator : torch.Generator
        Draws the numbers; on the device of `proba`.

    Returns
    -------
    tensor
        Zeros and ones, of the shape and type of `proba`.

    Examples
    --------
    >>> import torch
    >>> from skimbal.modules import bernoulli
    >>> bernoulli(torch.tensor([0.0, 1.0]), torch.Generator().manual_seed(0)).tolist()
    [0.0, 1.0]
    """
    draws = torch.rand(proba.shape, generator=generator, device=proba.device, dtype=proba.dtype)
    return (draws < proba).to(proba.dtype)
