"""Networks as plain torch modules: tensors in, logits out; no labels, no training."""

from skimbal.modules._affine import affine, is_thin, twin
from skimbal.modules._dbn import stack_rbms
from skimbal.modules._mlp import ACTIVATIONS, MLP, Dropout
from skimbal.modules._rbm import RBM, bernoulli

__all__ = [
    "ACTIVATIONS",
    "MLP",
    "RBM",
    "Dropout",
    "affine",
    "bernoulli",
    "is_thin",
    "stack_rbms",
    "twin",
]
