"""Affine maps of one network or of a stack of networks, the same to the bit in any stack."""

import torch


def is_matrix_vector(matrices):
    """Tell whether a stack has a single matrix, with a side of 1.

    Its products are computed in another way than those of two or more, and with other rounding.

    Parameters
    ----------
    matrices : tensor of shape (P, m, n)
        The stack.

    Returns
    -------
    bool
        True for P = 1 and m or n = 1.

    Examples
    --------
    >>> import torch
    >>> from skimbal.modules import is_matrix_vector
    >>> is_matrix_vector(torch.ones(1, 4, 1)), is_matrix_vector(torch.ones(2, 4, 1))
    (True, False)
    """
    return len(matrices) == 1 and 1 in matrices.shape[1:]


def repeat_for_batched_kernel(matrices):
    """Return a matrix twice, so that its products are computed like those of several.

    Parameters
    ----------
    matrices : tensor of shape (1, m, n)
        A stack of one.

    Returns
    -------
    tensor of shape (2, m, n)
        A view.

    Examples
    --------
    >>> import torch
    >>> from skimbal.modules import repeat_for_batched_kernel
    >>> repeat_for_batched_kernel(torch.ones(1, 4, 1)).shape
    torch.Size([2, 4, 1])
    """
    return matrices.expand(2, -1, -1)


def affine(x, weight, bias, out=None):
    """x W' + b, of one network (2-d x) or of each of a stack (3-d x).

    Parameters
    ----------
    x : tensor of shape (n, n_inputs) or (P, n, n_inputs)
        Inputs.
    weight : tensor of shape (n_outputs, n_inputs) or (P, n_outputs, n_inputs)
        Weights, as `torch.nn.Linear` has them.
    bias : tensor of shape (n_outputs,) or (P, n_outputs)
        Added to each row.
    out : tensor or None, default=None
        Where to write.

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
