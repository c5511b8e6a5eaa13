"""Training of many networks as one: populations of one structure, batch by batch.

A single fit is a population of one. What can't be trained this way goes through skorch's loop,
network by network (`_training.py`).
"""

from dataclasses import dataclass

import numpy as np
from tqdm.auto import tqdm

from skimbal._utils._torch import torch_threads
from skimbal.modules import MLP
from skimbal.neural_network._mixup import mix_epoch
from skimbal.neural_network._stacked_loss import StackedLoss
from skimbal.neural_network._stacked_optimizer import StackedOptimizer, n_steps_taken
from skimbal.neural_network._stacked_rows import (
    StackedRows,
    padded_batches,
    sums_over_batches,
)
from skimbal.neural_network._stacks import DenseStack, FunctionalStack, structure_of
from skimbal.neural_network._training import OPTIMIZERS, EarlyStopping, TensorNet, loss_error


@dataclass
class TrainingJob:
    """One network to be trained.

    Parameters
    ----------
    net : TensorNet
        Initialised; trained in place.
    tensors : list of tensor
        X, target and, where there are weights, sample_weight; on the device of the net.
    n_epochs : int
        Epochs to train.
    schedule_length : int
        Epochs that a loss with a schedule counts on.
    early_stopping : EarlyStopping or None
    has_callbacks : bool
        Whether the user gave callbacks, which only skorch's loop calls.
    n_threads : int
    verbose : bool
    """

    net: TensorNet
    tensors: list
    n_epochs: int
    schedule_length: int
    early_stopping: EarlyStopping | None = None
    has_callbacks: bool = False
    n_threads: int = 1
    verbose: bool = False

    def obstacle(self):
        """What keeps the network out of populations, in words; None where nothing does."""
        if self.has_callbacks:
            return "callbacks"
        if self.net.optimizer not in OPTIMIZERS.values():
            return f"the optimizer {self.net.optimizer.__name__}"
        if any(True for _ in self.net.criterion_.parameters()):
            return "a loss with parameters"
        return None

    def structure(self):
        """What the networks of a population have in common; None for one that is trained alone."""
        if self.obstacle() is not None:
            return None
        net, X = self.net, self.tensors[0]
        return (
            structure_of(net.module_),
            structure_of(net.criterion_),
            net.optimizer,
            n_steps_taken(net.optimizer_),
            net.batch_size,
            net.mixup,
            tuple(padded_batches(len(X), net.batch_size, row_multiple(net.module_))),
            X.shape[1:],
            X.dtype,
            X.device,
            self.n_threads,
        )

    def n_bytes(self):
        """Memory that the network needs in a population, roughly."""
        X = self.tensors[0]
        n_parameters = sum(p.numel() for p in self.net.module_.parameters())
        # Parameters, gradients, two moments and two copies of the activations of a batch, which
        # are about as many; the inputs, and again in the order of the epoch.
        return X.element_size() * (6 * n_parameters + 2 * X.numel()) + 32 * len(X)

    @property
    def device(self):
        """Where the network is trained."""
        return self.tensors[0].device

    @staticmethod
    def way(jobs):
        """Say how networks are trained."""
        name = type(jobs[0].net.module_).__name__
        if jobs[0].trains_by_skorch(len(jobs)):
            return f"1 {name} by itself: {jobs[0].obstacle() or 'the only one of its structure'}"
        how = "matrix products" if is_dense(jobs[0].net.module_) else "torch.func.vmap"
        return f"{len(jobs)} {name} as one, by {how}"

    @staticmethod
    def run_all(jobs):
        """Train jobs of one structure; return them, or the errors of those that failed."""
        total = sum(job.n_epochs for job in jobs)
        hidden = not any(job.verbose for job in jobs)
        with (
            torch_threads(jobs[0].n_threads),
            tqdm(total=total, unit="epoch", disable=hidden) as progress,
        ):
            if jobs[0].trains_by_skorch(len(jobs)):
                return [_train_by_skorch(job, progress) for job in jobs]
            errors = Population(jobs, progress).train()
            return [errors.get(id(job), job) for job in jobs]

    def trains_by_skorch(self, n_networks):
        """Whether skorch's loop trains so many networks like this one."""
        alone = n_networks == 1 and not is_dense(self.net.module_)
        return alone or self.obstacle() is not None


