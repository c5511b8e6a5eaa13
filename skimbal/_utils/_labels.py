"""Weights, counts, costs and probabilities that carry labels, in the order of the classes.

A mapping, a Series and a frame say by keys, index and columns which value belongs to which class.
An array has the order of `classes_`. pandas objects are known by their `index` and `columns`;
pandas is not imported.

Values by label may name classes that are absent from the labels of a fit, because the fit may be
that of a fold. Such a name is

- an error, if the index of a Series or a frame leaves classes out as well, or if it differs from
  a class only in its type;
- otherwise an `UnknownLabelWarning`;
- an error in an estimator that makes folds itself, which sees all labels. In its folds nothing is
  said (`part_of_larger_fit`).
"""

from collections.abc import Mapping
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np
from sklearn.pipeline import Pipeline

from skimbal._utils._warnings import warn
from skimbal.exceptions import UnknownLabelWarning

# Parameters that hold values by label.
HOLDERS = ("class_weight", "cost_matrix", "costs", "steps_per_class", "sampling_strategy")

_IS_PART = ContextVar("_IS_PART", default=False)


@contextmanager
def part_of_larger_fit():
    """Say nothing of unknown labels: the estimator that makes the folds has checked them."""
    token = _IS_PART.set(True)
    try:
        yield
    finally:
        _IS_PART.reset(token)


def place_of_rows():
    """What an error says of the rows that it counts, where they are not all that the user gave."""
    return " in a fold or bag" if _IS_PART.get() else ""


# ---------------------------------------------------------------- values by label


def carries_labels(given):
    """Whether values go by their labels: those of a mapping, a Series or a frame."""
    return isinstance(given, Mapping) or _has(given, "index")


def is_by_pair(given):
    """Whether values by label go by pairs of a true and a predicted label."""
    if isinstance(given, Mapping):
        return any(_is_pair(key) or carries_labels(value) for key, value in given.items())
    if _has(given, "columns"):
        return min(given.shape) > 1
    return any(map(_is_pair, given.index))


def vector_by_label(given, classes, name, default=1.0, *, is_outer=False):
    """Return one value for each class; an array is returned unchanged.

    Parameters
    ----------
    given : mapping label -> value, Series, frame with one column or array-like
        Values by label, or an array in the order of the classes.
    classes : array-like of shape (n_classes,)
        The labels.
    name : str
        Name of the parameter, for messages.
    default : float or None, default=1.0
        The value of a class that is not named; None if each class must be named.
    is_outer : bool, default=False
        Whether the classes are known to be all that there are, so an unknown label is an error.

    Raises
    ------
    ValueError
        For labels that don't fit or occur twice, and for missing labels without a default.
    """
    if not carries_labels(given):
        return given
    labels = np.asarray(classes).tolist()
    values = _with_keys_as_in(classes, _values_by_label(given, name), name)
    _check_names(values, labels, name, is_index=not isinstance(given, Mapping), is_outer=is_outer)
    missing = [label for label in labels if label not in values]
    if missing and default is None:
        raise ValueError(
            f"{name} has no value for the classes {missing}, only for {list(values)}; give one for "
            f"each of {labels}"
        )
    return np.array([values.get(label, default) for label in labels])


def matrix_by_label(given, classes, name, *, is_outer=False):
    """Return the costs of all pairs of classes; an array is returned unchanged.

    Parameters
    ----------
    given : frame, mapping, Series or array-like
        Costs by label, or an array in the order of the classes. A mapping has pairs (true,
        predicted) as keys, or true labels as keys and mappings predicted -> cost as values. A pair
        that is not named costs 1, and 0 if the prediction is true.
    classes, name, is_outer
        As in `vector_by_label`.

    Returns
    -------
    ndarray of shape (n_classes, n_classes)
        Rows are the true classes, columns the predicted ones.
    """
    if not carries_labels(given):
        return given
    labels = np.asarray(classes).tolist()
    costs = _values_by_pair(given, name)
    true, predicted = ([pair[axis] for pair in costs] for axis in (0, 1))
    keys = zip(_keys_as_in(classes, true), _keys_as_in(classes, predicted), strict=True)
    costs = dict(zip(keys, costs.values(), strict=True))
    named = dict.fromkeys(label for pair in costs for label in pair)
    _check_names(named, labels, name, is_index=not isinstance(given, Mapping), is_outer=is_outer)
    return np.array([[costs.get((t, p), float(t != p)) for p in labels] for t in labels])


