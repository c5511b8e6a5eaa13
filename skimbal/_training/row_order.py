"""The order in which an epoch goes through the training rows: all of them, or drawn by class."""

import numpy as np
import torch


def checked_share(sampler, class_counts, epoch, n_epochs, valid_f1=None):
    """The shares that a sampler gives, or None; a ValueError for numbers that are no shares.

    Parameters
    ----------
    sampler : BaseBatches
    class_counts : ndarray of shape (n_classes,)
    epoch, n_epochs : int
        Beyond the last epoch it is the last one's.
    valid_f1 : ndarray of shape (n_classes,), default=None

    Returns
    -------
    ndarray of shape (n_classes,) or None
    """
    share = sampler.class_share(class_counts, min(epoch, n_epochs), n_epochs, valid_f1)
    if share is None:
        return None
    share = np.asarray(share, dtype=np.float64)
    is_share = (
        share.shape == class_counts.shape
        and bool((share >= 0).all())
        and not share[class_counts == 0].any()
        and abs(share.sum() - 1.0) < 1e-6
    )
    if not is_share:
        raise ValueError(
            f"{sampler!r} gives the shares {share.tolist()} for classes of "
            f"{class_counts.tolist()}; they must be one number of at least 0 for each class, 0 for "
            "classes without samples, and add up to 1"
        )
    return share


class RowOrder:
    """Draws the rows of an epoch.

    Without a sampler each row comes once, in random order. A sampler says with which probability
    the next row is of each class; within the class rows are drawn by their weights, with
    replacement, and then count alike in the loss.

    Parameters
    ----------
    generator : torch.Generator
    n_rows : int
    sampler : BaseBatches or None, default=None
        A mini-batch sampler of `skimbal.sampling`.
    target : tensor of int64 of shape (n_rows,), default=None
        Classes of the rows, for the sampler.
    weight : tensor of shape (n_rows,) or None, default=None
        Weights of the rows, for the sampler.
    n_classes : int, default=0
        Number of classes, for the sampler.

    Attributes
    ----------
    is_drawn : bool
        Whether the rows of the epoch are drawn, so that their weights are used up.
    """

    def __init__(self, generator, n_rows, sampler=None, target=None, weight=None, n_classes=0):
        self.generator = generator
        self.n_rows = n_rows
        self.sampler = sampler
        self.share: np.ndarray | None = None
        if sampler is not None:
            target = target.cpu()
            self.rows = [torch.nonzero(target == c).flatten() for c in range(n_classes)]
            self.weights = None
            counts = [float(len(rows)) for rows in self.rows]
            if weight is not None:
                self.weights = [weight.cpu().double()[rows] for rows in self.rows]
                counts = [float(of_class.sum()) for of_class in self.weights]
            self.counts = np.array(counts, dtype=np.float64)

    @property
    def is_drawn(self):
        return self.share is not None

    def begin_epoch(self, epoch, n_epochs, valid_f1=None):
        """Ask the sampler how the classes share the epoch, counted from 1."""
        if self.sampler is not None:
            self.share = checked_share(self.sampler, self.counts, epoch, n_epochs, valid_f1)

    def draw(self, out=None):
        """Return the rows of an epoch, shape (n_rows,)."""
        if self.share is None:
            return torch.randperm(self.n_rows, generator=self.generator, out=out)
        share = torch.as_tensor(self.share)
        classes = torch.multinomial(share, self.n_rows, replacement=True, generator=self.generator)
        out = torch.empty(self.n_rows, dtype=torch.int64) if out is None else out
        for c in np.flatnonzero(self.share):
            of_class = classes.eq(int(c))
            out[of_class] = self._draw_of_class(c, int(of_class.sum()))
        return out

    def _draw_of_class(self, c, n):
        rows = self.rows[c]
        if self.weights is None:
            return rows[torch.randint(len(rows), (n,), generator=self.generator)]
        if n == 0:
            return rows[:0]
        places = torch.multinomial(self.weights[c], n, replacement=True, generator=self.generator)
        return rows[places]
