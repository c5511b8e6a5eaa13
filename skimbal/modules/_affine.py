"""Affine maps of one network or of a stack of networks.

The outputs of a network have the same bits in a stack of any size.
"""

import torch
from torch import Tensor


def is_matrix_vector(matrices: Tensor) -> bool:
    """Tell whether a stack holds a single matrix with one row or one column.

    torch computes the products of such a stack with another kernel, which rounds differently.

    Parameters
    ----------
    matrices : tensor of shape (P, m, n)
        The stack.

    Returns
    -------
    bool
        True if P = 1, and m = 1 or n = 1.

    Examples
    --------
    >>> import torch
    >>> from skimbal.modules import is_matrix_vector
    >>> is_matrix_vector(torch.ones(1, 4, 1)), is_matrix_vector(torch.ones(2, 4, 1))
    (True, False)
    """
    return len(matrices) == 1 and 1 in matrices.shape[1:]


def repeat_for_batched_kernel(matrices: Tensor) -> Tensor:
    """Repeat a single matrix, so that torch computes its products with the kernel for several.

    Parameters
    ----------
    matrices : tensor of shape (1, m, n)
        A stack of one matrix.

    Returns
    -------
    tensor of shape (2, m, n)
        The matrix twice, as a view.

    Examples
    --------
    >>> import torch
    >>> from skimbal.modules import repeat_for_batched_kernel
    >>> repeat_for_batched_kernel(torch.ones(1, 4, 1)).shape
    torch.Size([2, 4, 1])
    """
    return matrices.expand(2, -1, -1)


def affine(x: Tensor, weight: Tensor, bias: Tensor, out: Tensor | None = None) -> Tensor:
    """Return x W' + b for one network (2-d x) or for each network of a stack (3-d x).

    Parameters
    ----------
    x : tensor of shape (n, n_inputs) or (P, n, n_inputs)
        Inputs.
    weight : tensor of shape (n_outputs, n_inputs) or (P, n_outputs, n_inputs)
        Weights, laid out as in `torch.nn.Linear`.
    bias : tensor of shape (n_outputs,) or (P, n_outputs)
        Biases b.
    out : tensor or None, default=None
        Tensor to write the outputs to.

    Returns
    -------
    tensor of shape (n, n_outputs) or (P, n, n_outputs)
        The outputs.

    Examples
    --------
    >>> import torch
    >>> from skimbal.modules import affine
    >>> affine(torch.ones(1, 2), torch.eye(2), torch.tensor([0.0, 1.0])).tolist()
    [[1.0, 2.0]]
    """
    if x.ndim == 2:
        return torch.addmm(bias, x, weight.mT, out=out)
    bias = bias.unsqueeze(1)
    if is_matrix_vector(weight):
        repeated = map(repeat_for_batched_kernel, (bias, x, weight.mT))
        product = torch.baddbmm(*repeated)[:1]
        return product if out is None else out.copy_(product)
    return torch.baddbmm(bias, x, weight.mT, out=out)
