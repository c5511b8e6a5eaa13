"""Losses of whole batches as pure formulas: logits, targets and shares to a number.

`share` (n,) is the part of each sample in the batch: non-negative, with sum 1. Samples with share
0 and classes without samples change nothing. The formulas are sums over masks, whose shapes do not
depend on values, so that torch.func can batch them.
"""

import torch

from skimbal.losses._functional import target_mask


def class_shares(logits, target, share):
    """Shares (n, n_classes): that of each sample in the column of its class, and 0 elsewhere."""
    return share[:, None] * target_mask(logits, target)


def mean_over(values, mask):
    """Mean of the values (n_classes,) where `mask` is true; 0 if it is true nowhere."""
    return torch.where(mask, values, 0.0).sum() / mask.sum().clamp(min=1)


def safe_ratio(numerator, denominator):
    """Quotient, or 0 where the denominator is 0; NaN where it is NaN."""
    is_zero = denominator == 0
    return torch.where(is_zero, 0.0, numerator) / torch.where(is_zero, 1.0, denominator)


def dice(logits, target, share):
    """One minus the mean Dice coefficient of the classes present (Milletari et al. 2016, sec. 3).

    D_c = 2 sum_i s_i p_ic t_ic / (sum_i s_i p_ic^2 + sum_i s_i t_ic)
    """
    proba = logits.softmax(dim=1)
    truth = class_shares(logits, target, share)
    size = truth.sum(dim=0)
    total = (share[:, None] * proba.square()).sum(dim=0) + size
    return 1.0 - mean_over(safe_ratio(2.0 * (truth * proba).sum(dim=0), total), size > 0)


def generalized_dice(logits, target, share):
    """One minus the Dice coefficient of all classes, weighted by their inverse squared sizes.

    GD = 2 sum_c w_c sum_i s_i p_ic t_ic / sum_c w_c sum_i s_i (p_ic + t_ic), w_c = 1 / n_c^2 in the
    batch (Sudre et al. 2017, sec. 2). All w_c are multiplied by the square of the smallest n_c,
    because 1 / n_c^2 may be infinite in float32.
    """
    proba = logits.softmax(dim=1)
    truth = class_shares(logits, target, share)
    size = truth.sum(dim=0)
    smallest = torch.where(size > 0, size, torch.inf).min()
    weight = safe_ratio(smallest, size).square()
    overlap = (weight * (truth * proba).sum(dim=0)).sum()
    total = (weight * ((share[:, None] * proba).sum(dim=0) + size)).sum()
    return 1.0 - safe_ratio(2.0 * overlap, total)


def squared_error_per_class(logits, target, share):
    """Mean of 1/2 ||p - t||^2 over the samples of each class; 0 for a class without samples."""
    truth = class_shares(logits, target, share)
    error = 0.5 * (logits.softmax(dim=1) - target_mask(logits, target).to(logits)).square().sum(
        dim=1
    )
    return safe_ratio((truth * error[:, None]).sum(dim=0), truth.sum(dim=0))


def mean_false_error(logits, target, share):
    """Sum over the classes of their mean error (Wang et al. 2016, MFE)."""
    return squared_error_per_class(logits, target, share).sum()


def mean_squared_false_error(logits, target, share):
    """Sum over the classes of the square of their mean error (Wang et al. 2016, MSFE)."""
    return squared_error_per_class(logits, target, share).square().sum()


def soft_g_mean(logits, target, share):
    """Minus the logarithm of the geometric mean of the soft recalls.

    r_c = mean of p_ic over the samples of class c; -(1/C) sum_c log r_c over the classes present.
    """
    truth = class_shares(logits, target, share)
    size = truth.sum(dim=0)
    is_member = truth > 0
    within_class = torch.where(is_member, truth / torch.where(size > 0, size, 1.0), 1.0)
    log_parts = (logits.log_softmax(dim=1) + within_class.log()).masked_fill(~is_member, -torch.inf)
    log_recall = torch.where(size > 0, log_parts, 0.0).logsumexp(dim=0)
    return -mean_over(log_recall, size > 0)


def auc_margin(logits, target, share, margin):
    """Min-max margin loss of the AUC of each class against the rest (Yuan et al. 2021).

    The mean of Var_pos + Var_neg + max(0, margin + b - a)^2 over the classes with samples on both
    sides. Here a is the mean probability over the samples of a class, and b that over the others.
    The inner problems of the paper are solved for the batch.
    """
    proba = logits.softmax(dim=1)
    positive = class_shares(logits, target, share)
    negative = share[:, None] - positive
    mean_pos, var_pos = moments(proba, positive)
    mean_neg, var_neg = moments(proba, negative)
    loss = var_pos + var_neg + (margin + mean_neg - mean_pos).clamp(min=0).square()
    return mean_over(loss, (positive > 0).any(dim=0) & (negative > 0).any(dim=0))


def moments(values, weight):
    """Weighted mean and variance over the rows of each column; 0 where a column has no weight."""
    total = weight.sum(dim=0)
    mean = safe_ratio((weight * values).sum(dim=0), total)
    return mean, safe_ratio((weight * (values - mean).square()).sum(dim=0), total)