def columns_by_label(proba, classes, name="proba"):
    """Return probabilities as an array with its columns in the order of the classes.

    The columns of a frame must be the classes; those of an array have their order already.
    """
    columns, labels = column_labels(proba), np.asarray(classes).tolist()
    if columns is None:
        return np.asarray(proba)
    if not _has(proba, "index"):  # of frames whose columns can have no other names than texts
        texts = {str(label): label for label in labels}
        columns = [texts.get(column, column) for column in columns]
    columns = _keys_as_in(classes, columns)
    if len(columns) != len(labels) or set(columns) != set(labels):
        raise ValueError(
            f"{name} has the columns {columns}, but the classes are {labels}; name the columns by "
            f"the classes, or give an array with one column for each class, in this order"
        )
    return np.asarray(proba)[:, [columns.index(label) for label in labels]]


def column_labels(proba):
    """The names of the columns of a frame, or None for an array."""
    return _listed(proba.columns) if _has(proba, "columns") else None


def named_labels(given, name):
    """The labels that values by label name, sorted."""
    values = _values_by_pair(given, name) if is_by_pair(given) else _values_by_label(given, name)
    if is_by_pair(given):
        values = {label for pair in values for label in pair}
    try:
        return sorted(values)
    except TypeError as error:
        raise ValueError(
            f"{name} names the labels {list(values)}, which have no common order; write all of "
            "them as text, or all as numbers"
        ) from error


def as_mapping(given, name):
    """Return weights or costs as a dict, if they are a Series or a frame, which have no equality.

    The values of other parameters are returned unchanged.
    """
    is_frame = _has(given, "index") and not hasattr(given, "set_params")
    if name.split("__")[-1] not in HOLDERS or not is_frame:
        return given
    return _values_by_pair(given, name) if is_by_pair(given) else _values_by_label(given, name)


def sorted_by_label(given, name):
    """Return values by label in the order of the sorted labels; an array is returned unchanged."""
    if not carries_labels(given):
        return given
    return vector_by_label(given, named_labels(given, name), name)


# ---------------------------------------------------------------- parameters of estimators


def check_label_parameters(estimator, y, *, is_fold_possible=False):
    """Check the labels that the parameters of an estimator name, before it is fitted on folds of y.

    Parameters
    ----------
    estimator : estimator
        Pipelines and the estimators of this package are looked into.
    y : array-like of shape (n_samples,) or None
        All labels. Nothing is checked if they are no labels.
    is_fold_possible : bool, default=False
        Whether y may itself be a fold of a larger set. Then a parameter that names all classes of
        y, and others, gets an `UnknownLabelWarning`.

    Raises
    ------
    ValueError
        For a label that is not in y.
    """
    check_named_labels(list(_label_parameters(estimator)), y, is_fold_possible=is_fold_possible)


def check_named_labels(given, y, *, is_fold_possible=False):
    """Check the labels of a list of (name, values by label), as `check_label_parameters` does."""
    classes = _classes_of(y) if given else None
    if classes is None:
        return
    for name, value in given:
        named = _keys_as_in(classes, named_labels(value, name))
        _check_names(named, classes.tolist(), name, is_index=True, is_outer=not is_fold_possible)


def _label_parameters(estimator, prefix=""):
    """Yield the names and values of the parameters that go by label."""
    if isinstance(estimator, Pipeline):
        name, last = estimator.steps[-1]
        yield from _label_parameters(last, f"{prefix}{name}__")
    elif hasattr(estimator, "get_params") and not isinstance(estimator, type):
        is_own = type(estimator).__module__.startswith("skimbal.")
        for name, value in estimator.get_params(deep=False).items():
            if name in HOLDERS and carries_labels(value):
                yield prefix + name, value
            elif name == "estimator" and is_own:
                yield from _label_parameters(value, f"{prefix}{name}__")


def _classes_of(y):
    """The distinct labels of y, or None where y is missing or has several columns."""
    y = None if y is None else np.asarray(y)
    if y is None or y.ndim != 1:
        return None
    try:
        return np.unique(y)
    except TypeError:  # labels of several types, which the fit refuses
        return None


# ---------------------------------------------------------------- names


