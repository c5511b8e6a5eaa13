"""Weights, counts, costs and probabilities that carry labels, in the order of the classes.

A mapping, a Series and a frame say by keys, index and columns which value belongs to which class.
An array has the order of `classes_`. pandas objects are known by their `index` and `columns`;
pandas is not imported.

Values by label may name classes that are absent from the labels of a fit, because the fit may be
that of a fold. Such a name is

- an error, if the index of a Series or a frame leaves classes out as well, or if it differs from
  a class only in its type;
- an error in a search and in the functions that fit populations, if the values leave a class out as
  well. In their folds nothing is said (`part_of_larger_fit`);
- otherwise an `UnknownLabelWarning`.
"""

from collections.abc import Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from numbers import Number

import numpy as np
from sklearn.pipeline import Pipeline

from skimbal._utils._warnings import warn
from skimbal.exceptions import UnknownLabelWarning

# Parameters that hold values by label.
HOLDERS = (
    *("class_weight", "pretrain_class_weight", "cost_matrix", "costs"),
    *("steps_per_class", "sampling_strategy"),
)

NUMBERED = (
    ". Some ensembles of scikit-learn, and its cross_val_predict for probabilities, give the "
    "classes the numbers 0, 1, ... before they fit: use these labels in y, too"
)

_KNOWN: ContextVar = ContextVar("_KNOWN", default=frozenset())  # None is all labels


@contextmanager
def part_of_larger_fit(labels=None):
    """Say nothing of unknown labels: the estimator that makes the folds has checked them.

    `labels` are those that are known, None for all.
    """
    is_whole = labels is None or _KNOWN.get() is None
    token = _KNOWN.set(None if is_whole else frozenset(labels))
    try:
        yield
    finally:
        _KNOWN.reset(token)


def _is_known(labels):
    """Whether something was said of unknown labels already."""
    known = _KNOWN.get()
    return known is None or known.issuperset(labels)


def place_of_rows():
    """What an error says of the rows that it counts, where they are not all that the user gave."""
    return " in a fold or bag" if _KNOWN.get() is None else ""


# ---------------------------------------------------------------- values by label


def label_list(labels):
    """Labels as a list of Python objects; `tolist` makes numbers of points in time."""
    labels = np.asarray(labels)
    if labels.dtype.kind in "mM":
        labels = labels.astype(f"{labels.dtype.kind}8[us]")
    return labels.tolist()


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
    labels = label_list(classes)
    values = _with_keys_as_in(classes, _values_by_label(given, name), name)
    _check_names(values, labels, name, is_index=not isinstance(given, Mapping), is_outer=is_outer)
    missing = [label for label in labels if label not in values]
    if missing and default is None:
        raise ValueError(
            f"{name} has no value for the classes {missing}, only for {list(values)}; give one for "
            f"each of {labels}"
        )
    return np.array([_number(values.get(label, default), name, label) for label in labels])


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
    labels = label_list(classes)
    costs = _values_by_pair(given, name)
    true, predicted = ([pair[axis] for pair in costs] for axis in (0, 1))
    keys = zip(keys_as_in(classes, true), keys_as_in(classes, predicted), strict=True)
    costs = dict(zip(keys, costs.values(), strict=True))
    named = dict.fromkeys(label for pair in costs for label in pair)
    _check_names(named, labels, name, is_index=not isinstance(given, Mapping), is_outer=is_outer)
    return np.array(
        [[_number(costs.get((t, p), float(t != p)), name, (t, p)) for p in labels] for t in labels]
    )


def columns_by_label(proba, classes, name="proba"):
    """Return probabilities as an array with its columns in the order of the classes.

    The columns of a frame must be the classes; those of an array have their order already.
    """
    columns, labels = column_labels(proba), label_list(classes)
    if columns is None:
        return np.asarray(proba)
    if not _has(proba, "index"):  # of frames whose columns can have no other names than texts
        texts = {str(label): label for label in labels}
        columns = [texts.get(column, column) for column in columns]
    columns = keys_as_in(classes, columns)
    if len(columns) != len(labels) or set(columns) != set(labels):
        raise ValueError(
            f"{name} has the columns {columns}, but the classes are {labels}; name the columns by "
            f"the classes, or give an array with one column for each class, in this order"
        )
    return np.asarray(proba)[:, [columns.index(label) for label in labels]]


