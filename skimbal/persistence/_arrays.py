"""Codecs of arrays, sparse matrices and tables."""

import re

import numpy as np
import pandas as pd
from scipy import sparse

from skimbal.exceptions import ModelFileError
from skimbal.persistence._graph import Codec, is_exactly

# Types that safetensors holds as they are.
NUMBERS = {"bool", *(f"{s}int{n}" for s in ("", "u") for n in (8, 16, 32, 64))}
NUMBERS |= {"float16", "float32", "float64"}
TIME = re.compile(r"(datetime64|timedelta64)\[(Y|M|W|D|h|m|s|ms|us|ns)\]")
COMPLEX = {"complex64": np.float32, "complex128": np.float64}
TEXT = re.compile(r"(<U|\|S)\d{1,9}")
SPARSE = {
    f"{kind}_{shape}": getattr(sparse, f"{kind}_{shape}")
    for kind in ("csr", "csc")
    for shape in ("array", "matrix")
}
EXTENSION_TYPES = {"boolean", "string", "str", "Float32", "Float64"}
EXTENSION_TYPES |= {f"{s}{n}" for s in ("Int", "UInt") for n in (8, 16, 32, 64)}


def _is_fortran(array):
    return array.ndim > 1 and array.flags.f_contiguous and not array.flags.c_contiguous


def encode_array(array, writer):
    """An array by its type: numbers as a tensor, texts and objects as a list of values."""
    array = np.asarray(array)
    if array.dtype.byteorder == ">":
        array = array.astype(array.dtype.newbyteorder("<"))
    name, order = str(array.dtype), "C"
    if _is_fortran(array):
        array, order = array.T, "F"
    node = {"dtype": name, "order": order, "shape": list(array.shape)}
    if name in NUMBERS:
        return {**node, "tensor": writer.tensor(array)}
    if name in COMPLEX:
        parts = np.ascontiguousarray(array).reshape(-1).view(COMPLEX[name])
        return {**node, "tensor": writer.tensor(parts)}
    if TIME.fullmatch(name):
        return {**node, "tensor": writer.tensor(array.astype(np.int64))}
    if TEXT.fullmatch(name) or name == "object":
        items = array.reshape(-1).tolist() if name == "object" else array.reshape(-1)
        return {**node, "items": [writer.value(_plain(item), "[]") for item in items]}
    raise ValueError(f"{writer.where()} is an array of the type {name}, which can't be saved")


def _plain(item):
    """Texts of numpy as those of Python."""
    if isinstance(item, np.str_):
        return str(item)
    return bytes(item) if isinstance(item, np.bytes_) else item


def decode_array(node, reader):
    """The array of a node; its memory is its own."""
    name, shape = node["dtype"], _checked_shape(node["shape"])
    if "items" in node:
        array = _of_items(name, reader.value(node["items"]))
    elif name in NUMBERS:
        array = _of_type(reader.tensor(node["tensor"]), name)
    elif name in COMPLEX:
        array = _of_type(reader.tensor(node["tensor"]), np.dtype(COMPLEX[name]).name).view(name)
    elif isinstance(name, str) and TIME.fullmatch(name):
        array = _of_type(reader.tensor(node["tensor"]), "int64").view(name)
    else:
        raise ModelFileError(f"{name!r} is no type of arrays")
    array = array.reshape(shape)
    return array.T if node["order"] == "F" else array


def _checked_shape(shape):
    if not isinstance(shape, list) or any(type(n) is not int or n < 0 for n in shape):
        raise ModelFileError(f"{shape!r} is no shape of an array")
    return shape


def _of_type(tensor, name):
    """A copy of a tensor, which must have the type that its array says."""
    if tensor.dtype != np.dtype(name):
        raise ModelFileError(f"a tensor has type {tensor.dtype}, not {name}")
    return np.array(tensor)


def _of_items(name, items):
    if name != "object":
        if not TEXT.fullmatch(name):
            raise ModelFileError(f"{name!r} is no type of arrays of texts")
        array = np.array(items, dtype=name[1]).reshape(-1)
        # The width is that of the longest text or more, so it is bounded by the file.
        width = max(array.dtype.itemsize, 1)
        if np.dtype(name).itemsize * max(len(items), 1) > 2**26 + width * len(items):
            raise ModelFileError(f"{name!r} is too wide for its texts")
        return array.astype(name)
    array = np.empty(len(items), dtype=object)
    for i, item in enumerate(items):
        array[i] = item
    return array


def _encode_masked(thing, writer):
    return {
        "data": writer.value(thing.data),
        "mask": writer.value(np.ma.getmaskarray(thing)),
        "fill_value": writer.value(np.asarray(thing.fill_value)),
    }


def _decode_masked(node, reader):
    data, mask = reader.value(node["data"]), reader.value(node["mask"])
    fill_value = reader.value(node["fill_value"])[()]
    return np.ma.MaskedArray(data, mask=mask, fill_value=fill_value)


def _encode_sparse(thing, writer):
    parts = {part: writer.value(getattr(thing, part)) for part in ("data", "indices", "indptr")}
    return {"class": type(thing).__name__, "shape": list(thing.shape), **parts}


