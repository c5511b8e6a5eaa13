"""What a trained module computes: a sample gets the same answer in any company.

Products of matrices round differently with the number of their rows. Dense networks are therefore
computed in float64, where that does not show. For convolutions float64 takes several times as long
(`docs/guide/convolutions.rst` has the figures), and there is a better way: blocks that always have
the same number of rows, filled up where there are fewer, in the precision of the module.
"""

import numpy as np
import torch
from scipy.special import expit
from torch import nn
from torch.func import functional_call

from skimbal._training.chunked import ChunkedInputs
from skimbal._training.inputs import NUMBERS_AT_ONCE, WindowInputs, as_type, slices_of, writable
from skimbal._training.tables import TableInputs
from skimbal._utils._torch import torch_threads
from skimbal.modules import MLP, Dropout, OwnNetwork

ROWS_OF_BLOCK = {"cpu": 32, "cuda": 256}
# Up to so many rows are computed in NumPy: calls of torch take longer than the products.
MAX_ROWS_OF_NUMPY = 4
ACTIVATIONS_OF_NUMPY = {
    nn.ReLU: lambda x: np.maximum(x, 0.0),
    nn.Sigmoid: expit,
    nn.Tanh: np.tanh,
}


def predict_arrays(module, X, n_threads=1):
    """Return features and logits of a module in float64.

    Parameters
    ----------
    module : torch.nn.Module
        With parts `features` and `output`, or an `OwnNetwork`.
    X : ndarray, WindowInputs or TableInputs
    n_threads : int, default=1
        Threads of torch.

    Returns
    -------
    features, logits : ndarray

    Raises
    ------
    ValueError
        For a sample whose logits are not finite.
    """
    return _computed(module, X, n_threads, _in_double)


def predict_logits(module, X, n_threads=1):
    """Return the logits that `predict_arrays` returns; the features take no memory."""
    return _computed(module, X, n_threads, _logits_in_double)[-1]


def _computed(module, X, n_threads, dense):
    if isinstance(X, TableInputs) and isinstance(module, MLP):
        X = X.in_double()
    if are_few_rows(module, X):
        arrays = few_rows(module, X)
    else:
        with torch_threads(n_threads):
            tensors = forward(module, X, dense)
        arrays = tuple(tensor.cpu().double().numpy() for tensor in tensors)
    _check_logits(arrays[-1])
    return arrays


def are_few_rows(module, X):
    """Whether NumPy computes the rows faster than torch."""
    return (
        len(X) <= MAX_ROWS_OF_NUMPY
        and isinstance(module, MLP)
        and module.output.weight.device.type == "cpu"
    )


def few_rows(module, X):
    """Features and logits of a dense network for a few rows, in float64."""
    rows = X if isinstance(X, np.ndarray) else X[:].numpy()
    features = rows.reshape(len(rows), -1).astype(np.float64, copy=False)
    for layer in module.features:
        if type(layer) not in (nn.Flatten, Dropout):
            features = _layer_of_numpy(layer, features)
    return features, _layer_of_numpy(module.output, features)


def _layer_of_numpy(layer, x):
    """The output of a layer for an array in float64, the same for any number of rows and threads.

    A product of matrices by BLAS would not be.
    """
    kind = type(layer)
    if kind is nn.Linear:
        weight, bias = layer.weight.numpy(force=True), layer.bias.numpy(force=True)
        return np.einsum("ij,kj->ik", x, weight.astype(np.float64)) + bias
    if kind in ACTIVATIONS_OF_NUMPY:
        return ACTIVATIONS_OF_NUMPY[kind](x)
    with torch.no_grad():
        return _call_as(layer, torch.as_tensor(x)).numpy()


def _check_logits(logits):
    """Raise a ValueError that names the first sample whose logits are not finite."""
    if np.isfinite(logits).all():
        return
    is_finite = np.isfinite(logits).all(axis=1)
    raise ValueError(
        f"the logits of sample {is_finite.argmin()} are not finite: its values are too large "
        "to compute with, or the training of the network diverged; scale X as in training"
    )


def logits_only(module, x):
    """The logits of a dense network in its own precision, for `forward`."""
    return (module(x),)


@torch.no_grad()
def forward(module, X, dense=lambda module, x: module(x, with_features=True)[::-1]):
    """Return features and logits of a module in evaluation mode.

    Parameters
    ----------
    module : torch.nn.Module
        With parts `features` and `output`.
    X : ndarray, tensor, WindowInputs, TableInputs or ChunkedInputs
        Dense networks compute large ones in slices, whose rows do not depend on how X is stored.
    dense : callable
        Computes those of a dense network; by default in its own precision.

    Returns
    -------
    features, logits : tensor
    """
    if module.training:
        module.eval()
    if isinstance(X, ChunkedInputs):
        parts = [forward(module, block, dense) for block in X.blocks()]
        return tuple(map(torch.cat, zip(*parts, strict=True)))
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
    features = torch.as_tensor(writable(X), dtype=dtype, device=device)
    for layer in module.features:
        features = _call_as(layer, features)
    return features, _call_as(module.output, features)


def _logits_in_double(module, X):
    return _in_double(module, X)[1:]


def _call_as(layer, x):
    """The output of a layer, computed in the precision of its input."""
    state = {name: value.to(x.dtype) for name, value in layer.state_dict().items()}
    return functional_call(layer, state, (x,))


def in_blocks(module, X):
    """Features and logits, a block of rows at a time.

    Parameters
    ----------
    module : torch.nn.Module
        In evaluation mode.
    X : ndarray, tensor, WindowInputs or TableInputs
    """
    weight = next(module.parameters())
    n_rows = ROWS_OF_BLOCK.get(weight.device.type, 32)
    blocks = []
    for start in range(0, len(X), n_rows):
        places = range(start, start + n_rows)
        x = as_type(X[start : start + n_rows], weight.dtype, weight.device, places)
        n_missing = n_rows - len(x)
        if n_missing:
            x = torch.cat([x, x[:1].expand(n_missing, *x.shape[1:])])
        if isinstance(module, OwnNetwork):
            logits, features = module(x, with_features=True)
        else:
            features = module.features(x)
            logits = module.output(features)
        blocks.append((features, logits))
    features, logits = (torch.cat(parts)[: len(X)] for parts in zip(*blocks, strict=True))
    return features, logits
