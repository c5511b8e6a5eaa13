"""Mixup: train on mixtures of two samples and their losses.

x = part x_i + (1 - part) x_j and L = part l(f(x), y_i) + (1 - part) l(f(x), y_j), with a part
drawn from Beta(alpha, alpha) for each batch (Zhang, Cisse, Dauphin & Lopez-Paz 2018,
arXiv:1710.09412, section 2). The losses are mixed in place of the labels, so that every loss can
be; for cross entropy it is the same. Sample j is the next one in the random order of the epoch.
Each of the two losses of a batch is a mean by the weights of its samples.
"""

import numpy as np
import torch

from skimbal._training.augmentation import numbers_of_batches


def draw_parts(alpha, n_batches, generator):
    """Draw the parts of an epoch's batches; `generator` only gives the seed."""
    seed = torch.randint(2**62, (1,), generator=generator)
    return np.random.default_rng(int(seed)).beta(alpha, alpha, size=n_batches)


def mixed(own, partners, part):
    """The mixtures of samples and their partners."""
    return part * own + (1.0 - part) * partners


def pairs_of_batches(X, sizes, *, is_changed):
    """Yield the samples of each batch and their partners.

    Large inputs are taken once for both, unless each of them is changed.
    """
    if hasattr(X, "with_next") and not is_changed:
        return X.with_next(sizes)
    return zip(X.split(sizes, dim=1), X.roll(-1, 1).split(sizes, dim=1), strict=True)


def mix_epoch(plans, rows):
    """Yield the batches of an epoch of a population, augmented and mixed.

    Parameters
    ----------
    plans : list of TrainingPlan
        One for each network, with the same `mixup` and `augmentation`.
    rows : Batches

    Yields
    ------
    X : tensor of shape (P, n, ...)
    target : tensor of int64 of shape (P, n)
    share : tensor of shape (P, n)
        What each row counts in the loss of the batch.
    n_rows : ndarray of shape (P,)
        Rows that count.
    mixture : tuple of (tensor of shape (P, n), the same, tensor of shape (P,))
        Targets and shares of the partners, and the parts that the samples themselves have.
    """
    alpha = plans[0].mixup
    drawn = [draw_parts(alpha, len(rows.batches), order.generator) for order in rows.orders]
    X, target, share = rows.draw_epoch()
    parts = torch.as_tensor(np.array(drawn)).to(share)
    tensors = target, share, target.roll(-1, 1), rows.partner_shares()
    augmentation = plans[0].augmentation
    numbers = numbers_of_batches(plans, rows.batches)
    pairs = pairs_of_batches(X, rows.batches, is_changed=bool(augmentation))
    batches = zip(numbers, pairs, rows.batches_of(*tensors), strict=True)
    for i, (own, (X, X_partner), batch) in enumerate(batches):
        target, share, *partners, n_rows = batch
        if augmentation:
            X, X_partner = (
                augmentation.apply(*given) for given in zip((X, X_partner), own, strict=True)
            )
        part = parts[:, i].view(-1, *[1] * (X.ndim - 1))
        yield mixed(X, X_partner, part), target, share, n_rows, (*partners, parts[:, i])
