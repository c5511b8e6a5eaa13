"""What the networks of an ensemble say about the samples that are not in their bags."""

import numpy as np
from sklearn.utils import _safe_indexing

from skimbal._training.inputs import slices_of
from skimbal._utils._table_rows import TableRows, is_shared
from skimbal.neural_network import class_probabilities


def is_out_of_bag(bags, units):
    """Whether a row has nothing of its group in a bag, an array of shape (n_bags, n_samples).

    `units` are the groups of the rows, numbers from 0; without groups, each row is one.
    """
    is_out = np.ones((len(bags), units.max() + 1), dtype=bool)
    for row, bag in zip(is_out, bags, strict=True):
        row[units[bag]] = False
    return is_out[:, units]


def check_out_of_bag(bags, units, rows):
    """Raise a ValueError where some class has no sample that is out of some bag.

    `rows` are the rows of each class that have a weight, a dict label -> ndarray of int.
    """
    is_judged = is_out_of_bag(bags, units).any(axis=0)
    missing = [label for label, own in rows.items() if not is_judged[own].any()]
    if missing:
        raise ValueError(
            f"all samples, or groups, of the classes {missing} are in every bag, so they have no "
            "out-of-bag probabilities; use replacement=True, a sampling_strategy that leaves some "
            "of them out, more n_estimators or more groups, or oob_score=False and tune_costs=False"
        )


def probabilities_of_rows(network, X, rows, classes, encode=None):
    """Return the probabilities of some rows; those of a large table are copied part by part."""
    if encode is None and not is_shared(network, X):
        return class_probabilities(network, _safe_indexing(X, rows), classes)
    own = TableRows(X, rows)
    probabilities = []
    for i in slices_of(own):
        part = own[i].toarray()
        inputs = part if encode is None else encode(part)
        probabilities.append(class_probabilities(network, inputs, classes))
    return np.concatenate(probabilities)


def out_of_bag_probabilities(networks, bags, units, X, classes, encode=None):
    """Return the mean probabilities of the networks whose bags a sample is not in.

    Parameters
    ----------
    networks : list of fitted classifiers
    bags : list of ndarray of int
        The rows that each was trained on.
    units : ndarray of int of shape (n_samples,)
        The groups of the rows, numbers from 0; without groups, each row is one.
    X : array-like of shape (n_samples, ...)
        Inputs of the networks.
    classes : ndarray of shape (n_classes,)
        The sorted labels.
    encode : callable, default=None
        Makes inputs of the networks of rows of X, an array. None if X has such inputs.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        A row of NaN for a sample that is in every bag.
    """
    total = np.zeros((len(units), len(classes)))
    is_out = is_out_of_bag(bags, units)
    for network, rows in zip(networks, is_out, strict=True):
        if rows.any():
            own = np.flatnonzero(rows)
            total[rows] += probabilities_of_rows(network, X, own, classes, encode)
    n_networks = is_out.sum(axis=0)[:, None]
    return np.where(n_networks > 0, total / np.maximum(n_networks, 1), np.nan)
