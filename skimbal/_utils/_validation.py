"""Validation that all layers share: names, cost matrices, labels and sample weights."""

from numbers import Integral

import numpy as np
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, column_or_1d, has_fit_parameter

from skimbal._utils._cells import NOTHING, TEXTS, examples_of, is_missing, kind_of_cells
from skimbal._utils._names import unknown_name_message as unknown_name_message
from skimbal._utils._warnings import warn

# Columns with larger or smaller values are measured in units of their largest one.
LARGE, SMALL = 1e100, 1e-100


def is_whole_number(value, minimum):
    """Whether `value` is an integer of at least `minimum`, and no bool.

    >>> [is_whole_number(value, 1) for value in (1, np.int64(2), 0, 1.0, True)]
    [True, True, False, False, False]
    """
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= minimum


def check_cost_matrix(cost_matrix, n_classes):
    """Return `cost_matrix` as a float64 array of shape (n_classes, n_classes), or raise.

    Entry (i, j) is the cost of predicting class j when the truth is class i; a gain is a negative
    cost. Entries must be finite. In each row the correct prediction has the lowest cost, and in at
    least one row another prediction costs more.
    """
    matrix = np.asarray(cost_matrix, dtype=np.float64)
    if matrix.shape != (n_classes, n_classes):
        raise ValueError(
            f"cost_matrix has shape {matrix.shape}, but with {n_classes} classes it must be "
            f"({n_classes}, {n_classes}): rows are the true classes, columns the predicted ones"
        )
    if not np.isfinite(matrix).all():
        raise ValueError("cost_matrix has NaN or infinite entries; every cost must be finite")
    regrets = regret_matrix(matrix)
    if (regrets < 0).any():
        i, j = np.unravel_index(regrets.argmin(), matrix.shape)
        raise ValueError(
            f"cost_matrix[{i}, {j}] is {matrix[i, j]:g}, which is below the cost of the correct "
            f"prediction in this row, cost_matrix[{i}, {i}] = {matrix[i, i]:g}; rows are the true "
            "classes, an error has a positive cost and a gain is a negative cost"
        )
    if not regrets.any():
        raise ValueError(
            "the entries of each row of cost_matrix are equal, so all predictions cost the same; "
            "give at least one error a cost above that of the correct prediction"
        )
    return matrix


def regret_matrix(cost_matrix):
    """Cost of each prediction above that of the correct one: the diagonal becomes 0.

    The same number is subtracted from all entries of a row, so the decisions stay the same.

    >>> regret_matrix(np.array([[0.0, 10.0], [0.0, -50.0]]))
    array([[ 0., 10.],
           [50.,  0.]])
    """
    return cost_matrix - np.diagonal(cost_matrix)[:, np.newaxis]


def check_two_classes(classes):
    """Raise a ValueError if fewer than two classes have a positive weight."""
    if len(classes) < 2:
        raise ValueError(
            f"y has {len(classes)} class with a positive sample_weight, {list(classes)}; a "
            "classifier needs samples of two or more classes"
        )


def takes_sample_weight(estimator, consequence):
    """Whether the `fit` of an estimator takes `sample_weight`; if not, warn of the consequence."""
    if has_fit_parameter(estimator, "sample_weight"):
        return True
    warn(f"{type(estimator).__name__} takes no sample_weight; {consequence}")
    return False


def check_labels(y):
    """Return the labels as a finite 1-d array of classes, or raise a ValueError."""
    y = column_or_1d(y, warn=True)
    if y.dtype == object:
        missing = np.flatnonzero([is_missing(label) for label in y])
        if len(missing):
            raise ValueError(
                f"Input y contains NaN or None in {len(missing)} of {len(y)} rows, the first is "
                f"row {missing[0]}; drop these rows, or give them a label of their own"
            )
        if kind_of_cells(y) not in (TEXTS, NOTHING):
            raise ValueError(
                f"Unknown label type: y is an array of objects, such as {examples_of(y)}; labels "
                "are texts or numbers, all of one type: use y.astype(str), or y.astype(int) for "
                "whole numbers"
            )
    assert_all_finite(y, input_name="y")
    check_classification_targets(y)
    return y


def check_weights(sample_weight, y, dtype=None):
    """Return sample weights as a non-negative array, or None for None, or raise a ValueError."""
    if sample_weight is None:
        return None
    weight = _check_sample_weight(sample_weight, y, dtype=dtype, ensure_non_negative=True)
    if not weight.any():  # scikit-learn before 1.9 lets it pass
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return weight


def in_safe_unit(weight):
    """Weights in another unit where products of their sums would overflow or vanish.

    >>> in_safe_unit(np.array([1e300, 2e300])), in_safe_unit(np.array([1.0, 2.0]))
    (array([0.5, 1. ]), array([1., 2.]))
    """
    if weight is None:
        return None
    largest = float(weight.max(initial=0.0))  # 1e50 is infinite as a float32
    return weight / largest if largest > 1e50 or 0.0 < largest < 1e-50 else weight


def column_units(X):
    """Units of the columns in which squares neither overflow nor vanish: 1 for most columns.

    Columns with very large or very small values are measured in units of their largest one. NaN
    is ignored.

    >>> column_units(np.array([[1e200, 1e-200, 3.0, 0.0], [2e200, 2e-200, np.nan, 0.0]]))
    array([2.e+200, 2.e-200, 1.e+000, 1.e+000])
    """
    largest = np.fmax.reduce(np.abs(X), axis=0).astype(np.float64)
    is_extreme = (largest > LARGE) | (largest < SMALL) & (largest > 0)
    return np.where(is_extreme, largest, 1.0)


def check_known_classes(estimator, classes):
    """Raise a ValueError if a fitted estimator has no `classes_`, or unknown ones."""
    name, known = type(estimator).__name__, getattr(estimator, "classes_", None)
    if known is None:
        raise ValueError(
            f"the fitted {name} has no classes_; the fit of a classifier must fit the object "
            "itself and set classes_, the sorted labels"
        )
    known = np.asarray(known)
    unknown_labels = np.setdiff1d(known, classes)
    if len(unknown_labels):
        raise ValueError(
            f"the fitted {name} knows the classes {unknown_labels.tolist()}, "
            "but y has none of them; give samples of every class"
        )


def check_probabilities(proba, estimator, n_classes):
    """Raise a ValueError for predicted probabilities that are no finite table of all classes."""
    name = type(estimator).__name__
    if np.ndim(proba) != 2 or np.shape(proba)[1] != n_classes:
        raise ValueError(
            f"predict_proba of {name} returned shape {np.shape(proba)}; it must return "
            f"(n_samples, {n_classes}), a column for each class"
        )
    is_finite = np.isfinite(proba).all(axis=1)
    if not is_finite.all():
        raise ValueError(
            f"predict_proba of {name} returned NaN or infinity for {(~is_finite).sum()} of "
            f"{len(is_finite)} samples, the first of them at row {is_finite.argmin()}; check the "
            "classifier and its inputs"
        )
