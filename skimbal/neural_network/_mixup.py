"""Mixup: train on mixtures of two samples and their losses.

x = share x_i + (1 - share) x_j and L = share l(f(x), y_i) + (1 - share) l(f(x), y_j), with a share
drawn from Beta(alpha, alpha) for each batch (Zhang, Cisse, Dauphin & Lopez-Paz 2018,
arXiv:1710.09412, section 2). The losses are mixed in place of the labels, so that every loss can
be; for cross entropy it is the same. Sample j is the next one in the random order of the epoch.
"""

import numpy as np
import torch


def draw_shares(alpha, n_batches, generator):
    """Draw the shares of an epoch's batches; `generator` only gives the seed."""
    seed = torch.randint(2**62, (1,), generator=generator)
    return np.random.default_rng(int(seed)).beta(alpha, alpha, size=n_batches)


def mixed(X, partners, share):
    """The mixtures of samples and their partners."""
    return share * X + (1.0 - share) * partners


def mix_epoch(alpha, rows):
    """Yield the batches of an epoch of a population, mixed.

    Parameters
    ----------
    alpha : float
        0 mixes nothing.
    rows : StackedRows

    Yields
    ------
    X : tensor of shape (P, n, ...)
    target, weight : tensor of shape (P, n)
    n_rows : ndarray of shape (P,)
        Rows that count.
    mixture : tuple of (tensor of shape (P, n), tensor of shape (P,)) or None
        Targets of the partners, and the shares of the samples themselves.
    """
    if not alpha:
        for X, target, weight, n_rows in rows.batches_of(*rows.epoch()):
            yield X, target, weight, n_rows, None
        return
    n_batches = len(rows.batches)
    drawn = [draw_shares(alpha, n_batches, generator) for generator in rows.generators]
    X, target, weight = rows.epoch()
    shares = torch.as_tensor(np.array(drawn)).to(X)
    sizes = torch.as_tensor(rows.batches, device=X.device)
    of_slots = shares.repeat_interleave(sizes, dim=1)
    X = mixed(X, X.roll(-1, 1), of_slots.view(*of_slots.shape, *[1] * (X.ndim - 2)))
    tensors = X, target, weight, target.roll(-1, 1)
    for i, (X, target, weight, partner, n_rows) in enumerate(rows.batches_of(*tensors)):
        yield X, target, weight, n_rows, (partner, shares[:, i])
