"""Losses of samples as pure formulas: logits (n, n_classes) and targets (n,) to losses (n,).

Everything is computed from log-probabilities, so that logits of any size give finite gradients.
Hyper-parameters may be numbers or tensors without axes.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def target_mask(logits, target):
    """Mask (n, n_classes) that is true at the true class of each sample."""
    return target[:, None] == torch.arange(logits.shape[1], device=target.device)


def take_target(values, target):
    """Take the entry of the true class of each sample from values (n, n_classes)."""
    return values.gather(1, target[:, None])[:, 0]


def cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Negative log-probability of the true class, -log softmax(z)_y.

    Parameters
    ----------
    logits : tensor of shape (n, n_classes)
        Logits z.
    target : tensor of shape (n,)
        Index y of the true class of each sample.

    Returns
    -------
    tensor of shape (n,)
        The loss of each sample.

    Examples
    --------
    >>> import torch
    >>> from skimbal.losses import cross_entropy
    >>> cross_entropy(torch.zeros(1, 2), torch.tensor([0]))  # log(2)
    tensor([0.6931])
    """
    return F.cross_entropy(logits, target, reduction="none")


def log_complement(log_proba, mask):
    """log(1 - p) of the one class of each sample that `mask` (n, n_classes) marks.

    It is the log of the sum over the other classes, which is exact for p near 1.
    """
    return log_proba.masked_fill(mask, -torch.inf).logsumexp(dim=1)


def log_complements(log_proba):
    """log(1 - p_j) of every class j.

    Only the most probable class of a sample can have a probability near 1. For the others, log p
    is below log(1/2), where log1p is exact.
    """
    is_top = target_mask(log_proba, log_proba.argmax(dim=1))
    others = torch.log1p(-log_proba.exp().masked_fill(is_top, 0.0))
    return torch.where(is_top, log_complement(log_proba, is_top)[:, None], others)


def focal(logits, target, gamma):
    """Focal loss -(1 - p_y)^gamma log p_y (Lin et al. 2017, eq. 4)."""
    log_proba = logits.log_softmax(dim=1)
    log_one_minus_p = log_complement(log_proba, target_mask(logits, target))
    return -(gamma * log_one_minus_p).exp() * take_target(log_proba, target)


def margin_cross_entropy(logits, target, margin):
    """Cross entropy after margin_y was subtracted from the logit of the true class y.

    With logits scale * cos and margins scale * m_y it is LDAM (Cao et al. 2019, sec. 3).
    """
    return cross_entropy(logits - margin * target_mask(logits, target), target)


def shifted_cross_entropy(logits, target, shift):
    """Cross entropy of logits plus one number per class (Menon et al. 2021, eq. 10)."""
    return cross_entropy(logits + shift, target)


def asymmetric(logits, target, gamma_positive, gamma_negative, margin):
    """Asymmetric loss (Ridnik et al. 2021, eqs. 4-7), one class against the rest for each class.

    The true class adds -(1 - p_y)^gamma_positive log p_y, each other class
    -q^gamma_negative log(1 - q) with q = max(p_j - margin, 0).
    """
    log_proba = logits.log_softmax(dim=1)
    excess = log_proba.exp() - margin
    is_counted = (excess > 0) & ~target_mask(logits, target)
    q = torch.where(is_counted, excess, 1.0)  # powers below 1 have no finite slope at 0
    # 1 - q = (1 - p) + margin, in logarithms
    margin = torch.as_tensor(margin, dtype=logits.dtype, device=logits.device)
    log_one_minus_q = torch.logaddexp(log_complements(log_proba), margin.log())
    negative_terms = torch.where(is_counted, q**gamma_negative * log_one_minus_q, 0.0)
    return focal(logits, target, gamma_positive) - negative_terms.sum(dim=1)


def expected_cost(logits, target, cost):
    """Cost of a decision drawn from the predicted probabilities, sum_j C[y, j] p_j."""
    return (cost[target] * logits.softmax(dim=1)).sum(dim=1)
