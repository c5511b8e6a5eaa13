"""Weights of the classes in a loss, from the class counts of the training data.

Named weights are scaled so that sum_c n_c w_c = n, the number of samples. The mean weight of a
sample is then 1, so the weights do not change the learning rate. Weights by label and arrays are
used as they are.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlogy

from skimbal._utils._labels import vector_by_label
from skimbal._utils._validation import unknown_name_message

# A class that has less of the weight of all samples is taken for absent: float64 loses it when it
# is added to the others.
NEGLIGIBLE = np.finfo(np.float64).eps


def scale_to_mean_one(class_weight, class_counts):
    """Scale weights so that the mean weight of a sample is 1: sum_c n_c w_c = n."""
    return class_weight * (class_counts.sum() / (class_counts @ class_weight))


def fill_absent(class_counts):
    """Class counts in which an absent class has the count of the rarest present class."""
    counts = np.asarray(class_counts, dtype=np.float64)
    return np.where(counts > 0, counts, counts[counts > 0].min())


def inverse_weights(size, class_counts):
    """Weights proportional to 1 / size, scaled to mean 1; 0 for an absent or negligible class."""
    is_present = class_counts > NEGLIGIBLE * class_counts.sum()
    smallest = size[is_present].min()
    weight = np.divide(smallest, size, out=np.zeros(len(size)), where=is_present)
    return scale_to_mean_one(weight, class_counts)


def balanced_weights(class_counts):
    """Inverse frequency, n / (C n_c) over the C classes present; 0 for an absent class."""
    return inverse_weights(class_counts, class_counts)


def effective_number(class_counts, beta):
    """Effective number of samples, (1 - beta^n_c) / (1 - beta) (Cui et al. 2019, eq. 2)."""
    return -np.expm1(xlogy(class_counts, beta)) / (1.0 - beta)  # exact for tiny counts, too


def effective_weights(class_counts, beta=0.999):
    """Inverse effective number of samples (Cui et al. 2019, doi:10.1109/CVPR.2019.00949, eq. 4)."""
    return inverse_weights(effective_number(class_counts, beta), class_counts)


NAMED_WEIGHTS = {"balanced": balanced_weights, "effective": effective_weights}


def class_weight_vector(
    class_weight: str | Mapping | ArrayLike | None,
    classes: NDArray,
    class_counts: ArrayLike | Mapping,
    name: str = "class_weight",
) -> NDArray[np.float64] | None:
    """Turn any of the five forms of `class_weight` into an array in the order of `classes`.

    Parameters
    ----------
    class_weight : None, "balanced", "effective", dict, Series or array-like of shape (n_classes,)
        A dict maps labels to weights, and a Series has labels as its index. A class that they do
        not name has weight 1. An array has the order of `classes`.
    classes : ndarray of shape (n_classes,)
        The labels, sorted.
    class_counts : array-like of shape (n_classes,), dict or Series
        Sample-weighted number of training samples of each class.
    name : str, default="class_weight"
        What errors and warnings call the weights.

    Returns
    -------
    ndarray of shape (n_classes,) or None
        The weights, or None without weights.

    Raises
    ------
    ValueError
        For an unknown name, a wrong length, the index of a Series that does not fit the classes,
        or weights that are negative, not finite or all zero.

    Warns
    -----
    UnknownLabelWarning
        For weights of labels that are not in `classes`, as in a fold that lacks a class.

    References
    ----------
    "balanced" is G. King and L. Zeng, "Logistic Regression in Rare Events Data", Political Analysis
    9(2), 2001, pp. 137-163, doi:10.1093/oxfordjournals.pan.a004868. "effective" is Y. Cui,
    M. Jia, T.-Y. Lin, Y. Song and S. Belongie, "Class-Balanced Loss Based on Effective Number of
    Samples", CVPR 2019, eqs. 2 and 4, doi:10.1109/CVPR.2019.00949.

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal.losses import class_weight_vector
    >>> class_weight_vector("balanced", np.array(["no", "yes"]), np.array([90.0, 10.0]))
    array([0.55555556, 5.        ])
    >>> class_weight_vector({"yes": 9}, np.array(["no", "yes"]), np.array([90.0, 10.0]))
    array([1., 9.])
    """
    if class_weight is None:
        return None
    if isinstance(class_weight, str):
        if class_weight not in NAMED_WEIGHTS:
            raise ValueError(unknown_name_message(name, class_weight, NAMED_WEIGHTS))
        class_counts = vector_by_label(class_counts, classes, "class_counts", None)
        return NAMED_WEIGHTS[class_weight](np.asarray(class_counts, dtype=np.float64))
    class_weight = vector_by_label(class_weight, classes, name)
    order = ", ".join(map(repr, classes.tolist()))
    return check_weights(name, class_weight, len(classes), order)


def check_weights(name, weights, n_classes, order="of classes_"):
    """Return the weights as a float64 array of shape (n_classes,), or raise a ValueError."""
    vector = np.asarray(weights, dtype=np.float64)
    if vector.shape != (n_classes,):
        raise ValueError(
            f"{name} has shape {vector.shape}, but there are {n_classes} classes; give one weight "
            f"for each, in the order {order}"
        )
    if not (np.isfinite(vector).all() and (vector >= 0).all() and vector.any()):
        raise ValueError(f"{name} {vector.tolist()} must be finite, non-negative and not all zero")
    return vector
