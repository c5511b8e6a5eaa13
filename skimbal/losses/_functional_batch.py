"""Losses of whole batches as pure formulas: logits, targets and shares to a number.

`share` (n,) is the part of each sample in the batch: non-negative, of sum 1. A sample of share 0
is as if it were not there, a class without samples counts for nothing. The formulas are sums over
masks, of shapes that do not depend on the values, so that torch.func can batch them.
"""

import torch

from skimbal.losses._functional import cross_entropy, is_target, of_target


def class_shares(logits, target, share):
    """Return the share of each sample in the column of its class, (n, n_classes), else 0."""
    return share[:, None] * is_target(logits, target)


def mean_over(values, mask):
    """Mean of the values (n_classes,) where `mask` is true; 0 where it is nowhere."""
    return torch.where(mask, values, 0.0).sum() / mask.sum().clamp(min=1)


def safe_ratio(numerator, denominator):
    """Quotient, with 0 where the denominator is 0."""
    is_there = denominator > 0
    return torch.where(is_there, numerator, 0.0) / torch.where(is_there, denominator, 1.0)


def dice(logits, target, share):
    """One less the mean Dice coefficient of the classes present (Milletari et al. 2016, sec. 3).

    D_c = 2 sum_i s_i p_ic t_ic / (sum_i s_i p_ic^2 + sum_i s_i t_ic)
    """
    proba = logits.softmax(dim=1)
    truth = class_shares(logits, target, share)
    size = truth.sum(dim=0)
    total = (share[:, None] * proba.square()).sum(dim=0) + size
    return 1.0 - mean_over(safe_ratio(2.0 * (truth * proba).sum(dim=0), total), size > 0)


def generalized_dice(logits, target, share):
    """One less the Dice coefficient of all classes, weighted by the inverse squares of their sizes.

    GD = 2 sum_c w_c sum_i s_i p_ic t_ic / sum_c w_c sum_i s_i (p_ic + t_ic), w_c = 1 / n_c^2 in the
    batch (Sudre et al. 2017, sec. 2).
    """
    proba = logits.softmax(dim=1)
    truth = class_shares(logits, target, share)
    size = truth.sum(dim=0)
    weight = safe_ratio(torch.ones_like(size), size.square())
    overlap = (weight * (truth * proba).sum(dim=0)).sum()
    total = (weight * ((share[:, None] * proba).sum(dim=0) + size)).sum()
    return 1.0 - safe_ratio(2.0 * overlap, total)


def squared_error_per_class(logits, target, share):
    """Mean of 1/2 ||p - t||^2 over the samples of each class; 0 for a class without any."""
    truth = class_shares(logits, target, share)
    error = 0.5 * (logits.softmax(dim=1) - is_target(logits, target).to(logits)).square().sum(dim=1)
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

    With a and b the means of the posterior over the samples of a class and over the others,
    Var_pos + Var_neg + max(0, margin + b - a)^2: the inner problems are solved for the batch.
    Mean over the classes that have samples on both sides.
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


def class_rectification(logits, target, share, features, *, rectified, margin, n_hardest):
    """Cross entropy and a triplet loss of the minority classes of the batch (Dong et al. 2018).

    (1 - rectified) CE + rectified T; T is the mean of max(0, margin + d(a, p) - d(a, q)) over
    anchors a of the minority classes, their `n_hardest` farthest samples p of the same class and
    nearest samples q of others; d is the distance of features of length 1.
    """
    triplets = hard_triplet_loss(
        distances(features), target, share, is_minority(logits, target, share), margin, n_hardest
    )
    plain = (share * cross_entropy(logits, target)).sum()
    return (1.0 - rectified) * plain + rectified * triplets


def distances(features):
    """Euclidean distances (n, n) of the features scaled to length 1."""
    # Features shorter than 1e-3 stay shorter than 1, so that their slope stays finite.
    unit = features / features.square().sum(dim=1, keepdim=True).clamp(min=1e-6).sqrt()
    squared = 2.0 - 2.0 * unit @ unit.T
    # The square root has no finite slope at 0, and rounding leaves a little more than 0 there.
    is_apart = squared > 16.0 * torch.finfo(squared.dtype).eps
    return torch.where(is_apart, torch.where(is_apart, squared, 1.0).sqrt(), 0.0)


def is_minority(logits, target, share):
    """Mask (n,) of the samples of minority classes.

    A class is one if it and all classes that are no larger make up half of the batch at most
    (Dong et al. 2018, sec. 3).
    """
    size = class_shares(logits, target, share).sum(dim=0)
    no_larger = size[None, :] <= size[:, None] * (1.0 + 1e-5)
    up_to_it = (no_larger * size).sum(dim=1)
    return of_target((up_to_it <= 0.5 + 1e-5).expand_as(logits), target)


def hard_triplet_loss(distance, target, share, is_anchor, margin, n_hardest):
    """Mean hinge of the hardest triplets: the anchors' shares, and equal weights for an anchor."""
    n = len(target)
    is_there = share > 0
    is_same = target[:, None] == target[None, :]
    is_other_row = ~torch.eye(n, dtype=torch.bool, device=target.device)
    far, has_far = hardest(distance, is_same & is_other_row & is_there[None, :], n_hardest)
    near, has_near = hardest(-distance, ~is_same & is_there[None, :], n_hardest)
    hinge = (margin + far[:, :, None] + near[:, None, :]).clamp(min=0)
    counts = has_far[:, :, None] & has_near[:, None, :]
    n_triplets = counts.sum(dim=(1, 2))
    of_anchor = torch.where(counts, hinge, 0.0).sum(dim=(1, 2)) / n_triplets.clamp(min=1)
    weight = share * (is_anchor & (n_triplets > 0))
    return safe_ratio((weight * of_anchor).sum(), weight.sum())


def hardest(values, mask, n_hardest):
    """Largest masked values of each row, with 0 for those that lack, and a mask of the others."""
    top = values.masked_fill(~mask, -torch.inf).topk(min(n_hardest, len(values)), dim=1).values
    is_there = top > -torch.inf
    return torch.where(is_there, top, 0.0), is_there
