"""What balance predicted probabilities have, measured where the true labels are known.

Class weights, samplers, losses, resampling and calibration all move predicted probabilities away
from the class frequencies. What they do together is measured here, on samples that the classifier
did not train on. Costs that make up for the imbalance then count it once.
"""

import warnings

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, softmax
from sklearn.exceptions import ConvergenceWarning

from skimbal._utils._validation import in_safe_unit
from skimbal.metrics import normalize_costs

MAX_STEPS = 200
# Longest step of a log weight: far from the solution, Newton's steps are too long.
MAX_LOG_STEP = 4.0
# Largest error of a frequency, as a share of that of the rarest class, which counts as at least
# this.
TOLERANCE = 1e-8
MIN_FREQUENCY = 1e-4
# Rise of the convex function that may be due to rounding.
ROUNDING = 1e-13
UNSOLVED = (
    "The balance of the predicted probabilities can't be measured, because they are (almost) all 0 "
    "or 1. The costs of the class frequencies are used in its place. Classifiers whose "
    "probabilities have more values, such as an ensemble or a calibrated classifier, allow it."
)


def measured_weights(targets, proba, sample_weight=None) -> NDArray[np.float64]:
    r"""Weights that bring the mean of predicted probabilities to the class frequencies.

    .. math:: \frac{1}{n} \sum_i \frac{p_{ic} w_c}{\sum_k p_{ik} w_k} = \frac{n_c}{n}

    A model that is calibrated on these samples has w = 1. One that sees every class equally often
    has the class frequencies as weights. Probabilities are cut to [1 / 2n, 1 - 1 / 2n], because n
    samples say no more about a probability. One more sample for each class, with the class
    frequencies as its probabilities, pulls the weights of few samples a little toward 1.

    Parameters
    ----------
    targets : ndarray of shape (n_samples,)
        Index of the true class of each sample; every class occurs.
    proba : ndarray of shape (n_samples, n_classes)
        Predicted probabilities of a model that was not trained on these samples.
    sample_weight : ndarray of shape (n_samples,), default=None
        Weight of each sample, >= 0. Scaling all weights changes nothing.

    Returns
    -------
    ndarray of shape (n_classes,)
        Positive, with geometric mean 1. All are 1, with a warning, where the equation has no
        solution (`balance` returns None).

    References
    ----------
    M. Saerens, P. Latinne and C. Decaestecker 2002, Adjusting the Outputs of a Classifier to New a
    Priori Probabilities, Neural Computation 14(1), doi:10.1162/089976602753284446, equation 2.4.
    """
    if sample_weight is not None:
        kept = sample_weight > 0
        targets, proba, sample_weight = targets[kept], proba[kept], sample_weight[kept]
    share = sample_shares(len(targets), sample_weight)
    clipped = clip_proba(proba)
    frequency = np.bincount(targets, share, proba.shape[1])
    log_weights = None
    if not is_hard(clipped):
        log_proba, shares = with_pseudo_samples(np.log(clipped), share, frequency)
        log_weights = balance(log_proba, shares, frequency)
    if log_weights is not None:
        return normalize_costs(np.exp(log_weights))
    error = np.abs(share @ clipped - frequency).max()
    if error > 1.0 / len(targets):  # else the frequencies are right as they are
        warnings.warn(UNSOLVED, ConvergenceWarning, stacklevel=2)
    return np.ones(proba.shape[1])


def measured_costs(targets, proba, sample_weight=None) -> NDArray[np.float64]:
    """Costs that make up for what imbalance predicted probabilities have, with geometric mean 1.

    They are w_c / n_c with the `measured_weights` w. The costs of a calibrated model are those of
    the class frequencies; the costs of a balanced model are equal. No log ratio of two costs lies
    outside of the log-odds of all samples and of the class frequencies: out there, the adjusted
    odds of the two classes would differ from their frequencies in one direction for every sample.

    Parameters
    ----------
    targets, proba, sample_weight
        As for `measured_weights`.

    Returns
    -------
    ndarray of shape (n_classes,)
        Positive.

    References
    ----------
    M. Saerens, P. Latinne and C. Decaestecker 2002, Adjusting the Outputs of a Classifier to New a
    Priori Probabilities, Neural Computation 14(1), doi:10.1162/089976602753284446, equation 2.4.

    Examples
    --------
    >>> targets, proba = np.repeat([0, 1], [80, 20]), np.tile([0.8, 0.2], (100, 1))
    >>> measured_costs(targets, proba).round(1).tolist()  # calibrated, with classes of 4 : 1
    [0.5, 2.0]
    """
    weights = measured_weights(targets, proba, sample_weight)
    counts = np.bincount(targets, in_safe_unit(sample_weight), proba.shape[1])
    return normalize_costs(weights / counts)


def sample_shares(n_samples, sample_weight):
    """Share of each sample in the total weight."""
    if sample_weight is None:
        return np.full(n_samples, 1.0 / n_samples)
    relative = sample_weight / sample_weight.max()
    return relative / relative.sum()


def with_pseudo_samples(log_proba, share, frequency):
    """Add a sample for each class, all with the class frequencies as probabilities."""
    n_classes = len(frequency)
    pseudo = np.broadcast_to(np.log(frequency), (n_classes, n_classes))
    shares = np.append(share * len(share), np.ones(n_classes))
    return np.vstack([log_proba, pseudo]), shares / shares.sum()


def clip_proba(proba):
    """Probabilities, cut to what so many samples can tell apart."""
    smallest = 0.5 / len(proba)
    return (proba / proba.sum(axis=1, keepdims=True)).clip(smallest, 1.0 - smallest)


def is_hard(clipped):
    """Whether every sample has a probability that is cut at the top, as hard decisions have."""
    return bool((clipped.max(axis=1) >= 1.0 - 0.5 / len(clipped)).all())


def balance(log_proba, share, frequency):
    """Solve for the log weights that give the frequencies; None where that takes too many steps.

    They minimize the convex function sum_i s_i log sum_c p_ic w_c - sum_c f_c log w_c. Its minimum
    is found by Newton's method, with steps that are halved until the function falls. Equal changes
    of all log weights change nothing, so that the curvature is singular but for rounding. A
    constant added to it makes it regular, and leaves the other steps as they are.
    """
    tolerance = TOLERANCE * max(MIN_FREQUENCY, frequency.min())
    log_weights = np.zeros(len(frequency))
    value = convex_loss(log_weights, log_proba, share, frequency)
    for _ in range(MAX_STEPS):
        adjusted = softmax(log_proba + log_weights, axis=1)
        mean = share @ adjusted
        gradient = mean - frequency
        if np.abs(gradient).max() <= tolerance:
            return log_weights
        curvature = np.diag(mean) - (adjusted * share[:, None]).T @ adjusted
        step = np.linalg.lstsq(curvature + 1.0 / len(frequency), gradient)[0]
        step *= min(1.0, MAX_LOG_STEP / np.abs(step).max())
        trial = convex_loss(log_weights - step, log_proba, share, frequency)
        while trial > value + ROUNDING:
            step *= 0.5
            trial = convex_loss(log_weights - step, log_proba, share, frequency)
        log_weights, value = log_weights - step, trial
    return None


def convex_loss(log_weights, log_proba, share, frequency):
    """Return the function that `balance` minimizes."""
    return share @ logsumexp(log_proba + log_weights, axis=1) - frequency @ log_weights
