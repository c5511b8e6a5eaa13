"""The order in which an epoch goes through the training rows: all of them, or drawn by class."""

import torch


class RowOrder:
    """Draws the rows of an epoch.

    Without a sampler each row comes once, in random order. A sampler says with which probability
    the next row is of each class; within the class all rows are equally likely, and they are drawn
    with replacement.

    Parameters
    ----------
    generator : torch.Generator
    n_rows : int
    sampler : BaseBatches or None, default=None
        A mini-batch sampler of `skimbal.sampling`.
    target : tensor of int64 of shape (n_rows,), default=None
        Classes of the rows, for the sampler.
    n_classes : int, default=0
        Number of classes, for the sampler.
    """

    def __init__(self, generator, n_rows, sampler=None, target=None, n_classes=0):
        self.generator = generator
        self.n_rows = n_rows
        self.sampler = sampler
        self.probability = None
        if sampler is not None:
            self.target = target.cpu()
            self.counts = torch.bincount(self.target, minlength=n_classes)

    @classmethod
    def of_net(cls, net, target):
        """Return the order of a net's training rows."""
        return cls(net.generator, len(target), net.sampler, target, len(net.classes))

    def begin_epoch(self, epoch, n_epochs, valid_f1=None):
        """Ask the sampler how the classes share the epoch, counted from 1."""
        if self.sampler is None:
            return
        share = self.sampler.class_share(self.counts.numpy(), epoch, n_epochs, valid_f1)
        self.probability = None
        if share is not None:
            of_rows = torch.as_tensor(share).double() / self.counts.clamp(min=1)
            self.probability = of_rows[self.target]

    def draw(self, out=None):
        """Return the rows of an epoch, shape (n_rows,)."""
        if self.probability is None:
            return torch.randperm(self.n_rows, generator=self.generator, out=out)
        rows = torch.multinomial(
            self.probability, self.n_rows, replacement=True, generator=self.generator
        )
        return rows if out is None else out.copy_(rows)
