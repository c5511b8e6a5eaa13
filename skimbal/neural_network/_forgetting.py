"""Class counts of a stream whose class frequencies drift: old samples are forgotten.

A sample that n others have followed counts 2^(-n / h), with the half-life h in samples. The counts
do not depend on how the stream is cut into batches.
"""

from contextlib import contextmanager

import numpy as np

from skimbal.losses import resolve_loss
from skimbal.neural_network._fit_data import count_classes
from skimbal.neural_network._fit_plan import bind_loss, depends_on_counts, resolve_costs


def limited(counts, half_life):
    """Counts whose sum is at most 1 / (1 - 2^(-1 / h)), that of a stream without a beginning.

    The counts of a long training would otherwise outweigh what follows.

    >>> limited(np.array([300.0, 100.0]), half_life=1.0)
    array([1.5, 0.5])
    """
    limit = -1.0 / np.expm1(-np.log(2.0) / half_life)
    return counts * min(1.0, limit / counts.sum())


def decayed_counts(data, n_classes, half_life):
    """Sample-weighted counts of a batch, in which the last sample counts most."""
    n_followers = np.arange(len(data.targets))[::-1]
    decay = 0.5 ** (n_followers / half_life)
    weight = decay if data.sample_weight is None else decay * data.sample_weight
    return np.bincount(data.targets, weight, n_classes).astype(np.float64)


def stream_estimate(network, start, data):
    """The counts of a stream with a new batch; without a half-life, `start`.

    `start` are the counts before the stream, or None. Sets the estimate of the network, which does
    not have the samples that are added for the weights: one of each class, so that a class without
    samples has a finite weight.
    """
    half_life, n_classes = network.forgetting_half_life, len(network.classes_)
    if half_life is None:
        return count_classes(data, n_classes) if start is None else start
    before = np.zeros(n_classes) if start is None else limited(start, half_life)
    before = getattr(network, "_stream_counts", before) * 0.5 ** (len(data.targets) / half_life)
    network._stream_counts = before + decayed_counts(data, n_classes, half_life)
    return network._stream_counts + 1.0


@contextmanager
def following_counts(network, counts):
    """Give a fitted network the class weights, loss and costs for other class counts.

    If no epoch is trained in the block, the loss is the earlier one again. The attributes of the
    network are left to the caller.
    """
    net = network.net_
    before, n_epochs = net.criterion_, len(net.history)
    if network.forgetting_half_life is not None:
        set_counts(network, counts)
    try:
        yield
    finally:
        if len(net.history) == n_epochs:
            net.criterion_ = before


def set_counts(network, counts):
    """Make the loss and the costs anew for class counts."""
    value, net, costs = resolve_loss(network.loss), network.net_, None
    if network.cost_matrix is not None:
        costs = resolve_costs(network.cost_matrix, network.classes_, counts)
    if depends_on_counts(network):
        if next(net.criterion_.parameters(), None) is not None:
            raise ValueError(
                f"loss={network.loss!r} has parameters that are trained, which a change of the "
                "class weights would lose; use forgetting_half_life=None, or a loss without them"
            )
        loss = bind_loss(value, network.classes_, counts, costs, network.class_weight)
        net.criterion_ = loss.to(network._training_plan.device)
    network.cost_matrix_ = None if value.needs_costs else costs
    network._class_counts = counts
