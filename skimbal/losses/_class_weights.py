"""Weights of the classes in a loss, from the class counts of the training data.

Named weights are scaled so that sum_c n_c w_c = n, the number of samples: the mean weight of a
sample is 1 and the scale of the weights never moves the learning rate. Dicts and arrays are used
as they are given.
"""

from collections.abc import Mapping

import numpy as np

from skimbal._utils._validation import unknown_name_message


def scale_to_mean_one(class_weight, class_counts):
    """Scale weights so that the weighted number of samples stays n: sum_c n_c w_c = n."""
    return class_weight * (class_counts.sum() / (class_counts @ class_weight))


def as_rare_as_the_rarest(class_counts):
    """Class counts in which an absent class has the count of the rarest class that is there."""
    counts = np.asarray(class_counts, dtype=np.float64)
    return np.where(counts > 0, counts, counts[counts > 0].min())


def balanced_weights(class_counts):
    """Inverse frequency, n / (C n_c) over the C classes present; 0 for an absent class."""
    present = class_counts > 0
    weight = np.zeros(len(class_counts))
    weight[present] = 1.0 / class_counts[present]
    return scale_to_mean_one(weight, class_counts)


def effective_number(class_counts, beta):
    """Effective number of samples, (1 - beta^n_c) / (1 - beta) (Cui et al. 2019, eq. 2)."""
    return (1.0 - beta**class_counts) / (1.0 - beta)


def effective_weights(class_counts, beta=0.999):
    """Inverse effective number of samples (Cui et al. 2019, doi:10.1109/CVPR.2019.00949, eq. 4)."""
    present = class_counts > 0
    weight = np.zeros(len(class_counts))
    weight[present] = 1.0 / effective_number(class_counts[present], beta)
    return scale_to_mean_one(weight, class_counts)


NAMED_WEIGHTS = {"balanced": balanced_weights, "effective": effective_weights}


def class_weight_vector(class_weight, classes, class_counts):
    """Turn any of the five forms of `class_weight` into an array in the order of `classes`.

    Parameters
    ----------
    class_weight : None, "balanced", "effective", dict or array-like of shape (n_classes,)
        A dict maps labels to weights; a label that it does not name weighs 1.
    classes : ndarray of shape (n_classes,)
        The labels, sorted.
    class_counts : ndarray of shape (n_classes,)
        Sample-weighted number of training samples of each class.

    Returns
    -------
    ndarray of shape (n_classes,) or None
        The weights; None when no weighting was asked for.

    Raises
    ------
    ValueError
        For an unknown name or label, a wrong length, or weights that are negative, not finite or
        all zero.

    Examples
    --------
    >>> import numpy as np
    >>> class_weight_vector("balanced", np.array(["no", "yes"]), np.array([90.0, 10.0]))
    array([0.55555556, 5.        ])
    >>> class_weight_vector({"yes": 9}, np.array(["no", "yes"]), np.array([90.0, 10.0]))
    array([1., 9.])
    """
    if class_weight is None:
        return None
    if isinstance(class_weight, str):
        if class_weight not in NAMED_WEIGHTS:
            raise ValueError(unknown_name_message("class_weight", class_weight, NAMED_WEIGHTS))
        return NAMED_WEIGHTS[class_weight](np.asarray(class_counts, dtype=np.float64))
    if isinstance(class_weight, Mapping):
        return _check_weights(_weights_by_label(class_weight, classes))
    vector = np.asarray(class_weight, dtype=np.float64)
    if vector.shape != (len(classes),):
        raise ValueError(
            f"class_weight has shape {vector.shape}, but there are {len(classes)} classes "
            f"{_listed(classes)}; give one weight for each, in this order, or a dict by label"
        )
    return _check_weights(vector)


def _weights_by_label(class_weight, classes):
    labels = classes.tolist()
    unknown_labels = [label for label in class_weight if label not in labels]
    if unknown_labels:
        raise ValueError(
            f"class_weight has weights for {unknown_labels}, which are no classes of y; "
            f"the classes are {_listed(classes)}"
        )
    return np.array([class_weight.get(label, 1.0) for label in labels], dtype=np.float64)


def _check_weights(weight):
    if not (np.isfinite(weight).all() and (weight >= 0).all() and weight.any()):
        raise ValueError(
            f"class_weight {weight.tolist()} must be finite, non-negative and not all zero"
        )
    return weight


def _listed(classes):
    return ", ".join(map(repr, classes.tolist()))
