"""Files, arrays and data sets from which rows are read in chunks.

Each source has ``name``, ``path`` (None for what is no file), ``shape``, ``dtype``, ``columns`` (a
list of names or None), ``ends`` (the row behind each chunk), ``read(start, stop)`` and ``labels()``
(None without labels). A chunk is read as a whole: `start` and `stop` are its bounds.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.lib import format as npy_format

from skimbal._utils._extras import how_to_install

# Rows that lie side by side are read in chunks of so many bytes: large enough to be read quickly,
# small enough that a buffer holds rows of many places.
CHUNK_BYTES = 2**18


def files_of(paths, suffix, *, have_labels=False):
    """The files that paths name: of a folder those with a suffix, in the order of their names.

    The order of a folder must not be in doubt, unless the files have the labels of their rows.
    """
    given = [paths] if isinstance(paths, str | os.PathLike) else paths
    if not isinstance(given, Iterable) or hasattr(given, "columns"):
        raise ValueError(
            f"paths={paths!r} is not usable; give the path of a *{suffix} file or of a folder of "
            "them, or a list of paths"
        )
    files = []
    for path in map(Path, given):
        if path.is_dir():
            found = sorted(path.glob(f"*{suffix}"))
            if not have_labels:
                check_order_of_names(path, [file.name for file in found])
            files += found
        else:
            files.append(path)
    if not files:
        raise ValueError(f"{paths!r} has no *{suffix} files; give the path of one or more")
    for file in files:
        if not file.exists():
            raise ValueError(f"there is no file {file}; check the path (patterns are not expanded)")
    return files


def check_order_of_names(folder, names):
    """Raise a ValueError where the order of names is not that of the numbers in them.

    The labels are an array of their own then, and could belong to other rows.
    """
    by_number = sorted(names, key=name_with_numbers)
    if by_number != names:
        i = [a == b for a, b in zip(names, by_number, strict=True)].index(False)
        raise ValueError(
            f"the order of the files of {folder} is in doubt: {names[i]} comes before "
            f"{by_number[i]} by name, and after it by number; give a list of the paths in the "
            "order of the labels"
        )


def name_with_numbers(name):
    """Key that sorts names by the numbers in them.

    >>> sorted(["b2", "b10", "a"], key=name_with_numbers)
    ['a', 'b2', 'b10']
    """
    return [int(part) if i % 2 else part for i, part in enumerate(re.split(r"(\d+)", name))]


def float_type(dtype, name):
    """The type of floats that numbers are read as, or a ValueError that names their source.

    >>> float_type(np.dtype("int16"), "a.npy"), float_type(np.dtype(">f8"), "a.npy")
    (dtype('float32'), dtype('float64'))
    """
    if dtype.kind not in "fiub":
        raise ValueError(
            f"{name} has the type {dtype}; networks take numbers: store floats, integers or truth "
            "values"
        )
    if dtype.itemsize > 8:
        return np.dtype(np.float64)
    return np.result_type(dtype.newbyteorder("="), np.float32)


def even_ends(n_rows, row_bytes, unit=1):
    """Ends of chunks of about `CHUNK_BYTES`, of whole units of rows.

    >>> even_ends(10, 2**16)
    [4, 8, 10]
    """
    size = max(1, CHUNK_BYTES // max(1, row_bytes) // unit) * unit
    return [*range(size, n_rows, size), n_rows] if n_rows else []


def cut_short(name, expected, got):
    """The error for a file with fewer bytes than its header says."""
    return ValueError(
        f"{name} is cut short: {expected} bytes are expected, {got} are there; write the file again"
    )


def check_row_axis(shape, name):
    """Raise a ValueError for numbers that are no rows."""
    if len(shape) < 2:
        raise ValueError(
            f"{name} has the shape {tuple(shape)}; give rows, (n_samples, n_features) or "
            "(n_samples, n_channels, ...)"
        )


class ArraySource:
    """Rows of an array on the disk that NumPy maps into the memory."""

    columns = None

    def __init__(self, array, name, path=None, unit=1):
        self.array, self.name, self.path = array, name, path
        check_row_axis(array.shape, name)
        self.shape, self.dtype = tuple(array.shape), float_type(array.dtype, name)
        row_bytes = array.dtype.itemsize * int(np.prod(array.shape[1:]))
        self.ends = even_ends(self.shape[0], row_bytes, unit)

    def read(self, start, stop):
        """Copy rows."""
        try:
            return np.array(self.array[start:stop], dtype=self.dtype)
        except (OSError, RuntimeError, ValueError) as error:  # a compressed chunk that is broken
            raise ValueError(
                f"rows {start} to {stop} of {self.name} cannot be read ({error}); write them again"
            ) from error

    def labels(self):
        """None."""


class NpySource:
    """Rows of a ``.npy`` file, which is read, not mapped: its pages do not fill the process."""

    columns = None

    def __init__(self, path):
        self.path, self.name = path, str(path)
        with open(path, "rb") as file:
            self.shape, stored = self._read_header(file)
            self.start = file.tell()
        check_row_axis(self.shape, self.name)
        self.stored, self.dtype = stored, float_type(stored, self.name)
        self.row_bytes = stored.itemsize * int(np.prod(self.shape[1:]))
        expected, got = self.start + self.shape[0] * self.row_bytes, os.path.getsize(path)
        if got < expected:
            raise cut_short(self.name, expected, got)
        self.ends = even_ends(self.shape[0], self.row_bytes)

    def _read_header(self, file):
        try:
            version = npy_format.read_magic(file)
            if version == (1, 0):
                shape, is_fortran, dtype = npy_format.read_array_header_1_0(file)
            else:
                shape, is_fortran, dtype = npy_format.read_array_header_2_0(file)
        except ValueError as error:
            raise ValueError(f"{self.name} is not a whole .npy file: {error}") from error
        if is_fortran:
            raise ValueError(
                f"{self.name} has its columns side by side (Fortran order); write it again with "
                "numpy.save(path, numpy.ascontiguousarray(X))"
            )
        return shape, dtype

    def read(self, start, stop):
        """Read rows."""
        rows = np.empty((stop - start, *self.shape[1:]), dtype=self.stored)
        first = self.start + start * self.row_bytes
        with open(self.path, "rb") as file:
            file.seek(first)
            n_read = file.readinto(rows.reshape(-1).view(np.uint8).data)
        if n_read < rows.nbytes:
            raise cut_short(self.name, first + rows.nbytes, first + n_read)
        return rows.astype(self.dtype, copy=False)

    def labels(self):
        """None."""


class ParquetSource:
    """Rows of a Parquet file; its row groups are the chunks."""

    def __init__(self, path, columns=None, label=None):
        self.path, self.name, self.label = path, str(path), label
        self._file = None
        schema = self._opened().schema_arrow
        known = list(schema.names)
        no_input = {label, *index_columns(schema)}
        self.columns = [c for c in known if c not in no_input] if columns is None else list(columns)
        wanted = [*self.columns, *([] if label is None else [label])]
        missing = [column for column in wanted if column not in known]
        if missing:
            raise ValueError(f"{path} has no columns {missing}; it has {known}")
        if label in self.columns:
            raise ValueError(f"columns={self.columns} has the label {label!r}; leave it out there")
        types = [numpy_type(schema.field(column).type) for column in self.columns]
        others = [c for c, t in zip(self.columns, types, strict=True) if not is_number_type(t)]
        if others:
            found = sorted({str(schema.field(column).type) for column in others})
            raise ValueError(
                f"the columns {others} of {path} have the types {', '.join(found)}; networks take "
                "integers, floats and truth values: leave the columns out with columns=[...], or "
                "store decimals as floats, dates as days since a date and texts as codes"
            )
        floats = [float_type(np.dtype(t), self.name) for t in types]
        self.dtype = np.result_type(np.float32, *floats)
        metadata = self._opened().metadata
        sizes = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
        self.ends = np.cumsum(sizes, dtype=int).tolist()
        self.shape = (metadata.num_rows, len(self.columns))

    def __getstate__(self):
        return vars(self) | {"_file": None}

    def _opened(self):
        if self._file is None:
            parquet = import_parquet()
            try:
                self._file = parquet.ParquetFile(self.path)
            except (ValueError, OSError) as error:
                raise self._unreadable(error) from error
        return self._file

    def _unreadable(self, error):
        size = os.path.getsize(self.path)
        return ValueError(
            f"{self.path} ({size} bytes) cannot be read as a Parquet file, it may be cut short: "
            f"{error}; write the file again"
        )

    def _read_group(self, group, columns):
        try:
            return self._opened().read_row_group(group, columns=columns, use_threads=False)
        except (ValueError, OSError) as error:
            raise self._unreadable(error) from error

    def read(self, start, stop):
        """Read a row group."""
        table = self._read_group(self.ends.index(stop), self.columns)
        rows = np.empty((stop - start, len(self.columns)), dtype=self.dtype)
        for i, column in enumerate(self.columns):
            rows[:, i] = table.column(column).to_numpy()  # a missing number is NaN
        return rows

    def labels(self):
        """Read the column of the labels."""
        if self.label is None:
            return None
        groups = range(len(self.ends))
        parts = [self._read_group(i, [self.label]).column(0).to_numpy() for i in groups]
        return np.concatenate(parts) if parts else np.empty(0)


def index_columns(schema):
    """Names of the columns that hold the index of a frame of pandas, such as row numbers."""
    described = schema.pandas_metadata or {}
    # A plain numbering of all rows is a dict, and no column.
    return [name for name in described.get("index_columns", []) if isinstance(name, str)]


def numpy_type(arrow_type):
    """NumPy's type for one of Arrow; object for those that have none, such as categories."""
    try:
        return arrow_type.to_pandas_dtype()
    except NotImplementedError:
        return np.object_


