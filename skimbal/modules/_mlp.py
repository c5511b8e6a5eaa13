"""Multi-layer perceptron: dense layers on flattened inputs, logits out."""

from itertools import pairwise

import torch
from torch import nn

from skimbal.modules._heads import Network

ACTIVATIONS = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "elu": nn.ELU,
    "gelu": nn.GELU,
}


class Dropout(nn.Module):
    """Dropout that draws from its own generator, so that no global random state is touched.

    In training each entry is zeroed with probability p and the others are scaled by 1 / (1 - p);
    otherwise nothing changes.

    Parameters
    ----------
    p : float in [0, 1)
        Probability of dropping an entry.
    generator : torch.Generator
        Draws the dropped entries; on the device of the inputs.

    Examples
    --------
    >>> import torch
    >>> from skimbal.modules import Dropout
    >>> dropped = Dropout(0.5, torch.Generator().manual_seed(0))(torch.ones(1000))
    >>> dropped.unique().tolist()
    [0.0, 2.0]
    """

    factor: torch.Tensor | None

    def __init__(self, p, generator):
        super().__init__()
        self.p = p
        self.generator = generator
        # Given from outside where many networks are computed as one, else None.
        self.register_buffer("factor", None, persistent=False)

    def forward(self, x):
        """Return the inputs with entries dropped, in training mode."""
        if not self.training:
            return x
        if self.factor is not None:
            return x * self.factor
        keep = torch.rand(x.shape, generator=self.generator, device=x.device) >= self.p
        return x * keep / (1.0 - self.p)


def dense(n_inputs, n_outputs, generator):
    """Linear layer with Glorot-uniform weights and zero biases, drawn from `generator`.

    Glorot & Bengio 2010, eq. 16: U(-a, a) with a = sqrt(6 / (n_inputs + n_outputs)).
    """
    layer = nn.utils.skip_init(nn.Linear, n_inputs, n_outputs)
    nn.init.xavier_uniform_(layer.weight, generator=generator)
    nn.init.zeros_(layer.bias)
    return layer


class MLP(Network):
    """Dense layers with one activation, and a linear layer to the logits.

    Parameters
    ----------
    n_inputs : int
        Number of inputs of the flattened sample.
    hidden_layer_sizes : sequence of int
        Units of each hidden layer; empty is a linear model.
    n_classes : int
        Number of logits.
    activation : str
        A key of `ACTIVATIONS`.
    dropout : float in [0, 1)
        Probability of dropping a hidden unit in training.
    generator : torch.Generator
        Draws the weights.
    noise_generator : torch.Generator
        Draws the dropped units; on the device of the inputs.

    Examples
    --------
    >>> import torch
    >>> from skimbal.modules import MLP
    >>> generator = torch.Generator().manual_seed(0)
    >>> network = MLP(
    ...     4, (8,), 3, activation="relu", dropout=0.0,
    ...     generator=generator, noise_generator=generator,
    ... )
    >>> network(torch.zeros(5, 4)).shape
    torch.Size([5, 3])
    """

    def __init__(
        self,
        n_inputs,
        hidden_layer_sizes,
        n_classes,
        *,
        activation,
        dropout,
        generator,
        noise_generator,
    ):
        super().__init__()
        sizes = [n_inputs, *hidden_layer_sizes]
        layers: list[nn.Module] = [nn.Flatten()]
        for n_in, n_out in pairwise(sizes):
            layers += [dense(n_in, n_out, generator), ACTIVATIONS[activation]()]
            if dropout:
                layers.append(Dropout(dropout, noise_generator))
        self.features = nn.Sequential(*layers)
        self.output = dense(sizes[-1], n_classes, generator)

    def hidden_layers(self):
        """Return the linear layers before the last one, from the input up."""
        return [layer for layer in self.features.children() if isinstance(layer, nn.Linear)]

    def linear_layers(self):
        """Return all linear layers, from the input up."""
        return [*self.hidden_layers(), self.output]
