"""Restricted Boltzmann machine with Bernoulli hidden and Bernoulli or Gaussian visible units.

Energies, for visible v, hidden h in {0, 1}, weights W of shape (n_hidden, n_visible):

    Bernoulli:  E(v, h) = -b.v - c.h - h.W v
    Gaussian:   E(v, h) = |v - b|^2 / 2 - c.h - h.W v      (unit variance: standardized inputs)
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from skimbal.modules._affine import affine

Generators = torch.Generator | list[torch.Generator]


class RBM(nn.Module):
    """Restricted Boltzmann machine; each formula is a method named after its quantity.

    The same class holds a stack of P machines of one shape. All its tensors, including inputs and
    outputs, then have an additional first axis of length P.

    Parameters
    ----------
    weight : tensor of shape (n_hidden, n_visible)
        Weights W. They are shared and not copied, so that training the RBM also trains the layer
        that the weights belong to.
    hidden_bias : tensor of shape (n_hidden,)
        Biases c of the hidden units, also shared.
    visible : {"bernoulli", "gaussian"}
        Distribution of the visible units given the hidden units.

    References
    ----------
    G. E. Hinton, "A Practical Guide to Training Restricted Boltzmann Machines", in Neural Networks:
    Tricks of the Trade, 2012, secs. 2 and 13.2. doi:10.1007/978-3-642-35289-8_32.
    Training: G. E. Hinton, "Training Products of Experts by Minimizing Contrastive Divergence",
    Neural Computation 14(8), 2002. doi:10.1162/089976602760128018.
    Persistent chains: T. Tieleman, "Training Restricted Boltzmann Machines Using Approximations to
    the Likelihood Gradient", ICML 2008. doi:10.1145/1390156.1390290.

    Examples
    --------
    If all weights and biases are 0, every hidden state has the same energy.

    >>> import math, torch
    >>> from skimbal.modules import RBM
    >>> machine = RBM(torch.zeros(3, 2), torch.zeros(3), visible="bernoulli")
    >>> machine.hidden_proba(torch.ones(1, 2)).tolist()
    [[0.5, 0.5, 0.5]]
    >>> math.isclose(machine.free_energy(torch.ones(1, 2)).item(), -3 * math.log(2), rel_tol=1e-6)
    True
    """

    visible_bias: Tensor

    def __init__(self, weight: Tensor, hidden_bias: Tensor, *, visible: str) -> None:
        super().__init__()
        self.weight = weight
        self.hidden_bias = hidden_bias
        self.register_buffer("visible_bias", torch.zeros_like(weight[..., 0, :]))
        self.visible = visible

    def hidden_proba(self, v: Tensor, out: Tensor | None = None) -> Tensor:
        """Return P(h_j = 1 | v) = sigmoid(c + W v), shape (n, n_hidden), in `out` if given."""
        return affine(v, self.weight, self.hidden_bias, out).sigmoid_()

    def visible_mean(self, h: Tensor, out: Tensor | None = None) -> Tensor:
        """Return E[v | h]: sigmoid(b + W' h) for Bernoulli units, b + W' h for Gaussian ones."""
        field = affine(h, self.weight.mT, self.visible_bias, out)
        return field.sigmoid_() if self.visible == "bernoulli" else field

    def free_energy(self, v: Tensor) -> Tensor:
        """Return F(v) = -log sum_h exp(-E(v, h)), shape (n,)."""
        bias = self.visible_bias.unsqueeze(-2)
        if self.visible == "bernoulli":
            visible_term = -(v * bias).sum(dim=-1)
        else:
            visible_term = 0.5 * (v - bias).square().sum(dim=-1)
        return visible_term - F.softplus(affine(v, self.weight, self.hidden_bias)).sum(dim=-1)

    def sample_visible(self, h: Tensor, generator: Generators, out: Tensor | None = None) -> Tensor:
        """Draw v given h; `generator` and `out` are as in `bernoulli`."""
        mean = self.visible_mean(h, out)
        if self.visible == "bernoulli":
            return bernoulli(mean, generator, out=mean)
        return mean.add_(_fill(torch.empty_like(mean), torch.Tensor.normal_, generator))


def _fill(out, draw, generator):
    """Fill a tensor with random numbers, from one generator or from one for each machine."""
    if isinstance(generator, torch.Generator):
        return draw(out, generator=generator)
    for machine, own in zip(out, generator, strict=True):
        draw(machine, generator=own)
    return out


def _draw_words(out, generator):
    return out.random_(-(2**63), None, generator=generator)


def bernoulli(proba: Tensor, generator: Generators, out: Tensor | None = None) -> Tensor:
    """Draw 0 or 1 with the given probabilities, rounded to the nearest multiple of 2^-16.

    Random numbers take most of the time of contrastive divergence. This function takes four numbers
    of 16 bits from each random word of 64 bits. It takes a third of the time of numbers in single
    precision, and a twelfth of the time of `torch.bernoulli`.

    Parameters
    ----------
    proba : tensor of shape (...) or (P, ...)
        Probabilities of a 1.
    generator : torch.Generator or list of torch.Generator
        Draws the numbers, on the device of `proba`. A list has one for each of P machines.
    out : tensor or None, default=None
        Tensor to write the result to, which may be `proba`.

    Returns
    -------
    tensor
        Zeros and ones, with the shape and type of `proba`.

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
