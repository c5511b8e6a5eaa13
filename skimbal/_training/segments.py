"""An epoch of many rows, in parts of whole batches: what a row needs besides its inputs is small.

`Batches` has 40 bytes for each row of an epoch, among them its place, its class and its share. A
table of ten columns has as many. The epoch of a large training set is therefore cut into segments
of one random order, each of which is an epoch of `Batches`. The batches are the same.
"""

from abc import ABC, abstractmethod

import numpy as np

from skimbal._training.batches import (
    ROWS_OF_SEGMENT,
    Batches,
    padded_batches,
    rounded_up,
    through,
)
from skimbal._training.inputs import slices_of


class BufferedBatches(ABC):
    """Batches of one training set, made part by part; in place of `Batches`.

    Parameters
    ----------
    order : RowOrder or ChunkOrder
    batch_size : int
    make : callable
        Makes the batches of a part.
    """

    def __init__(self, order, batch_size, make):
        self.orders, self.make = [order], make
        self.lengths = [order.n_rows]
        self.n_rows = np.array(padded_batches(order.n_rows, batch_size, 1))[:, None]
        self.layers: list = []
        self.made: dict = {}

    @abstractmethod
    def _buffers(self):
        """Yield the batches of each part."""

    @abstractmethod
    def in_slices(self):
        """Yield the inputs in their own order, in parts, as stacks of one."""

    def epoch(self, plans):
        """Yield the batches of an epoch; see `Batches.epoch` and `SlicedBatches.epoch`."""
        for batches in self._buffers():
            yield from batches.epoch(plans)

    def unlabeled_epoch(self):
        """Yield the inputs of the batches of an epoch, and their shares."""
        for batches in self._buffers():
            for X, share in batches.unlabeled_epoch():
                yield through(self.layers, X), share

    def map_inputs(self, function):
        """Replace the inputs by a function of them, which is called for every batch.

        It takes a tensor for its result, too, or None.
        """
        self.layers.append(Reused(function))


class Reused:
    """A function of inputs whose result takes the memory of the last one.

    Thousands of large blocks that are made and freed leave gaps in the memory of the process.

    Parameters
    ----------
    function : callable
        From a tensor of shape (P, n, ...), and one for the result or None, to a tensor of shape
        (P, n, n_outputs).
    """

    def __init__(self, function):
        self.function = function
        self.memory = None

    def __call__(self, X):
        n_rows = X.shape[:2].numel()
        if self.memory is None or len(self.memory) < n_rows:
            result = self.function(X, None)
            self.memory = result.flatten(0, 1)
            return result
        return self.function(X, self.memory[:n_rows].unflatten(0, X.shape[:2]))


class GivenOrder:
    """Rows in an order that has been drawn; in place of `RowOrder`."""

    def __init__(self, n_rows, generator=None):
        self.n_rows = n_rows
        self.generator = generator  # of what else is drawn for an epoch
        self.rows = None
        self.is_drawn = False

    def draw(self, out=None):
        """Return the rows."""
        return self.rows if out is None else out.copy_(self.rows)


class SegmentedBatches(BufferedBatches):
    """The batches of one training set, in segments of its random order.

    Parameters
    ----------
    tensors : tuple of tensor
        Inputs, which may be `TableInputs`, and what belongs to them.
    weight : tensor of shape (n_samples,) or None
    batch_size, multiple : int
        As in `Batches`.
    order : RowOrder
    """

    def __init__(self, tensors, weight, batch_size, multiple, order):
        def make(n_rows):
            return Batches([tensors], [weight], batch_size, multiple, [GivenOrder(n_rows)])

        super().__init__(order, batch_size, make)
        self.size = rounded_up(ROWS_OF_SEGMENT, batch_size)
        self.X = tensors[0]

    def _buffers(self):
        for rows in self.orders[0].draw().split(self.size):
            n_rows = len(rows)
            if n_rows not in self.made:
                self.made[n_rows] = self.make(n_rows)
            (order,) = self.made[n_rows].orders
            order.rows, order.is_drawn = rows, self.orders[0].is_drawn
            yield self.made[n_rows]

    def in_slices(self):
        """Yield the inputs in their own order, in parts, as stacks of one."""
        for rows in slices_of(self.X):
            yield through(self.layers, self.X[rows][None])
