"""Early stopping of the networks of an ensemble on the samples that are not in their bags."""

import numpy as np
from sklearn.utils.validation import _num_samples

from skimbal._utils._early_stopping import stops_early
from skimbal._utils._table_rows import rows_for
from skimbal._utils._warnings import warn
from skimbal.ensemble._out_of_bag import is_out_of_bag
from skimbal.neural_network import BaseNetClassifier


def stops_out_of_bag(estimator, X, params):
    """Whether samples out of the bag end the training of a network: not where `fit` is given some.

    Parameters
    ----------
    estimator : classifier
    X : array-like of shape (n_samples, ...)
        Inputs of the networks.
    params : dict
        Parameters of their `fit`.
    """
    if not isinstance(estimator, BaseNetClassifier) or params.get("X_val") is not None:
        return False
    is_table = len(getattr(X, "shape", ())) == 2
    return stops_early(estimator.early_stopping, _num_samples(X), is_table=is_table)


def stopping_params(members, bags, units, X, y, params):
    """Return for each network the parameters of `fit` that are its validation data.

    Parameters
    ----------
    members : list of network classifiers
    bags : list of ndarray of int
        The rows of each.
    units : ndarray of int of shape (n_samples,)
        The groups of the rows, numbers from 0; without groups, each row is one.
    X : array-like of shape (n_samples, ...)
        Inputs of the networks.
    y : ndarray of shape (n_samples,)
        Labels.
    params : dict
        Parameters of `fit`; samples that `sample_weight` gives 0 are left out.

    Returns
    -------
    list of dict
        Empty for a network whose bag leaves out no sample of some class of y. It holds out samples
        of its bag.
    """
    weight = params.get("sample_weight")
    has_weight = np.ones(len(y), dtype=bool) if weight is None else np.asarray(weight) > 0
    n_classes, given, n_without = len(np.unique(y[has_weight])), [], 0
    for member, is_out in zip(members, is_out_of_bag(bags, units), strict=True):
        rows = np.flatnonzero(is_out & has_weight)
        own = {}
        if len(np.unique(y[rows])) == n_classes:
            own = {"X_val": rows_for(member, X, rows), "y_val": y[rows]}
            if weight is not None:
                own["sample_weight_val"] = np.asarray(weight)[rows]
        n_without += not own
        given.append(own)
    if n_without:
        warn(
            f"{n_without} of {len(bags)} bags leave out no sample of some class, so their networks "
            "hold out samples of the bag to stop early; use replacement=True, a sampling_strategy "
            "that leaves some of each class out, or early_stopping=False"
        )
    return given
