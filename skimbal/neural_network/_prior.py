"""Class frequencies that a network predicts for: those of the data, moved by what balances it.

A network that is trained by cross entropy estimates the posteriors for the class frequencies that
the training has seen: counts times class weights, or the shares of a mini-batch sampler times class
weights. A logit adjustment divides them by a power of the counts.
"""

import numpy as np
from scipy.special import softmax

from skimbal._training.row_order import checked_share
from skimbal.losses import resolve_loss
from skimbal.sampling import resolve_batches


def unknown_prior(network) -> str | None:
    """What keeps the class frequencies that a network predicts for from being known, in words.

    Parameters
    ----------
    network : network classifier
        Fitted or not.

    Returns
    -------
    str or None
        None if they are known.

    Examples
    --------
    >>> from skimbal import MLPClassifier
    >>> from skimbal.neural_network import unknown_prior
    >>> unknown_prior(MLPClassifier(class_weight="balanced")) is None
    True
    >>> unknown_prior(MLPClassifier(loss="dice"))
    'loss=Dice() estimates no posteriors'
    """
    loss, sampler = resolve_loss(network.loss), resolve_batches(network.sampler)
    if loss.prior_exponent is None:
        return f"loss={loss!r} estimates no posteriors"
    if sampler is not None and sampler.needs_validation:
        return f"sampler={sampler!r} draws the classes by their scores on validation data"
    return None


def prior_in_training(network, counts, class_weight, epoch):
    r"""Class frequencies whose posteriors a network estimates, or None where they are not known.

    .. math:: \pi_c \propto w_c \, s_c \, n_c^{q - 1}

    with the class weights w, the counts n, what the training sees of the classes s (the counts, or
    the shares of the sampler) and the `prior_exponent` q of the loss.

    Parameters
    ----------
    network : network classifier
    counts : ndarray of shape (n_classes,)
        Sample-weighted; an absent class counts as the rarest present one.
    class_weight : ndarray of shape (n_classes,)
        The class weights of the epoch.
    epoch : int
        From 1 to `max_epochs`.

    Returns
    -------
    ndarray of shape (n_classes,) or None
        Adds up to 1.
    """
    exponent = resolve_loss(network.loss).prior_exponent
    if exponent is None or unknown_prior(network) is not None:
        return None
    counts = np.where(counts > 0, counts, counts[counts > 0].min())
    counts = counts / counts.max()
    seen, sampler = counts, resolve_batches(network.sampler)
    if sampler is not None:
        share = checked_share(sampler, counts, epoch, network.max_epochs)
        seen = counts if share is None else share
    with np.errstate(divide="ignore"):  # of a class with weight 0
        return softmax(np.log(class_weight) + np.log(seen) + (exponent - 1.0) * np.log(counts))


def class_weights_of(loss, n_classes):
    """The class weights of a bound loss, as they are in the last epoch."""
    weight = getattr(loss, "class_weight", None)
    return np.ones(n_classes) if weight is None else weight.cpu().double().numpy()


def check_probabilities_option(network, loss, classes):
    """Raise a ValueError if probabilities can't be corrected to the class frequencies of the data.

    `loss` is the bound loss of the network, or what has its class weights.
    """
    if network.probabilities == "training":
        return
    reason = unknown_prior(network)
    weightless = classes[class_weights_of(loss, len(classes)) == 0].tolist()
    if reason is None and weightless:
        reason = f"the classes {weightless} have weight 0"
    if reason is not None:
        raise ValueError(
            f"probabilities='data' can't be computed: {reason}. Use probabilities='training', "
            "cross entropy with class weights, or PriorCorrectedClassifier with a training_prior "
            "that you know"
        )


def data_over_training(counts, prior):
    """Logarithms of the class frequencies of the data, divided by those of the training."""
    counts = np.where(counts > 0, counts, counts[counts > 0].min())
    return np.log(counts / counts.sum()) - np.log(prior)


def log_prior_ratio(network):
    """What is added to the logits of a fitted network, (n_classes,) or 0: Bayes' rule for priors.

    It corrects the probabilities from the class frequencies of the training to those of the data
    (Saerens et al. 2002, equation 2.4), if the network is to give these.
    """
    if network.probabilities == "training":
        return 0.0
    check_probabilities_option(network, network.net_.criterion_, network.classes_)
    return data_over_training(network._class_counts, network.training_prior_)


def final_log_prior_ratio(network, counts, loss):
    """The same for a bound loss with the weights of its last epoch; None where nothing is added."""
    if network.probabilities == "training":
        return None
    weight = class_weights_of(loss, len(counts))
    prior = prior_in_training(network, counts, weight, network.max_epochs)
    return data_over_training(counts, prior)