def is_number_type(kind):
    """Whether a type of a column is one of numbers."""
    return np.issubdtype(kind, np.number) or np.issubdtype(kind, np.bool_)


def import_parquet():
    """Return `pyarrow.parquet`, or raise an ImportError that names the extra."""
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise ImportError(
            f"Parquet files need pyarrow; install it with {how_to_install('tables')}"
        ) from error
    return parquet


def zarr_source(given):
    """The source of a zarr array, or of the path of one."""
    try:
        import zarr
    except ImportError as error:
        raise ImportError(
            f"zarr arrays need zarr; install it with {how_to_install('zarr')}"
        ) from error
    array = given
    if isinstance(given, str | os.PathLike):
        try:
            array = zarr.open_array(given, mode="r")
        except (OSError, ValueError, KeyError) as error:
            raise ValueError(f"{given} cannot be opened as a zarr array: {error}") from error
    if not isinstance(array, zarr.Array):
        raise ValueError(f"got {type(given).__name__}; give a zarr array, or the path of one")
    root = getattr(array.store, "root", None)
    path = None if root is None else Path(root) / array.path
    unit = (array.shards or array.chunks)[0] if array.ndim else 1
    return ArraySource(array, f"the zarr array {path or array.name}", path, unit)


class DatasetSource:
    """Samples of a map-style data set of torch: items are inputs, or pairs of inputs and label."""

    columns, path = None, None

    def __init__(self, dataset):
        if not (hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")):
            raise ValueError(
                f"{type(dataset).__name__} has no length or no items by number; give a map-style "
                "torch.utils.data.Dataset with __len__ and __getitem__"
            )
        self.dataset, self.name = dataset, f"the data set {type(dataset).__name__}"
        if not len(dataset):
            raise ValueError(f"{self.name} is empty; give one or more samples")
        first = np.asarray(self._inputs_of(dataset[0]))
        self.shape, self.dtype = (len(dataset), *first.shape), float_type(first.dtype, self.name)
        check_row_axis(self.shape, self.name)
        self.ends = even_ends(len(dataset), self.dtype.itemsize * first.size)

    @staticmethod
    def _inputs_of(item):
        return item[0] if isinstance(item, tuple | list) else item

    def _items(self, start, stop):
        numbers = list(range(start, stop))
        if hasattr(self.dataset, "__getitems__"):
            return self.dataset.__getitems__(numbers)
        return [self.dataset[i] for i in numbers]

    def read(self, start, stop):
        """Stack the inputs of samples."""
        rows = np.empty((stop - start, *self.shape[1:]), dtype=self.dtype)
        for i, item in enumerate(self._items(start, stop)):
            sample = np.asarray(self._inputs_of(item))
            if sample.shape != rows.shape[1:]:
                raise ValueError(
                    f"sample {start + i} of {self.name} has the shape {sample.shape}, the first "
                    f"one {rows.shape[1:]}; all samples need one shape"
                )
            rows[i] = sample
        return rows

    def labels(self):
        """Collect the labels; None where items are inputs only."""
        if not isinstance(self.dataset[0], tuple | list):
            return None
        bounds = zip([0, *self.ends], self.ends, strict=False)
        return np.array([np.asarray(item[1]).item() for b in bounds for item in self._items(*b)])