def _decode_sparse(node, reader):
    parts = [reader.value(node[part]) for part in ("data", "indices", "indptr")]
    found = SPARSE[node["class"]](tuple(parts), shape=_checked_shape(node["shape"]))
    found.check_format(full_check=True)
    return found


# ---------------------------------------------------------------- tables


def _encode_column(array, writer):
    """The values of a column or an index."""
    dtype = array.dtype
    if isinstance(dtype, np.dtype):
        return {"array": writer.value(np.asarray(array))}
    if isinstance(dtype, pd.CategoricalDtype):
        categories = writer.value(dtype.categories)
        codes = writer.value(np.asarray(array.codes))
        return {"codes": codes, "categories": categories, "ordered": bool(dtype.ordered)}
    name = str(dtype)
    if name not in EXTENSION_TYPES:
        raise ValueError(f"{writer.where()} has the type {name}, which can't be saved")
    items = [None if pd.isna(item) else item for item in array]
    return {"extension": name, "items": [writer.value(item, "[]") for item in items]}


def _decode_column(node, reader):
    if "codes" in node:
        categories, codes = reader.value(node["categories"]), reader.value(node["codes"])
        return pd.Categorical.from_codes(codes, categories=categories, ordered=node["ordered"])
    if "extension" in node:
        if node["extension"] not in EXTENSION_TYPES:
            raise ModelFileError(f"{node['extension']!r} is no type of columns")
        return pd.array(reader.value(node["items"]), dtype=node["extension"])
    return reader.value(node["array"])


def _index_values(index):
    """The values of an index, those of an extension type as such."""
    return index.to_numpy() if isinstance(index.dtype, np.dtype) else index.array


def _encode_index(index, writer):
    label = writer.value(index.name)
    if isinstance(index, pd.RangeIndex):
        return {"range": [index.start, index.stop, index.step], "label": label}
    if isinstance(index, pd.MultiIndex):
        raise ValueError(f"{writer.where()} has an index of several levels, which can't be saved")
    return {"values": _encode_column(_index_values(index), writer), "label": label}


def _decode_index(node, reader):
    label = reader.value(node["label"])
    if "range" in node:
        return pd.RangeIndex(*node["range"], name=label)
    values = _decode_column(node["values"], reader)
    # Texts of an object array stay so.
    dtype = values.dtype if isinstance(values, np.ndarray) else None
    return pd.Index(values, dtype=dtype, name=label)


def _column_values(series):
    return series.to_numpy() if isinstance(series.dtype, np.dtype) else series.array


def _encode_series(series, writer):
    return {
        "index": writer.value(series.index),
        "label": writer.value(series.name),
        "values": _encode_column(_column_values(series), writer),
    }


def _decode_series(node, reader):
    values = _decode_column(node["values"], reader)
    return pd.Series(values, index=reader.value(node["index"]), name=reader.value(node["label"]))


def _encode_frame(frame, writer):
    columns = [
        _encode_column(_column_values(frame.iloc[:, i]), writer) for i in range(frame.shape[1])
    ]
    index, names = writer.value(frame.index), writer.value(frame.columns)
    return {"index": index, "columns": names, "values": columns}


def _decode_frame(node, reader):
    index, columns = reader.value(node["index"]), reader.value(node["columns"])
    values = [_decode_column(column, reader) for column in node["values"]]
    lengths = {len(value) for value in values}
    if lengths - {len(index)} or len(values) != len(columns):
        raise ModelFileError("a table has columns of several lengths")
    frame = pd.DataFrame(dict(enumerate(values)), index=index)
    frame.columns = columns
    return frame


def _encode_dtype(dtype, writer):
    if not is_known_type(dtype.str):
        raise ValueError(f"{writer.where()} is the type {dtype}, which can't be saved")
    return {"dtype": dtype.str}


def _decode_dtype(node, reader):
    if not is_known_type(node["dtype"]):
        raise ModelFileError(f"{node['dtype']!r} is no type of arrays")
    return np.dtype(node["dtype"])


def is_known_type(text):
    """Whether a text is the type of an array of numbers, texts, times or objects."""
    return re.fullmatch(r"[<>|=]([biufcSUO]\d{0,9}|[mM]8(\[[a-zA-Z]{1,2}\])?)", text) is not None


CODECS = [
    Codec("dtype", lambda thing: isinstance(thing, np.dtype), _encode_dtype, _decode_dtype),
    Codec("array", is_exactly(np.ndarray, np.memmap), encode_array, decode_array),
    Codec("masked_array", is_exactly(np.ma.MaskedArray), _encode_masked, _decode_masked),
    Codec("sparse", is_exactly(*SPARSE.values()), _encode_sparse, _decode_sparse),
    Codec("index", lambda t: isinstance(t, pd.Index), _encode_index, _decode_index),
    Codec("series", is_exactly(pd.Series), _encode_series, _decode_series),
    Codec("frame", is_exactly(pd.DataFrame), _encode_frame, _decode_frame),
]
