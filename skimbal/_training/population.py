"""THE training loop: networks of one structure, trained epoch by epoch and batch by batch.

A single fit is a population of one. How the gradients of a batch are computed is up to the stack
(`stacks/`), which rows a batch has is up to the batches (`batches.py`).
"""

from time import perf_counter
from typing import Any

import numpy as np

from skimbal._training.batches import Batches, SlicedBatches, is_long, sums_over_batches
from skimbal._training.chunked import ChunkedBatches, ChunkedInputs, ChunkOrder, counts_by_class
from skimbal._training.losses import SequentialLoss, StackedLoss
from skimbal._training.observer import Observer
from skimbal._training.optimizer import SequentialOptimizer, StackedOptimizer
from skimbal._training.row_order import RowOrder
from skimbal._training.segments import SegmentedBatches
from skimbal._training.stacks import SequentialStack
from skimbal._utils._signals import sigint_deferred
from skimbal.exceptions import NonFiniteLossError


class Population:
    """Networks of one structure, trained together.

    Parameters
    ----------
    jobs : list of TrainingJob
        Of one `structure`, trained in place. Only a network that is alone has callbacks.
    stack_class : type
        A subclass of `BaseStack`; `SequentialStack` takes one network.
    row_multiple : int
        Batches are filled up to a multiple of this many rows.
    progress : tqdm.tqdm
        Told of every epoch of a network.
    """

    stack: Any
    batches: Any
    loss: Any
    optimizer: Any

    def __init__(self, jobs, stack_class, row_multiple, progress):
        # Networks of one step size and weight decay lie side by side: one call updates them.
        self.jobs = sorted(jobs, key=_step_settings)
        self.stack_class = stack_class
        self.row_multiple = row_multiple
        self.progress = progress
        self.observer = None
        self.n_whole_epochs = []
        self.written: set = set()  # networks whose nets have their last parameters

    def train(self):
        """Train all networks to their ends; return the errors of those that failed by job id."""
        errors: dict = {}
        jobs = self.jobs
        try:
            for job in jobs:  # callbacks may load parameters, which the stack then reads
                job.net.notify("on_train_begin", X=job.tensors[0], y=job.tensors[1])
            self._build()
            n_epochs = 0
            while self.jobs:
                figures = self._train_epoch()
                n_epochs += 1
                self._end_epoch(figures, n_epochs, errors)
        except Exception as error:
            return {id(job): error for job in jobs}
        finally:  # an interrupt keeps what there is, but for an epoch that is not whole
            with sigint_deferred():
                self._write(range(len(self.n_whole_epochs)))
            for job in jobs:
                job.net.module_.eval()
                if job.net.history:  # before the first whole epoch there is nothing to save
                    job.net.notify("on_train_end", X=job.tensors[0], y=job.tensors[1])
        return errors

    def _build(self):
        """Stack the networks, and all that their training needs."""
        jobs, plan = self.jobs, self.jobs[0].plan
        nets, modules, criteria = [], [], []
        for job in jobs:
            nets.append(job.net)
            modules.append(job.net.module_)
            criteria.append(job.net.criterion_)
        self.stack = self.stack_class(modules)
        self.batches = self._make_batches()
        if self.stack_class is SequentialStack:
            self.loss = SequentialLoss(criteria[0], plan.needs_features)
            self.optimizer = SequentialOptimizer(nets[0], plan.schedule)
        else:
            clocks = [(len(job.net.history), job.schedule_length) for job in jobs]
            example = self.stack.parameters.new_zeros(1, len(nets[0].classes))
            self.loss = StackedLoss(criteria, example, plan.needs_features)
            self.optimizer = StackedOptimizer(nets, self.stack, plan.schedule, clocks)
        if nets[0].callbacks_:
            self.observer = Observer(jobs[0], self.stack, self.optimizer)
        for net in nets:
            self.n_whole_epochs.append(len(net.history))

    def _make_batches(self):
        """The batches of the training sets; one that is read in chunks is alone."""
        first = self.jobs[0]
        batch_size, (X, target, *weight) = first.net.batch_size, first.tensors
        if isinstance(X, ChunkedInputs):
            weight, order = weight[0] if weight else None, chunk_order_of(first)
            return ChunkedBatches(X, target, weight, batch_size, order, self._make_of_one)
        orders = [row_order_of(job) for job in self.jobs]
        if self.stack_class is SequentialStack:
            return SlicedBatches(first.tensors, batch_size, orders)
        is_cut = is_long(len(target), batch_size, self.row_multiple) and not first.plan.mixup
        if len(self.jobs) == 1 and is_cut:
            own = weight[0] if weight else None
            return SegmentedBatches((X, target), own, batch_size, self.row_multiple, *orders)
        datasets, weights = [], []
        for job in self.jobs:
            X, target, *weight = job.tensors
            datasets.append((X, target))
            weights.append(weight[0] if weight else None)
        return Batches(datasets, weights, batch_size, self.row_multiple, orders)

    def _make_of_one(self, X, target, weight, order):
        """The batches of some rows of the only network."""
        batch_size = self.jobs[0].net.batch_size
        if self.stack_class is SequentialStack:
            tensors = [X, target] if weight is None else [X, target, weight]
            return SlicedBatches(tensors, batch_size, [order])
        return Batches([(X, target)], [weight], batch_size, self.row_multiple, [order])

    def _train_epoch(self):
        """Train on every batch once; return the figures of each that `_close_epoch` takes."""
        started = perf_counter()
        epochs, lengths, plans = [], [], []
        for job, n_epochs in zip(self.jobs, self.n_whole_epochs, strict=True):
            epochs.append(n_epochs + 1)
            lengths.append(job.schedule_length)
            plans.append(job.plan)
        self.stack.begin_epoch(epochs)
        self.loss.begin_epoch(epochs, lengths)
        rates = self.optimizer.begin_epoch(epochs, lengths)
        for job, order, *epoch in zip(self.jobs, self.batches.orders, epochs, lengths, strict=True):
            job.net.history.new_epoch()
            job.net.history.record("epoch", epoch[0])
            order.begin_epoch(*epoch, job.early_stopping and job.early_stopping.valid_f1)
        observer = self.observer
        if observer is not None:
            observer.begin_epoch(rates[0])
        losses = []
        for X, *labels in self.batches.epoch(plans):
            if observer is not None:
                observer.begin_batch(X, labels)
            batch_losses, logits = self.stack.compute_gradients(X, labels, self.loss)
            if observer is not None:
                observer.after_gradients()
            self.optimizer.step()
            if observer is not None:
                observer.end_batch(batch_losses, logits)
            losses.append(batch_losses)
        means = sums_over_batches(losses, self.batches.n_rows) / self.batches.lengths
        duration_s = (perf_counter() - started) / len(self.jobs)
        # The last step may spoil what the losses before it do not tell.
        means[~self.stack.are_finite()] = np.nan
        durations_s = [duration_s] * len(rates)
        return zip(means.tolist(), rates, durations_s, self.optimizer.are_finite(), strict=True)

    def _end_epoch(self, figures, n_epochs, errors):
        """Judge all networks after an epoch, and continue with those that have not ended."""
        remaining = []
        for i, (job, row) in enumerate(zip(self.jobs, figures, strict=True)):
            try:
                ends = self._close_epoch(i, *row) or n_epochs == job.n_epochs
            except Exception as error:
                errors[id(job)] = error
                ends = True
            if not ends:
                remaining.append(i)
        self.progress.update(len(self.jobs))
        if not self.progress.disable:
            self.progress.set_postfix(mean_figures(self.jobs))
        if len(remaining) < len(self.jobs):
            with sigint_deferred():  # half of it would mix up the networks
                self._write(set(range(len(self.jobs))).difference(remaining))
                self._keep(remaining)

    def _close_epoch(self, i, loss, learning_rate, duration_s, is_finite):
        """Write the epoch of network i into its history; return whether its training ends."""
        job = self.jobs[i]
        history = job.net.history
        if not np.isfinite(loss):
            raise divergence(f"the training loss is {loss}", len(history), job.net.lr)
        if not is_finite:  # Adam divides by it: nothing would move any more
            raise divergence("the optimizer's sums of gradients overflow", len(history), job.net.lr)
        history.record("train_loss", loss)
        ends = False
        if job.early_stopping is not None:
            self.stack.write_to(job.net.module_, i)
            ends = job.early_stopping.judge(job.net.module_, history)
        history.record("learning_rate", learning_rate)
        history.record("duration_s", duration_s)
        if self.observer is not None:
            ends = self.observer.end_epoch() or ends
        self.n_whole_epochs[i] = len(history)
        if job.early_stopping is not None:
            job.early_stopping.end_epoch()
        return ends

    def _write(self, networks):
        """Write networks into their nets as they are at their ends, if that has not been done."""
        networks = set(networks) - self.written
        state = self.optimizer.state() if networks else {}
        for i in sorted(networks):
            job = self.jobs[i]
            del job.net.history[self.n_whole_epochs[i] :]
            self.stack.write_to(job.net.module_, i)
            self.optimizer.write_to(job.net, i, state)
            if job.early_stopping is not None:
                job.early_stopping.restore(job.net.module_)
            self.written.add(i)

    def _keep(self, networks):
        """Continue with some of the networks."""
        jobs, n_whole_epochs = self.jobs, self.n_whole_epochs
        self.jobs, self.n_whole_epochs, self.written = [], [], set()
        for i in networks:
            self.jobs.append(jobs[i])
            self.n_whole_epochs.append(n_whole_epochs[i])
        if self.jobs:
            for part in (self.stack, self.loss, self.batches):
                part.keep(networks)
            self.optimizer.keep(networks, self.stack)


