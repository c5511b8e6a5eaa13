"""The data of a fit: validate it, encode the labels, count the classes, hold samples out.

Pure functions but for what scikit-learn's own validation sets: the attributes of the inputs.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.sparse import issparse
from sklearn.utils.validation import (
    check_array,
    check_consistent_length,
    validate_data,
)

from skimbal._training.chunked import ROWS_AT_ONCE, counts_by_class
from skimbal._training.inputs import blocks_of_rows, dtype_name, is_chunked, is_windows
from skimbal._utils._fitted_attributes import forget_attributes
from skimbal._utils._groups import check_group_counts, groups_by_class, held_out_groups
from skimbal._utils._labels import vector_by_label
from skimbal._utils._number_columns import numbers_needed
from skimbal._utils._recordings import check_collection, check_one_shape
from skimbal._utils._table_rows import TableRows
from skimbal._utils._validation import check_labels, check_weights
from skimbal.neural_network._chunked import check_table, encode_in_blocks, rows_held_out
from skimbal.neural_network._input_parts import FLOATS, check_not_dict, is_dict, joined

INPUT_ATTRIBUTES = ("n_features_in_", "feature_names_in_")


@dataclass
class TrainingData:
    """Inputs with their encoded labels and weights.

    Attributes
    ----------
    X : ndarray of shape (n_samples, ...), CSR table, WindowIndex or ChunkedTable
    targets : ndarray of int of shape (n_samples,)
        Indices of the classes.
    sample_weight : ndarray of shape (n_samples,) or None
        Of mean 1; as good as 0 are only those that are so beside the others.
    groups : ndarray of int of shape (n_samples,) or None
        Samples of one group are not separated.
    """

    X: Any
    targets: np.ndarray
    sample_weight: np.ndarray | None
    groups: np.ndarray | None = None

    def take(self, rows):
        """Return the data of some rows, given by a mask."""
        rest = [None if x is None else x[rows] for x in (self.sample_weight, self.groups)]
        return TrainingData(self.X[rows], self.targets[rows], *rest)


def check_inputs(estimator, X, *, reset):
    """Return inputs as an array; windows of recordings and tables in chunks stay as they are.

    Sparse tables become CSR. Sets scikit-learn's attributes of the inputs where `reset` is True:
    those of columns for 2-D X, none for n-d X.
    """
    if is_chunked(X):
        check_table(estimator, X, check_inputs, check_range, reset=reset)
        return X
    X = joined_if_dict(estimator, X, reset=reset)
    if is_windows(X):
        if estimator._takes_windows:
            return X
        X = np.asarray(X)
    if issparse(X):
        return check_sparse(estimator, X, reset=reset)
    if isinstance(X, TableRows) and len(X):
        for _, part in blocks_of_rows(X):
            validate_data(estimator, part, reset=reset, dtype=FLOATS)
        return X
    return check_dense(estimator, X, reset=reset)


def check_dense(estimator, X, *, reset):
    """Return samples as an array, or raise a ValueError."""
    X = check_samples(X, type(estimator).__name__)
    n_axes = X.ndim if hasattr(X, "ndim") else np.asarray(X).ndim
    with numbers_needed(estimator, X):
        if n_axes > 2:
            if reset:
                forget_attributes(estimator, INPUT_ATTRIBUTES)
            return check_array(X, allow_nd=True, dtype=FLOATS, estimator=estimator, input_name="X")
        return validate_data(estimator, X, reset=reset, dtype=FLOATS)


def joined_if_dict(estimator, X, *, reset):
    """Return a dict of inputs as one table, and any other inputs as they are."""
    if not estimator._takes_dict:
        return X
    if reset:
        forget_attributes(estimator, ["input_parts_"])
    if is_dict(X):
        return joined(estimator, X, reset=reset)
    if not reset:
        check_not_dict(estimator)
    return X


def check_sparse(estimator, X, *, reset):
    """Return a sparse table as CSR without duplicates, or raise a ValueError."""
    if not estimator._takes_sparse:
        raise ValueError(
            f"X is sparse, but {type(estimator).__name__} takes dense arrays only; give "
            "X.toarray(), or use a network for tables such as MLPClassifier"
        )
    X = validate_data(estimator, X, reset=reset, dtype=FLOATS, accept_sparse="csr")
    if not X.has_canonical_format:  # what is given stays as it is
        X = X.copy()
        X.sum_duplicates()
    return X


def check_range(X):
    """Raise a ValueError that names a sample, or recording, which training can't compute with."""
    limit = torch.finfo(torch.get_default_dtype()).max
    name, parts = ("recording", X.recordings) if is_windows(X) else ("sample", [X])
    for i, part in enumerate(parts):
        is_fine = part.dtype != np.float64 or not part.size or max(part.max(), -part.min()) <= limit
        if is_fine:
            continue
        if issparse(part):
            i = int(abs(part).max(axis=1).toarray().argmax())
            part = part[[i]].toarray()
        elif name == "sample":
            part = np.asarray(part)
            i = int((np.abs(part) > limit).reshape(len(part), -1).any(axis=1).argmax())
            part = part[i]
        raise ValueError(
            f"{name} {i} of X has values of size {np.abs(part).max():g}; networks are trained in "
            f"{dtype_name()}, which ends at {limit:.3g}. Scale X, or leave the {name} out"
        )


