"""Affine maps of one network or of a stack of networks, the same to the bit in any stack."""

import torch


def is_thin(matrices):
    """Whether a stack has a single matrix, with a side of 1.

    Its products are computed in another way than those of two or more, and with other rounding.
    """
    return len(matrices) == 1 and 1 in matrices.shape[1:]


def twin(matrices):
    """The same matrix twice, so that its products are computed like those of several."""
    return matrices.expand(2, -1, -1)


def affine(x, weight, bias, out=None):
    """x W' + b, of one network (2-d x) or of each of a stack (3-d x).

    Parameters
    ----------
    x : tensor of shape (n, n_inputs) or (P, n, n_inputs)
    weight : tensor of shape (n_outputs, n_inputs) or (P, n_outputs, n_inputs)
    bias : tensor of shape (n_outputs,) or (P, n_outputs)
    out : tensor or None, default=None
        Where to write.

    Returns
    -------
    tensor of shape (n, n_outputs) or (P, n, n_outputs)

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
    if is_thin(weight):
        product = torch.baddbmm(twin(bias), twin(x), twin(weight.mT))[:1]
        return product if out is None else out.copy_(product)
    return torch.baddbmm(bias, x, weight.mT, out=out)
