"""Bags: bootstraps whose classes have the sizes of an under-sampling strategy."""

import numpy as np
from imblearn.utils import check_sampling_strategy

from skimbal._utils._labels import carries_labels, vector_by_label


def bag_sizes(y, sampling_strategy):
    """Return the number of rows of each class in a bag.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Labels.
    sampling_strategy : float, str, dict, Series, callable or None
        As in imbalanced-learn's under-sampling; None keeps the size of every class.

    Returns
    -------
    dict label -> int
        In the order of the sorted labels.

    Examples
    --------
    >>> import numpy as np
    >>> y = np.repeat(["usual", "rare"], [90, 10])
    >>> bag_sizes(y, "auto")
    {'rare': 10, 'usual': 10}
    >>> bag_sizes(y, 0.5)
    {'rare': 10, 'usual': 20}
    >>> bag_sizes(y, None)
    {'rare': 10, 'usual': 90}
    """
    labels, counts = np.unique(y, return_counts=True)
    sizes = dict(zip(labels.tolist(), counts.tolist(), strict=True))
    if sampling_strategy is None:
        return sizes
    if carries_labels(sampling_strategy):
        given = vector_by_label(sampling_strategy, labels, "sampling_strategy", np.nan)
        sampling_strategy = {
            label: int(size) for label, size in zip(sizes, given, strict=True) if size == size
        }
    wanted = check_sampling_strategy(sampling_strategy, y, "under-sampling")
    sizes = {label: int(wanted.get(label, size)) for label, size in sizes.items()}
    if min(sizes.values()) < 1:
        raise ValueError(
            f"with sampling_strategy={sampling_strategy!r} a bag has {sizes} rows of the classes; "
            "each class needs at least 1"
        )
    return sizes


def rows_by_class(y, sample_weight):
    """Return the rows with a positive weight, as a dict label -> ndarray of int."""
    used = np.arange(len(y)) if sample_weight is None else np.flatnonzero(sample_weight)
    return {label: used[y[used] == label] for label in np.unique(y[used]).tolist()}


def draw_bag(rows, sizes, *, replacement, rng):
    """Draw the rows of a bag, class by class.

    Parameters
    ----------
    rows : dict label -> ndarray of int
        The rows of each class.
    sizes : dict label -> int
        How many of them a bag has.
    replacement : bool
        Whether a row can be drawn more than once.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of int
    """
    drawn = [rng.choice(rows[label], size, replace=replacement) for label, size in sizes.items()]
    return np.concatenate(drawn)
