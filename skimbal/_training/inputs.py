"""Inputs of networks: windows that are cut when a batch needs them, and standardization.

Tables are standardized by feature, signals and images by channel.
"""

from math import prod

import numpy as np
import torch
from scipy.sparse import issparse

from skimbal._utils._table_rows import TableRows
from skimbal.preprocessing import ChunkedTable, WindowIndex

NUMBERS_AT_ONCE = 2**20
# Variances below, and infinite ones, are computed once more, in another unit.
SMALL_VARIANCE = 1e-200


def is_windows(X):
    """Whether inputs are cut from recordings."""
    return isinstance(X, WindowIndex)


def is_chunked(X):
    """Whether inputs are read from the disk in chunks."""
    return isinstance(X, ChunkedTable)


class WindowInputs:
    """Windows on the scale that a network is trained on, as tensors.

    Parameters
    ----------
    windows : WindowIndex
    prepare : callable
        Standardizes an array of windows.
    device : torch.device or str, default="cpu"
        Where to put what is asked for.

    Notes
    -----
    Only the rows that are asked for are ever in memory.
    """

    def __init__(self, windows, prepare, device="cpu"):
        self.windows = windows
        self.prepare = prepare
        self.device = torch.device(device)
        self.shape = (len(windows), *prepare(windows.take(np.arange(1))).shape[1:])

    def __len__(self):
        return len(self.windows)

    def __getitem__(self, rows):
        if isinstance(rows, torch.Tensor):
            rows = rows.cpu().numpy()
        elif isinstance(rows, slice):
            rows = np.arange(len(self))[rows]
        places = np.atleast_1d(rows)
        array = self.prepare(self.windows.take(places))
        tensor = as_type(array, torch.get_default_dtype(), self.device, places)
        return tensor if np.ndim(rows) else tensor[0]

    def to(self, device):
        """Return the inputs with another device for what is asked for."""
        return WindowInputs(self.windows, self.prepare, device)


def blocks_of_rows(X):
    """Yield inputs as arrays, in parts, with the slice of their rows; sparse ones are made dense.

    Arrays of more than two dimensions are one part. What is computed from a sparse table is
    therefore the same, to the bit, as from the dense one.
    """
    if is_chunked(X):
        yield from X.blocks()
        return
    if not is_windows(X) and X.ndim > 2:
        yield slice(0, len(X)), X
        return
    for rows in slices_of(X):
        if is_windows(X):
            yield rows, X.take(np.arange(rows.start, rows.stop))
        else:
            yield rows, dense_rows(X[rows])


def dense_rows(X):
    """Rows of a table, sparse, shared or neither, as an array.

    >>> from scipy.sparse import csr_array
    >>> dense_rows(csr_array([[0.0, 2.0]]))
    array([[0., 2.]])
    """
    return X.toarray() if issparse(X) or isinstance(X, TableRows) else X


