"""What a trained module computes: a sample gets the same answer in any company.

Products of matrices round differently with the number of their rows. Dense networks are therefore
computed in float64, where that does not show. For convolutions float64 takes several times as long
(`docs/guide/convolutions.rst` has the figures), and there is a better way: blocks that always have
the same number of rows, filled up where there are fewer, in the precision of the module.
"""

import numpy as np
import torch
from torch.func import functional_call

from skimbal._training.inputs import NUMBERS_AT_ONCE, WindowInputs, as_type, slices_of
from skimbal._training.tables import TableInputs
from skimbal.modules import MLP

ROWS_OF_BLOCK = {"cpu": 32, "cuda": 256}


def predict_arrays(module, X):
    """Return features and logits of a module in float64.

    Parameters
    ----------
    module : torch.nn.Module
        With parts `features` and `output`.
    X : ndarray, WindowInputs or TableInputs

    Returns
    -------
    features, logits : ndarray

    Raises
    ------
    ValueError
        For a sample whose logits are not finite.
    """
    if isinstance(X, TableInputs) and isinstance(module, MLP):
        X = X.in_double()
    features, logits = (tensor.cpu().double().numpy() for tensor in forward(module, X, _in_double))
    is_finite = np.isfinite(logits).all(axis=1)
    if not is_finite.all():
        raise ValueError(
            f"the logits of sample {is_finite.argmin()} are not finite: its values are too large "
            "to compute with, or the training of the network diverged; scale X as in training"
        )
    return features, logits


@torch.no_grad()
def forward(module, X, dense=lambda module, x: module(x, with_features=True)[::-1]):
    """Return features and logits of a module in evaluation mode.

    Parameters
    ----------
    module : torch.nn.Module
        With parts `features` and `output`.
    X : ndarray, tensor, WindowInputs or TableInputs
        Dense networks compute large ones in slices, whose rows do not depend on how X is stored.
    dense : callable
        Computes those of a dense network; by default in its own precision.

    Returns
    -------
    features, logits : tensor
    """
    module.eval()
    if not isinstance(module, MLP):
        return in_blocks(module, X)
    is_tensor = not isinstance(X, WindowInputs | TableInputs)
    if is_tensor and (X.ndim > 2 or len(X) * X.shape[1] <= NUMBERS_AT_ONCE):
        return dense(module, X)
    parts = [dense(module, X[rows]) for rows in slices_of(X)]
    return tuple(map(torch.cat, zip(*parts, strict=True)))


def _in_double(module, X):
    """Features and logits in float64; the module keeps its own precision.

    Apple's mps devices have no float64 and compute in float32.
    """
    device = module.output.weight.device
    dtype = torch.float32 if device.type == "mps" else torch.float64

    def call(part, x):
        return functional_call(part, {k: v.to(dtype) for k, v in part.state_dict().items()}, (x,))

    features = call(module.features, torch.as_tensor(X, dtype=dtype, device=device))
    return features, call(module.output, features)


def in_blocks(module, X):
    """Features and logits, a block of rows at a time.

    Parameters
    ----------
    module : torch.nn.Module
        In evaluation mode.
    X : ndarray, tensor, WindowInputs or TableInputs
    """
    weight = module.output.weight
    n_rows = ROWS_OF_BLOCK.get(weight.device.type, 32)
    blocks = []
    for start in range(0, len(X), n_rows):
        places = range(start, start + n_rows)
        x = as_type(X[start : start + n_rows], weight.dtype, weight.device, places)
        n_missing = n_rows - len(x)
        if n_missing:
            x = torch.cat([x, x[:1].expand(n_missing, *x.shape[1:])])
        features = module.features(x)
        blocks.append((features, module.output(features)))
    features, logits = (torch.cat(parts)[: len(X)] for parts in zip(*blocks, strict=True))
    return features, logits