def proba_by_class(proba, own_classes, classes):
    """Return what a classifier predicts for each class as an array in the order of other classes.

    Parameters
    ----------
    proba : array-like or frame of shape (n_samples, n_own_classes)
        Probabilities, or their logarithms, in the order of `own_classes`. The columns of a frame
        that are these classes may have any order.
    own_classes : array-like of shape (n_own_classes,)
        The labels that the classifier knows, in any order; all are among `classes`.
    classes : array-like of shape (n_classes,)
        Sorted labels. The probability of one that the classifier does not know is 0.
    """
    columns = column_labels(proba)
    if columns is not None and set(columns) == set(label_list(own_classes)):
        proba = columns_by_label(proba, own_classes)
    proba = np.asarray(proba)
    if np.array_equal(own_classes, classes):
        return proba
    ordered = np.zeros((len(proba), len(classes)))
    ordered[:, np.searchsorted(classes, own_classes)] = proba
    return ordered


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
        Whether the estimator would warn of the same labels in a fit on y, as it does if y is a fold
        of a larger set. Else values that name other labels must name all classes of y as well.

    Raises
    ------
    ValueError
        For a label that is not in y, if a class of y is not named, too.

    Warns
    -----
    UnknownLabelWarning
        For other labels that are not in y.
    """
    check_named_labels(list(_label_parameters(estimator)), y, is_fold_possible=is_fold_possible)


def check_named_labels(given, y, *, is_fold_possible=False):
    """Check the labels of a list of (name, values by label), as `check_label_parameters` does."""
    classes = _classes_of(y) if given else None
    if classes is None:
        return
    for name, value in given:
        named = keys_as_in(classes, named_labels(value, name))
        is_strict = not (is_fold_possible and isinstance(value, Mapping))
        _check_names(named, label_list(classes), name, is_index=is_strict, is_outer=False)


def other_labels(estimator, y):
    """The labels that the parameters of an estimator name and y lacks, as a set."""
    classes = _classes_of(y)
    if classes is None:
        return set()
    named = [keys_as_in(classes, named_labels(v, name)) for name, v in _label_parameters(estimator)]
    return set().union(*named).difference(label_list(classes))


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
    if not unknown:
        return
    message = f"{name} names the labels {unknown}, but the classes are {labels}"
    if _texts(unknown) & _texts(labels) or not _kinds(unknown) <= _kinds(labels):
        raise ValueError(
            f"{message}; text and numbers are different labels: write them with the type that "
            f"they have in y{NUMBERED if labels == list(range(len(labels))) else ''}"
        )
    if _is_known(unknown):
        return
    if is_outer or (is_index and not set(labels) <= set(named)):
        raise ValueError(
            f"{message}; write the labels as in y, or give an array with one value for each class, "
            "in this order. If y is a fold that lacks classes, name all classes"
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
        raise ValueError(
            f"{name} has the key {pairs[0]}; give single labels, or where costs are taken, pairs "
            "(true label, predicted label)"
        )
    _check_distinct(labels, name)
    return dict(zip(labels, values, strict=True))


def _values_by_pair(given, name):
    """Costs by (true, predicted) label as a dict."""
    if isinstance(given, Mapping):
        costs = {}
        for key, value in given.items():
            if carries_labels(value) and not _is_pair(key):
                row = _values_by_label(value, f"{name}[{key!r}]")
                costs.update({(key, predicted): cost for predicted, cost in row.items()})
            elif _is_pair(key):
                costs[key] = value
            else:
                raise ValueError(
                    f"{name} has the key {key!r}; the keys of costs by label are pairs (true "
                    "label, predicted label). One cost for each true label is taken as costs= of "
                    "FixedCostClassifier"
                )
        return costs
    if not _has(given, "columns"):
        pairs = list(given.index)
        if not all(map(_is_pair, pairs)):
            raise ValueError(
                f"{name} is a Series of shape {given.shape}; give a frame, or a dict with pairs "
                "(true label, predicted label) as keys. One cost for each true label is taken as "
                "costs= of FixedCostClassifier"
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
    keys = keys_as_in(classes, list(values))
    _check_distinct(keys, name)
    return dict(zip(keys, values.values(), strict=True))


def keys_as_in(classes, labels):
    """Labels as `label_list` has those of the classes: points in time have several types."""
    labels, dtype = list(labels), _time_type(classes)
    if dtype is None or "Number" in _kinds(labels):
        return labels
    try:
        return label_list(np.asarray(labels, dtype))
    except (TypeError, ValueError):  # labels that are no points in time, which fit no class
        return labels


def labels_as_in(classes, labels):
    """Labels as an array, of the type of the classes if these are points in time."""
    dtype = _time_type(classes)
    return np.asarray(labels) if dtype is None else np.asarray(keys_as_in(classes, labels), dtype)


def _time_type(labels):
    """The type of points in time, or None for other labels."""
    labels = np.asarray(labels)
    if labels.dtype.kind in "mM":
        return labels.dtype
    first = labels.flat[0] if labels.size else None
    is_time = isinstance(first, datetime) and first.tzinfo is None
    return np.dtype("M8[us]") if is_time else None


def _number(value, name, label):
    """A value, or a ValueError that names the label of a value that is no number."""
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} has {value!r} for {label!r}; give a number") from error
    return number if isinstance(value, str) else value


def _has(given, attribute):
    """Whether an object has an index or columns; `list.index` is a method."""
    return hasattr(given, "shape") and not callable(getattr(given, attribute, len))


def _texts(labels):
    """Labels as text; whole numbers with and without a point."""
    whole = [int(label) for label in labels if isinstance(label, float) and label.is_integer()]
    return {str(label) for label in [*labels, *whole]}


def _kinds(labels):
    """What labels are: text, numbers, points in time."""
    return {
        next((kind.__name__ for kind in (str, Number, date) if isinstance(label, kind)), "other")
        for label in (x.item() if isinstance(x, np.bool_) else x for x in labels)
    }


def _is_pair(key):
    return isinstance(key, tuple) and len(key) == 2


def _listed(index):
    return index.tolist() if hasattr(index, "tolist") else list(index)
