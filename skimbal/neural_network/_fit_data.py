"""The data of a fit: validate it, encode the labels, count the classes, hold samples out.

Pure functions but for what scikit-learn's own validation sets: the attributes of the inputs.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.validation import (
    _check_sample_weight,
    check_array,
    check_consistent_length,
    validate_data,
)

from skimbal._training.inputs import is_windows
from skimbal._utils._fitted_attributes import forget_attributes
from skimbal._utils._recordings import check_collection, check_one_shape
from skimbal._utils._validation import check_labels

INPUT_ATTRIBUTES = ("n_features_in_", "feature_names_in_")
FLOATS = [np.float64, np.float32]


@dataclass
class TrainingData:
    """Inputs with their encoded labels and weights.

    Attributes
    ----------
    X : ndarray of shape (n_samples, ...) or WindowIndex
    targets : ndarray of int of shape (n_samples,)
        Indices of the classes.
    sample_weight : ndarray of shape (n_samples,) or None
        All positive.
    """

    X: Any
    targets: np.ndarray
    sample_weight: np.ndarray | None

    def take(self, rows):
        """Return the data of some rows, given by a mask."""
        weight = None if self.sample_weight is None else self.sample_weight[rows]
        return TrainingData(self.X[rows], self.targets[rows], weight)


def check_inputs(estimator, X, *, reset):
    """Return inputs as an array; windows of recordings stay as they are.

    Sets scikit-learn's attributes of the inputs where `reset` is True: those of columns for 2-D X,
    none for n-d X.
    """
    if is_windows(X):
        if estimator._takes_windows:
            return X
        X = np.asarray(X)
    X = check_samples(X, type(estimator).__name__)
    n_axes = X.ndim if hasattr(X, "ndim") else np.asarray(X).ndim
    if n_axes > 2:
        if reset:
            forget_attributes(estimator, INPUT_ATTRIBUTES)
        return check_array(X, allow_nd=True, dtype=FLOATS, estimator=estimator, input_name="X")
    return validate_data(estimator, X, reset=reset, dtype=FLOATS)


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
    y = check_labels(y)
    check_consistent_length(X, y)
    if sample_weight is not None:
        sample_weight = _check_sample_weight(
            sample_weight, y[:, None], dtype=np.float64, ensure_non_negative=True
        )
    return X, y, sample_weight


def drop_weightless(X, y, sample_weight):
    """Leave out the samples of weight 0."""
    if sample_weight is None or (sample_weight > 0).all():
        return X, y, sample_weight
    used = sample_weight > 0
    return X[used], y[used], sample_weight[used]


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
    unknown_labels = np.setdiff1d(y, classes)
    if len(unknown_labels):
        raise ValueError(
            f"y has labels {unknown_labels.tolist()}, which are not in classes {classes.tolist()}"
        )
    return np.searchsorted(classes, y)


def count_classes(data, n_classes):
    """Sample-weighted number of samples of each class."""
    return np.bincount(data.targets, data.sample_weight, n_classes).astype(np.float64)


def given_class_counts(class_counts, classes):
    """Class counts of a stream as an array in the order of `classes`, or a ValueError."""
    if isinstance(class_counts, dict):
        class_counts = [class_counts.get(label, 0) for label in classes.tolist()]
    counts = np.asarray(class_counts, dtype=np.float64)
    if counts.shape != classes.shape or not (counts > 0).all():
        raise ValueError(
            f"class_counts {counts.tolist()} must be one positive number for each of the classes "
            f"{classes.tolist()}"
        )
    return counts


def hold_out(data, classes, fraction, rng, reason):
    """Split off validation data, stratified.

    Windows of one recording are alike, so whole recordings are held out.

    Parameters
    ----------
    data : TrainingData
    classes : ndarray of shape (n_classes,)
        The labels.
    fraction : float in (0, 1)
        Of the samples, or recordings, of each class; at least one, and not all.
    rng : RandomState
    reason : str
        The setting that needs validation data, for the error.

    Returns
    -------
    train, valid : TrainingData
    """
    units = data.X.recording if is_windows(data.X) else np.arange(len(data.targets))
    unit = "recording" if is_windows(data.X) else "sample"
    held_out = []
    for c, label in enumerate(classes.tolist()):
        candidates = np.unique(units[data.targets == c])
        n = len(candidates)
        if n < 2:
            raise ValueError(
                f"class {label!r} has 1 {unit}, but {reason} needs 2 of each class, one of them "
                "for validation"
            )
        n_held_out = np.clip(round(fraction * n), 1, n - 1)
        held_out.append(rng.permutation(candidates)[:n_held_out])
    is_valid = np.isin(units, np.concatenate(held_out))
    return data.take(~is_valid), data.take(is_valid)
