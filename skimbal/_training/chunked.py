"""Training on rows that are read from the disk in chunks: a buffer of them at a time.

An epoch reads the chunks in random order until the buffer is full, goes through the rows of the
buffer in random order, as `SegmentedBatches` does with those of a training set, and continues.
"""

import mmap
import sys
from math import ceil, prod
from typing import Any

import numpy as np
import torch

from skimbal._training.batches import rounded_up, through
from skimbal._training.inputs import NUMBERS_AT_ONCE, as_type
from skimbal._training.row_order import RowOrder, checked_share
from skimbal._training.segments import BufferedBatches, GivenOrder
from skimbal._utils._free_pages import FreePages

# What a row needs besides its inputs: its class, its weight, its places in the order of the buffer
# and in those that a sampler draws by class, and its part of what `Batches` has for a segment.
BYTES_OF_A_ROW = 72
# The order of a buffer is cut into segments: so many at least, of so many rows at most. What
# `Batches` needs for a segment, which may be a copy of its rows, is small beside the buffer.
MIN_SEGMENTS, MAX_SEGMENT_ROWS = 8, 2**15
# Copies of a chunk while it is read: as it is stored, as an array, and the one before.
COPIES_OF_A_CHUNK = 3
# Part of the buffer for rows that stay in memory, from which a sampler draws rare classes.
RESIDENT_PART = 0.25
# Free pages go back to the system where the process has grown by the buffer divided by this.
GROWTH = 8
# Labels and classes of so many rows are looked at together.
ROWS_AT_ONCE = 2**18


