"""THE training loop: networks of one structure, trained epoch by epoch and batch by batch.

A single fit is a population of one. How the gradients of a batch are computed is up to the stack
(`stacks/`), which rows a batch has is up to the batches (`batches.py`).
"""

from time import perf_counter
from typing import Any

import numpy as np

from skimbal._training.batches import Batches, SlicedBatches, sums_over_batches
from skimbal._training.losses import SequentialLoss, StackedLoss
from skimbal._training.observer import Observer
from skimbal._training.optimizer import SequentialOptimizer, StackedOptimizer
from skimbal._training.row_order import RowOrder
from skimbal._training.stacks import SequentialStack
from skimbal.exceptions import NonFiniteLossError


def train_population(jobs, stack_class, row_multiple, progress):
    """Train networks together; return the errors of those that failed, by the job's id.

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
    # Networks of one step size and weight decay lie side by side, for one call to update them.
    jobs = sorted(jobs, key=_step_settings)
    events = [(job.net, {"X": job.tensors[0], "y": job.tensors[1]}) for job in jobs]
    try:
        for net, data in events:  # callbacks may load parameters, which the stack then reads
            net.notify("on_train_begin", **data)
        return Population(jobs, stack_class, row_multiple, progress).train()
    except Exception as error:
        return {id(job): error for job in jobs}
    finally:
        for net, data in events:
            net.module_.eval()
            net.notify("on_train_end", **data)


def _step_settings(job):
    """What the steps of networks of one structure may differ in, to sort them by."""
    net = job.net
    return net.lr, net.optimizer__weight_decay, job.schedule_length, len(net.history)


class Population:
    """Networks of one structure, trained together; see `train_population`."""

    def __init__(self, jobs, stack_class, row_multiple, progress):
        self.jobs = jobs
        self.progress = progress
        self.n_whole_epochs = [len(job.net.history) for job in jobs]
        self.written: set = set()  # networks whose nets have their last parameters
        nets, plan = [job.net for job in jobs], jobs[0].plan
        self.batches: Any
        self.loss: Any
        self.optimizer: Any
        self.stack = stack_class([net.module_ for net in nets])
        orders = [row_order_of(job) for job in jobs]
        if stack_class is SequentialStack:
            self.batches = SlicedBatches(jobs[0].tensors, nets[0].batch_size, orders)
            self.loss = SequentialLoss(nets[0].criterion_, plan.needs_features)
            self.optimizer = SequentialOptimizer(nets[0], plan.schedule)
        else:
            data = [job.tensors[:2] for job in jobs]
            weights = [job.tensors[2] if len(job.tensors) > 2 else None for job in jobs]
            self.batches = Batches(data, weights, nets[0].batch_size, row_multiple, orders)
            example = self.stack.parameters.new_zeros(1, len(nets[0].classes))
            self.loss = StackedLoss([net.criterion_ for net in nets], example, plan.needs_features)
            clocks = [(len(job.net.history), job.schedule_length) for job in jobs]
            self.optimizer = StackedOptimizer(nets, self.stack, plan.schedule, clocks)
        self.observer = None
        if nets[0].callbacks_:
            self.observer = Observer(jobs[0], self.stack, self.optimizer)

    def train(self):
        """Train all networks to their ends; return the errors of those that failed by job id."""
        errors = {}
        n_epochs = 0
        try:
            while self.jobs:
                figures = self._train_epoch()
                n_epochs += 1
                going_on = []
                for i, job in enumerate(self.jobs):
                    try:
                        ends = self._close_epoch(i, *figures[i]) or n_epochs == job.n_epochs
                    except Exception as error:
                        errors[id(job)] = error
                        ends = True
                    if not ends:
                        going_on.append(i)
                self._show_progress()
                self._write(set(range(len(self.jobs))).difference(going_on))
                self._keep(going_on)
        finally:  # an interrupt keeps what there is, but for an epoch that is not whole
            self._write(range(len(self.jobs)))
        return errors

    def _train_epoch(self):
        """Train on every batch once; return the loss, the learning rate and the time of each."""
        started = perf_counter()
        epochs = [n + 1 for n in self.n_whole_epochs]
        lengths = [job.schedule_length for job in self.jobs]
        self.loss.begin_epoch(epochs, lengths)
        rates = self.optimizer.begin_epoch(epochs, lengths)
        begun = zip(self.jobs, self.batches.orders, epochs, lengths, strict=True)
        for job, order, epoch, length in begun:
            job.net.history.new_epoch()
            job.net.history.record("epoch", epoch)
            order.begin_epoch(epoch, length, job.valid_f1())
        if self.observer is not None:
            self.observer.begin_epoch(rates[0])
        batches = self.batches.epoch([job.plan for job in self.jobs])
        losses = [self._train_batch(X, labels) for X, *labels in batches]
        means = sums_over_batches(losses, self.batches.n_rows) / self.batches.lengths
        duration_s = (perf_counter() - started) / len(self.jobs)
        return [(loss, rate, duration_s) for loss, rate in zip(means.tolist(), rates, strict=True)]

    def _train_batch(self, X, labels):
        """Take one step of the optimizer; return the losses before it."""
        observer = self.observer
        if observer is not None:
            observer.begin_batch(X, labels)
        losses, logits = self.stack.compute_gradients(X, labels, self.loss)
        if observer is not None:
            observer.after_gradients()
        self.optimizer.step()
        if observer is not None:
            observer.end_batch(losses, logits)
        return losses

    def _close_epoch(self, i, loss, learning_rate, duration_s):
        """Write the epoch of network i into its history; return whether its training ends."""
        job = self.jobs[i]
        history = job.net.history
        if not np.isfinite(loss):
            raise loss_error(loss, len(history), job.net.lr)
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
        return ends

    def _show_progress(self):
        self.progress.update(len(self.jobs))
        if self.progress.disable:
            return
        rows = [job.net.history[-1] for job in self.jobs]
        shown = {}
        for name in ("train_loss", "valid_loss", "valid_score", "train_score"):
            values = [row[name] for row in rows if name in row]
            if values:
                shown[name] = f"{np.mean(values):.4g}"
        self.progress.set_postfix(shown)

    def _write(self, networks):
        """Write networks into their nets as they are at their ends, if that has not been done."""
        networks = [i for i in networks if i not in self.written]
        state = self.optimizer.state() if networks else {}
        for i in networks:
            job = self.jobs[i]
            del job.net.history[self.n_whole_epochs[i] :]
            self.stack.write_to(job.net.module_, i)
            self.optimizer.write_to(job.net, i, state)
            if job.early_stopping is not None:
                job.early_stopping.restore(job.net.module_)
            self.written.add(i)

    def _keep(self, networks):
        """Continue with some of the networks."""
        if len(networks) == len(self.jobs):
            return
        self.jobs = [self.jobs[i] for i in networks]
        self.n_whole_epochs = [self.n_whole_epochs[i] for i in networks]
        self.written = set()
        if self.jobs:
            for part in (self.stack, self.loss, self.batches):
                part.keep(networks)
            self.optimizer.keep(networks, self.stack)


def row_order_of(job):
    """The order of the training rows of a job."""
    target, *rest = job.tensors[1:]
    weight = rest[0] if rest else None
    plan = job.plan
    n_classes = len(job.net.classes)
    return RowOrder(plan.generator, len(target), plan.sampler, target, weight, n_classes)


def loss_error(loss, epoch, learning_rate):
    """The error for a training loss that is NaN or infinite."""
    return NonFiniteLossError(
        f"the training loss is {loss} in epoch {epoch}; lower learning_rate "
        f"(got {learning_rate:g}) or check the scale of X and of the weights"
    )