def check_samples(X, name):
    """Return samples as one collection; a ValueError for a bare signal or unequal lengths."""
    check_collection(X, "X[None] is one sample; a recording goes into a list, [X]")
    return check_one_shape(
        X,
        name,
        f"WindowedClassifier({name}(...), size=...) cuts recordings of different lengths into "
        "windows of one size",
    )


def validate_training_data(estimator, X, y, sample_weight, *, reset):
    """Return inputs, labels and weights as arrays, or raise a ValueError."""
    if y is None:
        validate_data(estimator, X, y, reset=reset)  # raises what scikit-learn says of it
    X = check_inputs(estimator, X, reset=reset)
    if not is_chunked(X):
        check_range(X)
    y = check_labels(y)
    check_consistent_length(X, y)
    return X, y, check_weights(sample_weight, y, dtype=np.float64)


def drop_weightless(X, y, sample_weight, *rest):
    """Leave out the samples of weight 0; `rest` are more arrays of one entry a sample, or None."""
    if sample_weight is None or (sample_weight > 0).all():
        return X, y, sample_weight, *rest
    used = sample_weight > 0
    rest = tuple(None if array is None else array[used] for array in rest)
    return X[used], y[used], sample_weight[used], *rest


def with_mean_one(weight):
    """Divide positive weights by their mean, before they are rounded to float32.

    Sums of the largest floats would overflow, those of the smallest ones round. Weights whose mean
    is 1, but for rounding, stay as they are.

    >>> with_mean_one(np.array([0.5e308, 1.5e308]))
    array([0.5, 1.5])
    """
    if weight is None or not len(weight):
        return weight
    largest = weight.max()
    relative = weight / largest
    mean = relative.mean()
    return weight if abs(mean * largest - 1.0) < 1e-12 else relative / mean


def check_input_shape(X, input_shape, name):
    """Raise a ValueError for samples of another shape than in `fit`."""
    if X.shape[1:] == input_shape:
        return
    advice = ""
    if X.ndim == len(input_shape):
        advice = f"; if X of shape {X.shape} is a single sample, give X[None]"
    elif X.shape[1:] == (*input_shape[1:], input_shape[0]):
        advice = "; X has its channels last: give np.moveaxis(X, -1, 1)"
    raise ValueError(
        f"X has samples of shape {X.shape[1:]}, but {name} was fitted on samples of shape "
        f"{input_shape}{advice}"
    )


def encode_labels(y, classes):
    """Indices of labels in `classes`; a ValueError for unknown labels."""
    try:
        unknown_labels = np.setdiff1d(y, classes).tolist()
    except TypeError:  # labels of several types have no order
        known = set(classes.tolist())
        unknown_labels = [label for label in dict.fromkeys(y.tolist()) if label not in known]
    if unknown_labels:
        raise ValueError(
            f"y has labels {unknown_labels}, which are not in classes {classes.tolist()}"
        )
    return np.searchsorted(classes, y)


def encode_classes(X, y):
    """Sorted labels, and the index of the label of each sample, of a small type for chunks."""
    if is_chunked(X):
        return encode_in_blocks(y)
    if len(y) > ROWS_AT_ONCE:  # sorting them takes several times the memory
        classes, targets = encode_in_blocks(y)
        return classes, targets.astype(np.intp)
    return np.unique(y, return_inverse=True)


def count_classes(data, n_classes):
    """Sample-weighted number of samples of each class."""
    return counts_by_class(data.targets, data.sample_weight, n_classes)


def given_class_counts(class_counts, classes):
    """Class counts of a stream as an array in the order of `classes`, or a ValueError."""
    class_counts = vector_by_label(class_counts, classes, "class_counts", None, is_outer=True)
    counts = np.asarray(class_counts, dtype=np.float64)
    if counts.shape != classes.shape or not (counts > 0).all():
        raise ValueError(
            f"class_counts {counts.tolist()} must be one positive number for each of the classes "
            f"{classes.tolist()}"
        )
    with np.errstate(over="ignore"):
        is_finite = np.isfinite(counts.sum())
    if not is_finite:
        raise ValueError(f"class_counts {counts.tolist()} add up to infinity; give finite numbers")
    return counts


