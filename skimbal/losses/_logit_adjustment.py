"""Logit adjustment: the class prior, added in the loss or subtracted from the logits afterwards.

A network trained on softmax(z + log prior) has logits z without the prior, so its probabilities
are those for equally frequent classes (Ren et al. 2020, Menon et al. 2021).
"""

from collections.abc import Mapping
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils._param_validation import Interval

from skimbal._utils._labels import column_labels, sorted_by_label, vector_by_label
from skimbal.losses._base import BaseCheckedLoss, BoundLoss, Formula
from skimbal.losses._class_weights import fill_absent
from skimbal.losses._functional import shifted_cross_entropy
from skimbal.losses._registry import registered


def log_prior(class_counts):
    """Logarithm of the share of each class; an absent class has the share of the rarest one."""
    counts = fill_absent(class_counts)
    return np.log(counts / counts.sum())


def adjust_logits(
    logits: ArrayLike, class_counts: ArrayLike | Mapping, tau: float = 1.0
) -> NDArray[np.float64]:
    """Subtract the class prior from the logits of a network that was trained without adjustment.

    The result is z_c - tau log prior_c. Its largest entry is the class with the lowest balanced
    error (Menon et al. 2021, eq. 9). With tau = 1, it is the decision for costs that are inversely
    proportional to the class counts.

    Parameters
    ----------
    logits : array-like of shape (n_samples, n_classes)
        Logits or log-probabilities, such as those of ``predict_log_proba``.
    class_counts : array-like of shape (n_classes,), dict or Series
        Number of training samples of each class, positive. Counts by label go to the columns of a
        frame by name; of an array they take the columns in the order of the sorted labels.
    tau : float, default=1.0
        Strength, non-negative. 0 leaves the logits unchanged.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        Adjusted logits. If tau is 1, their softmax is the posterior for equally frequent classes.

    Raises
    ------
    ValueError
        If a class has no positive count, or tau is negative or not finite.

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
    columns = column_labels(logits)
    if columns is None:
        class_counts = sorted_by_label(class_counts, "class_counts")
    else:
        class_counts = vector_by_label(class_counts, columns, "class_counts", None, is_outer=True)
    logits = np.asarray(logits, dtype=np.float64)
    counts = np.asarray(class_counts, dtype=np.float64)
    is_fitting = logits.ndim == 2 and counts.shape == logits.shape[1:]
    if not (is_fitting and np.isfinite(counts).all() and (counts > 0).all()):
        raise ValueError(
            f"class_counts is {counts.tolist()} for logits of shape {logits.shape}; give logits "
            "(n_samples, n_classes) and one positive count for each class"
        )
    if not (np.isfinite(tau) and tau >= 0):
        raise ValueError(
            f"tau must be finite and at least 0, got {tau!r}; 1 removes the whole prior"
        )
    return logits - tau * log_prior(counts)


@registered("logit_adjustment")
class LogitAdjustment(BaseCheckedLoss):
    """Cross entropy of the logits plus the log-prior of the classes.

    l = -log softmax(z + tau log prior)_y. The network learns logits z without the prior. If tau is
    1, its ``predict_proba``, softmax(z), is the posterior for equally frequent classes.

    Parameters
    ----------
    tau : float, default=1
        Strength, non-negative. 0 is cross entropy, 1 is balanced softmax.

    See Also
    --------
    adjust_logits : The adjustment after training with another loss.

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

    def __init__(self, tau: float = 1) -> None:
        self.tau = tau

    @property
    def prior_exponent(self) -> float:
        """Power of the class counts in the class frequencies that the network predicts for."""
        return 1.0 - self.tau

    def _bind(self, class_counts, class_weight, cost_matrix):
        shift = self.tau * log_prior(class_counts)
        return BoundLoss(Formula(shifted_cross_entropy, shift=shift), class_weight)


@registered("balanced_softmax")
class BalancedSoftmax(BaseCheckedLoss):
    """Cross entropy of a softmax in which each class is multiplied by its number of samples.

    l = -log(n_y exp(z_y) / sum_c n_c exp(z_c)), which is logit adjustment with tau = 1. Then
    ``predict_proba``, softmax(z), is the posterior for equally frequent classes.

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
    prior_exponent = 0.0

    def _bind(self, class_counts, class_weight, cost_matrix):
        shift = log_prior(class_counts)
        return BoundLoss(Formula(shifted_cross_entropy, shift=shift), class_weight)
