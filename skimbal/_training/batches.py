"""The training rows of a population: one random order an epoch and network, cut into batches."""

import numpy as np
import torch


def rounded_up(number, multiple):
    """The smallest multiple that is at least as large.

    >>> rounded_up(33, 16)
    48
    """
    return -(-number // multiple) * multiple


def padded_batches(n_rows, batch_size, multiple):
    """Sizes of the batches of an epoch, each filled up to a multiple.

    >>> padded_batches(150, 64, 16)
    [64, 64, 32]
    """
    n_full, rest = divmod(n_rows, batch_size)
    sizes = [batch_size] * n_full + ([rest] if rest else [])
    return [rounded_up(size, multiple) for size in sizes]


class Batches:
    """Rows of P training sets whose batches have the same sizes once they are filled up.

    Parameters
    ----------
    datasets : list of tuple of tensor
        Inputs and whatever goes with them, of each network.
    weights : list of tensor or None
        Weights of each network's rows; None is 1 for every row.
    batch_size : int
        Rows of a batch that count.
    multiple : int
        Batches are filled up to a multiple of this with rows of weight 0.
    orders : list of RowOrder
        Draw the orders; one a network.

    Attributes
    ----------
    tensors : list of tensor of shape (P, n, ...)
        The data of all networks.
    n_rows : ndarray of shape (n_batches, P)
        Rows of each batch that count.
    """

    def __init__(self, datasets, weights, batch_size, multiple, orders):
        self.batch_size = batch_size
        self.orders = orders
        self.lengths = [len(tensors[0]) for tensors in datasets]
        self.batches = padded_batches(self.lengths[0], batch_size, multiple)
        n_slots = sum(self.batches)
        self.tensors = [_stack(column, n_slots) for column in zip(*datasets, strict=True)]
        self.weight = None
        if any(weight is not None for weight in weights):
            ones = self.tensors[0].new_ones(n_slots)
            filled = zip(weights, self.lengths, strict=True)
            self.weight = _stack([ones[:n] if w is None else w for w, n in filled], n_slots)
        batch, place = np.divmod(np.arange(n_slots), max(self.batches))
        # A batch is filled up with the row that comes next, for it may be the last one's partner.
        self.row_of_slot = batch * batch_size + np.minimum(place, batch_size)
        self.is_filled_up = place >= batch_size
        self._count()

    def _count(self):
        lengths = np.array(self.lengths)
        starts = self.batch_size * np.arange(len(self.batches))[:, None]
        self.n_rows = np.clip(lengths - starts, 0, self.batch_size)
        in_order = self.row_of_slot < lengths[:, None]
        self.counts = torch.as_tensor(in_order & ~self.is_filled_up).to(self.tensors[0])
        self.equal_shares = self._shares(self.counts)
        # Orders lie one behind the other, each network's rows counted through; a slot behind the
        # last row has the first one of the order.
        first = len(self.row_of_slot) * np.arange(len(lengths))[:, None]
        self.slots = torch.as_tensor(first + np.where(in_order, self.row_of_slot, 0)).flatten()
        self.first_rows = torch.as_tensor(first)
        self.drawn = torch.empty(self.counts.shape, dtype=torch.int64)
        self.drawn_by_network = [row[:n] for row, n in zip(self.drawn, self.lengths, strict=True)]

    def _shares(self, weight):
        """Divide the weights of every batch by their sum; None where there are none."""
        batches = weight.split(self.batches, dim=1)
        return torch.cat([batch / batch.sum(dim=1, keepdim=True) for batch in batches], dim=1)

    def keep(self, networks):
        """Go on with some of the networks alone, given by their indices."""
        self.orders = [self.orders[i] for i in networks]
        self.lengths = [self.lengths[i] for i in networks]
        self.tensors = [tensor[networks] for tensor in self.tensors]
        self.weight = None if self.weight is None else self.weight[networks]
        self._count()

    def epoch(self):
        """Draw an order for each network; return the tensors in this order, and the shares.

        The share of a row is its weight divided by the sum of its batch; 0 in rows that only fill
        the batch up.
        """
        for order, drawn in zip(self.orders, self.drawn_by_network, strict=True):
            order.draw(out=drawn)
        rows = (self.drawn + self.first_rows).take(self.slots).view(self.counts.shape)
        rows = rows.to(self.counts.device)
        ordered = [_take(tensor, rows) for tensor in self.tensors]
        self.ordered_weight = None
        if self.weight is None:
            return [*ordered, self.equal_shares]
        self.ordered_weight = _take(self.weight, rows)
        for weight, order in zip(self.ordered_weight, self.orders, strict=True):
            if order.is_drawn:
                weight.fill_(1.0)
        return [*ordered, self._shares(self.ordered_weight * self.counts)]

    def partner_shares(self):
        """Shares of the rows that come next, for mixup, in the epoch that has been drawn."""
        if self.ordered_weight is None:
            return self.equal_shares
        return self._shares(self.ordered_weight.roll(-1, 1) * self.counts)

    def batches_of(self, *ordered):
        """Yield the tensors of an epoch batch by batch, and the numbers of rows that count."""
        by_tensor = [tensor.split(self.batches, dim=1) for tensor in ordered]
        return zip(*by_tensor, self.n_rows, strict=True)


def _take(tensor, rows):
    """Rows of the networks' tensors, counted through; faster than indexing."""
    return tensor.flatten(0, 1).index_select(0, rows.flatten()).unflatten(0, rows.shape)


def _stack(tensors, n_rows):
    """Stack tensors of different lengths, filled up with zeros, shape (P, n_rows, ...)."""
    first = tensors[0]
    out = first.new_zeros(len(tensors), n_rows, *first.shape[1:])
    for row, tensor in zip(out, tensors, strict=True):
        row[: len(tensor)] = tensor
    return out


def sums_over_batches(batches, weights=1.0):
    """Add up what every batch gives for every network.

    Network by network, in one order of addition whatever the number of networks is.

    Parameters
    ----------
    batches : list of tensor of shape (P,)
    weights : array-like of shape (n_batches, P), default=1.0

    Returns
    -------
    ndarray of shape (P,)
    """
    values = torch.stack(batches).double().cpu().numpy() * weights
    return np.ascontiguousarray(values.T).sum(axis=1)
