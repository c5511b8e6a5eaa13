"""Losses of samples as pure formulas: logits (n, n_classes) and targets (n,) to losses (n,).

Everything is computed from log-posteriors, so that logits of any size give finite gradients.
Hyper-parameters may be numbers or tensors without axes.
"""

import torch
import torch.nn.functional as F


def is_target(logits, target):
    """Mask (n, n_classes) of the true class of each sample."""
    return target[:, None] == torch.arange(logits.shape[1], device=target.device)


def of_target(values, target):
    """Pick the true class of each sample out of values (n, n_classes)."""
    return values.gather(1, target[:, None])[:, 0]


def cross_entropy(logits, target):
    """Negative log-posterior of the true class, -log softmax(z)_y."""
    return F.cross_entropy(logits, target, reduction="none")


def log_of_the_rest(log_proba, is_excluded):
    """Logarithm of 1 - p of one class a sample, summed from the other classes: exact near p = 1."""
    return log_proba.masked_fill(is_excluded, -torch.inf).logsumexp(dim=1)


def focal(logits, target, gamma):
    """Focal loss -(1 - p_y)^gamma log p_y (Lin et al. 2017, eq. 4)."""
    log_proba = logits.log_softmax(dim=1)
    log_rest = log_of_the_rest(log_proba, is_target(logits, target))
    return -(gamma * log_rest).exp() * of_target(log_proba, target)


def margin_cross_entropy(logits, target, margin):
    """Cross entropy after the logit of the true class y was lowered by margin_y.

    With logits scale * cos and margins scale * m_y it is LDAM (Cao et al. 2019, sec. 3).
    """
    return cross_entropy(logits - margin * is_target(logits, target), target)


def shifted_cross_entropy(logits, target, shift):
    """Cross entropy of logits that are raised by a number per class (Menon et al. 2021, eq. 10)."""
    return cross_entropy(logits + shift, target)


def log_of_the_rest_per_class(log_proba):
    """log(1 - p_j) of every class j.

    Only the likeliest class of a sample can have a posterior near 1; the others are above
    log(1/2), where log1p is exact.
    """
    is_top = is_target(log_proba, log_proba.argmax(dim=1))
    others = torch.log1p(-log_proba.exp().masked_fill(is_top, 0.0))
    return torch.where(is_top, log_of_the_rest(log_proba, is_top)[:, None], others)


def asymmetric(logits, target, gamma_positive, gamma_negative, margin):
    """Asymmetric loss (Ridnik et al. 2021, eqs. 4-7), one class against the rest for each class.

    The true class adds -(1 - p_y)^gamma_positive log p_y, each other class
    -q^gamma_negative log(1 - q) with q = max(p_j - margin, 0).
    """
    log_proba = logits.log_softmax(dim=1)
    excess = log_proba.exp() - margin
    counts = (excess > 0) & ~is_target(logits, target)
    safe = torch.where(counts, excess, 1.0)  # powers below 1 have no finite slope at 0
    # 1 - q = (1 - p) + margin, in logarithms
    margin = torch.as_tensor(margin, dtype=logits.dtype, device=logits.device)
    log_rest = torch.logaddexp(log_of_the_rest_per_class(log_proba), margin.log())
    of_others = torch.where(counts, safe**gamma_negative * log_rest, 0.0)
    return focal(logits, target, gamma_positive) - of_others.sum(dim=1)


def expected_cost(logits, target, cost):
    """Cost of a decision that is drawn by the posteriors, sum_j C[y, j] p_j."""
    return (cost[target] * logits.softmax(dim=1)).sum(dim=1)
