"""The training rows of an epoch: one random order for each network, cut into batches."""

import numpy as np
import torch

from skimbal._training.augmentation import numbers_of_batches
from skimbal._training.inputs import NUMBERS_AT_ONCE
from skimbal._training.mixup import draw_parts, mix_epoch, mixed
from skimbal._training.tables import TableInputs, as_tensor

# So many rows are whole blocks of numbers, whatever the number of columns.
WHOLE_BLOCKS = 32
# About so many numbers of a network are taken at once; a larger batch is taken by itself.
NUMBERS_OF_NETWORK = 2**16
# Rows of a segment. Arrays with an entry for each row of a longer epoch are avoided.
ROWS_OF_SEGMENT = 2**18


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
    last = [rounded_up(rest, multiple)] if rest else []
    return [rounded_up(batch_size, multiple)] * n_full + last


def is_long(n_rows, batch_size, multiple):
    """Whether an epoch has so many rows that copies of it should be avoided."""
    return sum(padded_batches(n_rows, batch_size, multiple)) > ROWS_OF_SEGMENT


def through(functions, X):
    """Apply functions to inputs, one after the other.

    >>> through([lambda x: x + 1, lambda x: 2 * x], 3)
    8
    """
    for function in functions:
        X = function(X)
    return X


class Batches:
    """Rows of P training sets whose batches have the same sizes once they are filled up.

    Parameters
    ----------
    datasets : list of tuple of tensor
        Inputs of each network and the tensors that belong to them.
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
        The data of all networks; the first may be a `StackedTables`.
    n_rows : ndarray of shape (n_batches, P)
        Rows of each batch that count.
    """

    def __init__(self, datasets, weights, batch_size, multiple, orders):
        self.batch_size = batch_size
        self.orders = orders
        self.layers = []
        self.lengths = []
        for order in orders:
            self.lengths.append(order.n_rows)
        self.batches = padded_batches(self.lengths[0], batch_size, multiple)
        n_slots = sum(self.batches)
        self.tensors = []
        for column in zip(*datasets, strict=True):
            self.tensors.append(_stack(column, n_slots))
        like_X = {"dtype": self.tensors[0].dtype, "device": self.tensors[0].device}
        self.weight = _stack_weights(weights, n_slots, like_X)
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
        X = self.tensors[0]
        self.counts = torch.as_tensor(in_order & ~self.is_filled_up).to(X.device, X.dtype)
        self.equal_shares = self._shares(self.counts)
        # Orders lie one behind the other, each network's rows counted through; a slot behind the
        # last row has the first one of the order.
        first = len(self.row_of_slot) * np.arange(len(lengths))[:, None]
        self.slots = torch.as_tensor(first + np.where(in_order, self.row_of_slot, 0)).flatten()
        self.first_rows = torch.as_tensor(first)
        self.drawn = torch.empty(self.counts.shape, dtype=torch.int64)
        self.drawn_by_network = [row[:n] for row, n in zip(self.drawn, self.lengths, strict=True)]

    def _shares(self, weight):
        """Divide the weights of every batch by their sum; shares of 0 where all are 0."""
        shares = []
        for batch in weight.split(self.batches, dim=1):
            total = batch.sum(dim=1, keepdim=True)
            shares.append(batch / torch.where(total == 0, 1.0, total))
        return torch.cat(shares, dim=1)

    def keep(self, networks):
        """Go on with some of the networks alone, given by their indices."""
        self.orders = [self.orders[i] for i in networks]
        self.lengths = [self.lengths[i] for i in networks]
        self.tensors = [tensor[networks] for tensor in self.tensors]
        self.weight = None if self.weight is None else self.weight[networks]
        self._count()

    def epoch(self, plans):
        """Yield the batches of an epoch; see `mix_epoch`.

        Parameters
        ----------
        plans : list of TrainingPlan
            Say how the rows of each network are augmented and mixed.
        """
        if plans[0].mixup:
            yield from mix_epoch(plans, self)
            return
        augmentation = plans[0].augmentation
        numbers = numbers_of_batches(plans, self.batches)
        batches = self.batches_of(*self.draw_epoch())
        for (drawn, _), (X, *labels) in zip(numbers, batches, strict=True):
            if augmentation:
                X = augmentation.apply(X, drawn)
            yield X, *labels, None

    def draw_epoch(self):
        """Draw an order for each network; return the tensors in this order, and the shares.

        The share of a row is its weight divided by the sum of its batch; 0 in rows that only fill
        the batch up.
        """
        for order, drawn in zip(self.orders, self.drawn_by_network, strict=True):
            order.draw(out=drawn)
        rows = (self.drawn + self.first_rows).take(self.slots).view(self.counts.shape)
        rows = rows.to(self.counts.device)
        ordered = []
        for tensor in self.tensors:
            is_taken_later = tensor.ndim == 3 and tensor.numel() > NUMBERS_AT_ONCE
            ordered.append(OrderedRows(tensor, rows) if is_taken_later else _take(tensor, rows))
        self.ordered_weight = None
        if self.weight is None:
            return [*ordered, self.equal_shares]
        self.ordered_weight = _take(self.weight, rows)
        for weight, order in zip(self.ordered_weight, self.orders, strict=True):
            if order.is_drawn:
                weight.fill_(1.0)
        return [*ordered, self._shares(self.ordered_weight * self.counts)]

    def unlabeled_epoch(self):
        """Yield the inputs of the batches of an epoch, and their shares."""
        for X, *_, share, _ in self.batches_of(*self.draw_epoch()):
            yield through(self.layers, X), share

    def map_inputs(self, function):
        """Replace the inputs by a function of them, such as the hidden layer of machines.

        Of a long training set the function is computed for every batch, and nothing is stored.
        """
        if len(self.row_of_slot) > ROWS_OF_SEGMENT:
            self.layers.append(function)
            return
        self.tensors[0] = torch.cat([function(X) for X in self.in_slices()], dim=1)

    def partner_shares(self):
        """Shares of the rows that come next, for mixup, in the epoch that has been drawn."""
        if self.ordered_weight is None:
            return self.equal_shares
        return self._shares(self.ordered_weight.roll(-1, 1) * self.counts)

    def in_slices(self):
        """Yield the inputs of all networks in their own order, about a million numbers at a time.

        Filled up to the rows of the batches, so that products of a network do not depend on the
        number of networks; a row behind the last one is a copy of it.
        """
        X, n_slots = self.tensors[0], len(self.row_of_slot)
        last = torch.as_tensor(self.lengths)[:, None] - 1
        n_rows = rounded_up(max(1, NUMBERS_AT_ONCE // X.shape[2]), WHOLE_BLOCKS)
        for places in torch.arange(n_slots).split(n_rows):
            rows = (torch.minimum(places, last) + self.first_rows).to(X.device)
            yield through(self.layers, _take(X, rows))

    def batches_of(self, *ordered):
        """Yield the tensors of an epoch batch by batch, and the numbers of rows that count."""
        by_tensor = []
        for tensor in ordered:
            by_tensor.append(tensor.split(self.batches, dim=1))
        return zip(*by_tensor, self.n_rows, strict=True)


class StackedTables:
    """Tables of several networks, of which rows are made dense when they are asked for.

    Parameters
    ----------
    tables : list of TableInputs
        Sparse or shared, of equal numbers of columns.
    n_slots : int
        Rows of every network, counted through: row i of network p has the number p n_slots + i.
    """

    ndim = 3

    def __init__(self, tables, n_slots):
        self.tables = tables
        self.n_slots = n_slots
        self.device, self.dtype = tables[0].device, tables[0].dtype
        self.shape = (len(tables), n_slots, tables[0].shape[1])

    def __len__(self):
        return len(self.tables)

    def __getitem__(self, networks):
        return StackedTables([self.tables[i] for i in networks], self.n_slots)

    def numel(self):
        """Infinity: they are never taken as a whole."""
        return float("inf")

    def take(self, rows):
        """Return rows, counted through, as a tensor of shape (P, n, n_features)."""
        rows = rows.cpu().numpy()
        parts = []
        for i, (table, own) in enumerate(zip(self.tables, rows, strict=True)):
            parts.append(table[own - i * self.n_slots])
        return torch.stack(parts)


class StackedRows:
    """Rows of one table that all networks take as they are.

    Parameters
    ----------
    table : tensor of shape (n_rows, n_features)
    rows : tensor of int64 of shape (P, n_slots)
        The rows of each network.
    """

    ndim = 3

    def __init__(self, table, rows):
        self.table = table
        self.rows = rows
        self.device, self.dtype = table.device, table.dtype
        self.shape = (*rows.shape, table.shape[1])

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, networks):
        return StackedRows(self.table, self.rows[networks])

    def numel(self):
        """Infinity: they are never taken as a whole."""
        return float("inf")

    def take(self, rows):
        """Return rows, counted through, as a tensor of shape (P, n, n_features)."""
        places = self.rows.flatten().take(rows.flatten())
        return self.table.index_select(0, places).unflatten(0, rows.shape)


class OrderedRows:
    """The rows of an epoch in their order, which are taken when their batch comes.

    Parameters
    ----------
    source : tensor of shape (P, n, n_features) or StackedTables
    rows : tensor of int64 of shape (P, n_slots)
        Counted through.
    """

    ndim = 3

    def __init__(self, source, rows):
        self.source = source
        self.rows = rows

    def split(self, sizes, dim):
        """Yield the rows of each batch."""
        for group, taken in self._in_groups(sizes, 0):
            yield from taken.split(group, dim=dim)

    def with_next(self, sizes):
        """Yield the rows of each batch and those that come next, as views of one tensor."""
        for group, taken in self._in_groups(sizes, 1):
            own, following = taken[:, :-1], taken[:, 1:]
            yield from zip(own.split(group, dim=1), following.split(group, dim=1), strict=True)

    def _in_groups(self, sizes, n_more):
        """Yield batches that are taken at once, as their sizes and their rows, and some more."""
        n_batches = max(1, NUMBERS_OF_NETWORK // (max(sizes) * self.source.shape[2]))
        rows, start = torch.cat([self.rows, self.rows[:, :n_more]], dim=1), 0
        for i in range(0, len(sizes), n_batches):
            group = sizes[i : i + n_batches]
            stop = start + sum(group)
            yield group, _take(self.source, rows[:, start : stop + n_more])
            start = stop

    def roll(self, shift, dim):
        """Return the rows in the rolled order."""
        return OrderedRows(self.source, self.rows.roll(shift, dim))


class SlicedBatches:
    """Rows of one training set, taken batch by batch, so that nothing is copied as a whole.

    Parameters
    ----------
    tensors : list of tensor
        Inputs, which may be `WindowInputs` or `TableInputs`, targets and, where there are any,
        weights.
    batch_size : int
    orders : list of RowOrder
        Of one entry.
    """

    def __init__(self, tensors, batch_size, orders):
        self.X, self.target, *weight = tensors
        self.weight = weight[0] if weight else None
        self.batch_size = batch_size
        self.orders = orders
        self.lengths = [orders[0].n_rows]
        sizes = padded_batches(orders[0].n_rows, batch_size, 1)
        self.n_rows = np.array(sizes)[:, None]

    def epoch(self, plans):
        """Yield the batches of an epoch, as `mix_epoch` does; the weights in place of shares."""
        (plan,), (order,) = plans, self.orders
        mixed_parts = [None] * len(self.n_rows)
        if plan.mixup:
            mixed_parts = draw_parts(plan.mixup, len(self.n_rows), order.generator)
        rows = order.draw().to(self.target.device)
        own, partners = (column.split(self.batch_size) for column in (rows, rows.roll(-1, 0)))
        numbers = numbers_of_batches(plans, self.n_rows[:, 0].tolist())
        for part, n_rows, row, partner, drawn in zip(
            mixed_parts, self.n_rows, own, partners, numbers, strict=True
        ):
            X, *labels = self._take(row, drawn[0], plan.augmentation)
            mixture = None
            if part is not None:
                X_partner, *partner_labels = self._take(partner, drawn[1], plan.augmentation)
                X = mixed(X, X_partner, part)
                mixture = (*partner_labels, part)
            yield X, *labels, n_rows, mixture

    def _take(self, rows, drawn, augmentation):
        """The inputs, targets and weights of some rows, each as a stack of one."""
        X = self.X[rows][None]
        if augmentation:
            X = augmentation.apply(X, drawn)
        weight = self.weight
        if weight is not None:
            # Rows that are drawn by their weights count alike.
            weight = weight[rows][None]
            weight = torch.ones_like(weight) if self.orders[0].is_drawn else weight
        return X, self.target[rows][None], weight


def _take(tensor, rows):
    """Rows of the networks' tensors, counted through; faster than indexing."""
    if isinstance(tensor, StackedTables | StackedRows):
        return tensor.take(rows)
    return tensor.flatten(0, 1).index_select(0, rows.flatten()).unflatten(0, rows.shape)


def _stack(tensors, n_rows):
    """Stack tensors of different lengths, filled up with zeros, shape (P, n_rows, ...).

    A single one is not copied, and not filled up.
    """
    first = tensors[0]
    if isinstance(first, TableInputs):
        return _stack_tables(list(tensors), n_rows)
    if len(tensors) == 1:  # no row behind the last one is ever taken
        return first[None]
    out = first.new_zeros(len(tensors), n_rows, *first.shape[1:])
    for row, tensor in zip(out, tensors, strict=True):
        row[: len(tensor)] = tensor
    return out


def _stack_weights(weights, n_rows, like_X):
    """Stack weights, filled up with ones, shape (P, n_rows or more), or None; as `_stack`."""
    given = [weight for weight in weights if weight is not None]
    if not given:
        return None
    if len(weights) == 1:
        return given[0][None].to(**like_X)
    out = torch.ones(len(weights), max(n_rows, *map(len, given)), **like_X)
    for row, weight in zip(out, weights, strict=True):
        if weight is not None:
            row[: len(weight)] = weight
    return out


def _stack_tables(tables, n_slots):
    """Stack tables; where all are prepared rows of one, only the numbers of the rows."""
    shared = [table.shared for table in tables]
    if shared[0] is None or any(table is not shared[0] for table in shared):
        return StackedTables(tables, n_slots)
    rows = torch.zeros(len(tables), n_slots, dtype=torch.int64)
    for own, table in zip(rows, tables, strict=True):
        own[: len(table)] = torch.as_tensor(table.X.rows)
    return StackedRows(as_tensor(shared[0], tables[0].dtype), rows)


def sums_over_batches(batches, weights=1.0):
    """Add up what every batch gives for every network.

    Network by network, in an order of addition that does not depend on the number of networks.

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
