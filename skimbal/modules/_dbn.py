"""Deep belief network: the RBMs whose weights are the hidden layers of a sigmoid network."""

from skimbal.modules._mlp import MLP
from skimbal.modules._rbm import RBM


def stack_rbms(network: MLP, *, visible: str) -> list[RBM]:
    """Return one RBM for each hidden layer of a sigmoid `MLP`, sharing its weights.

    Each RBM learns the distribution of the activations of the layer below it. The weights and the
    hidden biases are shared, so training the RBMs also sets the hidden layers of the network, which
    can then be fine-tuned.

    Parameters
    ----------
    network : MLP
        A network with sigmoid activations.
    visible : {"bernoulli", "gaussian"}
        Visible units of the lowest RBM. The others have Bernoulli units.

    Returns
    -------
    list of RBM
        From the input up. The linear layer to the logits has no RBM.

    References
    ----------
    G. E. Hinton, S. Osindero and Y.-W. Teh, "A Fast Learning Algorithm for Deep Belief Nets",
    Neural Computation 18(7), 2006, pp. 1527-1554, sec. 4. doi:10.1162/neco.2006.18.7.1527.

    Examples
    --------
    >>> import torch
    >>> from skimbal.modules import MLP, stack_rbms
    >>> generator = torch.Generator().manual_seed(0)
    >>> network = MLP(
    ...     4, (8, 6), 2, activation="sigmoid", dropout=0.0,
    ...     generator=generator, noise_generator=generator,
    ... )
    >>> [tuple(machine.weight.shape) for machine in stack_rbms(network, visible="gaussian")]
    [(8, 4), (6, 8)]
    """
    return [
        RBM(layer.weight.detach(), layer.bias.detach(), visible=visible if i == 0 else "bernoulli")
        for i, layer in enumerate(network.hidden_layers())
    ]
