"""Rows of a large table that many fits share, so that none of them copies its rows as a whole."""

import numpy as np
from sklearn.utils import _safe_indexing

# Smaller tables are copied: that is faster, and takes little memory.
MIN_SHARED_NUMBERS = 2**20
FLOATS = (np.float64, np.float32)


class TableRows:
    """Some rows of a dense table, which are copied when they are asked for.

    Parameters
    ----------
    table : ndarray of shape (n_rows, n_features)
    rows : ndarray of int of shape (n_samples,)
        Rows may repeat.

    Examples
    --------
    >>> rows = TableRows(np.array([[0.0, 1.0], [2.0, 3.0]]), np.array([1, 1, 0]))
    >>> rows[:2].toarray().tolist()
    [[2.0, 3.0], [2.0, 3.0]]
    """

    ndim = 2

    def __init__(self, table, rows):
        self.table = table
        self.rows = rows

    @property
    def shape(self):
        return len(self.rows), self.table.shape[1]

    @property
    def size(self):
        return len(self.rows) * self.table.shape[1]

    @property
    def dtype(self):
        return self.table.dtype

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, rows):
        return TableRows(self.table, np.atleast_1d(self.rows[rows]))

    def __array__(self, dtype=None, copy=None):
        return self.toarray().astype(dtype or self.dtype, copy=False)

    def toarray(self):
        """Return the rows as an array of their own."""
        return self.table.take(self.rows, axis=0)

    def parts(self):
        """Yield the rows as arrays of about a million numbers."""
        n_rows = max(1, MIN_SHARED_NUMBERS // max(1, self.shape[1]))
        for start in range(0, len(self), n_rows):
            yield self[start : start + n_rows].toarray()

    def columns(self, first, last):
        """Return some of the columns as an array of their own."""
        return self.table[self.rows, first:last]

    def min(self):
        """Return the smallest number."""
        return np.min([part.min() for part in self.parts()])

    def max(self):
        """Return the largest number."""
        return np.max([part.max() for part in self.parts()])


def is_shared(estimator, X):
    """Whether fits of an estimator on rows of X share X: networks for tables, large dense tables.

    The class of an estimator says so by `_takes_table_rows`.
    """
    return may_be_shared(estimator, X) and X.flags.c_contiguous


def may_be_shared(estimator, X):
    """Whether X is shared once its rows are in memory one after the other."""
    return (
        getattr(type(estimator), "_takes_table_rows", False)
        and isinstance(X, np.ndarray)
        and X.ndim == 2
        and X.dtype in FLOATS
        and X.size > MIN_SHARED_NUMBERS
    )


def rows_for(estimator, X, rows):
    """Return rows of X for a fit of an estimator, given by number: shared, or a copy."""
    if not is_shared(estimator, X):
        return _safe_indexing(X, rows)
    return TableRows(X, np.arange(len(X))[rows])  # rows may be negative


def row_by_row(X):
    """Return a large dense table with its rows in memory one after the other.

    The rows of a table that is stored by column, as that of a frame, cannot be shared.
    """
    if isinstance(X, np.ndarray) and X.ndim == 2 and X.size > MIN_SHARED_NUMBERS:
        return np.ascontiguousarray(X)
    return X
