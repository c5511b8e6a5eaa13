"""Inputs of networks that are read in chunks: validation, held-out rows, prediction."""

from contextlib import contextmanager
from functools import wraps

import numpy as np
import pandas as pd

from skimbal._training.chunked import ROWS_AT_ONCE, counts_by_class, drawn_rows
from skimbal._training.inputs import is_chunked, slices_of
from skimbal._training.tables import is_large
from skimbal._utils._files import check_unchanged, fingerprint


def as_given(table, array):
    """Rows of a table as an array, or as a frame where its columns have names."""
    return array if table.columns is None else pd.DataFrame(array, columns=table.columns)


def check_table(estimator, table, check, check_range, *, reset):
    """Validate all rows of a table, chunk by chunk; errors name rows of the whole table.

    Parameters
    ----------
    estimator : network classifier
    table : ChunkedTable
    check : callable
        Validates an array for the estimator.
    check_range : callable
        Raises a ValueError for numbers of an array that the training can't compute with.
    reset : bool
        Whether the attributes of the inputs are set.
    """
    if reset and getattr(estimator, "standardize", None) == "robust":
        raise ValueError(
            "X is a ChunkedTable, and standardize='robust' needs all values of a column at once; "
            "use standardize='auto', or bring the columns to one scale before they are written"
        )
    check(estimator, as_given(table, np.asarray(table[:1])), reset=reset)
    if reset and estimator._with_axes(np.zeros((1, *table.shape[1:]))).ndim != table.ndim:
        raise ValueError(
            f"X is a ChunkedTable with samples of shape {table.shape[1:]}; "
            f"{type(estimator).__name__} takes samples in chunks with all their axes: give "
            "signals of shape (n_channels, length), images of shape (n_channels, height, width), "
            "and to networks for tables samples of shape (n_features,)"
        )
    for rows, part in table.blocks():
        with rows_named(rows):
            check_range(part)


@contextmanager
def rows_named(rows):
    """Say in a ValueError which rows of the table it is about."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"in rows {rows.start} to {rows.stop} of X: {error}") from error


def encode_in_blocks(y):
    """Sorted labels, and the index of the label of each sample in the smallest type.

    >>> encode_in_blocks(np.array(["b", "a", "b"]))
    (array(['a', 'b'], dtype='<U1'), array([1, 0, 1], dtype=uint8))
    """
    blocks = [y[i : i + ROWS_AT_ONCE] for i in range(0, len(y), ROWS_AT_ONCE)]
    classes = np.unique(np.concatenate([np.unique(block) for block in blocks]))
    targets = np.empty(len(y), dtype=np.min_scalar_type(max(len(classes) - 1, 0)))
    first = 0
    for block in blocks:
        targets[first : first + len(block)] = np.searchsorted(classes, block)
        first += len(block)
    return classes, targets


def rows_held_out(data, classes, fraction, rng, reason):
    """`is_held_out` without groups, where each row is by itself: copies are not sought."""
    counts = counts_by_class(data.targets, None, len(classes)).astype(int)
    if counts.min() < 2:
        label = classes[counts.argmin()].item()
        raise ValueError(
            f"class {label!r} has 1 sample, but {reason} needs 2 of each class, one of them for "
            "validation"
        )
    numbers = np.clip(np.rint(fraction * counts).astype(int), 1, counts - 1)
    return drawn_rows(data.targets, numbers, rng)


def blocks_as_given(X):
    """Yield slices and rows of a large table, as a network is given them; None for other inputs."""
    if is_chunked(X):
        return ((rows, as_given(X, part)) for rows, part in X.blocks())
    if isinstance(X, np.ndarray) and X.ndim == 2 and is_large(X):
        return ((rows, X[rows]) for rows in slices_of(X))
    return None


def in_chunks(method):
    """Let a method that predicts take large tables block by block, with bounded memory."""

    @wraps(method)
    def predict(self, X):
        blocks, out = blocks_as_given(X), None
        if blocks is None:
            return method(self, X)
        for rows, part in blocks:
            with rows_named(rows):
                result = method(self, part)
            if out is None:
                out = np.empty((len(X), *result.shape[1:]), dtype=result.dtype)
            out[rows] = result
        return out

    return predict


@contextmanager
def unchanged_file(X):
    """Raise a ValueError if the file of a memory map is written to in the block.

    A file that is deleted stays in the memory, as it was.
    """
    path = getattr(X, "filename", None) if isinstance(X, np.memmap) else None
    before = None if path is None else fingerprint(path)
    yield
    if path is not None and fingerprint(path) is not None:
        check_unchanged(path, before)