def _check_names(named, labels, name, *, is_index, is_outer):
    """Raise or warn where values name labels that are no classes."""
    unknown = [label for label in named if label not in labels]
    if not unknown or _IS_PART.get():
        return
    message = f"{name} names the labels {unknown}, but the classes are {labels}"
    if _texts(unknown) & _texts(labels):
        raise ValueError(
            f"{message}; text and numbers are different labels: write them with the type that "
            "they have in y"
        )
    if is_outer or (is_index and not set(labels) <= set(named)):
        raise ValueError(
            f"{message}; write the labels as in y, or give an array with one value for each class, "
            "in this order"
        )
    warn(
        f"{message}; these values are not used, and a class that is not named has the default. "
        "If y is not a fold that lacks these classes, write the labels as in y",
        UnknownLabelWarning,
    )


def _values_by_label(given, name):
    """Values by label as a dict."""
    if isinstance(given, Mapping):
        labels, values = list(given), list(given.values())
    else:
        axes = [_listed(given.index)]
        axes += [_listed(given.columns)] if _has(given, "columns") else []
        long = [axis for axis in axes if len(axis) > 1] or axes[:1]
        if len(long) > 1:
            raise ValueError(
                f"{name} is a frame of shape {given.shape}; give one value for each class: a "
                "Series, a dict or a frame with one column"
            )
        labels, values = long[0], np.asarray(given).ravel().tolist()
    labels = [key[0] if isinstance(key, tuple) and len(key) == 1 else key for key in labels]
    pairs = [key for key in labels if isinstance(key, tuple)]
    if pairs:
        raise ValueError(f"{name} names pairs of labels, such as {pairs[0]}; give single labels")
    _check_distinct(labels, name)
    return dict(zip(labels, values, strict=True))


def _values_by_pair(given, name):
    """Costs by (true, predicted) label as a dict."""
    if isinstance(given, Mapping):
        costs = {}
        for key, value in given.items():
            if carries_labels(value):
                row = _values_by_label(value, f"{name}[{key!r}]")
                costs.update({(key, predicted): cost for predicted, cost in row.items()})
            elif _is_pair(key):
                costs[key] = value
            else:
                raise ValueError(
                    f"{name} has the key {key!r}; the keys of costs by label are pairs (true "
                    "label, predicted label)"
                )
        return costs
    if not _has(given, "columns"):
        pairs = list(given.index)
        if not all(map(_is_pair, pairs)):
            raise ValueError(
                f"{name} is a Series of shape {given.shape}; give a frame, or a dict with pairs "
                "(true label, predicted label) as keys"
            )
        _check_distinct(pairs, name)
        return dict(zip(pairs, np.asarray(given).tolist(), strict=True))
    rows, columns = _listed(given.index), _listed(given.columns)
    if set(rows) != set(columns):
        raise ValueError(
            f"{name} has the rows {rows} and the columns {columns}; both must be the same labels: "
            "rows are the true classes, columns the predicted ones"
        )
    _check_distinct(rows, name)
    _check_distinct(columns, name)
    values = np.asarray(given)
    return {(t, p): values[i, j] for i, t in enumerate(rows) for j, p in enumerate(columns)}


def _check_distinct(labels, name):
    doubled = list(dict.fromkeys(label for label in labels if labels.count(label) > 1))
    if doubled:
        raise ValueError(f"{name} names the labels {doubled} more than once; name each label once")


def _with_keys_as_in(classes, values, name):
    keys = _keys_as_in(classes, list(values))
    _check_distinct(keys, name)
    return dict(zip(keys, values.values(), strict=True))


def _keys_as_in(classes, labels):
    """Labels as the list of the classes has them: points in time have several types."""
    dtype = np.asarray(classes).dtype
    return np.asarray(labels, dtype=dtype).tolist() if dtype.kind in "mM" else list(labels)


def _has(given, attribute):
    """Whether an object has an index or columns; `list.index` is a method."""
    return hasattr(given, "shape") and not callable(getattr(given, attribute, len))


def _texts(labels):
    """Labels as text; whole numbers with and without a point."""
    whole = [int(label) for label in labels if isinstance(label, float) and label.is_integer()]
    return {str(label) for label in [*labels, *whole]}


def _is_pair(key):
    return isinstance(key, tuple) and len(key) == 2


def _listed(index):
    return index.tolist() if hasattr(index, "tolist") else list(index)
