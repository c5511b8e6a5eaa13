r"""Probabilities from the decision values of an extreme learning machine.

.. math:: p_c(x) = \frac{\exp(s f_c(x))}{\sum_k \exp(s f_k(x))}

The slope s is fitted on leave-one-out decision values by maximum likelihood (temperature scaling:
Guo, Pleiss, Sun & Weinberger 2017, ICML). There is no offset, so the largest probability belongs to
the largest decision value, by which the machine decides without costs. An offset for balanced
classes would leave the decisions by found costs as they are, and change those without costs.
Two classes have one decision value f, and p = sigmoid(s f).
"""

import numpy as np
from scipy.optimize import brentq
from scipy.special import log_softmax, softmax

MIN_SLOPE, MAX_SLOPE = 1e-2, 1e3


def class_scores(decision):
    """Decision values of shape (n, 1) or (n, n_classes) as scores of each class."""
    return decision * [-0.5, 0.5] if decision.shape[1] == 1 else decision


def smoothed_labels(class_sums):
    """Labels that leave a share 1 / (n_c + 2) of a class c to the other classes, one row a class.

    Platt's targets for two classes (Platt 1999; n_c + 1 of n_c + 2), which keep the slope finite
    where the classes are separated.
    """
    counts = class_sums.sum(axis=0)
    share = 1.0 / (counts + 2.0)
    n_classes = len(counts)
    labels = np.repeat((share / (n_classes - 1))[:, None], n_classes, axis=1)
    np.fill_diagonal(labels, 1.0 - share)
    return labels


def fit_slope(decision, class_sums, class_weight):
    """Return the slope with the largest weighted likelihood.

    Parameters
    ----------
    decision : ndarray of shape (n, 1) or (n, n_classes)
        Leave-one-out decision values.
    class_sums : ndarray of shape (n, n_classes)
        Sample weight of each class in a row.
    class_weight : ndarray of shape (n_classes,)
        The weights of the training.

    Returns
    -------
    float
        Between 0.01 and 1000.
    """
    scores = class_scores(decision)
    mass = (class_sums * class_weight) @ smoothed_labels(class_sums)
    total, wanted = mass.sum(axis=1), (mass * scores).sum()

    def derivative(slope):
        """Of the negative log-likelihood; it increases with the slope."""
        expected = (softmax(slope * scores, axis=1) * scores).sum(axis=1)
        return total @ expected - wanted

    if derivative(MIN_SLOPE) >= 0:
        return MIN_SLOPE
    if derivative(MAX_SLOPE) <= 0:
        return MAX_SLOPE
    return float(brentq(derivative, MIN_SLOPE, MAX_SLOPE, xtol=1e-10))


def posteriors(decision, slope):
    """Probabilities of shape (n, n_classes)."""
    return softmax(slope * class_scores(decision), axis=1)


def log_posteriors(decision, slope):
    """Logarithms of `posteriors`."""
    return log_softmax(slope * class_scores(decision), axis=1)
