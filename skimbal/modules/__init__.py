"""Networks as plain torch modules: tensors in, logits out; no labels, no training."""

from skimbal.modules._affine import affine, is_matrix_vector, repeat_for_batched_kernel
from skimbal.modules._convolution import Convolution, per_axis, size_after_layers, smallest_size
from skimbal.modules._dbn import stack_rbms
from skimbal.modules._heads import MIN_SQUARED_NORM, NormalizedLinear, norms
from skimbal.modules._mlp import ACTIVATIONS, MLP, Dropout
from skimbal.modules._own_network import (
    OwnNetwork,
    replace_dropout,
    seeded,
)
from skimbal.modules._rbm import RBM, bernoulli
from skimbal.modules._resnet import Block, ResNet

__all__ = [  # for extenders
    "ACTIVATIONS",
    "MIN_SQUARED_NORM",
    "MLP",
    "RBM",
    "Block",
    "Convolution",
    "Dropout",
    "NormalizedLinear",
    "OwnNetwork",
    "ResNet",
    "affine",
    "bernoulli",
    "is_matrix_vector",
    "norms",
    "per_axis",
    "repeat_for_batched_kernel",
    "replace_dropout",
    "seeded",
    "size_after_layers",
    "smallest_size",
    "stack_rbms",
]
