"""Where the numbers of stacked networks lie in memory, and the products that keep them there."""

import torch

from skimbal._training.batches import rounded_up
from skimbal.modules import is_matrix_vector, repeat_for_batched_kernel

CACHE_LINE = 16  # float32 numbers of a cache line
BLOCK = 32  # numbers that a vectorized loop takes at a time: two vectors of 16 float32


class ParameterLayout:
    """Where the parameters of a network lie in a row of numbers.

    The matrix of a layer with fewer inputs than outputs is stored transposed: products with a
    narrow result take up to four times as long as those with a wide one.

    Parameters
    ----------
    shapes : dict of str to torch.Size
        Shape of each parameter, by name.
    """

    def __init__(self, shapes):
        self.shapes = shapes
        self.offsets = {}
        n_numbers = 0
        for name, shape in shapes.items():
            self.offsets[name] = n_numbers
            n_numbers += rounded_up(shape.numel(), CACHE_LINE)
        self.row_length = rounded_up(n_numbers, BLOCK)

    def views(self, rows):
        """Return each parameter, shape (P, *shape), as a view of rows (P, row_length)."""
        views = {}
        for name, shape in self.shapes.items():
            views[name] = self._view(rows, name, shape)
        return views

    def _view(self, rows, name, shape):
        start = self.offsets[name]
        block = rows[:, start : start + shape.numel()]
        if len(shape) == 2 and shape[1] < shape[0]:
            return block.view(-1, shape[1], shape[0]).mT
        return block.view(-1, *shape)


def aligned_matrices(matrices):
    """Return a tensor for products of the shape and order of (P, m, n) views, that is faster.

    Products into views with gaps are computed one by one. Without gaps each matrix begins on a
    cache line only if its numbers fill whole lines; where they don't, the views themselves are
    returned.
    """
    if matrices[0].numel() % CACHE_LINE:
        return matrices
    if matrices.stride(-1) != 1:
        return torch.zeros_like(matrices.mT, memory_format=torch.contiguous_format).mT
    return torch.zeros_like(matrices, memory_format=torch.contiguous_format)


def zeros_on_lines(matrices):
    """Return zeros of the shape of (P, m, n) matrices, of which each begins on a cache line."""
    layout = ParameterLayout({"matrix": matrices.shape[1:]})
    return layout.views(matrices.new_zeros(len(matrices), layout.row_length))["matrix"]


def add_product_(matrices, left, right, *, beta=0.0, alpha=1.0):
    """matrices <- beta * matrices + alpha * left right, in the order that they are stored in."""
    if matrices.stride(-1) != 1:
        matrices, left, right = matrices.mT, right.mT, left.mT
    if len(matrices) == 1 and right.shape[2] == 1:
        repeated = map(repeat_for_batched_kernel, (matrices, left, right))
        return matrices.copy_(torch.baddbmm(*repeated, beta=beta, alpha=alpha)[:1])
    return matrices.baddbmm_(left, right, beta=beta, alpha=alpha)


def product(left, right, out):
    """out <- left right, for each pair of matrices."""
    if is_matrix_vector(right):
        return out.copy_(torch.bmm(*map(repeat_for_batched_kernel, (left, right)))[:1])
    return torch.bmm(left, right, out=out)


class Buffer:
    """Memory to compute into; the same in every step, so that it stays in the cache."""

    def __init__(self):
        self.tensors = {}

    def __call__(self, x, width):
        """Return a tensor of shape (P, n, width) for x of shape (P, n, ...)."""
        n_rows = x.shape[1]
        if n_rows not in self.tensors:
            self.tensors[n_rows] = x.new_empty(len(x), n_rows, width)
        return self.tensors[n_rows]