def copies(X, targets):
    """Return the number of the first sample that each sample is a copy of: the same inputs, class.

    Parameters
    ----------
    X : ndarray of shape (n_samples, ...) or CSR table
    targets : ndarray of int of shape (n_samples,)

    Returns
    -------
    ndarray of int of shape (n_samples,)
        Samples without a copy have their own number, and so do those of a class of which all
        samples are copies of one, because they could not be held out otherwise.

    Examples
    --------
    >>> copies(np.array([[1.0], [2.0], [1.0], [2.0]]), np.array([0, 0, 0, 1]))
    array([0, 1, 0, 3])
    """
    # 0 is added because -0.0, which is equal to 0.0, has another hash.
    parts = []
    for rows, part in blocks_of_rows(X):
        table = pd.DataFrame(part.reshape(len(part), -1) + 0.0).assign(target=targets[rows])
        parts.append(pd.util.hash_pandas_object(table, index=False).to_numpy())
    hashes = np.concatenate(parts)
    _, first, numbers = np.unique(hashes, return_index=True, return_inverse=True)
    units = first[numbers]
    for c in np.unique(targets):
        rows = np.flatnonzero(targets == c)
        if len(rows) > 1 and (units[rows] == units[rows[0]]).all():
            units[rows] = rows
    return units


def is_held_out(data, classes, fraction, rng, reason):
    """Draw validation data, stratified, and leave groups whole.

    Without groups, a recording is a group of its windows, and a sample one of its copies. Copies of
    rows that are read in chunks are not sought.

    Parameters
    ----------
    data : TrainingData
    classes : ndarray of shape (n_classes,)
        The labels.
    fraction : float in (0, 1)
        Of the groups, recordings or samples of each class; at least one, and not all.
    rng : RandomState
    reason : str
        The setting that needs validation data, for the error.

    Returns
    -------
    ndarray of bool of shape (n_samples,)
    """
    if is_chunked(data.X) and data.groups is None:
        return rows_held_out(data, classes, fraction, rng, reason)
    units, unit = validation_units(data)
    check_group_counts(classes.tolist(), data.targets, units, reason, unit)
    held_out = held_out_groups(data.targets, units, fraction, rng)
    if held_out is None:
        raise ValueError(
            f"{reason} needs every class in training and in validation, but no split of the groups "
            "has them on both sides; give validation data of your own (X_val, y_val), or more "
            "groups"
        )
    return np.isin(units, held_out)


def validation_units(data):
    """Number what is held out as a whole; return it and what it is called."""
    if data.groups is not None:
        return data.groups, "group"
    if is_windows(data.X):
        return data.X.recording, "recording"
    return copies(data.X, data.targets), "sample"


def is_held_out_if_possible(data, classes, fraction, rng):
    """As `is_held_out`, but None where not every class can be on both sides."""
    if is_chunked(data.X) and data.groups is None:
        if counts_by_class(data.targets, None, len(classes)).min() < 2:
            return None
        return rows_held_out(data, classes, fraction, rng, "early stopping")
    units, _ = validation_units(data)
    if min(len(own) for own in groups_by_class(data.targets, units)) < 2:
        return None
    held_out = held_out_groups(data.targets, units, fraction, rng)
    return None if held_out is None else np.isin(units, held_out)


def own_validation_data(estimator, X_val, y_val, sample_weight_val):
    """Return the validation data that `fit` is given, None without any, or raise a ValueError.

    The labels are encoded by the classes of the estimator, which must be known.
    """
    if X_val is None and y_val is None:
        if sample_weight_val is not None:
            raise ValueError("sample_weight_val is given without X_val and y_val; give all three")
        return None
    if X_val is None or y_val is None:
        given, other = ("y_val", "X_val") if X_val is None else ("X_val", "y_val")
        raise ValueError(f"{given} is given without {other}; give both, or none of them")
    try:
        X, y, weight = validate_training_data(
            estimator, X_val, y_val, sample_weight_val, reset=False
        )
        check_input_shape(X, estimator.input_shape_, type(estimator).__name__)
        X, y, weight = drop_weightless(X, y, weight)
        targets = encode_labels(y, estimator.classes_)
    except ValueError as error:
        raise ValueError(f"the validation data X_val, y_val cannot be used: {error}") from error
    return TrainingData(X, targets, weight)
