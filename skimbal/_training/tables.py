"""Tables whose rows are standardized, and made dense, when they are asked for.

A sparse table is never dense as a whole. A large dense table is never copied as a whole in double
precision. A row has the same numbers, to the bit, whichever rows are asked for with it.
"""

import warnings

import numpy as np
import torch
from scipy import sparse

from skimbal._training.inputs import (
    NUMBERS_AT_ONCE,
    as_type,
    blocks_of_rows,
    channel_moments,
    dense_rows,
    slices_of,
    weights_of,
)
from skimbal._utils._table_rows import TableRows


def stored_values(X):
    """The numbers of a table that are stored: of sparse tables all that are not 0, of others all.

    >>> stored_values(sparse.csr_array([[0.0, 2.0]])).tolist()
    [2.0]
    """
    return X.data if sparse.issparse(X) else X


def one_hot_units(X, sample_weight=None):
    """Size of the value that a column has besides 0, if there is one and most rows have 0; else 0.

    Parameters
    ----------
    X : ndarray or CSR table of shape (n_samples, n_features)
    sample_weight : ndarray of shape (n_samples,), default=None
        Weight of each row.

    Returns
    -------
    ndarray of shape (n_features,)

    Examples
    --------
    >>> one_hot_units(np.array([[0.0, 1.0, 0.5], [0.0, 0.0, 0.0], [3.0, 1.0, 1.0]])).tolist()
    [3.0, 0.0, 0.0]
    """
    low, high = np.full(X.shape[1], np.inf), np.full(X.shape[1], -np.inf)
    weight_of_zeros = np.zeros(X.shape[1])
    for rows, part in blocks_of_rows(X):
        is_zero = part == 0
        low = np.minimum(low, np.where(is_zero, np.inf, part).min(axis=0))
        high = np.maximum(high, np.where(is_zero, -np.inf, part).max(axis=0))
        weight_of_zeros += weights_of(rows, sample_weight) @ is_zero
    total = X.shape[0] if sample_weight is None else sample_weight.sum()
    is_one_hot = (low == high) & (weight_of_zeros > total / 2)
    return np.where(is_one_hot, np.abs(low), 0.0)


def moments_without_one_hot(X, sample_weight=None):
    """As `channel_moments`, but one-hot columns of tables have mean 0 and their own unit."""
    mean, scale = channel_moments(X, sample_weight)
    if X.ndim > 2:
        return mean, scale
    unit = one_hot_units(X, sample_weight)
    return np.where(unit > 0, 0.0, mean), np.where(unit > 0, unit, scale)


def is_large(X):
    """Whether a table is sparse, or shared, or so large that copies of it should be avoided."""
    is_stored_elsewhere = sparse.issparse(X) or isinstance(X, TableRows)
    return X.ndim == 2 and (is_stored_elsewhere or X.size > NUMBERS_AT_ONCE)


def as_tensor(table, dtype):
    """Return a dense table as a tensor that nothing writes to.

    Numbers that the type cannot hold become infinite: they are in rows that no network takes.
    """
    with warnings.catch_warnings():
        # Arrays that another process has mapped cannot be written to.
        warnings.filterwarnings("ignore", "The given NumPy array is not writable", UserWarning)
        given = torch.from_numpy(table)
    return given.to(dtype)


def is_mapped(X):
    """Whether the numbers of an array are in a file that is mapped into the memory.

    >>> is_mapped(np.ones((2, 2)))
    False
    """
    while isinstance(X, np.ndarray):
        if isinstance(X, np.memmap):
            return getattr(X, "_mmap", None) is not None  # arrays computed from one have none
        X = X.base
    return False


class TableInputs:
    """Rows of a table on the scale that a network is trained on, as tensors.

    Parameters
    ----------
    X : ndarray, CSR matrix or array, or TableRows, of shape (n_samples, n_features)
    prepare : callable
        Standardizes an array of rows.
    device : torch.device or str, default="cpu"
        Where to put what is asked for.
    dtype : torch.dtype, default=None
        Type of what is asked for; None is torch's default.

    Notes
    -----
    Only the rows that are asked for are ever in memory.
    """

    ndim = 2

    def __init__(self, X, prepare, device="cpu", dtype=None):
        self.X = X
        self.prepare = prepare
        self.device = torch.device(device)
        self.dtype = torch.get_default_dtype() if dtype is None else dtype
        self.shape = X.shape

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        if isinstance(rows, torch.Tensor):
            rows = rows.cpu().numpy()
        elif isinstance(rows, slice):  # a view of a dense table
            first = range(len(self))[rows].start
            array = self.prepare(dense_rows(self.X[rows]))
            return as_type(array, self.dtype, self.device, range(first, len(self)))
        places = np.atleast_1d(rows)
        array = self.prepare(dense_rows(self.X[places]))
        tensor = as_type(array, self.dtype, self.device, places)
        return tensor if np.ndim(rows) else tensor[0]

    @property
    def shared(self):
        """The table that the rows are taken from as they are, if there is one."""
        if not isinstance(self.X, TableRows):
            return None
        row = self.X[:1].toarray()
        return self.X.table if self.prepare(row) is row else None

    def to(self, device):
        """Return the rows on a device: all of a table in memory, those asked for of others.

        Sparse tables, files that are mapped into the memory and, on the processor, shared tables
        would otherwise be there as a whole. A graphics card has the rows of shared tables in
        its own memory.
        """
        moved = TableInputs(self.X, self.prepare, device, self.dtype)
        is_shared = isinstance(self.X, TableRows) and moved.device.type == "cpu"
        if sparse.issparse(self.X) or is_mapped(self.X) or is_shared:
            return moved
        out = torch.empty(self.shape, dtype=self.dtype, device=device)
        for rows in slices_of(self):
            out[rows] = moved[rows]
        return out

    def in_double(self):
        """Return the same rows in double precision."""
        return TableInputs(self.X, self.prepare, self.device, torch.float64)

    def element_size(self):
        """Bytes of a number."""
        return self.dtype.itemsize

    def numel(self):
        """Numbers that are stored for these rows alone."""
        return len(self) if isinstance(self.X, TableRows) else stored_values(self.X).size
