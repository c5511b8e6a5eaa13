"""Deep belief network: the RBMs whose weights are the hidden layers of a sigmoid network.

Hinton, Osindero & Teh 2006, doi:10.1162/neco.2006.18.7.1527: each RBM learns the distribution of
the activations of the layer below it; unrolled, the stack is a feed-forward network.
"""

from skimbal.modules._rbm import RBM


def stack_rbms(network, *, visible):
    """Return one RBM for each hidden layer of a sigmoid `MLP`, sharing its weights.

    The lowest has `visible` units, the others Bernoulli ones. Because weights and hidden biases
    are shared, training the RBMs leaves the network unrolled and ready to be fine-tuned.
    """
    return [
        RBM(layer.weight.detach(), layer.bias.detach(), visible=visible if i == 0 else "bernoulli")
        for i, layer in enumerate(network.hidden_layers())
    ]
