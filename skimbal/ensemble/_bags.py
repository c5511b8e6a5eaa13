"""Bags: bootstraps whose classes have the sizes of an under-sampling strategy."""

import numpy as np
from imblearn.utils import check_sampling_strategy

from skimbal._utils._labels import carries_labels, vector_by_label

MAX_DRAWS = 100


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
    sizes = dict(zip(keys_of(labels), counts.tolist(), strict=True))
    if sampling_strategy is None:
        return sizes
    if carries_labels(sampling_strategy):
        given = vector_by_label(sampling_strategy, labels, "sampling_strategy", -np.inf)
        wanted = {label: float(n) for label, n in zip(sizes, given, strict=True) if n != -np.inf}
        if not all(n.is_integer() for n in wanted.values()):
            raise ValueError(
                f"sampling_strategy has {wanted} rows of the classes; give whole numbers"
            )
        sampling_strategy = {label: int(n) for label, n in wanted.items()}
    wanted = check_sampling_strategy(sampling_strategy, y, "under-sampling")
    sizes = {label: int(wanted.get(label, size)) for label, size in sizes.items()}
    if min(sizes.values()) < 1:
        raise ValueError(
            f"with sampling_strategy={sampling_strategy!r} a bag has {sizes} rows of the classes; "
            "each class needs at least 1"
        )
    return sizes


def keys_of(labels):
    """Labels as keys of a dict; dates stay NumPy's, because `tolist` makes numbers of them."""
    return list(labels) if labels.dtype.kind in "mM" else labels.tolist()


def rows_by_class(y, sample_weight):
    """Return the rows with a positive weight, as a dict label -> ndarray of int."""
    used = np.arange(len(y)) if sample_weight is None else np.flatnonzero(sample_weight)
    return {label: used[y[used] == label] for label in keys_of(np.unique(y[used]))}


def group_strata(y, groups):
    """Return the groups that are drawn from together, a list of ndarray of int.

    A group belongs to the rarest of its classes, counted in groups, so that a bag that draws from
    each of these sets has groups of every class.
    """
    n_groups = {label: len(np.unique(groups[y == label])) for label in keys_of(np.unique(y))}
    by_rarity = sorted(n_groups, key=n_groups.__getitem__)
    strata, taken = [], np.empty(0, dtype=int)
    for label in by_rarity:
        own = np.setdiff1d(groups[y == label], taken)
        if len(own):
            strata.append(own)
            taken = np.union1d(taken, own)
    return strata


def draw_group_bag(rows, sizes, groups, strata, *, replacement, rng):
    """Draw the rows of a bag from groups that are drawn, so that other groups are out of it.

    Parameters
    ----------
    rows : dict label -> ndarray of int
        The rows of each class.
    sizes : dict label -> int
        How many of them a bag has.
    groups : ndarray of int of shape (n_samples,)
        The group of each row.
    strata : list of ndarray of int
        As `group_strata` returns them. With replacement as many groups are drawn from each as it
        has, and then rows of these groups; without, groups are taken in a random order until the
        bag is full.
    replacement : bool
        Whether a group can be drawn more than once.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of int
        Rows of every class.
    """
    for _ in range(MAX_DRAWS):
        drawn = np.concatenate([rng.choice(own, len(own), replace=replacement) for own in strata])
        drawn = rng.permutation(drawn)
        pools = [_rows_of_groups(rows[label], groups, drawn) for label in sizes]
        if all(map(len, pools)):
            break
    else:
        raise ValueError(
            f"{MAX_DRAWS} draws of groups had no group of some class; give more groups of each "
            "class, or use replacement=False"
        )
    bag = []
    for pool, size in zip(pools, sizes.values(), strict=True):
        if not replacement or len(pool) == size:
            bag.append(pool[:size])
        elif len(pool) > size:
            bag.append(rng.choice(pool, size, replace=False))
        else:
            bag.append(np.concatenate([pool, rng.choice(pool, size - len(pool))]))
    return np.concatenate(bag)


def _rows_of_groups(rows, groups, drawn):
    """Return the rows of groups in the order in which the groups are drawn."""
    order = np.argsort(groups[rows], kind="stable")
    names = groups[rows][order]
    first = np.searchsorted(names, drawn, side="left")
    last = np.searchsorted(names, drawn, side="right")
    parts = [order[start:stop] for start, stop in zip(first, last, strict=True)]
    return rows[np.concatenate(parts)]


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


def draw_two_units(draw, rows, units, *, rng):
    """Draw bags until one has two units of every class that has two, and return it.

    Classifiers that split their samples need them. `units` are the groups of all rows, or the
    numbers of the rows.
    """
    wanted = [own for own in rows.values() if len(np.unique(units[own])) > 1]
    for _ in range(MAX_DRAWS):
        bag = draw(rng=rng)
        if all(len(np.unique(units[np.intersect1d(own, bag)])) > 1 for own in wanted):
            break
    return bag
