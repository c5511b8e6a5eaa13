"""Multi-layer perceptron: dense layers on flattened inputs, logits out."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from skimbal.modules._heads import BaseNetwork

ACTIVATIONS = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "elu": nn.ELU,
    "gelu": nn.GELU,
}


class Dropout(nn.Module):
    """Dropout that draws from its own generator and leaves the global random state alone.

    In training mode, each entry is set to 0 with probability p, and the others are multiplied by
    1 / (1 - p). Otherwise nothing changes.

    Parameters
    ----------
    p : float in [0, 1)
        Probability of dropping an entry.
    generator : torch.Generator
        Draws the dropped entries. It is on the device of the inputs.

    References
    ----------
    N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever and R. Salakhutdinov, "Dropout: A Simple
    Way to Prevent Neural Networks from Overfitting", JMLR 15, 2014, pp. 1929-1958, sec. 4.
    https://jmlr.org/papers/v15/srivastava14a.html

    Examples
    --------
    >>> import torch
    >>> from skimbal.modules import Dropout
    >>> dropped = Dropout(0.5, torch.Generator().manual_seed(0))(torch.ones(1000))
    >>> dropped.unique().tolist()
    [0.0, 2.0]
    """

    factor: Tensor | None

    def __init__(self, p: float, generator: torch.Generator) -> None:
        super().__init__()
        self.p = p
        self.generator = generator
        # A stack of networks sets the factors of its networks here.
        self.register_buffer("factor", None, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the inputs, with entries dropped in training mode."""
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


class MLP(BaseNetwork):
    """Dense layers with one activation, and a linear layer to the logits.

    Parameters
    ----------
    n_inputs : int
        Number of inputs of the flattened sample.
    hidden_layer_sizes : sequence of int
        Number of units of each hidden layer. If it is empty, the model is linear.
    n_classes : int
        Number of logits.
    activation : str
        A key of `ACTIVATIONS`.
    dropout : float in [0, 1)
        Probability of dropping a hidden unit in training.
    generator : torch.Generator
        Draws the weights.
    noise_generator : torch.Generator
        Draws the dropped units. It is on the device of the inputs.

    References
    ----------
    D. E. Rumelhart, G. E. Hinton and R. J. Williams, "Learning Representations by Back-Propagating
    Errors", Nature 323, 1986, pp. 533-536. doi:10.1038/323533a0. Initial weights: X. Glorot and
    Y. Bengio, "Understanding the Difficulty of Training Deep Feedforward Neural Networks", AISTATS
    2010, eq. 16. https://proceedings.mlr.press/v9/glorot10a.html

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
        n_inputs: int,
        hidden_layer_sizes: Sequence[int],
        n_classes: int,
        *,
        activation: str,
        dropout: float,
        generator: torch.Generator,
        noise_generator: torch.Generator,
    ) -> None:
        super().__init__()
        sizes = [n_inputs, *hidden_layer_sizes]
        layers: list[nn.Module] = [nn.Flatten()]
        for n_in, n_out in pairwise(sizes):
            layers += [dense(n_in, n_out, generator), ACTIVATIONS[activation]()]
            if dropout:
                layers.append(Dropout(dropout, noise_generator))
        self.features = nn.Sequential(*layers)
        self.output = dense(sizes[-1], n_classes, generator)

    def hidden_layers(self) -> list[nn.Linear]:
        """Return the linear layers before the last one, from the input up."""
        return [layer for layer in self.features.children() if isinstance(layer, nn.Linear)]

    def linear_layers(self) -> list[nn.Module]:
        """Return all linear layers, from the input up."""
        return [*self.hidden_layers(), self.output]
