"""Rows that stay on the disk and are read in chunks: `ChunkedTable`."""

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from math import prod
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from skimbal._utils._files import check_unchanged, fingerprint
from skimbal._utils._validation import is_whole_number
from skimbal.preprocessing._chunk_sources import (
    ArraySource,
    DatasetSource,
    NpySource,
    ParquetSource,
    files_of,
    zarr_source,
)

BUFFER_BYTES = 2**28
# Small chunks are joined, and large ones cut, to blocks of about so many numbers. Predictions take
# some multiples of a block, because networks have more units than columns.
NUMBERS_OF_BLOCK = 2**18


class ChunkedTable:
    """Rows on the disk, which networks read in chunks: more of them than the memory holds.

    It looks like an array of shape (n_samples, n_features), or (n_samples, n_channels, ...) for
    signals and images. Give it to `fit`, `predict_proba` and the other methods of a network in
    place of X. The networks hold `buffer_bytes` of it at a time.

    Make one by `from_npy`, `from_parquet`, `from_zarr` or `from_dataset`.

    Parameters
    ----------
    sources : sequence of object
        What rows are read from, in the order of the rows. For extenders: see the source of
        ``skimbal/preprocessing/_chunk_sources.py``.
    buffer_bytes : int, default=268435456
        Memory, in bytes, that training may use for the rows. More of it mixes the rows better.

    Attributes
    ----------
    shape : tuple of int
        (n_samples, n_features) or (n_samples, n_channels, ...).
    ndim : int
        Number of axes.
    dtype : dtype
        float32, or float64 if a source needs it.
    columns : list of str or None
        Names of the columns, of Parquet files.

    Raises
    ------
    ValueError
        For a source that is empty or cut short, or whose columns or shapes differ from those of the
        first one. When rows are read: for NaN and infinite numbers, and if a file has changed.
    ImportError
        If pyarrow or zarr, which is needed, is not installed.

    Notes
    -----
    An epoch reads the chunks in random order until the buffer is full, trains on the rows of the
    buffer in random order, and continues. Rows that are far from each other in a file are therefore
    mixed, and rows of one chunk are always in one buffer. Write files in chunks that are small
    beside the buffer (Parquet: row groups of 10,000 to 100,000 rows), or in random order.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from skimbal import MLPClassifier
    >>> from skimbal.preprocessing import ChunkedTable
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 3)).astype(np.float32)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(Path(folder) / "rows.npy", X)
    ...     table = ChunkedTable.from_npy(Path(folder) / "rows.npy")
    ...     network = MLPClassifier(max_epochs=2, random_state=0).fit(table, X[:, 0] > 1)
    ...     network.predict_proba(table).shape
    (500, 2)
    """

    def __init__(self, sources: Sequence[Any], *, buffer_bytes: int = BUFFER_BYTES) -> None:
        if not is_whole_number(buffer_bytes, 2**16):
            raise ValueError(
                f"buffer_bytes={buffer_bytes!r} is not usable; give a whole number of bytes of "
                "65536 or more"
            )
        self.sources = list(sources)
        self.buffer_bytes = int(buffer_bytes)
        first = self.sources[0]
        for source in self.sources[1:]:
            check_alike(source, first)
        self.columns = first.columns
        self.dtype = np.result_type(*(source.dtype for source in self.sources))
        self._row_shape = tuple(first.shape[1:])
        self._n_rows = sum(source.shape[0] for source in self.sources)
        if self._n_rows == 0:
            raise ValueError(f"{first.name} has no rows; give one or more")
        # A chunk: its source, its bounds there, and its first row in the table.
        self._chunks: list[tuple[Any, int, int, int]] = []
        offset = 0
        for source in self.sources:
            bounds = zip([0, *source.ends], source.ends, strict=False)
            self._chunks += [(source, a, b, offset + a) for a, b in bounds if a < b]
            offset += source.shape[0]
        self._used: NDArray[np.bool_] | None = None
        self._labels: NDArray | None = None
        self._stamps = {s.path: fingerprint(s.path) for s in self.sources if s.path is not None}

    @classmethod
    def from_npy(cls, paths: Any, *, buffer_bytes: int = BUFFER_BYTES) -> "ChunkedTable":
        """Rows of ``.npy`` files or of memory maps.

        Parameters
        ----------
        paths : path, numpy.memmap, or list of them
            Files of rows, a folder of ``*.npy`` files, or memory maps, such as those of files
            without a header. Files of a folder are in the order of their names. It is a ValueError
            if that is not the order of the numbers in them.
        buffer_bytes : int, default=268435456
            See `ChunkedTable`.

        Returns
        -------
        ChunkedTable
        """
        is_single = isinstance(paths, str | os.PathLike | np.ndarray)
        given = [paths] if is_single or not isinstance(paths, Iterable) else list(paths)
        sources: list[Any] = []
        for path in given:
            if isinstance(path, np.ndarray):
                sources.append(mapped_source(path))
            else:
                sources += map(NpySource, files_of(path, ".npy"))
        if not sources:
            raise ValueError(f"{paths!r} has no files; give the path of one or more *.npy files")
        return cls(sources, buffer_bytes=buffer_bytes)

    @classmethod
    def from_parquet(
        cls,
        paths: Any,
        *,
        columns: Sequence[str] | None = None,
        label: str | None = None,
        buffer_bytes: int = BUFFER_BYTES,
    ) -> "ChunkedTable":
        """Rows of Parquet files (needs pyarrow, the extra ``tables``).

        Parameters
        ----------
        paths : path or list of paths
            Files, or a folder of ``*.parquet`` files in the order of their names. Without `label`
            it is a ValueError if that is not the order of the numbers in them.
        columns : list of str, default=None
            The columns of the inputs, which hold numbers. None is all but `label` and the index of
            a pandas frame.
        label : str, default=None
            The column of the labels, which `y` then returns.
        buffer_bytes : int, default=268435456
            See `ChunkedTable`.

        Returns
        -------
        ChunkedTable
        """
        if isinstance(columns, str):
            raise ValueError(f"columns={columns!r} is a name; give a list of names")
        files = files_of(paths, ".parquet", have_labels=label is not None)
        sources = [ParquetSource(path, columns, label) for path in files]
        return cls(sources, buffer_bytes=buffer_bytes)

    @classmethod
    def from_zarr(cls, array: Any, *, buffer_bytes: int = BUFFER_BYTES) -> "ChunkedTable":
        """Rows of a zarr array (needs zarr, the extra ``zarr``).

        Parameters
        ----------
        array : zarr.Array or path
            Its first axis are the samples. A chunk that was never written has the fill value.
        buffer_bytes : int, default=268435456
            See `ChunkedTable`.

        Returns
        -------
        ChunkedTable
        """
        return cls([zarr_source(array)], buffer_bytes=buffer_bytes)

    @classmethod
    def from_dataset(cls, dataset: Any, *, buffer_bytes: int = BUFFER_BYTES) -> "ChunkedTable":
        """Samples of a data set of torch.

        Parameters
        ----------
        dataset : torch.utils.data.Dataset
            Map-style, with items that are inputs or pairs (inputs, label). It is asked for each
            sample once an epoch, and gives the same sample each time.
        buffer_bytes : int, default=268435456
            See `ChunkedTable`.

        Returns
        -------
        ChunkedTable
        """
        return cls([DatasetSource(dataset)], buffer_bytes=buffer_bytes)

    @property
    def shape(self) -> tuple[int, ...]:
        """(n_samples, n_features) or (n_samples, n_channels, ...)."""
        return len(self), *self._row_shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return 1 + len(self._row_shape)

    @property
    def y(self) -> NDArray | None:
        """Labels in the order of the rows, read when they are first asked for; None without any."""
        if self._labels is None:
            parts = [source.labels() for source in self.sources]
            if parts[0] is None:
                return None
            self._labels = np.concatenate(parts)
        return self._labels if self._used is None else self._labels[self._used]

    def __len__(self) -> int:
        return self._n_rows if self._used is None else int(np.count_nonzero(self._used))

    def __repr__(self) -> str:
        return f"ChunkedTable(shape={self.shape}, n_sources={len(self.sources)})"

    def __getitem__(self, rows: Any) -> Any:
        """Return the table of the chosen rows, which are not read, or one row for one number."""
        if isinstance(rows, tuple) and len(rows) == 2 and rows[1] is Ellipsis:
            rows = rows[0]  # scikit-learn selects rows as X[rows, ...]
        if isinstance(rows, Integral):
            return np.asarray(self[np.array([range(len(self))[rows]])])[0]
        chosen = object.__new__(type(self))
        chosen.__dict__.update(self.__dict__)
        chosen._used = self._mask(rows)
        return chosen

    def _mask(self, rows):
        """Which of all rows a selection has."""
        mask = np.zeros(len(self), dtype=bool)
        if not isinstance(rows, slice):
            rows = np.asarray(rows)
            is_mask = rows.dtype.kind == "b" and rows.shape == mask.shape
            is_number = rows.ndim == 1 and (rows.dtype.kind in "iu" or not rows.size)
            if not is_mask and not (is_number and (np.diff(rows) > 0).all()):
                raise IndexError(
                    f"rows have the type {rows.dtype} and the shape {rows.shape}; select rows of a "
                    f"ChunkedTable by a slice, {len(self)} truth values, or numbers in ascending "
                    "order without repetition: rows stay in the order of their files"
                )
            rows = rows if is_mask else rows.astype(np.intp)
        elif rows.step is not None and rows.step < 0:
            raise IndexError(f"the step {rows.step} is negative; rows stay in the order of files")
        mask[rows] = True
        if self._used is None:
            return mask
        used = self._used.copy()
        used[used] = mask
        return used

    def chunks(self, order: Iterable[int] | None = None) -> Iterator[tuple[slice, NDArray]]:
        """Read the chunks, one after the other.

        Parameters
        ----------
        order : iterable of int, default=None
            Numbers of chunks, counted from 0; None is all in the order of the rows.

        Yields
        ------
        rows : slice
            The rows of the chunk in the table.
        array : ndarray of shape (n_rows, ...)
            Finite.
        """
        starts = [0, *accumulate(self.chunk_rows)]
        self.check_unchanged()
        for number in range(len(self._chunks)) if order is None else order:
            source, start, stop, first = self._chunks[number]
            n_rows = starts[number + 1] - starts[number]
            if n_rows == 0:
                continue
            array = source.read(start, stop)
            if self._used is not None and n_rows < stop - start:
                used = self._used[first : first + stop - start]
                check_finite(array[used], source, start + np.flatnonzero(used))
                array = array[used]
            else:
                check_finite(array, source, range(start, stop))
            yield slice(starts[number], starts[number + 1]), array
        self.check_unchanged()

    def blocks(self) -> Iterator[tuple[slice, NDArray]]:
        """Read all rows in their order, in blocks of about 260,000 numbers.

        Yields
        ------
        rows : slice
            The rows of the block in the table.
        array : ndarray of shape (n_rows, ...)
        """
        n_rows = max(1, NUMBERS_OF_BLOCK // max(1, prod(self._row_shape)))
        parts: list[NDArray] = []
        first = n_there = 0
        for _, array in self.chunks():
            for start in range(0, len(array), n_rows):
                parts.append(array[start : start + n_rows])
                n_there += len(parts[-1])
                if n_there >= n_rows:
                    yield slice(first, first + n_there), joined(parts)
                    first, n_there, parts = first + n_there, 0, []
        if parts:
            yield slice(first, len(self)), joined(parts)

    @property
    def chunk_rows(self) -> list[int]:
        """Rows of each chunk that are used."""
        if self._used is None:
            return [stop - start for _, start, stop, _ in self._chunks]
        firsts = [first for *_, first in self._chunks]
        return np.add.reduceat(self._used, firsts, dtype=np.intp).tolist()

    def check_unchanged(self) -> None:
        """Raise a ValueError if a file has changed since the table was made: by size and time."""
        for path, before in self._stamps.items():
            check_unchanged(path, before)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray:
        if copy is False:
            raise ValueError("rows on the disk can't be an array without a copy; allow a copy")
        array = np.empty(self.shape, dtype=self.dtype)
        for rows, part in self.chunks():
            array[rows] = part
        return array if dtype is None else array.astype(dtype, copy=False)


def joined(parts):
    """Join arrays; a single one is not copied."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def mapped_source(array):
    """The source of a memory map, or a ValueError for an array in memory."""
    path = getattr(array, "filename", None)
    if not isinstance(array, np.memmap):
        raise ValueError(
            "got an array in memory; give it to the network as it is, or give a path or a "
            "numpy.memmap"
        )
    return ArraySource(array, str(path or "the memory map"), path)


def check_alike(source, first):
    """Raise a ValueError for a source of other columns, or other shapes of rows, than the first."""
    if source.columns is not None and source.columns != first.columns:
        missing = [c for c in first.columns if c not in source.columns]
        new = [c for c in source.columns if c not in first.columns]
        what = "the same columns in another order"
        if missing or new:
            what = f"not the columns {missing}" if missing else ""
            what += f"{' but ' if missing else ''}the columns {new} in addition" if new else ""
        raise ValueError(
            f"{source.name} has {what}, compared with {first.name}; give columns=[...], which all "
            "files have, or write the files alike"
        )
    if source.shape[1:] != first.shape[1:]:
        raise ValueError(
            f"{source.name} has rows of the shape {tuple(source.shape[1:])}, {first.name} of the "
            f"shape {tuple(first.shape[1:])}; all files need the same columns"
        )


def check_finite(array, source, places):
    """Raise a ValueError that names the source, row and column of a number that is not finite."""
    with np.errstate(all="ignore"):
        if np.isfinite(array.sum(dtype=np.float64)):
            return
    is_finite = np.isfinite(array)
    if is_finite.all():
        return
    row, *place = (int(i) for i in np.argwhere(~is_finite)[0])
    column = place[0] if source.columns is None else repr(source.columns[place[0]])
    value = array[(row, *place)]
    raise ValueError(
        f"row {places[row]} of {source.name} has {value} in column {column}; networks take finite "
        "numbers: fill missing values before the rows are written, or leave the row out"
    )
