"""Several inputs of one network: groups of columns of a table, or a dict of arrays.

A dict is joined to a table, whose rows can be held out, drawn and standardized as those of any
table. The network cuts each batch into its parts again (`skimbal.modules.split_inputs`).
"""

from collections.abc import Mapping
from math import prod

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import check_array, check_consistent_length

from skimbal._training.inputs import channel_moments
from skimbal._utils._number_columns import numbers_needed
from skimbal._utils._validation import is_whole_number, unknown_name_message

FLOATS = [np.float64, np.float32]


def is_dict(X):
    """Whether inputs are arrays by name. Sparse matrices of keys are dicts, but are none of it."""
    return isinstance(X, Mapping) and not issparse(X)


def joined(estimator, X, *, reset):
    """Join arrays by name to a table; a ValueError for others than in `fit`.

    Sets `input_parts_`, the shape of each array, where `reset` is True.
    """
    if estimator.columns is not None:
        raise ValueError(
            "X is a dict and columns is given too; columns says which columns of a table are which "
            "input, a dict says it by itself: leave one of them out"
        )
    if not X or not all(isinstance(name, str) for name in X):
        raise ValueError(
            f"X is a dict with the keys {list(X)}; its keys must be the names of the inputs of the "
            "network, as text"
        )
    arrays = {}
    for name, part in X.items():
        with numbers_needed(estimator, part, f"X[{name!r}]: "):
            arrays[name] = check_array(part, dtype=FLOATS, allow_nd=True, input_name=f"X[{name!r}]")
    check_consistent_length(*arrays.values())
    shapes = {name: array.shape[1:] for name, array in arrays.items()}
    if reset:
        estimator.input_parts_ = shapes
    else:
        check_parts(estimator, shapes)
    order = list(estimator.input_parts_)
    return np.concatenate([arrays[name].reshape(len(arrays[name]), -1) for name in order], axis=1)


def check_parts(estimator, shapes):
    """Raise a ValueError for arrays of other names or shapes than in `fit`."""
    name, known = type(estimator).__name__, getattr(estimator, "input_parts_", None)
    if known is None:
        raise ValueError(f"X is a dict, but {name} was fitted on an array; give an array")
    if shapes != known:
        raise ValueError(
            f"X is a dict of samples of the shapes {shapes}, but {name} was fitted on {known}; "
            "give the same names and shapes"
        )


def check_not_dict(estimator):
    """Raise a ValueError for an array, where `fit` was given a dict."""
    known = getattr(estimator, "input_parts_", None)
    if known is not None:
        raise ValueError(
            f"X is an array, but {type(estimator).__name__} was fitted on a dict with the keys "
            f"{list(known)}; give a dict with these keys"
        )


def input_parts(estimator, input_shape):
    """The parts of a row of inputs, as `OwnNetwork` takes them; () for a network of one input."""
    shapes = getattr(estimator, "input_parts_", None)
    if shapes is not None:
        parts, start = [], 0
        for name, shape in shapes.items():
            parts.append((name, shape, slice(start, start + prod(shape))))
            start += prod(shape)
        return tuple(parts)
    if estimator.columns is None:
        return ()
    if len(input_shape) != 1:
        raise ValueError(
            f"columns cuts rows of tables into inputs, but X has samples of shape {input_shape}; "
            "give a table (n_samples, n_features), or a dict of arrays"
        )
    names = getattr(estimator, "feature_names_in_", None)
    parts = []
    for name, given in estimator.columns.items():
        places = column_places(name, given, input_shape[0], names)
        parts.append((name, (len(places),), as_slice(places)))
    if not parts:
        raise ValueError("columns is empty; it maps names of inputs to columns of X")
    return tuple(parts)


def column_places(name, given, n_columns, names=None):
    """Numbers of the columns of an input, or a ValueError.

    Parameters
    ----------
    name : str
        Of the input, for errors.
    given : slice, or list of int or str, or one of these
    n_columns : int
    names : ndarray of shape (n_columns,) or None
        Names of the columns, if they have any.

    Examples
    --------
    >>> column_places("a", slice(1, None), 3), column_places("a", ["y", "x"], 2, ["x", "y"])
    ([1, 2], [1, 0])
    """
    where = f"columns[{name!r}]"
    if not isinstance(name, str) or not name.isidentifier():
        raise ValueError(
            f"columns has the key {name!r}; keys are the names of parameters of the network's "
            "forward"
        )
    if isinstance(given, slice):
        if any(isinstance(end, str) for end in (given.start, given.stop)):
            raise ValueError(f"{where} is {given}; a slice has numbers, or give a list of names")
        places = list(range(n_columns))[given]
    else:
        is_single = isinstance(given, str) or np.ndim(given) == 0
        places = [_place(where, column, n_columns, names) for column in _listed(given, is_single)]
    if not places:
        raise ValueError(f"{where} is {given!r}, which is no column of the {n_columns} of X")
    return places


def _listed(given, is_single):
    return [given] if is_single else list(given)


def _place(where, column, n_columns, names):
    if isinstance(column, str):
        if names is None:
            raise ValueError(
                f"{where} has {column!r}, but the columns of X have no names; give a DataFrame, "
                "or the numbers of the columns"
            )
        if column not in list(names):
            raise ValueError(unknown_name_message(f"column in {where}", column, names))
        return list(names).index(column)
    if not is_whole_number(column, -n_columns) or column >= n_columns:
        raise ValueError(
            f"{where} has {column!r}; it must be a number from 0 to {n_columns - 1}, the name of a "
            "column, a list of these, or a slice"
        )
    return int(column) % n_columns


def as_slice(places):
    """Consecutive numbers as a slice, others as they are.

    >>> as_slice([2, 3]), as_slice([3, 2])
    (slice(2, 4, None), [3, 2])
    """
    first = places[0]
    is_consecutive = places == list(range(first, first + len(places)))
    return slice(first, first + len(places)) if is_consecutive else places


def moments_of_parts(X, shapes, sample_weight=None, moments=channel_moments):
    """Moments of joined inputs: of each feature, and of each channel of n-d parts.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_columns)
    shapes : dict of str to tuple of int
        Shape of each part, in the order of the columns.
    sample_weight : ndarray of shape (n_samples,), default=None
    moments : callable
        Computes them for one part: mean and scale, or more.

    Returns
    -------
    tuple of ndarray of shape (n_columns,)
        As many as `moments` returns.
    """
    found, start = [], 0
    for shape in shapes.values():
        part = X[:, start : start + prod(shape)].reshape(len(X), *shape)
        found.append(
            [np.broadcast_to(moment, shape).ravel() for moment in moments(part, sample_weight)]
        )
        start += prod(shape)
    return tuple(np.concatenate(columns) for columns in zip(*found, strict=True))
