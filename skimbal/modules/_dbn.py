"""Deep belief network: the RBMs whose weights are the hidden layers of a sigmoid network.

Hinton, Osindero & Teh 2006, doi:10.1162/neco.2006.18.7.1527: each RBM learns the distribution of
the activations of the layer below it; unrolled, the stack is a feed-forward network.
"""

from skimbal.modules._rbm import RBM


def stack_rbms(network, *, visible):
    """Return one RBM for each hidden layer of a sigmoid `MLP`, sharing its weights.

    The lowest has `visible` units, the others Bernoulli ones. Because weights and hidden biases
    are shared, training the RBMs leaves the network unrolled and ready to be fine-tuned.

    Parameters
    ----------
    network : MLP
        With sigmoid activations.
    visible : {"bernoulli", "gaussian"}
        Visible units of the lowest machine.

    Returns
    -------
    list of RBM
        From the input up; the linear layer to the logits has none.

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
