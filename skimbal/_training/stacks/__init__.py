"""How the gradients of a population are computed: dense, functional or sequential."""

from skimbal._training.stacks.base import BaseStack
from skimbal._training.stacks.dense import DenseStack
from skimbal._training.stacks.functional import FunctionalStack
from skimbal._training.stacks.layout import (
    BLOCK,
    Buffer,
    ParameterLayout,
    add_product_,
    aligned_matrices,
)
from skimbal._training.stacks.sequential import SequentialStack
from skimbal._training.stacks.structure import structure_of, value_of
