"""Networks of one structure as one computation: dense by hand, others by `torch.func`."""

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
from skimbal._training.stacks.structure import structure_of, value_of