def counts_by_class(targets, weight, n_classes):
    """Weighted number of rows of each class, without a copy of the classes in another type.

    >>> counts_by_class(np.array([0, 1, 1], dtype=np.uint8), None, 3).tolist()
    [1.0, 2.0, 0.0]
    """
    counts = np.zeros(n_classes)
    for start in range(0, len(targets), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        own = None if weight is None else weight[rows]
        counts += np.bincount(targets[rows], own, n_classes)
    return counts


def own_pages(shape, dtype, device):
    """Return a tensor, not initialized, in pages of its own, which are given back as a whole.

    The allocator of C keeps what is freed between blocks that are still in use. Of buffers that
    are made and freed, one fit after the other, it keeps several times the largest.

    >>> own_pages((2, 3), torch.float32, torch.device("cpu")).fill_(1.0).sum()
    tensor(6.)
    """
    if device.type != "cpu":
        return torch.empty(shape, dtype=dtype, device=device)
    n_bytes = max(1, prod(shape)) * dtype.itemsize
    if sys.platform == "win32":
        pages = mmap.mmap(-1, n_bytes)
    else:
        pages = mmap.mmap(-1, n_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return torch.frombuffer(pages, dtype=dtype)[: prod(shape)].view(shape)


def drawn_rows(targets, numbers, rng):
    """Draw a number of rows of each class, all sets of rows alike; no order of all rows is made.

    Parameters
    ----------
    targets : ndarray of int of shape (n_samples,)
        Classes, 0, 1 and so on.
    numbers : array-like of int of shape (n_classes,)
        How many of each; at most as many as there are.
    rng : RandomState or Generator

    Returns
    -------
    ndarray of bool of shape (n_samples,)

    Examples
    --------
    >>> targets = np.array([0, 0, 1, 1, 1])
    >>> mask = drawn_rows(targets, [1, 3], np.random.default_rng(0))
    >>> np.bincount(targets[mask]).tolist()
    [1, 3]
    """
    drawn = np.zeros(len(targets), dtype=bool)
    wanted = np.array(numbers, dtype=int)
    left = counts_by_class(targets, None, len(wanted)).astype(int)
    for start in range(0, len(targets), ROWS_AT_ONCE):
        block = targets[start : start + ROWS_AT_ONCE]
        for c in np.flatnonzero(wanted):
            rows = np.flatnonzero(block == c)
            if not len(rows):
                continue
            n = rng.hypergeometric(wanted[c], left[c] - wanted[c], len(rows))
            drawn[start + rng.choice(rows, n, replace=False)] = True
            wanted[c] -= n
            left[c] -= len(rows)
    return drawn


class ChunkedInputs:
    """Rows of a `ChunkedTable` on the scale that a network is trained on, as tensors.

    Parameters
    ----------
    table : ChunkedTable
    prepare : callable
        Standardizes an array of rows.
    device : torch.device or str, default="cpu"
        Where to put what is asked for.
    """

    def __init__(self, table, prepare, device="cpu"):
        self.table = table
        self.prepare = prepare
        self.device = torch.device(device)
        self.dtype = torch.get_default_dtype()
        example = prepare(np.zeros((1, *table.shape[1:]), dtype=table.dtype))
        self.shape = (len(table), *example.shape[1:])
        self.ndim = len(self.shape)

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        if isinstance(rows, slice):
            first = range(len(self))[rows].start
            return self.tensor(np.asarray(self.table[rows]), range(first, len(self)))
        numbers = rows.cpu().numpy() if isinstance(rows, torch.Tensor) else np.asarray(rows)
        places, inverse = np.unique(numbers, return_inverse=True)
        tensor = self.tensor(np.asarray(self.table[places]), places)[inverse.ravel()]
        return tensor if numbers.ndim else tensor[0]

    def tensor(self, array, places):
        """Return rows that have been read; `places` are their numbers, for errors."""
        return as_type(self.prepare(array), self.dtype, self.device, places)

    def blocks(self):
        """Yield all rows in their order, in parts."""
        for rows, array in self.table.blocks():
            yield self.tensor(array, range(rows.start, rows.stop))

    def to(self, device):
        """Return the inputs with another device for what is asked for."""
        return ChunkedInputs(self.table, self.prepare, device)

    def element_size(self):
        """Bytes of a number."""
        return self.dtype.itemsize

    def numel(self):
        """Numbers that are in memory at a time, roughly."""
        return self.table.buffer_bytes // self.element_size() // 2

    def rows_of_buffer(self, batch_size):
        """Rows that the buffer holds, whole batches; a ValueError for one that is too small."""
        table = self.table
        row_bytes = self.element_size() * prod(self.shape[1:]) + BYTES_OF_A_ROW
        chunk = max(table.chunk_rows)
        chunk_bytes = chunk * table.dtype.itemsize * prod(table.shape[1:])
        left = table.buffer_bytes - COPIES_OF_A_CHUNK * chunk_bytes
        n_rows = int(left / row_bytes / (1 + 2 * RESIDENT_PART))
        needed = min(len(self), max(chunk, batch_size))
        if n_rows < needed:
            least = COPIES_OF_A_CHUNK * chunk_bytes + ceil(
                (needed + 1) * row_bytes * (1 + 2 * RESIDENT_PART)
            )
            raise ValueError(
                f"buffer_bytes={table.buffer_bytes} is too small for chunks of {chunk} rows and "
                f"batches of {batch_size}; give buffer_bytes={least} or more, or write the rows in "
                "smaller chunks (Parquet: row_group_size)"
            )
        n_buffers = ceil(len(self) / n_rows)
        return min(len(self), rounded_up(ceil(len(self) / n_buffers), batch_size))


class ChunkOrder:
    """Draws the order of the chunks of an epoch, and that of the rows of a buffer.

    Parameters
    ----------
    generator : torch.Generator
    n_rows : int
    sampler : BaseBatches or None, default=None
    counts : ndarray of shape (n_classes,), default=None
        Weighted number of rows of each class, for the sampler.
    """

    def __init__(self, generator, n_rows, sampler=None, counts=None):
        self.generator = generator
        self.n_rows = n_rows
        self.sampler = sampler
        self.counts = counts
        self.share = None

    def begin_epoch(self, epoch, n_epochs, valid_f1=None):
        """Ask the sampler how the classes share the epoch, counted from 1."""
        if self.sampler is not None:
            self.share = checked_share(self.sampler, self.counts, epoch, n_epochs, valid_f1)

    def of_chunks(self, n_chunks):
        """The chunks in random order."""
        return torch.randperm(n_chunks, generator=self.generator).tolist()

    def of_rows(self, n_rows, target, weight):
        """The order of the rows of a buffer; a class of -1 is not drawn."""
        if self.share is None:
            return RowOrder(self.generator, n_rows)
        n_classes = len(self.counts)
        order = RowOrder(self.generator, n_rows, self.sampler, target, weight, n_classes)
        order.share = self.share
        return order


class ChunkedBatches(BufferedBatches):
    """The batches of one training set that is read in chunks; in place of `Batches`.

    With a sampler, rows of every class stay in memory: all of a rare class, and so many of a
    frequent one as there is room for. A rare class is drawn from these, a frequent one from the
    rows of the buffer. Where a buffer has no row of a class, it is drawn from those in memory.

    Parameters
    ----------
    inputs : ChunkedInputs
    target : tensor of int of shape (n_samples,) or None
    weight : tensor of shape (n_samples,) or None
    batch_size : int
    order : ChunkOrder
    make : callable
        Makes the batches of a buffer from X, target, weight and a `RowOrder`.
    """

    def __init__(self, inputs, target, weight, batch_size, order, make):
        super().__init__(order, batch_size, make)
        self.inputs, self.target, self.weight = inputs, target, weight
        self.size = inputs.rows_of_buffer(batch_size)
        n_rows = min(ceil(self.size / MIN_SEGMENTS), MAX_SEGMENT_ROWS)
        self.segment = rounded_up(n_rows, batch_size)
        self.free_pages = FreePages(inputs.table.buffer_bytes // GROWTH)
        self.is_whole: Any = None
        self.buffer: Any = None

    def _allocate(self):
        """Make the buffer, and read the rows that stay in memory into its end."""
        mask, n_resident = None, 0
        if self.orders[0].sampler is not None:
            mask = self._draw_resident()
            n_resident = int(np.count_nonzero(mask))
        n_rows, dtype, device = self.size + n_resident, self.inputs.dtype, self.inputs.device
        X = own_pages((n_rows, *self.inputs.shape[1:]), dtype, device)
        target = None if self.target is None else own_pages((n_rows,), torch.int64, device)
        weight = None if self.weight is None else own_pages((n_rows,), dtype, device)
        self.buffer = X, target, weight
        if mask is not None:
            self._read_resident(mask)

    def _read_resident(self, mask):
        """Put rows, given by a mask, into the end of the buffer."""
        X, target, weight = self.buffer
        place, rows = self.size, torch.as_tensor(mask)
        table = self.inputs.table[mask]
        for part in ChunkedInputs(table, self.inputs.prepare, self.inputs.device).blocks():
            X[place : place + len(part)] = part
            place += len(part)
        target[self.size :] = self.target[rows]
        if weight is not None:
            weight[self.size :] = self.weight[rows]

    def _draw_resident(self):
        """Draw rows of each class, a mask; note of which classes these are all."""
        targets = self.target.cpu().numpy()
        counts = counts_by_class(targets, None, len(self.orders[0].counts))
        most = max(1, int(RESIDENT_PART * self.size) // len(counts))
        self.is_whole = torch.as_tensor(counts <= most).to(self.inputs.device)
        seed = torch.randint(2**62, (1,), generator=self.orders[0].generator)
        return drawn_rows(targets, np.minimum(counts, most), np.random.default_rng(int(seed)))

    def _fill(self, place, array, first):
        """Put rows that have been read into the buffer; `first` is the number of the first."""
        n_rows = max(1, NUMBERS_AT_ONCE // max(1, prod(array.shape[1:])))
        for start in range(0, len(array), n_rows):
            part = array[start : start + n_rows]
            begin, row = place + start, first + start
            stop = begin + len(part)
            rows = slice(row, row + len(part))
            X, target, weight = self.buffer
            if self.target is not None:
                target[begin:stop] = self.target[rows]
            if self.weight is not None:
                weight[begin:stop] = self.weight[rows]
            X[begin:stop] = self.inputs.tensor(part, range(rows.start, rows.stop))

    def _batches_from(self, first):
        """Yield the batches of the rows of the buffer from the first, in segments of an order."""
        order = self._order_from(first)
        rows, is_drawn = order.draw(), order.is_drawn
        del order  # a sampler's has the rows of each class
        for part in rows.split(self.segment):
            self.free_pages.give_back()
            if len(part) not in self.made:
                given = GivenOrder(len(part), self.orders[0].generator)
                self.made[len(part)] = self.make(*self.buffer, given)
            (given,) = self.made[len(part)].orders
            given.rows, given.is_drawn = part + first, is_drawn
            yield self.made[len(part)]

    def _order_from(self, first):
        """The order of the rows of the buffer from the first."""
        _, target, weight = (None if x is None else x[first:] for x in self.buffer)
        n_rows = self.size - first
        drawn = None if self.is_whole is None else self._drawn_classes(target, n_rows)
        return self.orders[0].of_rows(n_rows, drawn, weight)

    def _drawn_classes(self, target, n_rows):
        """Classes of the rows of the buffer, -1 for those that the sampler does not draw."""
        is_whole = self.is_whole
        drawn = target.clone()
        passing, resident = drawn[:n_rows], drawn[n_rows:]
        is_there = torch.bincount(passing, minlength=len(is_whole)) > 0
        passing[is_whole[passing]] = -1
        resident[(is_there & ~is_whole)[resident]] = -1
        return drawn

    def _buffers(self):
        """Fill the buffer again and again; yield its batches.

        The last rows of an epoch are put where they end before the rows that stay in memory.
        """
        if self.buffer is None:
            self._allocate()
        table = self.inputs.table
        left = len(self.inputs)
        first = place = self.size - min(self.size, left)
        for rows, array in table.chunks(self.orders[0].of_chunks(len(table.chunk_rows))):
            start = 0
            while start < len(array):
                part = array[start : start + self.size - place]
                self._fill(place, part, rows.start + start)
                start += len(part)
                place += len(part)
                if place == self.size:
                    yield from self._batches_from(first)
                    left -= self.size - first
                    first = place = self.size - min(self.size, left)

    def in_slices(self):
        """Yield the inputs in their own order, in parts, as stacks of one."""
        for X in self.inputs.blocks():
            yield through(self.layers, X[None])
