"""Logit adjustment: the classes' prior in the loss, or taken from a finished network's logits.

A network that is trained on softmax(z + log prior) has logits z free of the prior: its
posteriors are those for classes that are equally frequent (Ren et al. 2020, Menon et al. 2021).
"""

from numbers import Real

import numpy as np
from sklearn.utils._param_validation import Interval

from skimbal.losses._base import BaseLoss, BoundLoss, Formula
from skimbal.losses._class_weights import as_rare_as_the_rarest
from skimbal.losses._functional import shifted_cross_entropy
from skimbal.losses._registry import registered


def log_prior(class_counts):
    """Logarithm of the share of each class; an absent one counts as the rarest there is."""
    counts = as_rare_as_the_rarest(class_counts)
    return np.log(counts / counts.sum())


def adjust_logits(logits, class_counts, tau=1.0):
    """Take the classes' prior from the logits of a network that was trained without adjustment.

    z_c - tau log prior_c; the class of the largest one is the decision of least balanced error
    (Menon et al. 2021, eq. 9). With tau = 1 it is the decision by costs that are inversely
    proportional to the class counts.

    Parameters
    ----------
    logits : array-like of shape (n_samples, n_classes)
        Logits or log-posteriors, such as those of ``predict_log_proba``.
    class_counts : array-like of shape (n_classes,)
        Number of training samples of each class, positive.
    tau : float, default=1.0
        Strength, non-negative. 0 leaves the logits as they are.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        Adjusted logits. Their softmax is the posterior for equally frequent classes if tau is 1.

    Raises
    ------
    ValueError
        For counts that are not one positive number for each class, or a tau that is negative or
        not finite.

    References
    ----------
    A. K. Menon et al., "Long-tail learning via logit adjustment", ICLR 2021, eq. 9.
    arXiv:2007.07314.

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal.losses import adjust_logits
    >>> proba = np.array([[0.95, 0.05], [0.8, 0.2]])
    >>> adjust_logits(np.log(proba), [90, 10]).argmax(axis=1)
    array([0, 1])
    """
    logits = np.asarray(logits, dtype=np.float64)
    counts = np.asarray(class_counts, dtype=np.float64)
    is_fitting = logits.ndim == 2 and counts.shape == logits.shape[1:]
    if not (is_fitting and np.isfinite(counts).all() and (counts > 0).all()):
        raise ValueError(
            f"class_counts is {counts.tolist()} for logits of shape {logits.shape}; give logits "
            "(n_samples, n_classes) and one positive count for each class"
        )
    if not (np.isfinite(tau) and tau >= 0):
        raise ValueError(f"tau must be finite and at least 0, got {tau!r}; 1 takes the whole prior")
    return logits - tau * log_prior(counts)


@registered("logit_adjustment")
class LogitAdjustment(BaseLoss):
    """Cross entropy of logits to which the classes' log-prior was added.

    l = -log softmax(z + tau log prior)_y. The network learns logits z without the prior, and its
    ``predict_proba``, softmax(z), is the posterior for equally frequent classes where tau is 1.

    Parameters
    ----------
    tau : float, default=1
        Strength, non-negative. 0: cross entropy; 1: balanced softmax.

    See Also
    --------
    adjust_logits : The same after a training without it.

    References
    ----------
    A. K. Menon, S. Jayasumana, A. S. Rawat, H. Jain, A. Veit and S. Kumar, "Long-tail learning
    via logit adjustment", ICLR 2021, eq. 10. arXiv:2007.07314.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from skimbal.losses import LogitAdjustment
    >>> bound = LogitAdjustment(tau=1).bind(np.array([3.0, 1.0]))
    >>> bound(torch.zeros(1, 2), torch.tensor([1]))  # log(4)
    tensor(1.3863)
    """

    needs_counts = True

    _parameter_constraints: dict = {"tau": [Interval(Real, 0, None, closed="left")]}

    def __init__(self, tau=1):
        self.tau = tau

    def bind(self, class_counts, *, class_weight=None, cost_matrix=None):
        """Return the loss with the given class weights as a torch module."""
        self._check_binding(class_weight)
        shift = self.tau * log_prior(class_counts)
        return BoundLoss(Formula(shifted_cross_entropy, shift=shift), class_weight)


@registered("balanced_softmax")
class BalancedSoftmax(BaseLoss):
    """Cross entropy of a softmax in which each class counts by its number of samples.

    l = -log(n_y exp(z_y) / sum_c n_c exp(z_c)): logit adjustment with tau = 1. ``predict_proba``,
    softmax(z), is the posterior for equally frequent classes.

    References
    ----------
    J. Ren et al., "Balanced Meta-Softmax for Long-Tailed Visual Recognition", NeurIPS 2020,
    sec. 3. arXiv:2007.10740.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from skimbal.losses import BalancedSoftmax
    >>> bound = BalancedSoftmax().bind(np.array([3.0, 1.0]))
    >>> bound(torch.zeros(1, 2), torch.tensor([1]))  # log(4)
    tensor(1.3863)
    """

    needs_counts = True

    def bind(self, class_counts, *, class_weight=None, cost_matrix=None):
        """Return the loss with the given class weights as a torch module."""
        self._check_binding(class_weight)
        shift = log_prior(class_counts)
        return BoundLoss(Formula(shifted_cross_entropy, shift=shift), class_weight)