def slices_of(X):
    """Cut the rows of inputs into slices of about a million numbers."""
    n_rows, n_samples = max(1, NUMBERS_AT_ONCE // max(1, prod(X.shape[1:]))), X.shape[0]
    return [slice(i, min(i + n_rows, n_samples)) for i in range(0, n_samples, n_rows)]


def channel_moments(X, sample_weight=None):
    """Weighted mean and standard deviation of each feature (2-D X) or channel (n-d X).

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_channels, ...), CSR table or WindowIndex
        Training data.
    sample_weight : ndarray of shape (n_samples,), default=None
        Weight of each sample.

    Returns
    -------
    mean, scale : ndarray of shape (n_channels, 1, ...)
        They broadcast against a sample. A constant channel has scale 1, or that of the rounding of
        its mean, if this is larger.
    """
    n_numbers = prod(X.shape[2:])
    mean = _weighted_moment(X, sample_weight)
    with np.errstate(over="ignore"):
        variance = _weighted_moment(X, sample_weight, center=mean)
    deviation = np.sqrt(variance)
    is_extreme = (variance < SMALL_VARIANCE) | (variance == np.inf)
    if is_extreme.any():  # squares of small numbers vanish, those of large ones overflow
        unit = _largest_distances(X, mean)
        unit_or_one = np.where(unit > 0, unit, 1.0)
        relative = _weighted_moment(X, sample_weight, center=mean, unit=unit_or_one)
        deviation = np.where(is_extreme, unit * np.sqrt(relative), deviation)
    # Rounding of a sum of n values leaves a constant channel a deviation up to n * eps * mean.
    rounding = X.shape[0] * n_numbers * np.finfo(np.float64).eps * np.abs(mean)
    scale = np.where(deviation <= rounding, np.maximum(rounding, 1.0), deviation)
    shape = (-1, *[1] * (X.ndim - 2))
    return mean.reshape(shape), scale.reshape(shape)


def _weighted_moment(X, weight, center=None, unit=None):
    """Weighted mean of each channel, or of its squared distance from a center, in a unit."""
    total = 0.0
    for rows, part in blocks_of_rows(X):
        values = part.reshape(*part.shape[:2], -1)
        if center is not None:
            values = values - center[:, None]
            if unit is not None:
                values /= unit[:, None]
            np.square(values, out=values)
        total = total + np.einsum("n,ncl->c", weights_of(rows, weight), values)
    total_weight = X.shape[0] if weight is None else weight.sum()
    return total / (total_weight * prod(X.shape[2:]))


def weights_of(rows, sample_weight):
    """Weights of a slice of rows; ones if there are none, which are not made for all rows at once.

    >>> weights_of(slice(2, 5), None)
    array([1., 1., 1.])
    """
    return np.ones(rows.stop - rows.start) if sample_weight is None else sample_weight[rows]


def _largest_distances(X, center):
    """Largest distance of each channel from a center."""
    largest = np.zeros(len(center))
    for _, part in blocks_of_rows(X):
        distance = part.reshape(*part.shape[:2], -1) - center[:, None]
        np.abs(distance, out=distance)
        largest = np.maximum(largest, distance.max(axis=(0, 2)))
    return largest


def writable(X):
    """A copy of an array that is only for reading, which torch warns of; others as they are."""
    return X.copy() if isinstance(X, np.ndarray) and not X.flags.writeable else X


def as_type(X, dtype, device, places=None):
    """Convert inputs to a type; a ValueError that names a sample which is beyond its range.

    Parameters
    ----------
    X : ndarray or tensor of shape (n_samples, ...)
        Finite.
    dtype : torch.dtype
    device : torch.device
    places : sequence of int, default=None
        What the samples are called; by default, they are counted from 0.

    Returns
    -------
    tensor
    """
    given = torch.as_tensor(writable(X))
    tensor = given.to(device, dtype)
    if given.dtype.itemsize > dtype.itemsize and not tensor.isfinite().all():
        i = int((~tensor.isfinite()).flatten(1).any(dim=1).int().argmax())
        worst = float(given[i].abs().max())
        raise ValueError(
            f"sample {i if places is None else int(places[i])} of X has values of size {worst:g} "
            f"on the scale that the network is trained on; it computes in {dtype_name()}, which "
            f"ends at {torch.finfo(dtype).max:.3g}. Scale X, or leave the sample out"
        )
    return tensor


def dtype_name():
    """The name of the type that networks are trained in, as numpy has it.

    >>> dtype_name()
    'float32'
    """
    return str(torch.get_default_dtype()).removeprefix("torch.")


def to_tensors(*arrays, device):
    """Put arrays on the device once, floats in torch's default dtype; None is left out.

    Numbers that the dtype can't hold are an error, which names the sample.
    """
    tensors = []
    for array in arrays:
        if array is None:
            continue
        if not isinstance(array, np.ndarray):  # windows, and rows of tables
            tensors.append(array.to(device))
        elif array.dtype.kind == "f":
            tensors.append(as_type(array, torch.get_default_dtype(), device))
        else:
            tensors.append(torch.as_tensor(array, device=device))
    return tensors
