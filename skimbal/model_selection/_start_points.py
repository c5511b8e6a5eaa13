"""Start points of a search: what `x0` stands for, in a space that is widened to hold it."""

import numpy as np

from skimbal._utils._labels import as_mapping
from skimbal._utils._validation import unknown_name_message
from skimbal._utils._warnings import warn
from skimbal.model_selection._label_parameters import (
    CostMatrix,
    entries_by_holder,
    labels_and_counts,
    pair_name,
)


def start_points(x0, space, estimator, y):
    """Points of the unit cube to begin with, and the space with bounds that hold them.

    Parameters
    ----------
    x0 : "conventional", dict, list of dict or None
        As in the searches; values that a dict does not name are the estimator's own.
    space : SearchSpace
        The space; it is not changed.
    estimator : estimator
        With `ClassWeights` and `CostMatrix` where the space needs them.
    y : array-like of shape (n_samples,) or None
        Labels, from which the conventional weights are computed.

    Returns
    -------
    space : SearchSpace
        With wider bounds where a start point needs them; each such bound gets a warning.
    points : ndarray of shape (n_points, n_dims)
    """
    starts = _complete_starts(x0, space, estimator, y)
    for start in starts:
        space, names = space.widened(start)
        for name in names:
            dimension = space.dimensions[name]
            warn(
                f"the start value {name}={start[name]!r} is outside its search space, which is "
                f"widened to ({dimension.low}, {dimension.high})"
            )
    points = [space.from_params(start) for start in starts]
    return space, np.array(points).reshape(-1, space.n_dims)


def _complete_starts(x0, space, estimator, y):
    """The start points as dicts of all parameters of the space."""
    if x0 is None:
        return []
    defaults = own_values(space, estimator)
    if isinstance(x0, str):
        return [defaults | conventional_values(space.names, estimator, y)]
    starts = [x0] if isinstance(x0, dict) else x0
    for start in starts:
        if not isinstance(start, dict):
            raise ValueError(f"x0 has the point {start!r}; a point must be a dict name -> value")
        for name in set(start) - set(space.names):
            raise ValueError(unknown_name_message("parameter of x0", name, space.names))
    return [
        defaults | {name: as_mapping(value, name) for name, value in start.items()}
        for start in starts
    ]


def own_values(space, estimator):
    """The estimator's own values; the middle of a dimension that can't hold the own one."""
    values = space.to_params(np.full(space.n_dims, 0.5))
    own = estimator.get_params(deep=True)
    for name, dimension in space.dimensions.items():
        value = own.get(name)
        if name in own and (dimension.holds(value) or dimension.widened(value) is not None):
            values[name] = value
    return values


def conventional_values(names, estimator, y):
    """Inverse-frequency values for those of the names that are weights or costs of labels.

    The weight of a label is n_ref / n_label. The reference is the most frequent label that is not
    searched, whose weight is 1; if all labels are searched, it is the most frequent one.
    """
    params = estimator.get_params(deep=True)
    values = {}
    for holder, entries in entries_by_holder(names, params).items():
        labels, counts = labels_and_counts(y)
        indices = {
            entry: i
            for entry in entries
            for i, label in enumerate(labels)
            if entry in _entries_of(label, labels, params[holder])
        }
        unsearched = np.delete(counts, list(set(indices.values())))
        n_ref = (unsearched if unsearched.size else counts).max()
        values.update(
            {f"{holder}__{entry}": float(n_ref / counts[i]) for entry, i in indices.items()}
        )
    return values


def _entries_of(label, labels, holder):
    """Names of the weight of a label, or of the costs of errors on it."""
    if isinstance(holder, CostMatrix):
        return [pair_name(label, predicted) for predicted in labels]
    return [str(label)]