def _step_settings(job):
    """What the steps of networks of one structure may differ in, to sort them by."""
    net = job.net
    return net.lr, net.optimizer__weight_decay, job.schedule_length, len(net.history)


def mean_figures(jobs):
    """Means of the last losses and scores over networks, as text for the progress bar."""
    rows = [job.net.history[-1] for job in jobs]
    figures = {}
    for name in ("train_loss", "valid_loss", "valid_score", "train_score"):
        values = [row[name] for row in rows if name in row]
        if values:
            figures[name] = f"{np.mean(values):.4g}"
    return figures


def row_order_of(job):
    """The order of the training rows of a job."""
    target, *rest = job.tensors[1:]
    weight = rest[0] if rest else None
    plan = job.plan
    n_classes = len(job.net.classes)
    return RowOrder(plan.generator, len(target), plan.sampler, target, weight, n_classes)


def chunk_order_of(job):
    """The order of the chunks and rows of a job whose training set is read in chunks."""
    target, *rest = job.tensors[1:]
    plan, counts = job.plan, None
    if plan.sampler is not None:
        weight = rest[0].cpu().numpy() if rest else None
        counts = counts_by_class(target.cpu().numpy(), weight, len(job.net.classes))
    return ChunkOrder(plan.generator, len(target), plan.sampler, counts)


def divergence(what, epoch, learning_rate):
    """The error for a training that NaN or infinite numbers end."""
    return NonFiniteLossError(
        f"{what} in epoch {epoch}; lower learning_rate "
        f"(got {learning_rate:g}) or check the scale of X and of the weights"
    )
