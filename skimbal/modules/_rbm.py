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

from skimbal.modules._affine import affine


class RBM(nn.Module):
    """Restricted Boltzmann machine; each formula is a method named after its quantity.

    A stack of P machines of one shape is one, too: all tensors have P as a first axis more.

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
        self.register_buffer("visible_bias", torch.zeros_like(weight[..., 0, :]))
        self.visible = visible

    def hidden_proba(self, v, out=None):
        """P(h_j = 1 | v) = sigmoid(c + W v), shape (n, n_hidden)."""
        return affine(v, self.weight, self.hidden_bias, out).sigmoid_()

    def visible_mean(self, h, out=None):
        """E[v | h]: sigmoid(b + W' h) for Bernoulli, b + W' h for Gaussian units."""
        field = affine(h, self.weight.mT, self.visible_bias, out)
        return field.sigmoid_() if self.visible == "bernoulli" else field

    def free_energy(self, v):
        """F(v) = -log sum_h exp(-E(v, h)), shape (n,)."""
        bias = self.visible_bias.unsqueeze(-2)
        if self.visible == "bernoulli":
            visible_term = -(v * bias).sum(dim=-1)
        else:
            visible_term = 0.5 * (v - bias).square().sum(dim=-1)
        return visible_term - F.softplus(affine(v, self.weight, self.hidden_bias)).sum(dim=-1)

    def sample_visible(self, h, generator, out=None):
        """Draw v given h; `generator` is as in `bernoulli`."""
        mean = self.visible_mean(h, out)
        if self.visible == "bernoulli":
            return bernoulli(mean, generator, out=mean)
        return mean.add_(_fill(torch.empty_like(mean), torch.Tensor.normal_, generator))


def _fill(out, draw, generator):
    """Fill with random numbers: all with one generator, or each machine with its own."""
    if isinstance(generator, torch.Generator):
        return draw(out, generator=generator)
    for machine, own in zip(out, generator, strict=True):
        draw(machine, generator=own)
    return out


def _draw_words(out, generator):
    return out.random_(-(2**63), None, generator=generator)


def bernoulli(proba, generator, out=None):
    """Draw 0 or 1 with the given probabilities, to the nearest multiple of 2^-16.

    Random numbers take most of the time of contrastive divergence. Four numbers of 16 bits from
    each random word take a third of the time of as many in single precision, and a twelfth of
    `torch.bernoulli`.

    Parameters
    ----------
    proba : tensor of shape (...) or (P, ...)
        Probabilities of a 1.
    generator : torch.Generator or list of torch.Generator
        Draws the numbers; on the device of `proba`. A list has one for each of P machines.
    out : tensor or None, default=None
        Where to write; may be `proba`.

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
    n_machines = 1 if isinstance(generator, torch.Generator) else len(generator)
    n_each = proba.numel() // n_machines
    words = torch.empty(n_machines, -(-n_each // 4), dtype=torch.int64, device=proba.device)
    bits = _fill(words, _draw_words, generator).view(torch.int16)[:, :n_each].reshape(proba.shape)
    # Bits are whole numbers from -2^15 to 2^15 - 1; the threshold of p = 1 is above all of them.
    threshold = torch.sub(proba, 0.5 + 2**-17, out=out).mul_(2**16)
    return torch.lt(bits, threshold, out=threshold)