def _train_by_skorch(job, progress):
    try:
        job.net.train(job.tensors, job.n_epochs)
    except Exception as error:
        return error
    progress.update(job.n_epochs)
    return job


def is_dense(module):
    """Whether a module is one that `DenseStack` takes."""
    return type(module) is MLP


def row_multiple(module):
    """Batches of a population of such modules have a multiple of this many rows."""
    return DenseStack.row_multiple(module) if is_dense(module) else 1


class Population:
    """Networks of one structure, trained together.

    Parameters
    ----------
    jobs : list of TrainingJob
        Of one `structure`.
    progress : tqdm.tqdm
        Told of every epoch of a network.
    """

    def __init__(self, jobs, progress):
        # Networks of one step size and weight decay lie side by side, for one call to update them.
        self.jobs = sorted(jobs, key=lambda job: (job.net.lr, job.net.optimizer__weight_decay))
        self.progress = progress
        nets = [job.net for job in self.jobs]
        first = nets[0]
        stack_class = DenseStack if is_dense(first.module_) else FunctionalStack
        self.stack = stack_class([net.module_ for net in nets])
        example = self.stack.parameters.new_zeros(1, len(first.classes))
        self.loss = StackedLoss([net.criterion_ for net in nets], example)
        self.optimizer = StackedOptimizer(nets, self.stack)
        self.rows = StackedRows(
            [job.tensors[:2] for job in self.jobs],
            [job.tensors[2] if len(job.tensors) > 2 else None for job in self.jobs],
            first.batch_size,
            row_multiple(first.module_),
            [net.generator for net in nets],
        )

    def train(self):
        """Train all networks to their ends; return the errors of those that failed by job id."""
        errors = {}
        for job in self.jobs:
            if job.early_stopping is not None:
                job.early_stopping.on_train_begin(job.net)
        n_done = 0
        try:
            while self.jobs:
                losses = self._train_epoch()
                n_done += 1
                self.progress.update(len(self.jobs))
                going_on = []
                for i, (job, loss) in enumerate(zip(self.jobs, losses, strict=True)):
                    error = _record(job, loss)
                    if error is not None:
                        errors[id(job)] = error
                    elif not self._stops_early(i, job) and n_done < job.n_epochs:
                        going_on.append(i)
                        continue
                    self._finish(i, job)
                self._keep(going_on)
        finally:  # an interrupt keeps what there is
            for i, job in enumerate(self.jobs):
                self._finish(i, job)
        return errors

    def _train_epoch(self):
        """Train on every batch once; return the mean loss of each network."""
        nets = [job.net for job in self.jobs]
        epochs = [len(net.history) + 1 for net in nets]
        self.loss.begin_epoch(epochs, [job.schedule_length for job in self.jobs])
        losses = []
        for X, *labels in mix_epoch(nets[0].mixup, self.rows):
            losses.append(self.stack.compute_gradients(X, labels, self.loss))
            self.optimizer.step()
        sums = sums_over_batches(losses, self.rows.n_rows)
        return (sums / self.rows.lengths).tolist()

    def _stops_early(self, i, job):
        if job.early_stopping is None:
            return False
        self.stack.write_to(job.net.module_, i)
        return job.early_stopping.judge(job.net)

    def _finish(self, i, job):
        self.stack.write_to(job.net.module_, i)
        self.optimizer.write_to(job.net, i)
        if job.early_stopping is not None:
            job.early_stopping.on_train_end(job.net)

    def _keep(self, networks):
        if len(networks) == len(self.jobs):
            return
        self.jobs = [self.jobs[i] for i in networks]
        if self.jobs:
            for part in (self.stack, self.loss, self.rows):
                part.keep(networks)
            self.optimizer.keep(networks, self.stack)


def _record(job, loss):
    """Write an epoch into the history; return the error of a loss that is not finite."""
    epoch = len(job.net.history) + 1
    if not np.isfinite(loss):
        return loss_error(loss, epoch, job.net.lr)
    job.net.history.append({"batches": [], "epoch": epoch, "train_loss": loss})
    return None
